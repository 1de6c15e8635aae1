import type { Hijacked } from "../../client/hijack.ts";
import type { Context } from "../context.ts";
import { ExitError } from "../errors.ts";
import { Session } from "../terminal/session.ts";
import { proxySignals } from "../terminal/signals.ts";
import type { Attached } from "./request.ts";

export interface ForegroundOptions {
  readonly attached: Attached;
  readonly tty: boolean;
  readonly autoRemove: boolean;
  readonly sigProxy: boolean;
  readonly detachKeys: Uint8Array;
  /** As the user wrote them; the daemon looks for them, too. */
  readonly detachKeysText: string | undefined;
}

/**
 * Starts a created container with our streams joined to it and resolves with its exit code. The order is docker's: attached
 * and watched first, started then, so that neither its first byte nor its end can be missed.
 */
export async function runInForeground(context: Context, id: string, options: ForegroundOptions): Promise<number> {
  const { containers } = context.client;
  const { attached, autoRemove, detachKeysText: detachKeys } = options;
  const condition = autoRemove ? "removed" : "next-exit";
  const isAttached = attached.stdin || attached.stdout || attached.stderr;
  const attaching = isAttached ? containers.attach(id, { ...attached, stream: true, detachKeys }) : undefined;
  const [connection, { exit }] = await Promise.all([attaching, containers.wait(id, { condition })]);
  using resources = new DisposableStack();
  if (options.sigProxy && !options.tty) {
    resources.use(proxySignals((signal) => containers.kill(id, { signal })));
  }
  const session = connection && resources.use(openSession(context, id, { connection, options }));
  try {
    await containers.start(id, { detachKeys });
  } catch (error) {
    // Removed by the daemon, and only then free to be created again under its name.
    if (autoRemove) await exit.catch(() => {});
    throw error;
  }
  session?.followSize();
  if ((await session?.ended) === "detached") return 0;
  const { StatusCode: code, Error: failure } = await exit;
  if (failure?.Message) throw new ExitError(125, `sampan: Error response from daemon: ${failure.Message}`);
  return code;
}

function openSession(
  context: Context,
  id: string,
  { connection, options }: { readonly connection: Hijacked; readonly options: ForegroundOptions },
): Session {
  return new Session(context, connection, {
    ...options.attached,
    tty: options.tty,
    detachKeys: options.detachKeys,
    resize: (size) => context.client.containers.resize(id, size),
  });
}
