import type { BuildOutput } from "../../client/builds.ts";
import { invalid } from "../errors.ts";
import { parseCsv } from "../parsing/csv.ts";

/** What becomes of a build's result. */
export type Output =
  /** It is an image of the daemon, which may then be pushed. */
  | {
      readonly kind: "image";
      readonly names: readonly string[];
      readonly push: boolean;
      readonly attributes: Attributes;
    }
  /** Its files in a directory. */
  | { readonly kind: "directory"; readonly path: string }
  /** Its files in an archive; "-" is stdout. */
  | { readonly kind: "tar"; readonly path: string }
  /** The image in an archive, or unpacked in a directory. */
  | {
      readonly kind: "archive";
      readonly path: string;
      readonly unpacked: boolean;
      readonly attributes: Attributes;
    };

type Attributes = Readonly<Record<string, string>>;

const known: Readonly<Record<string, readonly string[]>> = {
  local: ["dest"],
  tar: ["dest"],
  docker: ["dest", "name", "rewrite-timestamp"],
  oci: ["dest", "name", "tar", "rewrite-timestamp"],
  image: [
    "name",
    "push",
    "compression",
    "compression-level",
    "force-compression",
    "rewrite-timestamp",
    "oci-mediatypes",
  ],
  registry: ["name", "compression", "compression-level", "force-compression", "rewrite-timestamp", "oci-mediatypes"],
};

/** `--output`: `type=…,dest=…`, a directory, or `-` for an archive on stdout. */
export function parseOutput(text: string): Output {
  const fields = parseCsv(text);
  const [only = ""] = fields;
  if (fields.length === 1 && !only.includes("=")) {
    return only === "-" ? { kind: "tar", path: "-" } : { kind: "directory", path: only };
  }
  const attributes = new Map(
    fields.map((field) => {
      const at = field.indexOf("=");
      if (at < 0) throw invalid(`invalid value ${field}: expected key=value`);
      return [field.slice(0, at).trim().toLowerCase(), field.slice(at + 1)];
    }),
  );
  const type = attributes.get("type") ?? "";
  if (type === "") throw invalid("type is required for output");
  const allowed = Object.hasOwn(known, type) ? known[type] : undefined;
  if (allowed === undefined) throw invalid(`unsupported output type: ${type}`);
  attributes.delete("type");
  const unknown = [...attributes.keys()].find((key) => !allowed.includes(key));
  if (unknown !== undefined) throw invalid(`output of type ${type} has no ${unknown}`);
  return outputOf(type, attributes);
}

function outputOf(type: string, attributes: ReadonlyMap<string, string>): Output {
  const destination = attributes.get("dest");
  const own = [...attributes].filter(([key]) => !["name", "push", "dest", "tar"].includes(key));
  if (type === "local") {
    if (destination === undefined) throw invalid("dest is required for local output");
    return { kind: "directory", path: destination };
  }
  if (type === "tar") return { kind: "tar", path: destination ?? "-" };
  if (type === "oci" || (type === "docker" && destination !== undefined)) {
    const unpacked = attributes.get("tar") === "false";
    if (unpacked && destination === undefined) throw invalid("dest is required for output that is no archive");
    return { kind: "archive", path: destination ?? "-", unpacked, attributes: Object.fromEntries(own) };
  }
  const names = (attributes.get("name") ?? "").split(",").filter((name) => name !== "");
  const push = type === "registry" || attributes.get("push") === "true";
  return { kind: "image", names, push, attributes: Object.fromEntries(own) };
}

/** The one output of a build: several would need several builds. */
export function chooseOutput(
  texts: readonly string[],
  shorthand: { readonly push: boolean; readonly load: boolean },
): Output {
  const all = texts.map(parseOutput);
  if (shorthand.push) all.push(parseOutput("type=registry"));
  if (shorthand.load) all.push(parseOutput("type=docker"));
  const [first = parseOutput("type=image"), ...more] = all;
  const images = all.filter((output) => output.kind === "image");
  if (images.length === all.length && first.kind === "image") return images.reduce(merged, first);
  if (more.length > 0) throw invalid("several outputs are not in this version of Sampan yet: build once for each");
  return first;
}

type ImageOutput = Extract<Output, { kind: "image" }>;

function merged(a: ImageOutput, b: ImageOutput): ImageOutput {
  return {
    kind: "image",
    names: [...new Set([...a.names, ...b.names])],
    push: a.push || b.push,
    attributes: { ...a.attributes, ...b.attributes },
  };
}

/** What the daemon is asked for. */
export function requestedOutputs(output: Output): readonly BuildOutput[] | undefined {
  if (output.kind === "directory" || output.kind === "tar") return [{ Type: "tar", Attrs: {} }];
  if (Object.keys(output.attributes).length === 0) return undefined;
  return [{ Type: "image", Attrs: output.attributes }];
}
