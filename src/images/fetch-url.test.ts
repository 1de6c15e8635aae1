import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { fetchUrl } from "./fetch-url.ts";

async function served<T>(listener: RequestListener, use: (url: string) => Promise<T>): Promise<T> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

const read = async (body: AsyncIterable<Uint8Array>) => Buffer.concat(await Array.fromAsync(body)).toString();
const { signal } = new AbortController();

test("who begins to read late misses nothing, whatever was collected meanwhile", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const text = await served(
    (_, response) => response.end("FROM busybox\n"),
    async (url) => {
      const { body } = await fetchUrl(url, signal);
      for (let round = 0; round < 5; round++) {
        collect();
        await delay(10);
      }
      return await read(body);
    },
  );
  assert.equal(text, "FROM busybox\n");
});

test("what is not there, and what breaks off, is an error that names the URL", async () => {
  await served(
    (_, response) => response.writeHead(404).end("no"),
    (url) =>
      assert.rejects(fetchUrl(url, signal), {
        kind: "unavailable",
        message: `Cannot download ${url}: the answer is 404`,
      }),
  );
  await served(
    (_, response) => {
      response.writeHead(200, { "content-length": 10 }).write("half");
      setTimeout(() => response.destroy(), 20);
    },
    async (url) => {
      const { body } = await fetchUrl(url, signal);
      await assert.rejects(read(body), { kind: "unavailable", message: /^Cannot download http:.*: ./ });
    },
  );
});

test("who aborts gets the reason back", async () => {
  const controller = new AbortController();
  await served(
    (_, response) => response.writeHead(200).write("half"),
    async (url) => {
      const { body } = await fetchUrl(url, controller.signal);
      setTimeout(() => controller.abort(new Error("no longer wanted")), 20);
      await assert.rejects(read(body), { message: "no longer wanted" });
    },
  );
});

test("what nobody begins to read is given up", async () => {
  const left = Promise.withResolvers<void>();
  await served(
    (_, response) => response.on("close", left.resolve).writeHead(200).write("begun"),
    async (url) => {
      await (await fetchUrl(url, signal))[Symbol.asyncDispose]();
      await left.promise;
    },
  );
});

test("a user and password are sent, and not told", async () => {
  await served(
    ({ headers, url }, response) => {
      const login = Buffer.from(headers.authorization?.split(" ")[1] ?? "", "base64").toString();
      response.writeHead(url === "/there" ? 200 : 404).end(login);
    },
    async (url) => {
      const secret = url.replace("//", "//me:p%40ss@");
      assert.equal(await read((await fetchUrl(`${secret}there`, signal)).body), "me:p@ss");
      const message = `Cannot download ${url.replace("//", "//xxxxx@")}: the answer is 404`;
      await assert.rejects(fetchUrl(secret, signal), { message });
    },
  );
});
