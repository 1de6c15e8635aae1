import { CommanderError, Command as Parser, Option as ParserOption } from "commander";
import { messageOf } from "../errors/index.ts";
import type { Command } from "./command.ts";
import { UsageError } from "./errors.ts";
import type { AnyOptions, Option } from "./options.ts";
import { flag } from "./options.ts";

/** What a command line says. */
export interface Parsed {
  readonly help: boolean;
  readonly args: readonly string[];
  readonly values: Readonly<Record<string, unknown>>;
}

/** The part of a command that parsing needs. */
export type Grammar = Pick<Command, "options" | "flagsFirst">;

/** Parses what follows a command's name as docker does. Throws UsageError. */
export function parseArguments(grammar: Grammar, argv: readonly string[]): Parsed {
  const options: AnyOptions = { ...grammar.options, help: flag("", "Print usage") };
  const flagsFirst = grammar.flagsFirst ?? false;
  const values: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(options)) values[name] = option.initial;
  const { words, used } = switchesWithValue(options, flagsFirst, argv);
  const args = used === undefined ? undefined : readPlain(words, { options, flagsFirst, values });
  if (args !== undefined) {
    const { help, ...others } = values;
    return { help: help === true, args, values: others };
  }
  const parser = new Parser()
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .helpOption(false)
    .argument("[args...]")
    .passThroughOptions(flagsFirst);
  // A hundred options cost 3 ms to register; commander needs those that are used, and all of them only to suggest one.
  for (const name of used ?? Object.keys(options)) {
    const option = options[name];
    if (option === undefined) continue;
    parser.addOption(asParserOption(name, option));
    parser.on(`option:${name}`, (value: string) => {
      values[name] = read(name, option, { value, sofar: values[name] });
    });
  }
  try {
    parser.parse(words, { from: "user" });
  } catch (error) {
    throw error instanceof CommanderError ? new UsageError(inDockersWords(error.message)) : error;
  }
  const { help, ...others } = values;
  return { help: help === true, args: parser.args, values: others };
}

/**
 * Reads a command line whose options are all known and have values: nearly every one. Commander, which takes 2 ms, is asked
 * about the others. Resolves to the arguments; undefined when there is something for commander.
 */
function readPlain(
  words: readonly string[],
  { options, flagsFirst, values }: { options: AnyOptions; flagsFirst: boolean; values: Record<string, unknown> },
): readonly string[] | undefined {
  const args: string[] = [];
  const given: [name: string, value: string][] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    if (word === "--") {
      args.push(...words.slice(index + 1));
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      if (flagsFirst) {
        args.push(...words.slice(index));
        break;
      }
      args.push(word);
      continue;
    }
    const equals = word.indexOf("=");
    const next = equals < 0 ? words[++index] : word.slice(equals + 1);
    if (next === undefined) return undefined;
    given.push([word.slice(2, equals < 0 ? undefined : equals), next]);
  }
  for (const [name, value] of given) {
    const option = options[name];
    if (option !== undefined) values[name] = read(name, option, { value, sofar: values[name] });
  }
  return args;
}

function asParserOption(name: string, option: Option<unknown>): ParserOption {
  const short = option.short === undefined ? "" : `-${option.short}, `;
  return new ParserOption(`${short}--${name} <value>`).hideHelp(option.hidden);
}

function read(name: string, option: Option<unknown>, { value, sofar }: { value: string; sofar: unknown }): unknown {
  try {
    return option.read(value, sofar);
  } catch (error) {
    const shown = option.short === undefined ? `--${name}` : `-${option.short}, --${name}`;
    throw new UsageError(`invalid argument ${JSON.stringify(value)} for "${shown}" flag: ${messageOf(error)}`);
  }
}

/** A command line as commander reads it. */
interface Spelling {
  readonly words: readonly string[];
  /** The names of the options in it; undefined when there are unknown ones among them. */
  readonly used: ReadonlySet<string> | undefined;
}

/**
 * Docker's switches may have a value (`--rm=false`, `-t=false`), which commander's cannot. To commander, every option has
 * one: here `--rm` becomes `--rm=true`, and `-it` the two switches it stands for.
 */
function switchesWithValue(options: AnyOptions, flagsFirst: boolean, argv: readonly string[]): Spelling {
  const words: string[] = [];
  const used = new Set<string>();
  let unknown = false;
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? "";
    const isFlag = word.startsWith("-") && word !== "-";
    if (word === "--" || (flagsFirst && !isFlag)) {
      words.push(...argv.slice(index));
      break;
    }
    if (!isFlag) {
      words.push(word);
      continue;
    }
    const spelled = word.startsWith("--") ? spellName(options, word) : spellLetters(options, word.slice(1));
    words.push(...spelled.words);
    for (const name of spelled.names) used.add(name);
    unknown ||= spelled.unknown;
    if (spelled.takesNext && index + 1 < argv.length) words.push(argv[++index] ?? "");
  }
  return { words, used: unknown ? undefined : used };
}

/** One word of flags, spelled for commander. */
interface Spelled {
  readonly words: readonly string[];
  readonly names: readonly string[];
  /** The value is the next word of the command line. */
  readonly takesNext: boolean;
  readonly unknown: boolean;
}

function spellName(options: AnyOptions, word: string): Spelled {
  const [name = "", ...value] = word.slice(2).split("=");
  const option = Object.hasOwn(options, name) ? options[name] : undefined;
  const asItIs = { words: [word], names: [name], takesNext: false, unknown: option === undefined };
  if (option === undefined || value.length > 0) return asItIs;
  return option.label === "" ? { ...asItIs, words: [`${word}=true`] } : { ...asItIs, takesNext: true };
}

function spellLetters(options: AnyOptions, letters: string): Spelled {
  const words: string[] = [];
  const names: string[] = [];
  const spelled = (more: readonly string[], takesNext = false): Spelled => ({
    words: [...words, ...more],
    names,
    takesNext,
    unknown: false,
  });
  for (let at = 0; at < letters.length; at++) {
    const entry = Object.entries(options).find(([, option]) => option.short === letters[at]);
    const rest = letters.slice(at + 1);
    if (entry === undefined) return { ...spelled([`-${letters.slice(at)}`]), unknown: true };
    const [name, option] = entry;
    names.push(name);
    if (rest.startsWith("=")) return spelled([`--${name}=${rest.slice(1)}`]);
    if (option.label !== "") return rest === "" ? spelled([`--${name}`], true) : spelled([`--${name}=${rest}`]);
    words.push(`--${name}=true`);
  }
  return spelled([]);
}

function inDockersWords(message: string): string {
  const unknown = /unknown option '(-[^']*)'(?:\n\(Did you mean (.*)\?\))?/s.exec(message);
  if (unknown !== null) {
    const [, name = "", suggestion] = unknown;
    const [bare = ""] = name.split("=", 1);
    const hint = suggestion === undefined ? "" : `\n\nDid you mean ${suggestion}?`;
    return `${name.startsWith("--") ? `unknown flag: ${bare}` : `unknown shorthand flag: '${name[1]}' in ${name}`}${hint}`;
  }
  const missing = /option '(?:-(\w), )?--([\w-]+) <value>' argument missing/.exec(message);
  if (missing !== null) return `flag needs an argument: --${missing[2]}`;
  return message.replace(/^error: /, "");
}
