import { LogChain } from "./chain.ts";
import { LogRenderer, type RenderOptions } from "./render.ts";
import { findStart, type LogStart } from "./start.ts";
import { findTail } from "./tail.ts";
import { LogWatch } from "./watch.ts";

export interface ReadLogOptions extends RenderOptions {
  /** Lines. */
  readonly tail?: number | undefined;
  /** Reading goes on until this resolves: the container has ended, or the client has left. Absent: to the log's end. */
  readonly follow?: Promise<unknown> | undefined;
}

/**
 * What a container has written, chunk by chunk, ready for the wire; a chunk is valid until the next is asked for. A log
 * that does not exist is empty.
 */
export async function* readLog(path: string, options: ReadLogOptions): AsyncGenerator<Uint8Array> {
  // Watching begins before reading: nothing falls between.
  const watch = options.follow && new LogWatch(path);
  const ended = { yes: options.follow === undefined };
  options.follow?.finally(() => {
    ended.yes = true;
    watch?.poke();
  });
  let chain: LogChain | undefined;
  try {
    chain = await LogChain.open(path, await startOf(path, options));
    yield* readChain(chain, options, { ended: () => ended.yes, changed: () => watch?.changed() });
  } finally {
    watch?.close();
    await chain?.close();
  }
}

function startOf(path: string, { tail, since }: ReadLogOptions): Promise<LogStart> {
  return tail === undefined ? findStart(path, since) : findTail(path, tail);
}

interface Growth {
  /** Nothing more will be written. */
  ended(): boolean;
  /** Something may have been written, or the end may have come. */
  changed(): Promise<void> | undefined;
}

async function* readChain(chain: LogChain, options: RenderOptions, growth: Growth): AsyncGenerator<Uint8Array> {
  const renderer = new LogRenderer(options);
  // Asked before reading: what was written before the end is still read.
  const begin = () => {
    const last = growth.ended();
    const reading = chain.read();
    reading.catch(() => {}); // told when its turn comes
    return { last, reading };
  };
  let ahead = begin();
  try {
    while (!renderer.done) {
      const { last } = ahead;
      const bytes = await ahead.reading;
      if (bytes.length > 0) {
        ahead = begin();
        const rendered = renderer.render(bytes);
        if (rendered.length > 0) yield rendered;
      } else {
        if (last) return;
        await growth.changed();
        ahead = begin();
      }
    }
  } finally {
    await ahead.reading.catch(() => {});
  }
}
