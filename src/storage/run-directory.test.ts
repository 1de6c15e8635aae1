import assert from "node:assert/strict";
import { chmodSync, chownSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { checkRun, makeRun } from "./run-directory.ts";

const uid = process.getuid?.() || 4711;
let tmp: string;
let run: string;

beforeEach(() => {
  tmp = mkdtempSync(join(tmpdir(), "sampan-run-"));
  run = join(tmp, `sampan-${uid}-abcdef`);
});
afterEach(() => rmSync(tmp, { recursive: true }));

const refused = (pattern: RegExp, of = uid) =>
  assert.throws(() => checkRun({ run }, { uid: of, tmp }), { kind: "denied", message: pattern });

test("a run directory below /tmp that is a link, a file, or others may use is refused", () => {
  checkRun({ run }, { uid, tmp });
  mkdirSync(join(tmp, "theirs"));
  symlinkSync("theirs", run);
  refused(/sampan-\d+-abcdef for sockets: it is a symbolic link\. .*XDG_RUNTIME_DIR/);
  rmSync(run);
  writeFileSync(run, "");
  refused(/it is no directory/);
  rmSync(run);
  mkdirSync(run);
  chownSync(run, uid, -1);
  chmodSync(run, 0o750);
  refused(/its mode is 750, not 700/);
  chmodSync(run, 0o700);
  checkRun({ run }, { uid, tmp });
});

test("one that belongs to somebody else is refused", () => {
  const owner = process.getuid?.() ?? 0;
  run = join(tmp, `sampan-${owner + 1}`);
  mkdirSync(run, { mode: 0o700 });
  refused(new RegExp(`it belongs to the user ${owner}, not to you \\(${owner + 1}\\)`), owner + 1);
});

test("it is made for its user alone; elsewhere, and for root, everything is as it was chosen", () => {
  const elsewhere = join(tmp, "chosen/run");
  makeRun({ run: elsewhere }, { uid, tmp });
  assert.equal(lstatSync(elsewhere).mode & 0o777, 0o700);
  chmodSync(elsewhere, 0o755);
  checkRun({ run: elsewhere }, { uid, tmp });
  mkdirSync(run, { mode: 0o755 });
  checkRun({ run }, { uid: 0, tmp });
});
