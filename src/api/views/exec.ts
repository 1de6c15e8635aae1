import type { ExecView } from "../../engine/types.ts";
import type { ExecInspect } from "../shapes/exec.ts";

/** GET /exec/{id}/json. */
export function execInspect(view: ExecView): ExecInspect {
  return {
    ID: view.id,
    Running: view.running,
    ExitCode: view.exitCode,
    ProcessConfig: {
      tty: view.process.tty,
      entrypoint: view.process.entrypoint,
      arguments: view.process.arguments,
      privileged: view.process.privileged,
      ...(view.process.user === "" ? {} : { user: view.process.user }),
    },
    OpenStdin: view.openStdin,
    OpenStderr: view.openStderr,
    OpenStdout: view.openStdout,
    CanRemove: view.canRemove,
    ContainerID: view.containerId,
    DetachKeys: view.detachKeys,
    Pid: view.pid,
  };
}
