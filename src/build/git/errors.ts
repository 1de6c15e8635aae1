import { type ErrorKind, SampanError } from "../../errors/index.ts";

interface Meaning {
  readonly says: RegExp;
  readonly kind: ErrorKind;
  readonly remedy?: string;
}

const token = "give a token with --secret id=GIT_AUTH_TOKEN";

/** What git's complaints come from, the first that fits; it is run with the texts of LC_ALL=C. */
const meanings: readonly Meaning[] = [
  { says: /No space left on device|Disk quota exceeded/, kind: "exhausted" },
  {
    says: /Host key verification failed|No \S+ host key is known/,
    kind: "denied",
    remedy: "check the host's key, and add it to /etc/ssh/ssh_known_hosts of the daemon's machine",
  },
  { says: /cannot run ssh/, kind: "unsupported", remedy: "install an ssh client on the daemon's machine" },
  {
    says: /is not a git command|Unable to find remote helper/,
    kind: "unsupported",
    remedy: "this git lacks the protocol",
  },
  {
    says: /transport '[^']*' not allowed/,
    kind: "denied",
    remedy: "repositories are fetched over https, http, ssh and git",
  },
  { says: /terminal prompts disabled|Authentication failed|error: 40[13]|HTTP Basic/, kind: "denied", remedy: token },
  {
    says: /Permission denied \(/,
    kind: "denied",
    remedy: "the agent of --ssh default has no key that the host accepts",
  },
  {
    says: /unable to update url base|error: 30\d/,
    kind: "denied",
    remedy: "credentials do not go along with a redirection: use the URL that it leads to",
  },
  { says: /error: 404|repository '.*' not found|not appear to be a git repository|not exported/, kind: "not-found" },
];

/** The error of a git that has failed, from what it said. */
export function failureOf(
  complaint: string,
  { shown, hasAuth }: { readonly shown: string; readonly hasAuth: boolean },
): SampanError {
  const meaning = meanings.find(({ says }) => says.test(complaint));
  const lines = complaint.split("\n").filter((line) => line.trim() !== "");
  const told = lines.filter((line) => /^(?:fatal|error|ssh|remote):|Permission denied|verification failed/.test(line));
  const why = (told.length > 0 ? told : lines).slice(0, 4).join("; ") || "git ended without saying why";
  const { kind = "unavailable", remedy } = meaning ?? {};
  const refused = remedy === token && hasAuth ? "the credentials were refused" : remedy;
  const advice = refused === undefined ? "" : `; ${refused}`;
  return new SampanError(kind, `Cannot fetch ${shown}: ${why}${advice}`);
}
