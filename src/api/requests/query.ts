import * as z from "zod";
import { SampanError } from "../../errors/index.ts";
import { validate } from "./validate.ts";

/** The parameters of a query that a schema names; of a repeated one the first, as Go's Form.Get. Others are ignored. */
export function readQuery<S extends z.ZodRawShape>(
  schema: z.ZodObject<S>,
  query: URLSearchParams,
): z.output<typeof schema> {
  const found: Record<string, string> = {};
  for (const name of Object.keys(schema.shape)) {
    const value = query.get(name);
    if (value !== null) found[name] = value;
  }
  return validate(schema as z.ZodType<z.output<typeof schema>>, found);
}

/** Docker's truth: everything but "", "0", "no", "false" and "none". */
export function flag(absent = false) {
  return z
    .string()
    .optional()
    .transform((text) =>
      text === undefined ? absent : !["", "0", "no", "false", "none"].includes(text.trim().toLowerCase()),
    );
}

/** A parameter that may be missing; "" counts as missing. */
export function text() {
  return z
    .string()
    .optional()
    .transform((value) => (value === "" ? undefined : value));
}

/** A whole number, negative ones included; "" counts as missing. */
export function integer() {
  return text().transform((value, context) => {
    if (value === undefined) return undefined;
    if (/^[+-]?\d{1,15}$/.test(value)) return Number(value);
    context.addIssue(`invalid syntax: ${JSON.stringify(value)} is not a whole number`);
    return z.NEVER;
  });
}

/** Height or width of a terminal: mandatory, 32 bits without sign. */
export function terminalSide(name: "height" | "width") {
  return z
    .string()
    .default("")
    .transform((value) => {
      const number = Number(value);
      if (/^\d+$/.test(value) && number < 2 ** 32) return number;
      const problem = /^\d+$/.test(value) ? "value out of range" : "invalid syntax";
      throw new SampanError("invalid", `invalid resize ${name} ${JSON.stringify(value)}: ${problem}`);
    });
}
