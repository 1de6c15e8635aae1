import { defineCommand } from "../command.ts";
import { parseCopyEnd } from "../copy/paths.ts";
import { ExitError } from "../errors.ts";
import { humanSize } from "../format/units.ts";
import { flag, folded } from "../options.ts";
import { parseBool } from "../parsing/numbers.ts";

export default defineCommand({
  usage: "[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n       sampan cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH",
  summary: "Copy files/folders between a container and the local filesystem",
  arity: { min: 2, max: 2 },
  options: {
    archive: flag("a", "Archive mode (copy all uid/gid information)"),
    "follow-link": flag("L", "Always follow symbol link in SRC_PATH"),
    quiet: folded<boolean | undefined>("q", "Suppress progress output during copy", "", {
      initial: undefined,
      read: (value) => parseBool(value),
    }),
  },
  run: async (context, [from = "", to = ""], { archive, "follow-link": follow, quiet }) => {
    if (from === "") throw new ExitError(1, "source can not be empty");
    if (to === "") throw new ExitError(1, "destination can not be empty");
    const source = parseCopyEnd(from);
    const destination = parseCopyEnd(to);
    if (source.container !== undefined && destination.container !== undefined) {
      throw new ExitError(1, "copying between containers is not supported");
    }
    const copied = await copy(context, source, destination, { archive, follow });
    // Unless it was said, only a terminal is told.
    const silent = quiet ?? !context.stdout.isTTY;
    if (copied !== undefined && !silent) context.warn(`Successfully copied ${humanSize(copied.bytes)} to ${copied.to}`);
    return 0;
  },
});

type End = ReturnType<typeof parseCopyEnd>;

async function copy(
  context: Parameters<typeof import("../copy/to-container.ts").copyToContainer>[0],
  source: End,
  destination: End,
  options: { readonly archive: boolean; readonly follow: boolean },
): Promise<{ readonly to: string; readonly bytes: number } | undefined> {
  if (source.container !== undefined) {
    const { copyFromContainer } = await import("../copy/from-container.ts");
    return copyFromContainer(context, { container: source.container, path: source.path }, destination.path, options);
  }
  if (destination.container === undefined) throw new ExitError(1, "must specify at least one container source");
  const { copyToContainer } = await import("../copy/to-container.ts");
  const end = { container: destination.container, path: destination.path };
  return copyToContainer(context, source.path, end, options);
}
