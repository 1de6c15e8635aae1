import { named } from "../kernel/block.ts";
import * as f from "../kernel/flags.ts";
import type { Program } from "../kernel/program.ts";

const SIOCSIFFLAGS = 0x8914;
const IFF_UP = 1;

/**
 * Brings up "lo" of a new network namespace. By ioctl (netdevice(7)) rather than netlink: two calls instead of three,
 * and the failure is the call's own errno instead of one inside an answer.
 */
export function loopbackUp(p: Program): void {
  const request = Buffer.alloc(40); // struct ifreq
  request.write("lo", 0);
  request.writeUInt16LE(IFF_UP, 16);
  const socket = p.sys(
    "socket",
    [named(f.AF_INET, "AF_INET"), named(f.SOCK_DGRAM | f.SOCK_CLOEXEC, "SOCK_DGRAM|SOCK_CLOEXEC"), 0],
    { note: "make a socket to ask by" },
  );
  p.call("ioctl", [socket, named(SIOCSIFFLAGS, "SIOCSIFFLAGS"), p.bytes(request, "{ lo, IFF_UP }")], {
    note: "bring up the loopback interface",
  });
}
