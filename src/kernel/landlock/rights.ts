/**
 * What Landlock can restrict, by include/uapi/linux/landlock.h. `abi` is the version of its interface that has it:
 * 1 is Linux 5.13, 2 5.19, 3 6.2, 4 6.7, 5 6.10, 6 6.12.
 */
export interface Right {
  readonly bit: number;
  readonly abi: number;
}

/** LANDLOCK_ACCESS_FS_*, named as policies name them. */
export const fileRights = {
  execute: { bit: 0, abi: 1 },
  "write-file": { bit: 1, abi: 1 },
  "read-file": { bit: 2, abi: 1 },
  "read-dir": { bit: 3, abi: 1 },
  "remove-dir": { bit: 4, abi: 1 },
  "remove-file": { bit: 5, abi: 1 },
  "make-char": { bit: 6, abi: 1 },
  "make-dir": { bit: 7, abi: 1 },
  "make-reg": { bit: 8, abi: 1 },
  "make-sock": { bit: 9, abi: 1 },
  "make-fifo": { bit: 10, abi: 1 },
  "make-block": { bit: 11, abi: 1 },
  "make-sym": { bit: 12, abi: 1 },
  refer: { bit: 13, abi: 2 },
  truncate: { bit: 14, abi: 3 },
  "ioctl-dev": { bit: 15, abi: 5 },
} as const satisfies Record<string, Right>;
export type FileRight = keyof typeof fileRights;

/** Several at once, by one word. */
export const fileRightGroups: Readonly<Record<"read" | "write", readonly FileRight[]>> = {
  read: ["read-file", "read-dir"],
  write: [
    ...(["write-file", "truncate", "remove-dir", "remove-file", "refer"] as const),
    ...(["make-char", "make-dir", "make-reg", "make-sock", "make-fifo", "make-block", "make-sym"] as const),
  ],
};

/** What a rule about something that is no directory may grant; the kernel refuses any other there (EINVAL). */
export const rightsOfFiles: readonly FileRight[] = ["execute", "write-file", "read-file", "truncate", "ioctl-dev"];

/** LANDLOCK_ACCESS_NET_*: TCP ports. */
export const tcpRights = { bind: { bit: 0, abi: 4 }, connect: { bit: 1, abi: 4 } } as const satisfies Record<
  string,
  Right
>;
export type TcpRight = keyof typeof tcpRights;

/** LANDLOCK_SCOPE_*: to whom outside of the confined processes nothing may be sent. */
export const scopes = {
  "abstract-unix-socket": { bit: 0, abi: 6 },
  signal: { bit: 1, abi: 6 },
} as const satisfies Record<string, Right>;
export type Scope = keyof typeof scopes;

const releases: readonly string[] = ["5.13", "5.19", "6.2", "6.7", "6.10", "6.12"];

/** The Linux release that a version of the interface came with. */
export function releaseOfAbi(abi: number): string {
  return releases[abi - 1] ?? "";
}
