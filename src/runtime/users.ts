import { SampanError } from "../errors/index.ts";
import type { ResolvedUser } from "./types.ts";

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

const MAX_ID = 2 ** 31 - 1;

/** /etc/passwd; malformed lines are passed over, as by every libc (passwd(5)). */
export function parsePasswd(text: string): PasswdEntry[] {
  return text.split("\n").flatMap((line) => {
    const [name, , uid, gid, , home] = line.split(":");
    if (!name || !isNumber(uid) || !isNumber(gid)) return [];
    return [{ name, uid: Number(uid), gid: Number(gid), home: home || "/" }];
  });
}

/** /etc/group (group(5)). */
export function parseGroup(text: string): GroupEntry[] {
  return text.split("\n").flatMap((line) => {
    const [name, , gid, members] = line.split(":");
    if (!name || !isNumber(gid)) return [];
    return [{ name, gid: Number(gid), members: (members ?? "").split(",").filter(Boolean) }];
  });
}

function isNumber(text: string | undefined): text is string {
  return text !== undefined && /^\d+$/.test(text);
}

function idOf(text: string): number | undefined {
  if (!isNumber(text)) return undefined;
  const id = Number(text);
  if (id > MAX_ID) throw new SampanError("invalid", `uids and gids must be in range 0-${MAX_ID}`);
  return id;
}

/**
 * Who "user[:group]" is by the files of the container, as runc and dockerd resolve it: a name must be there, a number
 * need not; without a group it is the user's own, and then the groups that list the user are supplementary.
 */
export function resolveUserIn(
  files: { passwd: string; group: string },
  user: string,
  groupAdd: readonly string[],
): ResolvedUser {
  const groups = parseGroup(files.group);
  const [userPart = "", groupPart = ""] = user.split(":", 2);
  const wanted = userPart === "" ? "0" : userPart;
  const uid = idOf(wanted);
  const passwd = parsePasswd(files.passwd);
  const entry =
    passwd.find((candidate) => candidate.name === wanted) ?? passwd.find((candidate) => candidate.uid === uid);
  if (!entry && uid === undefined)
    throw new SampanError("invalid", `unable to find user ${wanted}: no matching entries in passwd file`);
  const supplementary =
    entry && groupPart === "" ? groups.filter(({ members }) => members.includes(entry.name)).map(({ gid }) => gid) : [];
  const added = groupAdd.map((name) => resolveGroup(groups, name));
  const gid = groupPart === "" ? (entry?.gid ?? 0) : resolveGroup(groups, groupPart);
  return {
    uid: entry?.uid ?? uid ?? 0,
    gid,
    // The primary group, too: set-group-id programs must not drop it (CVE-2022-36109).
    additionalGids: [...new Set([gid, ...supplementary, ...added])],
    home: entry?.home ?? "/",
  };
}

function resolveGroup(groups: readonly GroupEntry[], name: string): number {
  const known = groups.find((group) => group.name === name)?.gid ?? idOf(name);
  if (known === undefined)
    throw new SampanError("invalid", `unable to find group ${name}: no matching entries in group file`);
  return known;
}
