/** Values of a query string: absent ones are left out, lists repeat the name, objects are sent as JSON. */
export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | object | undefined>>;

/** `?a=1&b=2`, or "" when nothing is asked. */
export function queryString(query: Query = {}): string {
  const parts: string[] = [];
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    const texts = Array.isArray(value) ? value : [typeof value === "object" ? JSON.stringify(value) : String(value)];
    for (const text of texts) parts.push(`${encodeURIComponent(name)}=${encodeURIComponent(text)}`);
  }
  return parts.length === 0 ? "" : `?${parts.join("&")}`;
}
