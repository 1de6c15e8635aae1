import { SampanError } from "../../errors/index.ts";

/** A version of the Docker Engine API as a number that compares: 1.42 is 1042. What follows the minor is ignored. */
export type ApiVersion = number;

export const latestVersion = "1.51";
/** Docker's own hard floor: many clients have 1.24 or 1.32 built in. */
export const oldestVersion = "1.24";

/** The number of a version as it is written in paths: digits and dots. */
export function versionNumber(text: string): ApiVersion {
  const [major, minor] = text.split(".", 2);
  return Number(major || 0) * 1000 + Number(minor || 0);
}

export const latest: ApiVersion = versionNumber(latestVersion);
const oldest: ApiVersion = versionNumber(oldestVersion);

/** A request's path apart from its version prefix. */
export interface VersionedPath {
  readonly version: ApiVersion;
  /** The version as it was written; "" without a prefix, which means the latest. */
  readonly written: string;
  readonly path: string;
}

/** Splits "/v1.42/info" into 1.42 and "/info". */
export function splitVersion(url: string): VersionedPath {
  const match = /^\/v([0-9.]+)(?=\/)/.exec(url);
  const written = match?.[1];
  if (match === null || written === undefined) return { version: latest, written: "", path: url };
  return { version: versionNumber(written), written, path: url.slice(match[0].length) };
}

/** Refuses versions that are not spoken here, in the words that SDKs match. */
export function checkVersion({ version, written }: VersionedPath): void {
  if (version < oldest) {
    throw new SampanError(
      "invalid",
      `client version ${written} is too old. Minimum supported API version is ${oldestVersion}, please upgrade your client to a newer version`,
    );
  }
  if (version > latest) {
    throw new SampanError(
      "invalid",
      `client version ${written} is too new. Maximum supported API version is ${latestVersion}`,
    );
  }
}
