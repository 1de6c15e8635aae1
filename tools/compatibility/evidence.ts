import { readFileSync } from "node:fs";
import { join } from "node:path";
import { linesOf } from "../../test/support/play.ts";
import { type Command, commandOf } from "./commands.ts";
import { type Said, scan } from "./scan.ts";

/** Who proves what: by "GET /info", "docker run --rm" or "sampan run --rm", the tests that do so. */
export type Evidence = ReadonlyMap<string, readonly Proof[]>;

export interface Proof {
  readonly path: string;
  readonly test: string | undefined;
  /** It is seen how it is refused. */
  readonly refused: boolean;
}

/** Something that a test does: "GET /info", "docker run --rm". */
interface Done {
  readonly key: string;
  readonly refused: boolean;
}

/** Tests of refusals say nothing of what is done when nothing is wrong: by their names. */
const refusals = /^refus|refusals|is refused and|not there yet|malformed|no sense|not troubled|must say|broken off/;

const methods = new Set(["GET", "HEAD", "POST", "PUT", "DELETE"]);

/** What the tests of these files, named relative to the checkout, do with routes and with command lines. */
export function evidenceOf(
  root: string,
  paths: readonly string[],
  routes: readonly string[],
  commands: readonly Command[],
) {
  const found = new Map<string, Proof[]>();
  const templates = routes.map((route) => [route, patternOf(route)] as const);
  for (const path of paths) {
    const text = readFileSync(join(root, path), "utf8");
    // A scripted daemon proves nothing about ours.
    if (text.includes("new ScriptedApi")) continue;
    for (const said of scan(text)) {
      const { test } = said;
      const byName = test !== undefined && refusals.test(test);
      for (const { key, refused } of doneIn(said, { text, templates, commands })) {
        const proofs = found.get(key) ?? [];
        const proof: Proof = { path, test, refused: refused || byName };
        if (!proofs.some((one) => one.path === path && one.test === test && one.refused === proof.refused))
          proofs.push(proof);
        found.set(key, proofs);
      }
    }
  }
  return found;
}

interface Known {
  /** The file's. */
  readonly text: string;
  readonly templates: readonly (readonly [string, RegExp])[];
  readonly commands: readonly Command[];
}

function doneIn(said: Said, { text, templates, commands }: Known): Done[] {
  if (said.callee === "play") return playedIn(said, commands);
  const keys = [...routesIn(said, templates), ...commandsIn(said, text, commands)];
  return keys.map((key) => ({ key, refused: false }));
}

/** See test/support/play.ts. */
function playedIn({ items }: Said, commands: readonly Command[]): Done[] {
  return linesOf(items.at(-1) ?? "").flatMap(({ program, words, fails }) => {
    const programs = program === undefined ? (["docker", "sampan"] as const) : [program];
    return programs.flatMap((name) => keysOf(name, words, commands).map((key) => ({ key, refused: fails })));
  });
}

function patternOf(route: string): RegExp {
  const path = route
    .replace(/[.+?^$()|[\]\\]/g, "\\$&")
    .replace(/\{name\}/g, ".+")
    .replace(/\{\w+\}/g, "[^/]+");
  return new RegExp(`^${path}$`);
}

function routesIn({ items }: Said, templates: readonly (readonly [string, RegExp])[]): string[] {
  return items.flatMap((method, index) => {
    const path = items[index + 1];
    if (method === null || !methods.has(method) || !path?.startsWith("/")) return [];
    const asked = `${method} ${path.replace(/^\/v[\d.]+(?=\/)/, "").replace(/[?].*/, "")}`;
    // "/images/json" is no image that is called so: the first template without a wildcard wins.
    const matching = templates.filter(([, pattern]) => pattern.test(asked)).map(([route]) => route);
    return matching.includes(asked) ? [asked] : matching.slice(0, 1);
  });
}

function commandsIn({ callee, items }: Said, text: string, commands: readonly Command[]): string[] {
  const program = programOf(callee, text);
  if (program === undefined) return [];
  const words = items.slice(items.findIndex((item) => item !== null)).map((item) => item ?? "…");
  return keysOf(program, words, commands);
}

function keysOf(program: string, words: readonly string[], commands: readonly Command[]): string[] {
  const used = commandOf(words, commands);
  if (used === undefined) return [];
  const name = `${program} ${used.command.name}`;
  return [name, ...used.flags.map((flag) => `${name} ${flag}`)];
}

/** Which command line a helper of the tests runs: by what it belongs to. */
function programOf(callee: string, text: string): "docker" | "sampan" | undefined {
  const [, receiver = "", name = ""] = /^(?:(.*)\.)?(\w+)$/.exec(callee) ?? [];
  if (name === "docker") return "docker";
  if (name === "sampan") return "sampan";
  if (!["ok", "fails", "run", "succeeds"].includes(name)) return undefined;
  const made = receiver === "" ? undefined : new RegExp(`\\b${receiver} = (\\w+)\\(`).exec(text)?.[1];
  if (made === "world") return "docker";
  if (made === "sandbox") return "sampan";
  return receiver === "" && text.includes("support/docker.ts") ? "docker" : undefined;
}
