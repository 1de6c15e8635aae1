import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import { Transport } from "../transport.ts";

/** The annotation that says whose a container is, for the daemon. */
export const ownerAnnotation = "dev.sampan.owner";

/** How long to wait before the next attempt to reach a daemon that has gone, in ms: sooner than it gives owners up. */
const pause = 250;

/**
 * This process as the owner of containers: a connection to the daemon whose end is theirs. It does not keep the process
 * alive. When the daemon goes, another one finds us again under the same name; it waits a while for that.
 */
export class Owner {
  /** What the containers' annotation says. */
  readonly name: string = randomUUID();
  readonly #transport: Transport;
  #held: Promise<Socket> | undefined;
  #released = false;

  constructor(socketPath: string) {
    // Without starting one: containers can live without a daemon, and who asks for something starts it.
    this.#transport = new Transport({ socketPath });
  }

  /** Resolves when the daemon knows us. */
  async hold(): Promise<void> {
    this.#held ??= this.#connect();
    try {
      await this.#held;
    } catch (error) {
      this.#held = undefined;
      throw error;
    }
  }

  /** Resolves when the daemon has removed all that was ours. */
  async release(): Promise<void> {
    this.#released = true;
    const socket = await this.#held?.catch(() => undefined);
    if (socket === undefined || socket.closed) return;
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.ref();
    socket.end();
    await closed;
  }

  async #connect(): Promise<Socket> {
    const { socket } = await this.#transport.hijack({ method: "POST", path: `/sampan/owners/${this.name}` });
    socket.on("error", () => {});
    socket.once("end", () => socket.end());
    socket.once("close", () => {
      if (!this.#released) this.#held = this.#return();
      this.#held?.catch(() => {});
    });
    socket.resume();
    socket.unref();
    return socket;
  }

  async #return(): Promise<Socket> {
    for (;;) {
      await setTimeout(pause, undefined, { ref: false });
      try {
        return await this.#connect();
      } catch (error) {
        if (this.#released) throw error;
      }
    }
  }
}
