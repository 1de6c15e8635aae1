import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { SampanError } from "../errors/index.ts";
import { checkLogin } from "./login.ts";

/** A registry's front door on a loopback port, for as long as `use` takes. */
async function registry(door: RequestListener, use: (serveraddress: string) => Promise<void>): Promise<void> {
  const server = createServer(door).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

const basic: RequestListener = (request, response) => {
  const wanted = `Basic ${Buffer.from("me:secret").toString("base64")}`;
  if (request.headers.authorization === wanted) response.end("{}");
  else response.writeHead(401, { "WWW-Authenticate": 'Basic realm="x"' }).end("{}");
};

const bearer: RequestListener = (request, response) => {
  const { host, authorization = "" } = request.headers;
  if (request.url?.startsWith("/token")) {
    const known = authorization === `Basic ${Buffer.from("me:secret").toString("base64")}`;
    response.writeHead(known ? 200 : 401).end(known ? '{"token":"abc"}' : "{}");
  } else if (authorization === "Bearer abc") response.end("{}");
  else response.writeHead(401, { "WWW-Authenticate": `Bearer realm="http://${host}/token",service="x"` }).end("{}");
};

for (const [scheme, door] of [
  ["Basic", basic],
  ["Bearer", bearer],
] as const) {
  test(`${scheme}: the right password is taken, a wrong one denied`, async () => {
    await registry(door, async (serveraddress) => {
      await checkLogin({ username: "me", password: "secret", serveraddress });
      await assert.rejects(
        checkLogin({ username: "me", password: "wrong", serveraddress }),
        (error) => error instanceof SampanError && error.kind === "denied",
      );
    });
  });
}

test("a registry that asks nobody takes everybody", async () => {
  await registry(
    (_request, response) => response.end("{}"),
    (serveraddress) => checkLogin({ username: "me", password: "any", serveraddress }),
  );
});

test("a registry that does not answer is unavailable", async () => {
  await assert.rejects(
    checkLogin({ username: "me", password: "any", serveraddress: "127.0.0.1:1" }),
    (error) => error instanceof SampanError && error.kind === "unavailable",
  );
});
