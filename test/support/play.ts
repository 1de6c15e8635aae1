import assert from "node:assert/strict";
import type { World } from "./netns.ts";
import { eventually, type Finished } from "./process.ts";

/** One line of a play: see `play`. */
export interface Line {
  /** The only command line that says it; without one both do. */
  readonly program?: "docker" | "sampan" | undefined;
  readonly fails: boolean;
  /** Said again and again until it succeeds and prints what it has to. */
  readonly waits: boolean;
  readonly words: readonly string[];
  /** What is printed, on either stream, has to match all of them. */
  readonly says: readonly RegExp[];
}

/**
 * Plays command lines twice on a machine, as Docker's command line and as ours; beside dockerd only the former. What a play
 * makes it has to remove. Its lines are
 *
 *     run --rm IMAGE echo 'a b'      has to succeed; one program alone when its name comes first
 *     ! run --no-such-flag IMAGE     has to fail; a run with Docker's code for what did not begin
 *     until exec NAME test -e /x     is said until it succeeds, and prints what is wanted
 *     ~ a b                          a regular expression that matches what the line before has printed
 *     # a remark
 *
 * tools/compatibility.ts reads these lines, too: a line proves its flags, by succeeding or by being refused.
 */
export async function play(net: World, text: string): Promise<void> {
  const lines = linesOf(text);
  const { machine } = net;
  await playAs("docker", lines, (words) => net.docker(words));
  const { run } = machine;
  if (run !== undefined) await playAs("sampan", lines, (words) => run.call(machine, words));
}

async function playAs(
  program: "docker" | "sampan",
  lines: readonly Line[],
  run: (words: readonly string[]) => Promise<Finished>,
): Promise<void> {
  for (const line of lines) {
    if (line.program !== undefined && line.program !== program) continue;
    if (line.waits) {
      await eventually(`${program} ${line.words.join(" ")}`, async () => {
        const { status, stdout, stderr } = await run(line.words);
        return status === 0 && line.says.every((wanted) => wanted.test(`${stdout}${stderr}`));
      });
      continue;
    }
    const { status, stdout, stderr } = await run(line.words);
    const said = `${stdout}${stderr}`;
    const command = `${program} ${line.words.join(" ")}`;
    assert.equal(status !== 0, line.fails, `${command} ended with ${status}: ${said}`);
    if (line.fails && line.words[0] === "run")
      assert.ok(refusedRun(said).includes(status), `${command} ended with ${status}: ${said}`);
    for (const wanted of line.says) assert.match(said, wanted, command);
  }
}

/** How a run that did not begin may end. */
function refusedRun(said: string): number[] {
  // Docker's command line takes every such error for a missing program,
  if (/no such file or directory/.test(said)) return [125, 127];
  // and ends with 1 where it looks no further itself.
  if (/conflicting options|running on windows|the input device is not a TTY/.test(said)) return [125, 1];
  return [125];
}

/** The lines of a play. */
export function linesOf(text: string): Line[] {
  const lines: (Omit<Line, "says"> & { says: RegExp[] })[] = [];
  for (const line of text.split("\n").map((one) => one.trim())) {
    if (line === "" || line.startsWith("#")) continue;
    if (line.startsWith("~ ")) lines.at(-1)?.says.push(new RegExp(line.slice(2), "m"));
    else lines.push({ ...commandOf(line), says: [] });
  }
  return lines;
}

function commandOf(line: string): Omit<Line, "says"> {
  const [, how, program, rest = ""] = /^(! |until )?(?:(docker|sampan) )?(.*)$/.exec(line) ?? [];
  const words = [...rest.matchAll(/'([^']*)'|([^\s']+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? "");
  return { fails: how === "! ", waits: how === "until ", words, program: program as Line["program"] };
}
