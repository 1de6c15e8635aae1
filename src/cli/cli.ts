import { SampanError } from "../errors/index.ts";
import { findCommand } from "./commands.ts";
import type { Context } from "./context.ts";
import { processContext } from "./context.ts";
import { describe } from "./describe.ts";
import { ExitError, engineFailure, UsageError } from "./errors.ts";
import { globalGrammar } from "./globals.ts";
import type { Parsed } from "./parse.ts";
import { parseArguments } from "./parse.ts";
import { standard } from "./standard.ts";

/** Runs one command line, without the program's name; resolves with the exit code. Never throws. */
export async function cli(argv: readonly string[]): Promise<number> {
  try {
    if (argv[0] === "__complete") return await answer(argv.slice(1));
    const { values, args, help } = parseGlobals(argv);
    const found = findCommand(args);
    if (found === undefined || help || values.version) {
      const { overview } = await import("./overview.ts");
      return await overview(args, { help, version: values.version === true });
    }
    return await runCommand(found, processContext({ host: values.host as string | undefined }));
  } catch (error) {
    return report(error, { path: "" });
  }
}

/** What the shells' scripts ask: no command, for it looks at the table of commands itself. */
async function answer(words: readonly string[]): Promise<number> {
  const { answerShell } = await import("./completion/main.ts");
  return answerShell(processContext({ host: undefined }), words);
}

/** Flags before the command are seldom; without any there is nothing to parse. */
function parseGlobals(argv: readonly string[]): Parsed {
  return argv[0]?.startsWith("-") ? parseArguments(globalGrammar, argv) : { values: {}, args: argv, help: false };
}

async function runCommand(found: NonNullable<ReturnType<typeof findCommand>>, context: Context): Promise<number> {
  const { path, entry, rest } = found;
  const { default: command } = await entry.load();
  try {
    const { values, args, help } = parseArguments(command, rest);
    if (help) {
      const { commandHelp } = await import("./help.ts");
      context.stdout.write(commandHelp(path, command, entry.paths));
      return 0;
    }
    checkArity(path, command.arity, args.length);
    return (await command.run(context, args, values)) ?? 0;
  } catch (error) {
    return report(error, { path, usage: command.usage });
  } finally {
    context.close();
  }
}

function checkArity(path: string, arity: { readonly min: number; readonly max?: number }, count: number): void {
  const { min, max = Number.POSITIVE_INFINITY } = arity;
  if (count >= min && count <= max) return;
  const wanted = max === 0 ? "accepts no arguments" : `requires ${argumentCount(min, max)}`;
  throw new UsageError(`sampan: 'sampan ${path}' ${wanted}`, 1);
}

/** "1 argument", "at least 1 and at most 2 arguments". */
function argumentCount(min: number, max: number): string {
  if (min === max) return `${min} argument${min === 1 ? "" : "s"}`;
  if (min === 0) return `at most ${max} argument${max === 1 ? "" : "s"}`;
  if (max < Number.POSITIVE_INFINITY) return `at least ${min} and at most ${max} arguments`;
  return `at least ${min} argument${min === 1 ? "" : "s"}`;
}

interface Place {
  /** The command as it was spelled; "" before one is known. */
  readonly path: string;
  readonly usage?: string;
}

/** Prints an error as docker does and returns the exit code it stands for. */
function report(error: unknown, { path, usage }: Place): number {
  const help = `Run 'sampan ${path === "" ? "" : `${path} `}--help' for more information`;
  if (error instanceof UsageError) {
    const line = usage === undefined ? "" : `\n\nUsage:  sampan ${path} ${usage}`;
    say(`${error.message}${line}\n\n${help}`);
    return error.exitCode;
  }
  if (error instanceof ExitError) {
    if (error.message !== "") say(error.message);
    return error.exitCode;
  }
  if (error instanceof SampanError) {
    say(describe(error));
    return 1;
  }
  say(`sampan: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return engineFailure;
}

function say(text: string): void {
  standard.stderr.write(`${text}\n`);
}
