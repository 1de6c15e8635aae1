import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../process.ts";
import type { ApiAnswer, Sandbox } from "../sandbox.ts";
import { settled } from "./kills.ts";

/** What changes files, makes the change durable, or asks the helper: strace(1) counts them for each thread. */
const calls = "rename,unlink,mkdir,rmdir,write,writev,pwrite64,pwritev,ftruncate,fsync,fdatasync,openat";

/** Something that is asked of a daemon, which may die at any of its system calls. */
export interface Deed {
  readonly name: string;
  /** It has few system calls. */
  readonly small?: boolean;
  /** Before each try, with a daemon that lives. */
  prepare?(): Promise<unknown>;
  ask(): Promise<ApiAnswer>;
  /** Afterwards, with a daemon that lives: all is as before, or as it was asked for. */
  verify(): Promise<unknown>;
  /** Undoes it. */
  undo?(): Promise<unknown>;
}

/**
 * Kills the daemon at its `first`, `first + stride`, … file-changing system call of a deed, until one comes to its end.
 * Answers how often it was killed.
 */
export async function killAtPoints(
  box: Sandbox,
  deed: Deed,
  { first, stride }: { first: number; stride: number },
): Promise<number> {
  for (let kills = 0, point = first; ; kills++, point += stride) {
    await deed.prepare?.();
    const tracer = await killerOf(box.pid ?? 0, point);
    const outcome = await deed.ask().catch(() => undefined);
    await delay(20); // in which it may still come to its call
    await release(tracer, box.pid === undefined ? "SIGKILL" : "SIGINT");
    const survived = box.pid !== undefined && outcome !== undefined;
    if (!survived) {
      await box.stop("SIGKILL");
      await box.start();
    }
    try {
      if (survived) assert.ok(outcome.status < 300, `${outcome.status} ${outcome.text}`);
      await deed.verify();
      await deed.undo?.();
      await settled(box);
    } catch (error) {
      throw new Error(`${deed.name}, killed at system call ${point}: ${(error as Error).message}`, { cause: error });
    }
    if (survived) return kills;
  }
}

/** A tracer that kills a process when one of its threads comes to its so-manieth call. */
async function killerOf(pid: number, point: number): Promise<ChildProcess> {
  const inject = `inject=${calls}:signal=KILL:when=${point}`;
  // Each thread of its own, for with -f its helper would be traced, too.
  const threads = readdirSync(`/proc/${pid}/task`).flatMap((thread) => ["-p", thread]);
  const tracer = spawn("strace", ["-o", "/dev/null", "-e", `trace=${calls}`, "-e", inject, ...threads], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  tracer.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const attached = () => said.split(" attached").length > threads.length / 2;
  await eventually("strace is attached", () => attached() || tracer.exitCode !== null);
  assert.equal(tracer.exitCode, null, said);
  return tracer;
}

/** Ends the tracer. It lets go of a process that lives when it is asked to; of threads that are gone it is not sure. */
async function release(tracer: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (tracer.exitCode !== null || tracer.signalCode !== null) return;
  const exit = once(tracer, "exit");
  tracer.kill(signal);
  await exit;
}
