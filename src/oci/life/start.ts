import { closeSync, constants, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { SampanError } from "../../errors/index.ts";
import { type Errno, errnoName } from "../../kernel/errno.ts";
import { gateNames, startFailures } from "../../runtime/bundle/gate.ts";
import { ExecuteError } from "../../runtime/execute-error.ts";
import type { Context } from "../context.ts";
import { statusOf } from "../state/status.ts";
import type { ContainerRecord } from "../state/store.ts";
import { hookedContainer } from "../translate/container.ts";
import { hookState, hooksOf } from "../translate/hooks.ts";
import { runHooks } from "./hooks.ts";

/** Lets a created container run its program (runtime.md, "start"). Throws `conflict` for one that does not wait. */
export async function startContainer({ store }: Context, record: ContainerRecord): Promise<void> {
  const directory = store.directoryOf(record.id);
  const gate = openGate(directory);
  if (gate === undefined) throw notWaiting(statusOf(store, record));
  let report: Buffer;
  try {
    writeSync(gate.start, ".");
    report = readToEnd(gate.status);
  } finally {
    closeSync(gate.start);
    closeSync(gate.status);
    unlinkQuietly(`${directory}/${gateNames.status}`);
  }
  const bundle = store.bundleOf(record);
  if (report.length > 0) throw failureOf(report, bundle.config.process?.args ?? []);
  const poststart = hooksOf(bundle.config, "poststart");
  if (poststart.length === 0) return;
  try {
    await runHooks(poststart, "poststart", hookState(hookedContainer(bundle, record.id), "running", record.pid));
  } catch (error) {
    process.kill(record.pid, "SIGKILL"); // runtime.md, "Lifecycle", step 10
    throw error;
  }
}

/** Both pipes of a container that waits. Whoever removes the name of the first is the only one who starts it. */
function openGate(directory: string): { start: number; status: number } | undefined {
  let start: number;
  try {
    // ENXIO: nobody holds it any more
    start = openSync(`${directory}/${gateNames.start}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (["ENOENT", "ENXIO"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
  try {
    const status = openSync(`${directory}/${gateNames.status}`, constants.O_RDONLY | constants.O_NONBLOCK);
    unlinkSync(`${directory}/${gateNames.start}`);
    return { start, status };
  } catch (error) {
    closeSync(start);
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** The whole of what the container reports: most often nothing, within a tenth of a millisecond. */
function readToEnd(descriptor: number): Buffer {
  const chunks: Buffer[] = [];
  const room = Buffer.alloc(64);
  // A pipe opened for waiting would wait for ever if its writer died before: this one never blocks, and is asked again
  for (let pause = 0.05; ; pause = Math.min(pause * 2, 20)) {
    try {
      const length = readSync(descriptor, room);
      if (length === 0) return Buffer.concat(chunks);
      chunks.push(Buffer.from(room.subarray(0, length)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pause);
    }
  }
}

/** See `Gate.report`. */
function failureOf(report: Buffer, argv: readonly string[]): SampanError {
  const kind = report.toString("latin1", 0, 1);
  const value = report.length >= 9 ? Number(report.readBigInt64LE(1)) : 0;
  const errno: Errno | undefined = errnoName(-value);
  if (kind === startFailures.execute) return new ExecuteError({ argv }, { errno });
  if (kind === startFailures.hook) {
    const end = value & 0x7f ? `signal ${value & 0x7f}` : `exit status ${(value >> 8) & 0xff}`;
    return new SampanError("failed", `error running startContainer hook: ${end}`);
  }
  return new SampanError("failed", `unable to start container process: the seccomp filter was refused: ${errno}`);
}

function notWaiting(status: string): SampanError {
  if (status === "stopped") return new SampanError("conflict", "cannot start a container that has stopped");
  return new SampanError("conflict", "cannot start an already running container");
}

function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {}
}
