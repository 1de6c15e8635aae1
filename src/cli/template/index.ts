import type { RenderOptions } from "./evaluate.ts";
import { Evaluator } from "./evaluate.ts";
import { parseTemplate } from "./parser.ts";

/**
 * Go's text/template as far as docker's `--format` needs it: fields, variables, pipelines, if/with/range, the functions of
 * functions.ts. Throws an error with exit code 64 for a template that cannot be read.
 */
export function compileTemplate(source: string): (data: unknown, options?: RenderOptions) => string {
  const nodes = parseTemplate(source);
  return (data, options = {}) => new Evaluator(data, options).render(nodes, data);
}
