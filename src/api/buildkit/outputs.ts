import type { Annotation, BuildOutput } from "../../build/types.ts";
import type { Compression } from "../../images/types.ts";
import { codes, RpcError } from "../grpc/status.ts";

/** Where a client wants the result of its build. */
export interface Wanted extends BuildOutput {
  /** Which of the build's outputs it is. */
  readonly place: number;
  /** "content": a store of the client's for blobs. "none": only the cache gets anything. */
  readonly to: "store" | "directory" | "archive" | "content" | "none";
  readonly tags: readonly string[];
  /** Images are pushed under their tags. */
  readonly push: boolean;
  /** Of layers that are pushed. */
  readonly compression: Compression | undefined;
}

interface Exporter {
  readonly type?: string;
  readonly attributes?: ReadonlyMap<string, string>;
}

const isTrue = /^(?:true|1|)$/;
const isFalse = /^(?:false|0|)$/;
const isBool = /^(?:true|false|1|0|)$/;

/** What is so here anyway, or is the client's business. */
const ofFiles: Readonly<Record<string, RegExp>> = { dest: /./, "platform-split": isTrue, mode: /^(?:copy|)$/ };
const ofImages: Readonly<Record<string, RegExp>> = {
  name: /./,
  "rewrite-timestamp": isBool,
  "oci-mediatypes": isTrue,
  "oci-artifact": isBool,
  "prefer-image-digest": isBool,
};
const ofArchives: Readonly<Record<string, RegExp>> = { ...ofImages, dest: /./, tar: isBool };
const ofStored: Readonly<Record<string, RegExp>> = {
  ...ofImages,
  ...{ load: isBool, push: isBool, unpack: isTrue, store: isTrue, "registry.insecure": isFalse },
  ...{ "push-by-digest": isFalse, compression: /^(?:uncompressed|gzip|zstd)$/, "force-compression": isBool },
};

/** By type: its attributes, where its result goes. */
const kinds: Readonly<
  Record<string, { readonly known: Readonly<Record<string, RegExp>> } & Pick<Wanted, "type" | "to">>
> = {
  moby: { known: ofStored, type: "image", to: "store" },
  image: { known: ofStored, type: "image", to: "store" },
  oci: { known: ofArchives, type: "content", to: "archive" },
  docker: { known: ofArchives, type: "content", to: "archive" },
  local: { known: ofFiles, type: "tar", to: "directory" },
  tar: { known: ofFiles, type: "tar", to: "archive" },
  "": { known: {}, type: "tar", to: "none" },
};

/** Only the cache gets anything. */
export const cacheOnly: Wanted = parseExporter({}, 0);

/** Reads the exporters of a build, those of images first; none is only for the cache. What cannot be honoured is refused. */
export function parseExporters(exporters: readonly Exporter[]): readonly Wanted[] {
  if (exporters.length === 0) return [cacheOnly];
  const all = exporters.map(parseExporter);
  if (all.filter(({ to }) => to === "content").length > 1) {
    throw new RpcError(
      codes.unimplemented,
      "Cannot build with several outputs of tar=false at once: clients have one store",
    );
  }
  return [...all.filter(({ type }) => type !== "tar"), ...all.filter(({ type }) => type === "tar")];
}

/** `place`: by which the client knows it. */
export function parseExporter(exporter: Exporter, place: number): Wanted {
  const { type = "", attributes = new Map<string, string>() } = exporter;
  const kind = Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  if (kind === undefined) {
    const there = Object.keys(kinds).filter(Boolean).join(", ");
    throw new RpcError(codes.unimplemented, `Cannot build with output type=${type}: ${there} are there`);
  }
  const annotations: Annotation[] = [];
  // Maps come in any order: what is made of them must not depend on it.
  for (const [name, value] of [...attributes].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const annotation = kind.type === "tar" ? undefined : annotationOf(name, value);
    if (annotation !== undefined) annotations.push(annotation);
    if (annotation !== undefined) continue;
    if (Object.hasOwn(kind.known, name) && kind.known[name]?.test(value)) continue;
    throw new RpcError(codes.unimplemented, `Cannot build with the output attribute ${name}=${value} of type=${type}`);
  }
  const has = (name: string) => ["true", "1"].includes(attributes.get(name) ?? "");
  return {
    place,
    type: kind.type,
    to: attributes.get("tar") === "false" ? "content" : kind.to,
    annotations,
    rewritesTimes: has("rewrite-timestamp"),
    tags: kind.type === "tar" ? [] : (attributes.get("name") ?? "").split(",").filter(Boolean),
    push: has("push"),
    compression: compressionOf(attributes, has("push")),
  };
}

/** "annotation.KEY", "annotation-manifest[linux/arm64].KEY", "annotation-index.KEY", "annotation-manifest-descriptor.KEY". */
function annotationOf(name: string, value: string): Annotation | undefined {
  const pattern = /^annotation(?:-(manifest|index|manifest-descriptor))?(?:\[([^\]]+)\])?\.(.+)$/;
  const [all, of = "manifest", platform, key = ""] = pattern.exec(name) ?? [];
  if (all === undefined) return undefined;
  return { of: of as Annotation["of"], platform, key, value };
}

/** Layers are stored as they were made: only a registry is given others. */
function compressionOf(attributes: ReadonlyMap<string, string>, pushed: boolean): Compression | undefined {
  const text = attributes.get("compression");
  if (text === undefined) return undefined;
  if (!pushed)
    throw new RpcError(codes.unimplemented, "Cannot compress layers otherwise but for a push: add push=true");
  return text === "gzip" || text === "zstd" ? text : "none";
}
