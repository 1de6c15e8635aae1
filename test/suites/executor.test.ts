import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Slot } from "../../src/kernel/block.ts";
import * as f from "../../src/kernel/flags.ts";
import { KernelError } from "../../src/kernel/kernel-error.ts";
import { linkUp, loopbackIndex } from "../../src/kernel/netlink/link.ts";
import { ask, openNetlink } from "../../src/kernel/netlink/request.ts";
import { Program } from "../../src/kernel/program.ts";
import { header, reply, replyHeader } from "../../src/kernel/wire.ts";
import { helperBuilds, testExecutor } from "../support/helper.ts";
import { eventually } from "../support/process.ts";

for (const build of helperBuilds) {
  describe(`executor, ${build.name} build`, () => {
    const { executor, directory } = testExecutor(build);

    test("results of one step feed the next", async () => {
      writeFileSync(join(directory, "greeting"), "hello");
      const p = new Program("read a file");
      const file = p.sys("openat", [f.AT_FDCWD, p.text(join(directory, "greeting")), f.O_RDONLY, 0], {
        note: "open it",
      });
      const buffer = p.buffer(64);
      const length = p.sys("read", [file, buffer, 64], { note: "read it" });
      const results = await executor.run(p);
      assert.equal(results.bytes(buffer, results.value(length)).toString(), "hello");
    });

    test("a failure names purpose, step, call and errno", async () => {
      const p = new Program("open a file");
      p.call("openat", [f.AT_FDCWD, p.text("/nonexistent/x"), f.O_RDONLY, 0], { note: "find x" });
      await assert.rejects(executor.run(p), (error: unknown) => {
        assert.ok(error instanceof KernelError);
        assert.equal(error.errno, "ENOENT");
        assert.equal(
          error.message,
          'Cannot open a file: find x: openat(-100, "/nonexistent/x", 0, 0): ENOENT (no such file or directory)',
        );
        return true;
      });
    });

    test("a tolerated errno is a result, and may lead elsewhere", async () => {
      const p = new Program("try");
      const elsewhere = p.label();
      const tried = p.sys("openat", [f.AT_FDCWD, p.text("/nonexistent"), 0, 0], {
        note: "try",
        tolerate: ["ENOENT"],
        orElse: elsewhere,
      });
      const skipped = p.sys("getpid", [], { note: "not reached" });
      p.place(elsewhere);
      const reached = p.sys("getpid", [], { note: "reached" });
      const results = await executor.run(p);
      assert.equal(results.value(tried), -2);
      assert.equal(results.value(skipped), 0);
      assert.ok(results.value(reached) > 0);
    });

    test("what is mounted meanwhile keeps nobody from finding a path with .. in it", async () => {
      const mounting = async () => {
        const p = new Program("mount and unmount");
        p.call("unshare", [f.CLONE_NEWNS], { note: "where nobody sees it" });
        p.call("mount", [0, p.text("/"), 0, f.MS_REC | f.MS_PRIVATE, 0], { note: "let nothing out" });
        for (let count = 0; count < 300; count++) {
          p.call("mount", [p.text("tmpfs"), p.text(directory), p.text("tmpfs"), 0, 0], { note: "mount" });
          p.call("umount2", [p.text(directory), 0], { note: "unmount" });
        }
        await executor.run(p);
      };
      let over = false;
      const busy = Promise.all([mounting(), mounting(), mounting()]).finally(() => {
        over = true;
      });
      const path = `${"proc/../".repeat(200)}proc`;
      do {
        const p = new Program("find a path");
        const how = p.words([f.O_PATH, 0, f.RESOLVE_IN_ROOT]);
        for (let count = 0; count < 100; count++) {
          const fd = p.sys("openat2", [f.AT_FDCWD, p.text(path), how, 24], { note: "find it" });
          p.call("close", [fd], { note: "close it" });
        }
        await executor.run(p);
      } while (!over);
      await busy;
    });

    test("the first error among a netlink socket's answers is the step's, whatever comes after", async () => {
      const ask2 = (first: number, second: number) => {
        const p = new Program("configure links");
        p.call("unshare", [f.CLONE_NEWNET], { note: "take a network of its own" });
        const socket = openNetlink(p, "NETLINK_ROUTE", "ask the kernel");
        ask(p, socket, Buffer.concat([linkUp(first, 1), linkUp(second, 2)]), { note: "bring links up" });
        const state = p.buffer(40);
        const inet = p.sys("socket", [f.AF_INET, f.SOCK_DGRAM, 0], { note: "to look" });
        const request = p.block.bytes(Buffer.from("lo".padEnd(40, "\0")));
        p.call("ioctl", [inet, 0x8913 /* SIOCGIFFLAGS */, request], { note: "look" });
        p.copy32(new Slot(request.at(16), 4), state, "keep what was seen");
        return { p, state };
      };
      const { p, state } = ask2(loopbackIndex, loopbackIndex);
      assert.equal((await executor.run(p)).bytes(state).readUInt16LE() & 1, 1, "lo is up");
      await assert.rejects(executor.run(ask2(77, loopbackIndex).p), (error: unknown) => {
        assert.ok(error instanceof KernelError);
        assert.equal(error.errno, "ENODEV");
        assert.match(error.message, /Cannot configure links: bring links up: the kernel's answer/);
        return true;
      });
    });

    test("a copy of 32 bits leaves what lies behind it", async () => {
      const p = new Program("copy");
      const pid = p.sys("getpid", [], { note: "any number" });
      const target = p.buffer(8);
      p.copy32(0x1122334455, target, "fill the first half");
      p.copy32(pid, target.at(4), "fill the other half");
      const results = await executor.run(p);
      assert.equal(results.bytes(target).readUInt32LE(0), 0x22334455);
      assert.equal(results.bytes(target).readUInt32LE(4), results.value(pid));
    });

    test("a pipe's two descriptors are 32-bit variables", async () => {
      const p = new Program("pipe");
      const pipe = p.pair("pipe");
      p.call("pipe2", [pipe.address, f.O_CLOEXEC], { note: "make a pipe" });
      p.call("write", [pipe.second, p.text("ok"), 2], { note: "write", full: true });
      const buffer = p.buffer(2);
      p.call("read", [pipe.first, buffer, 2], { note: "read", full: true });
      assert.equal((await executor.run(p)).bytes(buffer).toString(), "ok");
    });

    test("a full read of a stream that ends is ENODATA", async () => {
      const p = new Program("read too much");
      const file = p.sys("openat", [f.AT_FDCWD, p.text("/dev/null"), f.O_RDONLY, 0], { note: "open" });
      p.call("read", [file, p.buffer(8), 8], { note: "read", full: true });
      await assert.rejects(executor.run(p), { errno: "ENODATA" });
    });

    test("a child's failure is the program's, with the child's step", async () => {
      const p = new Program("start a child");
      const pipe = p.pair("status");
      p.call("pipe2", [pipe.address, f.O_CLOEXEC], { note: "make a pipe" });
      p.clone({ flags: 0, note: "clone" }, () =>
        p.call("chdir", [p.text("/nonexistent")], { note: "change directory" }),
      );
      p.call("close", [pipe.second], { note: "close" });
      p.call("read", [pipe.first, p.buffer(1), 1], { note: "wait" });
      p.check("has it failed?");
      await assert.rejects(executor.run(p), /Cannot start a child: change directory: chdir\("\/nonexistent"\): ENOENT/);
    });

    test("a failing parent takes its children with it", async () => {
      const p = new Program("fail after a clone");
      const marker = `sampan-child-${process.pid}-${build.name}`;
      p.clone({ flags: 0, note: "clone" }, () => {
        const sleep = ["/bin/sleep", "1000"];
        p.call("execve", [p.text("/bin/sleep"), p.strings(sleep), p.strings([`MARK=${marker}`])], { note: "sleep" });
      });
      p.call("chdir", [p.text("/nonexistent")], { note: "fail" });
      await assert.rejects(executor.run(p), { errno: "ENOENT" });
      assert.equal(processesWith(marker), 0);
    });

    test("a session keeps its process: directory and descriptors last from program to program", async () => {
      const session = await executor.open();
      const first = new Program("go there");
      first.call("chdir", [first.text(directory)], { note: "change directory" });
      const second = new Program("make a file");
      second.call("mkdirat", [f.AT_FDCWD, second.text("made"), 0o700], { note: "make a directory" });
      await Promise.all([session.run(first), session.run(second)]);
      session.close();
      assert.ok(existsSync(join(directory, "made")));
    });

    test("a session ends with its first failure, and what was queued behind it fails, too", async () => {
      const session = await executor.open();
      const bad = new Program("fail");
      bad.call("chdir", [bad.text("/nonexistent")], { note: "change directory" });
      const queued = new Program("come too late");
      queued.call("getpid", [], { note: "get the pid" });
      const outcomes = await Promise.allSettled([session.run(bad), session.run(queued)]);
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        ["rejected", "rejected"],
      );
      session.close();
    });

    test("a program of 20,000 steps and 8 MB runs", async () => {
      const p = new Program("be large");
      const data = p.bytes(Buffer.alloc(8 << 20, 7));
      for (let i = 0; i < 20_000; i++) p.call("getpid", [], { note: "step" });
      const copy = p.sys("memfd_create", [p.text("x"), 0], { note: "make a file" });
      const written = p.sys("write", [copy, data, 8 << 20], { note: "write", full: true });
      assert.equal((await executor.run(p)).value(written), 8 << 20);
    });

    const malformed: Record<string, (bytes: Buffer) => Buffer> = {
      "a wrong magic": (bytes) => patch(bytes, header.magic, 1),
      "no steps": (bytes) => patch(bytes, header.steps, 0),
      "too many steps": (bytes) => patch(bytes, header.steps, 0xffffffff),
      "a block smaller than its data": (bytes) => patch(bytes, header.blockSize, 1),
      "a block of 4 GB": (bytes) => patch(bytes, header.blockSize, 0xffffffff),
      "results outside the block": (bytes) => patch(bytes, header.resultOffset, 0x7fffffff),
      "an unknown operation": (bytes) => patch(bytes, header.size, 0xff),
      "an address outside the block": (bytes) => patch(patch(bytes, header.size + 8, 1), header.size + 32, 0x7fffffff),
    };
    for (const [what, change] of Object.entries(malformed)) {
      test(`${what} is refused as a bad message`, async () => {
        const p = new Program("be malformed");
        p.call("getpid", [], { note: "get the pid" });
        p.text("some data");
        const answer = await sendRaw(join(directory, "executor.sock"), change(p.encode()));
        assert.equal(answer.readUInt32LE(replyHeader.kind), reply.failure);
        assert.equal(answer.readInt32LE(replyHeader.errno), 74); // EBADMSG
      });
    }

    test("half a program is no program", async () => {
      const p = new Program("be cut");
      p.call("mkdirat", [f.AT_FDCWD, p.text(join(directory, "never")), 0o700], { note: "never" });
      const answer = await sendRaw(join(directory, "executor.sock"), p.encode().subarray(0, -4));
      assert.equal(answer.readUInt32LE(replyHeader.kind), reply.failure);
      assert.ok(!existsSync(join(directory, "never")));
    });

    test("sixty-four programs at once", async () => {
      const runs = Array.from({ length: 64 }, async () => {
        const p = new Program("get the pid");
        const pid = p.sys("getpid", [], { note: "get it" });
        return (await executor.run(p)).value(pid);
      });
      assert.equal(new Set(await Promise.all(runs)).size, 64);
    });

    test("a helper that was killed is started again by the next program", async () => {
      const p = new Program("find the helper");
      const parent = p.sys("getppid", [], { note: "who forked me" });
      const pid = (await executor.run(p)).value(parent);
      process.kill(pid, "SIGKILL");
      await eventually("the helper is gone", () => !existsSync(`/proc/${pid}`));
      const again = new Program("run once more");
      const other = again.sys("getppid", [], { note: "who forked me" });
      assert.notEqual((await executor.run(again)).value(other), pid);
    });

    test("the helper runs from a sealed copy that nobody can overwrite (CVE-2019-5736)", async () => {
      const p = new Program("overwrite the helper");
      p.call("openat", [f.AT_FDCWD, p.text("/proc/self/exe"), f.O_WRONLY, 0], { note: "open it for writing" });
      await assert.rejects(
        executor.run(p),
        (error: unknown) => error instanceof KernelError && ["EPERM", "ETXTBSY"].includes(error.errno ?? ""),
      );
    });
  });
}

function patch(bytes: Buffer, offset: number, value: number): Buffer {
  bytes.writeUInt32LE(value, offset);
  return bytes;
}

function sendRaw(path: string, bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.once("error", () => {}); // ECONNRESET: the helper has not read all of it
    socket.once("close", () => (chunks.length > 0 ? resolve(Buffer.concat(chunks)) : reject(new Error("no answer"))));
    socket.end(bytes);
  });
}

function processesWith(marker: string): number {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, "latin1").includes(marker);
    } catch {
      return false;
    }
  }).length;
}
