import type { Session } from "../../kernel/executor.ts";
import * as f from "../../kernel/flags.ts";
import { KernelError } from "../../kernel/kernel-error.ts";
import { type Label, Program } from "../../kernel/program.ts";
import { addStat, PROC_FD, readStat, type Stat } from "./tree-reader.ts";

/** Kept between the two steps of finding where a path leads. */
const FOUND_FD = 120;
const RESOLVE = f.RESOLVE_IN_ROOT | f.RESOLVE_NO_MAGICLINKS;

/** What is at a path of a container. */
export interface Located {
  /** A last link not followed, unless the path ends in "/" or "/.". */
  readonly stat: Stat;
  /** Where a link leads in the end, as far as that can be followed; "" for what is no link. */
  readonly linkTarget: string;
}

/** Looks at a path, every link resolved in the session's root; undefined when nothing is there. */
export async function locate(session: Session, path: string): Promise<Located | undefined> {
  const p = new Program(`look at ${path}`);
  const end = p.label();
  const fd = addOpen(p, path, f.O_PATH | f.O_NOFOLLOW, end);
  const stat = addStat(p, fd);
  const link = p.buffer(4096);
  const length = p.sys("readlinkat", [fd, p.text(""), link, 4096], {
    note: "read it, if it is a link",
    tolerate: ["ENOENT", "EINVAL"],
  });
  p.call("close", [fd], { note: "close it" });
  p.place(end);
  const results = await session.run(p);
  if (results.value(fd) < 0) return undefined;
  const found = readStat(results.bytes(stat));
  if ((found.mode & f.S_IFMT) !== f.S_IFLNK) return { stat: found, linkTarget: "" };
  const text = results.bytes(link, results.value(length)).toString();
  return { stat: found, linkTarget: await targetOf(session, path, text) };
}

/** The path without links of what is at `path`; undefined when nothing is there. */
export async function realPath(session: Session, path: string): Promise<string | undefined> {
  const p = new Program(`find ${path}`);
  const end = p.label();
  const fd = addOpen(p, path, f.O_PATH, end);
  p.call("dup3", [fd, FOUND_FD, f.O_CLOEXEC], { note: "give it a fixed number" });
  p.call("close", [fd], { note: "close the other" });
  const buffer = p.buffer(4096);
  const length = p.sys("readlinkat", [PROC_FD, p.text(String(FOUND_FD)), buffer, 4096], { note: "see where it is" });
  p.place(end);
  try {
    const results = await session.run(p);
    return results.value(fd) < 0 ? undefined : results.bytes(buffer, results.value(length)).toString();
  } catch (error) {
    if (error instanceof KernelError && error.errno === "ELOOP") return undefined;
    throw error;
  }
}

/** Makes a directory the session's own; undefined when there is none. Answers where it is. */
export async function enter(session: Session, path: string): Promise<string | undefined> {
  const p = new Program(`enter ${path}`);
  const end = p.label();
  const fd = addOpen(p, path, f.O_PATH | f.O_DIRECTORY, end);
  p.call("fchdir", [fd], { note: "go there" });
  p.call("close", [fd], { note: "close it" });
  const buffer = p.buffer(4096);
  const length = p.sys("getcwd", [buffer, 4096], { note: "see where that is" });
  p.place(end);
  const results = await session.run(p);
  if (results.value(fd) < 0) return undefined;
  return results.bytes(buffer, results.value(length) - 1).toString();
}

function addOpen(p: Program, path: string, flags: number, missing: Label) {
  const how = p.words([flags | f.O_CLOEXEC, 0, RESOLVE], "{ resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS }");
  const relative = path.replace(/^\/+/, "") || ".";
  return p.sys("openat2", [f.AT_FDCWD, p.text(relative), how, 24], {
    note: `open ${path}`,
    tolerate: ["ENOENT"],
    orElse: missing,
  });
}

async function targetOf(session: Session, path: string, text: string): Promise<string> {
  const whole = await realPath(session, path).catch(() => undefined);
  if (whole !== undefined) return whole;
  if (text.startsWith("/")) return cleanPath(text);
  const parent = (await realPath(session, parentOf(path)).catch(() => undefined)) ?? parentOf(path);
  return cleanPath(`${parent}/${text}`);
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), 0)) || "/";
}

/** An absolute path without ".", ".." and double slashes, by its text alone: Go's path.Clean below "/". */
export function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** The same, but a "/" or "/." at the end stays: it says that a directory is meant. */
export function cleanButEnd(path: string): string {
  const clean = cleanPath(path);
  if (path.endsWith("/.") || path === ".") return clean === "/" ? "/." : `${clean}/.`;
  return path.endsWith("/") && clean !== "/" ? `${clean}/` : clean;
}
