import type { Job } from "./job.ts";
import type { Workspace } from "./workspace.ts";

/** Who "user[:group]" is by the files of a step's file system. A number without a group is its own group, as in Docker. */
export async function ownerOf(
  { parts }: Job,
  user: string,
  workspace: Workspace,
): Promise<{ readonly uid: number; readonly gid: number }> {
  const [, name = "", group] = /^([^:]*)(?::(.*))?$/s.exec(user) ?? [];
  const number = /^\d+$/.test(name) ? Number(name) : undefined;
  if (number !== undefined && (group === undefined || group === "")) return { uid: number, gid: number };
  if (number !== undefined && group !== undefined && /^\d+$/.test(group)) return { uid: number, gid: Number(group) };
  const { uid, gid } = await parts.runtime.resolveUser(workspace.root({ bare: false }), user, []);
  return { uid, gid };
}
