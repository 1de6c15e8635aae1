import { SampanError } from "../../errors/index.ts";
import { parseReference } from "../../registry/reference.ts";
import type { Repository } from "../../registry/repository.ts";
import type { RegistryAuth } from "../../registry/types.ts";
import type { Digest } from "../../storage/digest.ts";
import { type Blob, Download } from "../download.ts";
import { Feed, shortId } from "../progress.ts";
import { documentLimit, parseDocument } from "../shapes.ts";
import type { ImageTools } from "../tools.ts";
import { type LocalOrigin, readStoredDocument, storedBlob } from "./local.ts";
import type { Asked, Origin, ServedBlob, ServedDocument } from "./origin.ts";
import type { ProxyCache } from "./proxy-cache.ts";

export interface Upstream {
  /** "docker.io", "registry.example.org:5000". */
  readonly domain: string;
  readonly auth?: RegistryAuth | undefined;
}

/** Repositories whose connections are kept: their tokens with them. */
const remembered = 500;

/**
 * A pull-through cache: what is not here is fetched from another registry, handed on while it comes, and kept. That registry
 * is asked what a tag stands for; when it does not answer, what was known last holds.
 */
export class ProxyOrigin implements Origin {
  readonly #tools: ImageTools;
  readonly #local: LocalOrigin;
  readonly #cache: ProxyCache;
  readonly #upstream: Upstream;
  readonly #repositories = new Map<string, Promise<Repository>>();

  constructor(tools: ImageTools, local: LocalOrigin, cache: ProxyCache, upstream: Upstream) {
    this.#tools = tools;
    this.#local = local;
    this.#cache = cache;
    this.#upstream = upstream;
  }

  repositories(): string[] {
    const own = this.#cache.names().map((name) => parseReference(name));
    const cached = own.filter(({ domain }) => domain === this.#upstream.domain).map(({ path }) => path);
    return [...new Set([...this.#local.repositories(), ...cached])].sort();
  }

  async tags(asked: Asked): Promise<string[] | undefined> {
    return await this.#orLocal(
      async () => (await (await this.#repository(asked.repository)).tags(asked.signal)).sort(),
      () => this.#local.tags(asked),
    );
  }

  async documents(asked: Asked, tag: string): Promise<readonly ServedDocument[]> {
    const { canonical } = parseReference(`${this.#upstream.domain}/${asked.repository}:${tag}`);
    return await this.#orLocal(
      async () => [await this.#tagged(asked, tag, canonical)],
      async () => {
        const known = this.#cache.tag(canonical);
        const found = known && (await this.#stored(known));
        return found === undefined ? await this.#local.documents(asked, tag) : [found];
      },
    );
  }

  async document(asked: Asked, digest: Digest): Promise<ServedDocument | undefined> {
    return (await this.#stored(digest)) ?? (await this.#fetch(asked, digest));
  }

  async blob(asked: Asked, digest: Digest): Promise<ServedBlob | undefined> {
    const { content, records } = this.#tools;
    this.#cache.touch(digest);
    if (content.has(digest) && records.usesBlob(digest)) return await storedBlob(content, digest);
    const repository = await this.#repository(asked.repository);
    const size = this.#cache.sizeOf(digest) ?? (await repository.blobSize(digest, asked.signal));
    return size === undefined ? undefined : this.#coming(repository, { digest, size });
  }

  async #tagged(asked: Asked, tag: string, canonical: string): Promise<ServedDocument> {
    const digest = await (await this.#repository(asked.repository)).digestOf(tag, asked.signal);
    const found = (digest && (await this.#stored(digest))) ?? (await this.#fetch(asked, digest ?? tag));
    this.#cache.setTag(canonical, found.digest);
    return found;
  }

  async #stored(digest: Digest): Promise<ServedDocument | undefined> {
    const { content, records } = this.#tools;
    if (!content.has(digest) || !records.usesBlob(digest)) return undefined;
    this.#cache.touch(digest);
    return await readStoredDocument(content, digest);
  }

  /** Fetches and keeps a manifest or index, and notes what it leads to. */
  async #fetch(asked: Asked, version: string): Promise<ServedDocument> {
    const { content, garbage } = this.#tools;
    const repository = await this.#repository(asked.repository);
    const { bytes, digest, mediaType } = await repository.manifest(version, documentLimit, asked.signal);
    const document = parseDocument(bytes, `${asked.repository}:${version}`, mediaType);
    const hold = garbage.hold();
    try {
      await garbage.add(hold, [digest]);
      await content.put(bytes);
      this.#cache.keep({ digest, size: bytes.length });
    } finally {
      await garbage.release(hold, false);
    }
    if (document.kind === "manifest") this.#cache.expect([document.manifest.config, ...document.manifest.layers]);
    return { digest, mediaType, bytes };
  }

  /** A blob that is being fetched: it is handed on while it comes, in order; parts of it when it is all there. */
  #coming(repository: Repository, blob: Blob): ServedBlob {
    const { content } = this.#tools;
    const fetch = (signal: AbortSignal) => this.#download(repository, blob, signal);
    return {
      size: blob.size,
      read: async function* (first, last, signal) {
        if (first === 0 && last === blob.size - 1) return yield* fetch(signal);
        for await (const _ of fetch(signal));
        yield* (await storedBlob(content, blob.digest)).read(first, last, signal);
      },
    };
  }

  /** All who want the same blob share one download; it goes on as long as one of them is there. */
  async *#download(repository: Repository, blob: Blob, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const { garbage, downloads } = this.#tools;
    const hold = garbage.hold({ resumable: true });
    const source = repository.blob.bind(repository);
    try {
      await garbage.add(hold, [blob.digest]);
      const member = await downloads.join(blob.digest, (abort) => {
        return new Download(this.#tools, blob, source, { signal: abort, feed: new Feed(shortId(blob.digest)) });
      });
      try {
        yield* member.flight.read(signal);
        await member.flight.done;
        this.#cache.keep(blob);
      } catch (error) {
        if (!signal.aborted) this.#cache.doubt(blob.digest);
        throw error;
      } finally {
        await member.leave();
      }
    } finally {
      await garbage.release(hold, true);
    }
  }

  #repository(path: string): Promise<Repository> {
    const known = this.#repositories.get(path);
    if (known !== undefined) return known;
    const [oldest] = this.#repositories.size >= remembered ? this.#repositories.keys() : [];
    if (oldest !== undefined) this.#repositories.delete(oldest);
    const { domain, auth } = this.#upstream;
    const made = this.#tools.registry.repository(parseReference(`${domain}/${path}`), auth);
    this.#repositories.set(path, made);
    made.catch(() => this.#repositories.delete(path));
    return made;
  }

  /** What the other registry says; what is here when it is not reached, or does not know. */
  async #orLocal<T>(remote: () => Promise<T>, local: () => Promise<T>): Promise<T> {
    try {
      return await remote();
    } catch (error) {
      if (!(error instanceof SampanError) || !["unavailable", "not-found", "timeout"].includes(error.kind)) throw error;
      const found = await local();
      if (found === undefined || (Array.isArray(found) && found.length === 0)) throw error;
      return found;
    }
  }
}
