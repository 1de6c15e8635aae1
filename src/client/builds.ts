import type { Readable } from "node:stream";
import type { BuildPruneResponse } from "../api/shapes/build.ts";
import type { Ulimit } from "../api/shapes/container.ts";
import { BuildAnswer } from "./build/event-stream.ts";
import type { Transport } from "./transport.ts";

/** What `POST /build` takes; names as the API has them where it has them. */
export interface BuildImage {
  readonly dockerfile?: string | undefined;
  /** How messages call the Dockerfile, when its path is a made-up one. */
  readonly dockerfilename?: string | undefined;
  readonly remote?: string | undefined;
  /** Names of the image. */
  readonly t?: readonly string[];
  /** Null: the variable is declared, and this client has no value for it. */
  readonly buildargs?: Readonly<Record<string, string | null>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly target?: string | undefined;
  /** Several are separated by commas. */
  readonly platform?: string | undefined;
  readonly nocache?: boolean;
  readonly nocachefilter?: readonly string[] | undefined;
  readonly pull?: boolean;
  readonly networkmode?: string | undefined;
  /** Entitlements: what a Dockerfile may ask for. */
  readonly allow?: readonly string[];
  readonly extrahosts?: readonly string[];
  readonly ulimits?: readonly Ulimit[] | undefined;
  readonly memory?: number | undefined;
  readonly memswap?: number | undefined;
  readonly shmsize?: number | undefined;
  readonly cpushares?: number | undefined;
  readonly cpuperiod?: number | undefined;
  readonly cpuquota?: number | undefined;
  readonly cpusetcpus?: string | undefined;
  readonly cpusetmems?: string | undefined;
  readonly cgroupparent?: string | undefined;
  readonly outputs?: readonly BuildOutput[] | undefined;
  /** Directories are those of the daemon's machine. */
  readonly cachefrom?: readonly BuildOutput[] | undefined;
  readonly cacheto?: readonly BuildOutput[] | undefined;
  /** "check", "outline", "targets": tell about the file instead of building it. */
  readonly call?: string | undefined;
  /** "tar": BuildSettings are the archive's first entry, `.sampan-build.json`, as they are too long for a header. */
  readonly settings?: "tar";
}

/** As the API has them: a type and its attributes. */
export interface BuildOutput {
  readonly Type: string;
  readonly Attrs: Readonly<Record<string, string>>;
}

/** What must be in no URL and in no log. */
export interface BuildSettings {
  /** By id, base64. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Sockets of agents on the daemon's machine, by id. */
  readonly ssh?: Readonly<Record<string, string>>;
  /** By name: `docker-image://…`, or `local` for a directory in the archive. */
  readonly contexts?: Readonly<Record<string, string>>;
}

export interface BuildChoices {
  readonly settings?: BuildSettings | undefined;
  /** Credentials by registry, as X-Registry-Config has them: base64url of JSON. */
  readonly auth?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PruneBuilds {
  readonly all?: boolean | undefined;
  /** Bytes that may stay. */
  readonly "reserved-space"?: number | undefined;
  readonly filters?: Readonly<Record<string, readonly string[]>> | undefined;
}

/** Builds of a daemon. */
export class Builds {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Builds an image of a context: a tar archive, or what `remote` names. */
  async build(request: BuildImage, upload: Readable | undefined, choices: BuildChoices = {}): Promise<BuildAnswer> {
    const { settings = {}, auth, signal } = choices;
    const { nocachefilter, cachefrom, cacheto, outputs, ulimits, ...rest } = request;
    const lists = { nocachefilter, cachefrom, cacheto, outputs, ulimits };
    const json = Object.fromEntries(
      Object.entries(lists).map(([name, value]) => [name, value === undefined ? undefined : JSON.stringify(value)]),
    );
    const headers = {
      "Content-Type": "application/x-tar",
      ...(Object.keys(settings).length > 0 && {
        "X-Sampan-Build": Buffer.from(JSON.stringify(settings)).toString("base64url"),
      }),
      ...(auth !== undefined && { "X-Registry-Config": auth }),
    };
    const query = { ...rest, ...json, progress: "events" };
    const call = { method: "POST", path: "/build", query, headers, signal } as const;
    return new BuildAnswer(await this.#transport.send(upload === undefined ? call : { ...call, upload }));
  }

  /** Removes what the build cache keeps. */
  prune(options: PruneBuilds = {}): Promise<BuildPruneResponse> {
    return this.#transport.json({ method: "POST", path: "/build/prune", query: { ...options } });
  }
}
