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
  const parser = new Parser()
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .helpOption(false)
    .argument("[args...]")
    .passThroughOptions(flagsFirst);
  for (const [name, option] of Object.entries(options)) {
    values[name] = option.initial;
    parser.addOption(asParserOption(name, option));
    parser.on(`option:${name}`, (value: string) => {
      values[name] = read(name, option, { value, sofar: values[name] });
    });
  }
  try {
    parser.parse(switchesWithValue(options, flagsFirst, argv), { from: "user" });
  } catch (error) {
    throw error instanceof CommanderError ? new UsageError(inDockersWords(error.message)) : error;
  }
  return { help: values.help === true, args: parser.args, values };
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

/**
 * Docker's switches may have a value (`--rm=false`, `-t=false`), which commander's cannot. To commander, every option has
 * one: here `--rm` becomes `--rm=true`, and `-it` the two switches it stands for.
 */
function switchesWithValue(options: AnyOptions, flagsFirst: boolean, argv: readonly string[]): string[] {
  const words: string[] = [];
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? "";
    const isFlag = word.startsWith("-") && word !== "-";
    if (word === "--" || (flagsFirst && !isFlag)) return [...words, ...argv.slice(index)];
    const spelled = isFlag ? spell(options, word) : { words: [word], takesNext: false };
    words.push(...spelled.words);
    if (spelled.takesNext && index + 1 < argv.length) words.push(argv[++index] ?? "");
  }
  return words;
}

interface Spelled {
  readonly words: readonly string[];
  /** The value is the next word of the command line. */
  readonly takesNext: boolean;
}

function spell(options: AnyOptions, word: string): Spelled {
  if (!word.startsWith("--")) return spellLetters(options, word.slice(1));
  const option = options[word.slice(2)];
  if (option === undefined) return { words: [word], takesNext: false };
  return option.label === "" ? { words: [`${word}=true`], takesNext: false } : { words: [word], takesNext: true };
}

function spellLetters(options: AnyOptions, letters: string): Spelled {
  const words: string[] = [];
  for (let at = 0; at < letters.length; at++) {
    const entry = Object.entries(options).find(([, option]) => option.short === letters[at]);
    const rest = letters.slice(at + 1);
    if (entry === undefined) return { words: [...words, `-${letters.slice(at)}`], takesNext: false };
    const [name, option] = entry;
    if (rest.startsWith("=")) return { words: [...words, `--${name}=${rest.slice(1)}`], takesNext: false };
    if (option.label !== "") {
      return rest === ""
        ? { words: [...words, `-${letters[at]}`], takesNext: true }
        : { words: [...words, `--${name}=${rest}`], takesNext: false };
    }
    words.push(`--${name}=true`);
  }
  return { words, takesNext: false };
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
