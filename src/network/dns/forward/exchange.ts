import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect, isIPv6 } from "node:net";
import { headerSize, isResponse, type Query } from "../query.ts";
import { Stream, withLength } from "../stream.ts";

/** One question to one server. */
export interface Exchange {
  /** The server's message with the asker's id; undefined when there was none. Never rejected. */
  readonly reply: Promise<Buffer | undefined>;
  /** Frees what it holds; without effect once there is a reply. */
  cancel(): void;
}

/** Asks a server, an address, and waits until it answers, refuses the connection, or is cancelled. */
export type Ask = (server: string, port: number, query: Query) => Exchange;

/** The message with an id that nobody can guess. */
function disguised({ bytes }: Query): { message: Buffer; id: number } {
  const id = randomInt(0x10000);
  const message = Buffer.from(bytes);
  message.writeUInt16BE(id, 0);
  return { message, id };
}

/** The asker's id back, when the message answers the question. */
function restored(reply: Buffer, id: number, query: Query): Buffer | undefined {
  if (reply.length < headerSize || reply.readUInt16BE(0) !== id || !isResponse(reply)) return undefined;
  if (!isAbout(reply, query)) return undefined;
  const restoredReply = Buffer.from(reply);
  restoredReply.writeUInt16BE(query.bytes.readUInt16BE(0), 0);
  return restoredReply;
}

/** Whether it repeats the question. A server that did not understand it may leave it out. */
function isAbout(reply: Buffer, { bytes, end }: Query): boolean {
  const failed = (reply.readUInt8(3) & 0xf) !== 0;
  if (reply.readUInt16BE(4) === 0) return failed;
  const question = (message: Buffer) => message.toString("latin1", headerSize, end).toLowerCase();
  return reply.length >= end && question(reply) === question(bytes);
}

/** A server is named by its address already. */
const sameAddress = (server: string, _: unknown, done: (error: null, address: string, family: number) => void) =>
  done(null, server, isIPv6(server) ? 6 : 4);

/** A socket of its own for each question: its port is the kernel's random choice, and only the server's messages come in. */
export const askUdp: Ask = (server, port, query) => {
  const { message, id } = disguised(query);
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  const socket = createSocket({ type: isIPv6(server) ? "udp6" : "udp4", lookup: sameAddress });
  let open = true;
  const end = (reply?: Buffer) => {
    if (open) socket.close();
    open = false;
    resolve(reply);
  };
  socket.on("error", () => end());
  socket.on("message", (bytes) => {
    const reply = restored(bytes, id, query);
    if (reply) end(reply);
  });
  // Node tells the callback, too, that there is no way to the server: ENETUNREACH and the like.
  socket.connect(port, server, (error?: Error) => {
    if (error) end();
    else if (open) socket.send(message);
  });
  return { reply: promise, cancel: end };
};

export const askTcp: Ask = (server, port, query) => {
  const { message, id } = disguised(query);
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  const socket = connect({ host: server, port });
  const end = (reply?: Buffer) => {
    socket.destroy();
    resolve(reply);
  };
  const stream = new Stream();
  socket.on("error", () => end());
  socket.on("close", () => end());
  socket.on("data", (chunk: Buffer) => {
    const reply = stream
      .add(chunk)
      ?.map((bytes) => restored(bytes, id, query))
      .find((found) => found !== undefined);
    if (reply) end(reply);
  });
  socket.write(withLength(message));
  return { reply: promise, cancel: end };
};
