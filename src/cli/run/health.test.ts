import assert from "node:assert/strict";
import { test } from "node:test";
import { parseArguments } from "../parse.ts";
import { healthcheckOf, healthFlags } from "./health.ts";

function healthcheck(...argv: string[]) {
  const { values } = parseArguments({ options: healthFlags }, argv);
  return healthcheckOf(values as Parameters<typeof healthcheckOf>[0]);
}

test("our own probes are commands", () => {
  assert.deepEqual(healthcheck("--health-tcp", "80"), { Test: ["CMD", "sampan:tcp", "80"] });
  assert.deepEqual(healthcheck("--health-file=/ready", "--health-on-failure=kill"), {
    Test: ["CMD", "sampan:file", "/ready"],
    OnFailure: "kill",
  });
  assert.throws(() => healthcheck("--health-tcp", "80", "--health-cmd", "x"), /only one of/);
  assert.throws(() => healthcheck("--no-healthcheck", "--health-http", "http://localhost/"), /conflicts/);
});

test("what is said is sent, times in nanoseconds", () => {
  assert.equal(healthcheck(), undefined);
  assert.equal(healthcheck("--health-interval", "0"), undefined);
  assert.deepEqual(healthcheck("--no-healthcheck"), { Test: ["NONE"] });
  assert.deepEqual(healthcheck("--health-cmd", "curl -f localhost"), { Test: ["CMD-SHELL", "curl -f localhost"] });
  const times = ["--health-interval=1m30s", "--health-timeout=500ms", "--health-start-period=1s"];
  assert.deepEqual(healthcheck(...times, "--health-start-interval=2s", "--health-retries=3"), {
    Interval: 90e9,
    Timeout: 5e8,
    StartPeriod: 1e9,
    StartInterval: 2e9,
    Retries: 3,
  });
});

test("what makes no sense is refused", () => {
  assert.throws(() => healthcheck("--no-healthcheck", "--health-cmd=true"), /conflicts with --health-\* options/);
  assert.throws(() => healthcheck("--health-start-period=-1s"), /--health-start-period cannot be negative/);
  assert.throws(() => healthcheck("--health-retries=-1"), /--health-retries cannot be negative/);
  assert.throws(() => healthcheck("--health-interval=5"), /time: missing unit in duration "5"/);
  assert.throws(() => healthcheck("--health-interval=soon"), /time: invalid duration "soon"/);
});
