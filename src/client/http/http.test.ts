import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, test } from "node:test";
import { kindOf } from "../../errors/index.ts";
import { ImageMaking } from "../image-making.ts";
import { readText, Transport } from "../transport.ts";
import { bodyDecoder } from "./body.ts";
import { parseHead, requestHead } from "./head.ts";

const directory = mkdtempSync(join(tmpdir(), "sampan-http-"));
const servers: { close(): unknown }[] = [];
after(() => {
  for (const server of servers) server.close();
  rmSync(directory, { recursive: true });
});

async function listen(server: Server | ReturnType<typeof createHttpServer>): Promise<Transport> {
  const socketPath = join(directory, `${servers.length}.sock`);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return new Transport({ socketPath });
}

/** A server that answers every request with the same bytes, cut into pieces of a size. */
function canned(bytes: string, size = bytes.length, end = true): Promise<Transport> {
  const answer = (socket: Socket): void => {
    socket.on("error", () => {});
    socket.once("data", async () => {
      for (let at = 0; at < bytes.length; at += size) {
        socket.write(bytes.slice(at, at + size), "latin1");
        if (size < bytes.length) await new Promise(setImmediate);
      }
      if (end) socket.end();
    });
  };
  return listen(createServer(answer));
}

test("heads are read and written", () => {
  assert.deepEqual(parseHead("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nX: 1\r\nx: 2"), {
    status: 200,
    headers: { "content-type": "a/b", x: "1, 2" },
  });
  assert.throws(() => parseHead("SSH-2.0-OpenSSH"), /does not speak HTTP/);
  assert.equal(requestHead("GET", "/x", { A: "b" }), "GET /x HTTP/1.1\r\nHost: sampan\r\nA: b\r\n\r\n");
  assert.throws(() => requestHead("GET", "/x", { A: "b\r\nC: d" }), /line break/);
  for (const target of ["/x HTTP/1.1\r\n\r\nGET /y", "/a b", "/ü"]) {
    assert.throws(() => requestHead("GET", target, {}), { kind: "invalid", message: /^Cannot ask for/ });
  }
});

test("bodies end by length, by chunks or with the connection", () => {
  const decode = (headers: Record<string, string>, wire: string, size: number): [string, boolean] => {
    const decoder = bodyDecoder("GET", { status: 200, headers });
    let text = "";
    for (let at = 0; at < wire.length; at += size) {
      decoder.push(Buffer.from(wire.slice(at, at + size)), (payload) => {
        text += Buffer.from(payload);
      });
    }
    return [text, decoder.done];
  };
  const chunks = "5\r\nhello\r\nA;x=y\r\n 0123456\r\n\r\n0\r\nTrailer: x\r\n\r\n";
  for (let size = 1; size <= chunks.length; size++) {
    assert.deepEqual(decode({ "transfer-encoding": "chunked" }, chunks, size), ["hello 0123456\r\n", true]);
  }
  assert.deepEqual(decode({ "content-length": "5" }, "hello more", 3), ["hello", true]);
  assert.deepEqual(decode({}, "hello", 3), ["hello", false]);
  for (const method of ["HEAD", "GET"]) {
    const status = method === "HEAD" ? 200 : 204;
    assert.equal(bodyDecoder(method, { status, headers: { "content-length": "5" } }).done, true);
  }
  assert.throws(() => decode({ "transfer-encoding": "chunked" }, "x\r\n", 1), /chunks are malformed/);
});

test("answers may be cut anywhere", async () => {
  const answer = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"a":"b"}';
  for (const size of [1, 7, 30, answer.length]) {
    const transport = await canned(answer, size);
    assert.deepEqual(await transport.json({ method: "GET", path: "/" }), { a: "b" });
  }
});

test("errors have their kind and message, whatever the daemon answers", async () => {
  const refused = await canned('HTTP/1.1 409 Conflict\r\nContent-Length: 18\r\n\r\n{"message":"busy"}');
  await assert.rejects(refused.json({ method: "POST", path: "/" }), { kind: "conflict", message: "busy" });
  for (const broken of [
    "",
    "HTTP/1.1 200 OK\r\nContent-Le",
    "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{",
    "nonsense\r\n\r\n",
  ]) {
    const transport = await canned(broken);
    await assert.rejects(transport.json({ method: "GET", path: "/" }), (error) => error instanceof Error, broken);
  }
});

test("connections are kept, and replaced when the daemon has closed them", async () => {
  let connections = 0;
  const server = createHttpServer((_request, response) => response.end("{}"));
  server.on("connection", () => connections++);
  const transport = await listen(server);
  for (let round = 0; round < 3; round++) await transport.json({ method: "POST", path: "/", body: { round } });
  assert.equal(connections, 1);
  server.closeIdleConnections();
  assert.deepEqual(await transport.json({ method: "GET", path: "/" }), {});
  assert.equal(connections, 2);
  transport.close();
});

test("uploads arrive whole, JSON with its length, queries as asked", async () => {
  const server = createHttpServer(async (request, response) => {
    const body = await readText(request);
    const { "content-length": length, "transfer-encoding": encoding } = request.headers;
    response.end(JSON.stringify({ url: request.url, size: body.length, length, encoding }));
  });
  const transport = await listen(server);
  const upload = Readable.from(Array.from({ length: 300 }, () => Buffer.alloc(65_536, "x")));
  const sent = await transport.json<object>({ method: "POST", path: "/load", query: { quiet: 1 }, upload });
  assert.deepEqual(sent, { url: "/load?quiet=1", size: 300 * 65_536, encoding: "chunked" });
  const json = await transport.json<object>({ method: "POST", path: "/x", body: { ü: 1 } });
  assert.deepEqual(json, { url: "/x", size: 7, length: "8" });
});

test("a name cannot become another request", async () => {
  const server = createHttpServer((request, response) => response.end(JSON.stringify([{ url: request.url }])));
  const transport = await listen(server);
  const images = new ImageMaking(transport);
  const asked = async (image: string): Promise<object | undefined> => (await images.history(image))[0];
  assert.deepEqual(await asked("registry:5000/a/b@sha256:0"), {
    url: "/images/registry%3A5000/a/b%40sha256%3A0/history",
  });
  assert.deepEqual(await asked("x?force=1#\r\n"), { url: "/images/x%3Fforce%3D1%23%0D%0A/history" });
});

test("a connection is used again after an upload, whatever the answer, and not after one that was cut short", async () => {
  let connections = 0;
  const server = createHttpServer(async (request, response) => {
    if (request.url === "/early") return response.end("{}");
    await readText(request);
    response.writeHead(request.url === "/bad" ? 400 : 200).end("{}");
  });
  server.on("connection", () => connections++);
  const transport = await listen(server);
  const uploaded = () => Readable.from(Array.from({ length: 300 }, () => Buffer.alloc(65_536)));
  const send = (path: string, upload = uploaded()) => transport.json({ method: "POST", path, upload });
  await send("/good");
  await assert.rejects(send("/bad"), { kind: "invalid" });
  for (let round = 0; round < 20; round++) await send("/good", Readable.from([Buffer.from("x")]));
  assert.equal(connections, 1);
  const endless = new Readable({ read() {} });
  endless.push("x");
  await send("/early", endless);
  if (!endless.destroyed) await once(endless, "close");
  await send("/good");
  assert.equal(connections, 2);
  transport.close();
});

test("an upload that is refused early is told", async () => {
  const server = createHttpServer((_request, response) => {
    response.writeHead(400, { Connection: "close" }).end('{"message":"no"}');
  });
  const transport = await listen(server);
  const upload = Readable.from(Array.from({ length: 300 }, () => Buffer.alloc(65_536)));
  await assert.rejects(transport.json({ method: "POST", path: "/load", upload }), (error) =>
    ["invalid", "unavailable"].includes(kindOf(error)),
  );
});

test("a stream waits for its reader and ends when it is left", async () => {
  let written = 0;
  let closed = false;
  const server = createHttpServer((_request, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536))) written += 65_536;
    };
    response.on("drain", more).on("close", () => {
      closed = true;
    });
    more();
  });
  const transport = await listen(server);
  const response = await transport.send({ method: "GET", path: "/logs" });
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.ok(written < 8 << 20, `${written} bytes were taken although nobody reads`);
  for await (const chunk of response) if (chunk.length > 0) break;
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(closed, true);
});

test("a request can be taken back", async () => {
  const transport = await listen(createHttpServer(() => {}));
  const controller = new AbortController();
  const asked = transport.send({ method: "GET", path: "/wait", signal: controller.signal });
  setTimeout(() => controller.abort(new Error("enough")), 20);
  await assert.rejects(asked, /enough/);
});

test("a hijacked connection is raw from its first byte on, half-closed by either side", async () => {
  const server = createHttpServer();
  server.on("upgrade", (_request, socket) => {
    socket.write("HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n\r\nfirst ");
    let input = "";
    socket.on("data", (chunk) => {
      input += chunk;
    });
    socket.on("end", () => socket.end(`got ${input}`));
  });
  const transport = await listen(server);
  const { socket, multiplexed } = await transport.hijack({ method: "POST", path: "/attach" });
  assert.equal(multiplexed, true);
  socket.write("inp");
  socket.end("ut");
  assert.equal(await readText(socket), "first got input");
  await assert.rejects(
    (await canned("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")).hijack({ method: "POST", path: "/" }),
    /did not open a stream/,
  );
});
