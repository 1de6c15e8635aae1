import { readFileSync } from "node:fs";
import { totalmem } from "node:os";

/** What a process's numbers are told in relation to. */
export interface Surroundings {
  /** Now, Unix time in seconds. */
  readonly now: number;
  /** When the machine started, Unix time in seconds. */
  readonly bootTime: number;
  /** Bytes. */
  readonly memory: number;
  userName(uid: number): string;
  groupName(gid: number): string;
}

/** Names are the machine's, as dockerd's `ps` tells them. */
export function readSurroundings(): Surroundings {
  const users = namesOf("/etc/passwd");
  const groups = namesOf("/etc/group");
  return {
    now: Date.now() / 1000,
    bootTime: Number(/^btime (\d+)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1] ?? 0),
    memory: totalmem(),
    userName: (uid) => users.get(uid) ?? String(uid),
    groupName: (gid) => groups.get(gid) ?? String(gid),
  };
}

/** Of passwd(5) and group(5), whose third fields are the numbers. */
function namesOf(path: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const line of readLines(path)) {
    const [name = "", , id = ""] = line.split(":");
    if (/^\d+$/.test(id) && !names.has(Number(id))) names.set(Number(id), name);
  }
  return names;
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n");
  } catch {
    return [];
  }
}
