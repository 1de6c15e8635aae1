/**
 * Run by test/suites/layers.test.ts in a mount namespace of its own, with a small tmpfs at argv[2]: unpacks more than
 * fits and prints what comes of it as JSON.
 */
import { readdirSync } from "node:fs";
import { SampanError } from "../../src/errors/index.ts";
import { createExecutor } from "../../src/kernel/executor.ts";
import { helperBinary, helperBuilds } from "./helper.ts";
import { LayerBench } from "./layers.ts";

const directory = process.argv[2] ?? "";
const executor = createExecutor({ binary: helperBinary(helperBuilds[0]), socket: `${directory}/executor.sock` });
const bench = new LayerBench(executor, directory);
const failures: { kind: string; message: string }[] = [];
const attempts = [
  [{ name: "large", data: Buffer.alloc(6 * 1024 * 1024, "x") }],
  Array.from({ length: 3000 }, (_, index) => ({ name: `dir/small-${index}`, data: "x".repeat(3000) })),
];
for (const [index, members] of attempts.entries()) {
  await bench.apply(`full-${index}`, members).catch((error: unknown) => {
    if (error instanceof SampanError) failures.push({ kind: error.kind, message: error.message });
    else throw error;
  });
}
// There is room again.
await bench.apply("small", [{ name: "a", data: "b" }]);
await executor.close();
process.stdout.write(JSON.stringify({ failures, left: readdirSync(bench.directory) }));
