import type { BuildOutput } from "../../build/types.ts";
import { codes, RpcError } from "../grpc/status.ts";

/** Where a client wants the result of its build. */
export interface Wanted extends BuildOutput {
  /** "none": only the cache gets anything. */
  readonly to: "store" | "directory" | "archive" | "none";
  readonly tags: readonly string[];
}

interface Exporter {
  readonly type?: string;
  readonly attributes?: ReadonlyMap<string, string>;
}

/** What is so here anyway, or is the client's business: with this kind of builder it pushes by itself. */
const accepted: Readonly<Record<string, RegExp>> = {
  load: /^(?:true|false|)$/,
  push: /^(?:true|false|)$/,
  "oci-mediatypes": /^(?:true|)$/,
  "oci-artifact": /^(?:false|)$/,
  unpack: /^(?:true|)$/,
  store: /^(?:true|)$/,
  "prefer-image-digest": /./,
  "platform-split": /^(?:true|)$/,
  dest: /./,
  mode: /^(?:copy|)$/,
};

/** Reads the exporter of a build; none is only for the cache. What cannot be honoured is refused. */
export function parseExporters(exporters: readonly Exporter[]): Wanted {
  if (exporters.length > 1) {
    throw new RpcError(
      codes.unimplemented,
      "Cannot build with several outputs at once: build with one after the other",
    );
  }
  const { type = "", attributes = new Map<string, string>() } = exporters[0] ?? {};
  for (const [name, value] of attributes) {
    if (name === "name" || name === "rewrite-timestamp" || accepted[name]?.test(value)) continue;
    throw new RpcError(codes.unimplemented, `Cannot build with the output attribute ${name}=${value}`);
  }
  const rewritesTimes = attributes.get("rewrite-timestamp") === "true";
  const tags = (attributes.get("name") ?? "").split(",").filter(Boolean);
  switch (type) {
    case "moby":
    case "image":
      return { type: "image", to: "store", rewritesTimes, tags };
    case "local":
      return { type: "tar", to: "directory", rewritesTimes, tags: [] };
    case "tar":
      return { type: "tar", to: "archive", rewritesTimes, tags: [] };
    case "":
      return { type: "tar", to: "none", rewritesTimes, tags: [] };
    default: {
      const remedy = "build an image, then save it with docker save";
      throw new RpcError(
        codes.unimplemented,
        `Cannot build with output type=${type}: image, local and tar are there; ${remedy}`,
      );
    }
  }
}
