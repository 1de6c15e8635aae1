import type { Context } from "./context.ts";
import { describe } from "./describe.ts";
import { flag, text } from "./options.ts";

/** The flags of everything that inspects. */
export const inspectFlags = {
  format: text("f", "Format output using a custom template: 'json' or a Go template"),
};

export const sizeFlag = flag("s", "Display total file sizes if the type is container");

/**
 * Prints what `find` knows of each name: one JSON array, or the template filled in for each. Names that are not found are
 * told afterwards; resolves with 1 then.
 */
export async function printInspected(
  context: Context,
  names: readonly string[],
  { find, format }: { readonly find: (name: string) => Promise<object>; readonly format: string | undefined },
): Promise<number> {
  const render = await renderer(format);
  const found: object[] = [];
  const errors: string[] = [];
  for (const name of names) {
    try {
      found.push(await find(name));
    } catch (error) {
      errors.push(describe(error));
    }
  }
  if (format === "json") context.print(JSON.stringify(found));
  else if (render === undefined) context.print(found.length === 0 ? "[]" : JSON.stringify(found, undefined, 4));
  else for (const object of found) context.print(render(object));
  for (const error of errors) context.warn(error);
  return errors.length === 0 ? 0 : 1;
}

async function renderer(format: string | undefined): Promise<((object: object) => string) | undefined> {
  if (format === undefined || format === "" || format === "json") return undefined;
  const { compileTemplate } = await import("./template/index.ts");
  return compileTemplate(format);
}
