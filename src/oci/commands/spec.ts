import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SampanError } from "../../errors/index.ts";
import { defaultConfig, rootlessConfig } from "../config/default-config.ts";
import { command } from "./command.ts";

export const spec = command({
  name: "spec",
  usage: "[options]",
  help: "write a config.json to begin with",
  options: {
    bundle: { kind: "text", short: "b", help: "the bundle's directory; the current one by default" },
    rootless: { kind: "flag", help: "for a container of a user other than root" },
  },
  words: [0, 0],
  run: (_, { bundle = ".", rootless }) => {
    const path = join(bundle, "config.json");
    if (existsSync(path)) throw new SampanError("conflict", "File config.json exists. Remove it first");
    writeFileSync(path, JSON.stringify(rootless ? rootlessConfig() : defaultConfig(), null, "\t"), { mode: 0o666 });
    return 0;
  },
});
