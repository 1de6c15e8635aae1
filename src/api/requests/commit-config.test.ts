import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCommitConfig } from "./commit-config.ts";

test("everything that an image keeps of a config is taken, nothing else", () => {
  const kept = {
    ...{ User: "1", Env: ["A=b"], Cmd: ["c"], Entrypoint: ["e"], WorkingDir: "/w", Labels: { l: "1" } },
    ...{ ExposedPorts: { "80/tcp": {} }, Volumes: { "/v": {} }, OnBuild: ["RUN x"], Shell: ["sh"] },
    ...{ StopSignal: "SIGINT", StopTimeout: 3, Healthcheck: { Test: ["CMD", "true"], Interval: 1_000_000_000 } },
  };
  assert.deepEqual(parseCommitConfig({ ...kept, Hostname: "h", Tty: true, MacAddress: "" }), kept);
  assert.deepEqual(parseCommitConfig({ Cmd: "one text", User: null }), { Cmd: ["one text"] });
  assert.equal(parseCommitConfig(undefined), undefined);
  assert.throws(() => parseCommitConfig({ Env: "A=b" }), { kind: "invalid" });
});
