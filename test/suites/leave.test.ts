import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as readAll } from "node:stream/consumers";
import { suite, test } from "node:test";
import { runProgram } from "../support/process.ts";
import { requires } from "../support/requires.ts";

const leave = JSON.stringify(join(import.meta.dirname, "../../src/kernel/leave.ts"));

/** A program of Node that ends by `leave`. */
const program = (text: string) => ["--input-type=module", "-e", `import { leave } from ${leave};\n${text}`];

/** Gives V8's compiler threads much to do, and room in the heap that they have to ask the main thread for. */
const compiling = `
  const hot = Array.from({ length: 300 }, (_, n) => new Function("a", "let s = 0; for (let i = 0; i < a.length; i++) s += a[i].x * " + n + " + (a[i].y ?? i); return { s, n: [s] };"));
  const items = Array.from({ length: 200 }, (_, n) => ({ x: n, y: n % 3 ? n : undefined }));
  const kept = [];
  for (const end = performance.now() + Number(process.argv[1]); performance.now() < end; ) for (const f of hot) kept.push(f(items), Buffer.allocUnsafeSlow(20000));
`;

suite("a program of Node leaves", () => {
  test("with its status, when those who wait for its end were told", async () => {
    const told = `process.on("exit", (status) => console.log("told", status));\nleave(113);`;
    const { status, stdout } = await runProgram(process.execPath, program(told));
    assert.deepEqual({ status, stdout }, { status: 113, stdout: "told 113\n" });
  });

  test("whatever V8's threads are compiling", async () => {
    for (let n = 0; n < 40; n++) {
      const { status } = await runProgram(process.execPath, [...program(`${compiling}\nleave(7);`), `${5 + n}`]);
      assert.equal(status, 7);
    }
  });

  test("with its profile written where Node makes one", async () => {
    const directory = mkdtempSync(join(tmpdir(), "sampan-leave-"));
    try {
      const { status } = await runProgram(process.execPath, ["--cpu-prof", ...program("leave(3);")], {
        cwd: directory,
      });
      assert.deepEqual([status, readdirSync(directory).length], [3, 1]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test("and its streams wait again for who goes on using them", requires("python3"), async () => {
    const text = `process.stdin.once("data", () => leave(0));`;
    const shell = `"$0" "$@"; exec python3 -c 'import os; print(os.get_blocking(0))'`;
    const child = spawn("sh", ["-c", shell, process.execPath, ...program(text)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    child.stdin.write("x");
    assert.equal(await readAll(child.stdout), "True\n");
    child.stdin.end();
  });
});
