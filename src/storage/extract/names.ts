import { SampanError } from "../../errors/index.ts";
import { readable, type TarEntry } from "../tar/entry.ts";

/**
 * The name of an entry, or of what a hard link leads to, below the directory that is unpacked into: "" is that directory
 * itself. One that leads out of it is an error, in dockerd's words.
 */
export function entryName(written: string, what: "entry name" | "hardlink target" = "entry name"): string {
  const parts: string[] = [];
  for (const part of written.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) throw new SampanError("invalid", `invalid ${what} ${readable(written)}`);
  }
  return parts.join("/");
}

/** dev_t as system calls take it (include/linux/kdev_t.h, new_encode_dev). */
export function deviceNumber({ type, major, minor, name }: TarEntry): number {
  if (type === "fifo") return 0;
  if (major < 0 || major > 0xfff || minor < 0 || minor > 0xfffff) {
    throw new SampanError("invalid", `Cannot unpack ${JSON.stringify(name)}: there is no device ${major}:${minor}`);
  }
  return (minor & 0xff) + major * 0x100 + (minor - (minor & 0xff)) * 0x1000;
}
