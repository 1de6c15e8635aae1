import { existsSync, readlinkSync } from "node:fs";
import { openCgroupsAt } from "../../cgroups/index.ts";
import { startWorker } from "../../kernel/worker.ts";
import { type BundleTarget, bundleExecProgram } from "../../runtime/bundle/exec.ts";
import { namespaceFile, namespaceKinds } from "../../runtime/bundle/namespace-kinds.ts";
import type { OciLinux } from "../config/linux.ts";
import type { OciProcess } from "../config/process.ts";
import { type Context, helperBinary } from "../context.ts";
import type { ContainerRecord } from "../state/store.ts";
import { affinityOf } from "../translate/attributes.ts";
import { landlockOf } from "../translate/landlock.ts";
import { processOf } from "../translate/process.ts";
import { listenerOf } from "../translate/seccomp.ts";
import { explained, writePidFile } from "./create.ts";
import { waitInForeground } from "./foreground.ts";
import { homeVariable } from "./home.ts";
import { preservedDescriptors, streamsOf } from "./streams.ts";

export interface ExecRequest {
  readonly process: OciProcess;
  /** Of the container. */
  readonly linux: OciLinux | undefined;
  readonly consoleSocket: string | undefined;
  readonly pidFile: string | undefined;
  readonly detach: boolean;
  readonly preserveFds: number | undefined;
  /** Below the container's own: "", or "/name". */
  readonly cgroup: string;
}

/** Runs one more process in a container. Answers its exit status, or 0 at once where it is detached. */
export async function execInContainer(
  { store, log }: Context,
  record: ContainerRecord,
  request: ExecRequest,
): Promise<number> {
  const preserved = preservedDescriptors(request.preserveFds);
  const translated = processOf(request.process, request.linux);
  const listener = listenerOf(request.linux?.seccomp, record, "running", record.pid);
  const streams = streamsOf({
    terminal: translated.terminal,
    consoleSocket: request.consoleSocket,
    foreground: !request.detach,
    directory: store.directoryOf(record.id),
    name: `exec.${globalThis.process.pid}.sock`,
  });
  const worker = startWorker({ binary: helperBinary, preserved: preserved.count });
  const home = await homeVariable(worker, `/proc/${record.pid}/root`, translated);
  const landlock = await landlockOf(record.annotations, { worker, log });
  const process = { ...translated, env: [...translated.env, ...preserved.env, ...home], ...listener, ...landlock };
  const afterwards = request.detach ? "leave" : "wait";
  const options = { connection: worker.descriptor, afterwards, cpus: affinityOf(request.process), ...streams } as const;
  const unprivileged = globalThis.process.geteuid?.() !== 0;
  const cgroupPath = record.cgroupPath + request.cgroup;
  const target = {
    id: record.id,
    pid: record.pid,
    cgroupPath,
    namespaces: foreignNamespaces(record.pid),
    unprivileged,
  };
  const { program, pid, status } = bundleExecProgram(target, process, options, openCgroupsAt(cgroupPath));
  try {
    worker.begin(program);
    const started = (await worker.next()).value(pid);
    if (request.pidFile !== undefined) writePidFile(request.pidFile, started);
    const { terminalSocket } = streams;
    if (!request.detach) return await waitInForeground({ pid: started, worker, terminalSocket, status });
    await worker.end();
    return 0;
  } catch (error) {
    await worker.end();
    throw explained(error, process);
  }
}

/** Where the container is elsewhere than this process: to "join" one's own namespace can be refused. */
function foreignNamespaces(pid: number): BundleTarget["namespaces"] {
  return namespaceKinds.filter((kind) => {
    const file = namespaceFile(kind);
    // A kernel without such namespaces has no such file
    if (!existsSync(`/proc/self/ns/${file}`)) return false;
    return readlinkSync(`/proc/${pid}/ns/${file}`) !== readlinkSync(`/proc/self/ns/${file}`);
  });
}
