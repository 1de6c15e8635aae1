import { statSync } from "node:fs";
import { isAbsolute } from "node:path";
import { SampanError } from "../../errors/index.ts";

/**
 * Refuses what cannot be the socket of an ssh agent: it would be mounted into the containers of commands, whatever it is.
 *
 * @param agents paths on this machine, by id
 */
export function checkAgents(agents: ReadonlyMap<string, string>): void {
  for (const [id, path] of agents) {
    const problem = problemOf(path);
    if (problem === undefined) continue;
    const remedy = "name the socket that SSH_AUTH_SOCK names, on the machine of the daemon";
    throw new SampanError(
      "invalid",
      `Cannot use ${JSON.stringify(path)} as the ssh agent ${id}: ${problem}; ${remedy}`,
    );
  }
}

function problemOf(path: string): string | undefined {
  if (!isAbsolute(path)) return "it is no absolute path";
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return "there is no such file";
  return stat.isSocket() ? undefined : "it is no socket";
}
