import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SampanError } from "../../errors/index.ts";
import { defaultConfig } from "../config/default-config.ts";
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
    if (rootless) throw new SampanError("unsupported", "--rootless is not supported: user namespaces are not made yet");
    const path = join(bundle, "config.json");
    if (existsSync(path)) throw new SampanError("conflict", "File config.json exists. Remove it first");
    writeFileSync(path, JSON.stringify(defaultConfig(), null, "\t"), { mode: 0o666 });
    return 0;
  },
});
