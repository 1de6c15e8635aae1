import { named, type Slot } from "../kernel/block.ts";
import { type CapabilityName, capabilities, encodeCapset } from "../kernel/capabilities.ts";
import * as f from "../kernel/flags.ts";
import type { Program, StepOptions } from "../kernel/program.ts";
import { RLIM_INFINITY, type RlimitName, rlimits } from "../kernel/rlimits.ts";
import { restrictByLandlock } from "./landlock.ts";
import type { ProcessSpec } from "./types.ts";

const SECCOMP_SET_MODE_FILTER = 1;
const SIGKILL = 9;

/**
 * The last steps before the user's program runs: limits, identity, rights, and execve. Everything that needs a right
 * comes before the step that drops it.
 *
 *     Landlock → limits → bounding set → seccomp (both need CAP_SYS_ADMIN without no_new_privs) → groups, gid, uid → capabilities
 *            → working directory (as the user, with no descriptor left to slip out through) → seccomp → execve
 */
export function becomeProcess(p: Program, process: ProcessSpec, options: { status: Slot; init: boolean }): void {
  p.in("process", () => setOomScore(p, process));
  p.in("security", () => restrictByLandlock(p, process.landlock));
  p.in("process", () => {
    setLimits(p, process);
    takeName(p, options.init ? "sampan-init" : baseName(process.argv[0] ?? ""));
    startSession(p, process);
  });
  dropRights(p, process, { newKeyring: true });
  p.in("process", () => {
    endWithMonitor(p);
    p.call("dup3", [options.status, 3, f.O_CLOEXEC], {
      note: "keep the way to report a failure",
      tolerate: ["EINVAL"],
    });
    p.call("close_range", [4, 0xffffffff, 0], { note: "close every other descriptor: none may leak in" });
    p.call("chdir", [p.text(process.cwd)], { note: `go to ${process.cwd}` });
    if (options.init) p.init("stay as PID 1, which forwards signals and reaps; a child goes on");
  });
  if (process.noNewPrivileges) p.in("security", () => installFilter(p, process));
  p.in("process", () => execute(p, process));
}

/** Until the next change of its user. */
export function endWithMonitor(p: Program): void {
  p.call("prctl", [named(f.PR_SET_PDEATHSIG, "PR_SET_PDEATHSIG"), named(SIGKILL, "SIGKILL")], {
    note: "end with the monitor, which nobody could replace",
  });
}

/** A name, as `ps` shows it. */
export function takeName(p: Program, name: string): void {
  p.call("prctl", [named(f.PR_SET_NAME, "PR_SET_NAME"), p.text(name)], { note: "take a name" });
}

/** The mask of new files, and a session of its own; a terminal's process has started one with it. */
export function startSession(p: Program, process: ProcessSpec): void {
  p.call("umask", [named(process.umask, `0${process.umask.toString(8)}`)], {
    note: "set the mask of new files' rights",
  });
  if (!process.terminal) p.call("setsid", [], { note: "start a session", tolerate: ["EPERM"] });
}

/**
 * Keyring, bounding set, user and capabilities. The filter of a process that may gain rights is installed here, while it
 * may be; that of one with no_new_privs is left to the end (`installFilter`).
 */
export function dropRights(
  p: Program,
  process: ProcessSpec,
  options: { newKeyring: boolean; filtered?: (listener: Slot) => void; leftGroups?: boolean },
): void {
  p.in("security", () => {
    if (options.newKeyring)
      p.call("keyctl", [f.KEYCTL_JOIN_SESSION_KEYRING, 0], {
        note: "leave the machine's keyring",
        tolerate: ["ENOSYS", "EPERM", "EDQUOT"],
      });
    dropBounding(p, process.capabilities.bounding);
    if (process.noNewPrivileges)
      p.call("prctl", [named(f.PR_SET_NO_NEW_PRIVS, "PR_SET_NO_NEW_PRIVS"), 1, 0, 0, 0], {
        note: "let no program gain rights",
      });
    else installFilter(p, process, { filtered: options.filtered });
    becomeUser(p, process, { leftGroups: options.leftGroups ?? false });
  });
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Through the /proc that is there: the machine's before the root is entered, the container's after. */
export function setOomScore(p: Program, { oomScoreAdj }: ProcessSpec): void {
  if (oomScoreAdj === undefined) return;
  const text = String(oomScoreAdj);
  const file = p.sys(
    "openat",
    [f.AT_FDCWD, p.text("/proc/self/oom_score_adj"), named(f.O_WRONLY | f.O_CLOEXEC, "O_WRONLY|O_CLOEXEC"), 0],
    { note: "open its OOM score" },
  );
  p.call("write", [file, p.text(text), text.length], { note: `set it to ${text}`, full: true });
}

/** Of the running process, or of `pid`. */
export function setLimits(p: Program, process: ProcessSpec, pid: Slot | 0 = 0): void {
  for (const { name, soft, hard } of process.rlimits) {
    const limit = p.words([rlimitValue(soft), rlimitValue(hard)], `{ ${soft}, ${hard} }`);
    p.call("prlimit64", [pid, named(rlimits[name], name), limit, 0], {
      note: `limit ${name} to ${soft}, at most ${hard}`,
    });
  }
}

/** Raises those hard limits to the wanted ones that are below, where that is allowed: `own` are those there are, -1 for none. */
export function raiseLimits(p: Program, { rlimits: wanted }: ProcessSpec, own: ReadonlyMap<RlimitName, number>): void {
  for (const { name, hard } of wanted) {
    const known = own.get(name) ?? -1;
    if (known < 0 || (hard >= 0 && hard <= known)) continue;
    const limit = p.words([rlimitValue(hard), rlimitValue(hard)], `{ ${hard}, ${hard} }`);
    p.call("prlimit64", [0, named(rlimits[name], name), limit, 0], { note: `raise the limit ${name} to ${hard}` });
  }
}

function rlimitValue(value: number): bigint {
  return value < 0 ? RLIM_INFINITY : BigInt(value);
}

function dropBounding(p: Program, keep: readonly CapabilityName[]): void {
  for (const [name, number] of Object.entries(capabilities)) {
    if (keep.includes(name as CapabilityName)) continue;
    p.call("prctl", [named(f.PR_CAPBSET_DROP, "PR_CAPBSET_DROP"), named(number, name), 0, 0, 0], {
      note: `give up ${name} for ever`,
      tolerate: ["EINVAL"],
    });
  }
}

/**
 * `failure` is where to go on, and into what, when the kernel refuses the filter; `filtered` is told where its answer is, which
 * is a descriptor when the filter has a listener.
 */
export function installFilter(
  p: Program,
  process: ProcessSpec,
  {
    filtered,
    ...failure
  }: Pick<StepOptions, "tolerate" | "orElse" | "into"> & {
    filtered?: ((listener: Slot) => void) | undefined;
  } = {},
): void {
  if (!process.seccomp) return;
  const { filter, flags } = process.seccomp;
  const count = filter.length / 8;
  // struct sock_fprog of seccomp(2)
  const program = p.words([count, p.bytes(filter, "filter")], `{ ${count} instructions }`);
  const options = { note: `filter system calls: ${count} instructions of BPF`, ...failure };
  const answer = p.sys("seccomp", [named(SECCOMP_SET_MODE_FILTER, "SET_MODE_FILTER"), flags, program], options);
  filtered?.(answer);
}

/** With `leftGroups` it has none any more: to leave them again may be refused. */
function becomeUser(p: Program, process: ProcessSpec, { leftGroups }: { leftGroups: boolean }): void {
  const { uid, gid, additionalGids } = process.user;
  p.call("prctl", [named(f.PR_SET_KEEPCAPS, "PR_SET_KEEPCAPS"), 1, 0, 0, 0], {
    note: "keep the capabilities across the change of user",
  });
  if (additionalGids.length > 0 || !leftGroups) takeGroups(p, additionalGids);
  p.call("setresgid", [gid, gid, gid], { note: `become group ${gid}` });
  p.call("setresuid", [uid, uid, uid], { note: `become user ${uid}` });
  p.call("prctl", [named(f.PR_SET_KEEPCAPS, "PR_SET_KEEPCAPS"), 0, 0, 0, 0], { note: "and from now on as usual" });
  const { header, data } = encodeCapset(process.capabilities);
  const names = process.capabilities.effective.map((name) => name.slice(4).toLowerCase()).join(" ") || "none";
  p.call("capset", [p.bytes(header, "{ version 3 }"), p.bytes(data, `{ ${names} }`)], {
    note: `keep ${process.capabilities.effective.length} capabilities`,
  });
  for (const name of process.capabilities.ambient) {
    p.call(
      "prctl",
      [
        named(f.PR_CAP_AMBIENT, "PR_CAP_AMBIENT"),
        named(f.PR_CAP_AMBIENT_RAISE, "RAISE"),
        named(capabilities[name], name),
        0,
        0,
      ],
      { note: `hand ${name} on to programs` },
    );
  }
}

function takeGroups(p: Program, gids: readonly number[]): void {
  const groups = Buffer.alloc(Math.max(4, gids.length * 4));
  for (const [index, group] of gids.entries()) groups.writeUInt32LE(group, index * 4);
  p.call("setgroups", [gids.length, p.bytes(groups, `[${gids.join(", ")}]`)], {
    note: "take the supplementary groups",
  });
}

/** PATH of a process that was given none: execvp(3) of glibc has the same. */
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The paths that execvp(3) would try for argv[0]. */
export function executableCandidates(process: ProcessSpec): string[] {
  const command = process.argv[0] ?? "";
  if (command.includes("/") || command === "") return [command];
  const path = process.env.find((entry) => entry.startsWith("PATH="))?.slice(5) ?? defaultPath;
  return path.split(":").map((directory) => `${directory || "."}/${command}`);
}

/** The marker of the steps whose failure is the user's: a program that is not there or cannot be executed. */
export const executeNote = "execute";

function execute(p: Program, process: ProcessSpec): void {
  const argv = p.strings(process.argv);
  const env = p.strings(process.env);
  const candidates = executableCandidates(process);
  for (const [index, path] of candidates.entries()) {
    const last = index === candidates.length - 1;
    p.call("execve", [p.text(path), argv, env], {
      note: `${executeNote} ${path}`,
      tolerate: last ? [] : ["ENOENT", "ENOTDIR", "EACCES"],
    });
  }
}
