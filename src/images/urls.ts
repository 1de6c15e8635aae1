/** A URL as people and logs may see it: without a password. */
export function redacted(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, "$1xxxxx@");
}

/** A part of a URL without its percent signs; as it is where these make no sense. */
export function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
