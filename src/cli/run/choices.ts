import { invalid } from "../errors.ts";

export type PullPolicy = "always" | "missing" | "never";

export function parsePullPolicy(text: string): PullPolicy {
  if (text === "always" || text === "missing" || text === "never") return text;
  throw invalid(`invalid pull option: '${text}': must be one of "always", "missing" or "never"`);
}

export type AttachedStream = "stdin" | "stdout" | "stderr";

export function parseAttach(text: string): AttachedStream {
  const stream = text.toLowerCase();
  if (stream === "stdin" || stream === "stdout" || stream === "stderr") return stream;
  throw invalid("valid streams are STDIN, STDOUT and STDERR");
}
