import { named } from "../../kernel/block.ts";
import * as f from "../../kernel/flags.ts";
import { Program } from "../../kernel/program.ts";
import type { Results } from "../../kernel/results.ts";
import { Inside } from "../inside.ts";
import { readFile } from "../read-users.ts";
import { parsePasswd } from "../users.ts";

/** More than anybody's /etc/passwd. */
const most = 256 * 1024;

/** A program that reads /etc/passwd below a root directory of the machine, and what it says of a user's home: "/" where it says nothing. */
export function homeProgram(root: string, uid: number): { program: Program; homeOf: (results: Results) => string } {
  const p = new Program("look up the user's home directory");
  const flags = named(f.O_PATH | f.O_DIRECTORY | f.O_CLOEXEC, "O_PATH|O_DIRECTORY|O_CLOEXEC");
  const directory = p.sys("openat", [f.AT_FDCWD, p.text(root), flags, 0], { note: "open the root file system" });
  const { buffer, length } = readFile(p, new Inside(p, directory), "/etc/passwd", most);
  const homeOf = (results: Results) => {
    const entries = parsePasswd(String(results.bytes(buffer, results.value(length))));
    return entries.find((entry) => entry.uid === uid)?.home ?? "/";
  };
  return { program: p, homeOf };
}
