import type { Cgroups } from "../cgroups/types.ts";
import { named, type Slot } from "../kernel/block.ts";
import * as f from "../kernel/flags.ts";
import { Program } from "../kernel/program.ts";
import { Inside } from "./inside.ts";
import { inheritedScore, ownerOf, takeMachineRights } from "./isolation.ts";
import { openProcess, ownNamespaces } from "./namespaces.ts";
import { becomeProcess } from "./process.ts";
import { type StartProgram, statusPipe } from "./start.ts";
import { makeStdio } from "./stdio.ts";
import { superviseSteps } from "./supervision.ts";
import type { ExecTarget, ProcessSpec, StartOptions } from "./types.ts";
import { becomeRoot } from "./user-namespace.ts";

/**
 * The program that starts one more process in a running container and becomes its monitor. The monitor itself stays
 * outside: only its child enters the namespaces.
 */
export function execProgram(
  target: ExecTarget,
  process: ProcessSpec,
  options: StartOptions,
  cgroups: Cgroups,
): StartProgram<Program> {
  const p = new Program(`execute a process in container ${target.id.slice(0, 12)}`);
  p.call("prctl", [named(f.PR_SET_NAME, "PR_SET_NAME"), p.text("sampan-exec")], { note: "take a name" });
  const container = p.in("namespace", () => openProcess(p, target.pid));
  const cgroup = p.in("cgroup", () => cgroups.bornIn(p, target.cgroupPath, target.pid));
  const stdio = p.in("monitor", () => makeStdio(p, process, ownerOf(target.users, process)));
  const status = p.in("monitor", () => statusPipe(p));
  p.in("namespace", () => {
    if (target.namespaces.pid === "host") return;
    p.call("setns", [container, named(f.CLONE_NEWPID, "CLONE_NEWPID")], {
      note: "let the next child be born in its PID namespace",
    });
  });
  const child = p.in("namespace", () =>
    p.clone({ flags: 0, note: "start the process", ...(cgroup && { cgroup }) }, () => {
      if (target.users) takeMachineRights(p, process);
      enter(p, target, container, cgroups);
      if (target.users) p.in("security", () => becomeRoot(p));
      const inside = p.in("rootfs", () => new Inside(p, openRoot(p)));
      p.in("process", () => stdio.connect(inside));
      const inherited = target.users ? inheritedScore(process) : process;
      becomeProcess(p, inherited, { status: status.second, init: false });
    }),
  );
  const ends = p.in("monitor", () => stdio.keep());
  superviseSteps(p, {
    process,
    files: options.files,
    hold: options.hold,
    title: `sampan-exec ${target.id}`,
    ends,
    child,
    status,
    cleanUp: () => {},
  });
  return { program: p, pid: child.pid };
}

/** Until execve this process is the machine's: nobody in the container may trace it (dumpable) or find a descriptor to slip out by. */
function enter(p: Program, target: ExecTarget, container: Slot, cgroups: Cgroups): void {
  p.in("security", () =>
    p.call("prctl", [named(f.PR_SET_DUMPABLE, "PR_SET_DUMPABLE"), 0], {
      note: "let nobody in the container look into this process",
    }),
  );
  p.in("cgroup", () => cgroups.enter(p, target.cgroupPath));
  const { flags, names } = ownNamespaces(target.namespaces, { users: target.users !== undefined });
  p.in("namespace", () =>
    p.call("setns", [container, named(flags, names)], { note: "enter the container's namespaces" }),
  );
}

function openRoot(p: Program): Slot {
  return p.sys(
    "openat",
    [f.AT_FDCWD, p.text("/"), named(f.O_PATH | f.O_DIRECTORY | f.O_CLOEXEC, "O_PATH|O_DIRECTORY|O_CLOEXEC"), 0],
    { note: "open its root" },
  );
}
