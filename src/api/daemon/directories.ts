import { chmodSync, closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { messageOf, SampanError } from "../../errors/index.ts";
import type { Layout } from "../../storage/layout.ts";
import { makeRun } from "../../storage/run-directory.ts";

/**
 * Makes the directories of a layout. Others may pass through the root to what they know the name of, as in
 * /var/lib/docker, and see nothing; the run directory they may look at, for the API socket in it has permissions of its
 * own. Without root it is all nobody else's business.
 */
export function makeDirectories(layout: Layout): void {
  const shared = process.getuid?.() === 0;
  make(dirname(layout.root), shared ? 0o755 : 0o700);
  make(layout.root, shared ? 0o711 : 0o700, true);
  for (const path of [layout.content, layout.layers, layout.volumes]) make(path, shared ? 0o711 : 0o700);
  for (const path of [layout.containers, layout.tmp]) make(path, shared ? 0o710 : 0o700);
  makeRun(layout);
  make(layout.run, shared ? 0o755 : 0o700, true);
  // Environments and credentials are in there. SQLite gives its companion files the mode of this one.
  closeSync(openSync(layout.stateDb, "a", 0o600));
}

/** @param exactly an existing directory gets the mode, too */
function make(path: string, mode: number, exactly = false): void {
  try {
    const made = mkdirSync(path, { recursive: true, mode });
    // mkdir(2) has taken the umask off.
    if (made !== undefined || exactly) chmodSync(path, mode);
  } catch (cause) {
    const remedy = process.getuid?.() === 0 ? "" : "; run as root, or choose another with --root and --run";
    throw new SampanError("denied", `Cannot make the directory ${path}: ${messageOf(cause)}${remedy}`, { cause });
  }
}
