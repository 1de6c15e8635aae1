import { isIPv4 } from "node:net";
import { named, type Ref, type Slot } from "../kernel/block.ts";
import { errnoText } from "../kernel/errno.ts";
import type { Executor } from "../kernel/executor.ts";
import * as f from "../kernel/flags.ts";
import { Program } from "../kernel/program.ts";
import { Inside } from "./inside.ts";

/** What came of a look at a container. */
export interface Seen {
  readonly well: boolean;
  /** A line for people. */
  readonly text: string;
}

interface Place {
  /** The container's first process, as the machine sees it. */
  readonly pid: number;
}

/** Whether a path is there, as the container sees it. */
export async function lookForFile(executor: Executor, { pid }: Place, path: string): Promise<Seen> {
  const p = new Program(`look for ${path} of process ${pid}`);
  const flags = named(f.O_PATH | f.O_DIRECTORY | f.O_CLOEXEC, "O_PATH|O_DIRECTORY|O_CLOEXEC");
  const root = p.sys("openat", [f.AT_FDCWD, p.text(`/proc/${pid}/root`), flags, 0], { note: "find its root" });
  const none = p.label();
  const found = new Inside(p, root).open(path, f.O_PATH, { note: `look for ${path}`, missing: none });
  p.place(none);
  const result = (await executor.run(p)).value(found);
  return result >= 0
    ? { well: true, text: `${path} is there` }
    : { well: false, text: `${path}: ${errnoText(-result)}` };
}

export interface Peer extends Place {
  /** Numeric, reached from inside the container's network. */
  readonly address: string;
  readonly port: number;
  /** Milliseconds for each step. */
  readonly timeout: number;
}

/** Whether something takes a connection. */
export async function connectInside(executor: Executor, peer: Peer): Promise<Seen> {
  const p = new Program(`connect to ${where(peer)} in the network of process ${peer.pid}`);
  const done = p.label();
  const { result } = connect(p, peer, done);
  p.place(done);
  const code = (await executor.run(p)).value(result);
  return code === 0
    ? { well: true, text: `${where(peer)} takes connections` }
    : { well: false, text: `${where(peer)}: ${connectFailure(code)}` };
}

/** Bytes of an answer that are looked at: the status line is all that matters. */
const room = 4096;
const MSG_NOSIGNAL = 0x4000;

/** Sends a request and looks at the status of the answer: 200 to 399 is well. */
export async function askInside(executor: Executor, peer: Peer, request: string): Promise<Seen> {
  const p = new Program(`ask ${where(peer)} in the network of process ${peer.pid}`);
  const done = p.label();
  const { socket, result } = connect(p, peer, done);
  const options = { tolerate: "all", orElse: done } as const;
  const flags = named(MSG_NOSIGNAL, "MSG_NOSIGNAL");
  const sent = p.sys("sendto", [socket, p.text(request), Buffer.byteLength(request), flags, 0, 0], {
    note: "send the request",
    ...options,
  });
  const answer = p.buffer(room, "answer");
  const length = p.sys("recvfrom", [socket, answer, room, 0, 0, 0], { note: "read the answer", ...options });
  p.place(done);
  const results = await executor.run(p);
  const connected = results.value(result);
  if (connected !== 0) return { well: false, text: `${where(peer)}: ${connectFailure(connected)}` };
  const failure = [sent, length].map((slot) => results.value(slot)).find((code) => code < 0);
  if (failure !== undefined) return { well: false, text: `${where(peer)}: ${connectFailure(failure)}` };
  return judge(results.bytes(answer, results.value(length)).toString("latin1"), peer);
}

function judge(answer: string, peer: Peer): Seen {
  const [line = ""] = answer.split(/\r?\n/, 1);
  const status = Number(/^HTTP\/\d\.\d (\d{3})\b/.exec(line)?.[1]);
  if (Number.isNaN(status)) return { well: false, text: `${where(peer)}: no answer that is HTTP` };
  return { well: status >= 200 && status < 400, text: line };
}

/** Steps that end with a connection, or at `otherwise`. */
function connect(p: Program, peer: Peer, otherwise: ReturnType<Program["label"]>): { socket: Slot; result: Slot } {
  const path = `/proc/${peer.pid}/ns/net`;
  const open = named(f.O_RDONLY | f.O_CLOEXEC, "O_RDONLY|O_CLOEXEC");
  const namespace = p.sys("openat", [f.AT_FDCWD, p.text(path), open, 0], { note: "find the container's network" });
  p.call("setns", [namespace, named(f.CLONE_NEWNET, "CLONE_NEWNET")], { note: "enter it" });
  const four = isIPv4(peer.address);
  const family = four ? named(f.AF_INET, "AF_INET") : named(f.AF_INET6, "AF_INET6");
  const type = named(f.SOCK_STREAM | f.SOCK_CLOEXEC, "SOCK_STREAM|SOCK_CLOEXEC");
  const result = p.slot("connected");
  const options = { tolerate: "all", orElse: otherwise, into: result } as const;
  const socket = p.sys("socket", [family, type, 0], { note: "make a socket" });
  limitTime(p, socket, peer.timeout);
  const address = socketAddress(p, peer);
  p.sys("connect", [socket, address, address.size], { note: `connect to ${where(peer)}`, ...options });
  return { socket, result };
}

const SO_RCVTIMEO = 20;
const SO_SNDTIMEO = 21; // connect(2) keeps to it, too: socket(7)

function limitTime(p: Program, socket: Slot, milliseconds: number): void {
  const time = p.words([Math.floor(milliseconds / 1000), Math.floor((milliseconds % 1000) * 1000) || 1], "{ timeout }");
  for (const [option, name] of [
    [SO_RCVTIMEO, "SO_RCVTIMEO"],
    [SO_SNDTIMEO, "SO_SNDTIMEO"],
  ] as const) {
    p.call("setsockopt", [socket, named(f.SOL_SOCKET, "SOL_SOCKET"), named(option, name), time, 16], {
      note: "wait no longer than the probe may take",
    });
  }
}

/** struct sockaddr_in and sockaddr_in6: ip(7), ipv6(7). */
function socketAddress(p: Program, { address, port }: Peer): Ref {
  const four = isIPv4(address);
  const bytes = Buffer.alloc(four ? 16 : 28);
  bytes.writeUInt16LE(four ? f.AF_INET : f.AF_INET6, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(four ? address.split(".").map(Number) : sixBytes(address), four ? 4 : 8);
  return p.bytes(bytes, address);
}

function sixBytes(address: string): number[] {
  const [head = "", tail] = address.split("::");
  const words = (text: string | undefined) => (text ? text.split(":").map((word) => Number.parseInt(word, 16)) : []);
  const [before, after] = [words(head), words(tail)];
  const between = tail === undefined ? [] : Array<number>(Math.max(0, 8 - before.length - after.length)).fill(0);
  return [...before, ...between, ...after].slice(0, 8).flatMap((word) => [word >> 8, word & 0xff]);
}

function connectFailure(code: number): string {
  // What the time limits of sockets answer: EAGAIN, EINPROGRESS.
  return code === -11 || code === -115 ? "no answer in time" : errnoText(-code);
}

function where({ address, port }: Peer): string {
  return `${isIPv4(address) ? address : `[${address}]`}:${port}`;
}
