import { SampanError } from "../../errors/index.ts";
import { isNameCharacter } from "./characters.ts";
import { cutPrefix, cutSuffix, replacePattern } from "./shell-pattern.ts";
import { WordSplitter } from "./word-splitter.ts";

/** How text is read; without options: quotes and escapes are removed, unset variables are empty. */
export interface LexerOptions {
  /** What escapes a character and continues lines: the file's escape directive. */
  readonly escape: "\\" | "`";
  lookup(name: string): string | undefined;
  /** Quotes stay in the result. */
  readonly keepQuotes?: boolean;
  /** Escape characters stay in the result, beside what they escape. */
  readonly keepEscapes?: boolean;
  /** Quotes are ordinary characters: text of a heredoc. */
  readonly ignoreQuotes?: boolean;
  /** `$name` stays as it is when there is no such variable. */
  readonly keepUnset?: boolean;
}

/** What came out of a text. */
export interface Expanded {
  readonly text: string;
  /** The text split at spaces that were neither quoted nor escaped. */
  readonly words: readonly string[];
  /** Variables that were used and exist. */
  readonly matched: ReadonlySet<string>;
  /** Variables that were used and do not exist. */
  readonly unmatched: ReadonlySet<string>;
}

/** Why text is no good; the caller knows where it stands. */
export class LexerProblem extends SampanError {
  constructor(reason: string) {
    super("invalid", reason);
    this.name = "LexerProblem";
  }
}

/** Expands variables and removes quotes as BuildKit's shell lexer does; throws LexerProblem. */
export function lex(text: string, options: LexerOptions): Expanded {
  return new Lexer(text, options).expand();
}

/** After `$`, these are names of one character, as in a shell. */
const specialParameters = "@*#?-$!";

/** One pass over one text. Mimics a POSIX shell's word expansion without commands, arithmetic and `~`. */
class Lexer {
  readonly #characters: readonly string[];
  readonly #options: LexerOptions;
  readonly #matched = new Set<string>();
  readonly #unmatched = new Set<string>();
  #at = 0;
  #keepEscapes: boolean;

  constructor(text: string, options: LexerOptions) {
    this.#characters = Array.from(text);
    this.#options = options;
    this.#keepEscapes = options.keepEscapes ?? false;
  }

  expand(): Expanded {
    const { text, words } = this.#until(undefined);
    return { text, words, matched: this.#matched, unmatched: this.#unmatched };
  }

  #peek(): string | undefined {
    return this.#characters[this.#at];
  }

  #take(): string | undefined {
    return this.#characters[this.#at++];
  }

  /** Everything up to `stop`, which is taken too; undefined is the end of the text. */
  #until(stop: string | undefined): { readonly text: string; readonly words: readonly string[] } {
    const result = new WordSplitter();
    for (let next = this.#peek(); next !== undefined; next = this.#peek()) {
      if (next === stop) {
        this.#at++;
        return result.finish();
      }
      this.#one(next, result);
    }
    if (stop !== undefined) throw new LexerProblem(`syntax error: missing '${stop}'`);
    return result.finish();
  }

  #one(next: string, result: WordSplitter): void {
    const quotes = this.#options.ignoreQuotes !== true;
    if (next === "$") result.addSplit(this.#dollar());
    else if (next === "<") result.addWhole(this.#heredocMark());
    else if (next === "'" && quotes) result.addWhole(this.#singleQuoted());
    else if (next === '"' && quotes) result.addWhole(this.#doubleQuoted());
    else if (next === this.#options.escape) {
      if (this.#keepEscapes) result.addWhole(next);
      this.#at++;
      const escaped = this.#take();
      if (escaped !== undefined) result.addWhole(escaped);
    } else {
      this.#at++;
      result.addSplit(next);
    }
  }

  /** `<<` takes the spaces after it along, so that `<< EOT` is one word. */
  #heredocMark(): string {
    this.#at++;
    if (this.#peek() !== "<") return "<";
    this.#at++;
    let mark = "<<";
    for (let next = this.#peek(); next !== undefined && " \t\r".includes(next); next = this.#peek()) {
      mark += next;
      this.#at++;
    }
    return mark;
  }

  #singleQuoted(): string {
    const end = this.#characters.indexOf("'", this.#at + 1);
    if (end < 0) throw new LexerProblem("unexpected end of statement while looking for matching single-quote");
    const inside = this.#characters.slice(this.#at + 1, end).join("");
    this.#at = end + 1;
    return this.#options.keepQuotes === true ? `'${inside}'` : inside;
  }

  #doubleQuoted(): string {
    this.#at++;
    let inside = "";
    for (;;) {
      const next = this.#peek();
      if (next === undefined) {
        throw new LexerProblem("unexpected end of statement while looking for matching double-quote");
      }
      if (next === '"') break;
      inside += next === "$" ? this.#dollar() : this.#quotedCharacter(next);
    }
    this.#at++;
    return this.#options.keepQuotes === true ? `"${inside}"` : inside;
  }

  /** In double quotes only `"`, `$` and the escape character itself can be escaped. */
  #quotedCharacter(character: string): string {
    const escaper = this.#options.escape;
    this.#at++;
    if (character !== escaper) return character;
    const kept = this.#keepEscapes ? escaper : "";
    const next = this.#peek();
    if (next === undefined) return kept;
    if (next !== '"' && next !== "$" && next !== escaper) return kept + character;
    this.#at++;
    return kept + next;
  }

  #dollar(): string {
    this.#at++;
    if (this.#peek() === "{") return this.#braced();
    const name = this.#name();
    if (name === "") return "$";
    return this.#variable(name) ?? (this.#options.keepUnset === true ? `$${name}` : "");
  }

  #braced(): string {
    this.#at++;
    const first = this.#peek();
    if (first === undefined) throw new LexerProblem("syntax error: missing '}'");
    if (first === "{" || first === "}" || first === ":") throw new LexerProblem("syntax error: bad substitution");
    const name = this.#name();
    const modifier = this.#take();
    if (modifier === undefined) throw new LexerProblem("syntax error: missing '}'");
    if (modifier === "}") return this.#variable(name) ?? (this.#options.keepUnset === true ? `\${${name}}` : "");
    if (modifier === "/") return this.#replaced(name);
    if (modifier === "#" || modifier === "%") return this.#cut(name, modifier);
    const emptyIsUnset = modifier === ":";
    const kind = emptyIsUnset ? (this.#take() ?? "") : modifier;
    if (kind !== "-" && kind !== "+" && kind !== "?") {
      throw new LexerProblem(`unsupported modifier (${emptyIsUnset ? ":" : ""}${kind}) in substitution`);
    }
    return this.#instead(name, kind, emptyIsUnset);
  }

  /** `${name:-word}`, `${name:+word}`, `${name:?word}`, each also without colon: then an empty value counts as one. */
  #instead(name: string, kind: "-" | "+" | "?", emptyIsUnset: boolean): string {
    const word = this.#nested("}", false);
    const value = this.#variable(name);
    if (value === undefined && this.#options.keepUnset === true) {
      return `\${${name}${emptyIsUnset ? ":" : ""}${kind}${word}}`;
    }
    const absent = value === undefined || (emptyIsUnset && value === "");
    if (kind === "+") return absent ? "" : word;
    if (!absent) return value;
    if (kind === "-") return word;
    const reason = value === undefined ? "is not allowed to be unset" : "is not allowed to be empty";
    throw new LexerProblem(`${name}: ${word === "" ? reason : word}`);
  }

  /** `${name#pattern}` and `${name%pattern}`; doubled, the longest match is cut off. */
  #cut(name: string, kind: "#" | "%"): string {
    const word = this.#nested("}", true);
    const value = this.#variable(name);
    if (value === undefined && this.#options.keepUnset === true) return `\${${name}${kind}${word}}`;
    const longest = word.startsWith(kind);
    const pattern = longest ? word.slice(1) : word;
    const cut = kind === "#" ? cutPrefix : cutSuffix;
    return this.#patterned(pattern, () => cut(value ?? "", pattern, longest));
  }

  /** `${name/pattern/replacement}`; `//` replaces all. */
  #replaced(name: string): string {
    const all = this.#peek() === "/";
    if (all) this.#at++;
    const pattern = this.#nested("/", true);
    const replacement = this.#nested("}", true);
    const value = this.#variable(name);
    if (value === undefined && this.#options.keepUnset === true) {
      return `\${${name}/${all ? "/" : ""}${pattern}/${replacement}}`;
    }
    return this.#patterned(pattern, () => replacePattern(value ?? "", pattern, { replacement, all }));
  }

  #patterned(pattern: string, apply: () => string | { readonly problem: string }): string {
    const result = apply();
    if (typeof result === "string") return result;
    throw new LexerProblem(`invalid pattern (${pattern}) in substitution: ${result.problem}`);
  }

  #nested(stop: string, keepEscapes: boolean): string {
    const before = this.#keepEscapes;
    this.#keepEscapes = keepEscapes;
    const { text } = this.#until(stop);
    this.#keepEscapes = before;
    return text;
  }

  #name(): string {
    const first = this.#peek() ?? "";
    if (first !== "" && specialParameters.includes(first)) {
      this.#at++;
      return first;
    }
    const belongs = /\p{Nd}/u.test(first) ? (one: string) => /\p{Nd}/u.test(one) : isNameCharacter;
    let name = "";
    for (let next = this.#peek(); next !== undefined && belongs(next); next = this.#peek()) {
      name += next;
      this.#at++;
    }
    return name;
  }

  #variable(name: string): string | undefined {
    const value = this.#options.lookup(name);
    (value === undefined ? this.#unmatched : this.#matched).add(name);
    return value;
  }
}
