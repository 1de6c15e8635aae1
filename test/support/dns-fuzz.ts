/** Sends odd messages to 127.0.0.11, by UDP and TCP, as many as its first argument says, with the second as seed. Run inside a container's network. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { encode } from "dns-packet";
import { Random } from "./endurance/random.ts";

const count = Number(process.argv[2]);
const choices = new Random(Number(process.argv[3]));
const random = (below: number) => choices.below(below);
const question = encode({ type: "query", id: 7, flags: 0x100, questions: [{ type: "A", name: "web.backend" }] });

/** A question with random changes, cut, or prolonged; or just bytes. */
function odd(): Buffer {
  if (random(4) === 0) return Buffer.from(Array.from({ length: random(800) }, () => random(256)));
  const bytes = Buffer.concat([question, Buffer.alloc(random(3) * random(40), random(256))]);
  for (let change = random(6); change > 0; change--) bytes[random(bytes.length)] = random(256);
  return bytes.subarray(0, random(3) === 0 ? random(bytes.length) : bytes.length);
}

const udp = createSocket("udp4");
udp.on("error", () => {});
for (let n = 0; n < count; n++) {
  udp.send(odd(), 53, "127.0.0.11");
  if (n % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
}
udp.close();
for (let n = 0; n < count / 30; n++) {
  const socket = connect(53, "127.0.0.11");
  socket.on("error", () => {});
  const closed = once(socket, "close");
  const message = odd();
  const length = random(2) === 0 ? message.length : random(65_536);
  const bytes = Buffer.concat([Buffer.of(length >> 8, length & 255), message]);
  socket.write(bytes.subarray(0, 1));
  setTimeout(() => socket.end(bytes.subarray(1)), random(3));
  setTimeout(() => socket.destroy(), 20);
  await closed;
}
