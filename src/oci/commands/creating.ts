import { numberOption, type Options } from "../arguments.ts";
import type { CreateRequest } from "../life/create.ts";

/** The options that `create` and `run` share. */
export const creatingOptions = {
  bundle: { kind: "text", short: "b", help: "the bundle's directory; the current one by default" },
  "console-socket": { kind: "text", help: "a Unix socket that is sent the terminal's master" },
  "pid-file": { kind: "text", help: "a file to write the process id to" },
  "no-pivot": { kind: "flag", help: "enter the root without pivot_root: for a root on a ramdisk" },
  "no-new-keyring": { kind: "flag", help: "leave the container the caller's session keyring" },
  "preserve-fds": { kind: "text", help: "how many descriptors from 3 on are passed on" },
} as const;

/** What they ask for. */
export function creatingRequest(
  options: Options<typeof creatingOptions>,
  id: string,
  foreground: boolean,
): CreateRequest {
  return {
    id,
    bundle: options.bundle ?? ".",
    consoleSocket: options["console-socket"],
    pidFile: options["pid-file"],
    preserveFds: numberOption(options["preserve-fds"], "preserve-fds"),
    pivot: !options["no-pivot"],
    newKeyring: !options["no-new-keyring"],
    foreground,
  };
}
