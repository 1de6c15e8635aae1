import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { openCgroupsAt, rareControllersOf } from "../../cgroups/index.ts";
import { messageOf, SampanError } from "../../errors/index.ts";
import type { Slot } from "../../kernel/block.ts";
import { KernelError } from "../../kernel/kernel-error.ts";
import { startWorker, type Worker } from "../../kernel/worker.ts";
import { createProgram } from "../../runtime/bundle/create.ts";
import type { BundleContainer } from "../../runtime/bundle/types.ts";
import { ExecuteError } from "../../runtime/execute-error.ts";
import { landlockError } from "../../runtime/landlock-error.ts";
import { executeNote } from "../../runtime/process.ts";
import type { ProcessSpec } from "../../runtime/types.ts";
import { type Bundle, readBundle } from "../config/bundle.ts";
import { type Context, helperBinary } from "../context.ts";
import { startTimeOf } from "../state/status.ts";
import type { ContainerRecord } from "../state/store.ts";
import { containerOf, hookedContainer } from "../translate/container.ts";
import { hookState, hooksOf } from "../translate/hooks.ts";
import { landlockOf } from "../translate/landlock.ts";
import { ignoredOptions } from "../translate/mounts.ts";
import { unknownCapabilities } from "../translate/process.ts";
import { copyUpAll } from "./copy-up.ts";
import { homeVariable } from "./home.ts";
import { runHooks } from "./hooks.ts";
import { runPoststop } from "./remove.ts";
import { preservedDescriptors, streamsOf } from "./streams.ts";
import { placeInScope } from "./systemd.ts";

export interface CreateRequest {
  readonly id: string;
  /** Path of the bundle. */
  readonly bundle: string;
  readonly consoleSocket: string | undefined;
  readonly pidFile: string | undefined;
  readonly preserveFds: number | undefined;
  readonly pivot: boolean;
  readonly newKeyring: boolean;
  /** The caller waits for the container's end. */
  readonly foreground: boolean;
}

/** A container that waits for its start. */
export interface Created {
  readonly record: ContainerRecord;
  readonly process: ProcessSpec;
  /** In the foreground: what waits for the container's end, and how to read it. */
  readonly worker: Worker;
  readonly terminalSocket: string | undefined;
  readonly status: Slot;
}

/** Makes a container up to the moment where its program would run (runtime.md, "create"). On failure nothing of it is left. */
export async function createContainer(context: Context, request: CreateRequest): Promise<Created> {
  const preserved = preservedDescriptors(request.preserveFds);
  // It comes up while config.json is read
  const worker = startWorker({ binary: helperBinary, preserved: preserved.count });
  try {
    return await createBy(worker, context, request, preserved.env);
  } catch (error) {
    await worker.end().catch(() => {});
    throw error;
  }
}

async function createBy(
  worker: Worker,
  context: Context,
  request: CreateRequest,
  passedOn: readonly string[],
): Promise<Created> {
  const { store, log } = context;
  const bundle = readBundle(request.bundle);
  const cgroupPath = context.systemd ? await placeInScope(bundle.config.linux, request.id) : undefined;
  const container = containerOf(bundle, { ...request, cgroupPath });
  const unknown = bundle.config.process === undefined ? [] : unknownCapabilities(bundle.config.process);
  if (unknown.length > 0) log.warn(`ignoring unknown capabilities: ${unknown.join(", ")}`);
  const ignored = ignoredOptions(bundle.config.mounts);
  if (ignored.length > 0) log.warn(`ignoring options that a bind mount cannot have: ${ignored.join(", ")}`);
  const directory = store.make(request.id);
  try {
    const streams = streamsOf({
      terminal: container.process.terminal,
      consoleSocket: request.consoleSocket,
      foreground: request.foreground,
      directory,
      name: "terminal.sock",
    });
    store.keepConfig(request.id, readFileSync(`${bundle.directory}/config.json`, "utf8"));
    const creating = recordOf(bundle, container);
    store.write(creating);
    const env = [...passedOn, ...(await homeVariable(worker, container.root.directory, container.process))];
    const landlock = await landlockOf(bundle.config.annotations, { worker, log });
    const process = { ...container.process, env: [...container.process.env, ...env], ...landlock };
    const made = { ...container, process };
    const afterwards = request.foreground ? "wait" : "leave";
    const run = await execute(worker, { bundle, container: made, directory, streams, afterwards });
    const record = { ...creating, pid: run.pid, startTime: startTimeOf(run.pid) ?? "" };
    store.write(record);
    if (request.pidFile !== undefined) writePidFile(request.pidFile, run.pid);
    log.debug(`created container ${request.id}: process ${run.pid}`);
    return { record, process, worker, terminalSocket: streams.terminalSocket, status: run.status };
  } catch (error) {
    await undo(context, bundle, container);
    throw error;
  }
}

/** Takes back what a create has made that failed. Its hooks may have made things, too, which are poststop's to undo. */
async function undo({ store, log }: Context, bundle: Bundle, container: BundleContainer): Promise<void> {
  try {
    await openCgroupsAt(container.cgroupPath).removeNow(container.cgroupPath);
  } catch (error) {
    log.warn(messageOf(error)); // somebody else's processes are in it: what failed is told all the same
  }
  store.remove(container.id);
  const before = ["prestart", "createRuntime", "createContainer"] as const;
  if (before.some((name) => hooksOf(bundle.config, name).length > 0)) await runPoststop(bundle, container.id, log);
}

interface Execution {
  readonly bundle: Bundle;
  readonly container: BundleContainer;
  readonly directory: string;
  readonly streams: ReturnType<typeof streamsOf>;
  readonly afterwards: "leave" | "wait";
}

async function execute(
  worker: Worker,
  { bundle, container, directory, streams, afterwards }: Execution,
): Promise<{ pid: number; status: Slot }> {
  const [prestart, createRuntime] = [hooksOf(bundle.config, "prestart"), hooksOf(bundle.config, "createRuntime")];
  const pause = prestart.length > 0 || createRuntime.length > 0;
  const options = { directory, connection: worker.descriptor, pause, afterwards, ...streams };
  const cgroups = openCgroupsAt(container.cgroupPath, {
    make: true,
    rare: rareControllersOf(container.resources),
  });
  const { program, pid, status, copyUps } = createProgram(container, options, cgroups);
  try {
    worker.begin(program);
    if (copyUps.length > 0) {
      copyUpAll(copyUps, container, worker.pid, await worker.next());
      worker.tell();
    }
    if (pause) {
      const state = hookState(hookedContainer(bundle, container.id), "creating", (await worker.next()).value(pid));
      await runHooks(prestart, "prestart", state);
      await runHooks(createRuntime, "createRuntime", state);
      worker.tell();
    }
    const results = await worker.next();
    if (afterwards === "leave") await worker.end();
    return { pid: results.value(pid), status };
  } catch (error) {
    await worker.end();
    throw explained(error, container.process);
  }
}

/** The user's own mistake, a program that is not there, in the words that engines know. */
export function explained(error: unknown, process: ProcessSpec): unknown {
  if (error instanceof KernelError && error.step?.note.startsWith(executeNote)) return new ExecuteError(process, error);
  const confinement = landlockError(error);
  if (confinement !== undefined) return confinement;
  if (error instanceof KernelError)
    return new SampanError(error.kind, `unable to start container process: ${error.message}`, { cause: error });
  return error;
}

function recordOf(bundle: Bundle, container: BundleContainer): ContainerRecord {
  return {
    ociVersion: bundle.config.ociVersion,
    id: container.id,
    bundle: bundle.directory,
    rootfs: container.root.directory,
    pid: 0,
    startTime: "",
    created: new Date().toISOString(),
    owner: userInfo().username,
    annotations: bundle.config.annotations,
    cgroupPath: container.cgroupPath,
    ownPids: container.namespaces.pid === "new",
  };
}

/** Whole, or not there: whoever waits for it reads it at once. */
export function writePidFile(path: string, pid: number): void {
  writeFileSync(`${path}.new`, String(pid));
  renameSync(`${path}.new`, path);
}
