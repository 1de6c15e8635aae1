/** One challenge of a `WWW-Authenticate` header: the scheme in lower case and its parameters, names in lower case. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const parameterPattern = new RegExp(`\\s*,?\\s*(${token})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(${token}))`, "y");
const schemePattern = new RegExp(`\\s*,?\\s*(${token})(?=\\s|,|$)`, "y");

/** Reads all challenges of a header (RFC 9110, 11.6.1); what is malformed ends the list. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  let at = 0;
  const next = (pattern: RegExp) => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  for (let scheme = next(schemePattern); scheme !== null; scheme = next(schemePattern)) {
    const parameters = new Map<string, string>();
    for (let pair = next(parameterPattern); pair !== null; pair = next(parameterPattern)) {
      parameters.set((pair[1] ?? "").toLowerCase(), pair[2]?.replaceAll(/\\(.)/g, "$1") ?? pair[3] ?? "");
    }
    challenges.push({ scheme: (scheme[1] ?? "").toLowerCase(), parameters });
  }
  return challenges;
}
