/** What an instruction's arguments are when they are read as JSON. */
export type JsonForm =
  | { readonly form: "json"; readonly values: readonly string[] }
  /** An array, but not only of strings: an error, where other failures mean that it is no JSON at all. */
  | { readonly form: "mixed" }
  | { readonly form: "none" };

/** The JSON form of `["a", "b"]`. What does not begin with a bracket or is not JSON to its end is none: it goes to the shell. */
export function readJson(text: string): JsonForm {
  if (!text.trimStart().startsWith("[")) return { form: "none" };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { form: "none" };
  }
  if (!Array.isArray(value)) return { form: "none" };
  const values = value.filter((one): one is string => typeof one === "string");
  return values.length === value.length ? { form: "json", values } : { form: "mixed" };
}
