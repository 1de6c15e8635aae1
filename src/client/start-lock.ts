import { linkSync, lstatSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { messageOf, SampanError } from "../errors/index.ts";
import { whenAborted } from "./when-aborted.ts";

/** Tells the locks that one process takes apart. */
let taken = 0;

/**
 * Takes a lock, unless another process has it; the returned function lets go of it. It is a socket that somebody listens at:
 * the kernel ends that with whoever dies, and nobody can take it who may not write to its directory. It gets its name when
 * it is listened at already, so that one nobody listens at is a dead one's. Throws "denied".
 */
export async function takeLock(path: string): Promise<(() => void) | undefined> {
  const own = join(dirname(path), `.${process.pid}.${taken++}`);
  const waiting = new Set<Socket>();
  const server = createServer((socket) => {
    waiting.add(socket);
    socket.on("error", () => {});
  });
  try {
    rmSync(own, { force: true });
    await listen(server, own);
    linkSync(own, path);
  } catch (cause) {
    server.close();
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return undefined;
    throw new SampanError("denied", `Cannot start the Sampan daemon: ${messageOf(cause)}`, { cause });
  }
  rmSync(own, { force: true });
  return () => {
    rmSync(path, { force: true });
    server.close();
    for (const socket of waiting) socket.destroy();
  };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
}

/** Resolves when the holder of the lock lets go of it, or is found dead. Throws "timeout" when the signal comes first. */
export function lockReleased(path: string, signal: AbortSignal): Promise<void> {
  const holder = inode(path);
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.on("error", (error: NodeJS.ErrnoException) => {
      // Should two find it dead at once, and one take a new lock away: a daemon takes its root by a lock of its own.
      if (error.code === "ECONNREFUSED" && inode(path) === holder) rmSync(path, { force: true });
    });
    socket.once("close", () => resolve());
    whenAborted(signal, () => {
      socket.destroy();
      reject(new SampanError("timeout", "Another process has been starting the Sampan daemon for too long"));
    });
  });
}

function inode(path: string): number | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.ino;
}
