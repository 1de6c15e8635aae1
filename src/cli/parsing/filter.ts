import { invalid } from "../errors.ts";

/** The API's filters: all values of every name. */
export type Filters = Record<string, string[]>;

/** Adds `--filter name=value` to the filters, names in lower case as docker does. */
export function addFilter(text: string, filters: Filters): Filters {
  const at = text.indexOf("=");
  const name = text.slice(0, Math.max(at, 0)).trim().toLowerCase();
  if (name === "") throw invalid("bad format of filter (expected name=value)");
  return { ...filters, [name]: [...(filters[name] ?? []), text.slice(at + 1).trim()] };
}
