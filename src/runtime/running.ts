import { existsSync, readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { SampanError } from "../errors/index.ts";
import { Connection, openSocket } from "../kernel/connection.ts";
import { announcement } from "../kernel/executor.ts";
import { control, replyHeader } from "../kernel/wire.ts";
import { decodeExit, exitRecordSize, killedWithMonitor } from "./exit-record.ts";
import { message } from "./monitor-message.ts";
import type { Exit, MonitorFiles, Running } from "./types.ts";

/** Resolves once the monitor has taken the client in. The socket is then paused, with all that follows still to be read. */
export function acknowledged(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const take = (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < replyHeader.bytes) return;
      socket.off("data", take);
      socket.off("close", lost);
      socket.pause();
      if (received.length > replyHeader.bytes) socket.unshift(received.subarray(replyHeader.bytes));
      resolve();
    };
    const lost = () => reject(new SampanError("conflict", "Cannot attach: the process has just ended"));
    socket.on("data", take);
    socket.once("close", lost);
    socket.on("error", () => {}); // a monitor that is killed resets the connection; its end is reported by `exited`
  });
}

/** The exit file of a process that has ended; undefined while there is none. */
export function readExitFile(path: string | undefined): Exit | undefined {
  if (path === undefined || !existsSync(path)) return undefined;
  const record = readFileSync(path);
  return record.length === exitRecordSize ? decodeExit(record) : undefined;
}

function nowNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}

/** A process that talks through its monitor's control connection. */
class MonitoredProcess implements Running {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  readonly #connection: Connection;
  readonly #files: MonitorFiles;

  constructor(pid: number, connection: Connection, files: MonitorFiles, announced: Promise<Buffer | undefined>) {
    this.pid = pid;
    this.#connection = connection;
    this.#files = files;
    connection.socket.unref();
    this.exited = announced.then((record) => {
      connection.close();
      return record ? decodeExit(record) : (readExitFile(files.exitFile) ?? killedWithMonitor(nowNs()));
    });
  }

  async attach(streams: { stdin: boolean; stdout: boolean; stderr: boolean }): Promise<Socket> {
    const socket = await openSocket(this.#files.socket);
    const mask = (streams.stdin ? 1 : 0) | (streams.stdout ? 2 : 0) | (streams.stderr ? 4 : 0);
    socket.write(message(control.attach, { a: mask }));
    await acknowledged(socket);
    return socket;
  }

  resize(rows: number, columns: number): void {
    this.#send(message(control.resize, { b: rows & 0xffff, c: columns & 0xffff }));
  }

  signal(number: number): void {
    this.#send(message(control.signal, { c: number }));
  }

  release(): void {
    this.#send(message(control.release));
  }

  detach(): void {
    this.#connection.close();
  }

  #send(bytes: Buffer): void {
    if (this.#connection.socket.writable) this.#connection.socket.write(bytes);
  }
}

/** A process that has ended while nobody looked. */
function endedProcess(pid: number, exit: Exit): Running {
  return {
    pid,
    exited: Promise.resolve(exit),
    attach: (_streams) => openSocket("/nonexistent"),
    resize(_rows, _columns) {},
    signal(_number) {},
    release() {},
    detach() {},
  };
}

/** The process that this daemon has just started. */
export function startedProcess(
  pid: number,
  connection: Connection,
  files: MonitorFiles,
  announced: Promise<Buffer | undefined>,
): Running {
  return new MonitoredProcess(pid, connection, files, announced);
}

/** A process that an earlier daemon has started. */
export async function reconnectProcess(pid: number, files: MonitorFiles): Promise<Running> {
  const ended = readExitFile(files.exitFile);
  if (ended) return endedProcess(pid, ended);
  try {
    const connection = new Connection(await openSocket(files.socket));
    connection.socket.write(message(control.command));
    return new MonitoredProcess(pid, connection, files, announcement(connection));
  } catch {
    return endedProcess(pid, readExitFile(files.exitFile) ?? killedWithMonitor(nowNs()));
  }
}
