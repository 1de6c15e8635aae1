import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";
import { succeed } from "../support/process.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import { sampan, sandbox } from "../support/sandbox.ts";
import { openTerminal } from "../support/terminal.ts";

const box = sandbox();
const env = { ...box.env, PATH: `${join(sampan, "..")}:${process.env.PATH}` };

before(async () => {
  await box.start();
  await box.ok("create", "--name", "sleeper", "--network", "none", "sampan/host", "true");
  await box.ok("run", "-d", "--name", "runner", "--network", "none", "sampan/host", "sleep", "1000");
  await box.ok("volume", "create", "papers");
});

/** What `sampan __complete` offers, without meanings. */
async function offered(...words: string[]): Promise<string[]> {
  const lines = await box.ok("__complete", "--", ...words);
  return lines === "" ? [] : lines.split("\n").map((line) => line.split("\t")[0] ?? "");
}

test("commands, groups and what is in them", requiresRoot(), async () => {
  assert.deepEqual(await offered("ren"), ["rename"]);
  assert.deepEqual(await offered("con"), ["container"]);
  assert.deepEqual(await offered("container", "l"), ["list", "logs", "ls"]);
  assert.ok(!(await offered("")).some((name) => name.startsWith("__")));
  assert.deepEqual(await offered("--ho"), ["--host"]);
  assert.deepEqual(await offered("-H", "unix:///nobody", "volume", "cr"), ["create"]);
});

test("flags and their values", requiresRoot(), async () => {
  assert.deepEqual(await offered("run", "--cpu-p"), ["--cpu-period"]);
  assert.deepEqual(await offered("run", "--restart", "o"), ["on-failure"]);
  assert.deepEqual(await offered("run", "--ipc=pr"), ["--ipc=private"]);
  assert.deepEqual(await offered("run", "--pull", "m"), ["missing"]);
  assert.deepEqual(await offered("run", "-it", "--network", "no"), ["none"]);
  assert.deepEqual(await offered("run", "sampan/host", "--cpu"), [], "what follows the image is the container's");
  assert.deepEqual(await offered("run", "--env-file", ""), [":file"]);
});

test("names of containers, images, networks and volumes", requiresRoot(), async () => {
  assert.deepEqual(await offered("start", ""), ["sleeper"]);
  assert.deepEqual(await offered("stop", ""), ["runner"]);
  assert.deepEqual(await offered("container", "rm", "sl"), ["sleeper"]);
  assert.deepEqual(await offered("logs", "sleeper", ""), [], "it takes one only");
  assert.deepEqual(await offered("rm", "sleeper", "r"), ["runner"]);
  assert.deepEqual(await offered("run", "samp"), ["sampan/host:latest"]);
  assert.deepEqual(await offered("network", "inspect", "h"), ["host"]);
  assert.deepEqual(await offered("volume", "rm", ""), ["papers"]);
});

test("no daemon is started for a completion", requiresRoot(), async () => {
  const elsewhere = { SAMPAN_ROOT: join(box.directory, "no-root"), SAMPAN_RUN: join(box.directory, "no-run") };
  const { status, stdout } = await box.run(["__complete", "--", "start", ""], { env: elsewhere });
  assert.deepEqual([status, stdout], [0, ""]);
});

test("a shell without a script is told so", requiresRoot(), async () => {
  await box.fails({ status: 1, stderr: /no completion for shell "tcsh": bash, fish and zsh/ }, "completion", "tcsh");
});

/** What real bash makes of a command line up to the cursor. */
async function inBash(line: string): Promise<string[]> {
  const script = `
    source <(sampan completion bash)
    COMP_LINE=$1 COMP_POINT=\${#1}
    _sampan
    printf '%s\\n' "\${COMPREPLY[@]}"
  `;
  return (await succeed("bash", ["-c", script, "bash", line], { env, cwd: box.directory })).trimEnd().split("\n");
}

test("bash", { ...requires("bash"), ...requiresRoot() }, async () => {
  assert.deepEqual(await inBash("sampan ren"), ["rename"]);
  assert.deepEqual(await inBash("sampan stop "), ["runner"]);
  assert.deepEqual(await inBash("sampan run --ipc=pr"), ["private"], "bash cuts words at =");
  assert.deepEqual(await inBash("sampan run sampan/host:la"), ["latest"], "and at :");
  assert.ok((await inBash("sampan run --env-file ")).includes("root"), "names of files");
});

test("fish", { ...requires("fish"), ...requiresRoot() }, async () => {
  const inFish = async (line: string): Promise<string[]> => {
    const script = "sampan completion fish | source; complete -C $argv[1]";
    const stdout = await succeed("fish", ["--no-config", "-c", script, line], { env, cwd: box.directory });
    return stdout.trimEnd().split("\n");
  };
  assert.deepEqual(await inFish("sampan ren"), ["rename\tRename a container"]);
  const [runner = ""] = await inFish("sampan stop ");
  assert.match(runner, /^runner\tsampan\/host, Up /);
  assert.deepEqual(await inFish("sampan run --ipc=pr"), ["--ipc=private"]);
  assert.ok((await inFish("sampan run --env-file ")).some((name) => name.startsWith("root")));
});

test("zsh", { ...requires("zsh", "tmux"), ...requiresRoot() }, async () => {
  const terminal = await openTerminal(box.directory, ["zsh", "-f", "-i"], { ...env, TERM: "screen" });
  try {
    await terminal.type(
      "PS1='%% '; autoload -Uz compinit; compinit -u -D; source <(sampan completion zsh); clear; echo on",
    );
    await terminal.press("Enter");
    await terminal.shows(/^on$/m);
    await terminal.type("sampan start sl");
    await terminal.press("Tab");
    await terminal.shows(/sampan start sleeper/);
    await terminal.press("C-u");
    await terminal.type("sampan pau");
    await terminal.press("Tab");
    await terminal.shows(/sampan pause *$/m);
    await terminal.press("C-u");
    await terminal.type("sampan run --cpu-");
    await terminal.press("Tab");
    await terminal.shows(/--cpu-period +-- Limit CPU CFS/);
  } finally {
    await terminal.close();
  }
});
