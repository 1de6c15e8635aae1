import assert from "node:assert/strict";
import { constants as fsConstants } from "node:fs";
import { constants } from "node:os";
import { test } from "node:test";
import { kindOf } from "../errors/index.ts";
import { describeErrno, errnoName, errnoNumber, errnos, errnoText } from "./errno.ts";
import * as flags from "./flags.ts";
import { isRlimitName, rlimits } from "./rlimits.ts";
import { parseSignal, signalName, signals } from "./signals.ts";

test("the errno table agrees with the C library that Node was built against", () => {
  for (const [name, number] of Object.entries(constants.errno)) {
    if (name in errnos) assert.equal(errnoNumber(name as keyof typeof errnos), number, name);
  }
  assert.equal(errnoName(2), "ENOENT");
  assert.equal(errnoText(2), "no such file or directory");
  assert.equal(describeErrno(1), "EPERM (operation not permitted)");
  assert.equal(describeErrno(517), "517 (error 517)");
});

test("the signal table agrees with the C library that Node was built against", () => {
  for (const [name, number] of Object.entries(constants.signals)) assert.equal(parseSignal(name), number, name);
});

test("open(2)'s and inode constants agree with the C library that Node was built against", () => {
  const ours = new Map(Object.entries(flags));
  let compared = 0;
  for (const [name, value] of Object.entries(fsConstants)) {
    if (!/^(O_|S_IF|[FRWX]_OK$)/.test(name) || !ours.has(name)) continue;
    assert.equal(ours.get(name), value, name);
    compared++;
  }
  assert.ok(compared > 20, `only ${compared} compared`);
});

test("signals are read as Docker reads them", () => {
  for (const text of ["15", "TERM", "term", "SIGTERM", "sigterm"]) assert.equal(parseSignal(text), 15, text);
  assert.equal(parseSignal("RTMIN"), 34);
  assert.equal(parseSignal("SIGRTMIN+15"), 49);
  assert.equal(parseSignal("rtmax-14"), 50);
  assert.equal(parseSignal("64"), 64);
  for (const text of ["0", "65", "", "SIG", "FOO", "-1", "1.5", "RTMIN+16", "RTMAX-15", "RTMAX+1", "toString"]) {
    assert.throws(
      () => parseSignal(text),
      (error: Error) => kindOf(error) === "invalid" && error.message === `invalid signal: ${text}`,
    );
  }
});

test("signal numbers have names", () => {
  for (const [name, number] of Object.entries(signals)) assert.equal(signalName(number), name);
  assert.equal(signalName(34), "SIGRTMIN");
  assert.equal(signalName(37), "SIGRTMIN+3");
  assert.equal(signalName(64), "SIGRTMAX");
  assert.equal(signalName(0), "0");
});

test("rlimit names are a closed set", () => {
  assert.ok(isRlimitName("nofile"));
  assert.ok(!isRlimitName("constructor"));
  assert.equal(rlimits.nofile, 7);
});
