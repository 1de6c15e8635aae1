import { LogChain } from "./chain.ts";
import { countRotated } from "./files.ts";
import type { LogRecord } from "./record.ts";
import { LogRenderer, type RenderOptions } from "./render.ts";
import { findTail, type LogStart } from "./tail.ts";
import { LogWatch } from "./watch.ts";

export interface ReadLogOptions extends RenderOptions {
  readonly streams: ReadonlySet<number>;
  readonly tail?: number | undefined;
  readonly since?: bigint | undefined;
  readonly until?: bigint | undefined;
  /** Reading goes on until this resolves: the container has ended, or the client has left. Absent: to the log's end. */
  readonly follow?: Promise<unknown> | undefined;
}

/** What a container has written, chunk by chunk, ready for the wire. A log that does not exist is empty. */
export async function* readLog(path: string, options: ReadLogOptions): AsyncGenerator<Uint8Array> {
  // Watching begins before reading: nothing falls between.
  const watch = options.follow && new LogWatch(path);
  const ended = { yes: options.follow === undefined };
  options.follow?.finally(() => {
    ended.yes = true;
    watch?.poke();
  });
  const chain = await LogChain.open(path, await startOf(path, options));
  try {
    yield* readChain(chain, options, { ended: () => ended.yes, changed: () => watch?.changed() });
  } finally {
    watch?.close();
    await chain.close();
  }
}

async function startOf(path: string, { tail, streams }: ReadLogOptions): Promise<LogStart> {
  if (tail !== undefined) return findTail(path, tail, streams);
  return { file: await countRotated(path), offset: 0, skip: 0 };
}

interface Growth {
  /** Nothing more will be written. */
  ended(): boolean;
  /** Something may have been written, or the end may have come. */
  changed(): Promise<void> | undefined;
}

async function* readChain(
  chain: LogChain,
  { streams, since, until, ...render }: ReadLogOptions,
  growth: Growth,
): AsyncGenerator<Uint8Array> {
  const renderer = new LogRenderer(render);
  const wanted = ({ stream, time }: LogRecord) =>
    streams.has(stream) && (since === undefined || time >= since) && (until === undefined || time <= until);
  for (;;) {
    // Asked before reading: what was written before the end is still read.
    const last = growth.ended();
    const records = await chain.read();
    if (records.length > 0) {
      const bytes = renderer.render(records.filter(wanted));
      if (bytes.length > 0) yield bytes;
      if (until !== undefined && records.some(({ time }) => time > until)) return;
    } else {
      if (last) return;
      await growth.changed();
    }
  }
}
