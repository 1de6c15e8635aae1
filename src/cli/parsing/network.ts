import { isIP } from "node:net";
import { invalid } from "../errors.ts";

/** `--dns`: one IP address. */
export function parseDns(text: string): string {
  if (isIP(text) === 0) throw invalid(`IP address is not correctly formatted: ${text}`);
  return text;
}

/** `--add-host name:ip` or `name=ip`, in the API's colon form; `host-gateway` stands for the host. */
export function parseExtraHost(text: string): string {
  const match = /^([^=:]+)[=:](.+)$/.exec(text);
  const [, name = "", address = ""] = match ?? [];
  if (match === null || name === "") throw invalid(`bad format for add-host: "${text}"`);
  const bare = address.replace(/^\[(.*)\]$/, "$1");
  if (address !== "host-gateway" && isIP(bare) === 0) throw invalid(`invalid IP address in add-host: "${address}"`);
  return `${name}:${bare}`;
}

/** `--network none|host`; everything else waits for networking. */
export function parseNetworkMode(text: string): string {
  if (text === "none" || text === "host" || text === "default") return text;
  throw invalid(`network ${text} cannot be joined, networks are not in this version of Sampan yet: use none or host`);
}

/** `--expose 80`, `--expose 8000-8010/udp`: ports in the API's `port/protocol` form. */
export function parseExpose(text: string): string[] {
  const match = /^(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/.exec(text);
  if (match === null) throw invalid(`invalid port format for --expose: ${text}`);
  const [, fromText = "", toText = fromText, protocol = "tcp"] = match;
  const [from, to] = [Number(fromText), Number(toText)];
  if (from < 1 || to > 65535 || to < from) throw invalid(`invalid range format for --expose: ${text}`);
  return Array.from({ length: to - from + 1 }, (_, index) => `${from + index}/${protocol}`);
}
