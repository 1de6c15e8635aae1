/** What separates words of an instruction: Unicode's spaces, as Go's `unicode.IsSpace` has them. */
export function isSpace(character: string): boolean {
  return /^[\s\u0085]$/.test(character) && character !== "\uFEFF";
}

/** What may begin the name of a variable after `$`. */
export function isNameCharacter(character: string): boolean {
  return /^[\p{L}\p{Nd}_]$/u.test(character);
}
