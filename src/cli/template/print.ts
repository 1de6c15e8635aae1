/** A value as Go's `%v` prints it: `[a b]` for lists, `map[a:1 b:2]` for objects with sorted keys. */
export function goString(value: unknown): string {
  if (value === undefined) return "<no value>";
  if (value === null) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(goString).join(" ")}]`;
  if (typeof value === "object") {
    const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
    return `map[${entries.map(([key, entry]) => `${key}:${goString(entry)}`).join(" ")}]`;
  }
  return String(value);
}

/** Go's notion of truth: false, 0, nil and everything empty are not. */
export function isTruth(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === "") return false;
  if (Array.isArray(value)) return value.length > 0;
  return typeof value === "object" ? Object.keys(value).length > 0 : true;
}
