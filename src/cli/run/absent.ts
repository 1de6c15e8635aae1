/** Names as the API writes a set. */
export function asSet(names: readonly string[]): Record<string, object> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}

/** Pairs as an object; undefined when there are none. */
export function mapOf(pairs: readonly (readonly [key: string, value: string])[]): Record<string, string> | undefined {
  return pairs.length === 0 ? undefined : Object.fromEntries(pairs);
}

/** The list; undefined when it is empty. */
export function some<T>(values: readonly T[]): readonly T[] | undefined {
  return values.length === 0 ? undefined : values;
}

/** The object without the entries that are undefined: absent means "the daemon's default" in the API. */
export function defined<T extends object>(object: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}
