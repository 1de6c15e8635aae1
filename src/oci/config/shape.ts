import { SampanError } from "../../errors/index.ts";

/**
 * Shapes of JSON documents, for a program whose start is part of every call: a hundred lines that say all there is to say of the
 * runtime specification's documents (docs/decisions/oci-shapes.md). A shape reads a value and answers it with its type, or
 * throws `invalid` with the path of the field that is wrong. As in Go, `null` is as good as absent; a property
 * that no shape knows is passed over, as the specification demands of "extensibility".
 */
export type Shape<T> = (value: unknown, path: string) => T;

type Shaped<F> = { readonly [K in keyof F]: F[K] extends Shape<infer T> ? T : never };

function wrong(path: string, what: string): SampanError {
  return new SampanError("invalid", `${path}: ${what}`);
}

function absent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

export const text: Shape<string> = (value, path) => {
  if (typeof value === "string") return value;
  throw wrong(path, "must be a string");
};

export const flag: Shape<boolean> = (value, path) => {
  if (typeof value === "boolean") return value;
  throw wrong(path, "must be true or false");
};

/** A whole number that a double holds; larger ones are given as the nearest (they stand for "no limit"). */
export const integer: Shape<number> = (value, path) => {
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "number" && Number.isInteger(value)) return value;
  throw wrong(path, "must be a whole number");
};

/** A whole number of 64 bits, exactly. */
export const wide: Shape<bigint> = (value, path) => BigInt(typeof value === "bigint" ? value : integer(value, path));

/** A user or group id. */
export const id: Shape<number> = (value, path) => {
  const number = integer(value, path);
  if (number >= 0 && number < 0xffffffff) return number;
  throw wrong(path, "must be between 0 and 4294967294");
};

export function oneOf<const T extends readonly string[]>(words: T): Shape<T[number]> {
  return (value, path) => {
    if (words.includes(text(value, path))) return value as T[number];
    throw wrong(path, `${JSON.stringify(value)} is none of ${words.join(", ")}`);
  };
}

export function optional<T>(shape: Shape<T>): Shape<T | undefined> {
  return (value, path) => (absent(value) ? undefined : shape(value, path));
}

/** With `otherwise` where there is nothing. */
export function fallback<T>(shape: Shape<T>, otherwise: T): Shape<T> {
  return (value, path) => (absent(value) ? otherwise : shape(value, path));
}

/** Absent is empty. */
export function list<T>(item: Shape<T>): Shape<readonly T[]> {
  return (value, path) => {
    if (absent(value)) return [];
    if (!Array.isArray(value)) throw wrong(path, "must be an array");
    return value.map((element, index) => item(element, `${path}[${index}]`));
  };
}

/** Any names, all with values of one shape. Absent is empty. */
export function table<T>(item: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return (value, path) => {
    if (absent(value)) return {};
    return Object.fromEntries(
      entriesOf(value, path).map(([name, element]) => [name, item(element, `${path}.${name}`)]),
    );
  };
}

export function object<F extends Readonly<Record<string, Shape<unknown>>>>(fields: F): Shape<Shaped<F>> {
  const shapes = Object.entries(fields);
  return (value, path) => {
    const given = Object.fromEntries(entriesOf(value, path));
    const below = path === "" ? "" : `${path}.`;
    return Object.fromEntries(
      shapes.map(([name, shape]) => [name, shape(given[name], `${below}${name}`)]),
    ) as Shaped<F>;
  };
}

function entriesOf(value: unknown, path: string): [string, unknown][] {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return Object.entries(value);
  throw wrong(path === "" ? "the document" : path, "must be an object");
}

/** A field that is known and refused: `why` says what is missing. What asks for nothing (empty, 0, false) passes. */
export function refused(why: string): Shape<undefined> {
  return (value, path) => {
    if (asksForNothing(value)) return undefined;
    throw new SampanError("unsupported", `${path} is not supported: ${why}`);
  };
}

function asksForNothing(value: unknown): boolean {
  if (absent(value) || value === false || value === 0 || value === "") return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.values(value).every(asksForNothing);
}

/** JSON whose whole numbers beyond 2^53 come as bigints. `name` is what errors begin with. */
export function parse<T>(json: string, shape: Shape<T>, name: string): T {
  let value: unknown;
  try {
    value = JSON.parse(json, keepLargeIntegers);
  } catch (error) {
    throw new SampanError("invalid", `Cannot read ${name}: ${(error as Error).message}`, { cause: error });
  }
  try {
    return shape(value, "");
  } catch (error) {
    if (!(error instanceof SampanError)) throw error;
    throw new SampanError(error.kind, `Cannot use ${name}: ${error.message}`, { cause: error });
  }
}

function keepLargeIntegers(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? "";
  return /^-?\d+$/.test(source) ? BigInt(source) : value;
}
