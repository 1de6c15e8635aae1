import * as z from "zod";
import type { ExecRequest, TerminalSize } from "../../engine/types.ts";
import { SampanError } from "../../errors/index.ts";
import { struct, validateJson } from "./validate.ts";

const strings = z.array(z.string());
const consoleSize = z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]);

const create = struct({
  Cmd: z.union([strings, z.string().transform((one) => [one])]),
  AttachStdin: z.boolean(),
  AttachStdout: z.boolean(),
  AttachStderr: z.boolean(),
  Tty: z.boolean(),
  DetachKeys: z.string(),
  Env: strings,
  Privileged: z.boolean(),
  User: z.string(),
  WorkingDir: z.string(),
  ConsoleSize: consoleSize,
});

const start = struct({ Detach: z.boolean(), Tty: z.boolean(), ConsoleSize: consoleSize });

/** The body of POST /containers/{id}/exec. */
export function parseCreateExec(json: unknown): ExecRequest {
  const given = validateJson(create, json ?? {});
  if (given.Cmd === undefined || given.Cmd === null || given.Cmd.length === 0) {
    throw new SampanError("invalid", "No exec command specified");
  }
  return {
    cmd: given.Cmd,
    attachStdin: given.AttachStdin ?? false,
    attachStdout: given.AttachStdout ?? false,
    attachStderr: given.AttachStderr ?? false,
    tty: given.Tty ?? false,
    detachKeys: given.DetachKeys || undefined,
    env: given.Env ?? [],
    privileged: given.Privileged ?? false,
    user: given.User ?? "",
    workingDir: given.WorkingDir ?? "",
    consoleSize: terminalSize(given.ConsoleSize),
  };
}

export interface StartExec {
  readonly detach: boolean;
  readonly tty: boolean;
  readonly consoleSize: TerminalSize | undefined;
}

/** The body of POST /exec/{id}/start. */
export function parseStartExec(json: unknown): StartExec {
  const given = validateJson(start, json ?? {});
  return { detach: given.Detach ?? false, tty: given.Tty ?? false, consoleSize: terminalSize(given.ConsoleSize) };
}

function terminalSize(pair: readonly [number, number] | null | undefined): TerminalSize | undefined {
  if (pair === null || pair === undefined || (pair[0] === 0 && pair[1] === 0)) return undefined;
  return { rows: pair[0], columns: pair[1] };
}
