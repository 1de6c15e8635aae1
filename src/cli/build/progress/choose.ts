import type { BuildEvent } from "../../../api/shapes/build.ts";
import type { Context } from "../../context.ts";
import { invalid } from "../../errors.ts";
import { painter } from "../../format/colour.ts";
import { PlainProgress } from "./plain.ts";
import { ScreenProgress } from "./screen.ts";
import type { Step } from "./steps.ts";

/** Whoever shows a build. */
export interface BuildProgress {
  event(event: BuildEvent): void;
  /** What is known of a step. */
  step(id: string): Step | undefined;
  end(): void;
}

const kinds = ["auto", "plain", "tty", "quiet", "rawjson"];

/** `--progress`, else BUILDKIT_PROGRESS; without either, pictures on a terminal and lines elsewhere. All goes to stderr. */
export function chooseProgress(
  { stderr, env }: Pick<Context, "stderr" | "env">,
  { progress, quiet }: { readonly progress: string | undefined; readonly quiet: boolean },
): BuildProgress {
  const asked = progress ?? (env.BUILDKIT_PROGRESS || "auto");
  if (!kinds.includes(asked))
    throw invalid(`invalid progress mode ${asked}: auto, plain, tty, quiet and rawjson are there`);
  if (asked === "tty" && !stderr.isTTY) throw invalid("failed to get console: stderr is no terminal");
  const kind = quiet ? "quiet" : asked;
  if (kind === "rawjson") return raw((text) => stderr.write(text));
  if (kind === "quiet") return new PlainProgress(() => {});
  if (kind === "tty" || (kind === "auto" && stderr.isTTY)) return new ScreenProgress(stderr, painter(stderr, env));
  return new PlainProgress((text) => stderr.write(text));
}

function raw(write: (text: string) => void): BuildProgress {
  return {
    event: (event) => write(`${JSON.stringify(event)}\n`),
    step: () => undefined,
    end: () => {},
  };
}
