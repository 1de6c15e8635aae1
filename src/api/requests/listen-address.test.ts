import assert from "node:assert/strict";
import { test } from "node:test";
import { parseListenAddress } from "./listen-address.ts";

test("where to listen", () => {
  const cases: [text: string | undefined, host: string, port: number][] = [
    [undefined, "127.0.0.1", 5000],
    ["127.0.0.1:0", "127.0.0.1", 0],
    ["192.0.2.1", "192.0.2.1", 5000],
    [":5001", "::", 5001],
    ["5001", "127.0.0.1", 5001],
    ["[::1]:80", "::1", 80],
    ["localhost:80", "localhost", 80],
  ];
  for (const [text, host, port] of cases) assert.deepEqual(parseListenAddress(text), { host, port }, text ?? "none");
  for (const text of ["::1", "example.org:80", "127.0.0.1:99999", "a:b:c", "[x]:1"]) {
    assert.throws(() => parseListenAddress(text), { kind: "invalid" }, text);
  }
});
