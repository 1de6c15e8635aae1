import { closeSync, linkSync, lstatSync, openSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { dirname, join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
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
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let isDead = false;
    socket.on("error", (error) => {
      isDead = isRefusal(error);
    });
    socket.once("close", () => {
      if (isDead) removeDeadLock(path).then(resolve, reject);
      else resolve();
    });
    whenAborted(signal, () => {
      socket.destroy();
      reject(new SampanError("timeout", "Another process has been starting the Sampan daemon for too long"));
    });
  });
}

/** SQLITE_BUSY: somebody else has the turn. */
const busy = 5;

/** ms. How long who has the turn is given before everybody looks again. */
const turnTakes = 5;

/**
 * Takes away a lock that nobody listens at. Of several who find it dead at once a second could take away the lock that the
 * first has taken since: so who has the turn looks again. A turn is an exclusive transaction of SQLite's, a record lock
 * which the kernel ends with whoever dies.
 */
async function removeDeadLock(path: string): Promise<void> {
  const { DatabaseSync } = await import("node:sqlite");
  const file = `${path}.turn`;
  let turn: DatabaseSync | undefined;
  try {
    makeFile(file);
    const before = fileAt(file);
    turn = new DatabaseSync(file, { timeout: 0 });
    turn.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    // Who had the turn before has taken the file away: this is the turn of a file that nobody else will find.
    if (before !== fileAt(file)) return;
    // A name that is taken is nobody's to take, and names are only taken away here, and by those who have them.
    if (!(await isListenedAt(path))) rmSync(path, { force: true });
    rmSync(file);
  } catch (cause) {
    if (isPassing(cause)) return await pause(turnTakes);
    throw new SampanError("denied", `Cannot start the Sampan daemon: ${messageOf(cause)}`, { cause });
  } finally {
    turn?.close();
  }
}

/** Somebody else has the turn, or had it and took the file away between two looks. */
function isPassing(cause: unknown): boolean {
  const { errcode, code } = cause as { errcode?: number; code?: string };
  return errcode === busy || code === "ENOENT";
}

/** Never opens one that is there: the first close of a file, whoever in this process has it open, ends its locks (fcntl(2)). */
function makeFile(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
  }
}

/** Which file has a name: another one has another number, or was born at another time. */
function fileAt(path: string): string {
  const { ino, birthtimeNs } = lstatSync(path, { bigint: true });
  return `${ino} ${birthtimeNs}`;
}

/** False only for a name that is there and that nobody listens at. */
function isListenedAt(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error) => resolve(!isRefusal(error)));
  });
}

function isRefusal(error: NodeJS.ErrnoException): boolean {
  return error.code === "ECONNREFUSED";
}
