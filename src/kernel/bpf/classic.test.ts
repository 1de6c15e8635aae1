import assert from "node:assert/strict";
import { test } from "node:test";
import { ClassicAssembler, ClassicLabel, encodeClassic } from "./classic.ts";
import { checkClassic, runClassic } from "./classic-machine.ts";

function word(value: number): DataView {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, value, true);
  return view;
}

test("a branch becomes one instruction in the kernel's layout", () => {
  const code = new ClassicAssembler();
  const yes = new ClassicLabel("yes");
  code.load(0);
  code.branch("equal", 0xc000003e, { yes });
  code.return(1);
  code.place(yes);
  code.return(0x7fff0000);
  const program = code.assemble();
  assert.equal(
    Buffer.from(encodeClassic(program)).toString("hex"),
    ["2000000000000000", "150001003e0000c0", "0600000001000000", "060000000000ff7f"].join(""),
  );
  assert.equal(checkClassic(program, 4), undefined);
  assert.equal(runClassic(program, word(0xc000003e)), 0x7fff0000);
  assert.equal(runClassic(program, word(1)), 1);
});

test("branches reach further than 255 instructions, on either side and on both", () => {
  for (const filler of [250, 254, 255, 256, 300, 2000]) {
    const code = new ClassicAssembler();
    const [small, big, other] = ["small", "big", "other"].map((name) => new ClassicLabel(name));
    assert.ok(small && big && other);
    code.load(0);
    code.branch("greater", 100, { yes: big });
    code.branch("equal", 7, { no: other });
    code.branch("anyBit", 1, { yes: small, no: other });
    for (let i = 0; i < filler; i++) code.and(0xffffffff);
    code.place(small);
    code.return(1);
    for (let i = 0; i < filler; i++) code.and(0xffffffff);
    code.place(big);
    code.return(2);
    code.place(other);
    code.return(3);
    const program = code.assemble();
    assert.equal(checkClassic(program, 4), undefined);
    assert.equal(runClassic(program, word(7)), 1, `small over ${filler}`);
    assert.equal(runClassic(program, word(0xffffffff)), 2, `big over ${filler}`);
    assert.equal(runClassic(program, word(8)), 3, `other over ${filler}`);
  }
});

test("a label before its jump, or nowhere, is a defect", () => {
  const backwards = new ClassicAssembler();
  const label = new ClassicLabel("loop");
  backwards.place(label);
  backwards.goto(label);
  assert.throws(() => backwards.assemble(), /"loop" is not placed after/);
  const missing = new ClassicAssembler();
  missing.branch("equal", 1, { yes: label });
  assert.throws(() => missing.assemble(), { kind: "internal" });
});

test("the check finds what the kernel would refuse", () => {
  const end = { code: 0x06, jt: 0, jf: 0, k: 0 };
  const check = (...program: { code: number; jt: number; jf: number; k: number }[]) => checkClassic(program, 64);
  assert.match(check() ?? "", /0 instructions/);
  assert.match(check({ ...end, code: 0x20 }) ?? "", /does not return/);
  assert.match(check({ ...end, code: 0x20, k: 62 }, end) ?? "", /load of offset 62/);
  assert.match(check({ ...end, code: 0x20, k: 64 }, end) ?? "", /load of offset 64/);
  assert.match(check({ ...end, code: 0x15, jt: 1 }, end) ?? "", /jump out/);
  assert.match(check({ ...end, code: 0x05, k: 1 }, end) ?? "", /jump out/);
  assert.match(check({ ...end, code: 0x61 }, end) ?? "", /unknown code/);
  assert.match(checkClassic(Array(4097).fill(end), 64) ?? "", /4097 instructions/);
});
