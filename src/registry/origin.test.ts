import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { suite, test } from "node:test";
import { RegistryClient } from "./client.ts";
import { httpCore } from "./http.ts";
import { findOrigin } from "./origin.ts";
import { parseReference } from "./reference.ts";

/** A server on loopback; each of its connections is handled by the next function, the rest by the last. */
async function asked(
  handlers: ((socket: Socket) => void)[],
  use: (domain: string) => Promise<void>,
): Promise<{ readonly connections: number }> {
  let connections = 0;
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket.on("error", () => {}));
    handlers[Math.min(connections++, handlers.length - 1)]?.(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await use(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.close();
    for (const socket of open) socket.destroy();
  }
  return { connections };
}

const resets = (socket: Socket) => socket.once("data", () => socket.resetAndDestroy());
const answers = (text: string) => (socket: Socket) => socket.on("data", () => socket.write(text));
const accepted = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
const plain = answers(accepted);
/** Go's servers say so to whoever speaks plain HTTP on their TLS port. */
const wantsTls = answers("HTTP/1.0 400 Bad Request\r\nContent-Length: 4\r\n\r\nTLS!");

suite("how a registry is spoken to", () => {
  async function protocolOf(...handlers: ((socket: Socket) => void)[]): Promise<string> {
    let protocol = "";
    const core = httpCore();
    await asked(handlers, async (domain) => {
      protocol = (await findOrigin(core.send, domain, true)).url.protocol;
    });
    core.close();
    return protocol;
  }

  test("plain HTTP answers", async () => assert.equal(await protocolOf(plain), "http:"));
  test("a server that wants TLS", async () => assert.equal(await protocolOf(wantsTls), "https:"));
  test("a connection that breaks is no sign of TLS", async () =>
    assert.equal(await protocolOf(resets, plain), "http:"));
  test("where every connection breaks, the next request tells", async () =>
    assert.equal(await protocolOf(resets), "http:"));

  test("who gives up takes nobody else along", async () => {
    const client = new RegistryClient();
    const impatient = new AbortController();
    const slow = (socket: Socket) => socket.once("data", () => setTimeout(() => socket.write(accepted), 100));
    const { connections } = await asked([slow], async (domain) => {
      const reference = parseReference(`${domain}/a`);
      const first = client.repository(reference, {}, impatient.signal);
      const second = client.repository(reference);
      impatient.abort();
      await assert.rejects(first, { kind: "cancelled" });
      await second;
    });
    client.close();
    assert.equal(connections, 1);
  });
});
