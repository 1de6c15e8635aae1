import { SampanError } from "../errors/index.ts";
import { type Digest, isDigest } from "../storage/digest.ts";
import type { Reference } from "./types.ts";

export type { Reference } from "./types.ts";

/** The registry that names without a host belong to. */
export const defaultDomain = "docker.io";

const domainPart = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
const domainPattern = new RegExp(`^(?:${domainPart}(?:\\.${domainPart})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const pathPart = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const pathPattern = new RegExp(`^${pathPart}(?:/${pathPart})*$`);
const tagPattern = /^\w[\w.-]{0,127}$/;
const digestPattern = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;

/** Docker's limit on the repository path, host not counted. */
const maxPath = 255;

/**
 * Parses an image name by Docker's grammar: `[host[:port]/]path[:tag][@digest]`. A first part without dot, colon or
 * capital that is not "localhost" is not a host; names without host are docker.io's, those without slash "library/…".
 * Errors are of kind "invalid" with Docker's texts.
 */
export function parseReference(text: string): Reference {
  if (/^[0-9a-f]{64}$/.test(text)) {
    throw invalid(text, `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  const at = text.indexOf("@");
  const digest = at < 0 ? undefined : checkDigest(text, text.slice(at + 1));
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.lastIndexOf(":");
  const tagged = colon > named.lastIndexOf("/");
  const tag = tagged ? named.slice(colon + 1) : digest === undefined ? "latest" : undefined;
  const { domain, path } = splitDomain(tagged ? named.slice(0, colon) : named);
  if (pathPattern.test(path.toLowerCase()) && path !== path.toLowerCase()) {
    throw invalid(text, `invalid reference format: repository name (${path}) must be lowercase`);
  }
  if (!domainPattern.test(domain) || !pathPattern.test(path)) throw invalid(text);
  if (tag !== undefined && !tagPattern.test(tag)) throw invalid(text);
  if (path.length > maxPath) throw invalid(text, `repository name must not be more than ${maxPath} characters`);
  return makeReference(domain, path, tag, digest);
}

/** The same repository under another tag or digest. */
export function withVersion(reference: Reference, version: { tag?: string; digest?: Digest }): Reference {
  return makeReference(reference.domain, reference.path, version.tag, version.digest);
}

function makeReference(domain: string, path: string, tag: string | undefined, digest: Digest | undefined): Reference {
  const version = (tag === undefined ? "" : `:${tag}`) + (digest === undefined ? "" : `@${digest}`);
  const familiarName = familiarNameOf(domain, path);
  return {
    domain,
    path,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
    familiarName,
    familiar: familiarName + version,
    canonical: `${domain}/${path}${version}`,
  };
}

function splitDomain(name: string): { domain: string; path: string } {
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();
  const domain = !isHost || first === "index.docker.io" ? defaultDomain : first;
  const path = isHost ? name.slice(slash + 1) : name;
  return { domain, path: domain === defaultDomain && !path.includes("/") ? `library/${path}` : path };
}

function familiarNameOf(domain: string, path: string): string {
  if (domain !== defaultDomain) return `${domain}/${path}`;
  const short = path.startsWith("library/") ? path.slice("library/".length) : path;
  // "docker.io/library/a/b" must not become "a/b": that is another repository.
  return short.includes("/") ? path : short;
}

function checkDigest(text: string, digest: string): Digest {
  if (isDigest(digest)) return digest;
  throw invalid(text, digestPattern.test(digest) ? "unsupported digest algorithm" : undefined);
}

function invalid(text: string, reason = "invalid reference format"): SampanError {
  return new SampanError("invalid", text === "" ? `${reason}: the image name is empty` : reason);
}
