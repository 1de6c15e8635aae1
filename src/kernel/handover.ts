import type { ChildProcess } from "node:child_process";
import { Socket as DatagramSocket } from "node:dgram";
import { Server, Socket } from "node:net";
import { SampanError } from "../errors/index.ts";
import { named, type Slot } from "./block.ts";
import * as f from "./flags.ts";
import type { Program } from "./program.ts";

/**
 * Sockets that a program makes, in whatever namespace, and this process uses: a step sends the descriptor over the channel
 * that Node keeps with its child processes, in Node's own words, so what arrives is an ordinary socket of Node's.
 */

/** What a socket becomes here. */
export type HandedKind = "dgram.Socket" | "net.Server" | "net.Socket";

/** The executor's end of the channel, behind its three standard streams; its workers inherit it. */
const channel = 3;

/** How long a program may take until it hands over what is waited for, in ms. */
const patience = 60_000;

const sizeOfRights = 24; // CMSG_SPACE(sizeof(int)): struct cmsghdr is 16 bytes, the descriptor is padded to 8
const sizeOfAcknowledgements = 256;

/**
 * Steps that hand `socket` over to the daemon, where `Executor.receive(key)` waits for it, and close it here. A listening
 * socket is a "net.Server", one for IPv4 datagrams a "dgram.Socket", one that is connected a "net.Socket". A daemon that has gone is no failure: its successor makes
 * sockets of its own.
 */
export function handOver(p: Program, socket: Slot, { key, kind }: { key: string; kind: HandedKind }): void {
  drainAcknowledgements(p);
  const line = `${JSON.stringify({ cmd: "NODE_HANDLE", type: kind, msg: { key }, dgramType: "udp4" })}\n`;
  const iovec = p.words([p.text(line), Buffer.byteLength(line)], "{ line }");
  const rights = Buffer.alloc(sizeOfRights);
  rights.writeUInt32LE(sizeOfRights - 4, 0);
  rights.writeUInt32LE(f.SOL_SOCKET, 8);
  rights.writeUInt32LE(f.SCM_RIGHTS, 12);
  const control = p.bytes(rights, "{ SCM_RIGHTS }");
  p.copy(socket, control.at(16), "put the socket into the message");
  const message = p.words([0, 0, iovec, 1, control, sizeOfRights, 0], "{ line, SCM_RIGHTS }"); // struct msghdr
  p.call("sendmsg", [channel, message, named(f.MSG_NOSIGNAL, "MSG_NOSIGNAL")], {
    note: `hand the socket over to the daemon, as ${key}`,
    tolerate: ["EPIPE", "ECONNRESET"],
  });
  p.call("close", [socket], { note: "leave it to the daemon alone" });
}

/** Node answers each socket with 26 bytes, which would fill the channel in time. */
function drainAcknowledgements(p: Program): void {
  const away = p.bytes(Buffer.alloc(sizeOfAcknowledgements), "<room>");
  p.call("recvfrom", [channel, away, sizeOfAcknowledgements, named(f.MSG_DONTWAIT, "MSG_DONTWAIT"), 0, 0], {
    note: "take what Node has answered to earlier sockets",
    tolerate: ["EAGAIN", "ECONNRESET"],
  });
}

export type HandedSocket = DatagramSocket | Server | Socket;

/** A socket that is under way. */
export interface Receipt {
  /** The socket, which is the caller's to close; rejected when none comes. Nobody needs to wait for it. */
  readonly socket: Promise<HandedSocket>;
  /** Nobody wants it any more: when it comes nevertheless, it is closed. */
  cancel(): void;
}

/** The daemon's side: who waits for which socket. What nobody waits for is closed. */
export class Handovers {
  readonly #waiting = new Map<string, (socket: HandedSocket | SampanError) => void>();

  /** Sockets that come from this process, or from those that it forks, are taken. It must have been spawned with `stdio`. */
  listen(child: ChildProcess): void {
    child.channel?.unref();
    child.on("message", (message, socket) => {
      if (!(socket instanceof DatagramSocket || socket instanceof Server || socket instanceof Socket)) return;
      const key = typeof message === "object" && "key" in message ? message.key : undefined;
      const take = typeof key === "string" ? this.#waiting.get(key) : undefined;
      if (take) take(socket.unref());
      else if (socket instanceof Socket) socket.destroy();
      else socket.close();
    });
  }

  /** Waits for the socket with this key; a key is waited for once. */
  receive(key: string): Receipt {
    const { promise, resolve, reject } = Promise.withResolvers<HandedSocket>();
    promise.catch(() => {}); // who cancels does not wait
    const settle = (outcome: HandedSocket | SampanError) => {
      clearTimeout(timer);
      if (this.#waiting.get(key) === settle) this.#waiting.delete(key);
      if (outcome instanceof SampanError) reject(outcome);
      else resolve(outcome);
    };
    const lost = () => settle(new SampanError("timeout", `Cannot take over the socket ${key}: it has not come`));
    const timer = setTimeout(lost, patience).unref();
    this.#waiting.set(key, settle);
    const cancel = () => settle(new SampanError("cancelled", `Cannot take over the socket ${key}: it is not wanted`));
    return { socket: promise, cancel };
  }
}

/** How the executor has to be spawned for that. */
export const stdio = ["pipe", "pipe", "pipe", "ipc"] as const;
