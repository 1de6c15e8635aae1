import { type ErrorKind, SampanError } from "../../errors/index.ts";

const remedies: Readonly<Record<string, { kind: ErrorKind; text: string }>> = {
  ENOSPC: { kind: "exhausted", text: "no space left on device: remove unused images or enlarge the file system" },
  EDQUOT: { kind: "exhausted", text: "the disk quota is used up" },
  EMFILE: { kind: "exhausted", text: "too many open files: raise the daemon's nofile limit" },
  EROFS: { kind: "unavailable", text: "the file system is read-only" },
  EACCES: { kind: "denied", text: "permission denied: the root directory belongs to another user" },
};

/** What a failed file operation becomes: "Cannot <doing>: ENOSPC: no space left on device: <remedy>". */
export function storageError(doing: string, cause: unknown): SampanError {
  if (cause instanceof SampanError) return cause;
  const code = errnoOf(cause);
  const known = code === undefined ? undefined : remedies[code];
  const why = known === undefined ? (cause instanceof Error ? cause.message : String(cause)) : `${code}: ${known.text}`;
  return new SampanError(known?.kind ?? "internal", `Cannot ${doing}: ${why}`, { cause });
}

/** The errno name of a Node system error. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
