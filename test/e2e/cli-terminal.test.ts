import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, before, beforeEach, suite, test } from "node:test";
import { busybox } from "../support/images.ts";
import { eventually } from "../support/process.ts";
import { requires } from "../support/requires.ts";
import { sampan, sandbox } from "../support/sandbox.ts";
import { openTerminal, type Terminal } from "../support/terminal.ts";

const box = sandbox({ start: true });

suite("sampan at a terminal", requires("busybox", "tmux"), () => {
  let terminal: Terminal;

  before(async () => {
    await box.load(await busybox({ Env: ["PS1=in: "] }), "busybox");
  });

  beforeEach(async () => {
    const env = { ...box.env, PATH: `${join(sampan, "..")}:${box.env.PATH}` };
    terminal = await openTerminal(box.directory, ["sh", "-i"], env);
    // Typed, because some shells of root's have a prompt of their own.
    await line("PS1='out: '", /out: ?$/m);
  });

  afterEach(async () => {
    await terminal.close();
    const ids = await box.ok("ps", "-aq");
    if (ids !== "") await box.ok("rm", "-f", ...ids.split("\n"));
  });

  async function line(text: string, shows: RegExp): Promise<string> {
    await terminal.type(text);
    await terminal.press("Enter");
    return terminal.shows(shows);
  }

  test("run -it: size, resize, line editing, Ctrl-C, exit code, terminal as before", async () => {
    await line("sampan run --rm -it busybox sh", /^in: ?$/m);
    await line("stty size", /^24 80$/m);
    await terminal.resize(70, 20);
    await eventually("the container knows the new size", async () => {
      await line("clear; stty size", /^in: ?$/m);
      return /^20 70$/m.test(await terminal.screen());
    });
    await terminal.type("echo lost");
    await terminal.press("C-u");
    await line("echo ke''pt", /^kept$/m);
    await line("sh -c 'echo ru''ns; exec sleep 1000'", /^runs$/m);
    await terminal.press("C-c");
    await line("echo st=$?", /^st=130$/m);
    await line("exit 6", /^out: ?$/m);
    await line(
      "echo ended=$?; stty -a | tr ' ;' '\\n\\n' | grep -x -e echo -e icanon -e isig",
      /^ended=6\necho\nicanon\nisig$|^ended=6$/m,
    );
    const screen = await terminal.shows(/^isig$[\s\S]*^out: ?$/m);
    for (const mode of ["echo", "icanon", "isig"]) assert.match(screen, new RegExp(`^${mode}$`, "m"));
  });

  test("detached by keys, attached again, exec -it", async () => {
    await line("sampan run -it --name det busybox sh", /^in: ?$/m);
    await line("x=remembered; echo ke''pt", /^kept\n+in: ?$/m);
    await terminal.press("C-p", "C-q");
    await terminal.shows(/^in: +out: ?$/m);
    await line("echo left=$?", /^left=0$/m);
    assert.equal(await box.ok("inspect", "-f", "{{.State.Running}}", "det"), "true");
    await line("clear; sampan exec -it det sh", /^in: ?$/m);
    await line("tty", /^\/dev\/pts\/\d+$/m);
    await line("exit 3", /^out: ?$/m);
    await line("echo exec=$?", /^exec=3$/m);
    await line("clear; sampan attach --detach-keys a,b det", /^in: ?$/m);
    await line("echo $x", /^remembered$/m);
    await terminal.type("ab");
    await terminal.shows(/read escape sequence/);
    await line("clear; sampan attach det", /^in: ?$/m);
    await line("exit 2", /^out: ?$/m);
    await line("echo gone=$?", /^gone=2$/m);
  });

  test("the terminal is given back when the container is killed, and when the command line is", async () => {
    const isSane = async (): Promise<void> => {
      await line("clear; stty -a | tr ' ;' '\\n\\n' | grep -x -e echo", /^echo$/m);
    };
    await line("sampan run --rm -it --name tk busybox sh", /^in: ?$/m);
    await box.ok("kill", "tk");
    await terminal.shows(/out: ?$/m);
    await line("echo ended=$?", /^ended=137$/m);
    await isSane();
    const name = `tk${process.pid}`;
    await line(`clear; sampan run -it --name ${name} busybox sh`, /^in: ?$/m);
    process.kill(commandLineOf(name), "SIGTERM");
    await terminal.shows(/out: ?$/m);
    await isSane();
    assert.equal(await box.ok("inspect", "-f", "{{.State.Running}}", name), "true");
  });
});

/** The process id of the command line that has a word among its arguments. */
function commandLineOf(word: string): number {
  const pids = readdirSync("/proc").filter((entry) => /^\d+$/.test(entry));
  const found = pids.find((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(word);
    } catch {
      return false;
    }
  });
  assert.ok(found !== undefined, `no process has the argument ${word}`);
  return Number(found);
}
