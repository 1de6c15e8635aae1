import { SampanError } from "../../errors/index.ts";
import { named, type Slot } from "../../kernel/block.ts";
import type { Session } from "../../kernel/executor.ts";
import * as f from "../../kernel/flags.ts";
import { KernelError } from "../../kernel/kernel-error.ts";
import type { Program } from "../../kernel/program.ts";
import { Inside } from "../../runtime/inside.ts";
import { enterUsers, openUsers } from "../../runtime/isolation.ts";
import { isolateMounts, mountRoot } from "../../runtime/rootfs.ts";
import { mountAll } from "../../runtime/user-mounts.ts";
import { becomeRoot } from "../../runtime/user-namespace.ts";
import { openTree } from "../../storage/pack/open.ts";
import type { Container } from "../container/live.ts";
import { mountSpecs } from "../container/mount-specs.ts";
import { withRoomToMount } from "../container/room-to-mount.ts";
import { rootOf } from "../container/spec.ts";
import type { EngineParts } from "../parts.ts";
import { enterVolumes, leaveVolumes } from "../volumes/use.ts";
import { holdContainer } from "./hold.ts";

/**
 * A process that is shut up in a container's root file system, with its volumes and binds in their places. Disposing of it
 * again does nothing.
 */
export interface FilesView extends AsyncDisposable {
  readonly session: Session;
  /** Whether it is that of the running container, with all that is mounted in it. */
  readonly live: boolean;
}

/** Opens a container's files: those its processes see while it runs, else as the next start will find them. */
export async function openFiles(
  parts: EngineParts,
  container: Container,
  options: { readonly volumes: boolean },
): Promise<FilesView> {
  const hold = await holdContainer(container);
  const { running } = container;
  let mounted = false;
  let left = false;
  const close = async () => {
    if (left) return;
    left = true;
    try {
      if (mounted) await leaveVolumes(parts, container.record);
    } finally {
      hold[Symbol.dispose]();
    }
  };
  try {
    if (container.removed) throw new SampanError("not-found", `No such container: ${container.id}`);
    if (running !== undefined) {
      const session = await openRunning(parts, container, running.pid);
      return { session, live: true, [Symbol.asyncDispose]: () => closed(session, close) };
    }
    if (options.volumes) {
      mounted = true;
      await enterVolumes(parts, container.record);
    }
    const mount = () => open(parts, container, (p) => mountStopped(p, parts, container, options));
    const session = await withRoomToMount(parts, container.record, mount);
    return { session, live: false, [Symbol.asyncDispose]: () => closed(session, close) };
  } catch (error) {
    await close();
    if (running === undefined || !isGone(error)) throw error;
    // It has ended between our look and the kernel's: then its files are those of one that does not run.
    await container.ended;
    if (container.running === running) throw error;
    return openFiles(parts, container, options);
  }
}

function isGone(error: unknown): boolean {
  return error instanceof KernelError && error.errno === "ENOENT";
}

async function closed(session: Session, close: () => Promise<void>): Promise<void> {
  session.close();
  await close();
}

function open(
  parts: EngineParts,
  container: Container,
  root: (p: Program) => Slot,
  inside?: (p: Program) => void,
): Promise<Session> {
  return openTree(parts.executor, `open the files of container ${container.id.slice(0, 12)}`, root, inside);
}

/** Owners are those that the container knows: who looks at its files is in its user namespace, if it has one. */
function openRunning(parts: EngineParts, container: Container, pid: number): Promise<Session> {
  if (container.record.users === undefined) return open(parts, container, (p) => enterRunning(p, pid));
  let users: Slot | undefined;
  const root = (p: Program) => {
    users = openUsers(p, pid, "find the container's users");
    return enterRunning(p, pid);
  };
  return open(parts, container, root, (p) => {
    if (users !== undefined) enterUsers(p, users);
    becomeRoot(p);
  });
}

function enterRunning(p: Program, pid: number): Slot {
  const how = named(f.O_PATH | f.O_DIRECTORY | f.O_CLOEXEC, "O_PATH|O_DIRECTORY|O_CLOEXEC");
  return p.sys("openat", [f.AT_FDCWD, p.text(`/proc/${pid}/root`), how, 0], {
    note: "open the root that its first process has",
  });
}

function mountStopped(
  p: Program,
  parts: EngineParts,
  { record, files }: Container,
  { volumes }: { readonly volumes: boolean },
): Slot {
  p.call("unshare", [named(f.CLONE_NEWNS, "CLONE_NEWNS")], { note: "mount where nobody sees it" });
  isolateMounts(p);
  const { kernel } = parts;
  const filesystem = rootOf(parts, record, files);
  const root = mountRoot(p, filesystem, kernel);
  if (!volumes) return root;
  const binds = mountSpecs(record, parts.volumes).filter(
    ({ type, target }) => type === "bind" && target !== "/dev/shm",
  );
  mountAll(p, new Inside(p, root), binds, { kernel, mountPoint: filesystem.mountPoint });
  return root;
}
