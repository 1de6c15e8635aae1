import { availableParallelism } from "node:os";
import { kindOf, messageOf, SampanError } from "../../errors/index.ts";
import { formatPlatform, hostPlatform, suitability } from "../../images/platform.ts";
import { Slots } from "../../images/slots.ts";
import type { RunVertex } from "../plan/types.ts";
import type { StepInputs } from "./copy.ts";
import { CommandFailed } from "./errors.ts";
import type { LayerStep } from "./flight.ts";
import type { Job } from "./job.ts";
import { keyOf } from "./key.ts";
import { MountPoints } from "./mount-points.ts";
import { circumstancesOf, mountKeys, type OpenMounts, openMounts } from "./run-mounts.ts";
import { identityOf } from "./stack.ts";
import type { Workspace } from "./workspace.ts";

/** Commands of all builds that run at a time: more would only share the processors. */
const slots = new Slots(Math.max(4, availableParallelism()));

/** RUN. */
export class RunStep implements LayerStep {
  readonly key: string;
  readonly circumstances: string;
  readonly #vertex: RunVertex;
  readonly #inputs: StepInputs;

  private constructor(vertex: RunVertex, inputs: StepInputs, keys: Pick<LayerStep, "key" | "circumstances">) {
    this.#vertex = vertex;
    this.#inputs = inputs;
    this.key = keys.key;
    this.circumstances = keys.circumstances;
  }

  static async prepare(job: Job, vertex: RunVertex, inputs: StepInputs): Promise<RunStep> {
    const { argv, script, env, cwd, user, security } = vertex;
    const { os, architecture, variant } = vertex.platform;
    const key = keyOf({
      kind: "run",
      parent: identityOf(inputs.parent),
      argv,
      script,
      env: env.toSorted(),
      cwd,
      user,
      network: networkOf(job, vertex),
      hosts: job.limits.ExtraHosts?.length ? job.limits.ExtraHosts : undefined,
      security,
      mounts: await mountKeys(job, vertex, inputs),
      platform: [os, architecture, variant],
      epoch: job.epoch,
      rewritesTimes: job.rewritesTimes,
    });
    const { limits } = job;
    const circumstances = keyOf({
      limits,
      hiddenEnv: vertex.hiddenEnv,
      mounts: await circumstancesOf(job, vertex, inputs),
    });
    return new RunStep(vertex, inputs, { key, circumstances });
  }

  async perform(workspace: Workspace, job: Job): Promise<void> {
    const free = await slots.take(job.signal);
    try {
      await using mounts = await openMounts(job, this.#vertex, this.#inputs);
      const targets = [...mounts.mounts, ...mounts.files].map(({ target }) => target);
      const points = await MountPoints.before(workspace, targets);
      const exitCode = await this.#execute(workspace, mounts, job).catch((error) => explained(error, this.#vertex));
      await points.removeWhatWasMade(workspace);
      if (exitCode !== 0) throw new CommandFailed(this.#vertex.argv, exitCode);
    } finally {
      free();
    }
  }

  #execute(workspace: Workspace, mounts: OpenMounts, job: Job): Promise<number> {
    const { parts, limits, signal, emit, ready, epoch } = job;
    const { argv, script, env, hiddenEnv, cwd, user, security, platform } = this.#vertex;
    const { id: step, parent } = this.#inputs;
    const named = new Set(env.map((text) => text.split("=", 1)[0]));
    const hidden = hiddenEnv.filter((text) => !named.has(text.split("=", 1)[0]));
    const dated = epoch === undefined || named.has("SOURCE_DATE_EPOCH") ? [] : [`SOURCE_DATE_EPOCH=${epoch}`];
    const executable = script === undefined ? [] : [scriptFile(script)];
    const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
    return parts.host.run(
      {
        id: workspace.id,
        layers: parent.chains,
        platform,
        argv,
        env: [...env, ...hidden, ...dated, ...mounts.env],
        cwd,
        user,
        network: networkOf(job, this.#vertex),
        insecure: security === "insecure",
        mounts: mounts.mounts,
        files: [...mounts.files, ...executable],
        limits,
      },
      {
        tell: (stream, bytes) => {
          const data = decoders[stream].decode(bytes, { stream: true });
          if (data !== "") emit({ type: "log", step, stream, data });
        },
        ready,
      },
      signal,
    );
  }
}

/** Programs for another processor need somebody who can run them. */
function explained(cause: unknown, { platform }: RunVertex): never {
  const own = hostPlatform();
  if (suitability(own, platform) !== undefined) throw cause;
  const text = messageOf(cause);
  if (text.endsWith("exec format error")) {
    const what = `Cannot run a program for ${formatPlatform(platform)} on this machine, which is ${formatPlatform(own)}`;
    const why = "the kernel's binfmt_misc knows no interpreter for it";
    const remedy = "install one (qemu-user-static), or run the command in a stage FROM --platform=$BUILDPLATFORM";
    throw new SampanError("unsupported", `${what}: ${why}; ${remedy}`, { cause });
  }
  if (!text.endsWith("no such file or directory")) throw cause;
  const also = `it is for ${formatPlatform(platform)}: the interpreter that binfmt_misc names must be in the image, or registered with the flag F`;
  throw new SampanError(kindOf(cause), `${text}; ${also}`, { cause });
}

/** The network of a command: its own, or that of the build. */
function networkOf({ network }: Job, vertex: RunVertex): string {
  return vertex.network === "default" ? network : vertex.network;
}

function scriptFile({ path, content }: NonNullable<RunVertex["script"]>) {
  const secret = { data: Buffer.from(content), uid: 0, gid: 0, mode: 0o755 };
  return { target: path, text: "", readOnly: true, secret };
}
