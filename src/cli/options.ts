import { invalid } from "./errors.ts";
import type { Filters } from "./parsing/filter.ts";
import { addFilter } from "./parsing/filter.ts";
import { parseBool, parseInteger } from "./parsing/numbers.ts";
import { parseSize } from "./parsing/size.ts";

/** One option of a command. Its long name is its key in the command's table. */
export interface Option<T> {
  readonly short: string | undefined;
  /** What help calls the value: `string`, `list`, `bytes`; "" for a switch. */
  readonly label: string;
  readonly help: string;
  readonly initial: T;
  /** Folds one more value into what is there; throws `invalid` when it makes no sense. */
  readonly read: (value: string, sofar: T) => T;
  readonly hidden: boolean;
}

// biome-ignore lint/suspicious/noExplicitAny: options of any value; the type is recovered by ValuesOf.
export type AnyOptions = Readonly<Record<string, Option<any>>>;

export type ValuesOf<O extends AnyOptions> = { readonly [K in keyof O]: O[K] extends Option<infer T> ? T : never };

/** A short letter and the help text, in the order of docker's help; "" for no letter. */
type Words = readonly [short: string, help: string];

function option<T>([short, help]: Words, label: string, initial: T, read: Option<T>["read"]): Option<T> {
  return { short: short || undefined, label, help, initial, read, hidden: false };
}

/** A switch, off unless said otherwise. */
export function flag(short: string, help: string, initial = false): Option<boolean> {
  return option<boolean>([short, help], "", initial, parseBool);
}

/** A text; absent when not given. */
export function text(short: string, help: string, label = "string"): Option<string | undefined> {
  return option<string | undefined>([short, help], label, undefined, (value) => value);
}

/** A value that a parser makes of the text; absent when not given. */
export function parsed<T>(
  short: string,
  help: string,
  label: string,
  parse: (text: string) => T,
): Option<T | undefined> {
  return option<T | undefined>([short, help], label, undefined, (value) => parse(value));
}

/** A whole number; absent when not given. */
export function integer(
  short: string,
  help: string,
  limits: { min?: number; max?: number } = {},
): Option<number | undefined> {
  return parsed(short, help, "int", (value) => parseInteger(value, limits));
}

/** A size in bytes. */
export function bytes(short: string, help: string, parse = parseSize): Option<number | undefined> {
  return parsed(short, help, "bytes", parse);
}

/** An option that may be repeated: every value is parsed and kept. */
export function list<T = string>(
  short: string,
  help: string,
  parse: (text: string) => T = (value) => value as T,
  label = "list",
): Option<readonly T[]> {
  return option<readonly T[]>([short, help], label, [], (value, sofar) => [...sofar, parse(value)]);
}

/** A value of its own kind that is folded over repetitions. */
export function folded<T>(
  short: string,
  help: string,
  label: string,
  fold: { readonly initial: T; readonly read: (value: string, sofar: T) => T },
): Option<T> {
  return option([short, help], label, fold.initial, fold.read);
}

/** What the API's filters take, as --filter gives it. */
export function filters(short: string, help: string): Option<Filters> {
  return folded<Filters>(short, help, "filter", { initial: {}, read: addFilter });
}

/** The same option under another, undocumented name. */
export function hidden<T>(source: Option<T>): Option<T> {
  return { ...source, short: undefined, hidden: true };
}

/** A flag of docker's whose feature is not there: refused, never ignored. */
export function later(feature: string, options: { short?: string; isSwitch?: boolean } = {}): Option<unknown> {
  const refuse = (): never => {
    throw invalid(`${feature} not in this version of Sampan yet`);
  };
  const refused = option<unknown>([options.short ?? "", ""], options.isSwitch ? "" : "string", undefined, (value) =>
    options.isSwitch && !parseBool(value) ? undefined : refuse(),
  );
  return { ...refused, hidden: true };
}
