/**
 * Makes the code cache of dist/cli.cjs: runs one `sampan run` from beginning to end in this process, then asks V8 for the compiled code of
 * all that was used. The daemon it talks to is a few canned answers: what matters is what the command line executes.
 * Usage: warm-up.ts DIST
 */
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { Socket } from "node:net";
import { join } from "node:path";

const dist = process.argv[2] ?? "dist";
const socketPath = join(dist, ".warm-up.sock");
const stub = join(dist, "sampan.cjs");
const require = createRequire(import.meta.url);

let attached: Socket | undefined;
let endWait: (() => void) | undefined;

const server = createServer((request, response) => {
  const { url = "" } = request;
  if (url.startsWith("/containers/create")) response.end('{"Id":"warm","Warnings":[]}');
  else if (url.includes("/wait")) {
    response.flushHeaders();
    endWait = () => response.end('{"StatusCode":0}');
  } else {
    response.writeHead(204).end();
    attached?.end();
    endWait?.();
  }
});
server.on("upgrade", (_request, socket: Socket) => {
  const type = "application/vnd.docker.multiplexed-stream";
  socket.write(`HTTP/1.1 101 UPGRADED\r\nContent-Type: ${type}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`);
  attached = socket;
});

rmSync(socketPath, { force: true });
server.listen(socketPath, () => {
  process.execve = () => {
    const { cache, script } = require(stub);
    writeFileSync(`${cache}.new`, script.createCachedData());
    renameSync(`${cache}.new`, cache);
    rmSync(socketPath, { force: true });
    process.exit(0);
  };
  process.argv = [process.execPath, stub, "--host", `unix://${socketPath}`, "run", "--rm", "warm", "true"];
  require(stub);
});
