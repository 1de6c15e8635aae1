import { mkdirSync, mkdtempSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { Namespace } from "../../test/support/namespace.ts";
import { removeTree, Sandbox } from "../../test/support/sandbox.ts";

export interface BenchMachine {
  readonly box: Sandbox;
  readonly namespace: Namespace;
}

/** Our daemon in a network of its own, so that its bridge is nobody's but the benchmark's. Ends with `closing`. */
export async function startMachine(closing: AsyncDisposableStack, archive: Buffer): Promise<BenchMachine> {
  const box = new Sandbox({ SAMPAN_BRIDGE: undefined });
  // As /run: sockets of monitors and the mount point are in memory.
  const run = mkdtempSync("/dev/shm/sampan-bench-");
  symlinkSync(run, box.layout.run);
  const scratch = join(box.directory, "scratch");
  mkdirSync(scratch);
  const namespace = await Namespace.make(`benchmark in ${box.directory}`, scratch);
  box.enter = namespace.enter;
  closing.defer(async () => {
    await box.clear();
    await box.stop();
    await namespace.close();
    box.enter = [];
    await box.close();
    removeTree(run);
  });
  await box.start();
  const { status, stderr } = await box.run(["load"], { input: archive });
  if (status !== 0) throw new Error(`sampan load: ${stderr}`);
  return { box, namespace };
}
