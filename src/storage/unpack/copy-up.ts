import { SampanError } from "../../errors/index.ts";
import type { Executor } from "../../kernel/executor.ts";
import * as flags from "../../kernel/flags.ts";
import { Program } from "../../kernel/program.ts";
import { readable } from "../tar/entry.ts";
import type { Found } from "./lower-view.ts";
import { pathBytes, strictly } from "./probe.ts";

/** One sendfile moves at most 2 GiB less a page. */
const CHUNK = 1024 ** 3;
const STATX_SIZE_FIELD = 0x200;

/** Copies the content of a lower layer's file to `name` of the half-made layer at `root`, where nothing is yet. */
export async function copyUp(executor: Executor, from: Found, root: string, name: string): Promise<void> {
  const program = new Program(`copy ${readable(name)} from a lower layer`);
  const { AT_FDCWD } = flags;
  program.call("umask", [0], { note: "let modes be what they say" });
  program.call("chdir", [program.text(from.directory)], { note: "go to the lower layer" });
  const how = strictly(program, flags.O_RDONLY | flags.O_NOFOLLOW | flags.O_NONBLOCK);
  const source = program.sys("openat2", [AT_FDCWD, pathBytes(program, from.name), how, 24], { note: "open the file" });
  program.call("chroot", [program.text(root)], { note: "go to the new layer" });
  program.call("chdir", [program.text("/")], { note: "go to its root" });
  const mode = flags.O_WRONLY | flags.O_CREAT | flags.O_EXCL | flags.O_NOFOLLOW | flags.O_CLOEXEC;
  const copy = program.sys("openat", [AT_FDCWD, pathBytes(program, name), mode, 0o600], { note: "make the file" });
  for (let left = from.probe.size; left > 0; left -= CHUNK) {
    program.call("sendfile", [copy, source, 0, Math.min(left, CHUNK)], { note: "copy its content" });
  }
  const stat = program.buffer(256);
  program.call("statx", [copy, program.text(""), flags.AT_EMPTY_PATH, STATX_SIZE_FIELD, stat], {
    note: "compare sizes",
  });
  const results = await executor.run(program);
  const size = Number(results.bytes(stat).readBigUInt64LE(40));
  if (size !== from.probe.size) {
    const wanted = `${from.probe.size} bytes expected, ${size} copied`;
    throw new SampanError("internal", `Cannot copy ${readable(name)} from a lower layer: ${wanted}`);
  }
}
