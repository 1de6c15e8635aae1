import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { commandOf, commands } from "../../tools/compatibility/commands.ts";
import { page } from "../../tools/compatibility/page.ts";
import { scan } from "../../tools/compatibility/scan.ts";
import { root } from "./sources.ts";

test("docs/compatibility.md tells what the tests prove", () => {
  const written = readFileSync(join(root, "docs/compatibility.md"), "utf8");
  assert.ok(written === page(), "out of date: run tools/node tools/compatibility.ts");
});

test("what a test says is found with the test's name", () => {
  const source = `test("runs", async () => {\n  await docker(box, ["run", "--rm", image, "-x"]); // docker("no")\n});`;
  const said = scan(source).filter(({ callee }) => callee === "docker");
  assert.deepEqual(said[0], { callee: "docker", items: ["run", "--rm", null, "-x"], test: "runs" });
});

test("flags of docker's are told from those of the program in the container", () => {
  const flags = (...words: string[]) => commandOf(words, commands)?.flags;
  assert.deepEqual(flags("run", "-dit", "--name", "a", "image", "sh", "-c"), [
    "--detach",
    "--interactive",
    "--tty",
    "--name",
  ]);
  assert.deepEqual(flags("container", "ls", "--all"), ["--all"]);
  assert.equal(flags("nosuch"), undefined);
});
