import { resolve } from "node:path";
import type { BuildOutput } from "../../client/builds.ts";
import { invalid } from "../errors.ts";
import { parseCsv } from "../parsing/csv.ts";

/** `--cache-from`, `--cache-to`: `type=…,key=value`, or an image's name. The directory in `path` becomes absolute. */
export function parseCache(text: string, path: "src" | "dest"): BuildOutput {
  const fields = parseCsv(text);
  if (fields.every((field) => !field.includes("="))) {
    if (fields.length !== 1 || text === "") throw invalid(`invalid value ${text}: expected an image or key=value`);
    return { Type: "registry", Attrs: { ref: text } };
  }
  const attributes: Record<string, string> = {};
  for (const field of fields) {
    const at = field.indexOf("=");
    if (at < 0) throw invalid(`invalid value ${field}: expected key=value`);
    attributes[field.slice(0, at).trim().toLowerCase()] = field.slice(at + 1);
  }
  const { type = "", ...Attrs } = attributes;
  if (type === "") throw invalid(`type required form> "${text}"`);
  const directory = Attrs[path];
  return { Type: type, Attrs: directory === undefined ? Attrs : { ...Attrs, [path]: resolve(directory) } };
}
