/**
 * `npm run test:endurance [WORD…]`: the end-to-end tests of endurance at full length, an hour or so. How long each goes on is
 * in the environment: what is set there is left as it is.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const lengths = {
  /** Kills at random moments. */
  SAMPAN_ENDURANCE_ROUNDS: "200",
  /** Losses of power. */
  SAMPAN_ENDURANCE_POWER: "100",
  /** Containers at once. */
  SAMPAN_ENDURANCE_CROWD: "1000",
  /** Containers started, stopped and removed, one after the other. */
  SAMPAN_ENDURANCE_STARTS: "10000",
  /** Copies of the state database while it is written to. */
  SAMPAN_ENDURANCE_COPIES: "500",
  /** At each so-manieth system call of a load, commit, copy and the like the daemon is killed. */
  SAMPAN_ENDURANCE_STRIDE: "5",
  /** Seconds that a file of tests may take. */
  SAMPAN_TEST_FILE_TIMEOUT: "7200",
};

const words = process.argv.slice(2).map((word) => `e2e/endurance-${word}`);
const files = words.length === 0 ? ["e2e/endurance-"] : words;
const { status } = spawnSync(process.execPath, [join(import.meta.dirname, "run.ts"), "--e2e", ...files], {
  env: { ...lengths, ...process.env },
  stdio: "inherit",
});
process.exitCode = status ?? 1;
