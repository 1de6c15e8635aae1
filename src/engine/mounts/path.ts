import { posix } from "node:path";
import { SampanError } from "../../errors/index.ts";

/** A clean absolute path in a container, or an `invalid` error in dockerd's words. */
export function destinationOf(path: string, specification: string): string {
  const refuse = (why: string) =>
    new SampanError("invalid", `invalid volume specification: '${specification}': ${why}`);
  if (path === "") throw refuse("destination can't be empty");
  if (!path.startsWith("/")) throw refuse(`invalid mount path: '${path}' mount path must be absolute`);
  const clean = posix.normalize(path);
  const short = clean.length > 1 && clean.endsWith("/") ? clean.slice(0, -1) : clean;
  if (short === "/") throw refuse("invalid specification: destination can't be '/'");
  return short;
}
