import { parseHeredocMark } from "../heredoc.ts";
import type { InstructionLine } from "../instruction-line.ts";
import { splitAtSpaces } from "../split.ts";
import type { AddInstruction, CopyInstruction, CopySource, Word } from "../types.ts";
import { jsonArguments } from "./command.ts";

const common = { chown: "text", chmod: "text", link: "truth", exclude: "list" } as const;

/** `COPY [flags] source… destination`, or the same as JSON. */
export function parseCopy(line: InstructionLine): CopyInstruction {
  const paths = readPaths(line);
  const flags = line.flags({ ...common, from: "text", parents: "truth" });
  return {
    kind: "COPY",
    ...line.base,
    ...paths,
    from: readFrom(line, flags.text("from")),
    chown: flags.text("chown"),
    chmod: flags.text("chmod"),
    link: flags.truth("link") ?? false,
    parents: flags.truth("parents") ?? false,
    exclude: flags.list("exclude"),
  };
}

/** `ADD [flags] source… destination`; a source may also be a URL or a repository. */
export function parseAdd(line: InstructionLine): AddInstruction {
  const paths = readPaths(line);
  const flags = line.flags({ ...common, "keep-git-dir": "truth", checksum: "text", unpack: "truth" });
  return {
    kind: "ADD",
    ...line.base,
    ...paths,
    chown: flags.text("chown"),
    chmod: flags.text("chmod"),
    link: flags.truth("link") ?? false,
    exclude: flags.list("exclude"),
    keepGitDir: flags.truth("keep-git-dir"),
    checksum: flags.text("checksum"),
    unpack: flags.truth("unpack"),
  };
}

/** Which stage is meant must be known before variables are. */
function readFrom(line: InstructionLine, from: Word | undefined): Word | undefined {
  if (from !== undefined && /\$./.test(from.raw)) {
    throw line.fail("'--from' doesn't support variable expansion, define alias stage instead", from.range);
  }
  return from;
}

function readPaths(line: InstructionLine): { sources: readonly CopySource[]; destination: Word } {
  const json = jsonArguments(line)?.map((raw) => ({ raw, range: line.rest.range }));
  const words = json ?? splitAtSpaces(line.rest).map((text) => text.word());
  const destination = words.at(-1);
  if (destination === undefined || words.length < 2) {
    const reason = `${line.name} requires at least two arguments, but only one was provided. Destination could not be determined`;
    throw line.fail(reason);
  }
  if (parseHeredocMark(destination.raw) !== undefined) {
    throw line.fail(`${line.name} cannot accept a heredoc as a destination`, destination.range);
  }
  return { sources: words.slice(0, -1).map((word) => readSource(line, word)), destination };
}

function readSource(line: InstructionLine, word: Word): CopySource {
  const mark = parseHeredocMark(word.raw);
  const heredoc = mark && line.heredocs.findLast(({ name }) => name === mark.name);
  return heredoc === undefined ? { kind: "path", path: word } : { kind: "heredoc", heredoc };
}
