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
  const named = container.sandbox?.named ?? false;
  for (const user of usersOf(parts, container)) {
    const own = new Set(user.record.mounts.map(({ destination }) => destination));
    if (!own.has("/etc/hosts")) await rewrite(parts, user, "/etc/hosts", (text) => editHosts(text, change));
    if (named === change.wasNamed || own.has("/etc/resolv.conf")) continue;
    const [before, after] = [change.wasNamed, named].map((value) => resolvConfText(parts, container.record, value));
    await rewrite(parts, user, "/etc/resolv.conf", (text) => (text === before ? after : undefined));
  }
}

async function rewrite(
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
