import type { CopyVertex, PlannedHistory } from "./types.ts";

const comment = "buildkit.dockerfile.v0";

/** What the history says of an instruction that made no layer. */
export function metaHistory(created_by: string): PlannedHistory {
  return { created_by, comment, empty_layer: true };
}

/** And of one that did. */
export function layerHistory(created_by: string, vertex: number): PlannedHistory {
  return { created_by, comment, vertex };
}

/** RUN as BuildKit writes it: with the build arguments it saw. */
export function runText(argv: readonly string[], args: readonly (readonly [string, string])[]): string {
  const given = args.map(([key, value]) => `${key}=${value}`);
  const prefix = given.length > 0 ? [`|${given.length}`, ...given] : [];
  return `RUN ${[...prefix, ...argv].join(" ")} # buildkit`;
}

/** COPY and ADD with sources and destination as written, variables expanded; of the flags those that BuildKit tells. */
export function copyText(
  kind: "COPY" | "ADD",
  written: { readonly sources: readonly string[]; readonly destination: string },
  { chown, chmod, parents }: Pick<CopyVertex, "chown" | "chmod" | "parents">,
): string {
  const flags = [
    ...(parents ? ["--parents"] : []),
    ...(chown === undefined ? [] : [`--chown=${chown}`]),
    ...(chmod === undefined ? [] : [`--chmod=${chmod}`]),
  ];
  return [kind, ...flags, ...written.sources, written.destination, "# buildkit"].join(" ");
}
