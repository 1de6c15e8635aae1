import { SampanError } from "../../errors/index.ts";
import { readable } from "../tar/entry.ts";
import { partsBelow } from "../tar/names.ts";

/** All names here are byte strings, relative to the layer's root, without "." and ".." and without "/" at the ends. */

/** A name as an archive gives it, cleaned; "" is the root. An error of kind "invalid" when it leaves the root. */
export function cleanName(name: string): string {
  let end = name.length;
  while (end > 0 && name[end - 1] === "/") end--;
  const start = name.startsWith("./") ? 2 : 0;
  const plain = end > start ? name.slice(start, end) : "";
  // Nearly all names are clean by now; "/." also catches dot files, which then take the long way.
  if (!plain.startsWith(".") && !plain.startsWith("/") && !plain.includes("//") && !plain.includes("/.")) return plain;
  const parts = partsBelow(plain);
  if (parts !== undefined) return parts.join("/");
  throw new SampanError("invalid", `Cannot unpack ${readable(name)}: it lies outside of the layer`);
}

/** As `cleanName`, but ".." at the root stays there, as it does for a process in a chroot. */
export function clampName(name: string): string {
  const parts: string[] = [];
  for (const part of name.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** The directory that holds `name`; "" for the root and what lies directly in it. */
export function parentOf(name: string): string {
  const slash = name.lastIndexOf("/");
  return slash < 0 ? "" : name.slice(0, slash);
}

/** The last part of `name`. */
export function baseOf(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

/** `name` and all directories it lies in, the root ("") first. */
export function prefixesOf(name: string): string[] {
  const prefixes = [""];
  if (name === "") return prefixes;
  for (let slash = name.indexOf("/"); slash >= 0; slash = name.indexOf("/", slash + 1)) {
    prefixes.push(name.slice(0, slash));
  }
  prefixes.push(name);
  return prefixes;
}

export type Whiteout =
  /** Hides `name` of the layers below. */
  | { readonly kind: "whiteout"; readonly name: string }
  /** Hides all that the layers below have in directory `name`. */
  | { readonly kind: "opaque"; readonly name: string }
  /** Of no meaning outside of aufs. */
  | { readonly kind: "ignored" };

/** What a marker file says (OCI image-spec layer.md, "Whiteouts"); undefined for an ordinary name. */
export function whiteoutOf(name: string): Whiteout | undefined {
  if (!name.includes(".wh.")) return undefined;
  const base = baseOf(name);
  const parent = parentOf(name);
  if (base === ".wh..wh..opq") return { kind: "opaque", name: parent };
  if (name.startsWith(".wh..wh.") || name.includes("/.wh..wh.")) return { kind: "ignored" };
  if (!base.startsWith(".wh.")) return undefined;
  const hidden = base.slice(4);
  if (hidden === "" || hidden === "." || hidden === "..") {
    throw new SampanError("invalid", `Cannot unpack ${readable(name)}: a whiteout must name what it hides`);
  }
  return { kind: "whiteout", name: parent === "" ? hidden : `${parent}/${hidden}` };
}
