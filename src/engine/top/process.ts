import { readFileSync } from "node:fs";

/** What /proc says of a process (proc(5)). Times are clock ticks of 1/100 s, as user space is told on all architectures. */
export interface ProcessInfo {
  readonly pid: number;
  readonly comm: string;
  readonly state: string;
  readonly ppid: number;
  readonly pgrp: number;
  readonly session: number;
  /** Device number of the terminal; 0 for none. */
  readonly tty: number;
  readonly tpgid: number;
  readonly flags: number;
  readonly userTime: number;
  readonly systemTime: number;
  readonly priority: number;
  readonly nice: number;
  readonly threads: number;
  /** Since the machine's start. */
  readonly startTime: number;
  /** Bytes. */
  readonly virtualSize: number;
  /** Pages. */
  readonly resident: number;
  readonly processor: number;
  readonly lockedMemory: boolean;
  /** Real and effective ids. */
  readonly uid: number;
  readonly euid: number;
  readonly gid: number;
  readonly egid: number;
  /** The command line; empty for what has none. */
  readonly arguments: readonly string[];
  /** Where it waits in the kernel; "-" when it does not, or that is secret. */
  readonly waitsIn: string;
}

export const ticksPerSecond = 100;

/** Undefined for a process that has just ended. */
export function readProcess(pid: number): ProcessInfo | undefined {
  const stat = read(pid, "stat");
  const status = read(pid, "status");
  if (stat === undefined || status === undefined) return undefined;
  return parseProcess({ stat, status, cmdline: read(pid, "cmdline") ?? "", wchan: read(pid, "wchan") ?? "" });
}

function read(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return undefined;
  }
}

/** The texts of the four files. */
export interface ProcessFiles {
  readonly stat: string;
  readonly status: string;
  readonly cmdline: string;
  readonly wchan: string;
}

export function parseProcess({ stat, status, cmdline, wchan }: ProcessFiles): ProcessInfo {
  // A program's name may hold spaces and parentheses: the last one ends it.
  const end = stat.lastIndexOf(")");
  const [state = "?", ...rest] = stat.slice(end + 2).split(" ");
  const field = (number: number) => Number(rest[number - 4] ?? 0); // numbered as in proc(5)
  const ids = (name: string) =>
    (new RegExp(`^${name}:\\s+(.*)$`, "m").exec(status)?.[1] ?? "").split(/\s+/).map(Number);
  const [uid = 0, euid = 0] = ids("Uid");
  const [gid = 0, egid = 0] = ids("Gid");
  return {
    pid: Number.parseInt(stat, 10),
    comm: stat.slice(stat.indexOf("(") + 1, end),
    state,
    ppid: field(4),
    pgrp: field(5),
    session: field(6),
    tty: field(7),
    tpgid: field(8),
    flags: field(9),
    userTime: field(14),
    systemTime: field(15),
    priority: field(18),
    nice: field(19),
    threads: field(20),
    startTime: field(22),
    virtualSize: field(23),
    resident: field(24),
    processor: field(39),
    lockedMemory: (ids("VmLck")[0] ?? 0) > 0,
    ...{ uid, euid, gid, egid },
    arguments: cmdline
      .replace(/\0+$/, "")
      .split("\0")
      .filter((_, index, all) => all.length > 1 || all[index] !== ""),
    waitsIn: wchan === "" || wchan === "0" ? "-" : wchan,
  };
}
