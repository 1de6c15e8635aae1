import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { killRounds } from "../support/endurance/kills.ts";
import { parameter } from "../support/endurance/random.ts";
import { busybox, dockerArchive } from "../support/images.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });

suite("kills at random moments", { ...requires("busybox"), ...requiresRoot() }, () => {
  before(async () => {
    const { status, stderr } = await box.run(["load"], { input: await dockerArchive(await busybox(), ["busybox"]) });
    assert.equal(status, 0, stderr);
  });

  test("what was promised is there afterwards, and nothing else", async (context) => {
    const seed = parameter("SAMPAN_ENDURANCE_SEED", Date.now() % 1_000_000);
    const report = await killRounds(box, { rounds: parameter("SAMPAN_ENDURANCE_ROUNDS", 15), seed });
    context.diagnostic(`seed ${seed}: ${JSON.stringify(report)}`);
  });
});
