import { type Expansion, expand, expandDocument } from "./expand.ts";
import type { Instruction, SourceRange } from "./types.ts";
import { documentsOf, wordsOf } from "./words.ts";

/** Variables that an instruction uses and that do not exist, each where it is used first. */
export function unmatchedIn(
  instruction: Instruction,
  scope: Expansion,
): readonly { readonly name: string; readonly range: SourceRange }[] {
  const found = new Map<string, SourceRange>();
  const collect = (names: ReadonlySet<string>, range: SourceRange) => {
    for (const name of names) if (!found.has(name)) found.set(name, range);
  };
  // Docker says nothing of ports: an undefined one exposes nothing.
  const words = instruction.kind === "EXPOSE" ? [] : wordsOf(instruction);
  for (const word of words) collect(expand(word, scope).unmatched, word.range);
  for (const document of documentsOf(instruction)) collect(expandDocument(document, scope).unmatched, document.range);
  return [...found].map(([name, range]) => ({ name, range }));
}
