import type { ContainerConfig } from "../config.ts";

export const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * The variables a container's first process gets: what Docker always sets, those of its links, then the container's own,
 * which win. A variable without "=" takes a default away. HOME is the user's unless somebody set it.
 */
export function environment(
  config: Pick<ContainerConfig, "Env" | "Tty">,
  hostname: string,
  home: string,
  links: readonly string[] = [],
): string[] {
  const always = [`PATH=${defaultPath}`, `HOSTNAME=${hostname}`, ...(config.Tty ? ["TERM=xterm"] : [])];
  const defaults = [...always, ...links];
  const merged = overlayVariables(defaults, config.Env);
  return merged.some((variable) => variable.startsWith("HOME=")) ? merged : [...merged, `HOME=${home}`];
}

/** `base` with the variables of `over`: replaced in place, taken away by a name alone, appended when new. */
export function overlayVariables(base: readonly string[], over: readonly string[]): string[] {
  const variables = new Map(base.map((variable) => [nameOf(variable), variable]));
  for (const variable of over) {
    if (variable.includes("=")) variables.set(nameOf(variable), variable);
    else variables.delete(variable);
  }
  return [...variables.values()];
}

function nameOf(variable: string): string {
  return variable.slice(0, variable.indexOf("="));
}
