/** A name server that knows one address for everything. Prints its port; ends with its standard input. */
import { createSocket } from "node:dgram";

const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]);
const socket = createSocket("udp4");
socket.on("message", (question, from) => {
  const answer = Buffer.concat([question, record]);
  answer.writeUInt16BE(0x8180, 2);
  answer.writeUInt16BE(1, 6);
  socket.send(answer, from.port, from.address);
});
socket.bind(0, "127.0.0.1", () => process.stdout.write(`${socket.address().port}\n`));
process.stdin.on("end", () => socket.close()).resume();
