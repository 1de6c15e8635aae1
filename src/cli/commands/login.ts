import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { ask, secretFromInput } from "../credentials/ask.ts";
import { CredentialStore, serverKey } from "../credentials/store.ts";
import { ExitError } from "../errors.ts";
import { flag, text } from "../options.ts";

interface Given {
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly "password-stdin": boolean;
}

export default defineCommand({
  usage: "[OPTIONS] [SERVER]",
  summary: "Authenticate to a registry; Docker Hub if no server is specified",
  arity: { min: 0, max: 1 },
  options: {
    password: text("p", "Password or Personal Access Token (PAT)"),
    "password-stdin": flag("", "Take the Password or Personal Access Token (PAT) from stdin"),
    username: text("u", "Username"),
  },
  run: async (context, [server], given) => {
    checkGiven(context, given);
    const serveraddress = serverKey(server);
    const store = new CredentialStore(context.env);
    const known = given.username === undefined ? store.get(serveraddress) : undefined;
    const credentials = known ?? { ...(await credentialsOf(context, given)), serveraddress };
    const { Status: status, IdentityToken: token } = await context.client.login(credentials);
    store.store(token ? { ...credentials, password: "", identitytoken: token } : credentials);
    if (store.isPlain(serveraddress) && known === undefined) context.warn(unencrypted(store.path));
    context.print(status || "Login Succeeded");
    return 0;
  },
});

function checkGiven(context: Context, { username, password, "password-stdin": fromInput }: Given): void {
  if (password !== undefined) {
    context.warn("WARNING! Using --password via the CLI is insecure. Use --password-stdin.");
    if (fromInput) throw new ExitError(1, "--password and --password-stdin are mutually exclusive");
  }
  if (fromInput && !username) throw new ExitError(1, "Must provide --username with --password-stdin");
}

async function credentialsOf(
  context: Context,
  given: Given,
): Promise<{ readonly username: string; readonly password: string }> {
  if (given["password-stdin"]) return { username: given.username ?? "", password: await secretFromInput(context) };
  const username = given.username ?? (await ask(context, "Username: ", { secret: false })).trim();
  if (username === "") throw new ExitError(1, "Error: username is required");
  const password = given.password ?? (await ask(context, "Password: ", { secret: true }));
  if (password === "") throw new ExitError(1, "Error: password is required");
  return { username, password };
}

function unencrypted(path: string): string {
  return [
    `\nWARNING! Your credentials are stored unencrypted in '${path}'.`,
    "Configure a credential helper to remove this warning. See",
    "https://docs.docker.com/go/credential-store/\n",
  ].join("\n");
}
