import { SampanError } from "../../errors/index.ts";
import type { Hook, InnerHooks } from "../../runtime/bundle/types.ts";
import type { HookName, OciConfig, OciHook } from "../config/config.ts";

/** What a hook is told of its container (runtime.md, "State"), but for status and process id. */
export interface HookedContainer {
  readonly ociVersion: string;
  readonly id: string;
  readonly bundle: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The hooks of one moment. */
export function hooksOf(config: Pick<OciConfig, "hooks">, name: HookName): Hook[] {
  return (config.hooks?.[name] ?? []).map((hook, index) => hookOf(hook, `hooks.${name}[${index}]`));
}

function hookOf({ path, args, env, timeout }: OciHook, field: string): Hook {
  if (!path.startsWith("/")) throw new SampanError("invalid", `${field}.path: ${path} is not an absolute path`);
  if (timeout !== undefined && timeout <= 0)
    throw new SampanError("invalid", `${field}.timeout: ${timeout} is not greater than zero`);
  const argv = args.length > 0 ? args : [path];
  return { path, argv, env, ...(timeout !== undefined && { timeout: timeout * 1000 }) };
}

/** The hooks that run in the container's namespaces. */
export function innerHooksOf(config: OciConfig, container: HookedContainer): InnerHooks {
  return {
    createContainer: hooksOf(config, "createContainer"),
    startContainer: hooksOf(config, "startContainer"),
    state: (status) => stateAround(container, status),
  };
}

/** The state's JSON, cut where the process id belongs. */
export function stateAround(container: HookedContainer, status: string): [before: string, after: string] {
  const { ociVersion, id, ...rest } = container;
  const before = JSON.stringify({ ociVersion, id, status });
  return [`${before.slice(0, -1)},"pid":`, `,${JSON.stringify(rest).slice(1)}`];
}

/** What hooks read; a container that has no process any more has pid 0. */
export function hookState(container: HookedContainer, status: string, pid: number): string {
  return stateAround(container, status).join(String(pid));
}
