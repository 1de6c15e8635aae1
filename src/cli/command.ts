import type { Context } from "./context.ts";
import type { AnyOptions, ValuesOf } from "./options.ts";

/** How many positional arguments a command takes. */
export interface Arity {
  readonly min: number;
  readonly max?: number;
}

/** A command as data: what help, parsing and the table of commands need, and the handler. */
export interface CommandSpec<O extends AnyOptions> {
  /** What follows the command's name in its usage line, e.g. `[OPTIONS] IMAGE [COMMAND] [ARG...]`. */
  readonly usage: string;
  readonly summary: string;
  readonly arity: Arity;
  readonly options: O;
  /** Flags end at the first positional argument: what follows belongs to the container. */
  readonly flagsFirst?: boolean;
  /** Prints its result; resolves with the exit code, 0 when nothing is said. */
  readonly run: (context: Context, args: readonly string[], options: ValuesOf<O>) => Promise<number | undefined>;
}

/** A command whose options have been forgotten by the type system: what the table of commands holds. */
export type Command = CommandSpec<AnyOptions>;

/** Types the handler by the options beside it. */
export function defineCommand<const O extends AnyOptions>(spec: CommandSpec<O>): Command {
  return spec as unknown as Command;
}
