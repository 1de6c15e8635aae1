import type { InstructionLine } from "../instruction-line.ts";
import type { FromInstruction, Instruction } from "../types.ts";
import { parseCmd, parseEntrypoint, parseShell } from "./command.ts";
import { parseAdd, parseCopy } from "./copy.ts";
import { parseFrom } from "./from.ts";
import { parseHealthcheck } from "./healthcheck.ts";
import { parseRun } from "./run.ts";
import { parseExpose, parseMaintainer, parseStopSignal, parseUser, parseVolume, parseWorkdir } from "./settings.ts";
import { parseArg, parseEnv, parseLabel } from "./variables.ts";

/** How each instruction is parsed, by keyword; ONBUILD, which holds another one, is in onbuild.ts. */
export const parsers: Readonly<Record<string, (line: InstructionLine) => Instruction | FromInstruction>> = {
  ADD: parseAdd,
  ARG: parseArg,
  CMD: parseCmd,
  COPY: parseCopy,
  ENTRYPOINT: parseEntrypoint,
  ENV: parseEnv,
  EXPOSE: parseExpose,
  FROM: parseFrom,
  HEALTHCHECK: parseHealthcheck,
  LABEL: parseLabel,
  MAINTAINER: parseMaintainer,
  RUN: parseRun,
  SHELL: parseShell,
  STOPSIGNAL: parseStopSignal,
  USER: parseUser,
  VOLUME: parseVolume,
  WORKDIR: parseWorkdir,
};
