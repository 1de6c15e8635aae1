import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { forEach, ignoreNotModified } from "../each.ts";
import { ExitError } from "../errors.ts";
import { flag, later } from "../options.ts";
import { detachKeysFlag } from "../run/later.ts";
import { runInForeground } from "../run/run-container.ts";
import { parseDetachKeys } from "../terminal/detach.ts";

const checkpoints = "checkpoints are";

export default defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Start one or more stopped containers",
  arity: { min: 1 },
  options: {
    attach: flag("a", "Attach STDOUT/STDERR and forward signals"),
    checkpoint: later(checkpoints),
    "checkpoint-dir": later(checkpoints),
    "detach-keys": detachKeysFlag,
    interactive: flag("i", "Attach container's STDIN"),
  },
  run: async (context, names, { attach, interactive, "detach-keys": detachKeys }) => {
    if (!attach && !interactive) {
      return forEach(context, names, async (name) => {
        await context.client.containers.start(name).catch(ignoreNotModified);
        return name;
      });
    }
    const [name = "", ...others] = names;
    if (others.length > 0) throw new ExitError(1, "you cannot start and attach multiple containers at once");
    return startAttached(context, name, { interactive, detachKeys });
  },
});

async function startAttached(
  context: Context,
  name: string,
  { interactive, detachKeys }: { readonly interactive: boolean; readonly detachKeys: string | undefined },
): Promise<number> {
  const { Id: id, Config: config, HostConfig: host } = await context.client.containers.inspect(name);
  const tty = config.Tty ?? false;
  const stdin = interactive && (config.OpenStdin ?? false);
  if (tty && stdin && !context.stdin.isTTY) throw new ExitError(1, "the input device is not a TTY");
  return runInForeground(context, id, {
    attached: { stdin, stdout: true, stderr: true },
    tty,
    autoRemove: host.AutoRemove ?? false,
    sigProxy: true,
    detachKeys: parseDetachKeys(detachKeys),
    detachKeysText: detachKeys,
  });
}
