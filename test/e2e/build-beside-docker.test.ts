import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, suite, test } from "node:test";
import { builds, contextOf } from "../suites/dockerfile/builds.ts";
import { type Picture, picture } from "../suites/dockerfile/picture.ts";
import { busybox } from "../support/images.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

/** What Docker 28.5 with BuildKit made of the same contexts: see test/suites/dockerfile/record-builds.ts. */
const golden = JSON.parse(
  readFileSync(new URL("../suites/dockerfile/builds.golden.json", import.meta.url), "utf8"),
) as Readonly<Record<string, Picture>>;

const box = sandbox({ start: true });

suite("images of the same Dockerfiles are Docker's", requires("busybox"), async () => {
  before(async () => box.load(await busybox(), "busybox:latest"));

  for (const build of await builds()) {
    test(build.name, async () => {
      const name = build.keep ?? "built";
      const args = ["build", "-t", name, ...(build.args ?? []), "-"];
      const { status, stderr } = await box.run(args, { input: await contextOf(build) });
      assert.equal(status, 0, stderr);
      const { bytes } = await box.run(["save", name]);
      assert.deepEqual(picture(bytes), golden[build.name]);
    });
  }
});
