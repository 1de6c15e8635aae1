import { resolve } from "node:path";
import { invalid } from "../errors.ts";

/** What `-v` asks for: a bind in the API's `source:target[:options]` form, or an anonymous volume at a path. */
export type VolumeFlag = { readonly bind: string } | { readonly anonymous: string };

/**
 * `-v [source:]target[:options]`. A source that starts with `./` or `../` is taken from the working directory; any other
 * relative source with a slash is refused, because docker would take it for a volume's name.
 */
export function parseVolume(text: string, workingDirectory = process.cwd()): VolumeFlag {
  const [first = "", second, third, ...rest] = text.split(":");
  if (rest.length > 0) throw invalid(`invalid spec: ${text}: too many colons`);
  if (second === undefined) {
    if (first === "") throw invalid("invalid empty volume spec");
    return { anonymous: absoluteTarget(first, text) };
  }
  if (first === "" || second === "") throw invalid(`invalid spec: ${text}: empty section between colons`);
  const parts = [hostSource(first, workingDirectory), absoluteTarget(second, text)];
  if (third !== undefined) parts.push(third);
  return { bind: parts.join(":") };
}

function hostSource(source: string, workingDirectory: string): string {
  if (/^\.{1,2}(\/|$)/.test(source)) return resolve(workingDirectory, source);
  if (source.startsWith("/") || !source.includes("/")) return source;
  throw invalid(
    `"${source}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. ` +
      "If you intended to pass a host directory, use absolute path or start it with ./",
  );
}

function absoluteTarget(target: string, spec: string): string {
  if (!target.startsWith("/")) {
    throw invalid(
      `invalid volume specification: '${spec}': invalid mount path: '${target}' mount path must be absolute`,
    );
  }
  return target;
}
