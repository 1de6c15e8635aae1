import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { ExitError } from "../errors.ts";
import { flag } from "../options.ts";
import { createContainer } from "../run/create-container.ts";
import { containerFailure } from "../run/exit-code.ts";
import { containerFlags } from "../run/flags.ts";
import { detachKeysFlag, quietFlags } from "../run/later.ts";
import type { Attached } from "../run/request.ts";
import { attachedStreams, createRequest } from "../run/request.ts";
import { runInForeground } from "../run/run-container.ts";
import { parseDetachKeys } from "../terminal/detach.ts";

export default defineCommand({
  usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
  summary: "Create and run a new container from an image",
  arity: { min: 1 },
  flagsFirst: true,
  options: {
    ...containerFlags,
    ...quietFlags,
    detach: flag("d", "Run container in background and print container ID"),
    "detach-keys": detachKeysFlag,
    explain: flag("", "Print the program of system calls of the container instead of starting it"),
    "sig-proxy": flag("", "Proxy received signals to the process (default true)", true),
  },
  run: async (context, args, values) => {
    const { detach, tty, rm: autoRemove } = values;
    if (detach && values.attach.length > 0) {
      throw new ExitError(1, "conflicting options: cannot specify both --attach and --detach");
    }
    const attached = attachedStreams(values, detach);
    try {
      const detachKeys = parseDetachKeys(values["detach-keys"]);
      const request = createRequest(context, args, { values, attached });
      if (values.explain) return await explain(context, request, values.platform);
      checkTerminal(context, tty, attached);
      const id = await createContainer(context, request, values);
      if (detach) {
        await context.client.containers.start(id);
        context.print(id);
        return 0;
      }
      return await runInForeground(context, id, {
        attached,
        tty,
        autoRemove,
        sigProxy: values["sig-proxy"],
        detachKeys,
        detachKeysText: values["detach-keys"],
      });
    } catch (error) {
      throw containerFailure("run", error);
    }
  },
});

function checkTerminal(context: Context, tty: boolean, attached: Attached): void {
  if (tty && attached.stdin && !context.stdin.isTTY) throw new ExitError(1, "the input device is not a TTY");
}

async function explain(
  context: Context,
  request: Parameters<Context["client"]["containers"]["explain"]>[0],
  platform: string | undefined,
): Promise<number> {
  const { text } = await context.client.containers.explain(request, { platform });
  const { painter } = await import("../format/colour.ts");
  const paint = painter(context.stdout, context.env);
  // Concepts stand at the margin, sentences below them, and the calls themselves further in.
  const lines = text.trimEnd().replace(/^\S.*$/gm, (concept) => paint("bold", concept));
  context.print(lines.replace(/^ {6,}.*$/gm, (call) => paint("dim", call)));
  return 0;
}
