import { SampanError } from "../../errors/index.ts";
import { type Options, type OptionTable, parseArguments } from "../arguments.ts";
import type { Context } from "../context.ts";

/** One command of the runtime. */
export interface Command {
  readonly name: string;
  /** What follows the name in the line of usage. */
  readonly usage: string;
  readonly help: string;
  readonly options: OptionTable;
  /** Does it, and answers the exit status. */
  run(context: Context, args: readonly string[]): Promise<number>;
}

/** How many words a command takes: at least and at most. */
type Count = readonly [least: number, most: number];

/** A command that parses its arguments by its table. */
export function command<const T extends OptionTable>(definition: {
  readonly name: string;
  readonly usage: string;
  readonly help: string;
  readonly options: T;
  readonly words: Count;
  run(context: Context, options: Options<T>, words: readonly string[]): Promise<number> | number;
}): Command {
  const { name, usage, words: count } = definition;
  return {
    ...definition,
    run: async (context, args) => {
      const { options, words } = parseArguments(args, definition.options);
      const [least, most] = count;
      if (words.length < least || words.length > most)
        throw new SampanError("invalid", `sampan-runtime: "${name}" takes: ${name} ${usage}`);
      return definition.run(context, options, words);
    },
  };
}

/** The first word: most commands are about one container. */
export function idOf(words: readonly string[]): string {
  return words[0] ?? "";
}
