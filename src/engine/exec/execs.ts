import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { messageOf, SampanError } from "../../errors/index.ts";
import type { Running } from "../../runtime/types.ts";
import { containerEvent } from "../container/events.ts";
import type { Container } from "../container/live.ts";
import { isRestarting } from "../container/pause.ts";
import { newId } from "../identity/ids.ts";
import { frame } from "../logs/render.ts";
import type { EngineParts } from "../parts.ts";
import { parseDetachKeys } from "../streams/detach-keys.ts";
import { joinStreams } from "../streams/join.ts";
import type { Attachment, ExecRequest, Execs, ExecView, JoinEnd, TerminalSize } from "../types.ts";
import { type BeginOptions, beginExec, isNotRunning } from "./begin.ts";
import { Exec } from "./exec.ts";

/** Ended ones of a container that stay inspectable; health checks and the like make many. */
const kept = 64;

/** The commands that run, ran or will run in containers besides their first processes. */
export class EngineExecs implements Execs {
  readonly #parts: EngineParts;
  readonly #execs = new Map<string, Exec>();

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  create(reference: string, request: ExecRequest): string {
    const container = this.#parts.registry.get(reference);
    mustTakeExecs(container, reference);
    if (request.cmd.length === 0) throw new SampanError("invalid", "No exec command specified");
    const exec = new Exec(newId(), container, request, parseDetachKeys(request.detachKeys));
    if (container.execIds.size === 0) {
      container.removal().then(() => this.#forget(container.execIds, ...container.execIds));
    }
    this.#execs.set(exec.id, exec);
    container.execIds.add(exec.id);
    this.#forgetOld(exec);
    containerEvent(this.#parts.events, container, exec.action("exec_create"), { execID: exec.id });
    return exec.id;
  }

  async start(id: string, options: { readonly consoleSize?: TerminalSize | undefined } = {}): Promise<void> {
    const exec = this.#claim(id);
    await beginExec(this.#parts, exec, { attached: false, size: options.consoleSize });
  }

  attach(
    id: string,
    options: { readonly tty?: boolean | undefined; readonly consoleSize?: TerminalSize | undefined } = {},
  ): Attachment {
    const exec = this.#claim(id);
    const tty = exec.request.tty ?? false;
    return { tty, join: (client) => this.#join(exec, client, { attached: true, size: options.consoleSize }) };
  }

  get(id: string): ExecView {
    return this.#find(id).view();
  }

  async resize(id: string, { rows, columns }: TerminalSize): Promise<void> {
    const { running } = this.#find(id);
    if (running === undefined) throw new SampanError("conflict", `exec process is not running: ${id}`);
    running.resize(rows, columns);
  }

  #find(id: string): Exec {
    const exec = this.#execs.get(id) ?? this.#byPrefix(id);
    if (exec !== undefined) return exec;
    throw new SampanError("not-found", `No such exec instance: ${id}`);
  }

  #byPrefix(id: string): Exec | undefined {
    if (id.length < 12) return undefined;
    return [...this.#execs.values()].find((exec) => exec.id.startsWith(id));
  }

  /** An exec is started once. */
  #claim(id: string): Exec {
    const exec = this.#find(id);
    const { container } = exec;
    if (exec.started) throw new SampanError("conflict", `exec command ${id} has already been started`);
    mustTakeExecs(container, container.id);
    exec.started = true;
    return exec;
  }

  async #join(exec: Exec, client: Duplex, options: BeginOptions): Promise<JoinEnd> {
    client.on("error", () => {});
    const {
      tty,
      attachStdin: stdin = false,
      attachStdout: stdout = false,
      attachStderr: stderr = false,
    } = exec.request;
    let running: Running;
    try {
      running = await beginExec(this.#parts, exec, options);
    } catch (error) {
      return tell(client, messageOf(error), tty);
    }
    let monitor: Socket;
    try {
      monitor = await running.attach({ stdin, stdout, stderr });
    } catch (error) {
      return tell(client, messageOf(error), tty);
    } finally {
      // Whatever became of the client: the process waits for this.
      running.release();
    }
    const end = await joinStreams(client, monitor, { stdin, detachKeys: tty ? exec.detachKeys : undefined });
    if (end === "detached") {
      containerEvent(this.#parts.events, exec.container, "exec_detach", { execID: exec.id });
    }
    return end;
  }

  #forgetOld({ container }: Exec): void {
    if (container.execIds.size <= kept) return;
    const oldest = [...container.execIds].find((id) => this.#execs.get(id)?.exitCode !== null);
    if (oldest !== undefined) this.#forget(container.execIds, oldest);
  }

  #forget(ids: Set<string>, ...which: readonly string[]): void {
    for (const id of which) {
      ids.delete(id);
      this.#execs.delete(id);
    }
  }
}

/** Tells a client in its stream what went wrong, and ends it. */
async function tell(client: Duplex, message: string, tty = false): Promise<JoinEnd> {
  const text = Buffer.from(`${message}\r\n`);
  const bytes = tty ? text : Buffer.concat([frame(1, text.length), text]);
  await new Promise<void>((resolve) => client.once("close", resolve).end(bytes, resolve));
  return "ended";
}

/** Throws dockerd's "conflict" for a container that can execute nothing now. */
function mustTakeExecs(container: Container, reference: string): void {
  const { id, state, isRunning } = container;
  if (state.status === "restarting") throw isRestarting(container);
  if (!isRunning) throw isNotRunning(id);
  if (state.status === "paused") {
    throw new SampanError("conflict", `Container ${reference} is paused, unpause the container before exec`);
  }
}
