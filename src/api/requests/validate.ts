import * as z from "zod";
import { SampanError } from "../../errors/index.ts";

/** Parses by schema; what does not fit is "invalid" and says where. */
export function validate<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue?.path.map(String).join(".") ?? "";
  const what = issue?.message ?? "malformed";
  throw new SampanError("invalid", where === "" ? what : `${where}: ${what}`, { cause: result.error });
}

/** The same for a request's JSON, worded as dockerd words what does not fit its structs. */
export function validateJson<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue?.path.map(String).join(".") || "the body";
  throw new SampanError("invalid", `invalid JSON: cannot use ${where}: ${issue?.message}`, { cause: result.error });
}

/** Go's zero value: whatever may be left out may be null, too. */
export type Nullish<S extends z.ZodType> = z.ZodOptional<z.ZodNullable<S>>;

/**
 * A struct as Go decodes it: every member may be missing or null, unknown members are ignored, names match whatever
 * their case unless the exact name is there, too.
 */
export function struct<S extends Record<string, z.ZodType>>(shape: S) {
  const members = Object.fromEntries(Object.entries(shape).map(([name, schema]) => [name, schema.nullish()]));
  const names = new Map(Object.keys(shape).map((name) => [name.toLowerCase(), name]));
  return z.preprocess((value) => withExactNames(value, names), z.object(members as { [K in keyof S]: Nullish<S[K]> }));
}

function withExactNames(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const result: Record<string, unknown> = Object.create(null);
  for (const [key, member] of Object.entries(value)) {
    const name = names.get(key.toLowerCase());
    if (name !== undefined && (name === key || !(name in value))) result[name] = member;
  }
  return result;
}
