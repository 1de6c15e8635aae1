/** The reference with the tag it stands for. */
export function withTag(reference: string): string {
  const name = reference.slice(reference.lastIndexOf("/") + 1);
  return name.includes(":") || name.includes("@") ? reference : `${reference}:latest`;
}

/** The full form of a reference, with registry and repository: `docker.io/library/debian:latest`. */
export function canonicalReference(reference: string): string {
  const tagged = withTag(reference);
  const slash = tagged.indexOf("/");
  const first = tagged.slice(0, Math.max(slash, 0));
  if (/[.:A-Z]/.test(first) || first === "localhost") return tagged;
  return slash < 0 ? `docker.io/library/${tagged}` : `docker.io/${tagged}`;
}
