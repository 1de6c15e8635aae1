import { readFileSync } from "node:fs";
import { SampanError } from "../../errors/index.ts";
import type { IdMappings, IdRange } from "../../runtime/user-namespace.ts";
import type { Layout } from "../../storage/layout.ts";
import type { Container } from "../container/live.ts";
import type { Registry } from "../records/registry.ts";
import { refuseUnable } from "./able.ts";
import { type UsersMode, usualSize } from "./mode.ts";
import { findFree, mapAround, type Span, without } from "./ranges.ts";
import { mappingsOf, type Remap } from "./remap.ts";
import { readSubordinate } from "./subordinate.ts";

/** A container's own users, as its record keeps them. */
export interface RecordedUsers extends IdMappings {
  /** Whose they are: the id of the container whose user namespace is joined. */
  readonly container?: string;
  /** Only who joins them has them as well; else they are what many may have. */
  readonly apart?: true;
}

/** Whose ids in /etc/subuid and /etc/subgid are given to containers. */
const owner = "sampan";

/** Without a line for `sampan`: as high as ids go, where hardly anybody looks. The last, -1, is nobody. */
const usualPool: Span = { start: 2 ** 31, size: 2 ** 31 - usualSize };

type Kind = "users" | "groups";

/**
 * The ids of the machine that containers have as theirs. Who has which stands in the containers' records and nowhere else: a
 * container that is removed has given its ids back.
 */
export class UserIds {
  readonly #registry: Registry;
  readonly #remap: Remap | undefined;
  /** Where other roots' daemons, which know nothing of ours, are unlikely to begin. */
  readonly #offset: number;
  /** Of containers that are being made. */
  readonly #reserved = new Set<RecordedUsers>();

  constructor(registry: Registry, { suffix }: Pick<Layout, "suffix">, remap: Remap | undefined) {
    this.#registry = registry;
    this.#remap = remap;
    const blocks = usualPool.size / usualSize;
    this.#offset = suffix === "" ? 0 : (Number.parseInt(suffix.slice(1), 16) % blocks) * usualSize;
    if (remap !== undefined) refuseUnable(this.#usual());
  }

  /** Whether containers have users of their own unless they ask for the machine's. */
  get remaps(): boolean {
    return this.#remap !== undefined;
  }

  /**
   * The users of a container that is being made, its own until the answer is disposed of; by then they stand in its record.
   * `joined` is the container whose namespaces it uses.
   */
  take(mode: UsersMode, joined: Container | undefined): Disposable & { readonly users: RecordedUsers | undefined } {
    const users = this.#decide(mode, joined);
    if (mode.kind !== "auto" || users === undefined) return { users, [Symbol.dispose]: () => {} };
    this.#reserved.add(users);
    return { users, [Symbol.dispose]: () => void this.#reserved.delete(users) };
  }

  #decide(mode: UsersMode, joined: Container | undefined): RecordedUsers | undefined {
    switch (mode.kind) {
      case "host":
        return undefined;
      case "usual":
        if (this.#remap === undefined) return undefined;
        return joined === undefined ? this.#usual() : usersOfOther(joined);
      case "keep-id":
        return { users: ownIds("uid_map"), groups: ownIds("gid_map") };
      case "container":
        return usersOfOther(this.#registry.get(mode.reference));
      case "auto": {
        const { size, users, groups } = mode;
        return {
          users: this.#allot("users", size, users),
          groups: this.#allot("groups", size, groups),
          apart: true,
        };
      }
    }
  }

  /** What a container has that asks for nothing; the machine's when undefined. */
  get usual(): RecordedUsers | undefined {
    return this.#remap && this.#usual();
  }

  /** Ids that all containers of this daemon share. */
  #usual(): IdMappings {
    if (this.#remap !== "default" && this.#remap !== undefined) return mappingsOf(this.#remap);
    return {
      users: this.#allot("users", usualSize, [], "usual"),
      groups: this.#allot("groups", usualSize, [], "usual"),
    };
  }

  #allot(kind: Kind, size: number, elsewhere: readonly IdRange[], asked: "own" | "usual" = "own"): IdRange[] {
    const pool = poolOf(kind);
    const forced = elsewhere.map(({ host, size: count }) => ({ start: host, size: count }));
    const usual = this.#remap !== undefined && asked === "own" ? this.#usual()[kind] : [];
    const shared = usual.map(({ host, size: count }) => ({ start: host, size: count }));
    const first = findFree(
      pool,
      [...this.#used(kind), ...forced, ...shared],
      size,
      (pool[0]?.start ?? 0) + this.#offset,
    );
    if (first !== undefined) return mapAround(first, size, elsewhere);
    const file = kind === "users" ? "subuid" : "subgid";
    const remedy = `remove containers with --userns=auto, or give more to ${owner} in /etc/${file}`;
    throw new SampanError("conflict", `Cannot find ${size} ids in a row for the ${kind} of the container: ${remedy}`);
  }

  /** Ids that a container has for itself: whoever has joined it keeps them when it has been removed. */
  #used(kind: Kind): Span[] {
    const recorded = [...this.#registry.all()].flatMap(({ record: { users } }) => (users?.apart ? [users] : []));
    return [...recorded, ...this.#reserved].flatMap((users) =>
      users[kind].map(({ host, size }) => ({ start: host, size })),
    );
  }
}

function usersOfOther({ id, record: { users } }: Container): RecordedUsers {
  if (users !== undefined) return { ...users, container: id };
  const why = "it has the machine's users, and none of its own: use --userns=host";
  throw new SampanError("invalid", `cannot join the user namespace of container ${id}: ${why}`);
}

/** The ids that containers may have: those of `sampan` in the machine's files, else high ones that these give to nobody. */
function poolOf(kind: Kind): Span[] {
  const all = readSubordinate(kind === "users" ? "subuid" : "subgid");
  const own = all.filter((line) => line.owner === owner);
  const pool = own.length > 0 ? own : without([usualPool], all);
  const ids = ownIds(kind === "users" ? "uid_map" : "gid_map");
  const there = ids.map(({ container, size }) => ({ start: container, size }));
  return without(pool, without([{ start: 0, size: 2 ** 32 }], there));
}

/** Every id that there is where the daemon runs, as itself. */
function ownIds(map: "uid_map" | "gid_map"): IdRange[] {
  const lines = readFileSync(`/proc/self/${map}`, "utf8").trim().split("\n");
  return lines.map((line) => {
    const [container = 0, , size = 0] = line.trim().split(/\s+/).map(Number);
    return { container, host: container, size };
  });
}
