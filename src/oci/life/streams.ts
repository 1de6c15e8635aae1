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
  return {
    ownedStreams: [0, 1, 2].filter(isOwned),
    ...(consoleSocket !== undefined && { consoleSocket }),
    ...(terminal && foreground && { terminalSocket: `${request.directory}/${request.name}` }),
  };
}

/** Pipes and files are the process's; a terminal or /dev/null is the machine's, and keeps its owner. */
function isOwned(descriptor: number): boolean {
  try {
    return !fstatSync(descriptor).isCharacterDevice();
  } catch {
    return false;
  }
}

/** How many descriptors are passed on behind the standard streams: systemd's and those of `--preserve-fds`. */
export function preservedDescriptors(option: number | undefined): { count: number; env: string[] } {
  const listening =
    process.env.LISTEN_FDS !== undefined && /^\d+$/.test(process.env.LISTEN_FDS) ? Number(process.env.LISTEN_FDS) : 0;
  const env = listening > 0 ? [`LISTEN_FDS=${listening}`, "LISTEN_PID=1"] : [];
  return { count: (option ?? 0) + listening, env };
}
