import type { Slot } from "../kernel/block.ts";
import * as f from "../kernel/flags.ts";
import type { Program } from "../kernel/program.ts";
import { Inside } from "./inside.ts";
import { makeDev, makeNode } from "./system-mounts.ts";
import type { DeviceNode } from "./types.ts";
import { type IdMappings, machineId } from "./user-namespace.ts";

/** A /dev that belongs to `owner`, the root of a user namespace, with the devices that only the machine's root may make. */
export function makeOwnedDev(
  p: Program,
  devices: readonly DeviceNode[],
  { users, groups }: IdMappings,
  owner: { readonly uid: number; readonly gid: number },
): Slot {
  const dev = makeDev(p, owner);
  const mask = p.sys("umask", [0], { note: "let modes be what they say" });
  const inside = new Inside(p, dev);
  for (const device of devices) {
    const path = device.path.slice("/dev".length);
    const uid = machineId(users, device.uid) ?? 0;
    const gid = machineId(groups, device.gid) ?? 0;
    const parent = path.slice(0, path.lastIndexOf("/"));
    makeNode(p, inside, dev, { ...device, path: parent === "" ? device.path : path, uid, gid });
    if (parent === "") continue;
    const directory = inside.open(parent, f.O_PATH | f.O_DIRECTORY, { note: `find ${parent} of it` });
    p.call("fchownat", [directory, p.text(""), owner.uid, owner.gid, f.AT_EMPTY_PATH], {
      note: `give ${parent} its owner`,
    });
  }
  p.call("umask", [mask], { note: "as before" });
  return dev;
}
