import { defineCommand } from "../command.ts";
import { scripts } from "../completion/scripts.ts";
import { ExitError } from "../errors.ts";

export default defineCommand({
  usage: "SHELL",
  summary: "Generate the autocompletion script for the specified shell (bash, fish or zsh)",
  arity: { min: 1, max: 1 },
  options: {},
  run: async (context, [shell = ""]) => {
    const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
    if (script === undefined) {
      throw new ExitError(1, `sampan: no completion for shell ${JSON.stringify(shell)}: bash, fish and zsh have one`);
    }
    context.stdout.write(script);
    return 0;
  },
});
