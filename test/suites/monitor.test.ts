import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { capabilitySets, defaultCapabilities } from "../../src/kernel/capabilities.ts";
import * as f from "../../src/kernel/flags.ts";
import { Program } from "../../src/kernel/program.ts";
import { Inside } from "../../src/runtime/inside.ts";
import { becomeProcess } from "../../src/runtime/process.ts";
import { readExitFile, reconnectProcess, startedProcess } from "../../src/runtime/running.ts";
import { statusPipe } from "../../src/runtime/start.ts";
import { makeStdio } from "../../src/runtime/stdio.ts";
import { superviseSteps } from "../../src/runtime/supervision.ts";
import type { MonitorFiles, ProcessSpec, Running } from "../../src/runtime/types.ts";
import { helperBuilds, testExecutor } from "../support/helper.ts";
import { eventually } from "../support/process.ts";

interface Options extends Partial<ProcessSpec> {
  readonly hold?: boolean;
  readonly log?: { maxSize: number; maxFiles: number };
}

interface Started {
  readonly running: Running;
  readonly files: MonitorFiles & { readonly exitFile: string };
}

const usual = capabilitySets(defaultCapabilities, 0);

for (const build of helperBuilds) {
  describe(`monitor, ${build.name} build`, () => {
    const { executor, directory } = testExecutor(build);
    let count = 0;

    /** A process of the machine's, without namespaces, under a monitor. */
    async function start(script: string, options: Options = {}): Promise<Started> {
      const { hold = false, log, ...overrides } = options;
      const name = join(directory, `p${count++}`);
      const files = {
        socket: `${name}.sock`,
        exitFile: `${name}.exit`,
        log: { path: `${name}.log`, maxSize: 0, maxFiles: 1, ...log },
      };
      const spec: ProcessSpec = {
        argv: ["/bin/sh", "-c", script],
        env: ["PATH=/usr/bin:/bin"],
        cwd: "/",
        user: { uid: 0, gid: 0, additionalGids: [], home: "/" },
        terminal: false,
        openStdin: false,
        stdinOnce: false,
        capabilities: usual,
        noNewPrivileges: false,
        rlimits: [],
        umask: 0o022,
        ...overrides,
      };
      const p = new Program("start a process");
      const stdio = makeStdio(p, spec);
      const status = statusPipe(p);
      const child = p.clone({ flags: 0, note: "clone" }, () => {
        const root = p.sys("openat", [f.AT_FDCWD, p.text("/"), f.O_PATH, 0], { note: "open the root" });
        stdio.connect(new Inside(p, root));
        becomeProcess(p, spec, { status: status.second, init: false });
      });
      const ends = stdio.keep();
      superviseSteps(p, {
        process: spec,
        files,
        hold,
        ends,
        child,
        status,
        title: "sampan-monitor test",
        cleanUp: () => {},
      });
      const { results, exited, connection } = await executor.start(p);
      return { running: startedProcess(results.value(child.pid), connection, files, exited), files };
    }

    test("the exit status arrives and is on disk", async () => {
      const { running, files } = await start("exit 7");
      const exit = await running.exited;
      assert.equal(exit.code, 7);
      assert.ok(Math.abs(Number(exit.at / 1_000_000n) - Date.now()) < 60_000);
      await eventually("the exit file is there", () => existsSync(files.exitFile));
      assert.deepEqual(readExitFile(files.exitFile), exit);
      await eventually("the socket is gone", () => !existsSync(files.socket));
    });

    test("a signal's victim ends with 128 and the signal", async () => {
      const { running } = await start("exec sleep 100");
      running.signal(15);
      assert.deepEqual([(await running.exited).code, (await running.exited).signal], [143, 15]);
    });

    test("held-back output waits for who attaches, in frames, in order", async () => {
      const { running } = await start("echo out; echo err >&2; sleep 0.05; echo again", { hold: true });
      await sleep(50);
      const output = collect(await running.attach({ stdin: false, stdout: true, stderr: true }));
      running.release();
      assert.equal((await running.exited).code, 0);
      const frames = framesOf(await output);
      assert.equal(textOf(frames, 1), "out\nagain\n");
      assert.equal(textOf(frames, 2), "err\n");
    });

    test("a frame comes in one piece: who reads once has more than its header", async () => {
      const { running } = await start("for i in 0 1 2 3 4 5 6 7 8 9; do echo line $i; sleep 0.01; done", {
        hold: true,
      });
      const socket = await running.attach({ stdin: false, stdout: true, stderr: true });
      const pieces: Buffer[] = [];
      socket.on("data", (piece: Buffer) => pieces.push(piece)).resume();
      running.release();
      await running.exited;
      await eventually("all has come", () => textOf(framesOf(Buffer.concat(pieces)), 1).includes("line 9"));
      const whole = pieces.map((piece) => framesOf(piece).every(({ payload }) => payload.at(-1) === 10));
      assert.deepEqual(new Set(whole), new Set([true]));
    });

    test("output that was held back flows once its starter has gone", async () => {
      const { running, files } = await start("echo late; exit 3", { hold: true });
      running.detach();
      await eventually("the exit file is there", () => readExitFile(files.exitFile)?.code === 3);
      assert.equal(logOf(files).stdout, "late\n");
    });

    test("who attaches to one stream sees only that one", async () => {
      const { running } = await start("echo out; echo err >&2", { hold: true });
      const onlyErr = collect(await running.attach({ stdin: false, stdout: false, stderr: true }));
      await sleep(20);
      running.release();
      const frames = framesOf(await onlyErr);
      assert.deepEqual(
        frames.map(({ stream }) => stream),
        [2],
      );
    });

    test("the log has every byte with stream and time", async () => {
      const { running, files } = await start("echo one; sleep 0.02; echo two >&2; printf three");
      await running.exited;
      const log = logOf(files);
      assert.deepEqual([log.stdout, log.stderr], ["one\nthree", "two\n"]);
      assert.ok(log.times.every((time) => Math.abs(Number(time / 1_000_000n) - Date.now()) < 60_000));
    });

    test("stdin reaches the process and ends when the client's does", async () => {
      const { running } = await start("cat; echo done", { openStdin: true, stdinOnce: true, hold: true });
      const socket = await running.attach({ stdin: true, stdout: true, stderr: true });
      const output = collect(socket);
      running.release();
      socket.write("hello ");
      socket.end("world\n");
      assert.equal((await running.exited).code, 0);
      assert.equal(textOf(framesOf(await output), 1), "hello world\ndone\n");
    });

    test("stdin stays open for the next client without stdinOnce", async () => {
      const { running } = await start("read a; read b; echo $a $b", { openStdin: true });
      const first = await running.attach({ stdin: true, stdout: false, stderr: false });
      first.end("one\n");
      await sleep(50);
      const second = await running.attach({ stdin: true, stdout: true, stderr: false });
      const output = collect(second);
      second.write("two\n");
      assert.equal((await running.exited).code, 0);
      assert.equal(textOf(framesOf(await output), 1), "one two\n");
    });

    test("a megabyte goes in and comes out again, whole", async () => {
      const { running } = await start("cat", { openStdin: true, stdinOnce: true, hold: true });
      const socket = await running.attach({ stdin: true, stdout: true, stderr: false });
      const output = collect(socket);
      running.release();
      const sent = Buffer.alloc(1 << 20, "0123456789abcdef\n");
      socket.end(sent);
      await running.exited;
      assert.ok(Buffer.concat(framesOf(await output).map(({ payload }) => payload)).equals(sent));
    });

    test("a client that reads slowly loses nothing and slows the process instead", async () => {
      const { running } = await start("seq 1 300000", { hold: true });
      const socket = await running.attach({ stdin: false, stdout: true, stderr: false });
      socket.pause();
      running.release();
      await sleep(150);
      const output = textOf(framesOf(await collect(socket)), 1);
      assert.equal(output.split("\n").length, 300_001);
      assert.equal((await running.exited).code, 0);
    });

    test("a client that leaves frees a process that waited for it", async () => {
      const { running } = await start("seq 1 300000", { hold: true });
      const socket = await running.attach({ stdin: false, stdout: true, stderr: false });
      socket.pause();
      running.release();
      await sleep(100);
      socket.destroy();
      assert.equal((await running.exited).code, 0);
    });

    test("output that nobody has read when the process ends is still delivered", async () => {
      const { running } = await start("seq 1 50000", { hold: true });
      const socket = await running.attach({ stdin: false, stdout: true, stderr: false });
      socket.pause();
      running.release();
      await running.exited;
      await sleep(50);
      assert.equal(textOf(framesOf(await collect(socket)), 1).split("\n").length, 50_001);
    });

    test("a terminal: raw output, its size, and resizing", async () => {
      const script = "stty size; trap 'stty size; exit 5' WINCH; echo ready; while :; do sleep 0.02; done";
      const { running } = await start(script, { terminal: true, consoleSize: [33, 77], openStdin: true, hold: true });
      const socket = await running.attach({ stdin: true, stdout: true, stderr: true });
      const output = collect(socket);
      running.release();
      await eventually("it is ready", () => output.text().includes("ready"));
      running.resize(40, 120);
      assert.equal((await running.exited).code, 5);
      assert.equal((await output).toString(), "33 77\r\nready\r\n40 120\r\n");
    });

    test("a terminal's Ctrl-C interrupts the foreground process", async () => {
      const { running } = await start("echo ready; exec sleep 100", { terminal: true, openStdin: true, hold: true });
      const socket = await running.attach({ stdin: true, stdout: true, stderr: true });
      const output = collect(socket);
      running.release();
      await eventually("it is ready", () => output.text().includes("ready"));
      socket.write("\x03");
      assert.equal((await running.exited).code, 130);
    });

    test("the log rotates by size and keeps the wanted number of files", async () => {
      const { running, files } = await start("for i in 1 2 3 4 5 6 7 8; do head -c 30000 /dev/zero; sleep 0.02; done", {
        log: { maxSize: 65_536, maxFiles: 3 },
      });
      await running.exited;
      const path = files.log?.path ?? "";
      const sizes = [path, `${path}.1`, `${path}.2`].map((file) => statSync(file).size);
      assert.ok(
        sizes.every((size) => size > 0 && size <= 65_536),
        String(sizes),
      );
      assert.ok(!existsSync(`${path}.3`));
    });

    test("another daemon takes over: output, signals and exit status", async () => {
      const { running, files } = await start("trap 'echo bye; exit 9' TERM; echo hi; while :; do sleep 0.02; done");
      await eventually("it has said hi", () => logOf(files).stdout === "hi\n");
      running.detach();
      const again = await reconnectProcess(running.pid, files);
      const output = collect(await again.attach({ stdin: false, stdout: true, stderr: true }));
      await sleep(100);
      again.signal(15);
      assert.equal((await again.exited).code, 9);
      assert.equal(textOf(framesOf(await output), 1), "bye\n");
      assert.equal(logOf(files).stdout, "hi\nbye\n");
    });

    test("a daemon that comes after the end reads the exit file", async () => {
      const { running, files } = await start("exit 11");
      running.detach();
      await eventually("the exit file is there", () => existsSync(files.exitFile));
      assert.equal((await (await reconnectProcess(running.pid, files)).exited).code, 11);
    });

    test("the process of a killed monitor dies with it: 137", async () => {
      const { running } = await start("exec sleep 1000");
      const monitor = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${running.pid}/status`, "utf8"))?.[1]);
      process.kill(monitor, "SIGKILL");
      assert.equal((await running.exited).code, 137);
      await eventually("the process is gone", () => !existsSync(`/proc/${running.pid}/exe`));
    });

    test("sixty clients at once all see everything", async () => {
      const { running } = await start("seq 1 2000", { hold: true });
      const attached = Array.from({ length: 60 }, () => running.attach({ stdin: false, stdout: true, stderr: false }));
      const outputs = (await Promise.all(attached)).map(collect);
      running.release();
      for (const output of outputs) assert.equal(textOf(framesOf(await output), 1).split("\n").length, 2001);
    });

    test("a command that cannot be executed is the start's failure, and no monitor stays", async () => {
      await assert.rejects(start("", { argv: ["/nonexistent"] }), /execute \/nonexistent: .*ENOENT/);
    });

    if (build.name === "release") {
      test("an idle monitor has less than 100 kB of its own", async () => {
        const { running } = await start("echo something; exec sleep 1000");
        await sleep(800);
        const monitor = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${running.pid}/status`, "utf8"))?.[1];
        const pss = Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${monitor}/smaps_rollup`, "utf8"))?.[1]);
        running.signal(9);
        await running.exited;
        assert.ok(pss < 100, `${pss} kB`);
      });
    }
  });
}

interface Frame {
  readonly stream: number;
  readonly payload: Buffer;
}

/** Everything until the other side ends; `text()` is what has come so far. */
function collect(socket: Socket): Promise<Buffer> & { text(): string } {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.resume();
  const whole = new Promise<Buffer>((resolve) => {
    const done = () => {
      socket.destroy();
      resolve(Buffer.concat(chunks));
    };
    socket.once("end", done);
    socket.once("error", done);
  });
  return Object.assign(whole, { text: () => Buffer.concat(chunks).toString() });
}

function framesOf(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = bytes.readUInt32BE(at + 4);
    frames.push({ stream: bytes.readUInt8(at), payload: bytes.subarray(at + 8, at + 8 + size) });
    at += 8 + size;
  }
  return frames;
}

function textOf(frames: Frame[], stream: number): string {
  return Buffer.concat(frames.filter((frame) => frame.stream === stream).map(({ payload }) => payload)).toString();
}

function logOf(files: MonitorFiles): { stdout: string; stderr: string; times: bigint[] } {
  const path = files.log?.path ?? "";
  const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0); // there is none before the first output
  const log = { stdout: "", stderr: "", times: [] as bigint[] };
  for (let at = 0; at < bytes.length; ) {
    const size = bytes.readUInt32BE(at + 4);
    const text = bytes.subarray(at + 16, at + 16 + size).toString();
    if (bytes.readUInt8(at) === 1) log.stdout += text;
    else log.stderr += text;
    log.times.push(bytes.readBigUInt64BE(at + 8));
    at += 16 + size;
  }
  return log;
}
