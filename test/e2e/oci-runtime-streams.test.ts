import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { OciSandbox, runtimes } from "../support/oci.ts";
import { eventually, runProgram } from "../support/process.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import { openTerminal } from "../support/terminal.ts";

const receiver = join(import.meta.dirname, "../support/console-receiver.py");

/** Somebody who takes a terminal: types a text into it, and collects what it says. */
async function takeTerminal(socket: string, typed: string): Promise<{ said: () => string; ended: Promise<unknown> }> {
  const child = spawn("python3", [receiver, socket, typed], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk) => {
    text += chunk;
  });
  await eventually("it listens", () => text.includes("listening"));
  return { said: () => text.replace("listening\n", ""), ended: once(child, "close") };
}

for (const { name, binary } of runtimes) {
  const needs = requires("python3", "tmux", "script", ...(binary === undefined ? [name] : []));
  describe(`standard streams by ${name}`, "skip" in needs ? needs : requiresRoot(), () => {
    const sandbox = new OciSandbox(binary ?? "");

    after(async () => assert.deepEqual(await sandbox.close(), []));

    test("a terminal goes to the console socket, with its size", async () => {
      const bundle = await sandbox.bundle((config) => {
        config.process.terminal = true;
        config.process.consoleSize = { height: 31, width: 91 };
        config.process.args = ["sh", "-c", "read line; echo [$line]; tty; stty size; ls -l /dev/console | cut -c1"];
      });
      const socket = join(sandbox.directory, "console.sock");
      const terminal = await takeTerminal(socket, "typed\n");
      await sandbox.detached("run", "--detach", "--bundle", bundle, "--console-socket", socket, "t");
      await terminal.ended;
      assert.equal(terminal.said().replaceAll("\r", ""), "typed\n[typed]\n/dev/pts/0\n31 91\nc\n");
      await sandbox.ok("delete", "--force", "t");
    });

    test("a terminal without anybody to take it is refused", async () => {
      const bundle = await sandbox.bundle((config) => {
        config.process.terminal = true;
      });
      const { status, stderr } = await sandbox.run(["create", "--bundle", bundle, "u"]);
      assert.notEqual(status, 0);
      assert.match(stderr, /console.socket/);
    });

    // crun 1.8 hands no sizes on, and does not ask whose the sockets are
    const older = name === "crun";

    if (!older)
      test("in the foreground, run and exec serve the terminal themselves", async () => {
        const bundle = await sandbox.bundle((config) => {
          config.process.terminal = true;
          config.process.args = ["sh"];
        });
        const command = [...sandbox.command, "run", "--bundle", bundle, "v"];
        await using terminal = await openTerminal(
          sandbox.directory,
          ["sh", "-c", '"$@"; echo ended with $?', "sh", ...command],
          process.env,
        );
        await terminal.shows(/^\/ #/m);
        await terminal.type("stty size; tty\n");
        await terminal.shows(/24 80\s+\/dev\/pts\/0/);
        await terminal.resize(100, 30);
        await eventually("the new size has come", async () => {
          await terminal.type("stty size\n");
          return (await terminal.screen()).includes("30 100");
        });
        const exec = [...sandbox.command, "exec", "--tty", "v", "sh", "-c", "'tty; exit 4'"].join(" ");
        const second = await runProgram("script", ["--quiet", "--return", "--command", exec, "/dev/null"], {
          input: "",
        });
        assert.equal(second.status, 4, second.stdout);
        // What script(1) makes of the end of its own input may stand in between
        assert.match(second.stdout, /\/dev\/pts\/1/);
        assert.doesNotMatch(second.stdout, /\r\r\n/);
        await terminal.type("exit 6\n");
        await terminal.shows(/ended with 6/);
      });

    test("descriptors are passed on that --preserve-fds says, and no others", async () => {
      const bundle = await sandbox.bundle((config) => {
        config.process.args = ["sh", "-c", "cat <&3; ls /proc/self/fd | wc -l; cat <&4 2>/dev/null || echo none"];
      });
      writeFileSync(join(sandbox.directory, "three"), "passed on\n");
      const line = `exec 3<three 4<three; exec "$@" 2>"$LOG"`;
      // The fifth is the directory that ls reads
      assert.equal(
        await sandbox.shell(line, "run", "--preserve-fds", "1", "--bundle", bundle, "w"),
        "passed on\n5\nnone\n",
      );
    });

    if (!older)
      test("sockets of systemd's activation are passed on, and those of another process are not", async () => {
        const bundle = await sandbox.bundle((config) => {
          config.process.args = ["sh", "-c", "echo $LISTEN_FDS $LISTEN_PID; cat <&3 2>/dev/null || echo none"];
        });
        writeFileSync(join(sandbox.directory, "activated"), "passed on\n");
        const line = `exec 3<activated; export LISTEN_FDS=1 LISTEN_PID=$PID; exec "$@" 2>"$LOG"`;
        const run = ["run", "--bundle", bundle, "z"];
        assert.equal(
          await sandbox.shell(
            line.replace("$PID", () => "$$"),
            ...run,
          ),
          "1 1\npassed on\n",
        );
        assert.equal(await sandbox.shell(line.replace("$PID", "1"), ...run), "\nnone\n");
      });

    test("a detached exec, whose process id is in a file", async () => {
      const bundle = await sandbox.bundle((config) => {
        config.process.args = ["sleep", "1000"];
      });
      await sandbox.detached("run", "--detach", "--bundle", bundle, "x");
      const file = join(sandbox.directory, "exec.pid");
      await sandbox.detached("exec", "--detach", "--pid-file", file, "x", "sleep", "2000");
      const pid = Number(readFileSync(file, "utf8"));
      // runc leaves while the process is still on its way
      const command = () => readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      await eventually("it executes its program", () => command() === "sleep 2000 ");
      assert.deepEqual((JSON.parse(await sandbox.ok("ps", "-f", "json", "x")) as number[]).includes(pid), true);
      await sandbox.ok("delete", "--force", "x");
    });

    test("without pivot_root, the root is the container's all the same", async () => {
      const bundle = await sandbox.bundle((config) => {
        config.process.args = ["sh", "-c", "ls -d /bin /work /home 2>/dev/null; ls /proc/1/root"];
      });
      const text = await sandbox.ok("run", "--no-pivot", "--bundle", bundle, "y");
      assert.match(text, /^\/bin\nbin\ndev\n/);
    });
  });
}
