import { mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { RegistryCredentials } from "../../client/client.ts";
import { ExitError } from "../errors.ts";

/** What a registry is logged in to with; a token comes in place of a password. */
export type Credentials = RegistryCredentials;

/** One entry of `auths`: the user and the password in base64, or a token that the registry gave. */
export interface StoredAuth {
  readonly auth?: string;
  readonly identitytoken?: string;
}

/** ~/.docker/config.json, as far as credentials are concerned; everything else in it stays as it is. */
export interface ConfigFile {
  readonly auths?: Readonly<Record<string, StoredAuth>>;
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string>>;
}

/** Docker's: `DOCKER_CONFIG` names the directory. */
export function configPath(env: Readonly<Record<string, string | undefined>>): string {
  return join(env.DOCKER_CONFIG || join(env.HOME || homedir(), ".docker"), "config.json");
}

/** The file; empty when there is none. Throws when it cannot be read: a login must not overwrite it. */
export function readConfig(path: string): ConfigFile {
  try {
    return JSON.parse(readFileSync(path, "utf8") || "{}") as ConfigFile;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw new ExitError(1, `sampan: Cannot read ${path}: ${(error as Error).message}`);
  }
}

/** Replaces the file, or what it is a link to; nobody but its user may read it. */
export function writeConfig(path: string, config: ConfigFile): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const target = followed(path);
  const aside = `${target}.${process.pid}`;
  try {
    writeFileSync(aside, JSON.stringify(config, undefined, "\t"), { mode: 0o600, flag: "wx", flush: true });
    renameSync(aside, target);
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  }
}

function followed(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
