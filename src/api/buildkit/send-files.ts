import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type SpooledContext, spoolContext } from "../../build/context/spool.ts";
import type { ContextNode } from "../../build/context/tree.ts";
import { SampanError } from "../../errors/index.ts";
import * as f from "../../kernel/flags.ts";
import type { EntryType } from "../../storage/tar/entry.ts";
import type { Exchange } from "../grpc/client.ts";
import type { Sent } from "../grpc/schema.ts";
import { goFileMode } from "../views/path-stat.ts";
import { Bytes, Packet, packets, type Stat } from "./messages/session.ts";
import type { Session } from "./sessions.ts";

const method = "/moby.filesync.v1.FileSend/DiffCopy";

interface Sending {
  /** Which of the build's outputs it is. */
  readonly place: number;
  readonly signal: AbortSignal;
}

const metadataOf = ({ place }: Sending) => ({ "buildkit-attachable-exporter-id": String(place) });

/** Sends a tar archive to the client. */
export async function sendArchive(
  session: Session,
  archive: AsyncIterable<Uint8Array>,
  sending: Sending,
): Promise<void> {
  using exchange = session.client.open(
    method,
    { request: Bytes, response: Bytes },
    metadataOf(sending),
    sending.signal,
  );
  for await (const chunk of archive) await exchange.send({ data: Buffer.from(chunk) });
  exchange.end();
  // Its end says that the client has written everything.
  for await (const _ of exchange.messages);
}

/** Sends the files of a tar archive to the client, which makes a directory of them. `scratch`: where they lie meanwhile. */
export async function sendFiles(
  session: Session,
  archive: AsyncIterable<Uint8Array>,
  { scratch, ...sending }: Sending & { readonly scratch: string },
): Promise<void> {
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  await using files = await spoolContext(archive, join(scratch, `output-${crypto.randomUUID()}`), sending.signal);
  using exchange = session.client.open(
    method,
    { request: Packet, response: Packet },
    metadataOf(sending),
    sending.signal,
  );
  await new Sender(exchange, files).send();
}

/** By fsutil's protocol: all files are told about in order, the client asks for contents by number when it likes. */
class Sender {
  readonly #exchange: Exchange<typeof Packet, typeof Packet>;
  readonly #spool: SpooledContext;
  readonly #files = new Map<number, ContextNode>();
  /** Paths of what may be linked to. */
  readonly #paths = new Map<ContextNode, Buffer>();
  #count = 0;

  constructor(exchange: Exchange<typeof Packet, typeof Packet>, spool: SpooledContext) {
    this.#exchange = exchange;
    this.#spool = spool;
  }

  async send(): Promise<void> {
    // Questions come while the answer to earlier ones is sent: all are taken at once, or neither side would read.
    const asked = this.#questions();
    await this.#describe(this.#spool.root, "");
    await this.#exchange.send({ type: packets.stat });
    for (;;) {
      const id = await asked.next();
      if (id === undefined) break;
      await this.#content(id);
    }
    await this.#exchange.send({ type: packets.end });
    this.#exchange.end();
    await asked.ended;
  }

  #questions(): { next(): Promise<number | undefined>; readonly ended: Promise<void> } {
    const ids: number[] = [];
    let finished = false;
    let wake = Promise.withResolvers<void>();
    const read = async () => {
      for await (const { type, id, data } of this.#exchange.messages) {
        if (type === packets.error) throw new SampanError("failed", `error from receiver: ${data.toString()}`);
        if (type === packets.request) ids.push(id);
        if (type === packets.end) finished = true;
        wake.resolve();
      }
    };
    const ended = read().finally(() => {
      finished = true;
      wake.resolve();
    });
    ended.catch(() => undefined);
    const next = async () => {
      while (ids.length === 0 && !finished) {
        await wake.promise;
        wake = Promise.withResolvers();
      }
      return ids.shift();
    };
    return { next, ended };
  }

  /** A directory's files in the order of their names' bytes. */
  async #describe({ children }: ContextNode, above: string): Promise<void> {
    for (const [name, node] of [...children].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const path = Buffer.from(`${above}${name}`, "latin1");
      const linked = this.#paths.get(node);
      if (node.stat.type !== "directory") this.#paths.set(node, linked ?? path);
      if (node.stat.type === "file" && linked === undefined) this.#files.set(this.#count, node);
      this.#count++;
      await this.#exchange.send({ type: packets.stat, stat: statOf(path, node, linked) });
      await this.#describe(node, `${above}${name}/`);
    }
  }

  async #content(id: number): Promise<void> {
    const node = this.#files.get(id);
    if (node === undefined) throw new SampanError("invalid", `Cannot send the file ${id}: there is none`);
    for await (const data of this.#spool.read(node)) await this.#exchange.send({ type: packets.data, id, data });
    await this.#exchange.send({ type: packets.data, id });
  }
}

const types: Readonly<Record<EntryType, number>> = {
  file: f.S_IFREG,
  hardlink: f.S_IFREG,
  symlink: f.S_IFLNK,
  character: f.S_IFCHR,
  block: f.S_IFBLK,
  directory: f.S_IFDIR,
  fifo: f.S_IFIFO,
};

function statOf(path: Buffer, { stat }: ContextNode, linked: Buffer | undefined): Sent<typeof Stat> {
  const { type, mode, uid, gid, size, mtime, major, minor, xattrs, linkName } = stat;
  return {
    ...{ path, uid, gid, major, minor },
    mode: goFileMode(types[type] + mode),
    size: linked === undefined ? size : 0,
    modified: BigInt(mtime.seconds) * 1_000_000_000n + BigInt(mtime.nanoseconds),
    linkName: linked ?? Buffer.from(linkName, "latin1"),
    xattrs: new Map(xattrs),
  };
}
