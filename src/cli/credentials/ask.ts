import { text } from "node:stream/consumers";
import type { Context } from "../context.ts";
import { ExitError } from "../errors.ts";
import { rawMode } from "../terminal/raw.ts";

/** A secret from standard input, without the end of its line. */
export async function secretFromInput(context: Context): Promise<string> {
  return (await text(context.stdin)).replace(/\r?\n$/, "");
}

/** Asks on the terminal; what is typed is shown unless it is a secret. Ctrl-C gives up. */
export async function ask(
  context: Context,
  question: string,
  { secret }: { readonly secret: boolean },
): Promise<string> {
  const { stdin, stderr } = context;
  if (!stdin.isTTY) throw new ExitError(1, "Error: Cannot perform an interactive login from a non TTY device");
  using _raw = rawMode(stdin);
  stderr.write(question);
  let typed = "";
  for await (const chunk of stdin.iterator({ destroyOnReturn: false })) {
    for (const key of String(chunk)) {
      if (key === "\u0003") throw new ExitError(130, "");
      if (key === "\r" || key === "\n" || key === "\u0004") {
        stderr.write("\r\n");
        stdin.pause();
        return typed;
      }
      if (key === "\u007f") typed = typed.slice(0, -1);
      else typed += key;
      if (!secret) stderr.write(key === "\u007f" ? "\b \b" : key);
    }
  }
  return typed;
}
