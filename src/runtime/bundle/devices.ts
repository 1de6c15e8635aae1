import type { Slot } from "../../kernel/block.ts";
import * as f from "../../kernel/flags.ts";
import type { Program } from "../../kernel/program.ts";
import type { Inside } from "../inside.ts";
import { attach, copyTree } from "../mounting.ts";
import { deviceLinks, makeNode } from "../system-mounts.ts";
import type { DeviceNode } from "../types.ts";

/** Nodes and links of the container's own /dev. In a user namespace no node can be made: there the machine's are mounted. */
export function fillDev(
  p: Program,
  inside: Inside,
  devices: readonly DeviceNode[],
  options: { readonly fromMachine: boolean },
): void {
  const dev: Slot = inside.directory("/dev", "find /dev");
  for (const device of devices) {
    if (options.fromMachine && device.type !== "p") bindNode(p, inside, device);
    else makeNode(p, inside, dev, device);
  }
  for (const [target, name] of deviceLinks) {
    p.call("symlinkat", [p.text(target), dev, p.text(name)], {
      note: `link /dev/${name} to ${target}`,
      tolerate: ["EEXIST"],
    });
  }
}

function bindNode(p: Program, inside: Inside, { path }: DeviceNode): void {
  const node = copyTree(p, {
    directory: f.AT_FDCWD,
    path: p.text(path),
    recursive: false,
    note: `take the machine's ${path}`,
  });
  attach(p, node, inside.file(path, `find ${path}`), `mount it at ${path}`);
}
