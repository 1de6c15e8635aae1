import { randomBytes } from "node:crypto";

const shortLength = 12;

/** A new id: 64 hex digits, of which the short form is never a number (a hostname of digits only confuses resolvers). */
export function newId(): string {
  for (;;) {
    const id = randomBytes(32).toString("hex");
    if (!/^\d+$/.test(shortId(id))) return id;
  }
}

/** The first twelve digits, as people see them. */
export function shortId(id: string): string {
  return id.slice(0, shortLength);
}

export function isFullId(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}
