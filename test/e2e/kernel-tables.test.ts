/** What src/kernel says in bytes, said to the kernel of this machine. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { attachDeviceProgram } from "../../src/cgroups/device-program.ts";
import { Slot } from "../../src/kernel/block.ts";
import { BPF_CGROUP_DEVICE, BPF_PROG_QUERY, progQuery, queryFields } from "../../src/kernel/bpf/syscall.ts";
import { defaultCapabilities, encodeCapset } from "../../src/kernel/capabilities.ts";
import { defaultDeviceRules } from "../../src/kernel/devices.ts";
import { type Errno, errnoNumber } from "../../src/kernel/errno.ts";
import * as k from "../../src/kernel/flags.ts";
import { linkUp, loopbackIndex } from "../../src/kernel/netlink/link.ts";
import { acknowledgement } from "../../src/kernel/netlink/message.ts";
import { Program } from "../../src/kernel/program.ts";
import { SECCOMP_SET_MODE_FILTER } from "../../src/kernel/seccomp/actions.ts";
import { defaultSeccompProfile, kernelVersionOf, seccompFilter } from "../../src/kernel/seccomp/index.ts";
import { hostArch, type SyscallName } from "../../src/kernel/syscalls/index.ts";
import { layoutOf } from "../../src/storage/layout.ts";
import { makeExecutor } from "../support/executor.ts";
import { leftovers } from "../support/leaks.ts";
import { requiresRoot } from "../support/requires.ts";

const directory = mkdtempSync(join(tmpdir(), "sampan-tables-"));
const layout = layoutOf({ root: join(directory, "root"), run: directory });
after(() => {
  rmSync(directory, { recursive: true });
  assert.deepEqual(leftovers(layout), []);
});

type Outcome = "ok" | Errno;

/** What one call gives a process in the prepared state: its result is looked at, never a failure of the program. */
function probe(p: Program, call: SyscallName, args: Parameters<Program["sys"]>[1]): Slot {
  return p.sys(call, args, { note: `try ${call}`, tolerate: "all" });
}

function assertOutcome(actual: number, expected: Outcome, what: string): void {
  if (expected === "ok") assert.ok(actual >= 0, `${what} gave errno ${-actual}`);
  else assert.equal(actual, -errnoNumber(expected), what);
}

test("the kernel takes the default seccomp filter, and it decides as the profile says", async () => {
  await using executor = makeExecutor(layout.executorSocket);
  const p = new Program("try the default seccomp filter");
  const kernel = kernelVersionOf(release());
  const filter = seccompFilter(defaultSeccompProfile, { arch: hostArch(), capabilities: defaultCapabilities, kernel });
  p.call("prctl", [k.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0], { note: "give up new privileges" });
  const fprog = p.words([filter.instructions, p.bytes(filter.program)], "{ filter }");
  p.call("seccomp", [SECCOMP_SET_MODE_FILTER, filter.flags, fprog], { note: "take the filter" });
  const nowhere = p.text("/nonexistent");
  const stack = p.buffer(88);
  const tries: [SyscallName, Parameters<Program["sys"]>[1], Outcome][] = [
    ["getpid", [], "ok"],
    ["socket", [k.AF_UNIX, k.SOCK_STREAM, 0], "ok"],
    ["socket", [k.AF_VSOCK, k.SOCK_STREAM, 0], "EPERM"],
    ["socket", [BigInt(k.AF_VSOCK) | (1n << 32n), k.SOCK_STREAM, 0], "EPERM"],
    ["socket", [k.AF_ALG, k.SOCK_SEQPACKET, 0], "EPERM"],
    ["personality", [0xffffffff], "ok"],
    ["personality", [k.ADDR_NO_RANDOMIZE], "EPERM"],
    ["mount", [0, nowhere, 0, 0, 0], "EPERM"],
    ["unshare", [k.CLONE_NEWUSER], "EPERM"],
    ["clone", [k.CLONE_NEWUSER, 0, 0, 0, 0], "EPERM"],
    ["clone3", [stack, 88], "ENOSYS"],
    ["keyctl", [0, 0, 0, 0, 0], "EPERM"],
    ["bpf", [0, stack, 8], "EPERM"],
    ["io_uring_setup", [1, stack], "EPERM"],
    ["chroot", [nowhere], "ENOENT"],
    ["file_setattr", [0, 0, 0, 0, 0], "ENOSYS"],
  ];
  const results = tries.map(([call, args]) => probe(p, call, args));
  const values = await executor.run(p);
  for (const [index, [call, , expected]] of tries.entries()) {
    const slot = results[index];
    assert.ok(slot);
    assertOutcome(values.value(slot), expected, `${call} (try ${index})`);
  }
});

test("capset leaves exactly the given sets", requiresRoot(), async () => {
  await using executor = makeExecutor(layout.executorSocket);
  const p = new Program("set capabilities");
  const { header, data } = encodeCapset({
    effective: ["CAP_CHOWN"],
    permitted: ["CAP_CHOWN", "CAP_AUDIT_READ"],
    inheritable: ["CAP_CHOWN"],
  });
  p.call("capset", [p.bytes(header), p.bytes(data)], { note: "set them" });
  const fd = p.sys("openat", [k.AT_FDCWD, p.text("/proc/self/status"), k.O_RDONLY, 0], { note: "open the status" });
  const text = p.buffer(4096);
  p.call("read", [fd, text, 4096], { note: "read it" });
  const status = (await executor.run(p)).bytes(text).toString();
  assert.match(status, /CapInh:\s+0000000000000001\nCapPrm:\s+0000002000000001\nCapEff:\s+0000000000000001/);
});

test("the netlink message brings loopback up in a new network namespace", requiresRoot(), async () => {
  await using executor = makeExecutor(layout.executorSocket);
  const p = new Program("bring loopback up");
  p.call("unshare", [k.CLONE_NEWNET], { note: "make a network namespace" });
  const fd = p.sys("socket", [k.AF_NETLINK, k.SOCK_RAW | k.SOCK_CLOEXEC, k.NETLINK_ROUTE], { note: "open netlink" });
  const message = linkUp(loopbackIndex, 7);
  p.call("sendto", [fd, p.bytes(message), message.length, 0, 0, 0], { note: "ask" });
  const answer = p.buffer(256);
  const size = p.sys("recvfrom", [fd, answer, 256, 0, 0, 0], { note: "read the answer" });
  const missing = linkUp(4711, 8);
  p.call("sendto", [fd, p.bytes(missing), missing.length, 0, 0, 0], { note: "ask for a link that is not there" });
  const refusal = p.buffer(256);
  const refusalSize = p.sys("recvfrom", [fd, refusal, 256, 0, 0, 0], { note: "read the refusal" });
  const request = p.buffer(40); // struct ifreq: name, then the flags
  p.copy(new Slot(p.bytes(Buffer.from("lo\0\0\0\0\0\0"))), request, "name the link");
  p.call("ioctl", [fd, 0x8913, request], { note: "SIOCGIFFLAGS: read its flags" });
  const results = await executor.run(p);
  assert.equal(acknowledgement(results.bytes(answer, results.value(size)), 7), 0);
  assert.equal(acknowledgement(results.bytes(refusal, results.value(refusalSize)), 8), errnoNumber("ENODEV"));
  assert.equal(results.bytes(request).readUInt16LE(16) & 1, 1, "IFF_UP");
});

/** Where cgroup v2 is mounted, on hybrid machines too. */
function cgroup2(): string | undefined {
  const line = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .find((mount) => mount.includes(" - cgroup2 "));
  return line?.split(" ")[4];
}

const unified = cgroup2();
const needs = unified === undefined ? { skip: "needs a cgroup v2 mount" } : requiresRoot();

test("a device program attached to a cgroup decides what its processes may open", needs, async () => {
  await using executor = makeExecutor(layout.executorSocket);
  const path = `${unified}/sampan${layout.suffix}`;
  mkdirSync(path);
  try {
    const p = new Program("try the device program");
    const cgroup = p.sys("openat", [k.AT_FDCWD, p.text(path), k.O_RDONLY | k.O_DIRECTORY, 0], { note: "open it" });
    attachDeviceProgram(p, cgroup, defaultDeviceRules);
    const query = progQuery(4);
    const asking = p.bytes(query.bytes);
    const ids = p.buffer(16);
    p.block.point(asking.at(query.pointers.ids), ids);
    p.copy(cgroup, asking.at(queryFields.cgroup), "the cgroup, spilling over the type");
    p.copy(new Slot(p.words([BPF_CGROUP_DEVICE])), asking.at(queryFields.type), "the type again");
    p.call("bpf", [BPF_PROG_QUERY, asking, query.bytes.length], { note: "ask what is attached" });
    const procs = p.sys("openat", [cgroup, p.text("cgroup.procs"), k.O_WRONLY, 0], { note: "open its list" });
    p.call("write", [procs, p.text("0"), 1], { note: "enter it" });
    const node = p.text(`/dev/sampan-test-${process.pid}`);
    const open = (path: string) => probe(p, "openat", [k.AT_FDCWD, p.text(path), k.O_RDWR | k.O_NONBLOCK, 0]);
    const [nothing, log] = [open("/dev/null"), open("/dev/kmsg")];
    const made = probe(p, "mknodat", [k.AT_FDCWD, node, k.S_IFBLK | 0o600, 0x700]);
    p.call("unlinkat", [k.AT_FDCWD, node, 0], { note: "remove the node", tolerate: ["ENOENT"] });
    const results = await executor.run(p);
    assert.ok(
      results.bytes(ids).readUInt32LE(0) > 0 && results.bytes(ids).readUInt32LE(4) === 0,
      "one program is attached",
    );
    assertOutcome(results.value(nothing), "ok", "/dev/null");
    assertOutcome(results.value(log), "EPERM", "/dev/kmsg");
    assertOutcome(results.value(made), "ok", "mknod of a block device");
  } finally {
    await remove(path);
  }
});

/** The process that was in there may take a moment to be gone. */
async function remove(directory: string): Promise<void> {
  for (let round = 0; ; round++) {
    try {
      rmdirSync(directory);
      return;
    } catch (error) {
      if (round === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
