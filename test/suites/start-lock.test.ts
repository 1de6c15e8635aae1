import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

/** How many contend; each dies while it has the lock, so that all others find a dead one at the same moment. */
const contenders = 24;

/** Takes the lock, is alone where only who has it may be, and is killed there. */
const script = `
  import { closeSync, openSync, rmSync } from "node:fs";
  import { setTimeout } from "node:timers/promises";
  import { lockReleased, takeLock } from "./src/client/start-lock.ts";
  const [lock, inside] = process.argv.slice(1);
  process.stdin.once("data", async () => {
    while ((await takeLock(lock)) === undefined) await lockReleased(lock, AbortSignal.timeout(120_000));
    closeSync(openSync(inside, "wx"));
    await setTimeout(10);
    rmSync(inside);
    process.kill(process.pid, "SIGKILL");
  });
  process.stdout.write("ready");`;

test("of many who find the lock of a dead process at once one takes it", async () => {
  const directory = mkdtempSync(join(tmpdir(), "sampan-start-lock-"));
  const paths = [join(directory, "start.sock"), join(directory, "inside")];
  const words = ["--input-type=module-typescript", "-e", script, ...paths];
  const children = Array.from({ length: contenders }, () => spawn(process.execPath, words));
  try {
    const said = children.map(() => "");
    children.forEach((child, at) => {
      child.stderr.on("data", (data) => {
        said[at] += data;
      });
    });
    const ended = Promise.all(children.map((child) => once(child, "close")));
    await Promise.all(children.map((child) => once(child.stdout, "data")));
    for (const { stdin } of children) stdin.end("go");
    const ends = await ended;
    assert.deepEqual(
      ends.map(([, signal], at) => [signal, said[at]]),
      children.map(() => ["SIGKILL", ""]),
    );
    assert.deepEqual(readdirSync(directory), ["start.sock"]);
  } finally {
    for (const child of children) child.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  }
});
