/** A server on a Unix socket that answers every request with so many bytes of JSON. Says when it listens; ends with its standard input. */
import { createServer } from "node:net";

const [path = "", bytes = "0"] = process.argv.slice(2);
const body = JSON.stringify("x".repeat(Math.max(0, Number(bytes) - 2)));
const answer = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const server = createServer((socket) => socket.once("data", () => socket.end(answer)));
server.listen(path, () => process.stdout.write("ready\n"));
process.stdin.on("end", () => server.close()).resume();
