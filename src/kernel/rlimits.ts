/** Resource limits by the name that `--ulimit` and the OCI spec's RLIMIT_ constants share, and their numbers (setrlimit(2)). */
export const rlimits = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
  locks: 10,
  sigpending: 11,
  msgqueue: 12,
  nice: 13,
  rtprio: 14,
  rttime: 15,
} as const;

export type RlimitName = keyof typeof rlimits;

/** No limit. On the wire it is all ones; in Docker's and OCI's JSON it is -1 or this number. */
export const RLIM_INFINITY = 0xffffffffffffffffn;

export function isRlimitName(name: string): name is RlimitName {
  return Object.hasOwn(rlimits, name);
}

const titles: Readonly<Record<string, RlimitName>> = {
  "Max cpu time": "cpu",
  "Max file size": "fsize",
  "Max data size": "data",
  "Max stack size": "stack",
  "Max core file size": "core",
  "Max resident set": "rss",
  "Max processes": "nproc",
  "Max open files": "nofile",
  "Max locked memory": "memlock",
  "Max address space": "as",
  "Max file locks": "locks",
  "Max pending signals": "sigpending",
  "Max msgqueue size": "msgqueue",
  "Max nice priority": "nice",
  "Max realtime priority": "rtprio",
  "Max realtime timeout": "rttime",
};

/** The hard limits in the text of /proc/PID/limits (proc(5)); -1 is no limit. */
export function readHardLimits(text: string): ReadonlyMap<RlimitName, number> {
  const limits = new Map<RlimitName, number>();
  for (const line of text.split("\n")) {
    const [, title = "", hard = ""] = /^(.{1,25}?)\s{2,}\S+\s+(\S+)/.exec(line) ?? [];
    const name = titles[title];
    if (name !== undefined) limits.set(name, hard === "unlimited" ? -1 : Number(hard));
  }
  return limits;
}
