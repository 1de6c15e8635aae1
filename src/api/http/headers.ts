import { latestVersion } from "./versions.ts";

/** The headers of every answer: clients negotiate by them. `server` is the engine's version. */
export function commonHeaders(server: string): Readonly<Record<string, string>> {
  return {
    "Api-Version": latestVersion,
    "Docker-Experimental": "false",
    Ostype: "linux",
    Server: `Sampan/${server} (linux)`,
  };
}

/**
 * Of /_ping besides. Builder-Version 1, because docker before 23 would otherwise build with a BuildKit client of its own, by
 * `POST /build?version=2`; later ones build with buildx, whatever it says.
 */
export const pingHeaders: Readonly<Record<string, string>> = {
  "Builder-Version": "1",
  "Cache-Control": "no-cache, no-store, must-revalidate",
  Pragma: "no-cache",
  Swarm: "inactive",
};
