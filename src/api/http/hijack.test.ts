import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import type { Hijack } from "./hijack.ts";
import { hijackHeader } from "./raw-answers.ts";
import { readRawBody } from "./raw-body.ts";
import { createApiServer } from "./server.ts";

const directory = mkdtempSync(join(tmpdir(), "sampan-hijack-"));
const path = join(directory, "socket");

/** Tells the request's body, then repeats what it is sent until its end, then says goodbye. */
const repeat: Hijack = async (request, socket, head) => {
  const { body, rest } = await readRawBody(request.headers, socket, head);
  if (rest.length > 0) socket.unshift(rest);
  socket.write(hijackHeader({}, request.headers.upgrade !== undefined, true));
  socket.write(`body=${body} `);
  socket.on("data", (chunk) => socket.write(chunk));
  socket.on("end", () => socket.end(" bye"));
};

const server = createApiServer((request, response) => response.end(`usual ${request.url}`), repeat);

before(async () => {
  server.listen(path);
  await once(server, "listening");
});

after(() => {
  server.close();
  server.closeAllConnections();
  rmSync(directory, { recursive: true });
});

async function open(): Promise<Socket> {
  const socket = connect({ path, allowHalfOpen: true });
  await once(socket, "connect");
  return socket;
}

/** Sends pieces one by one, then closes our half; everything that was answered. */
async function exchange(...pieces: string[]): Promise<string> {
  const socket = await open();
  const answer = text(socket);
  for (const piece of pieces) {
    socket.write(piece);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  socket.end();
  return answer;
}

const upgrade = "Connection: Upgrade\r\nUpgrade: tcp\r\n";
const post = (headers: string, target = "/containers/a/attach?stdin=1"): string =>
  `POST ${target} HTTP/1.1\r\nHost: d\r\n${headers}\r\n`;

test("with Upgrade the answer is 101 and names the kind of stream", async () => {
  assert.equal(
    await exchange(post(upgrade), "in"),
    "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n" +
      "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\nbody= in bye",
  );
});

test("without Upgrade the answer is 200 and the connection is taken all the same", async () => {
  assert.equal(
    await exchange(post("", "/v1.24/containers/a/attach"), "in"),
    "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\nbody= in bye",
  );
});

test("input that came with the header is input, even if it looks like a request", async () => {
  const looks = "GET /info HTTP/1.1\r\nHost: d\r\n\r\n";
  for (const headers of ["", upgrade]) {
    const answer = await exchange(post(headers) + looks, "more");
    assert.ok(answer.endsWith(`\r\n\r\nbody= ${looks}more bye`), answer);
  }
});

test("a body is told from the input behind it, wherever the pieces are cut", async () => {
  const start = "/exec/a/start";
  for (const headers of ["", upgrade]) {
    const fixed = await exchange(`${post(`${headers}Content-Length: 4\r\n`, start)}BO`, "DYin", "put");
    assert.ok(fixed.endsWith("body=BODY input bye"), fixed);
    const chunked = `${headers}Transfer-Encoding: chunked\r\n`;
    const pieces = await exchange(
      `${post(chunked, start)}2\r\nBO\r`,
      "\n2;x=y\r\nDY\r\n0\r\nTrailer: x\r",
      "\n\r\nin",
      "put",
    );
    assert.ok(pieces.endsWith("body=BODY input bye"), pieces);
  }
});

test("a connection that has served other requests can still be taken", async () => {
  const socket = await open();
  socket.write("GET /info HTTP/1.1\r\nHost: d\r\n\r\n");
  const [first] = await once(socket, "data");
  assert.match(String(first), /usual \/info$/);
  const answer = text(socket);
  socket.end(`${post("")}in`);
  assert.match(await answer, /body= in bye$/);
});

test("any other request is the server's, with Upgrade or without", async () => {
  for (const headers of ["", upgrade]) {
    const answer = await exchange(`${post(headers, "/other").trimEnd()}\r\nConnection: close\r\n\r\n`);
    assert.match(answer, /usual \/other$/);
  }
  assert.match(await exchange("GET /containers/a/attach HTTP/1.1\r\nHost: d\r\n\r\n"), /usual/);
});

test("a client that closes its half of the connection is answered", async () => {
  assert.match(await exchange("GET /info HTTP/1.1\r\nHost: d\r\n\r\n"), /usual \/info$/);
});

test("what is not HTTP gets an answer and a closed connection", async () => {
  const answer = await exchange("hello\r\n\r\n");
  assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
  assert.match(answer, /\{"message":"malformed HTTP request/);
});
