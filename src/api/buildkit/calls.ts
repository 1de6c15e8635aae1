import type { BuildEvent } from "../../build/types.ts";
import { cacheOnly } from "./outputs.ts";
import { carryOut, type Means, type Task } from "./solve.ts";

/** What buildx must know at least to print an answer of this shape. */
const version = "1.0.0";

/** Whether a client asks something about the Dockerfile (`--check`, `--call`) instead of a build. */
export function isCall(attributes: ReadonlyMap<string, string>): boolean {
  return (attributes.get("requestid") ?? "") !== "";
}

/** Answers what a client asks about the Dockerfile, as BuildKit's frontend does: JSON, which the client prints. */
export async function answerCall(means: Means, task: Task): Promise<ReadonlyMap<string, Buffer>> {
  const lints: Lint[] = [];
  const emit = (event: BuildEvent) => {
    if (event.type === "lint") lints.push(event);
    else task.job.tell(event);
  };
  return await carryOut(means, task, {
    wanted: cacheOnly,
    again: false,
    emit,
    finish: async ({ metadata, stream }, { asked, files }) => {
      await stream?.[Symbol.asyncDispose]();
      const answer = {
        build: () => ({}),
        check: () => lintResults(lints, files.text && { name: asked.filename, text: files.text }),
        outline: () => metadata?.outline,
        targets: () => ({ targets: metadata?.targets, sources: [] }),
      }[asked.call]();
      const failed = asked.call === "check" && lints.length > 0;
      return new Map([
        ["result.json", Buffer.from(JSON.stringify(answer))],
        ["result.statuscode", Buffer.from(failed ? "1" : "0")],
        ["version", Buffer.from(version)],
      ]);
    },
  });
}

type Lint = Extract<BuildEvent, { type: "lint" }>;

function lintResults(lints: readonly Lint[], file: { readonly name: string; readonly text: Buffer } | undefined) {
  const sourceIndex = file === undefined ? -1 : 0;
  return {
    warnings: lints.map(({ lint: { rule, description, url, message, range } }) => ({
      ...{ ruleName: rule, description, url, detail: message },
      location: { sourceIndex, ranges: [{ start: { line: range.start.line }, end: { line: range.end.line } }] },
    })),
    sources: file && [{ filename: file.name, data: file.text.toString("base64"), language: "Dockerfile" }],
  };
}
