import { type ErrorKind, SampanError } from "../../errors/index.ts";
import { describeErrno, type Errno, errnoName } from "../errno.ts";
import type { Session } from "../executor.ts";
import * as f from "../flags.ts";
import { Program } from "../program.ts";
import { batch } from "./batch.ts";
import { decodeMessages, NLM_F_DUMP, NLMSG_DONE, NLMSG_ERROR, type Request } from "./message.ts";

/** The kernel fills no larger datagrams in a dump, whatever the room. */
const datagramSize = 32_768;
/** Most dumps are one datagram of data and one that says it is done. */
const readsAtOnce = 2;
const attempts = 8;
const MSG_TRUNC = 0x20;
const NLM_F_DUMP_INTR = 0x10;

const kinds: Partial<Record<Errno, ErrorKind>> = {
  ENOENT: "not-found",
  ENODEV: "not-found",
  EPERM: "denied",
  EOPNOTSUPP: "unsupported",
};

/** The kernel's refusal of a question. */
export class NetlinkError extends SampanError {
  readonly errno: Errno | undefined;
  constructor(purpose: string, number: number) {
    const errno = errnoName(number);
    super((errno && kinds[errno]) ?? "internal", `Cannot ${purpose}: ${describeErrno(number)}`);
    this.name = "NetlinkError";
    this.errno = errno;
  }
}

/**
 * Asks a question (a dump, or one object) and returns the messages of the answer, behind each other. `socket` is a netlink
 * socket of the session's process at which nothing else is waiting. What changes while a dump runs makes it start over.
 * `purpose` is an infinitive. Throws `NetlinkError`.
 */
export async function query(session: Session, socket: number, request: Request, purpose: string): Promise<Uint8Array> {
  for (let attempt = 1; attempt < attempts; attempt++) {
    const answer = await ask(session, socket, request, purpose);
    if (!answer.interrupted) return answer.bytes;
  }
  throw new SampanError("unavailable", `Cannot ${purpose}: it changed during each of ${attempts} readings`);
}

async function ask(session: Session, socket: number, request: Request, purpose: string) {
  const dump = (request.flags & NLM_F_DUMP) === NLM_F_DUMP;
  let question: Uint8Array | undefined = batch([request]);
  const datagrams: Uint8Array[] = [];
  let interrupted = false;
  for (;;) {
    const received = await read(session, socket, question, purpose);
    question = undefined;
    for (const datagram of received) {
      datagrams.push(datagram);
      for (const { type, flags, payload } of decodeMessages(datagram)) {
        if ((flags & NLM_F_DUMP_INTR) !== 0) interrupted = true;
        if (type !== NLMSG_DONE && type !== NLMSG_ERROR) continue;
        const errno = payload.length >= 4 ? -new DataView(payload.buffer, payload.byteOffset, 4).getInt32(0, true) : 0;
        if (errno !== 0) throw new NetlinkError(purpose, errno);
        if (dump && type === NLMSG_ERROR) continue; // the acknowledgement that `batch` asks for, of some kernels' dumps
        return { bytes: Buffer.concat(datagrams), interrupted };
      }
    }
    if (received.length === 0) throw new SampanError("internal", `Cannot ${purpose}: the kernel's answer has no end`);
  }
}

/** One program that sends the question, if there is one, and takes what answers are there. */
async function read(
  session: Session,
  socket: number,
  question: Uint8Array | undefined,
  purpose: string,
): Promise<Uint8Array[]> {
  const p = new Program(purpose);
  return p.in("network", () => {
    if (question) p.call("sendto", [socket, p.bytes(question), question.length, 0, 0, 0], { note: "ask the kernel" });
    const buffers = Array.from({ length: readsAtOnce }, () => {
      const buffer = p.buffer(datagramSize);
      const args = [socket, buffer, datagramSize, f.MSG_DONTWAIT | MSG_TRUNC, 0, 0];
      return { buffer, size: p.sys("recvfrom", args, { note: "read the answer", tolerate: ["EAGAIN"] }) };
    });
    return session
      .run(p)
      .then((results) =>
        buffers
          .filter(({ size }) => results.value(size) > 0)
          .map(({ buffer, size }) => results.bytes(buffer, results.value(size))),
      );
  });
}
