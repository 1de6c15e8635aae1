import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { JoinEnd } from "../types.ts";
import { DetachScanner } from "./detach-keys.ts";

export interface JoinOptions {
  /** Whether what the client sends is for the process. */
  readonly stdin: boolean;
  /** The keys that detach, on a terminal; undefined: every byte is the process's. */
  readonly detachKeys?: Uint8Array | undefined;
}

/**
 * Connects a client with a monitor until the process's output ends, the client leaves, or it types the detach keys. The
 * client's half-close ends stdin only. Resolves once everything has been written and `client` has been ended.
 */
export function joinStreams(client: Duplex, monitor: Socket, options: JoinOptions): Promise<JoinEnd> {
  return new Promise((resolve) => {
    let end: JoinEnd = "ended";
    const leave = () => monitor.destroy();
    const finish = () => {
      client.off("close", leave);
      client.resume();
      if (client.writableEnded || client.destroyed) resolve(end);
      else client.end(() => resolve(end));
      client.once("close", () => resolve(end));
    };
    client.on("error", leave);
    client.once("close", leave);
    // A process that has ended reads no more; its last output still comes.
    monitor.on("error", () => {});
    monitor.once("close", finish);
    monitor.pipe(client, { end: false });
    monitor.once("end", () => monitor.destroy());
    forwardInput(client, monitor, options, () => {
      end = "detached";
      monitor.destroy();
    });
  });
}

function forwardInput(client: Duplex, monitor: Socket, { stdin, detachKeys }: JoinOptions, detached: () => void): void {
  if (!stdin) {
    client.resume();
    return;
  }
  if (detachKeys === undefined) {
    client.pipe(monitor);
    return;
  }
  const scanner = new DetachScanner(detachKeys);
  client.on("data", (bytes: Uint8Array) => {
    const result = scanner.scan(bytes);
    const full = result.pass.length > 0 && monitor.writable && !monitor.write(result.pass);
    if (result.detached) detached();
    else if (full) {
      client.pause();
      monitor.once("drain", () => client.resume());
    }
  });
  client.once("end", () => monitor.end());
}
