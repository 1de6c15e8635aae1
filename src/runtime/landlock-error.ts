import { SampanError } from "../errors/index.ts";
import type { Errno } from "../kernel/errno.ts";
import { KernelError } from "../kernel/kernel-error.ts";

/** What the step is called that looks for the path of a rule. */
export function findNote(path: string): string {
  return `${beginning}${path}`;
}

const beginning = "Landlock: find ";

const reasons: Partial<Record<Errno, (path: string) => string>> = {
  ENOENT: missing,
  ENOTDIR: missing,
  ELOOP: () => "a symbolic link is on the way, which the container may turn elsewhere; name the path that it leads to",
};

function missing(path: string): string {
  return `there is none in the container; name it -${path} where it may be missing`;
}

/** A policy that does not suit the container is its user's mistake: that error, or undefined for any other. */
export function landlockError(error: unknown): SampanError | undefined {
  if (!(error instanceof KernelError) || error.errno === undefined) return undefined;
  const { step, errno } = error;
  const invalid = (why: string) => new SampanError("invalid", `Cannot confine by Landlock: ${why}`, { cause: error });
  if (step?.note.startsWith(beginning)) {
    const path = step.note.slice(beginning.length);
    const reason = reasons[errno]?.(path);
    return reason === undefined ? undefined : invalid(`${path}: ${reason}`);
  }
  if (step?.call !== "landlock_add_rule" || errno !== "EINVAL") return undefined;
  return invalid(`${step.note}: it is a file, and that is about directories`);
}
