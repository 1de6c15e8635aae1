import { SampanError } from "../../errors/index.ts";

/** A JSON array of strings, as the exec form of Dockerfile instructions; undefined for anything else. */
export function jsonWords(text: string): string[] | undefined {
  if (!text.startsWith("[")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((item) => typeof item === "string") ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Words as a shell parts them: quotes and backslashes taken away. */
export function words(text: string): string[] {
  return split(text).map(unquote);
}

/** `name=value …`, or `name value` of the old form; values without their quotes. */
export function pairs(text: string, instruction: string): (readonly [name: string, value: string])[] {
  const parts = split(text);
  if (!parts[0]?.includes("=")) {
    const [, name = "", value = ""] = /^(\S+)\s+([\s\S]*)$/.exec(text) ?? [];
    if (name === "") throw new SampanError("invalid", `${instruction} must have two arguments`);
    return [[name, value]];
  }
  return parts.map((part) => {
    const at = part.indexOf("=");
    if (at < 1)
      throw new SampanError(
        "invalid",
        `Syntax error - can't find = in ${JSON.stringify(part)}. Must be of the form: name=value`,
      );
    return [unquote(part.slice(0, at)), unquote(part.slice(at + 1))];
  });
}

/** `$NAME`, `${NAME}`, `${NAME:-word}` and `${NAME:+word}` by the image's own variables. */
export function expand(text: string, env: readonly string[] | undefined): string {
  const lookUp = (name: string) =>
    (env ?? []).findLast((item) => item.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";
  return text.replace(/\\\$|\$(\w+)|\$\{(\w+)(?::([-+])([^}]*))?\}/g, (all, plain, braced, how, word) => {
    if (all === "\\$") return "$";
    const value = lookUp(plain ?? braced);
    if (how === "-") return value || word;
    return how === "+" ? value && word : value;
  });
}

function split(text: string): string[] {
  return text.match(/(?:[^\s"'\\]|\\[\s\S]|"(?:[^"\\]|\\[\s\S])*"|'[^']*')+/g) ?? [];
}

function unquote(word: string): string {
  return word.replace(/"((?:[^"\\]|\\[\s\S])*)"|'([^']*)'|\\([\s\S])/g, (all, double, single, escaped) => {
    if (double !== undefined) return String(double).replace(/\\(["\\])/g, "$1");
    if (single !== undefined) return single;
    // Left for `expand`.
    return escaped === "$" ? all : escaped;
  });
}
