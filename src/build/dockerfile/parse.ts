import { readDirectives } from "./directives.ts";
import { DockerfileError } from "./error.ts";
import { parseInstruction, takesHeredocs } from "./instruction.ts";
import type { FileContext } from "./instruction-line.ts";
import { descriptionOf } from "./instructions/description.ts";
import { LineReader } from "./lines.ts";
import { checkStructure } from "./lint-structure.ts";
import { Linter } from "./linter.ts";
import { sourceFile } from "./source.ts";
import type { ArgInstruction, Dockerfile, FromInstruction, Instruction, SourceFile, Stage } from "./types.ts";

const top = { start: { line: 1, column: 1 }, end: { line: 1, column: 1 } };

/**
 * Reads a Dockerfile as BuildKit's `docker/dockerfile:1` does.
 *
 * @param name how messages call the file
 * @throws {DockerfileError} which shows the place
 */
export function parseDockerfile(text: string, name: string): Dockerfile {
  const source = sourceFile(name, text);
  const directives = readDirectives(source);
  const file: FileContext = { source, escape: directives.escape, linter: new Linter(directives.check) };
  const parsed = readInstructions(text, file, directives.lines);
  if (parsed.length === 0) throw new DockerfileError("file with no instructions", source, top);
  const { globals, stages } = arrange(parsed, source);
  if (stages.length === 0) throw new DockerfileError("dockerfile contains no stages to build", source, top);
  const keywords = parsed.map(({ keyword, instruction }) => ({ keyword, instruction }));
  checkStructure({ keywords, stages }, file.linter);
  return { source, directives, globals, stages, lints: file.linter.lints };
}

/** An instruction that an image left for those built on it. It has no file: messages name the image's trigger. */
export function parseOnbuild(expression: string): { readonly instruction: Instruction; readonly source: SourceFile } {
  const source = sourceFile("ONBUILD of the base image", expression);
  const check = { skip: ["all"], experimental: [], error: false };
  const [first, ...more] = readInstructions(expression, { source, escape: "\\", linter: new Linter(check) }, 0);
  if (first === undefined || more.length > 0) {
    throw new DockerfileError("onbuild trigger should be a single expression", source, top);
  }
  if (first.instruction.kind === "FROM" || first.instruction.kind === "ONBUILD") {
    throw new DockerfileError(`${first.instruction.kind} isn't allowed as an ONBUILD trigger`, source, top);
  }
  return { instruction: first.instruction, source };
}

interface Parsed {
  /** As it was written. */
  readonly keyword: string;
  readonly instruction: Instruction | FromInstruction;
}

function readInstructions(text: string, file: FileContext, skip: number): readonly Parsed[] {
  const raw = text.replace(/^\uFEFF/, "").match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const reader = new LineReader(file.source, { raw, escape: file.escape, skip, takesHeredocs });
  const parsed: Parsed[] = [];
  for (let line = reader.read(); line !== undefined; line = reader.read()) {
    if (line.emptyContinuation !== undefined) {
      const place = { line: line.emptyContinuation, column: 1 };
      const at = { range: { start: place, end: place }, comments: line.comments };
      file.linter.report("NoEmptyContinuation", "Empty continuation line", at);
    }
    const instruction = parseInstruction(line, file);
    parsed.push({ keyword: /^\S*/.exec(line.text.value)?.[0] ?? "", instruction });
  }
  return parsed;
}

function arrange(parsed: readonly Parsed[], source: SourceFile): Pick<Dockerfile, "globals" | "stages"> {
  const globals: ArgInstruction[] = [];
  const stages: (Stage & { readonly instructions: Instruction[] })[] = [];
  for (const { instruction } of parsed) {
    const stage = stages.at(-1);
    if (instruction.kind === "FROM") {
      const description = descriptionOf(instruction.comments, instruction.name);
      stages.push({ index: stages.length, from: instruction, instructions: [], description });
    } else if (stage !== undefined) stage.instructions.push(instruction);
    else if (instruction.kind === "ARG") globals.push(instruction);
    else
      throw new DockerfileError(
        "no build stage in current context: only ARG may stand before FROM",
        source,
        instruction.range,
      );
  }
  return { globals, stages };
}
