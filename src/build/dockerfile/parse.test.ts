import assert from "node:assert/strict";
import { test } from "node:test";
import { fragments, fragmentText } from "../../../test/suites/dockerfile/fragments.ts";
import { DockerfileError, parseDockerfile, parseOnbuild, runScript, summary } from "./index.ts";

for (const fragment of fragments) {
  const { name, instruction, error } = fragment;
  test(`a Dockerfile's ${name}`, () => {
    if (error !== undefined) return assertRefused(fragmentText(fragment), error);
    const { stages } = parseDockerfile(fragmentText(fragment), "Dockerfile");
    const last = stages.at(-1)?.instructions.at(-1) ?? stages.at(-1)?.from;
    assert.partialDeepStrictEqual(last, instruction);
  });
}

function assertRefused(text: string, { at, reason }: { readonly at: string; readonly reason: RegExp }): void {
  assert.throws(
    () => parseDockerfile(text, "Dockerfile"),
    (thrown) => {
      assert.ok(thrown instanceof DockerfileError);
      assert.match(thrown.reason, reason);
      assert.equal(`${thrown.range.start.line}:${thrown.range.start.column}`, at);
      return true;
    },
  );
}

test("a mistake is shown where it is", () => {
  const text = "FROM scratch\nCOPY --chwon=1 \\\n  a b\n";
  assert.throws(() => parseDockerfile(text, "app/Dockerfile"), {
    message: [
      "app/Dockerfile:2:6: unknown flag: --chwon (did you mean --chown?)",
      "  1 | FROM scratch",
      "  2 | COPY --chwon=1 \\",
      "    |      ^^^^^^^^^",
      "  3 |   a b",
    ].join("\n"),
  });
});

test("a trigger of an image is parsed in the child's build", () => {
  const { instruction } = parseOnbuild("COPY <<a /b\n1\na");
  assert.partialDeepStrictEqual(instruction, { kind: "COPY", sources: [{ heredoc: { content: "1\n" } }] });
  assert.throws(() => parseOnbuild("FROM x"), /FROM isn't allowed as an ONBUILD trigger/);
});

test("what a shell gets of heredocs", () => {
  const script = (text: string) => {
    const run = parseDockerfile(`FROM scratch\n${text}`, "Dockerfile").stages[0]?.instructions[0];
    return run?.kind === "RUN" ? runScript(run.command) : undefined;
  };
  assert.deepEqual(script("RUN <<E\na\nb\nE"), { kind: "shell", text: "a\nb\n" });
  assert.deepEqual(script("RUN <<-E\n\ta\n\tE"), { kind: "shell", text: "a\n" });
  assert.deepEqual(script("RUN <<E\n#!/bin/awk\nx\nE"), {
    kind: "file",
    path: "/dev/pipes/E",
    content: "#!/bin/awk\nx\n",
  });
  assert.deepEqual(script("RUN cat <<-E <<F\n\ta\n\tE\nb\nF"), {
    kind: "shell",
    text: "cat <<-E <<F\n\ta\nE\nb\nF",
  });
  assert.deepEqual(script('RUN ["a"]'), { kind: "exec", args: ["a"] });
});

test("progress shows how a script begins", () => {
  const shown = (text: string) => {
    const run = parseDockerfile(`FROM scratch\n${text}`, "Dockerfile").stages[0]?.instructions[0];
    return run?.kind === "RUN" ? summary(run.command) : undefined;
  };
  assert.equal(shown("RUN <<E\n\na\nb\nE"), " (a...)");
  assert.equal(shown("RUN <<E\na\nE"), " (a)");
  assert.equal(shown("RUN cat <<E\na\nE"), "");
  assert.equal(shown("RUN a"), "");
});
