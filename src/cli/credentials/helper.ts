import { spawnSync } from "node:child_process";
import { ExitError } from "../errors.ts";
import type { Credentials } from "./file.ts";

/** What helpers say when they have nothing for a server: no failure. */
const absent = "credentials not found in native keychain";

/** A program `docker-credential-NAME` that keeps credentials: the protocol of docker-credential-helpers. */
export class CredentialHelper {
  readonly #program: string;

  constructor(name: string) {
    this.#program = `docker-credential-${name}`;
  }

  /** What it has of a server; undefined when that is nothing. */
  get(server: string): Credentials | undefined {
    const said = this.#ask("get", server);
    if (said === undefined) return undefined;
    const { Username = "", Secret = "" } = JSON.parse(said) as { Username?: string; Secret?: string };
    if (Username === "<token>") return { username: "", password: "", serveraddress: server, identitytoken: Secret };
    return { username: Username, password: Secret, serveraddress: server };
  }

  store({ serveraddress, username, password, identitytoken }: Credentials): void {
    const secret = identitytoken
      ? { Username: "<token>", Secret: identitytoken }
      : { Username: username, Secret: password };
    this.#ask("store", JSON.stringify({ ServerURL: serveraddress, ...secret }));
  }

  erase(server: string): void {
    this.#ask("erase", server);
  }

  #ask(action: string, input: string): string | undefined {
    const { error, status, stdout, stderr } = spawnSync(this.#program, [action], { input, encoding: "utf8" });
    if (error !== undefined) {
      throw new ExitError(1, `error getting credentials - err: exec: "${this.#program}": ${error.message}`);
    }
    if (status === 0) return stdout;
    if (stdout.includes(absent)) return undefined;
    throw new ExitError(
      1,
      `error getting credentials - err: exit status ${status}, out: \`${(stdout || stderr).trim()}\``,
    );
  }
}
