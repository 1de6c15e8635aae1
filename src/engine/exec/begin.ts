import { messageOf, SampanError } from "../../errors/index.ts";
import { KernelError } from "../../kernel/kernel-error.ts";
import { ExecuteError } from "../../runtime/execute-error.ts";
import type { Exit, Running } from "../../runtime/types.ts";
import { containerEvent } from "../container/events.ts";
import { unlinkIfThere } from "../container/files.ts";
import { enteredNamespaces } from "../container/modes.ts";
import { cgroupPathOf } from "../container/spec.ts";
import type { EngineParts } from "../parts.ts";
import type { TerminalSize } from "../types.ts";
import type { Exec } from "./exec.ts";
import { execProcess } from "./spec.ts";

export interface BeginOptions {
  readonly attached: boolean;
  readonly size: TerminalSize | undefined;
}

/** Starts an exec's process and watches for its end. Throws with dockerd's text when it cannot be started. */
export async function beginExec(parts: EngineParts, exec: Exec, { attached, size }: BeginOptions): Promise<Running> {
  const { container } = exec;
  const { runtime, events } = parts;
  containerEvent(events, container, exec.action("exec_start"), { execID: exec.id });
  try {
    const process = await execProcess(parts, exec, { attached, size });
    const pid = container.running?.pid;
    if (pid === undefined) throw isNotRunning(container.id); // it has ended meanwhile
    const target = {
      id: container.id,
      pid,
      cgroupPath: cgroupPathOf(parts, container.record),
      namespaces: enteredNamespaces(container.record.hostConfig),
      ...(container.record.users && { users: { mappings: container.record.users } }),
    };
    const running = await runtime
      .exec(target, process, { files: container.files.exec(exec.id), hold: attached })
      .catch((error: unknown) => {
        throw hasEnded(error) ? isNotRunning(container.id, error) : error;
      });
    exec.begin(running);
    running.exited.then((exit) => ended(parts, exec, exit));
    return running;
  } catch (error) {
    exec.end(error instanceof ExecuteError ? error.exitCode : 126);
    const kind = error instanceof SampanError ? error.kind : "internal";
    throw new SampanError(kind, `OCI runtime exec failed: exec failed: ${messageOf(error)}`, { cause: error });
  }
}

/** The container's first process has ended, which nobody has told the daemon yet. */
function hasEnded(error: unknown): boolean {
  return error instanceof KernelError && error.step?.call === "pidfd_open" && error.errno === "ESRCH";
}

/** In dockerd's words. */
export function isNotRunning(id: string, cause?: unknown): SampanError {
  return new SampanError("conflict", `container ${id} is not running`, { cause });
}

function ended({ events }: EngineParts, exec: Exec, { code, monitorKilled }: Exit): void {
  if (monitorKilled) unlinkIfThere(exec.container.files.exec(exec.id).socket);
  exec.end(code);
  containerEvent(events, exec.container, "exec_die", { execID: exec.id, exitCode: String(code) });
}
