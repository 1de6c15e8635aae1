import { once } from "node:events";
import { chmodSync, chownSync, existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { messageOf, SampanError } from "../../errors/index.ts";
import { type Address, formatAddress } from "./addresses.ts";

/** Bytes in the path of a Unix socket (unix(7)), without the NUL. */
const longest = 107;

/** Lets a server listen. The returned function takes a Unix socket away again; it does not close the server. */
export async function listen(server: Server, address: Address): Promise<() => void> {
  try {
    if ("path" in address) return await listenUnix(server, address.path);
    server.listen(address.port, address.host);
    await once(server, "listening");
    return () => {};
  } catch (cause) {
    if (cause instanceof SampanError) throw cause;
    throw new SampanError("conflict", `Cannot listen on ${formatAddress(address)}: ${messageOf(cause)}`, { cause });
  }
}

/**
 * The socket appears under its name when it has its owner and mode and is listened at: whoever sees it can use it, and
 * nobody it is not for ever could.
 */
async function listenUnix(server: Server, path: string): Promise<() => void> {
  if (existsSync(path) && (await answers(path))) {
    throw new SampanError("conflict", `Cannot listen on unix://${path}: another process does`);
  }
  if (Buffer.byteLength(path) > longest) {
    throw new SampanError(
      "invalid",
      `Cannot listen on unix://${path}: it is longer than ${longest} bytes, which is all Linux takes`,
    );
  }
  // Shorter than any name of a socket, so that it fits where that does.
  const hidden = join(dirname(path), `.${process.pid.toString(36)}`);
  rmSync(hidden, { force: true });
  const umask = process.umask(0o177);
  try {
    server.listen(hidden);
  } finally {
    process.umask(umask);
  }
  await once(server, "listening");
  const group = process.getuid?.() === 0 ? dockerGroup() : undefined;
  if (group !== undefined) {
    chownSync(hidden, 0, group);
    chmodSync(hidden, 0o660);
  }
  renameSync(hidden, path);
  return () => rmSync(path, { force: true });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** The group whose members may use Docker, and so may use this. */
function dockerGroup(): number | undefined {
  try {
    const id = /^docker:[^:]*:(\d+):/m.exec(readFileSync("/etc/group", "utf8"))?.[1];
    return id === undefined ? undefined : Number(id);
  } catch {
    return undefined;
  }
}
