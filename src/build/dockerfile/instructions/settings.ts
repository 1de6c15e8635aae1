import type { InstructionLine } from "../instruction-line.ts";
import { splitAtSpaces } from "../split.ts";
import type {
  ExposeInstruction,
  MaintainerInstruction,
  StopSignalInstruction,
  UserInstruction,
  VolumeInstruction,
  WorkdirInstruction,
} from "../types.ts";
import { jsonArguments } from "./command.ts";

export function parseWorkdir(line: InstructionLine): WorkdirInstruction {
  line.flags();
  return { kind: "WORKDIR", ...line.base, path: line.oneArgument().word() };
}

export function parseUser(line: InstructionLine): UserInstruction {
  line.flags();
  return { kind: "USER", ...line.base, user: line.oneArgument().word() };
}

export function parseStopSignal(line: InstructionLine): StopSignalInstruction {
  line.flags();
  return { kind: "STOPSIGNAL", ...line.base, signal: line.oneArgument().word() };
}

export function parseMaintainer(line: InstructionLine): MaintainerInstruction {
  line.flags();
  const name = line.oneArgument().value;
  const message = "Maintainer instruction is deprecated in favor of using label";
  line.file.linter.report("MaintainerDeprecated", message, line.base);
  return { kind: "MAINTAINER", ...line.base, name };
}

/** Ports are sorted, as Docker does: the history of the image shows it. */
export function parseExpose(line: InstructionLine): ExposeInstruction {
  line.flags();
  const ports = splitAtSpaces(line.someArguments()).map((text) => text.word());
  return { kind: "EXPOSE", ...line.base, ports: ports.sort((a, b) => (a.raw < b.raw ? -1 : Number(a.raw > b.raw))) };
}

export function parseVolume(line: InstructionLine): VolumeInstruction {
  line.flags();
  const text = line.someArguments();
  const json = jsonArguments(line, text)?.map((raw) => ({ raw: raw.trim(), range: text.range }));
  const paths = json ?? splitAtSpaces(text).map((one) => one.word());
  if (paths.length === 0) throw line.fail("VOLUME requires at least one argument", text.range);
  if (paths.some(({ raw }) => raw === "")) throw line.fail("VOLUME specified can not be an empty string", text.range);
  return { kind: "VOLUME", ...line.base, paths };
}
