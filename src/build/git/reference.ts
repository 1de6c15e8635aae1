import { SampanError } from "../../errors/index.ts";
import { percentDecoded, redacted } from "../../images/urls.ts";

/** A commit's files in a repository, as a URL with BuildKit's additions names them. */
export interface GitReference {
  /** The repository as git is told: without credentials and additions. */
  readonly remote: string;
  readonly protocol: "https" | "http" | "ssh" | "git";
  /** With the port, where one is named. */
  readonly host: string;
  /** "user:password" of an http or https URL. */
  readonly credentials: string | undefined;
  /** A branch, a tag, a full name ("refs/pull/1/head") or a commit; undefined: the default branch. */
  readonly ref: string | undefined;
  /** The directory that is meant; "" is all. */
  readonly subdir: string;
  /** What the commit's name must begin with. */
  readonly checksum: string | undefined;
  /** Whether `.git` is kept; undefined: nothing is said. */
  readonly keepGitDir: boolean | undefined;
  readonly submodules: boolean;
}

/** Parts of a reference that the query may name, too. */
type Additions = Pick<GitReference, "ref" | "subdir" | "checksum" | "keepGitDir" | "submodules">;

const scpStyle = /^([\w.][\w.-]*)@([\w.][\w.-]*):([^?#\s\p{Cc}-][^?#\s\p{Cc}]*)(\?[^#]*)?(?:#(.*))?$/su;

/**
 * Reads a repository's URL: `https://host/path.git`, `git://…`, `ssh://…` or `user@host:path`, behind it BuildKit's query
 * (`?branch=…&subdir=…`) and docker's `#ref:subdir`. Undefined for every other text: an http URL is a repository only when its
 * path ends in ".git". Kind "invalid" for what makes no sense.
 */
export function parseGitReference(text: string): GitReference | undefined {
  const [, user, host, path = "", query = "", fragment = ""] = scpStyle.exec(text) ?? [];
  if (user !== undefined && host !== undefined) {
    const place = { remote: `${user}@${host}:${path}`, protocol: "ssh", host, credentials: undefined } as const;
    return { ...place, ...additions(text, new URLSearchParams(query), fragment) };
  }
  if (!/^(?:https?|ssh|git):\/\//i.test(text)) return undefined;
  const url = URL.parse(text);
  if (url === null) throw wrong(text, "it is no URL");
  const { protocol, isHttp } = protocolOf(url);
  if (isHttp && !url.pathname.endsWith(".git")) return undefined;
  if (!isHttp && url.password !== "") throw wrong(text, "a password makes no sense there");
  if (url.host === "" || /^-/.test(url.host) || /^-/.test(url.username)) throw wrong(text, "it names no host");
  const login = !isHttp && url.username !== "" ? `${url.username}@` : "";
  const remote = `${protocol}://${login}${url.host}${url.pathname}`;
  if (/[\s\p{Cc}]/u.test(percentDecoded(remote))) throw wrong(text, "it has blanks or control characters");
  const credentials = isHttp && url.username + url.password !== "" ? loginOf(url) : undefined;
  const more = additions(text, url.searchParams, percentDecoded(url.hash.slice(1)));
  return { remote, protocol, host: url.host, credentials, ...more };
}

/** The same for a build context, which may be docker's old `github.com/owner/name`, too. */
export function parseGitContext(text: string): GitReference | undefined {
  return parseGitReference(text.startsWith("github.com/") ? githubUrl(text) : text);
}

/** As messages and progress show it. */
export function shownReference({ remote, ref, subdir }: GitReference): string {
  const directory = subdir === "" ? "" : `:${subdir}`;
  return ref === undefined && directory === "" ? remote : `${remote}#${ref ?? ""}${directory}`;
}

/** Whether a ref is a commit's whole name, SHA-1 or SHA-256. */
export function isCommit(ref: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(ref);
}

function githubUrl(text: string): string {
  const [, path = "", rest = ""] = /^github\.com([^?#]*)(.*)$/s.exec(text) ?? [];
  return `https://github.com${path.endsWith(".git") ? path : `${path.replace(/\/$/, "")}.git`}${rest}`;
}

function protocolOf({ protocol: written }: URL) {
  const protocol = written.slice(0, -1) as GitReference["protocol"];
  return { protocol, isHttp: protocol === "http" || protocol === "https" };
}

function loginOf({ username, password }: URL): string {
  return `${percentDecoded(username)}:${percentDecoded(password)}`;
}

function additions(text: string, query: URLSearchParams, fragment: string): Additions {
  const colon = fragment.indexOf(":");
  const written = {
    ref: colon < 0 ? fragment : fragment.slice(0, colon),
    subdir: colon < 0 ? "" : fragment.slice(colon + 1),
  };
  const values = valuesOf(text, query);
  const [tag, branch] = [full("refs/tags/", values.get("tag")), full("refs/heads/", values.get("branch"))];
  if (tag !== undefined && branch !== undefined) throw wrong(text, "branch conflicts with tag");
  const checksum = values.get("checksum") ?? values.get("commit");
  const ref = one(text, "ref", [written.ref, values.get("ref"), tag, branch]) ?? checksum;
  const subdir = one(text, "subdir", [written.subdir, values.get("subdir")]) ?? "";
  if (ref !== undefined) checkRef(text, ref);
  if (checksum !== undefined) checkChecksum(checksum);
  if (/[\p{Cc}]/u.test(subdir)) throw wrong(text, "the directory has control characters");
  const directory = subdir.split("/").filter((part) => part !== "" && part !== ".");
  if (directory.includes("..")) throw wrong(text, `the directory ${subdir} leads out of the repository`);
  return {
    ref,
    subdir: directory.join("/"),
    checksum,
    keepGitDir: truth(text, "keep-git-dir", values),
    submodules: truth(text, "submodules", values) ?? true,
  };
}

const known = ["ref", "tag", "branch", "subdir", "checksum", "commit", "keep-git-dir", "submodules"];

function valuesOf(text: string, query: URLSearchParams): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const [key, value] of query) {
    if (!known.includes(key)) throw wrong(text, `unexpected query ${JSON.stringify(key)}`);
    if (values.has(key)) throw wrong(text, `query ${JSON.stringify(key)} has multiple values`);
    const mayBeEmpty = key === "keep-git-dir" || key === "submodules";
    if (value === "" && !mayBeEmpty) throw wrong(text, `query ${JSON.stringify(key)} has no value`);
    values.set(key, value);
  }
  return values;
}

function full(prefix: string, name: string | undefined): string | undefined {
  return name === undefined || name.startsWith(prefix) ? name : prefix + name;
}

/** What is said once or the same every time. */
function one(text: string, what: string, all: readonly (string | undefined)[]): string | undefined {
  const said = [...new Set(all.filter((value) => value !== undefined && value !== ""))];
  if (said.length > 1)
    throw wrong(text, `${what} conflicts: ${said.map((value) => JSON.stringify(value)).join(" vs ")}`);
  return said[0];
}

/** git-check-ref-format(1), as far as another meaning could come of it: options, ranges, patterns, refspecs. */
function checkRef(text: string, ref: string): void {
  const isBad = /^[-/]|[\s\p{Cc}~^:?*[\\]|\.\.|@\{|\/\/|[/.]$|\.lock$|^@$/u.test(ref);
  if (isBad) throw wrong(text, `${JSON.stringify(ref)} is no name of a branch, tag or commit`);
}

/** A checksum of fewer digits would check nothing. */
export function checkChecksum(checksum: string): void {
  if (/^[0-9a-f]{7,64}$/.test(checksum)) return;
  const wanted = "7 to 64 hexadecimal digits of the commit are";
  throw new SampanError("invalid", `invalid checksum ${JSON.stringify(checksum)} of a repository: ${wanted} wanted`);
}

function truth(text: string, name: string, values: ReadonlyMap<string, string>): boolean | undefined {
  const value = values.get(name);
  if (value === undefined) return undefined;
  if (["", "1", "t", "T", "true", "TRUE", "True"].includes(value)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(value)) return false;
  throw wrong(text, `invalid ${name} value: ${JSON.stringify(value)}`);
}

function wrong(text: string, why: string): SampanError {
  return new SampanError("invalid", `Cannot read the repository ${redacted(text)}: ${why}`);
}
