import { capabilitySets } from "../../kernel/capabilities.ts";
import type { ProcessSpec, ResolvedUser } from "../../runtime/types.ts";
import { rightsOf } from "../container/spec.ts";
import { variablesOfLinks } from "../networks/links.ts";
import type { EngineParts } from "../parts.ts";
import { environment, overlayVariables } from "../request/environment.ts";
import { withLandlock } from "../request/landlock.ts";
import { grantedCapabilities } from "../request/security.ts";
import type { TerminalSize } from "../types.ts";
import type { Exec } from "./exec.ts";

/** The process of an exec: what its container's first process has, except where the request says otherwise. */
export async function execProcess(
  parts: EngineParts,
  exec: Exec,
  options: { readonly attached: boolean; readonly size?: TerminalSize | undefined },
): Promise<ProcessSpec> {
  const { container, request } = exec;
  const { record } = container;
  const user = await userOf(parts, exec);
  const rights = rightsOf(parts, record, user.uid);
  const all = grantedCapabilities({ CapAdd: null, CapDrop: null, Privileged: true });
  const size = options.size ?? request.consoleSize;
  const variables = { Env: overlayVariables(record.config.Env, request.env ?? []), Tty: request.tty ?? false };
  return withLandlock(parts, record.hostConfig, {
    argv: request.cmd,
    env: environment(variables, record.config.Hostname, user.home, variablesOfLinks(parts, record)),
    cwd: request.workingDir || record.config.WorkingDir || "/",
    user,
    terminal: request.tty ?? false,
    ...(size && size.rows > 0 && size.columns > 0 && { consoleSize: [size.rows, size.columns] as const }),
    openStdin: options.attached && (request.attachStdin ?? false),
    stdinOnce: !(request.tty ?? false),
    ...rights,
    ...(request.privileged && { capabilities: capabilitySets(all, user.uid) }),
  });
}

/** Whom the container's own user is, is known since its start; anybody else is looked up in it, now. */
async function userOf(parts: EngineParts, { container, request }: Exec): Promise<ResolvedUser> {
  const { config, hostConfig } = container.record;
  const name = request.user || config.User;
  if (name === config.User && container.user !== undefined) return container.user;
  const pid = container.running?.pid ?? 0;
  return parts.runtime.resolveUser({ pid }, name, hostConfig.GroupAdd ?? []);
}
