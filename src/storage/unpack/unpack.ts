import { SampanError } from "../../errors/index.ts";
import { type Errno, errnoNumber } from "../../kernel/errno.ts";
import type { Executor, Session } from "../../kernel/executor.ts";
import * as flags from "../../kernel/flags.ts";
import { KernelError } from "../../kernel/kernel-error.ts";
import { Program } from "../../kernel/program.ts";
import { type ArchivePiece, isCopied } from "../pack/pieces.ts";
import { TarParser } from "../tar/parser.ts";
import { finishLayer, isArchivesFault, syncLayer } from "./finish.ts";
import { LayerWriter } from "./layer-writer.ts";
import { LowerView } from "./lower-view.ts";
import { Pipeline } from "./pipeline.ts";
import { ARCHIVE_FD, TRASH_FD } from "./steps.ts";

export interface UnpackOptions {
  readonly executor: Executor;
  /** What is being done, for errors: "unpack layer sha256:…". */
  readonly purpose: string;
  /** An empty directory that becomes the layer. */
  readonly root: string;
  /** An empty directory beside it, for what later entries replace. */
  readonly trash: string;
  /** Directories of the lower layers, top first. */
  readonly parents: readonly string[];
  /** Resolves when the lower layers are there. */
  readonly parentsReady: Promise<void>;
  readonly tar: AsyncIterable<ArchivePiece>;
  /** The file that the tar is being written to, where not all of it is seen. */
  readonly archive?: string | undefined;
  /** Whether everything is on the disk afterwards; true when absent. */
  readonly durable?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Unpacks the tar of a layer into `root` as an overlay lower directory, everything on disk when it resolves unless that is
 * the caller's. Returns the size of its files. On an error (kinds as for `LayerStore.apply`) what is in `root` and `trash` is the caller's to
 * remove; no process works there any more.
 */
export async function unpack(options: UnpackOptions): Promise<number> {
  const { executor, purpose, root, parents, parentsReady } = options;
  const session = await executor.open();
  try {
    await enter(session, options);
    const pipeline = new Pipeline(session, purpose);
    const writer = new LayerWriter(pipeline);
    await readAll(options, new TarParser(writer), pipeline);
    await pipeline.settle();
    await parentsReady;
    const lower = new LowerView(executor, parents);
    await finishLayer({ writer, pipeline, executor, root, parents, lower });
    options.signal?.throwIfAborted();
    if (options.durable !== false) await syncLayer(pipeline);
    return writer.size;
  } catch (error) {
    throw explained(error, options);
  } finally {
    session.close();
  }
}

/** Shuts the session's process up in the layer's directory. */
async function enter(session: Session, { purpose, root, trash, archive }: UnpackOptions): Promise<void> {
  const program = new Program(purpose);
  program.call("umask", [0], { note: "let modes be what they say" });
  const open = flags.O_PATH | flags.O_DIRECTORY | flags.O_NOFOLLOW | flags.O_CLOEXEC;
  const fd = program.sys("openat", [flags.AT_FDCWD, program.text(trash), open, 0], {
    note: "open the place for what is replaced",
  });
  program.call("dup3", [fd, TRASH_FD, flags.O_CLOEXEC], { note: "give it a fixed number" });
  program.call("close", [fd], { note: "close the other" });
  if (archive !== undefined) {
    const how = flags.O_RDONLY | flags.O_NOFOLLOW | flags.O_CLOEXEC;
    const file = program.sys("openat", [flags.AT_FDCWD, program.text(archive), how, 0], { note: "open the archive" });
    program.call("dup3", [file, ARCHIVE_FD, flags.O_CLOEXEC], { note: "give it a fixed number" });
    program.call("close", [file], { note: "close the other" });
  }
  program.call("chroot", [program.text(root)], { note: "make the layer the root" });
  program.call("chdir", [program.text("/")], { note: "go there" });
  await session.run(program);
}

async function readAll({ tar, signal }: UnpackOptions, parser: TarParser, pipeline: Pipeline): Promise<void> {
  for await (const chunk of tar) {
    signal?.throwIfAborted();
    if (isCopied(chunk)) parser.copied(chunk.at, chunk.size);
    else parser.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    await pipeline.room();
  }
  signal?.throwIfAborted();
  parser.finish();
}

function explained(error: unknown, { purpose, signal }: UnpackOptions): unknown {
  if (signal?.aborted) return new SampanError("cancelled", `Cannot ${purpose}: it was cancelled`, { cause: error });
  if (error instanceof KernelError && error.errno && isArchivesFault(errnoNumber(error.errno as Errno))) {
    return new SampanError("invalid", error.message, { cause: error });
  }
  return error;
}
