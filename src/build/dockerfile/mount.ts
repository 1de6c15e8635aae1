import { posix } from "node:path";
import { SampanError } from "../../errors/index.ts";
import { closest } from "../../errors/suggest.ts";
import type { MountField, MountFlag, RunMount, Word } from "./types.ts";

const types = ["bind", "cache", "tmpfs", "secret", "ssh"] as const;
const sharings = ["shared", "private", "locked"] as const;

/** Every name of a key, and the key that it stands for. */
const keys: Readonly<Record<string, string>> = {
  type: "type",
  from: "from",
  source: "source",
  src: "source",
  target: "target",
  dst: "target",
  destination: "target",
  readonly: "readonly",
  ro: "readonly",
  readwrite: "readwrite",
  rw: "readwrite",
  id: "id",
  sharing: "sharing",
  required: "required",
  size: "size",
  mode: "mode",
  uid: "uid",
  gid: "gid",
  env: "env",
};

/** Keys that only some types have. */
const only: Readonly<Record<string, readonly (typeof types)[number][]>> = {
  required: ["secret", "ssh"],
  size: ["tmpfs"],
  mode: ["cache", "secret", "ssh"],
  uid: ["cache", "secret", "ssh"],
  gid: ["cache", "secret", "ssh"],
  sharing: ["cache"],
};

/** Keys that may stand without a value, and then mean true. */
const switches = ["readonly", "readwrite", "required"];

/** A field with what is wrong about it; the caller shows it in the file. */
export class MountProblem extends SampanError {
  readonly field: MountField | undefined;

  constructor(reason: string, field?: MountField) {
    super("invalid", reason);
    this.name = "MountProblem";
    this.field = field;
  }
}

/**
 * What a `--mount` of `RUN` asks for, with Docker's defaults. `expand` is called for every value.
 *
 * @throws {MountProblem} for what BuildKit refuses, too
 */
export function readMount(flag: MountFlag, expand: (word: Word) => string): RunMount {
  const given = new Map<string, { readonly value: string; readonly field: MountField }>();
  for (const field of flag.fields) {
    const key = Object.hasOwn(keys, field.key) ? keys[field.key] : undefined;
    if (key === undefined) throw unknownKey(field);
    if (field.value === undefined && !switches.includes(key)) {
      throw new MountProblem(`invalid field '${field.key}' must be a key=value pair`, field);
    }
    if (key === "from" && field.value !== undefined && /\$./.test(field.value.raw)) {
      throw new MountProblem("'from' doesn't support variable expansion, define alias stage instead", field);
    }
    given.set(key, { value: field.value === undefined ? "true" : expand(field.value), field });
  }
  return new MountReader(given).read();
}

function unknownKey(field: MountField): MountProblem {
  const near = closest(field.key, Object.keys(keys));
  const text = field.value === undefined ? field.key : `${field.key}=${field.value.raw}`;
  return new MountProblem(
    `unexpected key '${field.key}' in '${text}'${near === undefined ? "" : ` (did you mean ${near}?)`}`,
    field,
  );
}

type Given = ReadonlyMap<string, { readonly value: string; readonly field: MountField }>;

class MountReader {
  readonly #given: Given;

  constructor(given: Given) {
    this.#given = given;
  }

  read(): RunMount {
    const type = this.#choice("type", types) ?? "bind";
    for (const [key, { field }] of this.#given) {
      if (only[key]?.includes(type) === false)
        throw new MountProblem(`${key} not allowed for '${type}' type mounts`, field);
    }
    if (type === "bind") return this.#bind();
    if (type === "cache") return this.#cache();
    if (type === "tmpfs") return this.#tmpfs();
    return type === "secret" ? this.#secret() : this.#ssh();
  }

  #bind(): RunMount {
    return {
      type: "bind",
      target: this.#text("target") ?? "",
      source: this.#text("source") ?? "",
      from: this.#text("from"),
      readOnly: this.#readOnly(true),
    };
  }

  #cache(): RunMount {
    const target = this.#text("target") ?? "";
    return {
      type: "cache",
      target,
      id: this.#text("id") ?? posix.normalize(target === "" ? "." : target).replace(/(.)\/$/, "$1"),
      sharing: this.#choice("sharing", sharings) ?? "shared",
      from: this.#text("from"),
      source: this.#text("source") ?? "",
      ...this.#owner(0o755),
      readOnly: this.#readOnly(false),
    };
  }

  #tmpfs(): RunMount {
    return {
      type: "tmpfs",
      target: this.#text("target") ?? "",
      size: this.#size(),
      readOnly: this.#readOnly(false),
    };
  }

  #secret(): RunMount {
    const source = this.#text("source");
    const named = this.#text("id");
    const target = this.#text("target");
    if (this.#text("from") !== undefined) throw this.#problem("secret mount should not have a from", "from");
    if (source !== undefined && named !== undefined) throw this.#problem("both source and id can't be set", "source");
    const id = source ?? named ?? (target === undefined ? undefined : posix.basename(target));
    if (id === undefined) throw new MountProblem("invalid secret mount. one of source, target required");
    const env = this.#given.has("env") ? (this.#text("env") ?? id) : undefined;
    const file = target ?? (env === undefined ? `/run/secrets/${posix.basename(id)}` : undefined);
    return { type: "secret", id, target: file, env, required: this.#truth("required") ?? false, ...this.#owner(0o400) };
  }

  #ssh(): RunMount {
    const id = this.#text("id") ?? "default";
    return {
      type: "ssh",
      id,
      target: this.#text("target"),
      required: this.#truth("required") ?? false,
      ...this.#owner(0o600),
    };
  }

  #owner(mode: number): { readonly mode: number; readonly uid: number; readonly gid: number } {
    return {
      mode: this.#number("mode", 8) ?? mode,
      uid: this.#number("uid", 10) ?? 0,
      gid: this.#number("gid", 10) ?? 0,
    };
  }

  /** Of `ro` and `rw` the one that was written last counts. */
  #readOnly(otherwise: boolean): boolean {
    const last = [...this.#given.keys()].findLast((key) => key === "readonly" || key === "readwrite");
    if (last === undefined) return otherwise;
    const truth = this.#truth(last) ?? true;
    return last === "readonly" ? truth : !truth;
  }

  /** Empty is absent. */
  #text(key: string): string | undefined {
    const value = this.#given.get(key)?.value;
    return value === "" ? undefined : value;
  }

  #truth(key: string): boolean | undefined {
    const value = this.#given.get(key)?.value;
    if (value === undefined) return undefined;
    if (/^(1|t|T|true|TRUE|True)$/.test(value)) return true;
    if (/^(0|f|F|false|FALSE|False)$/.test(value)) return false;
    throw this.#problem(`invalid value for ${key}: ${value}`, key);
  }

  #number(key: string, base: 8 | 10): number | undefined {
    const value = this.#given.get(key)?.value;
    if (value === undefined) return undefined;
    const number = (base === 8 ? /^[0-7]+$/ : /^\d+$/).test(value) ? Number.parseInt(value, base) : Number.NaN;
    if (!(number < 2 ** 32)) throw this.#problem(`invalid value ${value} for ${key}`, key);
    return number;
  }

  #size(): number | undefined {
    const value = this.#given.get("size")?.value;
    if (value === undefined) return undefined;
    const [, number, unit = ""] = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(value) ?? [];
    if (number === undefined) throw this.#problem(`invalid value for size: ${value}`, "size");
    return Math.floor(Number(number) * 1024 ** ("kmgtp".indexOf(unit.toLowerCase() || " ") + 1));
  }

  #choice<Value extends string>(key: string, allowed: readonly Value[]): Value | undefined {
    const value = this.#given.get(key)?.value;
    if (value === undefined) return undefined;
    const found = allowed.find((one) => one === value.toLowerCase());
    if (found !== undefined) return found;
    const near = closest(value, allowed);
    const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
    throw this.#problem(
      `unsupported ${key === "type" ? "mount type" : `${key} value`} ${JSON.stringify(value)}${hint}`,
      key,
    );
  }

  #problem(reason: string, key: string): MountProblem {
    return new MountProblem(reason, this.#given.get(key)?.field);
  }
}
