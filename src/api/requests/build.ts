import * as z from "zod";
import { parseGitReference } from "../../build/git/reference.ts";
import type {
  BuildOutput,
  BuildRequest,
  BuildSettings,
  Entitlement,
  NamedContext,
  RunLimits,
} from "../../build/types.ts";
import { SampanError } from "../../errors/index.ts";
import { formatPlatform } from "../../images/platform.ts";
import type { Platform } from "../../images/types.ts";
import { redacted } from "../../images/urls.ts";
import { parseReference } from "../../registry/reference.ts";
import type { RegistryAuth } from "../../registry/types.ts";
import { cacheSources, cacheTargets } from "./build-caches.ts";
import { platformOf } from "./image-reference.ts";
import { flag, integer, readQuery, text } from "./query.ts";
import { credentials } from "./registry-auth.ts";
import { struct, validateJson } from "./validate.ts";

const schema = z.object({
  version: text(),
  dockerfile: text(),
  remote: text(),
  q: flag(),
  nocache: flag(),
  pull: flag(),
  squash: flag(),
  rm: flag(true),
  forcerm: flag(),
  target: text(),
  platform: text(),
  networkmode: text(),
  buildargs: text(),
  labels: text(),
  ulimits: text(),
  outputs: text(),
  cachefrom: text(),
  memory: integer(),
  memswap: integer(),
  cpushares: integer(),
  cpuperiod: integer(),
  cpuquota: integer(),
  cpusetcpus: text(),
  cpusetmems: text(),
  cgroupparent: text(),
  shmsize: integer(),
  isolation: text(),
  securityopt: text(),
  progress: text(),
  dockerfilename: text(),
  settings: text(),
  call: text(),
  nocachefilter: text(),
  cacheto: text(),
});

const ulimits = z.array(struct({ Name: z.string(), Soft: z.number(), Hard: z.number() })).nullable();
const settings = struct({
  secrets: z.record(z.string(), z.string()),
  ssh: z.record(z.string(), z.string()),
  contexts: z.record(z.string(), z.string()),
});

/** A build as it was asked for; the rest of `BuildRequest` is how it is answered. */
export interface ParsedBuild extends Omit<BuildRequest, "context" | "emit" | "ready" | "planned" | "signal"> {
  readonly quiet: boolean;
  /** Progress as events, one JSON object a line, instead of the classic text. */
  readonly events: boolean;
}

interface Headers {
  readonly registries: string | undefined;
  readonly settings: string | undefined;
}

/** Reads POST /build's query and headers. What cannot be honoured is refused. */
export function parseBuild(query: URLSearchParams, headers: Headers): ParsedBuild {
  const asked = readQuery(schema, query);
  refuse(asked);
  return {
    remote: asked.remote,
    dockerfile: asked.dockerfile ?? "Dockerfile",
    dockerfileName: asked.dockerfilename,
    tags: query.getAll("t").filter((name) => name !== ""),
    buildArgs: new Map(strings(asked.buildargs, "buildargs")),
    labels: Object.fromEntries(strings(asked.labels, "labels")),
    target: asked.target,
    platforms: platformsOf(asked.platform),
    noCache: asked.nocache || stagesOf(asked.nocachefilter),
    cacheFrom: cacheSources(asked.cachefrom),
    cacheTo: cacheTargets(asked.cacheto, outputOf(asked.outputs).type),
    pull: asked.pull,
    network: asked.networkmode ?? "default",
    allow: new Set(query.getAll("allow").map(entitlementOf)),
    limits: limitsOf(asked, query.getAll("extrahosts")),
    output: outputOf(asked.outputs),
    settings: asked.settings === "tar" ? parseSettings : parseSettings(decoded(headers.settings)),
    call: callOf(asked.call),
    auth: registryAuth(headers.registries),
    quiet: asked.q,
    events: asked.progress === "events",
  };
}

type Asked = z.output<typeof schema>;

function refuse({ version, squash, isolation, securityopt }: Asked): void {
  if (version === "2") {
    const remedy = "build with DOCKER_BUILDKIT=0 docker build, or with sampan build";
    throw new SampanError("unsupported", `Cannot build in a BuildKit session: sampan builds itself; ${remedy}`);
  }
  if (squash) throw new SampanError("unsupported", "Cannot squash: use a stage of its own with COPY --from instead");
  if (isolation !== undefined && isolation !== "default") {
    throw new SampanError("invalid", `Unsupported isolation: ${JSON.stringify(isolation)}`);
  }
  if (securityopt !== undefined && securityopt !== "[]" && securityopt !== "null") {
    throw new SampanError(
      "unsupported",
      "The daemon on this platform does not support setting security options on build",
    );
  }
}

/** A JSON object of strings; null values say that a variable is known but not set, and are left out. */
function strings(json: string | undefined, name: string): [string, string][] {
  const all = validateJson(z.record(z.string(), z.string().nullable()).nullable(), parseJson(json ?? "{}", name));
  return Object.entries(all ?? {}).flatMap(([key, value]) =>
    value === null ? [] : [[key, value] as [string, string]],
  );
}

function limitsOf(asked: Asked, extraHosts: readonly string[]): RunLimits {
  const all = {
    Memory: asked.memory,
    MemorySwap: asked.memswap,
    CpuShares: asked.cpushares,
    CpuPeriod: asked.cpuperiod,
    CpuQuota: asked.cpuquota,
    CpusetCpus: asked.cpusetcpus,
    CpusetMems: asked.cpusetmems,
    CgroupParent: asked.cgroupparent,
    ShmSize: asked.shmsize,
  };
  const given = validateJson(ulimits, parseJson(asked.ulimits ?? "[]", "ulimits")) ?? [];
  const Ulimits = given.map(({ Name, Soft, Hard }) => ({ Name: Name ?? "", Soft: Soft ?? 0, Hard: Hard ?? 0 }));
  const hosts = extraHosts.flatMap((value) => (value.startsWith("[") ? listOf(value, "extrahosts") : [value]));
  return { ...Object.fromEntries(Object.entries(all).filter(([, value]) => value)), Ulimits, ExtraHosts: hosts };
}

function listOf(json: string, name: string): string[] {
  return validateJson(z.array(z.string()).nullable(), parseJson(json, name)) ?? [];
}

const outputs = z.array(struct({ Type: z.string(), Attrs: z.record(z.string(), z.string()) })).nullable();

function outputOf(json: string | undefined): BuildOutput {
  const all = validateJson(outputs, parseJson(json ?? "[]", "outputs")) ?? [];
  if (all.length > 1) throw new SampanError("invalid", "multiple outputs currently unsupported by the current API");
  const type = all[0]?.Type ?? "image";
  const rewritesTimes = rewriting(all[0]?.Attrs ?? {});
  if (type === "image" || type === "moby") return { type: "image", rewritesTimes };
  if (type === "tar" || type === "local") return { type: "tar", rewritesTimes };
  throw new SampanError(
    "unsupported",
    `Cannot build with output ${JSON.stringify(type)}: image, tar and local are there`,
  );
}

/** What an output's attributes ask for; those that are the client's business say nothing here. */
function rewriting(attributes: Readonly<Record<string, string>>): boolean {
  const known = ["name", "push", "dest", "rewrite-timestamp"];
  const unknown = Object.keys(attributes).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new SampanError("unsupported", `Cannot build with the output attribute ${unknown}`);
  return attributes["rewrite-timestamp"] === "true";
}

/** X-Registry-Config: base64url of a map from registries to credentials. */
function registryAuth(header: string | undefined): (reference: string) => RegistryAuth | undefined {
  const all = new Map<string, unknown>();
  try {
    const parsed: unknown = JSON.parse(Buffer.from(header ?? "", "base64url").toString());
    for (const [host, value] of Object.entries(parsed ?? {})) all.set(hostOf(host), value);
  } catch {
    // As dockerd: what cannot be read is no credentials.
  }
  return (reference) => credentials(all.get(hostOf(parseReference(reference).domain)));
}

/** Docker Hub has several names. */
function hostOf(name: string): string {
  const host = name.replace(/^https?:\/\//, "").split("/")[0] ?? "";
  return ["index.docker.io", "registry-1.docker.io", "docker.io"].includes(host) ? "docker.io" : host;
}

function decoded(header: string | undefined): string {
  return header === undefined ? "{}" : Buffer.from(header, "base64url").toString();
}

/** "linux/amd64,linux/arm64", each once, or a JSON object. */
export function platformsOf(text: string | undefined): Platform[] {
  const texts = text === undefined || text.startsWith("{") ? [text] : text.split(",");
  const platforms = texts.map(platformOf).filter((platform) => platform !== undefined);
  return [...new Map(platforms.map((platform) => [formatPlatform(platform), platform])).values()];
}

export function entitlementOf(text: string): Entitlement {
  if (text === "network.host" || text === "security.insecure" || text === "files.host") return text;
  throw new SampanError(
    "invalid",
    `unknown entitlement: ${text}: network.host, security.insecure and files.host are there`,
  );
}

function callOf(text: string | undefined): BuildRequest["call"] {
  if (text === undefined || text === "build") return "build";
  if (text === "check" || text === "outline" || text === "targets") return text;
  throw new SampanError("invalid", `Cannot build with call=${text}: build, check, outline and targets are there`);
}

function stagesOf(json: string | undefined): readonly string[] {
  return json === undefined ? [] : listOf(json, "nocachefilter");
}

/** X-Sampan-Build: base64url of what must be in no URL and in no log. */
function parseSettings(json: string): BuildSettings {
  const { secrets, ssh, contexts } = validateJson(settings, parseJson(json, "X-Sampan-Build"));
  const named = Object.entries(contexts ?? {}).map(([name, value]): [string, NamedContext] => [
    name,
    contextOf(name, value),
  ]);
  return {
    secrets: new Map(Object.entries(secrets ?? {}).map(([id, value]) => [id, Buffer.from(value, "base64")])),
    agents: new Map(Object.entries(ssh ?? {})),
    contexts: Object.fromEntries(named),
  };
}

/** A context that is elsewhere, as `--build-context` names it. */
export function contextOf(name: string, value: string): NamedContext {
  const image = /^docker-image:\/\/(.+)$/.exec(value)?.[1];
  if (image !== undefined) return { kind: "image", reference: image };
  if (value === "local") return { kind: "files" };
  const repository = parseGitReference(value);
  if (repository !== undefined) return { kind: "files", repository };
  const there = "docker-image://… and repositories (https://….git) are there";
  throw new SampanError("unsupported", `Cannot use ${redacted(value)} as the build context ${name}: only ${there}`);
}

function parseJson(json: string, name: string): unknown {
  try {
    return JSON.parse(json === "" ? "null" : json);
  } catch (cause) {
    throw new SampanError("invalid", `error reading ${name}: invalid JSON`, { cause });
  }
}
