import assert from "node:assert/strict";
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { test } from "node:test";
import { connectionError } from "./errors.ts";
import type { HttpRequest, HttpResponse } from "./http.ts";
import { retryAfter, withRetry } from "./retry.ts";

const url = new URL("http://registry.test/v2/");
const request: HttpRequest = { method: "GET", url, headers: {}, insecure: false };
const patience = { attempts: 3, base: 1, max: 2000 };

function answer(status: number, headers: Record<string, string> = {}): HttpResponse {
  return { status, headers, url, body: new IncomingMessage(new Socket()), bytes: Buffer.alloc(0) };
}

function sequence(...results: (HttpResponse | Error)[]) {
  let calls = 0;
  const send = async () => {
    const result = results[Math.min(calls++, results.length - 1)];
    if (result === undefined || result instanceof Error) throw result;
    return result;
  };
  return { send, calls: () => calls };
}

const broken = (code: string) => connectionError(url, Object.assign(new Error(code), { code }));

test("what heals is repeated", async () => {
  const { send, calls } = sequence(answer(503), broken("ECONNRESET"), answer(200));
  assert.equal((await withRetry(send, patience)(request)).status, 200);
  assert.equal(calls(), 3);
});

test("patience ends, with the last answer or error", async () => {
  const answers = sequence(answer(503));
  assert.equal((await withRetry(answers.send, patience)(request)).status, 503);
  assert.equal(answers.calls(), 3);
  const errors = sequence(broken("ECONNRESET"));
  await assert.rejects(withRetry(errors.send, patience)(request), { kind: "unavailable" });
  assert.equal(errors.calls(), 3);
});

test("what does not heal is not repeated", async () => {
  for (const result of [answer(404), answer(401), broken("ECONNREFUSED"), broken("ENOTFOUND")]) {
    const { send, calls } = sequence(result);
    await withRetry(send, patience)(request).catch(() => undefined);
    assert.equal(calls(), 1);
  }
});

test("Retry-After is honoured up to our patience", async () => {
  const soon = sequence(answer(429, { "retry-after": "0" }), answer(200));
  assert.equal((await withRetry(soon.send, patience)(request)).status, 200);
  const late = sequence(answer(429, { "retry-after": "3600" }), answer(200));
  assert.equal((await withRetry(late.send, patience)(request)).status, 429);
  assert.equal(late.calls(), 1);
  const now = Date.parse("2024-01-01T00:00:00Z");
  assert.equal(retryAfter(answer(429, { "retry-after": "Mon, 01 Jan 2024 00:00:07 GMT" }), now), 7000);
  assert.equal(retryAfter(answer(429, { "retry-after": "soon" }), now), undefined);
});

test("waiting ends when nobody wants the answer any more", async () => {
  const abort = new AbortController();
  const { send } = sequence(answer(503));
  const waiting = withRetry(send, { attempts: 3, base: 60_000, max: 60_000 })({ ...request, signal: abort.signal });
  abort.abort();
  await assert.rejects(waiting, { kind: "cancelled" });
});
