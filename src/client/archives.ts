import { Readable } from "node:stream";
import type { Response } from "./http/response.ts";
import type { Transport } from "./transport.ts";
import { readText } from "./transport.ts";

/** What is known of a path in a container: GET and HEAD /containers/{id}/archive say it in a header. */
export interface PathStat {
  readonly name: string;
  readonly size: number;
  /** Go's os.FileMode: permission bits below 0o1000, its own bits of the type above. */
  readonly mode: number;
  /** RFC 3339. */
  readonly mtime: string;
  readonly linkTarget: string;
}

export interface WriteArchive {
  /** A directory of the container. */
  readonly path: string;
  /** An entry that would put a file where a directory is, or the other way round, is an error. */
  readonly noOverwriteDirNonDir?: boolean | undefined;
  /** Owners are those of the archive. */
  readonly copyUIDGID?: boolean | undefined;
}

/** The files of containers, as tar archives. */
export class Archives {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** What a path of a container is. Throws not-found when there is nothing. */
  async stat(container: string, path: string): Promise<PathStat> {
    const response = await this.#transport.send({ method: "HEAD", path: at(container), query: { path } });
    await readText(response);
    return statOf(response);
  }

  /** A file, or a directory with all in it; the archive's names begin with the last part of the path. */
  async read(container: string, path: string): Promise<{ readonly stat: PathStat; readonly tar: Response }> {
    const tar = await this.#transport.send({ method: "GET", path: at(container), query: { path } });
    return { stat: statOf(tar), tar };
  }

  /** Unpacks an archive in a directory of a container. */
  async write(container: string, tar: AsyncIterable<Uint8Array> | Readable, options: WriteArchive): Promise<void> {
    const { path, noOverwriteDirNonDir, copyUIDGID } = options;
    const call = {
      method: "PUT",
      path: at(container),
      query: { path, noOverwriteDirNonDir: noOverwriteDirNonDir || undefined, copyUIDGID: copyUIDGID || undefined },
      headers: { "Content-Type": "application/x-tar" },
      upload: tar instanceof Readable ? tar : Readable.from(tar, { objectMode: false }),
    } as const;
    await readText(await this.#transport.send(call));
  }
}

function at(container: string): string {
  return `/containers/${encodeURIComponent(container)}/archive`;
}

function statOf({ headers }: Response): PathStat {
  const encoded = headers["x-docker-container-path-stat"] ?? "";
  return JSON.parse(Buffer.from(encoded, "base64").toString() || "{}") as PathStat;
}
