import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { busybox } from "../support/images.ts";
import { sandbox } from "../support/sandbox.ts";

describe("containers with users of their own", () => {
  const box = sandbox({ start: true });

  before(async () => {
    await box.load(await busybox(), "busybox");
  });

  const run = (...args: string[]) => box.ok("run", "--network", "none", ...args);

  test("its root is nobody on the machine, and has its own files", async () => {
    const script = "id -u; tr -s ' ' < /proc/self/uid_map; touch /new; stat -c '%u %g' /new /etc /dev/null /dev";
    const text = await run("--rm", "--userns=auto", "busybox", "sh", "-c", script);
    assert.match(text, /^0\n 0 (\d+) 65536\n0 0\n0 0\n0 0\n0 0$/);
  });
});
