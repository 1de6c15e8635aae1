import assert from "node:assert/strict";
import { test } from "node:test";
import { Program } from "./program.ts";
import { hostArch, syscallNumber } from "./syscalls/index.ts";
import { header, op, step, stepFlag } from "./wire.ts";

function stepAt(bytes: Buffer, index: number): Buffer {
  return bytes.subarray(header.size + index * step.size, header.size + (index + 1) * step.size);
}

test("a system call becomes one step of 80 bytes with its number and arguments", () => {
  const p = new Program("test");
  p.call("openat", [-100, p.text("/etc"), 0x80000], { note: "open" });
  const bytes = p.encode();
  const first = stepAt(bytes, 0);
  assert.equal(bytes.readUInt32LE(header.steps), 2); // and `end`
  assert.equal(first.readUInt16LE(step.op), op.sys);
  assert.equal(first.readUInt32LE(step.number), syscallNumber("openat", hostArch()));
  assert.equal(first.readBigInt64LE(step.args), -100n);
  assert.deepEqual([...first.subarray(step.kinds, step.kinds + 3)], [0, 1, 0]);
});

test("pointers between parts of the block become relocations", () => {
  const p = new Program("test");
  const argv = p.strings(["a", "b"]);
  const bytes = p.encode();
  assert.equal(bytes.readUInt32LE(header.relocations), 2);
  assert.equal(argv.size, 24);
});

test("the results region follows the data, and slots keep their place in it", () => {
  const p = new Program("test");
  p.text("constant");
  const first = p.slot();
  const second = p.buffer(10);
  const bytes = p.encode();
  const dataSize = bytes.readUInt32LE(header.dataSize);
  assert.equal(bytes.readUInt32LE(header.resultOffset), dataSize);
  assert.equal(bytes.readUInt32LE(header.resultSize), 24);
  assert.deepEqual([first.address.offset, second.offset], [0, 8]);
});

test("the steps of a child come after all of the parent's, and end in exit", () => {
  const p = new Program("test");
  p.clone({ flags: 0, note: "clone" }, () => p.call("getpid", [], { note: "in the child" }));
  p.call("getppid", [], { note: "in the parent" });
  p.encode();
  assert.deepEqual(
    p.order.map(({ op: name, call }) => call ?? name),
    ["clone", "getppid", "end", "getpid", "exit"],
  );
  assert.deepEqual(
    p.steps[0]?.child?.map(({ op: name }) => name),
    ["sys", "exit"],
  );
});

test("a label is where the next step of its process is", () => {
  const p = new Program("test");
  const end = p.label();
  p.call("getpid", [], { note: "may fail", tolerate: ["ENOENT"], orElse: end });
  p.call("getppid", [], { note: "skipped" });
  p.place(end);
  const bytes = p.encode();
  assert.equal(stepAt(bytes, 0).readUInt32LE(step.target), 2);
  assert.ok(stepAt(bytes, 0).readUInt16LE(step.flags) & stepFlag.orElse);
});

test("a label that is never placed is a defect that encoding reports", () => {
  const p = new Program("test");
  p.call("getpid", [], { note: "may fail", tolerate: ["ENOENT"], orElse: p.label() });
  assert.throws(() => p.encode(), /placed nowhere/);
});
