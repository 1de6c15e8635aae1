import type { ErrorKind } from "../../errors/index.ts";
import type { Lint } from "../dockerfile/place.ts";

/**
 * What happens in a build, as `POST /build?progress=events` tells it: one JSON object a line. Times are milliseconds
 * since 1970, with fractions.
 */
export type BuildEvent = StepEvent | LogEvent | StatusEvent | LintEvent | ResultEvent | OutputEvent | ErrorEvent;

/** One step, as a user sees it: `[build 2/4] RUN make`. Sent whole whenever something about it changed; the last one counts. */
export interface StepEvent {
  readonly type: "step";
  readonly id: string;
  readonly name: string;
  /** Absent: it waits for something. */
  readonly started?: number;
  readonly completed?: number;
  readonly cached?: boolean;
  /** It failed, or was given up because another failed ("cancelled"). */
  readonly error?: string;
}

/** Output of a step, as it came: not cut at lines. */
export interface LogEvent {
  readonly type: "log";
  readonly step: string;
  readonly stream: "stdout" | "stderr";
  readonly data: string;
}

/** Something within a step that takes long: a layer, a download, an export. Bytes; without `total` its end is not known. */
export interface StatusEvent {
  readonly type: "status";
  readonly step: string;
  readonly id: string;
  readonly current?: number;
  readonly total?: number;
  readonly started: number;
  readonly completed?: number;
}

/** A lint; `source` is the excerpt with its caret. */
export interface LintEvent {
  readonly type: "lint";
  readonly lint: Lint;
  readonly file: string;
  readonly source: string;
}

/** It worked. Nothing but an output follows. */
export interface ResultEvent {
  readonly type: "result";
  /** The image's id; absent when nothing was stored (`--check`, `--output`). */
  readonly id?: string;
  /** The manifest's digest. */
  readonly digest?: string;
  readonly tags?: readonly string[];
  /** What `--metadata-file` gets besides. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** The rest of the response, after this line, is a tar stream: a file tree (`tar`) or an archive of the image. */
export interface OutputEvent {
  readonly type: "output";
  readonly output: "tar" | "oci" | "docker";
}

/** It did not; the last line. `message` may have several lines: a Dockerfile's excerpt. */
export interface ErrorEvent {
  readonly type: "error";
  readonly kind: ErrorKind;
  readonly message: string;
  /** The step that failed. */
  readonly step?: string;
  /** What the failed command exited with. */
  readonly exitCode?: number;
}
