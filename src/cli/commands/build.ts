import { build } from "../build/build.ts";
import { buildFlags } from "../build/flags.ts";
import { defineCommand } from "../command.ts";

export default defineCommand({
  usage: "[OPTIONS] PATH | URL | -",
  summary: "Build an image from a Dockerfile",
  arity: { min: 1, max: 1 },
  options: buildFlags,
  run: (context, [path = ""], values) => build(context, path, values),
});
