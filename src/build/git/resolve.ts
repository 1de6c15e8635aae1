import { SampanError } from "../../errors/index.ts";
import type { Git } from "./program.ts";
import { checkChecksum, type GitReference, isCommit, shownReference } from "./reference.ts";

/** What a reference stands for now. */
export interface ResolvedReference {
  /** 40 or 64 hexadecimal digits. */
  readonly commit: string;
  /** "refs/heads/main"; undefined where the commit itself was named. */
  readonly name: string | undefined;
}

/**
 * Asks the repository which commit a reference means; a whole commit is believed. A branch wins over a tag of its name, as in
 * git-checkout(1) and BuildKit. `checksum` is what an instruction wants besides. Kind "not-found" for a ref that is not there,
 * "invalid" for another commit than the checksum says.
 */
export async function resolveReference(
  git: Git,
  directory: string,
  { reference, checksum }: { readonly reference: GitReference; readonly checksum?: string | undefined },
): Promise<ResolvedReference> {
  const { ref } = reference;
  if (checksum !== undefined) checkChecksum(checksum);
  const found =
    ref === undefined
      ? await defaultBranch(git, directory, reference)
      : isCommit(ref)
        ? { commit: ref, name: undefined, tag: undefined }
        : await named(git, directory, { reference, ref });
  for (const wanted of [reference.checksum, checksum]) {
    const fits = wanted === undefined || found.commit.startsWith(wanted) || found.tag?.startsWith(wanted);
    if (fits) continue;
    const why = `expected checksum to match ${wanted}, got ${found.commit}`;
    throw new SampanError("invalid", `Cannot use ${shownReference(reference)}: ${why}`);
  }
  return { commit: found.commit, name: found.name };
}

interface Found extends ResolvedReference {
  /** The object of an annotated tag, which checksums may name, too. */
  readonly tag: string | undefined;
}

async function defaultBranch(git: Git, directory: string, reference: GitReference): Promise<Found> {
  const text = await git.run(directory, ["ls-remote", "--symref", "--", reference.remote, "HEAD"]);
  const commit = shaOf(linesOf(text).get("HEAD"));
  if (commit === undefined) {
    const why = "the repository has no default branch: it may be empty, or the branch is to be named";
    throw new SampanError("not-found", `Cannot fetch ${shownReference(reference)}: ${why}`);
  }
  return { commit, name: /^ref: (refs\/heads\/\S+)\tHEAD$/m.exec(text)?.[1], tag: undefined };
}

async function named(
  git: Git,
  directory: string,
  { reference, ref }: { readonly reference: GitReference; readonly ref: string },
): Promise<Found> {
  const lines = linesOf(await git.run(directory, ["ls-remote", "--", reference.remote, ref, `${ref}^{}`]));
  const names = [ref, `refs/${ref}`, `refs/heads/${ref}`, `refs/tags/${ref}`];
  const name = names.find((candidate) => candidate.startsWith("refs/") && lines.has(candidate));
  const sha = shaOf(name && lines.get(name));
  if (name === undefined || sha === undefined) {
    const isShort = /^[0-9a-f]{4,39}$/.test(ref);
    const remedy = isShort ? "; if it is a commit, it is to be written in full" : "";
    const why = `repository does not contain ref ${ref}${remedy}`;
    throw new SampanError("not-found", `Cannot fetch ${shownReference(reference)}: ${why}`);
  }
  const peeled = shaOf(lines.get(`${name}^{}`));
  return { commit: peeled ?? sha, name, tag: peeled && sha };
}

/** What ls-remote answers, by name. */
function linesOf(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split("\n").flatMap((line): [string, string][] => {
      const [sha, name] = line.split("\t");
      return sha === undefined || name === undefined || !isCommit(sha) ? [] : [[name, sha]];
    }),
  );
}

function shaOf(sha: string | undefined): string | undefined {
  return sha === undefined || sha === "" ? undefined : sha;
}
