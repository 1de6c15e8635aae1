import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BuildHost, RunOutput, RunRequest } from "../../build/host.ts";
import { cancelled } from "../../errors/cancel.ts";
import { signals } from "../../kernel/signals.ts";
import type { Sandbox } from "../../network/networking.ts";
import type { Exit, Running } from "../../runtime/types.ts";
import { ContainerFiles, unlinkIfThere } from "../container/files.ts";
import { cgroupPathOf, containerSpec } from "../container/spec.ts";
import { decideEndpoints } from "../networks/decide.ts";
import { openSandbox } from "../networks/sandbox.ts";
import type { EngineParts } from "../parts.ts";
import type { ContainerRecord } from "../records/record.ts";
import { validateLimits, withSwapDefault } from "../request/limits.ts";
import { normaliseConfig, normaliseHostConfig, withDefaultNetwork } from "../request/normalise.ts";
import { nowNs } from "../time.ts";
import type { Images } from "../types.ts";
import { Unframer } from "./unframe.ts";

/** What every RUN finds as its host's name: one that changes would get into images. */
const hostname = "buildkitsandbox";

/** Runs the commands of builds in containers that are in no list, and pulls what they stand on. */
export class EngineBuildHost implements BuildHost {
  readonly #parts: EngineParts;
  readonly #images: Pick<Images, "pull">;

  constructor(parts: EngineParts, images: Pick<Images, "pull">) {
    this.#parts = parts;
    this.#images = images;
  }

  async run(request: RunRequest, output: RunOutput, signal: AbortSignal): Promise<number> {
    if (signal.aborted) throw cancelled(signal);
    const record = recordOf(this.#parts, request);
    const files = new ContainerFiles(this.#parts.layout, request.id);
    const note = noteOf(files);
    let sandbox: Sandbox | undefined;
    try {
      writeFileSync(note, cgroupPathOf(this.#parts, record));
      sandbox = await openSandbox(this.#parts, record);
      const running = await this.#start(request, { record, files, sandbox });
      const stop = () => running.signal(signals.SIGKILL);
      signal.addEventListener("abort", stop, { once: true });
      if (signal.aborted) stop();
      try {
        return await this.#follow(running, { output, signal, record });
      } finally {
        signal.removeEventListener("abort", stop);
      }
    } finally {
      unlinkIfThere(files.monitor(1, undefined).exitFile);
      unlinkIfThere(note);
      await sandbox?.release();
    }
  }

  pull: BuildHost["pull"] = (reference, options) => this.#images.pull({ reference, ...options });

  tell: BuildHost["tell"] = (action, id, name) => this.#parts.events.emit("image", action, id, { name });

  async #start(
    request: RunRequest,
    { record, files, sandbox }: { record: ContainerRecord; files: ContainerFiles; sandbox: Sandbox | undefined },
  ): Promise<Running> {
    const spec = await containerSpec(this.#parts, { record, files }, { sandbox });
    const env = spec.process.env.filter((text) => text !== `HOSTNAME=${hostname}`);
    const running = await this.#parts.runtime.start(
      {
        ...spec,
        process: { ...spec.process, env },
        mounts: [...spec.mounts, ...request.mounts],
        files: [...(spec.files ?? []), ...request.files],
      },
      { files: files.monitor(1, undefined), hold: true },
    );
    sandbox?.started();
    return running;
  }

  /** Hands the output on until the end of the process. */
  async #follow(
    running: Running,
    { output, signal, record }: { output: RunOutput; signal: AbortSignal; record: ContainerRecord },
  ): Promise<number> {
    const socket = await running.attach({ stdin: false, stdout: true, stderr: true }).catch(async (error) => {
      await this.#giveUp(running, record);
      throw error;
    });
    const unframer = new Unframer((stream, data) => output.tell(stream, data));
    socket.on("data", (chunk: Buffer) => {
      unframer.push(chunk);
      const ready = output.ready();
      if (ready === undefined) return;
      socket.pause();
      ready.then(() => socket.resume());
    });
    const ended = Promise.race([once(socket, "end"), once(socket, "close")]).catch(() => undefined);
    running.release();
    socket.resume();
    const exit = await running.exited;
    await ended;
    socket.destroy();
    await this.#sweep(exit, record);
    if (signal.aborted) throw cancelled(signal);
    return exit.code;
  }

  /** Ends what nobody can listen to. */
  async #giveUp(running: Running, record: ContainerRecord): Promise<void> {
    running.signal(signals.SIGKILL);
    running.release();
    await this.#sweep(await running.exited, record);
  }

  async #sweep(exit: Exit, record: ContainerRecord): Promise<void> {
    const path = cgroupPathOf(this.#parts, record);
    if (exit.monitorKilled) await this.#parts.cgroups.kill(path);
    await this.#parts.runtime.sweep(path);
  }
}

/** A file that tells the next daemon what runs here, should this one be killed: the path of its cgroup. */
function noteOf({ directory }: ContainerFiles): string {
  return join(directory, "build-step");
}

/** Ends the command of a build whose daemon was killed; nothing happens for what is none. */
export async function endBuildStep(parts: EngineParts, files: ContainerFiles): Promise<void> {
  const note = noteOf(files);
  if (!existsSync(note)) return;
  const path = readFileSync(note, "utf8");
  await parts.cgroups.kill(path);
  await parts.runtime.sweep(path);
}

/** A container that is written down nowhere. */
function recordOf(parts: EngineParts, request: RunRequest): ContainerRecord {
  const { id, platform, layers, argv, env, cwd, user, network, insecure, limits } = request;
  const [path = "", ...args] = argv;
  const wanted = normaliseHostConfig({ ...limits, NetworkMode: network, Privileged: insecure });
  const hostConfig = withSwapDefault(
    withDefaultNetwork(wanted, parts.networking.defaultNetwork),
    parts.cgroups.support.swap,
  );
  validateLimits(hostConfig, parts.machine);
  const users = usersOf(parts, request);
  const config = normaliseConfig({ Hostname: hostname, User: user, Env: env, WorkingDir: cwd, Cmd: argv });
  return {
    ...{ id, name: `build-${id.slice(0, 12)}`, createdAt: nowNs(), imageId: "", platform, layers, path, args },
    ...{ config, hostConfig, endpoints: decideEndpoints(parts.networking, hostConfig, undefined), mounts: [] },
    ...(users && { users }),
  };
}

/** What was let have the machine's rights or network has its users, too. */
function usersOf({ users }: EngineParts, { insecure, network }: RunRequest): ContainerRecord["users"] {
  return insecure || network === "host" ? undefined : users.usual;
}
