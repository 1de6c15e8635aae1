import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { SampanError } from "../../errors/index.ts";

/** RFC 6455, 1.3. */
const magic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Bytes of one frame that are still believed. */
const largest = 16 * 1024 * 1024;

/** The header of the answer to a handshake (RFC 6455, 4.2.2); "invalid" when it is none. */
export function handshake(headers: IncomingHttpHeaders, common: Readonly<Record<string, string>>): string {
  const key = headers["sec-websocket-key"];
  const asked = /^websocket$/i.test(headers.upgrade ?? "") && /\bupgrade\b/i.test(headers.connection ?? "");
  if (!asked || key === undefined) throw new SampanError("invalid", "not websocket protocol");
  if (headers["sec-websocket-version"] !== "13") throw new SampanError("invalid", "missing or bad WebSocket Version");
  const accept = createHash("sha1").update(`${key}${magic}`).digest("base64");
  const lines = { ...common, Upgrade: "websocket", Connection: "Upgrade", "Sec-WebSocket-Accept": accept };
  const text = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 101 Switching Protocols\r\n${text.join("")}\r\n`;
}

/** A frame of a server: whole, unmasked. */
export function frameOf(opcode: number, payload: Uint8Array): Buffer {
  const { length } = payload;
  const extra = length < 126 ? 0 : length < 65536 ? 2 : 8;
  const frame = Buffer.allocUnsafe(2 + extra + length);
  frame[0] = 0x80 | opcode;
  frame[1] = extra === 0 ? length : extra === 2 ? 126 : 127;
  if (extra === 2) frame.writeUInt16BE(length, 2);
  if (extra === 8) frame.writeBigUInt64BE(BigInt(length), 2);
  frame.set(payload, 2 + extra);
  return frame;
}

/** A WebSocket as a stream of bytes: what is written goes out in binary frames, what comes in loses its frames. */
export class WebSocketStream extends Duplex {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.once("close", () => this.destroy());
    socket.once("end", () => this.destroy());
    socket.on("error", () => this.destroy());
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    if (chunk.length === 0) done();
    else this.#socket.write(frameOf(opcodes.binary, chunk), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(frameOf(opcodes.close, Buffer.from([3, 232])), () => done()); // 1000: normal
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    for (let frame = readFrame(this.#received); frame !== undefined; frame = readFrame(this.#received)) {
      if (frame === "malformed") {
        this.destroy();
        return;
      }
      this.#received = this.#received.subarray(frame.end);
      this.#obey(frame);
    }
  }

  #obey({ opcode, payload }: Frame): void {
    if (opcode === opcodes.close) {
      this.#socket.end(frameOf(opcodes.close, payload.subarray(0, 2)));
      this.destroy();
    } else if (opcode === opcodes.ping) this.#socket.write(frameOf(opcodes.pong, payload));
    else if (opcode !== opcodes.pong && !this.push(payload)) this.#socket.pause();
  }
}

interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
  /** Bytes of the whole frame. */
  readonly end: number;
}

/** The first frame of a client, which is always masked (RFC 6455, 5.2); nothing while it is not complete. */
function readFrame(bytes: Buffer): Frame | "malformed" | undefined {
  if (bytes.length < 2) return undefined;
  const opcode = (bytes[0] ?? 0) & 15;
  const short = (bytes[1] ?? 0) & 127;
  const extra = short < 126 ? 0 : short === 126 ? 2 : 8;
  if (((bytes[1] ?? 0) & 128) === 0) return "malformed";
  if (bytes.length < 6 + extra) return undefined;
  const length = extra === 0 ? short : extra === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (length > largest) return "malformed";
  const start = 6 + extra;
  if (bytes.length < start + length) return undefined;
  const payload = Buffer.from(bytes.subarray(start, start + length));
  for (let i = 0; i < length; i++) payload[i] = (payload[i] ?? 0) ^ (bytes[start - 4 + (i & 3)] ?? 0);
  return { opcode, payload, end: start + length };
}
