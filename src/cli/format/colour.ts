import type { Context } from "../context.ts";

const codes = { bold: "1", dim: "2" } as const;

/** Puts text in a terminal's style. */
export type Paint = (style: keyof typeof codes, text: string) => string;

/** Paints for a terminal; leaves text as it is for files, pipes and people who object (https://no-color.org). */
export function painter(stream: NodeJS.WriteStream, env: Context["env"]): Paint {
  const plain = stream.isTTY !== true || Boolean(env.NO_COLOR) || env.TERM === "dumb";
  return (style, text) => (plain ? text : `\x1b[${codes[style]}m${text}\x1b[0m`);
}
