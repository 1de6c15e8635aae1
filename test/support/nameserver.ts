import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { type Answer, decode, encode } from "dns-packet";
import type { Random } from "./endurance/random.ts";

/** What a name server does other than answer with its address. */
export interface Behaviour {
  readonly address?: string;
  /** Answers are a CNAME to this name and its address. */
  readonly alias?: string;
  readonly rcode?: number;
  readonly silent?: boolean;
  /** By UDP only a part of the answer. */
  readonly truncate?: boolean;
  /** Sends answers with other ids and to other questions before the right one. */
  readonly forge?: boolean;
  /** Sends random bytes, and answers with random changes. */
  readonly noise?: Random;
}

interface Asked {
  readonly way: "udp" | "tcp";
  readonly name: string | undefined;
  readonly id: number | undefined;
  /** The asker's port. */
  readonly port: number;
  /** The size of datagrams that EDNS says, if it does. */
  readonly edns: number | undefined;
}

/** A name server on loopback that knows one address for everything. */
export class Nameserver {
  readonly address: string;
  readonly asked: Asked[] = [];
  readonly #udp: DatagramSocket;
  readonly #tcp: Server;
  readonly #connections = new Set<Socket>();
  #behaviour: Behaviour;

  private constructor(address: string, behaviour: Behaviour) {
    this.address = address;
    this.#behaviour = behaviour;
    this.#udp = createSocket("udp4");
    this.#tcp = createServer((socket) => this.#welcome(socket));
  }

  static async listen(address: string, port: number, behaviour: Behaviour): Promise<Nameserver> {
    const server = new Nameserver(address, behaviour);
    server.#udp.on("message", (question, from) => {
      for (const answer of server.#answers(question, "udp", from.port))
        server.#udp.send(answer, from.port, from.address);
    });
    server.#udp.bind(port, address);
    server.#tcp.listen(port, address);
    await Promise.all([once(server.#udp, "listening"), once(server.#tcp, "listening")]);
    return server;
  }

  behave(behaviour: Behaviour): void {
    this.#behaviour = behaviour;
  }

  async close(): Promise<void> {
    if (!this.#tcp.listening) return;
    for (const socket of this.#connections) socket.destroy();
    this.#udp.close();
    this.#tcp.close();
    await once(this.#tcp, "close");
  }

  #welcome(socket: Socket): void {
    this.#connections.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => this.#connections.delete(socket));
    socket.on("data", (bytes) => {
      const question = Buffer.from(bytes).subarray(2);
      for (const answer of this.#answers(question, "tcp", socket.remotePort ?? 0))
        socket.write(Buffer.concat([Buffer.of(answer.length >> 8, answer.length & 255), answer]));
    });
  }

  #answers(bytes: Buffer, way: "udp" | "tcp", port: number): Buffer[] {
    const { silent, forge, noise } = this.#behaviour;
    const question = read(bytes);
    if (!question) return [];
    const name = question.questions?.[0]?.name;
    const opt = question.additionals?.find((record) => record.type === "OPT");
    const edns = opt && "udpPayloadSize" in opt ? opt.udpPayloadSize : undefined;
    this.asked.push({ way, name, id: question.id, port, edns });
    if (silent) return [];
    const right = this.#answer(question, way);
    if (noise) {
      const cut = right.subarray(0, noise.below(right.length));
      return [randomBytes(noise), changed(noise, right), changed(noise, right), cut];
    }
    if (!forge) return [right];
    const wrongId = Buffer.from(right);
    wrongId.writeUInt16BE((wrongId.readUInt16BE(0) + 1) & 0xffff, 0);
    const evil: Answer = { type: "A", name: "evil", data: "192.0.2.66" };
    const wrongQuestion = encode({
      type: "response",
      id: question.id ?? 0,
      questions: [{ type: "A", name: "evil" }],
      answers: [evil],
    });
    return [wrongId, wrongQuestion, bytes, Buffer.alloc(3), right];
  }

  #answer(question: ReturnType<typeof decode>, way: "udp" | "tcp"): Buffer {
    const { rcode = 0, truncate, alias, address = "192.0.2.1" } = this.#behaviour;
    const cut = truncate === true && way === "udp";
    const name = question.questions?.[0]?.name ?? "";
    const answers: Answer[] = [
      ...(alias ? [{ type: "CNAME" as const, name, ttl: 300, data: alias }] : []),
      { type: "A", name: alias ?? name, ttl: 60, data: address },
    ];
    const additionals = question.additionals?.filter((record) => record.type === "OPT") ?? [];
    const none = rcode !== 0 || cut;
    return encode({
      type: "response",
      id: question.id ?? 0,
      flags: 0x0180 | rcode | (cut ? 0x0200 : 0),
      questions: question.questions ?? [],
      answers: none ? [] : answers,
      additionals,
    });
  }
}

/** Undefined for what is malformed: others than dig ask us, too. */
function read(bytes: Buffer): ReturnType<typeof decode> | undefined {
  try {
    return decode(bytes);
  } catch {
    return undefined;
  }
}

function randomBytes(random: Random): Buffer {
  return Buffer.from(Array.from({ length: random.below(600) }, () => random.below(256)));
}

function changed(random: Random, bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  for (let change = 0; change < 4; change++) copy[2 + random.below(copy.length - 2)] = random.below(256);
  return copy;
}
