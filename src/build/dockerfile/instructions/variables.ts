import type { InstructionLine } from "../instruction-line.ts";
import { splitQuoted } from "../split.ts";
import type {
  ArgDefinition,
  ArgInstruction,
  EnvInstruction,
  KeyValue,
  LabelInstruction,
  SourceRange,
  Word,
} from "../types.ts";

export function parseEnv(line: InstructionLine): EnvInstruction {
  return { kind: "ENV", ...line.base, pairs: readPairs(line) };
}

export function parseLabel(line: InstructionLine): LabelInstruction {
  return { kind: "LABEL", ...line.base, pairs: readPairs(line) };
}

/** `KEY=value …`, or when the first word has no `=`, `KEY value with spaces`. */
function readPairs(line: InstructionLine): readonly KeyValue[] {
  line.flags();
  const text = line.someArguments();
  const words = splitQuoted(text, line.file.escape);
  if (words[0]?.raw.includes("=") === true) return words.map((word) => readPair(line, word));
  const [name = ""] = /^[^\t\v\f\r ]+/.exec(text.value) ?? [];
  const value = text.slice(name.length).trimStart();
  if (value.length === 0) throw line.fail(`${line.name} must have two arguments`, text.range);
  return [{ key: text.slice(0, name.length).word(), value: value.word(), legacy: true }];
}

function readPair(line: InstructionLine, word: Word): KeyValue {
  const { key, value } = cut(word);
  if (value === undefined) {
    const reason = `Syntax error - can't find = in ${JSON.stringify(word.raw)}. Must be of the form: name=value`;
    throw line.fail(reason, word.range);
  }
  if (key.raw === "") throw line.fail(`${line.name} names can not be blank`, word.range);
  return { key, value, legacy: false };
}

export function parseArg(line: InstructionLine): ArgInstruction {
  line.flags();
  const args = splitQuoted(line.someArguments(), line.file.escape).map((word): ArgDefinition => {
    const definition = cut(word);
    if (definition.key.raw === "") throw line.fail("ARG names can not be blank", word.range);
    return definition;
  });
  return { kind: "ARG", ...line.base, args };
}

function cut(word: Word): { readonly key: Word; readonly value: Word | undefined } {
  const equals = word.raw.indexOf("=");
  if (equals < 0) return { key: word, value: undefined };
  const { start, end } = word.range;
  const middle = { line: start.line, column: start.column + equals };
  const keyRange: SourceRange = { start, end: middle };
  const valueRange: SourceRange = { start: { line: middle.line, column: middle.column + 1 }, end };
  return {
    key: { raw: word.raw.slice(0, equals), range: keyRange },
    value: { raw: word.raw.slice(equals + 1), range: valueRange },
  };
}
