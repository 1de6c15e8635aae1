import type { Session } from "../../kernel/executor.ts";
import * as flags from "../../kernel/flags.ts";
import { Program } from "../../kernel/program.ts";
import { addStat, readStat } from "../pack/tree-reader.ts";
import { baseOf, parentOf } from "../unpack/names.ts";
import { pathBytes } from "../unpack/probe.ts";

/** What is at `name`, a last link not followed; "no parent" when the directory it would lie in is missing. */
export async function kindAt(
  session: Session,
  purpose: string,
  name: string,
): Promise<"directory" | "other" | "no parent" | undefined> {
  const p = new Program(purpose);
  const end = p.label();
  const found = p.slot("found");
  const parent = open(p, parentOf(name), flags.O_PATH | flags.O_DIRECTORY);
  const directory = p.sys("openat2", parent, {
    note: "find its directory",
    tolerate: ["ENOENT"],
    orElse: end,
  });
  p.sys("openat", [directory, pathBytes(p, baseOf(name)), flags.O_PATH | flags.O_NOFOLLOW | flags.O_CLOEXEC, 0], {
    note: "see what is there",
    tolerate: ["ENOENT"],
    orElse: end,
    into: found,
  });
  const stat = addStat(p, found);
  p.call("close", [found], { note: "close it" });
  p.place(end);
  p.sys("close", [directory], { note: "close its directory", tolerate: "all" });
  const results = await session.run(p);
  if (results.value(directory) < 0) return "no parent";
  if (results.value(found) < 0) return undefined;
  return (readStat(results.bytes(stat)).mode & flags.S_IFMT) === flags.S_IFDIR ? "directory" : "other";
}

function open(p: Program, directory: string, how: number) {
  const openHow = p.words([how | flags.O_CLOEXEC, 0, flags.RESOLVE_NO_MAGICLINKS], "{ RESOLVE_NO_MAGICLINKS }");
  return [flags.AT_FDCWD, pathBytes(p, directory), openHow, 24];
}
