/**
 * Makes what the npm package has besides the checkout's files: the bundles, and the library's types in dist/types. npm runs
 * it before `npm pack` and `npm publish`; package.json's "files" says what goes in.
 */
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";

const root = dirname(import.meta.dirname);
const run = (file: string, ...args: string[]): void => {
  // Standard output is npm's: `npm pack --json` prints nothing else.
  execFileSync(file, args, { cwd: root, stdio: ["ignore", 2, 2] });
};

run(join(root, "bin/sampan"), "--version");
rmSync(join(root, "dist/types"), { recursive: true, force: true });
run(process.execPath, join(root, "node_modules/typescript/bin/tsc"), "-p", join(root, "tools/tsconfig.types.json"));
