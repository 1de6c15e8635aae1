import { literal } from "../kernel/literal.ts";
import type { Program, Step } from "../kernel/program.ts";
import type { ExplainedStep } from "./types.ts";

/** Every step in the order of execution, a child's steps where it is cloned. */
export function explainSteps(program: Program): ExplainedStep[] {
  return program.steps.flatMap((step) => explainStep(step, 0));
}

function explainStep(step: Step, depth: number): ExplainedStep[] {
  const line = { concept: step.concept, depth, note: step.note, call: literal(step) };
  const child = step.child?.flatMap((inner) => explainStep(inner, depth + 1)) ?? [];
  return [line, ...child];
}

/** For people: a heading whenever the concept changes, then one sentence and the literal call per line. */
export function explainText(program: Program): string {
  const steps = explainSteps(program);
  const lines = [`To ${program.purpose}, ${steps.length} steps:`];
  let heading = "";
  for (const { concept, depth, note, call } of steps) {
    const indent = "  ".repeat(depth);
    if (heading !== `${depth} ${concept}`)
      lines.push("", `${indent}${concept}${depth > 0 ? " (in the container's first process)" : ""}`);
    heading = `${depth} ${concept}`;
    lines.push(`${indent}  ${note}`, `${indent}      ${call}`);
  }
  return `${lines.join("\n")}\n`;
}
