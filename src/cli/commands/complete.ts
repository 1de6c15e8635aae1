import { defineCommand } from "../command.ts";
import { complete } from "../completion/complete.ts";
import { daemonLookup } from "../completion/lookup.ts";

/** `sampan __complete -- WORD...`: what the scripts of `sampan completion` ask. */
export default defineCommand({
  usage: "-- WORD...",
  summary: "",
  arity: { min: 0 },
  flagsFirst: true,
  options: {},
  run: async (context, words) => {
    const at = words.findIndex((word) => word === "-H" || word === "--host");
    const { candidates, files } = await complete(words, daemonLookup(at < 0 ? undefined : words[at + 1]));
    if (files) context.print(":file");
    for (const { value, help } of candidates) context.print(help ? `${value}\t${help}` : value);
    return 0;
  },
});
