import { named } from "../block.ts";
import { errnoNumber } from "../errno.ts";
import { Program } from "../program.ts";
import type { Results } from "../results.ts";
import type { LandlockSupport } from "./ruleset.ts";

const LANDLOCK_CREATE_RULESET_VERSION = 1;

/** What runs a program that leaves nothing behind: an `Executor`, or a `Worker`. */
interface Runner {
  run(program: Program): Promise<Results>;
}

let known: LandlockSupport | undefined;

/** What this kernel knows of Landlock; asked once. */
export async function landlockSupport(runner: Runner): Promise<LandlockSupport> {
  if (known !== undefined) return known;
  const p = new Program("ask what Landlock can do");
  const version = named(LANDLOCK_CREATE_RULESET_VERSION, "LANDLOCK_CREATE_RULESET_VERSION");
  const answer = p.sys("landlock_create_ruleset", [0, 0, version], {
    note: "ask for the version of Landlock's interface",
    tolerate: ["ENOSYS", "EOPNOTSUPP"],
  });
  known = supportOf((await runner.run(p)).value(answer));
  return known;
}

/** Reads what landlock_create_ruleset(2) has answered: a version, or -errno. */
export function supportOf(answer: number): LandlockSupport {
  if (answer > 0) return { abi: answer };
  if (answer === -errnoNumber("EOPNOTSUPP"))
    return {
      abi: 0,
      lack: "it was not switched on when the machine started; add landlock to lsm= of the kernel's command line",
    };
  return { abi: 0, lack: "this kernel has none; it takes Linux 5.13 with CONFIG_SECURITY_LANDLOCK" };
}
