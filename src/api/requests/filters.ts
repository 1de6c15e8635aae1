import type { Filters } from "../../engine/types.ts";
import { SampanError } from "../../errors/index.ts";

/**
 * Docker's filters parameter: `{"status":["running"]}`, before API 1.22 `{"status":{"running":true}}`. With `known` any
 * other key is refused.
 */
export function parseFilters(text: string | undefined, known?: readonly string[]): Filters {
  if (text === undefined || text === "") return {};
  const filters: Record<string, readonly string[]> = Object.create(null);
  for (const [key, value] of Object.entries(parseObject(text))) {
    if (known !== undefined && !known.includes(key)) throw new SampanError("invalid", `invalid filter '${key}'`);
    filters[key] = valuesOf(value);
  }
  return filters;
}

function parseObject(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Told below in dockerd's words.
  }
  throw new SampanError("invalid", "invalid filter");
}

function valuesOf(value: unknown): string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([name, chosen]) => (chosen === true ? [name] : []));
  }
  throw new SampanError("invalid", "invalid filter");
}

/** The one truth value of a filter such as dangling=true; `undefined` without the filter. */
export function filterFlag(filters: Filters, key: string): boolean | undefined {
  const values = filters[key];
  if (values === undefined || values.length === 0) return undefined;
  if (values.every((value) => value === "1" || value === "true")) return true;
  if (values.every((value) => value === "0" || value === "false")) return false;
  throw new SampanError("invalid", `invalid filter '${key}=[${values.join(" ")}]'`);
}

/** Whether labels satisfy every `name` and `name=value` of a filter. */
export function matchesLabels(
  labels: Readonly<Record<string, string>> | null | undefined,
  wanted: readonly string[] | undefined,
): boolean {
  return (wanted ?? []).every((pair) => {
    const [name = "", ...value] = pair.split("=");
    if (labels === null || labels === undefined || !Object.hasOwn(labels, name)) return false;
    return value.length === 0 || labels[name] === value.join("=");
  });
}
