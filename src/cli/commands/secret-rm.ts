import { defineCommand } from "../command.ts";
import { forEach } from "../each.ts";

export default defineCommand({
  usage: "SECRET [SECRET...]",
  summary: "Remove one or more secrets",
  arity: { min: 1 },
  options: {},
  run: (context, names) => forEach(context, names, (name) => context.client.secrets.remove(name).then(() => name)),
});
