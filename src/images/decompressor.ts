import { spawn } from "node:child_process";
import { SampanError } from "../errors/index.ts";
import { drained } from "../kernel/drained.ts";
import { findProgram } from "./find-program.ts";

/** Formats that Node cannot read, and the programs that can. */
const programs: Readonly<Record<"xz" | "bzip2", string>> = { xz: "xz", bzip2: "bzip2" };
/** What is kept of a program's complaints. */
const maxComplaint = 1000;

/**
 * The bytes without their compression, by the machine's own xz or bzip2. Kind "unsupported" where it has none, "invalid" for
 * damaged data; `what` names them.
 */
export async function* decompressedByProgram(
  source: AsyncIterable<Uint8Array>,
  format: "xz" | "bzip2",
  what: string,
): AsyncIterable<Uint8Array> {
  const program = findProgram(programs[format]);
  if (program === undefined) {
    const remedy = `install ${programs[format]} on this machine, or decompress it first`;
    throw new SampanError("unsupported", `Cannot read ${what}: there is no ${programs[format]} here; ${remedy}`);
  }
  const child = spawn(program, ["-dc"], { stdio: ["pipe", "pipe", "pipe"], env: { LC_ALL: "C" } });
  const ended = new Promise<string | undefined>((resolve) => {
    let complaint = "";
    child.stderr.on("data", (chunk: Buffer) => {
      complaint = (complaint + chunk.toString()).slice(0, maxComplaint);
    });
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code) =>
      resolve(code === 0 ? undefined : complaint.trim() || `${program} ended with ${code}`),
    );
  });
  // It may end before it has read all: then its exit status says why.
  child.stdin.on("error", () => undefined);
  const feeding = feed(source, child.stdin);
  feeding.catch(() => child.kill("SIGKILL"));
  try {
    yield* child.stdout as AsyncIterable<Uint8Array>;
    await feeding;
    const complaint = await ended;
    if (complaint !== undefined)
      throw new SampanError("invalid", `Cannot read ${what}: its ${format} data are damaged: ${complaint}`);
  } finally {
    child.kill("SIGKILL");
    child.stdin.destroy();
    await feeding.catch(() => undefined);
  }
}

async function feed(
  source: AsyncIterable<Uint8Array>,
  into: NodeJS.WritableStream & { destroyed: boolean },
): Promise<void> {
  for await (const piece of source) {
    // What is behind the compressed data is read, too: who verifies the source has to see it.
    if (into.destroyed || into.write(piece)) continue;
    await drained(into);
  }
  into.end();
}
