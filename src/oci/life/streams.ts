import { fstatSync } from "node:fs";
import { resolve } from "node:path";
import { SampanError } from "../../errors/index.ts";
import type { StreamOptions } from "../../runtime/bundle/streams.ts";

/** How a command starts a process: in the foreground, where it waits for its end, or not. */
export interface StreamRequest {
  readonly terminal: boolean;
  readonly consoleSocket: string | undefined;
  readonly foreground: boolean;
  /** Where the worker may serve a terminal. */
  readonly directory: string;
  readonly name: string;
}

/** Where the process's streams lead. A terminal needs somebody who takes it: the foreground, or a console socket. Throws `invalid`. */
export function streamsOf(request: StreamRequest): StreamOptions {
  const { terminal, foreground } = request;
  const consoleSocket = request.consoleSocket === undefined ? undefined : resolve(request.consoleSocket);
  if (consoleSocket !== undefined && (!terminal || foreground))
    throw new SampanError("invalid", "cannot use console socket if the runtime will not detach or allocate tty");
  if (terminal && !foreground && consoleSocket === undefined)
    throw new SampanError("invalid", "cannot allocate tty if the runtime will detach without setting console socket");
  const terminalSocket = terminal && foreground ? `${request.directory}/${request.name}` : undefined;
  for (const socket of [consoleSocket, terminalSocket]) checkLength(socket);
  return {
    ownedStreams: [0, 1, 2].filter(isOwned),
    ...(consoleSocket !== undefined && { consoleSocket }),
    ...(terminalSocket !== undefined && { terminalSocket }),
  };
}

/** unix(7): the address of a socket has room for 107 bytes of path. */
function checkLength(path: string | undefined): void {
  if (path === undefined || Buffer.byteLength(path) <= 107) return;
  throw new SampanError("invalid", `the path of the socket ${path} has more than 107 bytes: use a shorter --root`);
}

/** Pipes and files are the process's; a terminal or /dev/null is the machine's, and keeps its owner. */
function isOwned(descriptor: number): boolean {
  try {
    return !fstatSync(descriptor).isCharacterDevice();
  } catch {
    return false;
  }
}

/**
 * How many descriptors are passed on behind the standard streams: those of systemd's socket activation, if they are for this
 * process (sd_listen_fds(3)), and those of `--preserve-fds`.
 */
export function preservedDescriptors(option: number | undefined): { count: number; env: string[] } {
  const { LISTEN_FDS: listening = "", LISTEN_PID: owner } = process.env;
  const activated = owner === String(process.pid) && /^\d+$/.test(listening) ? Number(listening) : 0;
  const env = activated > 0 ? [`LISTEN_FDS=${activated}`, "LISTEN_PID=1"] : [];
  return { count: (option ?? 0) + activated, env };
}
