import type { Duplex } from "node:stream";
import { SampanError } from "../../errors/index.ts";
import type { Running } from "../../runtime/types.ts";
import type { EngineParts } from "../parts.ts";
import { parseDetachKeys } from "../streams/detach-keys.ts";
import { joinStreams } from "../streams/join.ts";
import type { Attachment, AttachOptions, JoinEnd } from "../types.ts";
import { containerEvent } from "./events.ts";
import type { Container, PendingAttach } from "./live.ts";
import { readContainerLog } from "./logs.ts";
import { isRestarting } from "./pause.ts";

/** The right to talk to a container; "conflict" when it is in no state to be talked to. */
export function attachContainer(parts: EngineParts, container: Container, options: AttachOptions): Attachment {
  const { status } = container.state;
  if (status === "restarting") throw isRestarting(container);
  if (status === "paused") {
    throw new SampanError("conflict", `Container ${container.id} is paused, unpause the container before attach`);
  }
  return new ContainerAttachment(parts, container, options, parseDetachKeys(options.detachKeys));
}

class ContainerAttachment implements Attachment {
  readonly tty: boolean;
  readonly #parts: EngineParts;
  readonly #container: Container;
  readonly #options: AttachOptions;
  readonly #keys: Uint8Array | undefined;

  constructor(parts: EngineParts, container: Container, options: AttachOptions, keys: Uint8Array) {
    this.tty = container.record.config.Tty;
    this.#parts = parts;
    this.#container = container;
    this.#options = options;
    this.#keys = this.tty ? keys : undefined;
  }

  async join(client: Duplex): Promise<JoinEnd> {
    client.on("error", () => {});
    containerEvent(this.#parts.events, this.#container, "attach");
    const end = await this.#joined(client);
    if (end === "detached") containerEvent(this.#parts.events, this.#container, "detach");
    return end;
  }

  async #joined(client: Duplex): Promise<JoinEnd> {
    const { logs, stream } = this.#options;
    if (logs) {
      const past = readContainerLog(this.#container, { ...this.#options, follow: false });
      await writeBorrowed(past.chunks, client).catch(() => client.destroy());
    }
    if (client.destroyed) return "ended";
    if (!stream) return endClient(client);
    const { running } = this.#container;
    return running === undefined ? this.#joinAtStart(client) : this.#connect(client, running).then(({ end }) => end);
  }

  /** Waits for the start, which in turn waits for the connection. */
  #joinAtStart(client: Duplex): Promise<JoinEnd> {
    return new Promise((resolve) => {
      const forget = () => {
        this.#container.pendingAttaches.delete(pending);
        resolve("ended");
      };
      const pending: PendingAttach = {
        begin: async (running) => {
          client.off("close", forget);
          resolve(this.#connect(client, running).then(({ end }) => end));
          await this.#connected;
        },
        cancel: () => {
          client.off("close", forget);
          resolve(endClient(client));
        },
      };
      client.once("close", forget);
      this.#container.pendingAttaches.add(pending);
    });
  }

  #connected: Promise<unknown> | undefined;

  async #connect(client: Duplex, running: Running): Promise<{ end: Promise<JoinEnd> }> {
    const { stdin, stdout, stderr } = this.#options;
    const attaching = running.attach({ stdin, stdout, stderr });
    this.#connected = attaching.catch(() => {});
    try {
      const monitor = await attaching;
      this.#container.attached++;
      const end = joinStreams(client, monitor, { stdin, detachKeys: this.#keys });
      return { end: end.finally(() => this.#container.attached--) };
    } catch {
      return { end: endClient(client) };
    }
  }
}

/** A chunk has gone before the next is asked for, which uses its memory again. */
async function writeBorrowed(chunks: AsyncIterable<Uint8Array>, client: Duplex): Promise<void> {
  for await (const chunk of chunks) {
    if (client.destroyed) return;
    await new Promise<void>((resolve) => {
      client.once("close", resolve);
      client.write(chunk, () => {
        client.off("close", resolve);
        resolve();
      });
    });
  }
}

/** It has ended meanwhile, or will never start. */
function endClient(client: Duplex): Promise<JoinEnd> {
  if (client.destroyed || client.writableEnded) return Promise.resolve("ended");
  return new Promise((resolve) => {
    client.once("close", () => resolve("ended"));
    client.end(() => resolve("ended"));
  });
}
