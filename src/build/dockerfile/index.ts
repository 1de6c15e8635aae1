/** The Dockerfile language: text → data, and what is done with the data before anything is built. */
export { DockerfileError } from "./error.ts";
export {
  type Expansion,
  expandForDisplay,
  expandHeredoc,
  expandWord,
  expandWords,
} from "./expand.ts";
export { type LintOptions, lint, lintFailure } from "./lint.ts";
export { type Outline, outline, type Target, targets } from "./outline.ts";
export { parseDockerfile, parseOnbuild } from "./parse.ts";
export { resolveMount } from "./resolve-mount.ts";
export { runScript, type Script, summary } from "./run-script.ts";
export {
  type BuildVariables,
  expandPairs,
  type GlobalScope,
  globalScope,
  proxyVariables,
  StageScope,
} from "./scope.ts";
export { excerpt } from "./source.ts";
export type * from "./types.ts";
