import type { Field } from "../format/listing.ts";

type Labels = Readonly<Record<string, string>> | null;

/** Labels as `a=1,b=2`, in the order of their keys. */
export function pairs(labels: Labels): string {
  const keys = Object.keys(labels ?? {}).toSorted();
  return keys.map((key) => `${key}=${labels?.[key]}`).join(",");
}

/** The field `.Label "key"`, whose heading is the last word of the key. */
export function labelField<T>(labelsOf: (item: T) => Labels): Field<T> {
  const heading = (key: unknown): string => String(key).split(".").at(-1)?.replace(/[-_]/g, " ") ?? "";
  return [heading, (item) => (key: unknown) => labelsOf(item)?.[String(key)] ?? ""];
}
