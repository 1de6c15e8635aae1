import assert from "node:assert/strict";
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { test } from "node:test";
import type { HttpRequest, Send } from "./http.ts";
import { withRedirects } from "./redirect.ts";

const authorization = "Bearer secret";
const start: HttpRequest = {
  method: "GET",
  url: new URL("https://registry.test/v2/a/blobs/x"),
  headers: { authorization, range: "bytes=5-" },
  insecure: false,
};

function recorder(locations: Record<string, string>): { send: Send; seen: HttpRequest[] } {
  const seen: HttpRequest[] = [];
  const send: Send = async (request) => {
    seen.push(request);
    const location = locations[request.url.href];
    const head = location === undefined ? { status: 200, headers: {} } : { status: 307, headers: { location } };
    return { ...head, url: request.url, body: new IncomingMessage(new Socket()), bytes: Buffer.alloc(0) };
  };
  return { send, seen };
}

test("credentials stay with their host, the range goes along", async () => {
  const { send, seen } = recorder({
    "https://registry.test/v2/a/blobs/x": "/other",
    "https://registry.test/other": "https://cdn.test/blob",
    "https://cdn.test/blob": "https://registry.test/back",
  });
  await withRedirects(send)(start);
  assert.deepEqual(
    seen.map(({ headers }) => headers.authorization),
    [authorization, authorization, undefined, undefined],
  );
  assert.ok(seen.every(({ headers }) => headers.range === "bytes=5-"));
});

test("another port or scheme is another host", async () => {
  const { send, seen } = recorder({ [start.url.href]: "https://registry.test:8443/x" });
  await withRedirects(send)(start);
  assert.equal(seen[1]?.headers.authorization, undefined);
});

test("TLS is not left, circles end, nonsense is refused", async () => {
  const to = (location: string) => withRedirects(recorder({ [start.url.href]: location }).send)(start);
  await assert.rejects(to("http://registry.test/x"), { kind: "denied" });
  await assert.rejects(to(start.url.href), /more than 10 redirects/);
  await assert.rejects(to("file:///etc/passwd"), { kind: "unavailable" });
  await assert.rejects(to("https://["), { kind: "unavailable" });
});
