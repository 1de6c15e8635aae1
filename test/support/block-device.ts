import { existsSync, readdirSync, readFileSync } from "node:fs";

/** A whole disk of this machine, whatever it is, for limits of which nothing is read or written. */
export function someBlockDevice(): { readonly path: string; readonly number: string } {
  const name = readdirSync("/sys/block").find((candidate) => existsSync(`/dev/${candidate}`)) ?? "loop0";
  const number = existsSync(`/sys/block/${name}/dev`) ? readFileSync(`/sys/block/${name}/dev`, "utf8").trim() : "7:0";
  return { path: `/dev/${name}`, number };
}
