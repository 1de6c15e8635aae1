/** A name as the API takes it in two parts: what follows the last colon of the last part is the tag. */
export function splitName(name: string): { readonly repo: string; readonly tag: string | undefined } {
  const colon = name.lastIndexOf(":");
  if (colon <= name.lastIndexOf("/") || name.includes("@")) return { repo: name, tag: undefined };
  return { repo: name.slice(0, colon), tag: name.slice(colon + 1) };
}
