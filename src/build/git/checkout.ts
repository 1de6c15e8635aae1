import { lstat, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { kindOf, SampanError } from "../../errors/index.ts";
import type { Git } from "./program.ts";
import { type GitReference, shownReference } from "./reference.ts";
import type { ResolvedReference } from "./resolve.ts";

export interface Wanted extends ResolvedReference {
  readonly reference: GitReference;
  readonly keepGitDir: boolean;
}

/** Where everything comes from when a server does not hand out single commits. */
const allRefs = ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"];

/**
 * Checks a commit out into a new directory, with its submodules: nothing but that commit is fetched where the server can do
 * that. Hooks are never there, as there is no template.
 */
export async function checkOut(git: Git, directory: string, wanted: Wanted): Promise<void> {
  const { reference, commit, name, keepGitDir } = wanted;
  await mkdir(directory, { mode: 0o700 });
  const format = commit.length === 64 ? ["--object-format=sha256"] : [];
  await git.run(directory, ["init", "--quiet", ...format]);
  await git.run(directory, ["config", "remote.origin.url", reference.remote]);
  await fetchCommit(git, directory, wanted);
  await git.run(directory, ["checkout", "--quiet", "--force", "--detach", commit]);
  const hasSubmodules = reference.submodules && (await checkOutSubmodules(git, directory));
  if (!keepGitDir) return;
  if (name !== undefined) await git.run(directory, ["update-ref", name, commit]);
  await settle(git, directory, { commit, hasSubmodules });
}

async function fetchCommit(git: Git, directory: string, { reference, commit }: Wanted): Promise<void> {
  const fetch = ["fetch", "--progress", "--no-tags"];
  try {
    await git.run(directory, [...fetch, "--depth=1", "origin", commit]);
    return;
  } catch (error) {
    if (!mayHaveIt(error)) throw error;
  }
  await git.run(directory, [...fetch, "origin", ...allRefs]);
  await git.run(directory, ["cat-file", "-e", `${commit}^{commit}`]).catch((cause) => {
    if (kindOf(cause) === "cancelled") throw cause;
    const why = `the repository has no commit ${commit}`;
    throw new SampanError("not-found", `Cannot fetch ${shownReference(reference)}: ${why}`, { cause });
  });
}

/** Old and simple servers give no commit that is no tip, or no history that is cut off. */
function mayHaveIt(error: unknown): boolean {
  const says = /not our ref|unadvertised object|not support shallow|remote error: upload-pack: not our ref/;
  return error instanceof SampanError && says.test(error.message);
}

/** Answers whether there are any. */
async function checkOutSubmodules(git: Git, directory: string): Promise<boolean> {
  const has = await lstat(join(directory, ".gitmodules")).catch(() => undefined);
  if (has?.isFile() !== true) return false;
  const update = ["submodule", "--quiet", "update", "--init", "--recursive"];
  await git.run(directory, [...update, "--depth=1"]).catch(async (error) => {
    if (!mayHaveIt(error)) throw error;
    await git.run(directory, update);
  });
  return true;
}

/**
 * What is kept of `.git` is the same whenever the same commit is fetched: one pack, no times of files in the index, no trace
 * of how it came here.
 */
async function settle(
  git: Git,
  directory: string,
  { commit, hasSubmodules }: { readonly commit: string; readonly hasSubmodules: boolean },
): Promise<void> {
  const repack = ["-c", "pack.threads=1", "repack", "-a", "-d", "-F", "--quiet"];
  await git.run(directory, repack);
  await git.run(directory, ["read-tree", commit]);
  await rm(join(directory, ".git/FETCH_HEAD"), { force: true });
  if (!hasSubmodules) return;
  const each = `git ${repack.join(" ")} && git read-tree HEAD && rm -f "$(git rev-parse --git-dir)/FETCH_HEAD"`;
  await git.run(directory, ["submodule", "--quiet", "foreach", "--quiet", "--recursive", each]);
}
