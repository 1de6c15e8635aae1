import { resolve } from "node:path";
import { SampanError } from "../errors/index.ts";
import { layoutOf } from "../storage/layout.ts";
import { checkRun } from "../storage/run-directory.ts";

/** Where a daemon listens, and whether the user named the place: a named daemon is never started by us. */
export interface Host {
  readonly socketPath: string;
  readonly explicit: boolean;
}

/**
 * The host option wins over `SAMPAN_HOST`, that over the socket of the default daemon. Throws "denied" where that could be
 * somebody else's.
 */
export function chooseHost(
  options: { host?: string | undefined; root?: string | undefined; run?: string | undefined },
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Host {
  const named = options.host || environment.SAMPAN_HOST;
  if (named) return { socketPath: parseHost(named), explicit: true };
  const layout = layoutOf(options);
  checkRun(layout);
  return { socketPath: layout.apiSocket, explicit: false };
}

/** The socket of `unix:///path` (or a bare absolute path). TCP hosts are refused. */
export function parseHost(text: string): string {
  const path = text.startsWith("unix://") ? text.slice("unix://".length) : text;
  if (!path.startsWith("/")) {
    throw new SampanError("invalid", `Cannot use host ${JSON.stringify(text)}: wanted unix:///path/to/socket`);
  }
  return resolve(path);
}
