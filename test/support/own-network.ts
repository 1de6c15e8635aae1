import { basename } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { succeed } from "./process.ts";
import { patience, requires } from "./requires.ts";

const inside = "SAMPAN_TEST_OWN_NETWORK";

/**
 * The tests of this file run in a process of their own, in a network namespace of its own: what they set there by /proc/sys,
 * and every link and rule, is gone with it. `body` declares them; it is called there only.
 */
export function inOwnNetwork(url: string, body: () => void): void {
  if (process.env[inside] === "1") {
    body();
    return;
  }
  const file = fileURLToPath(url);
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  test(`${basename(file)}, in a network of its own`, requires("unshare", "nsenter", "ip", "nft", "cc"), async () => {
    const keepCgroups =
      "mount --rbind /sys/fs/cgroup /mnt; mount -t sysfs sysfs /sys; mount --move /mnt /sys/fs/cgroup";
    const setup = `${keepCgroups}; ip link set lo up; exec "$@"`;
    const node = [process.execPath, "--test-reporter=spec", file];
    await succeed("unshare", ["--net", "--mount", "--propagation", "private", "sh", "-ec", setup, "sh", ...node], {
      env: { ...env, [inside]: "1" },
      timeout: 120_000 * patience,
    });
  });
}
