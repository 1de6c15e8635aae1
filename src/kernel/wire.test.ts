import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { protocolHeader } from "../../native/generate-protocol.ts";

test("native/protocol.h is what the table says", () => {
  assert.equal(readFileSync(new URL("../../native/protocol.h", import.meta.url), "utf8"), protocolHeader());
});
