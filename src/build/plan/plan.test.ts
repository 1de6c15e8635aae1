import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDockerfile } from "../dockerfile/index.ts";
import { imageKey, type PlanOptions, planBuild } from "./plan.ts";
import type { BaseImage, Plan, PlannedResult } from "./types.ts";

const linux = { os: "linux", architecture: "amd64" };
const debian: BaseImage = {
  ...{ reference: "debian", platform: linux, author: undefined, history: [{ created_by: "base" }] },
  config: { Env: ["PATH=/bin"], Cmd: ["bash"], OnBuild: ["RUN echo trigger"] },
};
const images = new Map([[imageKey({ reference: "debian", platform: linux }), debian]]);

function planned(lines: readonly string[], options: Partial<PlanOptions> = {}) {
  return planBuild(parseDockerfile(lines.join("\n"), "Dockerfile"), {
    ...{
      buildArgs: new Map(),
      target: undefined,
      buildPlatform: linux,
      targetPlatforms: [linux],
      contexts: {},
      images,
    },
    ...options,
  });
}

function plan(lines: readonly string[], options: Partial<PlanOptions> = {}): Plan & PlannedResult {
  const result = planned(lines, options);
  assert.ok("plan" in result, JSON.stringify(result));
  const [first] = result.plan.results;
  assert.ok(first);
  return { ...result.plan, ...first };
}

test("base images that are not known are asked for, all that can be told at once", () => {
  const result = planned(["FROM one AS a", "FROM two", "COPY --from=a / /", "COPY --from=three / /"]);
  assert.deepEqual("needs" in result && result.needs.map(({ reference }) => reference), ["two", "one"]);
});

test("only the stages that the target needs are in the graph", () => {
  const lines = [
    "FROM scratch AS a",
    "COPY x /",
    "FROM scratch AS never",
    "RUN false",
    "FROM scratch",
    "COPY --from=a / /",
  ];
  assert.deepEqual(
    plan(lines).vertices.map(({ kind }) => kind),
    ["scratch", "context", "copy", "copy"],
  );
  assert.deepEqual(
    plan(lines, { target: "never" }).steps.map(({ name }) => name),
    ["[never 1/2] FROM scratch AS never", "[never 2/2] RUN false"],
  );
});

test("triggers of the base image come first and are not inherited", () => {
  const { vertices, config, history } = plan(["FROM debian", "RUN mine"]);
  const commands = vertices.flatMap((vertex) => (vertex.kind === "run" ? [vertex.argv.at(-1)] : []));
  assert.deepEqual(commands, ["echo trigger", "mine"]);
  assert.deepEqual(config, { Env: ["PATH=/bin"], Cmd: ["bash"] });
  assert.deepEqual(
    history.map(({ created_by }) => created_by),
    ["base", "RUN /bin/sh -c echo trigger # buildkit", "RUN /bin/sh -c mine # buildkit"],
  );
});

test("configuration changes no vertex that does not see it", () => {
  const before = plan(["FROM scratch", "LABEL a=b", "CMD x", "COPY f /"]);
  const after = plan(["FROM scratch", "LABEL a=c", "EXPOSE 80", "COPY f /"]);
  assert.deepEqual(before.vertices, after.vertices);
  const env = (value: string) => plan(["FROM scratch", `ENV A=${value}`, 'RUN ["x"]']).vertices;
  assert.notDeepEqual(env("1"), env("2"));
});

test("build arguments: seen after their ARG, proxies without one and not in the key", () => {
  const buildArgs = new Map([
    ["A", "1"],
    ["http_proxy", "http://p"],
  ]);
  const { vertices, history } = plan(["FROM scratch", 'RUN ["before"]', "ARG A", 'RUN ["after"]'], { buildArgs });
  const runs = vertices.filter((vertex) => vertex.kind === "run");
  assert.deepEqual(
    runs.map(({ env }) => env.some((text) => text === "A=1")),
    [false, true],
  );
  assert.ok(
    runs.every(({ env, hiddenEnv }) => hiddenEnv.includes("http_proxy=http://p") && !env.join().includes("proxy")),
  );
  assert.equal(history.at(-1)?.created_by, "RUN |1 A=1 after # buildkit");
});

test("an ENTRYPOINT drops the base's command, but not one of its own stage", () => {
  assert.deepEqual(plan(["FROM debian", 'ENTRYPOINT ["e"]']).config.Cmd, undefined);
  assert.deepEqual(plan(["FROM debian", 'CMD ["c"]', 'ENTRYPOINT ["e"]']).config.Cmd, ["c"]);
});

test("a stage continues another with all its variables; names are found whatever their case", () => {
  const { vertices } = plan(["FROM scratch AS Base", "ARG X=1", "ENV Y=2", "FROM base", "COPY f /$X$Y"]);
  const copy = vertices.find((vertex) => vertex.kind === "copy");
  assert.equal(copy?.kind === "copy" && copy.destination, "/12");
});

test("several platforms are in one graph: what does not depend on the target is there once", () => {
  const arm64 = { os: "linux", architecture: "arm64" };
  const lines = [
    "FROM --platform=$BUILDPLATFORM debian AS build",
    "RUN common",
    "ARG TARGETARCH",
    "RUN for $TARGETARCH",
    "FROM scratch",
    "COPY --from=build /$TARGETARCH /",
  ];
  const result = planned([...lines.slice(0, 5), "ARG TARGETARCH", ...lines.slice(5)], {
    targetPlatforms: [linux, arm64],
  });
  assert.ok("plan" in result);
  const { vertices, steps, results } = result.plan;
  const runs = vertices.filter((vertex) => vertex.kind === "run");
  // The trigger of the base, the common one, and one for each.
  assert.equal(runs.length, 4);
  assert.ok(runs.every(({ platform }) => platform === linux));
  assert.deepEqual(
    results.map(({ target, platform }) => [target, platform]),
    [linux, arm64].map((one) => [one, one]),
  );
  const names = steps.filter(({ vertex }) => vertex !== undefined).map(({ name }) => name);
  assert.equal(names.filter((name) => name.endsWith("RUN common")).length, 1);
  assert.ok(names.includes("[linux/amd64->arm64 build 4/4] RUN for $TARGETARCH"), names.join("\n"));
  assert.ok(names.includes("[linux/arm64 stage-1 2/2] COPY --from=build /$TARGETARCH /"), names.join("\n"));
});

test("what cannot be planned says why", () => {
  const message = (lines: readonly string[], options: Partial<PlanOptions> = {}) => {
    try {
      planned(lines, options);
    } catch (error) {
      return error instanceof Error ? error.message : "";
    }
    return "";
  };
  assert.match(message(["FROM scratch"], { target: "x" }), /target stage "x" could not be found/);
  assert.match(message(["FROM scratch AS a", "COPY --from=a / /"]), /it is the stage itself/);
  assert.match(message(["FROM scratch", "COPY --from=7 / /"]), /there is no such stage/);
  for (const mount of ["target=/", "source=x", "type=cache,target=//", "type=tmpfs,target=../.."])
    assert.match(message(["FROM scratch", `RUN --mount=${mount} ["x"]`]), /:2:13: invalid mount target "\/"/, mount);
  assert.equal(message(["FROM scratch", "WORKDIR /w", 'RUN --mount=source=x ["x"]']), "");
});
