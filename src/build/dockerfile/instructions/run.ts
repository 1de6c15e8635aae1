import { SampanError } from "../../../errors/index.ts";
import { closest } from "../../../errors/suggest.ts";
import type { InstructionLine } from "../instruction-line.ts";
import { MountProblem, readMount } from "../mount.ts";
import { readMountFields } from "../mount-fields.ts";
import type { MountFlag, RunInstruction, Word } from "../types.ts";
import { readCommand } from "./command.ts";

const networks = ["default", "none", "host"] as const;
const securities = ["sandbox", "insecure"] as const;

/** `RUN [flags] command` in either form, or with heredocs. */
export function parseRun(line: InstructionLine): RunInstruction {
  const flags = line.flags({ mount: "list", network: "text", security: "text", device: "list" });
  const [device] = flags.list("device");
  if (device !== undefined) {
    throw line.fail("RUN --device needs CDI devices, which Sampan does not have: remove the flag", device.range);
  }
  return {
    kind: "RUN",
    ...line.base,
    command: readCommand(line),
    mounts: flags.list("mount").map((word) => readMountFlag(line, word)),
    network: choice(line, flags.text("network"), networks, "network mode") ?? "default",
    security: choice(line, flags.text("security"), securities, "security mode") ?? "sandbox",
  };
}

function choice<Value extends string>(
  line: InstructionLine,
  word: Word | undefined,
  allowed: readonly Value[],
  what: string,
): Value | undefined {
  if (word === undefined) return undefined;
  const found = allowed.find((value) => value === word.raw);
  if (found !== undefined) return found;
  const near = closest(word.raw, allowed);
  const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
  throw line.fail(`invalid ${what} ${JSON.stringify(word.raw)}${hint}`, word.range);
}

/** What does not depend on variables is checked here, so that mistakes show before anything is built. */
function readMountFlag(line: InstructionLine, word: Word): MountFlag {
  try {
    const flag = readMountFields(word);
    const constant = flag.fields.every(({ value }) => value?.raw.includes("$") !== true);
    if (constant || flag.fields.some(({ key }) => key === "from")) checkFields(flag, constant);
    return flag;
  } catch (error) {
    if (!(error instanceof SampanError)) throw error;
    const field = error instanceof MountProblem ? error.field : undefined;
    throw line.fail(error.message, field?.range ?? word.range);
  }
}

function checkFields(flag: MountFlag, constant: boolean): void {
  const fields = constant ? flag.fields : flag.fields.filter(({ key }) => key === "from");
  readMount({ ...flag, fields }, ({ raw }) => raw);
}
