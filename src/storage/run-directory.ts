import { lstatSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf, SampanError } from "../errors/index.ts";
import type { Layout } from "./layout.ts";

/** The user, and where everybody makes temporary files; tests give their own. */
export interface RunSurroundings {
  readonly uid: number;
  readonly tmp: string;
}

const machine: RunSurroundings = {
  uid: process.getuid?.() ?? 0,
  get tmp() {
    return tmpdir();
  },
};

/**
 * Without XDG_RUNTIME_DIR a user's sockets are below /tmp, where anybody may have made the directory before and would be
 * sent what is meant for the daemon. Throws "denied" when it is there and not this user's alone.
 */
export function checkRun({ run }: Pick<Layout, "run">, around: RunSurroundings = machine): void {
  if (around.uid === 0 || !run.startsWith(join(around.tmp, `sampan-${around.uid}`))) return;
  const why = whyForeign(run, around.uid);
  if (why === undefined) return;
  throw new SampanError(
    "denied",
    `Cannot use ${run} for sockets: ${why}. Remove it, or choose a directory that is yours alone with XDG_RUNTIME_DIR or --run`,
  );
}

function whyForeign(path: string, uid: number): string | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  if (stat.isSymbolicLink()) return "it is a symbolic link";
  if (!stat.isDirectory()) return "it is no directory";
  if (stat.uid !== uid) return `it belongs to the user ${stat.uid}, not to you (${uid})`;
  const mode = stat.mode & 0o777;
  return mode & 0o077 ? `others may look into it (its mode is ${mode.toString(8)}, not 700)` : undefined;
}

/** Makes the run directory where it is missing: root's for all to look at, others' for nobody else. */
export function makeRun(layout: Pick<Layout, "run">, around: RunSurroundings = machine): void {
  try {
    mkdirSync(layout.run, { recursive: true, mode: around.uid === 0 ? 0o755 : 0o700 });
  } catch (cause) {
    throw new SampanError("denied", `Cannot make the directory ${layout.run}: ${messageOf(cause)}`, { cause });
  }
  checkRun(layout, around);
}
