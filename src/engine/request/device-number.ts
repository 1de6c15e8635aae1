import type { BlockDevice } from "../../cgroups/types.ts";

/** Major and minor of what stat(2) gives as st_rdev: the kernel's 12 and 20 bits in glibc's layout (makedev(3)). */
export function deviceNumber(rdev: number): BlockDevice {
  const device = BigInt(rdev);
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
  return { major: Number(major), minor: Number(minor) };
}
