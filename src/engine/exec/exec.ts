import type { Running } from "../../runtime/types.ts";
import type { Container } from "../container/live.ts";
import type { ExecRequest, ExecView } from "../types.ts";

/** A command in a container, from its creation until its container is removed; forgotten when the daemon leaves. */
export class Exec {
  readonly id: string;
  readonly container: Container;
  readonly request: ExecRequest;
  readonly detachKeys: Uint8Array;
  started = false;
  running: Running | undefined;
  exitCode: number | null = null;

  constructor(id: string, container: Container, request: ExecRequest, detachKeys: Uint8Array) {
    this.id = id;
    this.container = container;
    this.request = request;
    this.detachKeys = detachKeys;
  }

  #pid = 0;

  begin(running: Running): void {
    this.running = running;
    this.#pid = running.pid;
  }

  end(exitCode: number): void {
    this.running = undefined;
    this.exitCode = exitCode;
  }

  /** "exec_start: sh -c true" and the like. */
  action(name: string): string {
    const [command, ...args] = this.request.cmd;
    return `${name}: ${command} ${args.join(" ")}`; // with a space at the end where there are none, as dockerd's
  }

  view(): ExecView {
    const { request } = this;
    const [entrypoint = "", ...rest] = request.cmd;
    return {
      id: this.id,
      containerId: this.container.id,
      running: this.running !== undefined,
      exitCode: this.exitCode,
      pid: this.#pid,
      canRemove: false,
      detachKeys: request.detachKeys ?? "",
      openStdin: request.attachStdin ?? false,
      openStdout: request.attachStdout ?? false,
      openStderr: request.attachStderr ?? false,
      process: {
        tty: request.tty ?? false,
        entrypoint,
        arguments: rest,
        privileged: request.privileged ?? false,
        user: request.user || this.container.record.config.User,
      },
    };
  }
}
