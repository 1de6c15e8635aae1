import assert from "node:assert/strict";
import { test } from "node:test";
import { type BuildVariables, expandPairs, globalScope, parseDockerfile, proxyVariables, StageScope } from "./index.ts";

const platform = { os: "linux", architecture: "amd64" };

function build(args: Readonly<Record<string, string>> = {}): BuildVariables {
  return {
    buildArgs: new Map(Object.entries(args)),
    buildPlatform: platform,
    targetPlatform: { os: "linux", architecture: "arm", variant: "v7" },
    target: "default",
  };
}

/** The scope after the last instruction of every stage; `FROM scratch` begins empty, `FROM n` continues stage n. */
function scopes(text: string, args: Readonly<Record<string, string>> = {}): StageScope[] {
  const dockerfile = parseDockerfile(text, "Dockerfile");
  const variables = build(args);
  const globals = globalScope(dockerfile, variables);
  const done: StageScope[] = [];
  for (const { from, instructions } of dockerfile.stages) {
    const scope = new StageScope(
      globals,
      variables.buildArgs,
      done[Number(from.base.raw)] ?? new Map([["PATH", "/bin"]]),
    );
    for (const instruction of instructions) {
      if (instruction.kind === "ARG") scope.arg(instruction);
      if (instruction.kind === "ENV") scope.env(instruction);
    }
    done.push(scope);
  }
  return done;
}

test("FROM lines see platforms and the ARGs above them", () => {
  const dockerfile = parseDockerfile("ARG A=1\nARG B=$A-$TARGETVARIANT C\nFROM scratch", "Dockerfile");
  const globals = globalScope(dockerfile, build());
  assert.equal(globals.lookup("B"), "1-v7");
  assert.equal(globals.lookup("C"), undefined);
  assert.equal(globals.lookup("TARGETPLATFORM"), "linux/arm/v7");
  assert.equal(globals.lookup("BUILDPLATFORM"), "linux/amd64");
  assert.equal(globalScope(dockerfile, build({ A: "2" })).lookup("B"), "2-v7");
  assert.equal(globalScope(dockerfile, build({ TARGETARCH: "x" })).lookup("TARGETARCH"), "x");
});

test("a stage sees an ARG only after it has declared it", () => {
  const [before, after, own] = scopes(
    "ARG A=1\nFROM scratch\nFROM scratch\nARG A\nARG TARGETOS\nFROM scratch\nARG A=own",
  );
  assert.equal(before?.lookup("A"), undefined);
  assert.equal(after?.lookup("A"), "1");
  assert.equal(after?.lookup("TARGETOS"), "linux");
  assert.equal(own?.lookup("A"), "own");
});

test("--build-arg overrules defaults, and counts for nothing undeclared", () => {
  const [scope] = scopes("FROM scratch\nARG A=1\nARG B", { A: "2", C: "3" });
  assert.deepEqual(
    [...(scope?.arguments ?? [])],
    [
      ["A", "2"],
      ["B", ""],
    ],
  );
  assert.equal(scope?.lookup("C"), undefined);
  assert.equal(scope?.lookup("B"), undefined);
});

test("all variables of an ENV see those from before it", () => {
  const [scope] = scopes("FROM scratch\nENV a=1\nENV a=2 b=$a PATH=$PATH:/x");
  assert.equal(scope?.lookup("b"), "1");
  assert.equal(scope?.lookup("PATH"), "/bin:/x");
});

test("an ENV overrules the ARG before it; only ENV goes into the image", () => {
  const [scope] = scopes("FROM scratch\nARG A=arg\nARG B=b\nENV A=env");
  assert.equal(scope?.lookup("A"), "env");
  assert.deepEqual([...(scope?.environment.keys() ?? [])], ["PATH", "A"]);
  assert.deepEqual(
    [...(scope?.arguments ?? [])],
    [
      ["A", "env"],
      ["B", "b"],
    ],
  );
});

test("a stage that continues another has its variables and arguments", () => {
  const [, child] = scopes("FROM scratch\nARG A=1\nENV B=$A\nFROM 0\nENV C=$A$B");
  assert.equal(child?.lookup("C"), "11");
});

test("proxies need no declaration", () => {
  const proxies = proxyVariables(
    new Map([
      ["HTTP_PROXY", "http://p"],
      ["no_proxy", "x"],
      ["other", "y"],
    ]),
  );
  assert.deepEqual(Object.fromEntries(proxies), {
    HTTP_PROXY: "http://p",
    http_proxy: "http://p",
    NO_PROXY: "x",
    no_proxy: "x",
  });
});

test("names and values of labels are expanded", () => {
  const label = parseDockerfile("FROM scratch\nLABEL \"a $x\"=$x b='$x'", "Dockerfile").stages[0]?.instructions[0];
  const [scope] = scopes("FROM scratch\nENV x=1");
  const pairs = label?.kind === "LABEL" && scope !== undefined ? expandPairs(label.pairs, scope) : [];
  assert.deepEqual(pairs, [
    ["a 1", "1"],
    ["b", "$x"],
  ]);
});
