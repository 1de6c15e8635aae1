import { SampanError } from "../errors/index.ts";

/** The options of a command: `flag` takes no value, `texts` may be given again. */
export interface OptionTable {
  readonly [name: string]: { readonly kind: "flag" | "text" | "texts"; readonly short?: string; readonly help: string };
}

type Value<K> = K extends "flag" ? boolean : K extends "texts" ? readonly string[] : string | undefined;
export type Options<T extends OptionTable> = { readonly [K in keyof T]: Value<T[K]["kind"]> };

export interface Parsed<T extends OptionTable> {
  readonly options: Options<T>;
  /** What follows the options; the first word that is none ends them, as in runc: what follows may be a container's. */
  readonly words: readonly string[];
}

/** Reads "--name value", "--name=value", "-n value" and, as Go does, "-name"; "--" ends the options. Throws `invalid`. */
export function parseArguments<const T extends OptionTable>(args: readonly string[], table: T): Parsed<T> {
  const found = new Map<string, boolean | string | string[]>();
  let at = 0;
  for (; at < args.length; at++) {
    const word = args[at] ?? "";
    if (word === "--") {
      at++;
      break;
    }
    if (!word.startsWith("-") || word === "-") break;
    const [written = "", ...rest] = word.replace(/^--?/, "").split("=");
    const inline = rest.length > 0 ? rest.join("=") : undefined;
    const name = nameOf(written, table);
    const kind = name === undefined ? undefined : table[name]?.kind;
    if (name === undefined || kind === undefined)
      throw new SampanError("invalid", `flag provided but not defined: -${written}`);
    if (kind === "flag") found.set(name, inline === undefined ? true : isTrue(inline, written));
    else {
      const value = inline ?? args[++at];
      if (value === undefined) throw new SampanError("invalid", `flag needs an argument: -${written}`);
      const before = found.get(name);
      found.set(name, kind === "texts" ? [...(Array.isArray(before) ? before : []), value] : value);
    }
  }
  const values = Object.entries(table).map(([name, { kind }]) => {
    const empty = kind === "flag" ? false : kind === "texts" ? [] : undefined;
    return [name, found.get(name) ?? empty] as const;
  });
  return { options: Object.fromEntries(values) as Options<T>, words: args.slice(at) };
}

function nameOf(written: string, table: OptionTable): string | undefined {
  if (Object.hasOwn(table, written)) return written;
  return Object.entries(table).find(([, { short }]) => short === written)?.[0];
}

function isTrue(text: string, name: string): boolean {
  if (["1", "t", "T", "true", "TRUE", "True"].includes(text)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(text)) return false;
  throw new SampanError("invalid", `invalid boolean value ${JSON.stringify(text)} for -${name}`);
}

/** A number of an option, undefined where it was not given. */
export function numberOption(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  if (/^-?\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new SampanError(
    "invalid",
    `invalid value ${JSON.stringify(text)} for flag -${name}: it must be a whole number`,
  );
}
