import { existsSync, readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { SampanError } from "../../errors/index.ts";
import type { CgroupPath } from "../types.ts";
import { decodeMessage, encodeCall, errorText, Marshal, messageType } from "./dbus-message.ts";

export interface ScopeRequest {
  /** "NAME.scope". */
  readonly unit: string;
  /** "NAME.slice": where it belongs. */
  readonly slice: string;
  readonly description: string;
}

/** Where systemd itself answers, without a bus: for root, and for each user their own. */
function socketPath(): string {
  const root = process.geteuid?.() === 0;
  return root ? "/run/systemd/private" : `${process.env.XDG_RUNTIME_DIR}/systemd/private`;
}

/**
 * Has systemd make a scope with this process in it, whose cgroup is left to us (`Delegate=`, systemd.resource-control(5)), and waits
 * until this process is there. The scope goes with its last process. Answers its cgroup. `unsupported` where systemd does not
 * run, `unavailable` when it refuses.
 */
export async function enterScope(request: ScopeRequest): Promise<CgroupPath> {
  const path = socketPath();
  if (!existsSync(path))
    throw new SampanError(
      "unsupported",
      `--systemd-cgroup is not supported here: systemd does not run (no ${path}); configure the engine to manage cgroups with cgroupfs`,
    );
  const socket = connect(path);
  try {
    await call(socket, encodeCall(startCall(request), 1), request.unit);
  } finally {
    socket.destroy();
  }
  return await whenInside(request.unit);
}

function startCall({ unit, slice, description }: ScopeRequest) {
  const body = new Marshal().string(unit).string("fail");
  body.array(8, () => {
    const property = (name: string, type: string) => body.align(8).string(name).signature(type);
    property("Description", "s").string(description);
    property("Slice", "s").string(slice);
    property("Delegate", "b").uint32(1);
    property("DefaultDependencies", "b").uint32(0);
    // Processes are counted by the container's own cgroup
    property("TasksMax", "t").uint64(0xffff_ffff_ffff_ffffn);
    property("CollectMode", "s").string("inactive-or-failed");
    property("PIDs", "au").array(4, () => body.uint32(process.pid));
  });
  body.array(8, () => {});
  return {
    path: "/org/freedesktop/systemd1",
    interface: "org.freedesktop.systemd1.Manager",
    member: "StartTransientUnit",
    destination: "org.freedesktop.systemd1",
    signature: "ssa(sv)a(sa(sv))",
    body: body.bytes,
  };
}

const longest = 10_000;

/** Says who we are (D-Bus specification, "EXTERNAL"), sends the call, and waits for its answer. */
async function call(socket: Socket, message: Buffer, unit: string): Promise<void> {
  const failed = (why: string, cause?: unknown) =>
    new SampanError("unavailable", `Cannot make ${unit}: systemd ${why}`, { cause });
  const uid = Buffer.from(String(process.geteuid?.() ?? 0)).toString("hex");
  socket.setTimeout(longest, () => socket.destroy(failed("does not answer")));
  socket.write(`\0AUTH EXTERNAL ${uid}\r\n`);
  let said = Buffer.alloc(0);
  let greeted = false;
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      said = Buffer.concat([said, chunk]);
      if (!greeted) {
        const end = said.indexOf("\r\n");
        if (end < 0) continue;
        if (!said.toString("latin1").startsWith("OK ")) throw failed("does not let us in");
        greeted = true;
        said = said.subarray(end + 2);
        socket.write(Buffer.concat([Buffer.from("BEGIN\r\n"), message]));
      }
      for (let next = decodeMessage(said); next !== undefined; next = decodeMessage(said)) {
        said = said.subarray(next.size);
        if (next.type === messageType.return) return;
        if (next.type === messageType.error) throw failed(`refuses: ${errorText(next)}`);
      }
    }
  } catch (error) {
    throw error instanceof SampanError ? error : failed("cannot be asked", error);
  }
  throw failed("hung up");
}

/** systemd answers before it has done it. */
async function whenInside(unit: string): Promise<CgroupPath> {
  const own = new RegExp(`^(?:0::|\\d+:name=systemd:)(/.*/${unit.replace(/[.\\^$*+?()[\]{}|]/g, "\\$&")})$`, "m");
  const deadline = performance.now() + longest;
  for (;;) {
    const path = own.exec(readFileSync("/proc/self/cgroup", "utf8"))?.[1];
    if (path !== undefined) return path;
    if (performance.now() > deadline)
      throw new SampanError("timeout", `Cannot enter ${unit}: systemd has not moved this process within 10 s`);
    await sleep(2);
  }
}
