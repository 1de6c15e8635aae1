import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRegistryAuth } from "./registry-auth.ts";

const login = { username: "me", password: "p?>~ü", serveraddress: "registry.example" };
const encoded = Buffer.from(JSON.stringify(login));

function named(header: string): object {
  const { username, password, serveraddress } = parseRegistryAuth(header) ?? {};
  return { username, password, serveraddress };
}

test("base64url and standard base64 are read, padded or not", () => {
  for (const padding of ["", "="]) {
    const header = Buffer.from(JSON.stringify({ ...login, x: padding })).toString("base64");
    assert.deepEqual(named(header), login);
    assert.deepEqual(named(header.replace(/=+$/, "")), login);
  }
  assert.deepEqual(named(encoded.toString("base64url")), login);
});

test("nothing, an empty object and garbage are anonymous", () => {
  for (const header of [undefined, "", " ", "e30=", "bnVsbA==", "!!!", "eyJ1c2VybmFtZSI6M30="]) {
    assert.equal(parseRegistryAuth(header), undefined, String(header));
  }
});

test("tokens count as credentials", () => {
  const header = Buffer.from('{"identitytoken":"abc"}').toString("base64url");
  assert.equal(parseRegistryAuth(header)?.identitytoken, "abc");
});

test("the old auth member is name and password", () => {
  const auth = Buffer.from("me:a:b").toString("base64");
  const header = Buffer.from(JSON.stringify({ auth })).toString("base64url");
  assert.deepEqual(named(header), { username: "me", password: "a:b", serveraddress: undefined });
});
