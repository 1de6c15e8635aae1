import { SampanError } from "../../errors/index.ts";
import * as flags from "../../kernel/flags.ts";
import { readable, type TarEntry } from "../tar/entry.ts";

/** File type bits of what mknod(2) makes. */
export const nodeTypes = { character: flags.S_IFCHR, block: flags.S_IFBLK, fifo: flags.S_IFIFO } as const;

/** dev_t as system calls take it (include/linux/kdev_t.h, new_encode_dev). */
export function deviceNumber({ type, major, minor, name }: TarEntry): number {
  if (type === "fifo") return 0;
  if (major < 0 || major > 0xfff || minor < 0 || minor > 0xfffff) {
    throw new SampanError("invalid", `Cannot unpack ${readable(name)}: there is no device ${major}:${minor}`);
  }
  return (minor & 0xff) + major * 0x100 + (minor - (minor & 0xff)) * 0x1000;
}
