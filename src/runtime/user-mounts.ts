import { named, type Ref, type Slot } from "../kernel/block.ts";
import * as f from "../kernel/flags.ts";
import type { Program } from "../kernel/program.ts";
import type { Inside } from "./inside.ts";
import { attach, copyTree, type FsOptions, newMount, setAttributes } from "./mounting.ts";
import type { BindMount, Mount, Propagation, TmpfsMount } from "./types.ts";

const propagations: Record<Propagation, { flag: number; recursive: boolean }> = {
  private: { flag: f.MS_PRIVATE, recursive: false },
  rprivate: { flag: f.MS_PRIVATE, recursive: true },
  shared: { flag: f.MS_SHARED, recursive: false },
  rshared: { flag: f.MS_SHARED, recursive: true },
  slave: { flag: f.MS_SLAVE, recursive: false },
  rslave: { flag: f.MS_SLAVE, recursive: true },
  unbindable: { flag: f.MS_UNBINDABLE, recursive: false },
  runbindable: { flag: f.MS_UNBINDABLE, recursive: true },
};

/** What the user asked for with -v, --mount and --tmpfs, and the files that Sampan gives every container. */
export function mountAll(p: Program, inside: Inside, mounts: readonly Mount[]): void {
  for (const mount of mounts) {
    if (mount.type === "bind") mountBind(p, inside, mount);
    else mountTmpfs(p, inside, mount);
  }
}

function mountBind(p: Program, inside: Inside, mount: BindMount): void {
  const tree = copyTree(p, {
    ...sourceOf(p, mount),
    recursive: mount.recursive,
    note: `take ${mount.source} of the machine`,
  });
  const { flag, recursive } = propagations[mount.propagation];
  const readOnlyBelow = mount.recursive && !mount.writableBelow;
  const atOnce = mount.readOnly && readOnlyBelow === recursive;
  setAttributes(p, tree, {
    set: atOnce ? f.MOUNT_ATTR_RDONLY : 0,
    propagation: flag,
    recursive,
    note: `${atOnce ? "read-only, " : ""}with ${mount.propagation} propagation`,
  });
  if (mount.readOnly && !atOnce) {
    const note = readOnlyBelow ? "read-only with all below it" : "read-only, and nothing below it";
    setAttributes(p, tree, { set: f.MOUNT_ATTR_RDONLY, recursive: readOnlyBelow, note });
  }
  attach(p, tree, targetOf(inside, mount), `mount it at ${mount.target}`);
}

function sourceOf(p: Program, { source, within, subpath = "" }: BindMount): { directory: Slot | number; path: Ref } {
  if (within === undefined) return { directory: f.AT_FDCWD, path: p.text(source) };
  const open = named(f.O_PATH | f.O_DIRECTORY | f.O_CLOEXEC, "O_PATH|O_DIRECTORY|O_CLOEXEC");
  const directory = p.sys("openat", [f.AT_FDCWD, p.text(within), open, 0], { note: `open ${within}` });
  const how = p.words(
    [f.O_PATH | f.O_CLOEXEC, 0, f.RESOLVE_IN_ROOT | f.RESOLVE_NO_MAGICLINKS],
    "{ resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS }",
  );
  const part = p.sys("openat2", [directory, p.text(subpath), how, 24], { note: `find ${subpath} inside of it` });
  return { directory: part, path: p.text("") };
}

function targetOf(inside: Inside, mount: BindMount): Slot {
  const note = `find ${mount.target}`;
  return mount.sourceIsDirectory ? inside.directory(mount.target, note) : inside.file(mount.target, note);
}

function mountTmpfs(p: Program, inside: Inside, mount: TmpfsMount): void {
  const options: FsOptions = [
    ["mode", `0${mount.mode.toString(8)}`],
    ...(mount.size === undefined ? [] : [["size", String(mount.size)] as const]),
    ...(mount.uid === undefined ? [] : [["uid", String(mount.uid)] as const]),
    ...(mount.gid === undefined ? [] : [["gid", String(mount.gid)] as const]),
  ];
  const attributes =
    (mount.readOnly ? f.MOUNT_ATTR_RDONLY : 0) |
    (mount.exec ? 0 : f.MOUNT_ATTR_NOEXEC) |
    (mount.suid ? 0 : f.MOUNT_ATTR_NOSUID) |
    (mount.dev ? 0 : f.MOUNT_ATTR_NODEV);
  const tmpfs = newMount(p, {
    type: "tmpfs",
    options,
    attributes,
    note: `make a file system in memory for ${mount.target}`,
  });
  attach(p, tmpfs, inside.directory(mount.target, `find ${mount.target}`), `mount it at ${mount.target}`);
}

/** Makes the root itself read-only; what is mounted below keeps its own right. */
export function protectRoot(p: Program, root: Slot): void {
  setAttributes(p, root, { set: f.MOUNT_ATTR_RDONLY, recursive: false, note: "make the root file system read-only" });
}

/** sysctls of the container's own namespaces, written before /proc/sys becomes read-only. */
export function setSysctls(p: Program, proc: Slot, sysctls: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(sysctls)) {
    const path = `sys/${name.replaceAll(".", "/")}`;
    const file = p.sys("openat", [proc, p.text(path), named(f.O_WRONLY | f.O_CLOEXEC, "O_WRONLY|O_CLOEXEC"), 0], {
      note: `open the sysctl ${name}`,
    });
    p.call("write", [file, p.text(value), Buffer.byteLength(value)], { note: `set ${name} to ${value}`, full: true });
  }
}
