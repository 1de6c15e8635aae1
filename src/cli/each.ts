import type { Context } from "./context.ts";
import { describe } from "./describe.ts";

/**
 * Does one thing to every named container or image, all at once, and prints what came of each in the order they were
 * named: what `act` returns (nothing prints nothing), or the error to stderr. Resolves with 1 when any failed.
 */
export async function forEach(
  context: Context,
  names: readonly string[],
  act: (name: string) => Promise<string | undefined>,
): Promise<number> {
  const results = await Promise.allSettled(names.map(act));
  let code = 0;
  for (const result of results) {
    if (result.status === "fulfilled") {
      if (result.value !== undefined) context.print(result.value);
    } else {
      context.warn(describe(result.reason));
      code = 1;
    }
  }
  return code;
}

/** The wanted state holds already: that is success. */
export function ignoreNotModified(error: { readonly kind?: string }): void {
  if (error.kind !== "not-modified") throw error;
}
