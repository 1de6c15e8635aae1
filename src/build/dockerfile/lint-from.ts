import { closest } from "../../errors/suggest.ts";
import { parsePlatform } from "../../images/platform.ts";
import type { Platform } from "../../images/types.ts";
import { parseReference } from "../../registry/reference.ts";
import { expand } from "./expand.ts";
import type { Linter } from "./linter.ts";
import { type BuildVariables, type GlobalScope, globalScope } from "./scope.ts";
import type { Dockerfile, Stage } from "./types.ts";

/** Without any `--build-arg`, base images must still have names. */
export function checkGlobals(dockerfile: Dockerfile, build: BuildVariables, linter: Linter): void {
  const defaults = globalScope(dockerfile, { ...build, buildArgs: new Map() });
  for (const { from } of dockerfile.stages) {
    if (isReference(expand(from.base, defaults).text)) continue;
    const message = `Default value for ARG ${from.base.raw} results in empty or invalid base image name`;
    linter.report("InvalidDefaultArgInFrom", message, { ...from, range: from.base.range });
  }
}

/** The variables and the platform of a `FROM`. */
export function checkFrom({ from }: Stage, globals: GlobalScope, linter: Linter): void {
  const words = from.platform === undefined ? [from.base] : [from.base, from.platform];
  for (const word of words) {
    for (const name of expand(word, globals).unmatched) {
      if (globals.declared.has(name)) continue;
      const near = closest(name, [...globals.declared]);
      const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
      const at = { ...from, range: word.range };
      linter.report("UndefinedArgInFrom", `FROM argument '${name}' is not declared${hint}`, at);
    }
  }
  if (from.platform !== undefined) checkPlatform(from.platform, { from, globals, linter });
}

function checkPlatform(
  word: NonNullable<Stage["from"]["platform"]>,
  { from, globals, linter }: { from: Stage["from"]; globals: GlobalScope; linter: Linter },
): void {
  const at = { ...from, range: word.range };
  const { text, matched, unmatched } = expand(word, globals);
  if (matched.size === 0 && unmatched.size === 0) {
    const platform = platformOf(text);
    if (platform === undefined || namesPlatform(from.name ?? "", platform)) return;
    const message = `FROM --platform flag should not use constant value ${JSON.stringify(text)}`;
    linter.report("FromPlatformFlagConstDisallowed", message, at);
  } else if (matched.size === 1 && unmatched.size === 0 && matched.has("TARGETPLATFORM")) {
    if (text !== globals.lookup("TARGETPLATFORM")) return;
    const message = `Setting platform to predefined ${word.raw} in FROM is redundant as this is the default behavior`;
    linter.report("RedundantTargetPlatform", message, at);
  }
}

/** A stage that is called after its platform is meant to have that one. */
function namesPlatform(name: string, { os, architecture }: Platform): boolean {
  return name.includes(os) || name.includes(architecture);
}

function platformOf(text: string): Platform | undefined {
  try {
    return parsePlatform(text);
  } catch {
    return undefined;
  }
}

function isReference(text: string): boolean {
  try {
    parseReference(text);
    return true;
  } catch {
    return false;
  }
}
