export interface FunctionSize {
  readonly name: string;
  /** Lines from the signature to the closing brace. */
  readonly size: number;
}

const declaration = /^( *)(?:export )?(?:default )?(?:async )?function\*? (\w+)/;
const method = /^( +)(?:(?:static|async|override|get|set|readonly) )*\*?(#?\w+|\[Symbol\.\w+\])(?:<.*>)?\((?!.*\) *;$)/;
const arrow =
  /^( *)(?:export )?(?:const |readonly |static )?(#?\w+)(?:: [^=]+)? ?[=:] (?:async )?(?:<.*>)?\(.*(?:=> \{|\($)/;
const statement = /^ *(?:if|for|while|switch|catch|return|await|throw|else|do|try|super)\b/;

/**
 * The functions of a formatted source. Biome's format makes indentation the syntax: a function ends at the first line
 * that begins with "}" as far in as its own first line.
 */
export function functionsOf(text: string): FunctionSize[] {
  const lines = text.split("\n");
  return lines.flatMap((line, start) => {
    const match = statement.test(line) ? null : (declaration.exec(line) ?? method.exec(line) ?? arrow.exec(line));
    if (match === null) return [];
    const [, indent = "", name = ""] = match;
    const end = lines.findIndex((other, index) => index > start && closes(other, indent));
    return end < 0 || !opensBody(lines.slice(start, end)) ? [] : [{ name, size: end - start + 1 }];
  });
}

function closes(line: string, indent: string): boolean {
  const rest = line.slice(indent.length);
  return line.startsWith(indent) && (rest.startsWith("}") || (/^\S/.test(rest) && !rest.startsWith(")")));
}

/** Whether a body follows the signature: a call of several lines, or a declaration without body, is none. */
function opensBody(lines: readonly string[]): boolean {
  const indent = /^ */.exec(lines[0] ?? "")?.[0].length ?? 0;
  return lines.some((line) => line.endsWith("{") && /^ */.exec(line)?.[0].length === indent);
}
