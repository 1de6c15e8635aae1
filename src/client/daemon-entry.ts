import { join } from "node:path";

/** The daemon's entry point: the bundle beside ours, or the source when we run from source. */
export function daemonEntry(): string {
  // Only a CommonJS bundle has a __filename.
  const bundled = typeof __filename === "string" && __filename.endsWith(".cjs");
  return bundled ? join(__dirname, "daemon.cjs") : join(import.meta.dirname, "../api/daemon.ts");
}
