import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, symlinkSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { runProgram, succeed } from "../support/process.ts";
import { requires } from "../support/requires.ts";
import { removeTree } from "../support/sandbox.ts";

const checkout = resolve(import.meta.dirname, "../..");
const directory = mkdtempSync(join(tmpdir(), "sampan-"));
const clone = join(directory, "clone");
const launcher = join(clone, "bin/sampan");
const env = { PATH: process.env.PATH, HOME: directory };

/** What git would clone, with what is not committed yet; the dependencies are the same files. */
before(async () => {
  chmodSync(directory, 0o755);
  mkdirSync(clone);
  const files = await succeed("git", ["-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard"], {
    cwd: checkout,
  });
  const present = ["-c", "--ignore-failed-read", "-C", checkout, "-T", "-"];
  const archive = await runProgram("tar", present, { input: files });
  await succeed("tar", ["-x", "-C", clone], { input: archive.bytes });
  await succeed("cp", ["-al", join(checkout, "node_modules"), join(clone, "node_modules")]);
  utimesSync(join(clone, "node_modules/.package-lock.json"), new Date(), new Date());
});

after(() => removeTree(directory));

test("two first uses at once prepare the checkout once, showing progress", async () => {
  const both = await Promise.all([1, 2].map(() => runProgram(launcher, ["--version"], { env, cwd: "/" })));
  for (const { status, stdout, stderr } of both) {
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^Sampan version /);
  }
  const said = both.map(({ stderr }) => stderr).join("");
  assert.equal(said.match(/compiling the native helper/g)?.length, 1);
});

test("later calls say nothing but their output, from anywhere and through links", async () => {
  const link = join(directory, "sampan");
  symlinkSync(launcher, link);
  symlinkSync(join(clone, "bin"), join(directory, "linked"));
  const calls: [string, string][] = [
    [launcher, "/"],
    [link, "/tmp"],
    [join(directory, "linked/sampan"), "/"],
    ["./sampan", join(clone, "bin")],
    ["../bin/sampan", join(clone, "src")],
  ];
  for (const [command, cwd] of calls) {
    const { status, stdout, stderr } = await runProgram(command, ["--version"], { env, cwd });
    assert.deepEqual([status, stderr, stdout.startsWith("Sampan version ")], [0, "", true], `${command} in ${cwd}`);
  }
});

test("a changed source is bundled again", async () => {
  const soon = new Date(Date.now() + 1000);
  utimesSync(join(clone, "src/cli/main.ts"), soon, soon);
  assert.equal(await isStale(), true);
  await succeed("touch", [join(clone, "src/cli/main.ts")]);
  await succeed(launcher, ["--version"], { env });
  assert.equal(await isStale(), false);
});

/** Asks the shell code that the launcher asks. */
async function isStale(): Promise<boolean> {
  const script = `root=${clone}; . "$root/dist/ready.sh"; fresh`;
  return (await runProgram("sh", ["-c", script], { env })).status !== 0;
}

test("a checkout that is not ours to write works as it was prepared", requires("setpriv"), async () => {
  const nobody = ["--reuid", "65534", "--regid", "65534", "--clear-groups", launcher, "--version"];
  const { status, stdout, stderr } = await runProgram("setpriv", nobody, {
    env: { ...env, HOME: "/nonexistent" },
    cwd: "/",
  });
  assert.deepEqual([status, stderr], [0, ""]);
  assert.match(stdout, /^Sampan version /);
});
