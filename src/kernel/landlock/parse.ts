import { posix } from "node:path";
import { SampanError } from "../../errors/index.ts";
import type { AllowedPath, LandlockPolicy } from "./policy.ts";
import { type FileRight, fileRightGroups, fileRights, type Scope, scopes, type TcpRight, tcpRights } from "./rights.ts";

/** A word of a policy with what stands behind it, in either notation. */
type Entry = readonly [word: string, values: unknown];

const bestEffort = "best-effort";

/**
 * Reads a policy: JSON, `{"write": ["/tmp", "/data"], "connect": [443], "scope": ["signal"], "best-effort": true}`, or the
 * same as `write=/tmp:/data,connect=443,scope=signal,best-effort`. Throws `invalid` with the word that is wrong.
 */
export function parseLandlockPolicy(text: string): LandlockPolicy {
  return policyOf(text.trimStart().startsWith("{") ? entriesOfJson(text) : entriesOfText(text));
}

function entriesOfJson(text: string): Entry[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new SampanError("invalid", `Cannot read the Landlock policy: ${(error as Error).message}`, { cause: error });
  }
  return Object.entries(value as object);
}

function entriesOfText(text: string): Entry[] {
  return text.split(",").map((part) => {
    const [, word = part, values] = /^([^=]*)=(.*)$/s.exec(part) ?? [];
    if (word === bestEffort && values === undefined) return [word, true];
    if (values === undefined) throw invalid(part, "it is WORD=VALUE[:VALUE…], or best-effort");
    return [word, values === "" ? [] : values.split(":")];
  });
}

function policyOf(entries: readonly Entry[]): LandlockPolicy {
  const files = new Map<FileRight, readonly AllowedPath[]>();
  const tcp = new Map<TcpRight, readonly number[]>();
  let scope: readonly Scope[] = [];
  let doesWithout = false;
  const words = new Set<string>();
  for (const [word, values] of entries) {
    if (words.has(word)) throw invalid(word, "it is there twice");
    words.add(word);
    if (isWordOf(tcpRights, word)) tcp.set(word, list(word, values).map(portOf(word)));
    else if (word === "scope") scope = list(word, values).map(scopeOf);
    else if (word === bestEffort) doesWithout = flagOf(values);
    else for (const right of rightsOf(word)) addPaths(files, right, list(word, values).map(pathOf(word)));
  }
  if (files.size + tcp.size + scope.length === 0) {
    throw new SampanError("invalid", `Cannot use a Landlock policy that restricts nothing: name one of ${allWords()}`);
  }
  return { files, tcp, scope, bestEffort: doesWithout };
}

function isWordOf<T extends object>(table: T, word: string): word is Extract<keyof T, string> {
  return Object.hasOwn(table, word);
}

function rightsOf(word: string): readonly FileRight[] {
  if (isWordOf(fileRights, word)) return [word];
  if (isWordOf(fileRightGroups, word)) return fileRightGroups[word];
  throw invalid(word, `it is none of ${allWords()}`);
}

function allWords(): string {
  const words = [...Object.keys(fileRightGroups), ...Object.keys(fileRights), ...Object.keys(tcpRights)];
  return `${words.join(", ")}, scope`;
}

/** A group and one of its rights may both be named: their paths add up. */
function addPaths(
  files: Map<FileRight, readonly AllowedPath[]>,
  right: FileRight,
  paths: readonly AllowedPath[],
): void {
  files.set(right, [...(files.get(right) ?? []), ...paths]);
}

function list(word: string, values: unknown): readonly unknown[] {
  if (Array.isArray(values)) return values;
  throw invalid(word, "it takes a list");
}

function pathOf(word: string): (value: unknown) => AllowedPath {
  return (value) => {
    if (typeof value !== "string" || !/^-?\/[^\0]*$/.test(value)) {
      throw invalid(word, `${JSON.stringify(value)} is no absolute path ("-/path" is one that may be missing)`);
    }
    const optional = value.startsWith("-");
    const path = posix.normalize(optional ? value.slice(1) : value);
    return { path: path.length > 1 ? path.replace(/\/$/, "") : path, optional };
  };
}

/** Port 0 stands for the ports that the kernel chooses (landlock(7)). */
function portOf(word: string): (value: unknown) => number {
  return (value) => {
    const port = typeof value === "string" && /^\d{1,5}$/.test(value) ? Number(value) : value;
    if (typeof port === "number" && Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
    throw invalid(word, `${JSON.stringify(value)} is no port: 0 to 65535`);
  };
}

function scopeOf(value: unknown): Scope {
  if (typeof value === "string" && isWordOf(scopes, value)) return value;
  throw invalid("scope", `${JSON.stringify(value)} is none of ${Object.keys(scopes).join(", ")}`);
}

function flagOf(value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw invalid(bestEffort, `it is true or false, and not ${JSON.stringify(value)}`);
}

function invalid(word: string, why: string): SampanError {
  return new SampanError("invalid", `Cannot read ${JSON.stringify(word)} of the Landlock policy: ${why}`);
}
