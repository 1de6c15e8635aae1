import type { Readable } from "node:stream";
import type { ContainerChange } from "../api/shapes/container-change.ts";
import type { PathStat } from "../api/shapes/path-stat.ts";
import type { Response } from "./http/response.ts";
import type { Transport } from "./transport.ts";
import { readText } from "./transport.ts";

const header = "x-docker-container-path-stat";

export interface WriteFiles {
  /** Everything gets the owner that the container's process has. */
  readonly copyUIDGID?: boolean | undefined;
  /** A directory does not replace anything else, and nothing else a directory. */
  readonly noOverwriteDirNonDir?: boolean | undefined;
}

/** The files of a daemon's containers, running or not. */
export class Files {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** What is at a path; throws not-found when nothing is. */
  async stat(container: string, path: string): Promise<PathStat> {
    const response = await this.#transport.send({ method: "HEAD", path: at(container, "archive"), query: { path } });
    await readText(response);
    return parseStat(response);
  }

  /** A tar archive of what is at a path. */
  async read(container: string, path: string): Promise<{ readonly stat: PathStat; readonly tar: Response }> {
    const tar = await this.#transport.send({ method: "GET", path: at(container, "archive"), query: { path } });
    return { stat: parseStat(tar), tar };
  }

  /** Unpacks a tar archive into a directory. */
  async write(container: string, path: string, tar: Readable, options: WriteFiles = {}): Promise<void> {
    const query = {
      path,
      copyUIDGID: options.copyUIDGID ? "true" : undefined,
      noOverwriteDirNonDir: options.noOverwriteDirNonDir ? "true" : undefined,
    };
    const headers = { "Content-Type": "application/x-tar" };
    const call = { method: "PUT", path: at(container, "archive"), query, headers, upload: tar } as const;
    await readText(await this.#transport.send(call));
  }

  /** A tar archive of a container's whole root file system. */
  export(container: string): Promise<Response> {
    return this.#transport.send({ method: "GET", path: at(container, "export") });
  }

  /** What a container has changed in its image's file system. */
  async changes(container: string): Promise<readonly ContainerChange[]> {
    const call = { method: "GET", path: at(container, "changes") } as const;
    return (await this.#transport.json<ContainerChange[] | null>(call)) ?? [];
  }
}

function at(container: string, what: string): string {
  return `/containers/${encodeURIComponent(container)}/${what}`;
}

function parseStat({ headers }: Response): PathStat {
  return JSON.parse(Buffer.from(headers[header] ?? "", "base64").toString()) as PathStat;
}
