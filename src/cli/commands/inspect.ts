import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { ExitError, invalid } from "../errors.ts";
import { inspectFlags, printInspected, sizeFlag } from "../inspect.ts";
import { parsed } from "../options.ts";

type Kind = "container" | "image" | "network" | "volume";

const kinds: readonly Kind[] = ["container", "image", "network", "volume"];

export default defineCommand({
  usage: "[OPTIONS] NAME|ID [NAME|ID...]",
  summary: "Return low-level information on containers, images, networks and volumes",
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
  const { containers, images, networks, volumes } = context.client;
  const inspectors: Readonly<Record<Kind, () => Promise<object>>> = {
    container: () => containers.inspect(name, { size: size || undefined }),
    image: () => images.inspect(name),
    network: () => networks.inspect(name),
    volume: () => volumes.inspect(name),
  };
  if (type !== undefined) return inspectors[type]();
  for (const inspect of Object.values(inspectors)) {
    const found = await inspect().catch((error) => {
      // What can be no image's name is refused as invalid.
      if (error.kind !== "not-found" && error.kind !== "invalid") throw error;
    });
    if (found !== undefined) return found;
  }
  throw new ExitError(1, `Error: No such object: ${name}`, "not-found");
}

function kind(text: string): Kind {
  const known = kinds.find((one) => one === text);
  if (known !== undefined) return known;
  throw invalid(`${JSON.stringify(text)} is not a type that Sampan has: use container, image, network or volume`);
}
