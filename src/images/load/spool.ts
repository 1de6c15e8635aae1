import { posix } from "node:path";
import { cancelled } from "../../errors/cancel.ts";
import { SampanError } from "../../errors/index.ts";
import { transferError } from "../../registry/errors.ts";
import { type Ingest, passing } from "../../storage/content/ingest.ts";
import { readable, type TarEntry } from "../../storage/tar/entry.ts";
import { TarParser } from "../../storage/tar/parser.ts";
import { decompressed } from "../decompress.ts";
import type { Blob } from "../download.ts";
import type { Garbage, Hold } from "../garbage.ts";
import type { ImageTools } from "../tools.ts";

/** An image archive has a handful of members per layer. */
const maxMembers = 50_000;
/** Members of old archives that say nothing that is not in the config. */
const unneeded = /(?:^|\/)(?:VERSION|json|repositories)$/;

/** The members of an image archive: files are blobs of the content store by now, found by the name they had. */
export interface Spool {
  /** The file of that name, through links; undefined when the archive has none. */
  find(name: string): Blob | undefined;
}

type Step = { entry: TarEntry } | { data: Buffer } | "end";

/**
 * Reads an archive to its end. Names of members are only ever compared, never used as paths: each file goes to the
 * content store under its digest, held by `hold`.
 */
export async function spoolArchive(
  tools: Pick<ImageTools, "content"> & { garbage: Garbage },
  hold: Hold,
  archive: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<Spool> {
  const members = new Members();
  const writer = new MemberWriter(tools, hold, members);
  const steps: Step[] = [];
  const parser = new TarParser({
    entry: (entry) => steps.push({ entry }),
    data: (data) => steps.push({ data }),
    end: () => steps.push("end"),
  });
  try {
    for await (const piece of decompressed(received(archive), "the image archive")) {
      if (signal?.aborted) throw cancelled(signal);
      parser.push(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
      for (const step of steps.splice(0)) await writer.take(step);
    }
    parser.finish();
  } finally {
    await writer.close();
  }
  return members;
}

/** Carries out what the parser tells. */
class MemberWriter {
  readonly #tools: Pick<ImageTools, "content"> & { garbage: Garbage };
  readonly #hold: Hold;
  readonly #members: Members;
  readonly #ref = passing("load");
  #current: { name: string; ingest: Ingest } | undefined;

  constructor(tools: Pick<ImageTools, "content"> & { garbage: Garbage }, hold: Hold, members: Members) {
    this.#tools = tools;
    this.#hold = hold;
    this.#members = members;
  }

  async take(step: Step): Promise<void> {
    if (step === "end") return await this.#end();
    if ("data" in step) return await this.#current?.ingest.write(step.data);
    const { entry } = step;
    if (entry.type === "symlink")
      this.#members.addLink(entry.name, posix.join(posix.dirname(entry.name), entry.linkName));
    if (entry.type === "hardlink") this.#members.addLink(entry.name, entry.linkName);
    if (entry.type !== "file" || unneeded.test(entry.name)) return;
    if (entry.sparse)
      throw new SampanError("invalid", `Cannot load the archive: ${readable(entry.name)} is a sparse file`);
    this.#current = { name: entry.name, ingest: await this.#tools.content.ingest(this.#ref) };
  }

  /** Deletes what was being written. */
  async close(): Promise<void> {
    await this.#current?.ingest.discard();
  }

  async #end(): Promise<void> {
    if (this.#current === undefined) return;
    const { name, ingest } = this.#current;
    const blob = { digest: ingest.digest(), size: ingest.offset };
    await this.#tools.garbage.add(this.#hold, [blob.digest]);
    await this.#tools.content.commit(ingest, blob.size, blob.digest);
    this.#current = undefined;
    this.#members.addFile(name, blob);
  }
}

class Members implements Spool {
  readonly #files = new Map<string, Blob>();
  readonly #links = new Map<string, string>();

  addFile(name: string, blob: Blob): void {
    this.#count();
    this.#files.set(posix.normalize(name), blob);
  }

  addLink(name: string, target: string): void {
    this.#count();
    this.#links.set(posix.normalize(name), posix.normalize(target));
  }

  find(name: string): Blob | undefined {
    let at = posix.normalize(name);
    for (let hops = 0; hops < 10; hops++) {
      const file = this.#files.get(at);
      if (file !== undefined) return file;
      const next = this.#links.get(at);
      if (next === undefined) return undefined;
      at = next;
    }
    return undefined;
  }

  #count(): void {
    if (this.#files.size + this.#links.size < maxMembers) return;
    throw new SampanError("invalid", `Cannot load the archive: it has more than ${maxMembers} members`);
  }
}

async function* received(archive: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  try {
    yield* archive;
  } catch (cause) {
    throw transferError("the image archive", cause);
  }
}
