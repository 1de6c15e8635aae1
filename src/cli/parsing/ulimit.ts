import type { Ulimit } from "../../api/shapes/container.ts";
import { invalid } from "../errors.ts";

/** Names of getrlimit(2) without RLIMIT_, as docker spells them. */
const names = new Set(
  "as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack".split(" "),
);

/** `nofile=1024:2048`; one number is both soft and hard; -1 is unlimited. */
export function parseUlimit(text: string): Ulimit {
  const match = /^([^=]+)=([^:]+)(?::([^:]+))?$/.exec(text);
  if (match === null) throw invalid(`invalid ulimit argument: ${text}`);
  const [, name = "", softText = "", hardText = softText] = match;
  if (!names.has(name)) throw invalid(`invalid ulimit type: ${name}`);
  const [soft, hard] = [softText, hardText].map((part) => {
    if (!/^(-1|\d+)$/.test(part)) throw invalid(`invalid ulimit value: ${part} is not a whole number`);
    return Number(part);
  }) as [number, number];
  if (hard !== -1 && (soft === -1 || soft > hard)) {
    throw invalid(`ulimit soft limit must be less than or equal to hard limit: ${softText} > ${hardText}`);
  }
  return { Name: name, Soft: soft, Hard: hard };
}
