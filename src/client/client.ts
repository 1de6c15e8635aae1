import type { Socket } from "node:net";
import type { DiskUsageResponse } from "../api/shapes/disk-usage.ts";
import type { AuthResponse, InfoResponse, VersionResponse } from "../api/shapes/system.ts";
import { Builds } from "./builds.ts";
import { Containers } from "./containers.ts";
import { Execs } from "./execs.ts";
import { Files } from "./files.ts";
import { chooseHost } from "./host.ts";
import { ImageMaking } from "./image-making.ts";
import { Images } from "./images.ts";
import { textLines } from "./json-lines.ts";
import { Networks } from "./networks.ts";
import { RegistryService } from "./registry.ts";
import { Secrets } from "./secrets.ts";
import { Transport } from "./transport.ts";
import { Volumes } from "./volumes.ts";

export interface ClientOptions {
  /** `unix:///path`: the daemon to talk to. Without it `SAMPAN_HOST`, then the default daemon, started on demand. */
  readonly host?: string | undefined;
  /** Directories of the default daemon, as for `sampan daemon`. */
  readonly root?: string | undefined;
  readonly run?: string | undefined;
  /** Tells about a daemon that is being started. */
  readonly onStart?: (() => void) | undefined;
}

export interface RegistryCredentials {
  readonly username: string;
  readonly password: string;
  readonly serveraddress: string;
  readonly identitytoken?: string;
}

function openTransport(options: ClientOptions): Transport {
  const { socketPath, explicit } = chooseHost(options);
  // Loaded when there is no daemon, which is seldom: starting processes and locks cost 10 ms to load.
  const start = explicit ? undefined : async () => (await import("./autostart.ts")).startDaemon(options);
  return new Transport({ socketPath, start });
}

export interface EventOptions {
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly filters?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A daemon, seen through its API. Connects at the first call. */
export class SampanClient {
  readonly socketPath: string;
  readonly builds: Builds;
  readonly containers: Containers;
  readonly execs: Execs;
  readonly images: Images;
  readonly networks: Networks;
  readonly volumes: Volumes;
  readonly files: Files;
  readonly making: ImageMaking;
  readonly registry: RegistryService;
  readonly secrets: Secrets;
  readonly #transport: Transport;

  constructor(options: ClientOptions = {}, transport = openTransport(options)) {
    this.socketPath = transport.socketPath;
    this.#transport = transport;
    this.builds = new Builds(this.#transport);
    this.containers = new Containers(this.#transport);
    this.execs = new Execs(this.#transport);
    this.images = new Images(this.#transport);
    this.networks = new Networks(this.#transport);
    this.volumes = new Volumes(this.#transport);
    this.files = new Files(this.#transport);
    this.making = new ImageMaking(this.#transport);
    this.registry = new RegistryService(this.#transport);
    this.secrets = new Secrets(this.#transport);
  }

  /** The same client for calls that are given up when the signal fires. */
  until(signal: AbortSignal | undefined): SampanClient {
    return signal === undefined ? this : new SampanClient({}, this.#transport.until(signal));
  }

  version(): Promise<VersionResponse> {
    return this.#transport.json({ method: "GET", path: "/version" });
  }

  /** Asks a registry whether it takes the credentials; throws denied when it does not. */
  login(credentials: RegistryCredentials): Promise<AuthResponse> {
    return this.#transport.json({ method: "POST", path: "/auth", body: credentials });
  }

  info(): Promise<InfoResponse> {
    return this.#transport.json({ method: "GET", path: "/info" });
  }

  /** What images, containers and volumes take of the disk. */
  diskUsage(): Promise<DiskUsageResponse> {
    return this.#transport.json({ method: "GET", path: "/system/df" });
  }

  /** What happens, an object's JSON per line; moments are Unix times. Ends at `until`. */
  async events(options: EventOptions = {}): Promise<AsyncGenerator<string>> {
    const { signal, ...query } = options;
    return textLines(await this.#transport.send({ method: "GET", path: "/events", query, signal }));
  }

  /** A connection to the daemon, for whoever speaks HTTP himself. */
  async dial(): Promise<Socket> {
    await this.ping();
    const { connect } = await import("node:net");
    return connect({ path: this.socketPath, allowHalfOpen: true });
  }

  /** Whether a daemon answers. */
  async ping(): Promise<void> {
    await this.#transport.send({ method: "HEAD", path: "/_ping" });
  }

  /** Closes idle connections; the client can be used again. */
  close(): void {
    this.#transport.close();
  }
}
