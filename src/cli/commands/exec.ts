import type { CreateExecRequest } from "../../api/shapes/exec.ts";
import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { ExitError } from "../errors.ts";
import { flag, list, text } from "../options.ts";
import { parseEnv, parseEnvLines, readTextFile } from "../parsing/key-value.ts";
import { detachKeysFlag } from "../run/later.ts";
import { parseDetachKeys } from "../terminal/detach.ts";
import { Session } from "../terminal/session.ts";

export default defineCommand({
  usage: "[OPTIONS] CONTAINER COMMAND [ARG...]",
  summary: "Execute a command in a running container",
  arity: { min: 2 },
  flagsFirst: true,
  options: {
    detach: flag("d", "Detached mode: run command in the background"),
    "detach-keys": detachKeysFlag,
    env: list("e", "Set environment variables"),
    "env-file": list("", "Read in a file of environment variables"),
    interactive: flag("i", "Keep STDIN open even if not attached"),
    privileged: flag("", "Give extended privileges to the command"),
    tty: flag("t", "Allocate a pseudo-TTY"),
    user: text("u", 'Username or UID (format: "<name|uid>[:<group|gid>]")'),
    workdir: text("w", "Working directory inside the container"),
  },
  run: async (context, [container = "", ...command], values) => {
    const { detach, tty, interactive } = values;
    if (tty && interactive && !detach && !context.stdin.isTTY) {
      throw new ExitError(1, "the input device is not a TTY");
    }
    const keys = values["detach-keys"];
    const request: CreateExecRequest = {
      Cmd: command,
      Tty: tty,
      AttachStdin: !detach && interactive,
      AttachStdout: !detach,
      AttachStderr: !detach,
      Env: environment(values, context.env),
      Privileged: values.privileged,
      ...(keys === undefined ? {} : { DetachKeys: keys }),
      ...(values.user === undefined ? {} : { User: values.user }),
      ...(values.workdir === undefined ? {} : { WorkingDir: values.workdir }),
    };
    const { Id: id } = await context.client.execs.create(container, request);
    if (!detach) return inForeground(context, id, { request, detachKeys: parseDetachKeys(keys) });
    await context.client.execs.startDetached(id, { Tty: tty });
    return 0;
  },
});

async function inForeground(
  context: Context,
  id: string,
  { request, detachKeys }: { readonly request: CreateExecRequest; readonly detachKeys: Uint8Array },
): Promise<number> {
  const { execs } = context.client;
  const tty = request.Tty ?? false;
  const { stdout } = context;
  const size = tty && stdout.isTTY ? { ConsoleSize: [stdout.rows, stdout.columns] as const } : {};
  const connection = await execs.start(id, { Tty: tty, ...size });
  using session = new Session(context, connection, {
    tty,
    stdin: request.AttachStdin ?? false,
    stdout: true,
    stderr: true,
    detachKeys,
    resize: (wanted) => execs.resize(id, wanted),
  });
  session.followSize();
  if ((await session.ended) === "detached") throw new ExitError(1, "read escape sequence");
  return (await execs.inspect(id)).ExitCode ?? 0;
}

function environment(
  values: { readonly env: readonly string[]; readonly "env-file": readonly string[] },
  own: Context["env"],
): string[] {
  const fromFiles = values["env-file"].flatMap((path) => parseEnvLines(readTextFile(path), path, own));
  return [...fromFiles, ...values.env.flatMap((entry) => parseEnv(entry, own) ?? [])];
}
