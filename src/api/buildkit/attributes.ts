import type { BuildRequest, NamedContext, RunLimits } from "../../build/types.ts";
import { SampanError } from "../../errors/index.ts";
import { type Digest, isDigest } from "../../storage/digest.ts";
import { contextOf, platformsOf } from "../requests/build.ts";

/** Where a frontend finds the files of a context. */
export type ContextPlace =
  /** A directory of the client's, by the name that it has there. */
  | { readonly kind: "local"; readonly name: string }
  /** An archive that the client uploads, by its id. */
  | { readonly kind: "upload"; readonly id: string }
  | { readonly kind: "remote"; readonly url: string };

/** An image that is in no registry. */
export type BorrowedImage =
  /** The result of another build, by the name of an input. */
  | { readonly kind: "result"; readonly input: string }
  /** In an OCI layout of the client's, which calls it `store`. */
  | { readonly kind: "layout"; readonly store: string; readonly digest: Digest };

/** What a client asks of the Dockerfile's frontend, as far as its attributes say it. */
export interface Asked
  extends Pick<
    BuildRequest,
    "buildArgs" | "labels" | "target" | "platforms" | "noCache" | "pull" | "network" | "limits" | "call"
  > {
  /** The Dockerfile's name in its directory. */
  readonly filename: string;
  /** The client's directory that the Dockerfile is in; undefined: it is in the context. */
  readonly dockerfileDirectory: string | undefined;
  readonly context: ContextPlace;
  /** Directories of the client's for further contexts, by the name of the context. */
  readonly directories: ReadonlyMap<string, string>;
  readonly contexts: Readonly<Record<string, NamedContext>>;
  /** Contexts that are images which have to be brought first, by the name of the context. */
  readonly borrowed: ReadonlyMap<string, BorrowedImage>;
  /** JSON, as buildx writes it. */
  readonly cacheImports: string | undefined;
}

/** What only says how a client has come to its request, or what is so here anyway. */
const informative =
  /^(?:frontend\.caps|sharedkey:.*|vcs:.*|local-sessionid:.*|multi-platform|cmdline|source|build-arg-hash|contextkey|dockerfilekey)$/;

const known = new Set([
  ...[
    "filename",
    "target",
    "platform",
    "no-cache",
    "image-resolve-mode",
    "force-network-mode",
    "add-hosts",
    "shm-size",
  ],
  ...["ulimit", "cgroup-parent", "context", "cache-imports", "cache-from", "requestid"],
]);

/** Reads the attributes of a request to the frontend dockerfile.v0. What cannot be honoured is refused. */
export function parseAttributes(attributes: ReadonlyMap<string, string>): Asked {
  const get = (name: string) => attributes.get(name) || undefined;
  // Maps come in any order: what is made of them must not depend on it.
  const all = [...attributes].sort(([a], [b]) => (a < b ? -1 : 1));
  const below = (prefix: string) =>
    all.flatMap(([name, value]): [string, string][] =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [],
    );
  refuseUnknown(attributes);
  const named = below("context:");
  const local = (value: string) => /^local:(.+)$/.exec(value)?.[1];
  const context = placeOf(get("context"), get("contextkey"));
  const key = get("dockerfilekey");
  return {
    filename: get("filename") ?? "Dockerfile",
    dockerfileDirectory: key ?? (context.kind === "local" ? "dockerfile" : undefined),
    context,
    directories: new Map(named.flatMap(([name, value]) => (local(value) ? [[name, local(value) ?? ""] as const] : []))),
    contexts: Object.fromEntries(
      named.flatMap(([name, value]) =>
        borrowedOf(value) === undefined ? [[name, contextOf(name, local(value) === undefined ? value : "local")]] : [],
      ),
    ),
    borrowed: new Map(
      named.flatMap(([name, value]): [string, BorrowedImage][] => {
        const image = borrowedOf(value);
        return image === undefined ? [] : [[name, image]];
      }),
    ),
    buildArgs: new Map(below("build-arg:")),
    labels: Object.fromEntries(below("label:")),
    target: get("target"),
    platforms: platformsOf(get("platform")),
    noCache: noCacheOf(attributes.get("no-cache")),
    pull: get("image-resolve-mode") === "pull",
    network: get("force-network-mode") ?? "default",
    limits: limitsOf(attributes),
    cacheImports: get("cache-imports"),
    call: callOf(get("requestid")),
  };
}

function refuseUnknown(attributes: ReadonlyMap<string, string>): void {
  for (const [name, value] of attributes) {
    if (known.has(name) || informative.test(name) || /^(?:build-arg|label|context):/.test(name)) continue;
    if (name.startsWith("attest:")) {
      if (/(?:^|,)disabled=true(?:,|$)/.test(value) || value === "false") continue;
      const remedy = "build with --provenance=false --sbom=false";
      throw new SampanError("unsupported", `Cannot attest how an image was made (${name.slice(7)}): ${remedy}`);
    }
    throw new SampanError(
      "unsupported",
      `Cannot build with ${name}=${value}: the Dockerfile frontend here has no such attribute`,
    );
  }
}

/** "input:0-base", "oci-layout://STORE:TAG@sha256:…", as buildx has resolved it. */
function borrowedOf(value: string): BorrowedImage | undefined {
  const input = /^input:(.+)$/.exec(value)?.[1];
  if (input !== undefined) return { kind: "result", input };
  const [, store, digest] = /^oci-layout:\/\/([^:@]+)(?::[^@]*)?@(.+)$/.exec(value) ?? [];
  return store !== undefined && digest !== undefined && isDigest(digest)
    ? { kind: "layout", store, digest }
    : undefined;
}

function placeOf(context: string | undefined, key = "context"): ContextPlace {
  if (context === undefined) return { kind: "local", name: key };
  const id = /^https?:\/\/buildkit-session\/([^/]+)$/.exec(context)?.[1];
  return id === undefined ? { kind: "remote", url: context } : { kind: "upload", id };
}

/** "" means all; names of stages otherwise. */
function noCacheOf(value: string | undefined): BuildRequest["noCache"] {
  if (value === undefined) return false;
  return value === "" ? true : value.split(",");
}

/** "--call": what a client wants to know of the Dockerfile instead of a build. */
function callOf(request: string | undefined): BuildRequest["call"] {
  if (request === undefined) return "build";
  const call = /^frontend\.(lint|outline|targets)$/.exec(request)?.[1];
  if (call === "lint") return "check";
  if (call === "outline" || call === "targets") return call;
  throw new SampanError("unsupported", `Cannot answer the call ${request}: lint, outline and targets are there`);
}

function limitsOf(attributes: ReadonlyMap<string, string>): RunLimits {
  const [hosts, limits] = [listOf(attributes, "add-hosts"), listOf(attributes, "ulimit")];
  const parent = attributes.get("cgroup-parent");
  const shm = attributes.get("shm-size");
  return {
    ...(parent && { CgroupParent: parent }),
    ...(shm && { ShmSize: numberOf(shm, "shm-size") }),
    Ulimits: limits.map(ulimitOf),
    ExtraHosts: hosts.map((host) => host.replace("=", ":")),
  };
}

/** "nofile=1024:2048" */
function ulimitOf(limit: string): { readonly Name: string; readonly Soft: number; readonly Hard: number } {
  const [Name = "", values = ""] = limit.split("=");
  const [soft = "", hard = soft] = values.split(":");
  return { Name, Soft: numberOf(soft, "ulimit"), Hard: numberOf(hard, "ulimit") };
}

function listOf(attributes: ReadonlyMap<string, string>, name: string): string[] {
  return (attributes.get(name) ?? "").split(",").filter(Boolean);
}

function numberOf(value: string, name: string): number {
  const number = Number(value);
  if (value !== "" && Number.isSafeInteger(number)) return number;
  throw new SampanError("invalid", `Cannot read ${name}: ${JSON.stringify(value)} is no number`);
}
