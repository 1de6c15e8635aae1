/** Asks 127.0.0.11 for a name, many times, so many at once, and prints the seconds that it took. Run inside a container's network. */
import { createSocket } from "node:dgram";
import { encode } from "dns-packet";

const [name = "", count = "0", atOnce = "1"] = process.argv.slice(2);
const question = encode({ type: "query", id: 1, flags: 0x100, questions: [{ type: "A", name }] });
const socket = createSocket("udp4");
let asked = 0;
let answered = 0;

function ask(): void {
  asked++;
  socket.send(question);
}

socket.connect(53, "127.0.0.11", () => {
  const start = performance.now();
  socket.on("message", () => {
    if (++answered === Number(count)) {
      process.stdout.write(`${(performance.now() - start) / 1000}\n`);
      socket.close();
    } else if (asked < Number(count)) ask();
  });
  for (let first = 0; first < Number(atOnce); first++) ask();
});
