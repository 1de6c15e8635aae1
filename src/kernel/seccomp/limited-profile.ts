import { errnoNumber } from "../errno.ts";
import { FS_IOC_FSSETXATTR } from "../flags.ts";
import { defaultSeccompProfile } from "./default-profile.ts";
import type { ArgumentTest, SeccompProfile, SyscallRule } from "./profile.ts";

const FS_IOC_SETFLAGS = 0x40086602;
/** What 32-bit programs call it. */
const FS_IOC32_SETFLAGS = 0x40046602;

const unconditional = { caps: [], arches: [], minKernel: undefined };
const ioctl = { names: ["ioctl"], errno: undefined, includes: unconditional, excludes: unconditional };

/** The kernel cuts the command to 32 bits, so the test does. */
function command(value: number): ArgumentTest {
  return { index: 1, op: "SCMP_CMP_EQ", value: BigInt(value), valueTwo: 0n, narrow: true };
}

const refused = [FS_IOC_FSSETXATTR, FS_IOC_SETFLAGS, FS_IOC32_SETFLAGS].map((value): SyscallRule => {
  return { ...ioctl, action: "SCMP_ACT_ERRNO", errno: errnoNumber("EOPNOTSUPP"), args: [command(value)] };
});

/** A rule without tests would beat those with: this one's always holds. */
const others: SyscallRule = {
  ...ioctl,
  action: "SCMP_ACT_ALLOW",
  args: [{ index: 1, op: "SCMP_CMP_MASKED_EQ", value: 0n, valueTwo: 0n }],
};

/**
 * The default profile of a container whose writable layer is limited by a project quota. Who owns a file may say that it
 * belongs to another project, or to none, and would be rid of the limit: the calls for that fail with EOPNOTSUPP, as where a
 * file system knows no such attributes.
 */
export const limitedSeccompProfile: SeccompProfile = {
  ...defaultSeccompProfile,
  syscalls: [
    ...defaultSeccompProfile.syscalls.map((rule) => ({
      ...rule,
      names: rule.names.filter((name) => name !== "ioctl"),
    })),
    ...refused,
    others,
  ],
};
