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
 * A log that is being read. Life: made → `opened` → `chunks`, once, which closes it with its end, whoever ends it. A log that
 * does not exist is empty.
 */
export class LogReader {
  /**
   * Resolves when reading no longer depends on what happens to the files: a container that has ended may be removed. Until it
   * has ended, `hold` says when it is going to be.
   */
  readonly opened: Promise<void>;
  readonly #options: ReadLogOptions;
  readonly #chain: Promise<LogChain>;
  readonly #watch: LogWatch | undefined;
  #ended: boolean;

  constructor(path: string, options: ReadLogOptions) {
    this.#options = options;
    // Watching begins before reading: nothing falls between.
    this.#watch = options.follow && new LogWatch(path);
    this.#ended = options.follow === undefined;
    options.follow?.finally(() => {
      this.#ended = true;
      this.#watch?.poke();
    });
    this.#chain = startOf(path, options).then((start) => LogChain.open(path, start));
    this.opened = this.#chain.then(() => undefined);
    this.opened.catch(() => this.#watch?.close());
  }

  /** What the container has written, ready for the wire; a chunk is valid until the next is asked for. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    const chain = await this.#chain;
    try {
      const growth = { ended: () => this.#ended, changed: () => this.#watch?.changed() };
      yield* readChain(chain, this.#options, growth);
    } finally {
      this.#watch?.close();
      await chain.close();
    }
  }

  /** All that an ended container has written can be read after its files have gone. */
  async hold(): Promise<void> {
    await (await this.#chain).hold();
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
