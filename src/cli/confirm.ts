import { createInterface } from "node:readline";
import type { Context } from "./context.ts";

/** Asks on the terminal, or wherever standard input comes from; only `y` is yes. */
export async function confirm(context: Context, warning: string): Promise<boolean> {
  context.stdout.write(`${warning}\nAre you sure you want to continue? [y/N] `);
  const lines = createInterface({ input: context.stdin });
  for await (const line of lines) return line.trim().toLowerCase() === "y";
  return false;
}
