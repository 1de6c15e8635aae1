import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, posix, relative, resolve } from "node:path";
import { Readable } from "node:stream";
import { PatternMatcher, readIgnoreFile } from "../../build/ignore/index.ts";
import { SampanError } from "../../errors/index.ts";
import type { BuildSettings } from "../builds.ts";
import { type ContextDirectory, everything, type LooseFile, packContext } from "./pack-context.ts";

/** Where a build's files come from. */
export interface ContextSource {
  /** A directory, a URL or repository, or a tar archive (or Dockerfile) as a stream. */
  readonly context: string | Readable;
  /** Path of the Dockerfile; `{ text }` when it is in no file. Without it, `Dockerfile` in the context. */
  readonly dockerfile?: string | { readonly text: string } | undefined;
  /** More directories by name, for `COPY --from=NAME` and `FROM NAME`. */
  readonly directories?: Readonly<Record<string, string>> | undefined;
  /** What may be too long for a header, and then goes into the archive. */
  readonly settings?: BuildSettings | undefined;
}

/** What the daemon is sent. */
export interface OpenedContext {
  /** A tar archive, maybe compressed; for a remote context what else belongs to the build, or undefined. */
  readonly upload: Readable | undefined;
  readonly remote: string | undefined;
  /** The Dockerfile's path in the context. */
  readonly dockerfile: string | undefined;
  /** How messages call the Dockerfile, when that is not its path. */
  readonly name: string | undefined;
  /** The settings are the archive's first entry. */
  readonly inline: boolean;
}

/** The longest header that Node's server takes is twice as long, together with all others. */
const longestHeader = 8 * 1024;

/** Where further directories lie in the archive. */
const directoryPrefix = ".sampan-context";

/** Opens what a build reads. Throws "not-found" and "invalid" for what is not there or makes no sense. */
export function openContext(source: ContextSource): OpenedContext {
  const { context, dockerfile, directories = {} } = source;
  const more = Object.entries(directories).map(([name, path]) => namedDirectory(name, path));
  const settings = Buffer.from(JSON.stringify(source.settings ?? {}));
  const inline = settings.length * (4 / 3) > longestHeader;
  const file = typeof dockerfile === "string" ? dockerfile : undefined;
  const own = [
    ...(typeof dockerfile === "object" ? ["a Dockerfile of its own"] : []),
    ...(more.length > 0 ? ["further local contexts"] : []),
    ...(inline ? ["secrets of more than 6 KB"] : []),
  ];
  if (typeof context === "string") {
    const loose = [{ name: ".sampan-build.json", content: settings }];
    if (!isRemote(context)) return { ...local(context, dockerfile, { more, loose: inline ? loose : [] }), inline };
    if (own.length > 0) return { ...beside(dockerfile, { more, loose }), remote: context, inline: true };
    return { upload: undefined, remote: context, dockerfile: file, name: undefined, inline: false };
  }
  if (own.length > 0) {
    const remedy = "unpack it, and build that directory";
    throw new SampanError("unsupported", `Cannot build a context from a stream with ${own.join(" and ")}: ${remedy}`);
  }
  return { upload: context, remote: undefined, dockerfile: file, name: undefined, inline: false };
}

/** What is sent beside a remote context: everything but its files. */
function beside(
  dockerfile: ContextSource["dockerfile"],
  { more, loose }: { readonly more: readonly ContextDirectory[]; readonly loose: readonly LooseFile[] },
): Omit<OpenedContext, "inline" | "remote"> {
  const isText = typeof dockerfile === "object";
  const name = isText ? injectedName() : dockerfile;
  const all = isText && name !== undefined ? [...loose, { name, content: Buffer.from(dockerfile.text) }] : loose;
  const upload = Readable.from(packContext(more, all), { objectMode: false });
  return { upload, dockerfile: name, name: isText ? "Dockerfile" : undefined };
}

/** A name that is in no context. */
function injectedName(): string {
  return `.dockerfile.${randomBytes(10).toString("hex")}`;
}

/** Whether a context is not on this machine: a URL, or a repository in one of git's spellings. */
export function isRemote(context: string): boolean {
  return /^(?:https?|git|ssh):\/\//.test(context) || /^(?:github\.com\/|git@)/.test(context);
}

function local(
  context: string,
  dockerfile: ContextSource["dockerfile"],
  extra: { readonly more: readonly ContextDirectory[]; readonly loose: readonly LooseFile[] },
): Omit<OpenedContext, "inline"> {
  const path = resolve(context);
  checkDirectory(path, context);
  const file = locate(path, dockerfile);
  const ignoring = [...(file.ignorePath === undefined ? [] : [file.ignorePath]), join(path, ".dockerignore")];
  const ignoreFile = ignoring.find((candidate) => existsSync(candidate));
  const patterns = ignoreFile === undefined ? [] : readIgnoreFile(readFileSync(ignoreFile, "utf8"));
  const always = new Set([file.name, `${file.name}.dockerignore`, ".dockerignore"]);
  const main = { path, ignore: new PatternMatcher(patterns), always, prefix: "" };
  const loose = [...extra.loose];
  if (file.text !== undefined) {
    // The daemon takes patterns from beside the Dockerfile: the injected files are in no COPY.
    const hidden = [...patterns, `${file.name}*`].join("\n");
    loose.push({ name: file.name, content: Buffer.from(file.text) });
    loose.push({ name: `${file.name}.dockerignore`, content: Buffer.from(`${hidden}\n`) });
  }
  const upload = Readable.from(packContext([main, ...extra.more], loose), { objectMode: false });
  return { upload, remote: undefined, dockerfile: file.name, name: file.shown };
}

interface Located {
  /** In the archive. */
  readonly name: string;
  /** Of a file that is not in the context. */
  readonly text: string | undefined;
  /** What is left out may be said beside the Dockerfile. */
  readonly ignorePath: string | undefined;
  readonly shown: string | undefined;
}

function locate(context: string, dockerfile: ContextSource["dockerfile"]): Located {
  const injected = injectedName();
  if (typeof dockerfile === "object") {
    return { name: injected, text: dockerfile.text, ignorePath: undefined, shown: "Dockerfile" };
  }
  const path = dockerfile === undefined ? defaultDockerfile(context) : resolve(dockerfile);
  const within = relative(context, path);
  const outside = within.startsWith("..") || isAbsolute(within);
  const ignorePath = `${path}.dockerignore`;
  if (!outside) {
    checkFile(path);
    return { name: within.split("\\").join(posix.sep), text: undefined, ignorePath, shown: undefined };
  }
  return { name: injected, text: readDockerfile(path), ignorePath, shown: basename(path) };
}

/** `dockerfile` is taken where there is no `Dockerfile`, as BuildKit does. */
function defaultDockerfile(context: string): string {
  const path = join(context, "Dockerfile");
  const lower = join(context, "dockerfile");
  return existsSync(path) || !existsSync(lower) ? path : lower;
}

function checkFile(path: string): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isFile() === true) return;
  const reason = stat === undefined ? "no such file or directory" : "it is no file";
  throw new SampanError("not-found", `failed to read dockerfile: open ${path}: ${reason}`);
}

function readDockerfile(path: string): string {
  checkFile(path);
  return readFileSync(path, "utf8");
}

function checkDirectory(path: string, named: string): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) {
    throw new SampanError("not-found", `unable to prepare context: path ${JSON.stringify(named)} not found`);
  }
  if (!stat.isDirectory()) {
    const remedy = `name its directory (${dirname(named)}) and the file with --file`;
    throw new SampanError("invalid", `unable to prepare context: ${JSON.stringify(named)} is no directory, ${remedy}`);
  }
}

function namedDirectory(name: string, directory: string): ContextDirectory {
  const path = resolve(directory);
  checkDirectory(path, directory);
  const file = join(path, ".dockerignore");
  const ignore = existsSync(file) ? new PatternMatcher(readIgnoreFile(readFileSync(file, "utf8"))) : everything;
  return { path, ignore, always: new Set(), prefix: `${directoryPrefix}/${name}/` };
}
