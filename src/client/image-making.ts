import type { Readable } from "node:stream";
import type { ImageHistoryItem, ProgressLine } from "../api/shapes/image.ts";
import type { Response } from "./http/response.ts";
import { imagePath } from "./images.ts";
import type { Transport } from "./transport.ts";
import { readText } from "./transport.ts";

export interface CommitContainer {
  readonly repo?: string | undefined;
  readonly tag?: string | undefined;
  readonly author?: string | undefined;
  readonly comment?: string | undefined;
  /** Freeze the container meanwhile; it is unless this is false. */
  readonly pause?: boolean | undefined;
  /** Dockerfile instructions. */
  readonly changes?: readonly string[] | undefined;
}

export interface ImportImage {
  /** "-": the archive is uploaded; else where it lies. */
  readonly source: string;
  readonly repo?: string | undefined;
  readonly tag?: string | undefined;
  readonly message?: string | undefined;
  readonly changes?: readonly string[] | undefined;
  readonly platform?: string | undefined;
}

/** Images that are made of containers and archives, named, and given away. */
export class ImageMaking {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Makes an image of what a container has changed. */
  async commit(container: string, { changes, pause = true, ...rest }: CommitContainer = {}): Promise<string> {
    const query = { container, ...rest, pause: pause ? 1 : 0, changes: (changes ?? []).join("\n") || undefined };
    const { Id } = await this.#transport.json<{ Id: string }>({ method: "POST", path: "/commit", query });
    return Id;
  }

  /** Makes an image of a root file system's tar archive. */
  import({ source, changes, ...rest }: ImportImage, archive?: Readable): Promise<AsyncGenerator<ProgressLine>> {
    const query = { fromSrc: source, ...rest, changes: (changes ?? []).join("\n") || undefined };
    const headers = { "Content-Type": "application/x-tar" };
    const call = { method: "POST", path: "/images/create", query, headers } as const;
    return this.#transport.lines(archive === undefined ? call : { ...call, upload: archive });
  }

  /** An archive of images. */
  save(images: readonly string[], { platform }: { platform?: string | undefined } = {}): Promise<Response> {
    const names = images.map((name) => ["names", name]);
    const query = new URLSearchParams(platform === undefined ? names : [...names, ["platform", platform]]);
    return this.#transport.send({ method: "GET", path: `/images/get?${query}` });
  }

  /** Gives an image a name. */
  async tag(image: string, repo: string, tag: string | undefined): Promise<void> {
    const path = `${imagePath(image)}/tag`;
    await readText(await this.#transport.send({ method: "POST", path, query: { repo, tag } }));
  }

  /** The steps that made an image, the newest first. */
  history(image: string, options: { platform?: string | undefined } = {}): Promise<ImageHistoryItem[]> {
    return this.#transport.json({ method: "GET", path: `${imagePath(image)}/history`, query: options });
  }
}
