import { messageOf } from "../../errors/index.ts";
import { askInside, connectInside, lookForFile, type Seen } from "../../runtime/probe.ts";
import type { Container } from "../container/live.ts";
import { runInside } from "../exec/run.ts";
import type { EngineParts } from "../parts.ts";
import type { OwnProbe } from "./own-probes.ts";
import type { Probe } from "./probe.ts";

export interface Look {
  /** 0 is well; -1 when it took too long or could not be done. */
  readonly exitCode: number;
  readonly output: string;
}

/** Bytes of a probe's output that are kept. */
const room = 4096;

/** Probes a container once. Never rejects. Resolves in time, but for a process that hangs in the kernel. */
export async function lookAt(parts: EngineParts, container: Container, probe: Probe): Promise<Look> {
  const { check, timeout } = probe;
  try {
    if (check.kind !== "command") return await ownLook(parts, container, { check, timeout });
    const { command: cmd } = check;
    const { launches } = parts.health;
    const { exitCode, output } = await runInside(parts, container, { cmd }, { timeout, room, launches });
    return exitCode === undefined ? tooLate(timeout, output) : { exitCode, output };
  } catch (error) {
    return { exitCode: -1, output: messageOf(error) };
  }
}

/** Those whose last look has not come back: what they look at hangs, and more of it would pile up. */
const hanging = new WeakSet<Container>();

async function ownLook(
  parts: EngineParts,
  container: Container,
  { check, timeout }: { readonly check: OwnProbe; readonly timeout: number },
): Promise<Look> {
  if (hanging.has(container)) return tooLate(timeout, "");
  const { launches, scheduler } = parts.health;
  const launched = await launches.take(new AbortController().signal);
  const late = Promise.withResolvers<Look>();
  const giveUp = scheduler.after(timeout, () => late.resolve(tooLate(timeout, "")));
  // It may take as long as what it looks at does; only the beginning is a cost.
  scheduler.after(50, launched);
  hanging.add(container);
  const look = seenFrom(parts, container.running?.pid ?? 0, { check, timeout })
    .then(({ well, text }) => ({ exitCode: well ? 0 : 1, output: text }))
    .finally(() => {
      hanging.delete(container);
      launched();
    });
  look.catch(() => {});
  return Promise.race([look, late.promise]).finally(giveUp);
}

async function seenFrom(
  { executor }: EngineParts,
  pid: number,
  { check, timeout }: { readonly check: OwnProbe; readonly timeout: number },
): Promise<Seen> {
  if (check.kind === "file") return lookForFile(executor, { pid }, check.path);
  let seen: Seen = { well: false, text: "nowhere to look" };
  for (const address of check.addresses) {
    const peer = { pid, address, port: check.port, timeout };
    const next = await (check.kind === "tcp"
      ? connectInside(executor, peer)
      : askInside(executor, peer, check.request));
    if (next.well) return next;
    // What the first address says is what people look for, unless only the second answers at all.
    if (address === check.addresses[0] || /^HTTP/.test(next.text)) seen = next;
  }
  return seen;
}

function tooLate(timeout: number, output: string): Look {
  const late = `Health check exceeded timeout (${goDuration(timeout)})`;
  return { exitCode: -1, output: output === "" ? late : `${late}: ${output}` };
}

/** As Go prints a time.Duration: "300ms", "1.5s", "1m30s". */
export function goDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${milliseconds}ms`;
  const seconds = milliseconds / 1000;
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const rest = Number((seconds % 60).toFixed(9));
  return `${hours > 0 ? `${hours}h` : ""}${seconds >= 60 ? `${minutes}m` : ""}${rest}s`;
}
