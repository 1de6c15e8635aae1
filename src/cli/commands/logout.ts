import { defineCommand } from "../command.ts";
import { CredentialStore, hub, serverKey } from "../credentials/store.ts";

export default defineCommand({
  usage: "[SERVER]",
  summary: "Log out from a registry; Docker Hub if no server is specified",
  arity: { min: 0, max: 1 },
  options: {},
  run: async (context, [server]) => {
    const key = serverKey(server);
    const shown = key === hub ? hub : (server ?? key);
    const known = new CredentialStore(context.env).erase(key);
    context.print(known ? `Removing login credentials for ${shown}` : `Not logged in to ${shown}`);
    return 0;
  },
});
