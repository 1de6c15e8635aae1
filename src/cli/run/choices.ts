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

/** `--restart`: only "no" until restart policies are there. */
export function parseRestart(text: string): string {
  if (text === "no" || text === "") return "no";
  throw invalid("restart policies are not in this version of Sampan yet");
}

/** `--log-driver`: the one driver there is. */
export function parseLogDriver(text: string): string {
  if (text === "local") return text;
  throw invalid(`log driver ${JSON.stringify(text)} is not in this version of Sampan yet: use local`);
}

/** `--cgroupns`: a container's own, which is what it gets without the flag. */
export function parseCgroupns(text: string): string {
  if (text === "private" || text === "") return text;
  throw invalid("sharing the machine's cgroup namespace is not in this version of Sampan yet: use private");
}
