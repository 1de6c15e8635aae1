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
