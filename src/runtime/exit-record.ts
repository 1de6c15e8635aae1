import type { Ref } from "../kernel/block.ts";
import type { Program } from "../kernel/program.ts";
import type { Exit } from "./types.ts";

const EVENTS_SIZE = 480;
const layout = { status: 0, seconds: 8, nanoseconds: 16, events: 24, size: 24 + EVENTS_SIZE } as const;

/** How a process ended, as the monitor announces it and writes it to the exit file: 64-bit words, then a cgroup's event counts as text. */
export function exitRecord(p: Program): { whole: Ref; status: Ref; time: Ref; events: Ref } {
  const whole = p.buffer(layout.size, "exit record");
  return { whole, status: whole.at(layout.status), time: whole.at(layout.seconds), events: whole.at(layout.events) };
}

/** What the record says. `status` is as waitpid(2) gives it. */
export function decodeExit(record: Buffer): Exit {
  const status = Number(record.readBigInt64LE(layout.status));
  const at = record.readBigInt64LE(layout.seconds) * 1_000_000_000n + record.readBigInt64LE(layout.nanoseconds);
  const events = record.subarray(layout.events).toString("latin1");
  const oomKilled = Number(/^oom_kill (\d+)/m.exec(events)?.[1] ?? 0) > 0;
  const signal = status & 0x7f;
  if (signal === 0) return { code: (status >> 8) & 0xff, at, oomKilled };
  return { code: 128 + signal, signal, at, oomKilled };
}

/** For a process whose monitor was killed: PR_SET_PDEATHSIG killed it, too. */
export function killedWithMonitor(now: bigint): Exit {
  return { code: 137, signal: 9, at: now, oomKilled: false, monitorKilled: true };
}

export const exitRecordSize = layout.size;
