import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { SampanError } from "../../errors/index.ts";
import type { Executor } from "../../kernel/executor.ts";
import { removeTree } from "../../storage/unpack/remove-tree.ts";
import { scratchName } from "../cache/mounts.ts";
import type { SpooledContext } from "../context/spool.ts";
import { nodeAt } from "../context/tree.ts";
import { ContextTree } from "../files/context-tree.ts";
import { bytesOf, resolve } from "../files/source-tree.ts";
import type { BuildSettings } from "../types.ts";
import { checkOut } from "./checkout.ts";
import { authHeaders } from "./credentials.ts";
import { Git } from "./program.ts";
import { type GitReference, shownReference } from "./reference.ts";
import { type ResolvedReference, resolveReference } from "./resolve.ts";
import { spoolWorktree } from "./worktree.ts";

/** What fetching from repositories needs of a build. */
export interface GitMeans extends Pick<BuildSettings, "secrets" | "agents"> {
  readonly executor: Executor;
  /** Where things of the build lie while it runs; it is there. */
  readonly scratch: string;
  readonly signal: AbortSignal;
  tell(line: string): void;
}

/** The files of a commit; which one is known before they are fetched. */
export class GitSource {
  readonly reference: GitReference;
  readonly resolved: ResolvedReference;
  readonly keepGitDir: boolean;
  readonly #means: GitMeans;

  private constructor(means: GitMeans, found: Pick<GitSource, "reference" | "resolved" | "keepGitDir">) {
    this.#means = means;
    this.reference = found.reference;
    this.resolved = found.resolved;
    this.keepGitDir = found.keepGitDir;
  }

  /** Asks the repository which commit is meant; `checksum` is what it must be, `keepGitDir` wins over what the URL says. */
  static async resolve(
    reference: GitReference,
    means: GitMeans,
    {
      keepGitDir,
      checksum,
    }: { readonly keepGitDir?: boolean | undefined; readonly checksum?: string | undefined } = {},
  ): Promise<GitSource> {
    const { tell, scratch } = means;
    const git = gitFor(reference, means);
    await mkdir(scratch, { recursive: true, mode: 0o700 });
    const resolved = await resolveReference(git, scratch, { reference, checksum });
    tell(`${resolved.commit}\t${resolved.name ?? ""}`.trimEnd());
    return new GitSource(means, { reference, resolved, keepGitDir: keepGitDir ?? reference.keepGitDir ?? false });
  }

  /** What the files depend on: the commit, not where it came from. */
  get identity(): Readonly<Record<string, unknown>> {
    const { subdir, submodules, remote } = this.reference;
    // A kept `.git` says where it came from.
    const kept = this.keepGitDir ? { remote, name: this.resolved.name } : undefined;
    return { commit: this.resolved.commit, subdir, submodules, kept };
  }

  /**
   * Fetches them; the tree must be disposed of. `during`: who waits for that, where it is somebody else. Kind "not-found" when
   * the directory that is meant is not there.
   */
  async open(during: Pick<GitMeans, "signal" | "tell"> = this.#means): Promise<SpooledContext> {
    const { executor, scratch } = this.#means;
    const { signal, tell } = during;
    const { reference, resolved, keepGitDir } = this;
    const directory = join(scratch, scratchName());
    try {
      const git = gitFor(reference, { ...this.#means, signal, tell });
      await checkOut(git, directory, { ...resolved, reference, keepGitDir });
      const where = { directory, path: join(scratch, scratchName()), keepGitDir };
      const spooled = await spoolWorktree(executor, where, signal);
      return await inDirectory(spooled, reference);
    } finally {
      await removeTree(executor, directory);
    }
  }
}

function gitFor(reference: GitReference, { executor, signal, secrets, agents, tell }: GitMeans): Git {
  const shown = shownReference(reference);
  const agent = agents.get("default");
  if (reference.protocol === "ssh" && agent === undefined) {
    throw new SampanError(
      "invalid",
      `Cannot fetch ${shown}: ssh needs the keys of an agent; lend one with --ssh default`,
    );
  }
  return new Git({ executor, signal, shown, tell, auth: authHeaders(reference, secrets), agent });
}

/** The directory that is meant, links on the way followed within the repository. */
async function inDirectory(spooled: SpooledContext, reference: GitReference): Promise<SpooledContext> {
  const path = await resolve(new ContextTree(spooled, () => false), bytesOf(reference.subdir));
  const node = path === undefined ? undefined : nodeAt(spooled.root, path);
  if (node?.stat.type === "directory") return spooled.at(node);
  await spooled[Symbol.asyncDispose]();
  const why = node === undefined ? "there is no such directory" : "it is no directory";
  const repository = shownReference({ ...reference, subdir: "" });
  throw new SampanError("not-found", `Cannot use the directory ${reference.subdir} of ${repository}: ${why}`);
}
