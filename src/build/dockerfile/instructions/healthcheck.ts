import type { Healthcheck } from "../../../images/types.ts";
import { parseDuration } from "../duration.ts";
import type { InstructionLine } from "../instruction-line.ts";
import type { HealthcheckInstruction, Word } from "../types.ts";
import { jsonArguments } from "./command.ts";

const known = {
  interval: "text",
  timeout: "text",
  "start-period": "text",
  "start-interval": "text",
  retries: "text",
} as const;

/** `HEALTHCHECK NONE`, or `HEALTHCHECK [flags] CMD command` in either form. */
export function parseHealthcheck(line: InstructionLine): HealthcheckInstruction {
  const flags = line.flags(known);
  const [type = ""] = /^\S+/.exec(line.someArguments().value) ?? [];
  const command = line.rest.slice(type.length).trimStart();
  if (type.toUpperCase() === "NONE") {
    if (command.length > 0) throw line.fail("HEALTHCHECK NONE takes no arguments", command.range);
    return { kind: "HEALTHCHECK", ...line.base, healthcheck: { Test: ["NONE"] } };
  }
  if (type.toUpperCase() !== "CMD") {
    const reason = `Unknown type ${JSON.stringify(type.toUpperCase())} in HEALTHCHECK (try CMD)`;
    throw line.fail(reason, line.rest.slice(0, type.length).range);
  }
  const args = jsonArguments(line, command);
  if (command.length === 0 || args?.length === 0) throw line.fail("Missing command after HEALTHCHECK CMD");
  const duration = (name: string) => readDuration(line, name, flags.text(name));
  const healthcheck: Healthcheck = {
    Test: args === undefined ? ["CMD-SHELL", command.value] : ["CMD", ...args],
    ...given("Interval", duration("interval")),
    ...given("Timeout", duration("timeout")),
    ...given("StartPeriod", duration("start-period")),
    ...given("StartInterval", duration("start-interval")),
    ...given("Retries", readRetries(line, flags.text("retries"))),
  };
  return { kind: "HEALTHCHECK", ...line.base, healthcheck };
}

function given(key: keyof Healthcheck, value: number): Healthcheck {
  return value === 0 ? {} : { [key]: value };
}

/** Nanoseconds; 0 inherits. Below a millisecond nobody can check anything. */
function readDuration(line: InstructionLine, name: string, word: Word | undefined): number {
  if (word === undefined) return 0;
  const duration = parseDuration(word.raw);
  if (duration === undefined) throw line.fail(`time: invalid duration ${JSON.stringify(word.raw)}`, word.range);
  if (duration !== 0 && duration < 1e6) {
    throw line.fail(`Interval ${JSON.stringify(name)} cannot be less than 1ms`, word.range);
  }
  return duration;
}

function readRetries(line: InstructionLine, word: Word | undefined): number {
  if (word === undefined) return 0;
  if (!/^[+-]?\d{1,10}$/.test(word.raw)) throw line.fail(`--retries is no number: ${word.raw}`, word.range);
  const retries = Number(word.raw);
  if (retries < 0) throw line.fail(`--retries cannot be negative (${retries})`, word.range);
  return retries;
}
