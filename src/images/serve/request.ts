import { type Digest, isDigest } from "../../storage/digest.ts";

/** What a request of the distribution API asks for. */
export type RegistryRequest =
  | { readonly kind: "base" }
  | { readonly kind: "catalog" }
  | { readonly kind: "tags"; readonly repository: string }
  | { readonly kind: "manifest"; readonly repository: string; readonly tag: string }
  | { readonly kind: "document"; readonly repository: string; readonly digest: Digest }
  | { readonly kind: "blob"; readonly repository: string; readonly digest: Digest }
  | { readonly kind: "referrers"; readonly repository: string };

/** Reads the path of a request (OCI distribution-spec 1.1, "Endpoints"); undefined for what is none of it. */
export function parseRegistryPath(path: string): RegistryRequest | undefined {
  if (path === "/v2" || path === "/v2/") return { kind: "base" };
  if (path === "/v2/_catalog") return { kind: "catalog" };
  const [, repository = "", verb = "", last = ""] =
    /^\/v2\/([a-z0-9]+(?:[._/-]+[a-z0-9]+)*)\/(tags|manifests|blobs|referrers)\/([^/]+)$/.exec(path) ?? [];
  if (verb === "tags" && last === "list") return { kind: "tags", repository };
  if (verb === "referrers") return { kind: "referrers", repository };
  if (verb === "blobs" && isDigest(last)) return { kind: "blob", repository, digest: last };
  if (verb !== "manifests") return undefined;
  if (isDigest(last)) return { kind: "document", repository, digest: last };
  return /^\w[\w.-]{0,127}$/.test(last) ? { kind: "manifest", repository, tag: last } : undefined;
}

/** The first and the last byte of a range. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Reads a Range header (RFC 9110, 14.2) for something of `size` bytes. undefined: all of it is to be sent, as for several
 * ranges at once; "unsatisfiable": none of it can be.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | "unsatisfiable" | undefined {
  const [whole, from = "", to = ""] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? "") ?? [];
  if (whole === undefined || (from === "" && to === "")) return undefined;
  if (from === "") {
    const first = Math.max(0, size - Number(to));
    return Number(to) === 0 || size === 0 ? "unsatisfiable" : { first, last: size - 1 };
  }
  const range = { first: Number(from), last: to === "" ? size - 1 : Math.min(Number(to), size - 1) };
  if (to !== "" && Number(to) < Number(from)) return undefined;
  return range.first >= size ? "unsatisfiable" : range;
}

/** Whether an Accept header (RFC 9110, 12.5.1) takes a media type; one that is missing takes all. */
export function accepts(header: string | undefined, mediaType: string): boolean {
  if (header === undefined || header.trim() === "") return true;
  const ranges = header.split(",").map((part) => (part.split(";")[0] ?? "").trim().toLowerCase());
  return ranges.some((range) => range === "*/*" || range === "application/*" || range === mediaType.toLowerCase());
}
