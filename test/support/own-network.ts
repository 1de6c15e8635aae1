import { basename } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runProgram } from "./process.ts";
import { patience, requires } from "./requires.ts";
import type { Result } from "./result-lines.ts";

const inside = "SAMPAN_TEST_OWN_NETWORK";
const reporter = fileURLToPath(new URL("./result-lines.ts", import.meta.url));

/**
 * The tests of this file run in a process of their own, in a network namespace of its own: what they set there by /proc/sys,
 * and every link and rule, is gone with it. `body` declares them; it is called there only. What becomes of each, skips
 * included, is reported here again.
 */
export function inOwnNetwork(url: string, body: () => void): void {
  if (process.env[inside] === "1") {
    body();
    return;
  }
  const file = fileURLToPath(url);
  test(`${basename(file)}, in a network of its own`, requires("unshare", "nsenter", "ip", "nft", "cc"), (context) =>
    repeat(context, file),
  );
}

async function repeat(context: TestContext, file: string): Promise<void> {
  const keepCgroups = "mount --rbind /sys/fs/cgroup /mnt; mount -t sysfs sysfs /sys; mount --move /mnt /sys/fs/cgroup";
  const setup = `${keepCgroups}; ip link set lo up; exec "$@"`;
  const node = [process.execPath, `--test-reporter=${reporter}`, file];
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const args = ["--net", "--mount", "--propagation", "private", "sh", "-ec", setup, "sh", ...node];
  const { status, stdout, stderr } = await runProgram("unshare", args, {
    env: { ...env, [inside]: "1" },
    timeout: 120_000 * patience,
  });
  const results = stdout
    .split("\n")
    .flatMap((line) => (line.startsWith('{"name"') ? [JSON.parse(line) as Result] : []));
  for (const { name, skip, failure } of results) {
    await context.test(name, skip === undefined ? {} : { skip }, () => {
      if (failure !== undefined) throw new Error(failure);
    });
  }
  const told = results.some(({ failure }) => failure !== undefined);
  if (results.length === 0 || (status !== 0 && !told))
    throw new Error(`${file} ended with ${status}:\n${stdout}${stderr}`);
}
