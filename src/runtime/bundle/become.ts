import type { Slot } from "../../kernel/block.ts";
import * as f from "../../kernel/flags.ts";
import type { Program } from "../../kernel/program.ts";
import { restrictByLandlock } from "../landlock.ts";
import {
  dropRights,
  executableCandidates,
  executeNote,
  installFilter,
  setLimits,
  startSession,
  takeName,
} from "../process.ts";
import type { ProcessSpec } from "../types.ts";
import { takeAttributes } from "./attributes.ts";
import type { Failure } from "./gate.ts";
import type { BundleProcess } from "./types.ts";

export interface IdentityOptions {
  readonly newKeyring: boolean;
  /** Its limits are its own to set. */
  readonly limits: boolean;
  /** It is the root of a user namespace. */
  readonly ownUsers: boolean;
  readonly closeOthers: () => void;
  readonly filtered?: Filtered | undefined;
}

/** Limits, attributes, session, and rights of a bundle's process; `closeOthers` leaves it no descriptor by which to slip out. Without
 * `limits` its parent, which may raise them, sets those. */
export function takeIdentity(p: Program, process: BundleProcess, options: IdentityOptions): void {
  p.in("security", () => restrictByLandlock(p, process.landlock));
  p.in("process", () => {
    if (options.limits) setLimits(p, process);
    takeAttributes(p, process.attributes);
    takeName(p, "sampan-init");
    startSession(p, process);
    options.closeOthers();
  });
  const { newKeyring, ownUsers, filtered } = options;
  dropRights(p, process, { newKeyring, leftGroups: ownUsers, ...(filtered && { filtered }) });
  p.in("process", () => {
    p.call("chdir", [p.text(process.cwd)], { note: `go to ${process.cwd}` });
    findExecutable(p, process);
  });
}

/** Fails as execve(2) would where there is no such program: while whoever creates the container still listens. */
function findExecutable(p: Program, process: ProcessSpec): void {
  const candidates = executableCandidates(process);
  const found = p.label();
  for (const [index, path] of candidates.entries()) {
    const next = p.label();
    const last = index === candidates.length - 1;
    p.call("faccessat", [f.AT_FDCWD, p.text(path), f.X_OK], {
      note: `${executeNote} ${path}: may it be?`,
      ...(last ? {} : { tolerate: ["ENOENT", "ENOTDIR", "EACCES"], orElse: next }),
    });
    if (last) break;
    p.jump(found, "it may");
    p.place(next);
  }
  p.place(found);
}

/** Told of a filter with a listener where its descriptor is. */
export type Filtered = (listener: Slot) => void;

/** The filter of a process that may gain no rights, which it takes last. */
export function takeLastFilter(
  p: Program,
  process: ProcessSpec,
  options: Failure | { filtered?: Filtered | undefined } = {},
): void {
  if (!process.noNewPrivileges) return;
  const tolerance = "into" in options ? { tolerate: "all" as const, ...options } : options;
  p.in("security", () => installFilter(p, process, tolerance));
}

/** Tries the candidates in turn; with `failure`, even the last one that fails goes there. */
export function executeProgram(p: Program, process: ProcessSpec, failure?: Failure): void {
  const argv = p.strings(process.argv);
  const env = p.strings(process.env);
  const candidates = executableCandidates(process);
  for (const [index, path] of candidates.entries()) {
    const last = index === candidates.length - 1;
    const tolerance = last ? failure && { tolerate: "all" as const, ...failure } : missing;
    p.sys("execve", [p.text(path), argv, env], { note: `${executeNote} ${path}`, ...tolerance });
  }
}

const missing = { tolerate: ["ENOENT", "ENOTDIR", "EACCES"] } as const;
