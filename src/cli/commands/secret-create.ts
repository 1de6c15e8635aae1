import { readFileSync } from "node:fs";
import { buffer } from "node:stream/consumers";
import { defineCommand } from "../command.ts";
import { invalid } from "../errors.ts";
import { later, list } from "../options.ts";
import { parseLabel } from "../parsing/key-value.ts";

export default defineCommand({
  usage: "[OPTIONS] SECRET [file|-]",
  summary: "Create a secret from a file or STDIN as content",
  arity: { min: 1, max: 2 },
  options: {
    driver: later("secret drivers are", { short: "d" }),
    label: list("l", "Secret labels", parseLabel),
    "template-driver": later("secret drivers are"),
  },
  run: async (context, [name = "", file = "-"], { label }) => {
    const data = file === "-" ? await buffer(context.stdin) : read(file);
    const body = { Name: name, Labels: Object.fromEntries(label), Data: data.toString("base64") };
    const { ID } = await context.client.secrets.create(body);
    context.print(ID);
    return 0;
  },
});

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw invalid(`error reading content from ${file}: ${code === "ENOENT" ? "no such file or directory" : code}`);
  }
}
