import { DockerfileError } from "./error.ts";
import { type Expansion, expandWord } from "./expand.ts";
import { MountProblem, readMount } from "./mount.ts";
import type { MountFlag, RunMount } from "./types.ts";

/** A `--mount` of `RUN` with its variables expanded and Docker's defaults; relative targets stay relative to the workdir. */
export function resolveMount(flag: MountFlag, scope: Expansion): RunMount {
  try {
    return readMount(flag, (word) => expandWord(word, scope));
  } catch (error) {
    if (!(error instanceof MountProblem)) throw error;
    throw new DockerfileError(error.message, scope.source, error.field?.range ?? flag.range);
  }
}
