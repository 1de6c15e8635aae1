/**
 * A name server for tests that knows a few names, as a program: `node zone.ts ADDRESS ZONE`, where ZONE is JSON: a name (in
 * lower case) to { "a": [addresses], "aaaa": […], "cname": name, "ttl": seconds }. Other names do not exist. Over UDP and TCP.
 */
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { type Answer, decode, encode } from "dns-packet";

interface Entry {
  readonly a?: readonly string[];
  readonly aaaa?: readonly string[];
  readonly cname?: string;
  readonly ttl?: number;
}

const [address = "127.0.0.1", text = "{}"] = process.argv.slice(2);
const zone = JSON.parse(text) as Readonly<Record<string, Entry>>;

function answers(name: string, kind: string): Answer[] {
  const entry = zone[name.toLowerCase()];
  const ttl = entry?.ttl ?? 60;
  if (entry?.cname !== undefined)
    return [{ type: "CNAME", name, ttl, data: entry.cname }, ...answers(entry.cname, kind)];
  if (kind === "A") return (entry?.a ?? []).map((data) => ({ type: "A", name, ttl, data }));
  return kind === "AAAA" ? (entry?.aaaa ?? []).map((data) => ({ type: "AAAA", name, ttl, data })) : [];
}

function reply(message: Buffer): Buffer {
  const question = decode(message);
  const [asked] = question.questions ?? [];
  const known = asked !== undefined && zone[asked.name.toLowerCase()] !== undefined;
  return encode({
    type: "response",
    id: question.id ?? 0,
    flags: 0x0180 | (known ? 0 : 3),
    questions: question.questions ?? [],
    answers: asked ? answers(asked.name, asked.type) : [],
  });
}

const udp = createSocket("udp4");
udp.on("message", (message, from) => udp.send(reply(message), from.port, from.address));
udp.bind(53, address);
createServer((socket) => {
  socket.on("error", () => {});
  socket.on("data", (bytes: Buffer) => {
    const answer = reply(bytes.subarray(2));
    socket.write(Buffer.concat([Buffer.of(answer.length >> 8, answer.length & 0xff), answer]));
  });
}).listen(53, address, () => process.stdout.write("ready\n"));
