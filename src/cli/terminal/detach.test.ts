import assert from "node:assert/strict";
import { test } from "node:test";
import { DetachFilter, parseDetachKeys } from "./detach.ts";

test("key sequences are bytes", () => {
  assert.deepEqual([...parseDetachKeys()], [0x10, 0x11]);
  assert.deepEqual([...parseDetachKeys("a,ctrl-[,ctrl-@")], [0x61, 0x1b, 0]);
  for (const text of ["xx", "ctrl-1", "", "a,"]) assert.throws(() => parseDetachKeys(text), /invalid detach keys/);
});

async function typed(chunks: readonly string[]): Promise<{ passed: string; detached: boolean }> {
  let detached = false;
  const filter = new DetachFilter(parseDetachKeys(), () => {
    detached = true;
  });
  for (const chunk of chunks) filter.write(chunk);
  if (!detached) filter.end();
  const passed = (await filter.toArray()).join("");
  return { passed, detached };
}

test("the sequence detaches, however it arrives", async () => {
  assert.deepEqual(await typed(["ls\x10\x11"]), { passed: "ls", detached: true });
  assert.deepEqual(await typed(["a\x10", "\x11"]), { passed: "a", detached: true });
  assert.deepEqual(await typed(["\x10\x10\x11"]), { passed: "\x10", detached: true });
});

test("what only starts like the sequence reaches the container", async () => {
  assert.deepEqual(await typed(["\x10", "x"]), { passed: "\x10x", detached: false });
  assert.deepEqual(await typed(["a\x10"]), { passed: "a\x10", detached: false });
});
