import * as f from "../../kernel/flags.ts";
import type { Program } from "../../kernel/program.ts";
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

/** Limits, attributes, session, and rights of a bundle's process; `closeOthers` leaves it no descriptor by which to slip out. Without
 * `limits` its parent, which may raise them, sets those. */
export function takeIdentity(
  p: Program,
  process: BundleProcess,
  options: { newKeyring: boolean; limits: boolean; closeOthers: () => void },
): void {
  p.in("process", () => {
    if (options.limits) setLimits(p, process);
    takeAttributes(p, process.attributes);
    takeName(p, "sampan-init");
    startSession(p, process);
    options.closeOthers();
  });
  dropRights(p, process, options);
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

/** The filter of a process that may gain no rights, which it takes last. */
export function takeLastFilter(p: Program, process: ProcessSpec, failure?: Failure): void {
  if (!process.noNewPrivileges) return;
  p.in("security", () => installFilter(p, process, failure && { tolerate: "all", ...failure }));
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
