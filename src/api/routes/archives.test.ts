import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, get, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { ApiReply } from "../http/fastify.ts";
import { sendArchive } from "./archives.ts";

/** Lets `answer` answer one request, and tells what the client got: its body, or undefined when the connection broke. */
async function asked(answer: (reply: ApiReply) => Promise<void>): Promise<string | undefined> {
  const done = Promise.withResolvers<void>();
  const server = createServer((_request, response: ServerResponse) => {
    const reply = { raw: response, hijack: () => reply } as unknown as ApiReply;
    answer(reply).then(done.resolve, done.reject);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = get({ port: (server.address() as AddressInfo).port, host: "127.0.0.1" });
  const body = new Promise<string | undefined>((resolve) => {
    client.once("error", () => resolve(undefined));
    client.once("response", (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.once("close", () => resolve(response.complete ? text : undefined));
      response.on("error", () => {});
    });
  });
  try {
    await done.promise;
    return await body;
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

/** An archive of three pieces; `closed` says that it was let go of. */
function archive(failure?: Error) {
  const state = { closed: false };
  async function* pieces(): AsyncGenerator<Uint8Array> {
    try {
      yield Buffer.from("1");
      yield Buffer.from("2");
      if (failure) throw failure;
      yield Buffer.from("3");
    } finally {
      state.closed = true;
    }
  }
  return { tar: pieces(), state };
}

test("an archive is sent whole", async () => {
  const { tar, state } = archive();
  assert.equal(await asked((reply) => sendArchive(reply, tar, undefined)), "123");
  assert.ok(state.closed);
});

test("an archive whose client has left before its first byte is let go of", async () => {
  const { tar, state } = archive();
  const answered = await asked(async (reply) => {
    reply.raw.destroy();
    await once(reply.raw, "close");
    await sendArchive(reply, tar, undefined);
  });
  assert.equal(answered, undefined);
  assert.ok(state.closed);
});

test("an archive that breaks off breaks the connection", async () => {
  const { tar, state } = archive(new Error("broken"));
  const answered = await asked((reply) => sendArchive(reply, tar, undefined).catch(() => {}));
  assert.equal(answered, undefined);
  assert.ok(state.closed);
});
