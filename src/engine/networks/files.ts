import { messageOf } from "../../errors/index.ts";
import type { Container } from "../container/live.ts";
import { resolvConfText } from "../container/system-files.ts";
import { editHosts, type HostsEntry } from "../files/hosts.ts";
import type { EngineParts } from "../parts.ts";
import { usersOf } from "./sandbox.ts";

interface Change {
  readonly remove: readonly HostsEntry[];
  readonly add: readonly HostsEntry[];
  /** Whether it had name service before. */
  readonly wasNamed: boolean;
}

/**
 * Brings /etc/hosts and resolv.conf of a running container up to date, and of those that use its network. What somebody
 * has written into hosts stays; a resolv.conf that somebody has changed is left alone. Never fails: the networks are what
 * they are, and what is wrong is told in the log.
 */
export async function rewriteFiles(parts: EngineParts, container: Container, change: Change): Promise<void> {
  await rewriteHosts(parts, container, (text) => editHosts(text, change));
  const named = container.sandbox?.named ?? false;
  if (named === change.wasNamed) return;
  const [before, after] = [change.wasNamed, named].map((value) => resolvConfText(parts, container.record, value));
  await rewrite(parts, container, "/etc/resolv.conf", (text) => (text === before ? after : undefined));
}

/** As `rewriteFiles`, /etc/hosts alone. */
export function rewriteHosts(parts: EngineParts, container: Container, edit: (text: string) => string): Promise<void> {
  return rewrite(parts, container, "/etc/hosts", edit);
}

/** For all who use the container's network, but where the user has mounted a file of his own. */
async function rewrite(
  parts: EngineParts,
  container: Container,
  path: string,
  edit: (text: string) => string | undefined,
): Promise<void> {
  for (const user of usersOf(parts, container)) {
    const isMounted = user.record.mounts.some(({ destination }) => destination === path);
    if (!isMounted) await rewriteOne(parts, user, path, edit);
  }
}

async function rewriteOne(
  { runtime, log }: EngineParts,
  { id, running }: Container,
  path: string,
  edit: (text: string) => string | undefined,
): Promise<void> {
  if (running === undefined) return;
  try {
    await runtime.rewriteFile(running.pid, path, edit);
  } catch (error) {
    log.warn({ container: id }, `${path} does not tell of the container's networks: ${messageOf(error)}`);
  }
}
