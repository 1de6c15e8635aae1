import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePsArguments } from "./arguments.ts";
import { type ProcessInfo, parseProcess } from "./process.ts";
import { bsdStart, bsdTime, cpuTime, elapsed, startTime } from "./times.ts";

const files = {
  stat: `4242 (a) b) R 4200 4242 4242 34817 4242 4194560 90 0 0 0 250 50 0 0 20 0 3 0 60000 2322432 344 ${"0 ".repeat(14)}1 0 0`,
  status: "Name:\ta) b\nUid:\t1000\t0\t0\t0\nGid:\t100\t0\t0\t0\nVmLck:\t       0 kB\n",
  cmdline: "sleep\0a b\0\0",
  wchan: "hrtimer_nanosleep",
};
const around = {
  now: 1_800_001_000,
  bootTime: 1_800_000_000,
  memory: 1024 * 1024 * 1024,
  userName: (uid: number) => (uid === 0 ? "root" : "averylongname"),
  groupName: (gid: number) => String(gid),
};

function row(psArguments: string, process: ProcessInfo = parseProcess(files)): Record<string, string> {
  const cells = parsePsArguments(psArguments).map(({ heading, value }) => [heading, String(value(process, around))]);
  return Object.fromEntries(cells);
}

const headings = (psArguments: string) =>
  parsePsArguments(psArguments)
    .map(({ heading }) => heading)
    .join(" ");

test("a process as /proc tells it, whatever its name", () => {
  const process = parseProcess(files);
  assert.deepEqual([process.pid, process.comm, process.state, process.ppid], [4242, "a) b", "R", 4200]);
  assert.deepEqual([process.threads, process.startTime, process.processor], [3, 60_000, 1]);
  assert.deepEqual([process.uid, process.euid, process.arguments], [1000, 0, ["sleep", "a b"]]);
  assert.deepEqual(parseProcess({ ...files, cmdline: "" }).arguments, []);
});

test("the columns of the usual formats are dockerd's", () => {
  const full = "UID PID PPID C STIME TTY TIME CMD";
  for (const psArguments of ["-ef", "-e -f", "-f", "-fA"]) assert.equal(headings(psArguments), full);
  assert.equal(headings("-e"), "PID TTY TIME CMD");
  assert.equal(headings("-l"), "F S UID PID PPID C PRI NI ADDR SZ WCHAN TTY TIME CMD");
  assert.equal(headings("-eF"), "UID PID PPID C SZ RSS PSR STIME TTY TIME CMD");
  assert.equal(headings("-ejf"), "UID PID PPID PGID SID C STIME TTY TIME CMD");
  assert.equal(headings("ax"), "PID TTY STAT TIME COMMAND");
  for (const psArguments of ["aux", "-aux"]) {
    assert.equal(headings(psArguments), "USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND");
  }
  for (const psArguments of ["-o pid,comm", "-eo pid,comm", "axo pid,comm", "-opid -o comm", "--format=pid,comm"]) {
    assert.equal(headings(psArguments), "PID COMMAND");
  }
  assert.equal(headings("-o pid=P,args"), "P COMMAND");
});

test("values", () => {
  const { UID, PID, C, TTY, TIME, CMD } = row("-ef");
  assert.deepEqual([UID, PID, C, TTY, TIME, CMD], ["root", "4242", "0", "pts/1", "00:00:03", "sleep a b"]);
  const user = row("aux");
  assert.deepEqual([user.VSZ, user.RSS, user.STAT, user.TIME, user["%MEM"]], ["2268", "1376", "Rsl+", "0:03", "0.1"]);
  const picked = row("-o pid,ruser,etime,wchan,sz,pri,cmd", parseProcess({ ...files, cmdline: "" }));
  assert.deepEqual(picked, {
    PID: "4242",
    RUSER: "averylo+",
    ELAPSED: "06:40",
    WCHAN: "hrtime",
    SZ: "567",
    PRI: "-1",
    CMD: "[a) b]",
  });
});

test("what is not known is refused by name", () => {
  assert.throws(() => parsePsArguments("-eL"), { kind: "invalid", message: /unsupported -L/ });
  assert.throws(() => parsePsArguments("--forest"), { kind: "invalid", message: /unsupported --forest/ });
  assert.throws(() => parsePsArguments("-o pid,nosuch"), { kind: "failed", message: /specifier "nosuch"/ });
  assert.throws(() => parsePsArguments("-o"), /must follow -o/);
});

test("times as ps writes them", () => {
  assert.deepEqual([3, 3723, 90_061].map(cpuTime), ["00:00:03", "01:02:03", "01-01:01:01"]);
  assert.deepEqual([3, 3723].map(bsdTime), ["0:03", "62:03"]);
  assert.deepEqual([59, 3723, 90_061].map(elapsed), ["00:59", "01:02:03", "01-01:01:01"]);
  const noon = new Date(2026, 10, 21, 12, 5).getTime() / 1000;
  const day = 86_400;
  assert.deepEqual(
    [startTime(noon, noon), startTime(noon - 3 * day, noon), startTime(noon - 365 * day, noon)],
    ["12:05", "Nov18", "2025"],
  );
  assert.deepEqual([bsdStart(noon - 3600, noon), bsdStart(noon - 2 * day, noon)], ["11:05", "Nov19"]);
});
