import type { Session } from "../../kernel/executor.ts";
import { readTar } from "../tar/read.ts";
import { ArchiveWriter, type ExtractOptions } from "./writer.ts";

/**
 * Unpacks a tar archive into the directory that the session is in, among what is there already, as `docker cp` does. The
 * session has the container's root as its own; others may be working in the same directories. On an error what was
 * unpacked so far stays.
 */
export async function extractArchive(
  session: Session,
  tar: AsyncIterable<Uint8Array>,
  options: ExtractOptions,
): Promise<void> {
  const writer = new ArchiveWriter(session, options);
  await readTar(tar, writer);
  await writer.finish();
}
