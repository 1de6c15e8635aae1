import type { Hijacked } from "../../client/hijack.ts";
import { copyInput, copyOutput } from "../../client/hijack.ts";
import type { Context } from "../context.ts";
import { DetachFilter } from "./detach.ts";
import { rawMode } from "./raw.ts";
import type { Size } from "./resize.ts";
import { followSize } from "./resize.ts";

export interface SessionOptions {
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly detachKeys: Uint8Array;
  readonly resize: (size: Size) => Promise<void>;
}

/** The terminal or the pipes of this process joined to a container's streams. */
export class Session implements Disposable {
  /** Resolves when the output has ended, or the user has detached. */
  readonly ended: Promise<"ended" | "detached">;
  readonly #resources = new DisposableStack();
  readonly #context: Context;
  readonly #options: SessionOptions;

  constructor(context: Context, connection: Hijacked, options: SessionOptions) {
    this.#context = context;
    this.#options = options;
    const { socket, multiplexed } = connection;
    this.#resources.defer(() => socket.destroy());
    // Asked for when there is something to write: a container that says nothing does not pay for a stream.
    const outputs = {
      get stdout() {
        return options.stdout ? context.stdout : undefined;
      },
      get stderr() {
        return options.stderr ? context.stderr : undefined;
      },
    };
    const output = copyOutput(socket, outputs, multiplexed && !options.tty).then(() => "ended" as const);
    const detached = options.stdin ? this.#joinInput(connection) : undefined;
    this.ended = detached === undefined ? output : Promise.race([output, detached]);
    this.ended.catch(() => {});
  }

  /** Tells the container the terminal's size; to be called once the container runs. */
  followSize(): void {
    if (this.#options.tty) this.#resources.use(followSize(this.#context.stdout, this.#options.resize));
  }

  [Symbol.dispose](): void {
    this.#resources.dispose();
  }

  #joinInput({ socket }: Hijacked): Promise<"detached"> {
    const { stdin } = this.#context;
    const { tty, detachKeys } = this.#options;
    this.#resources.defer(() => stdin.pause());
    return new Promise((resolve) => {
      if (!tty) {
        copyInput(stdin, socket);
        return;
      }
      this.#resources.use(rawMode(stdin));
      const filter = new DetachFilter(detachKeys, () => resolve("detached"));
      copyInput(stdin.pipe(filter), socket);
    });
  }
}
