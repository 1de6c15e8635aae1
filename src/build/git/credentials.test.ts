import assert from "node:assert/strict";
import { test } from "node:test";
import { authHeaders } from "./credentials.ts";
import { parseGitReference } from "./reference.ts";

function headersOf(url: string, secrets: Readonly<Record<string, string>>): Record<string, string> {
  const reference = parseGitReference(url);
  assert.ok(reference);
  const all = new Map(Object.entries(secrets).map(([id, text]) => [id, Buffer.from(text)]));
  return Object.fromEntries(authHeaders(reference, all).map(({ scope, header }) => [scope, header]));
}

const basic = (login: string) => `Authorization: basic ${Buffer.from(login).toString("base64")}`;

test("secrets go to the repository's server, those of a host to that host", () => {
  const url = "https://h:1/a.git";
  assert.deepEqual(headersOf(url, {}), {});
  assert.deepEqual(headersOf(url, { GIT_AUTH_TOKEN: "t\n", other: "x" }), {
    "https://h:1/": basic("x-access-token:t"),
  });
  assert.deepEqual(headersOf(url, { GIT_AUTH_TOKEN: "t", GIT_AUTH_HEADER: "bearer b" }), {
    "https://h:1/": "Authorization: bearer b",
  });
  assert.deepEqual(headersOf(url, { "GIT_AUTH_TOKEN.h:1": "own", GIT_AUTH_HEADER: "all", "GIT_AUTH_TOKEN.i": "i" }), {
    "https://h:1/": basic("x-access-token:own"),
    "https://i/": basic("x-access-token:i"),
  });
  assert.deepEqual(headersOf("http://me:pw@h/a.git", { GIT_AUTH_TOKEN: "t" }), { "http://h/": basic("me:pw") });
  assert.deepEqual(headersOf("git@h:a", { GIT_AUTH_TOKEN: "t" }), {});
});

test("a secret is one line", () => {
  assert.throws(
    () => headersOf("https://h/a.git", { GIT_AUTH_HEADER: "a\r\nX-Other: b" }),
    (error: Error) => /GIT_AUTH_HEADER/.test(error.message) && !error.message.includes("X-Other"),
  );
});
