// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Dockerfiles write variables so
import assert from "node:assert/strict";
import { test } from "node:test";
import { lintCases } from "../../../test/suites/dockerfile/lints.ts";
import { PatternMatcher, readIgnoreFile } from "../ignore/index.ts";
import {
  type BuildVariables,
  excerpt,
  type LintOptions,
  lint,
  lintFailure,
  outline,
  parseDockerfile,
  targets,
} from "./index.ts";

const platform = { os: "linux", architecture: "amd64" };
const build: BuildVariables = {
  buildArgs: new Map(),
  buildPlatform: platform,
  targetPlatform: platform,
  target: "default",
};

function lintOf(text: string, ignore?: string) {
  const options: LintOptions = {
    build,
    ignore: ignore === undefined ? undefined : new PatternMatcher(readIgnoreFile(ignore)),
    baseEnvironment: () => new Map([["PATH", "/bin"]]),
  };
  const dockerfile = parseDockerfile(text, "Dockerfile");
  return { dockerfile, lints: lint(dockerfile, options) };
}

for (const { text, lints, ignore } of lintCases) {
  test(`lints of ${JSON.stringify(text)}`, () => {
    const found = lintOf(text, ignore).lints.map(({ rule, message }) => [rule, message]);
    assert.deepEqual(found, lints);
  });
}

test("nothing is said of variables that an unknown base image may have", () => {
  const dockerfile = parseDockerfile("FROM x\nLABEL a=$HOME", "Dockerfile");
  assert.deepEqual(lint(dockerfile, { build, ignore: undefined, baseEnvironment: () => undefined }), []);
});

test("a default that makes no name is a lint", () => {
  const { lints } = lintOf("ARG TAG\nFROM busybox:${TAG}\n");
  assert.deepEqual(
    lints.map(({ rule, message }) => [rule, message]),
    [["InvalidDefaultArgInFrom", "Default value for ARG busybox:${TAG} results in empty or invalid base image name"]],
  );
});

test("lints fail the build when the file says so", () => {
  const failing = lintOf("# check=error=true\nFROM scratch\nCMD a\nMAINTAINER b\n");
  assert.equal(
    lintFailure(failing.dockerfile, failing.lints),
    "lint violation found for rules: MaintainerDeprecated, JSONArgsRecommended",
  );
  const other = lintOf("FROM scratch\nCMD a\n");
  assert.equal(lintFailure(other.dockerfile, other.lints), undefined);
});

test("a lint is shown where it is", () => {
  const { dockerfile, lints } = lintOf("FROM scratch\nLABEL a=b c=$d\n");
  assert.equal(
    lints.map(({ range }) => excerpt(dockerfile.source, range)).join(),
    "  1 | FROM scratch\n  2 | LABEL a=b c=$d\n    |             ^^",
  );
});

test("targets and outlines tell what can be built, and with what", () => {
  const dockerfile = parseDockerfile(
    [
      "# VERSION of what is built",
      "ARG VERSION=1",
      "# tools has compilers",
      "FROM scratch AS tools",
      "RUN --mount=type=ssh --mount=type=secret,id=npm,required a",
      "FROM scratch AS unused",
      "ARG UNUSED",
      "FROM scratch",
      "ARG VERSION",
      "COPY --from=tools a b",
    ].join("\n"),
    "Dockerfile",
  );
  assert.deepEqual(
    targets(dockerfile).map(({ name, description, default: byDefault }) => [name, description, byDefault]),
    [
      ["tools", "has compilers", false],
      ["unused", "", false],
      ["", "", true],
    ],
  );
  assert.deepEqual(outline(dockerfile, build, undefined), {
    name: "",
    description: "",
    args: [{ name: "VERSION", value: "1", description: "of what is built" }],
    secrets: [{ name: "npm", required: true }],
    ssh: [{ name: "default", required: false }],
  });
});
