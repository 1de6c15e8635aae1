import { rmSync } from "node:fs";
import type { Cgroups } from "../cgroups/types.ts";
import type { Executor } from "../kernel/executor.ts";
import { KernelError } from "../kernel/kernel-error.ts";
import { execProgram } from "./exec.ts";
import { ExecuteError } from "./execute-error.ts";
import { explainSteps, explainText } from "./explain.ts";
import { landlockError } from "./landlock-error.ts";
import { executeNote } from "./process.ts";
import { UserFilesReader } from "./read-users.ts";
import { type ReadyWorker, ReadyWorkers } from "./ready-workers.ts";
import { rewriteFile } from "./rewrite-file.ts";
import { reconnectProcess, startedProcess } from "./running.ts";
import { type KernelFeatures, type StartProgram, startProgram } from "./start.ts";
import { StartPrograms } from "./start-programs.ts";
import type {
  ContainerSpec,
  ExecTarget,
  MonitorFiles,
  ProcessSpec,
  ResolvedUser,
  RootFilesystem,
  Running,
  Runtime,
  StartOptions,
} from "./types.ts";
import { resolveUserIn } from "./users.ts";

interface RuntimeParts {
  readonly executor: Executor;
  readonly cgroups: Cgroups;
  readonly kernel: KernelFeatures;
}

class ProgramRuntime implements Runtime {
  readonly #parts: RuntimeParts;
  readonly #userFiles: UserFilesReader;
  readonly #workers: ReadyWorkers;
  readonly #programs: StartPrograms;

  constructor(parts: RuntimeParts) {
    this.#parts = parts;
    this.#workers = new ReadyWorkers(parts.executor);
    this.#programs = new StartPrograms(parts);
    this.#userFiles = new UserFilesReader(parts.executor, parts.kernel);
  }

  async start(spec: ContainerSpec, options: StartOptions): Promise<Running> {
    try {
      const kind = spec.namespaces.network === "new" && spec.users === undefined ? "network" : "plain";
      return await this.#workers.lend(kind, (worker) => {
        const program = () => this.#programs.get(spec, options, worker.network);
        return this.#execute(worker, program, spec.process, options.files);
      });
    } catch (error) {
      await this.sweep(spec.cgroupPath);
      throw error;
    }
  }

  reconnect(known: { id: string; pid: number; files: MonitorFiles }): Promise<Running> {
    return reconnectProcess(known.pid, known.files);
  }

  async exec(target: ExecTarget, process: ProcessSpec, options: StartOptions): Promise<Running> {
    const program = () => execProgram(target, process, options, this.#parts.cgroups);
    return this.#workers.lend("plain", (worker) => this.#execute(worker, program, process, options.files));
  }

  async resolveUser(
    where: RootFilesystem | { readonly pid: number },
    user: string,
    groupAdd: readonly string[],
  ): Promise<ResolvedUser> {
    return resolveUserIn(await this.#userFiles.read(where), user, groupAdd);
  }

  rewriteFile(pid: number, path: string, edit: (text: string) => string | undefined): Promise<void> {
    return rewriteFile(this.#parts.executor, { pid, path }, edit);
  }

  explain(spec: ContainerSpec, options: StartOptions): ReturnType<Runtime["explain"]> {
    const { program } = startProgram(spec, options, this.#parts);
    return { text: explainText(program), steps: explainSteps(program) };
  }

  sweep(cgroupPath: string): Promise<void> {
    return this.#parts.cgroups.removeNow(cgroupPath);
  }

  close(): void {
    this.#workers.close();
  }

  async #execute(
    { session }: ReadyWorker,
    build: () => StartProgram,
    process: ProcessSpec,
    files: MonitorFiles,
  ): Promise<Running> {
    try {
      const { program, pid } = build();
      const { results, exited, connection } = await session.start(program);
      return startedProcess(results.value(pid), connection, files, exited);
    } catch (error) {
      session.close();
      rmSync(files.socket, { force: true }); // the monitor that was to be has died before it could
      if (error instanceof KernelError && error.step?.note.startsWith(`${executeNote} `))
        throw new ExecuteError(process, error);
      throw landlockError(error) ?? error;
    }
  }
}

export function createRuntime(parts: RuntimeParts): Runtime {
  return new ProgramRuntime(parts);
}

/** Reads `release`, as uname(2) gives it ("6.12.1-amd64"), for what this kernel can do. */
export function kernelFeatures(release: string): KernelFeatures {
  const [major = 0, minor = 0] = release.split(/[.-]/).map(Number);
  return { lowerdirPlus: major > 6 || (major === 6 && minor >= 5) };
}
