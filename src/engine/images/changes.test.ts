import assert from "node:assert/strict";
import { test } from "node:test";
import type { ImageDefaults } from "../../images/types.ts";
import { applyChanges } from "./changes.ts";

const cases: readonly (readonly [string, ImageDefaults, ImageDefaults])[] = [
  ['CMD ["a", "b c"]', { Cmd: ["old"] }, { Cmd: ["a", "b c"] }],
  ["CMD echo hi", {}, { Cmd: ["/bin/sh", "-c", "echo hi"] }],
  ["cmd x", { Shell: ["bash", "-ec"] }, { Shell: ["bash", "-ec"], Cmd: ["bash", "-ec", "x"] }],
  ['ENTRYPOINT ["e"]', { Cmd: ["old"] }, { Entrypoint: ["e"], Cmd: undefined }],
  ['CMD ["c"]\nENTRYPOINT ["e"]', {}, { Cmd: ["c"], Entrypoint: ["e"] }],
  ['ENV A=1 B="two words" C=\\$x', { Env: ["A=0", "P=/bin"] }, { Env: ["P=/bin", "A=1", "B=two words", "C=$x"] }],
  ["ENV P $P:/opt and more", { Env: ["P=/bin"] }, { Env: ["P=/bin:/opt and more"] }],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's form
  ["ENV Q=${P:-none} R=${P:+some}", {}, { Env: ["Q=none", "R="] }],
  ["EXPOSE 80 53/udp 9000-9001", {}, { ExposedPorts: { "80/tcp": {}, "53/udp": {}, "9000/tcp": {}, "9001/tcp": {} } }],
  ["LABEL a=b 'c d'=\"e f\"", { Labels: { x: "y" } }, { Labels: { x: "y", a: "b", "c d": "e f" } }],
  ["ONBUILD RUN x", {}, { OnBuild: ["RUN x"] }],
  ["STOPSIGNAL SIGINT", {}, { StopSignal: "SIGINT" }],
  ["USER me:us", {}, { User: "me:us" }],
  ['VOLUME ["/a"]\nVOLUME /b /c', {}, { Volumes: { "/a": {}, "/b": {}, "/c": {} } }],
  ["WORKDIR /a\nWORKDIR b/../c", {}, { WorkingDir: "/a/c" }],
  ["# nothing\n\n", {}, {}],
  ["ENV A=1 \\\n  B=2", {}, { Env: ["A=1", "B=2"] }],
  ["HEALTHCHECK NONE", {}, { Healthcheck: { Test: ["NONE"] } }],
  [
    "HEALTHCHECK --interval=1m30s --retries=2 CMD curl x",
    {},
    { Healthcheck: { Test: ["CMD-SHELL", "curl x"], Interval: 90e9, Retries: 2 } },
  ],
];
for (const [text, before, after] of cases) {
  test(text, () => assert.deepEqual(applyChanges(before, [text]), after));
}

const bad: readonly (readonly [string, RegExp])[] = [
  ["RUN x", /^RUN is not a valid change command$/],
  ["constructor x", /is not a valid change command/],
  ["CMD", /CMD requires at least one argument/],
  ["EXPOSE 99999", /invalid containerPort: 99999/],
  ["ENV A=1 B", /can't find = in "B"/],
  ["STOPSIGNAL NO", /signal/i],
  ["HEALTHCHECK x", /unknown type "x"/],
  ["HEALTHCHECK --interval=1 CMD x", /invalid duration/],
];
for (const [text, message] of bad) {
  test(`${text} is refused`, () => assert.throws(() => applyChanges({}, [text]), { kind: "invalid", message }));
}
