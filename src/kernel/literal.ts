import { Named, Ref, Slot } from "./block.ts";
import type { Argument, Step } from "./program.ts";

/** A step as a line of a system call trace: `openat(-100, "/proc", 0x80000)`; long data is cut. */
export function literal(step: Step): string {
  const args = step.args.map(literalArgument).join(", ");
  return `${step.call ?? step.op}(${args})`;
}

function literalArgument(argument: Argument): string {
  if (argument instanceof Named) return argument.text;
  if (argument instanceof Slot) return `$${argument.address.label}`;
  if (argument instanceof Ref) return argument.label.length > 100 ? `${argument.label.slice(0, 99)}…` : argument.label;
  return argument > 0xffff ? `0x${argument.toString(16)}` : String(argument);
}
