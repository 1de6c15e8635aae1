import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { ExitError, invalid } from "../errors.ts";
import { inspectFlags, printInspected, sizeFlag } from "../inspect.ts";
import { parsed } from "../options.ts";

type Kind = "container" | "image";

export default defineCommand({
  usage: "[OPTIONS] NAME|ID [NAME|ID...]",
  summary: "Return low-level information on containers and images",
  arity: { min: 1 },
  options: {
    ...inspectFlags,
    size: sizeFlag,
    type: parsed("", "Only inspect objects of the given type", "string", kind),
  },
  run: (context, names, { format, size, type }) =>
    printInspected(context, names, { format, find: (name) => find(context, name, { size, type }) }),
});

async function find(
  context: Context,
  name: string,
  { size, type }: { readonly size: boolean; readonly type: Kind | undefined },
): Promise<object> {
  const { containers, images } = context.client;
  const container = (): Promise<object> => containers.inspect(name, { size: size || undefined });
  if (type === "container") return container();
  if (type === "image") return images.inspect(name);
  return container().catch(async (error) => {
    if (error.kind !== "not-found") throw error;
    return images.inspect(name).catch(() => {
      throw new ExitError(1, `Error: No such object: ${name}`, "not-found");
    });
  });
}

function kind(text: string): Kind {
  if (text === "container" || text === "image") return text;
  throw invalid(`${JSON.stringify(text)} is not a type that Sampan has: use container or image`);
}
