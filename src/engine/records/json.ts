/** JSON with bigints, written as { "$n": "123" }: times in nanoseconds do not fit into its numbers. */
export function encode(value: object): string {
  return JSON.stringify(value, (_key, field) => (typeof field === "bigint" ? { $n: String(field) } : field));
}

export function decode<T>(text: string): T {
  return JSON.parse(text, (_key, field) => (isBig(field) ? BigInt(field.$n) : field)) as T;
}

function isBig(field: unknown): field is { $n: string } {
  return typeof field === "object" && field !== null && "$n" in field && typeof field.$n === "string";
}
