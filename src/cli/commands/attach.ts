import { defineCommand } from "../command.ts";
import { ExitError } from "../errors.ts";
import { flag } from "../options.ts";
import { detachKeysFlag } from "../run/later.ts";
import { parseDetachKeys } from "../terminal/detach.ts";
import { Session } from "../terminal/session.ts";
import { proxySignals } from "../terminal/signals.ts";

export default defineCommand({
  usage: "[OPTIONS] CONTAINER",
  summary: "Attach local standard input, output, and error streams to a running container",
  arity: { min: 1, max: 1 },
  options: {
    "detach-keys": detachKeysFlag,
    "no-stdin": flag("", "Do not attach STDIN"),
    "sig-proxy": flag("", "Proxy all received signals to the process (default true)", true),
  },
  run: async (context, [name = ""], values) => {
    const { containers } = context.client;
    const { Id: id, Config: config, State: state } = await containers.inspect(name);
    if (!state.Running) throw new ExitError(1, "You cannot attach to a stopped container, start it first");
    if (state.Paused) throw new ExitError(1, "You cannot attach to a paused container, unpause it first");
    const tty = config.Tty ?? false;
    const stdin = !values["no-stdin"] && (config.OpenStdin ?? false);
    if (tty && stdin && !context.stdin.isTTY) throw new ExitError(1, "the input device is not a TTY");
    const keys = values["detach-keys"];
    const streams = { stdin, stdout: true, stderr: true };
    const [connection, { exit }] = await Promise.all([
      containers.attach(id, { ...streams, stream: true, detachKeys: keys }),
      containers.wait(id),
    ]);
    using resources = new DisposableStack();
    if (values["sig-proxy"] && !tty) resources.use(proxySignals((signal) => containers.kill(id, { signal })));
    const resize = (size: { h: number; w: number }): Promise<void> => containers.resize(id, size);
    const detachKeys = parseDetachKeys(keys);
    const session = resources.use(new Session(context, connection, { ...streams, tty, detachKeys, resize }));
    // A terminal of the same size makes a program draw nothing; a change does: so the prompt is there again.
    if (tty && context.stdout.isTTY) await resize(larger(context.stdout)).catch(() => {});
    session.followSize();
    if ((await session.ended) === "detached") throw new ExitError(1, "read escape sequence");
    return (await exit).StatusCode;
  },
});

function larger({ rows, columns }: { readonly rows: number; readonly columns: number }): { h: number; w: number } {
  return { h: rows + 1, w: columns + 1 };
}
