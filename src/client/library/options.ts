import type { CreateContainerRequest, HostConfig } from "../../api/shapes/container.ts";
import { ownerAnnotation } from "./owner.ts";

/** What every call takes: the signal that gives it up. */
export interface Cancellable {
  readonly signal?: AbortSignal | undefined;
}

/** A port of the container, to be found on the machine: the same number, "8080:80", "127.0.0.1::80/udp" as of `-p`. */
export type PortOption = number | string;

export interface ContainerOptions extends Cancellable {
  readonly name?: string | undefined;
  readonly entrypoint?: readonly string[] | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly workdir?: string | undefined;
  /** `name`, `uid`, `name:group` or `uid:gid`. */
  readonly user?: string | undefined;
  readonly hostname?: string | undefined;
  /** A network's name, `none`, `host` or `container:NAME`. */
  readonly network?: string | undefined;
  readonly ports?: readonly PortOption[] | undefined;
  /** Sources by the path in the container: a directory of the machine (absolute), or a volume's name. */
  readonly volumes?: Readonly<Record<string, string>> | undefined;
  readonly tmpfs?: readonly string[] | undefined;
  /** Bytes. */
  readonly memory?: number | undefined;
  /** Processors, 0.5 is half of one. */
  readonly cpus?: number | undefined;
  readonly pids?: number | undefined;
  readonly readOnly?: boolean | undefined;
  readonly privileged?: boolean | undefined;
  readonly init?: boolean | undefined;
  /** With a terminal, whose output is one stream. */
  readonly tty?: boolean | undefined;
  /** Keeps its standard input open. */
  readonly stdin?: boolean | undefined;
  readonly autoRemove?: boolean | undefined;
  /** `owner`: it is removed when this process ends, however it does. `detached`, the default of all but `run`: it stays. */
  readonly lifetime?: "owner" | "detached" | undefined;
  readonly platform?: string | undefined;
  /** Whether the image is fetched; `missing` unless said otherwise. */
  readonly pull?: "missing" | "always" | "never" | undefined;
  /** Everything else, in the words of Docker's API; wins over what is above. */
  readonly config?: Partial<CreateContainerRequest> | undefined;
  readonly hostConfig?: HostConfig | undefined;
}

/** What the daemon is asked to create. */
export function createRequest(
  image: string,
  command: readonly string[],
  { options, owner }: { readonly options: ContainerOptions; readonly owner: string | undefined },
): CreateContainerRequest {
  const ports = (options.ports ?? []).map(parsePort);
  const { Annotations: annotations, ...host } = options.hostConfig ?? {};
  return {
    Image: image,
    ...(command.length > 0 && { Cmd: command }),
    Hostname: options.hostname,
    User: options.user,
    Tty: options.tty,
    OpenStdin: options.stdin,
    StdinOnce: options.stdin,
    Env: options.env && Object.entries(options.env).map(([name, value]) => `${name}=${value}`),
    Entrypoint: options.entrypoint,
    WorkingDir: options.workdir,
    Labels: options.labels,
    ExposedPorts: ports.length === 0 ? undefined : Object.fromEntries(ports.map(({ port }) => [port, {}])),
    ...options.config,
    HostConfig: {
      AutoRemove: options.autoRemove,
      NetworkMode: options.network,
      PortBindings: bindings(ports),
      Binds: options.volumes && Object.entries(options.volumes).map(([path, source]) => `${source}:${path}`),
      Tmpfs: options.tmpfs && Object.fromEntries(options.tmpfs.map((path) => [path, ""])),
      Memory: options.memory,
      NanoCpus: options.cpus === undefined ? undefined : Math.round(options.cpus * 1e9),
      PidsLimit: options.pids,
      ReadonlyRootfs: options.readOnly,
      Privileged: options.privileged,
      Init: options.init,
      ...host,
      ...((annotations || owner) && { Annotations: { ...annotations, ...(owner && { [ownerAnnotation]: owner }) } }),
    },
  };
}

interface Port {
  /** "80/tcp". */
  readonly port: string;
  readonly binding: { readonly HostIp: string; readonly HostPort: string };
}

function parsePort(option: PortOption): Port {
  if (typeof option === "number") return { port: `${option}/tcp`, binding: { HostIp: "", HostPort: String(option) } };
  const [spec = "", protocol = "tcp"] = option.split("/");
  const parts = /^(?:(?:(?<ip>\[[^\]]*\]|[^:]*):)?(?<host>[^:]*):)?(?<port>[^:]+)$/.exec(spec)?.groups ?? {};
  const { ip = "", host = "", port = spec } = parts;
  return { port: `${port}/${protocol}`, binding: { HostIp: ip.replace(/^\[|\]$/g, ""), HostPort: host } };
}

function bindings(ports: readonly Port[]): HostConfig["PortBindings"] {
  if (ports.length === 0) return undefined;
  const all: Record<string, Port["binding"][]> = {};
  for (const { port, binding } of ports) all[port] = [...(all[port] ?? []), binding];
  return all;
}
