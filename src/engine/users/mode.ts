import { SampanError } from "../../errors/index.ts";
import type { IdRange } from "../../runtime/user-namespace.ts";

/** Whose users a container's are. */
export type UsersMode =
  /** The machine's, whatever the daemon's own setting. */
  | { readonly kind: "host" }
  /** What the daemon gives every container. */
  | { readonly kind: "usual" }
  /** Ids of its own that nobody else on the machine has. */
  | {
      readonly kind: "auto";
      readonly size: number;
      readonly users: readonly IdRange[];
      readonly groups: readonly IdRange[];
    }
  /** Everybody is who they are, with no right on the machine. */
  | { readonly kind: "keep-id" }
  | { readonly kind: "container"; readonly reference: string };

/** Ids of a container that names no number: as many as 16 bits count, which the ids of images hardly ever exceed. */
export const usualSize = 65_536;

const wanted = "use host, auto, keep-id or container:NAME";

/** Reads `HostConfig.UsernsMode`: docker's "" and "host", and podman's others. Throws `invalid`. */
export function parseUsersMode(text: string): UsersMode {
  const [, word = "", rest] = /^([^:]*)(?::(.*))?$/s.exec(text) ?? [];
  if (word === "container" && rest) return { kind: "container", reference: rest };
  if (word === "auto") return parseAuto(rest ?? "");
  if (word === "keep-id" && rest !== undefined) {
    const why = "the daemon runs as root, whose id is kept; choose the process's with --user";
    throw new SampanError("unsupported", `Cannot honour UsernsMode ${text}: ${why}`);
  }
  if (rest === undefined && word === "keep-id") return { kind: "keep-id" };
  if (rest === undefined && word === "host") return { kind: "host" };
  if (text === "") return { kind: "usual" };
  throw new SampanError("invalid", `invalid user namespace mode: ${text}: ${wanted}`);
}

function parseAuto(options: string): UsersMode {
  let size = usualSize;
  const users: IdRange[] = [];
  const groups: IdRange[] = [];
  for (const option of options === "" ? [] : options.split(",")) {
    const [name = "", value = ""] = option.split("=", 2);
    if (name === "size") size = parseSize(value);
    else if (name === "uidmapping") users.push(parseMapping(option, value));
    else if (name === "gidmapping") groups.push(parseMapping(option, value));
    else
      throw new SampanError(
        "invalid",
        `invalid user namespace option: ${option}: use size=, uidmapping= or gidmapping=`,
      );
  }
  refuseOverlap(users);
  refuseOverlap(groups);
  return { kind: "auto", size, users, groups };
}

function parseSize(text: string): number {
  const size = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (size >= 1 && size < 2 ** 31) return size;
  throw new SampanError("invalid", `invalid size of a user namespace: ${JSON.stringify(text)}: wanted a number of ids`);
}

/** `CONTAINER:MACHINE:SIZE`. */
function parseMapping(option: string, text: string): IdRange {
  const [, container, host, size] = /^(\d{1,10}):(\d{1,10}):(\d{1,10})$/.exec(text) ?? [];
  const range = { container: Number(container), host: Number(host), size: Number(size) };
  const largest = 2 ** 32 - 1; // -1 is nobody: user_namespaces(7)
  if (range.size >= 1 && range.container + range.size <= largest && range.host + range.size <= largest) return range;
  throw new SampanError("invalid", `invalid mapping of ids: ${option}: wanted CONTAINER:MACHINE:SIZE`);
}

function refuseOverlap(ranges: readonly IdRange[]): void {
  for (const side of ["container", "host"] as const) {
    const sorted = ranges.toSorted((a, b) => a[side] - b[side]);
    for (const [index, range] of sorted.entries()) {
      const next = sorted[index + 1];
      if (next === undefined || range[side] + range.size <= next[side]) continue;
      throw new SampanError("invalid", `invalid mapping of ids: ${next[side]} is mapped twice`);
    }
  }
}
