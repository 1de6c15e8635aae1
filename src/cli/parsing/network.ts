import { isIP } from "node:net";
import { invalid } from "../errors.ts";
import { parseCsv } from "./csv.ts";
import { parseInteger } from "./numbers.ts";

/** One network that a container is to join, as `--network` says it. */
export interface NetworkAttachment {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly ip: string | undefined;
  readonly ip6: string | undefined;
  readonly linkLocalIps: readonly string[];
  readonly macAddress: string | undefined;
  readonly driverOptions: Readonly<Record<string, string>>;
  readonly gatewayPriority: number;
}

/** `--dns`: one IP address. */
export function parseDns(text: string): string {
  if (isIP(text) === 0) throw invalid(`IP address is not correctly formatted: ${text}`);
  return text;
}

/** `--dns-search`: a domain; "." stands for none at all. */
export function parseDnsSearch(text: string): string {
  const label = "[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?";
  const domain = text.trim();
  if (domain === ".") return domain;
  if (/[A-Za-z]/.test(domain) && domain.length < 255 && new RegExp(`^${label}(\\.${label})*\\.?$`).test(domain))
    return domain;
  throw invalid(`${text} is not a valid domain`);
}

/** `--add-host name:ip` or `name=ip`, in the API's colon form; `host-gateway` stands for the host. */
export function parseExtraHost(text: string): string {
  const [, name = "", address = ""] = /^([^=:]+)[=:](.*)$/.exec(text) ?? [];
  if (name === "") throw invalid(`bad format for add-host: "${text}"`);
  const bare = address.replace(/^\[(.*:.*)\]$/, "$1");
  if (address !== "host-gateway" && isIP(bare) === 0) throw invalid(`invalid IP address in add-host: "${address}"`);
  return `${name}:${bare}`;
}

/** `--link container[:alias]`. */
export function parseLink(text: string): string {
  if (!/^[^:]+(:[^:]+)?$/.test(text)) throw invalid(`bad format for links: ${text}`);
  return text;
}

/** `--mac-address`: six bytes, with colons, hyphens or dots between them. */
export function parseMacAddress(text: string): string {
  if (/^[0-9a-f]{2}(([:-])[0-9a-f]{2})(\2[0-9a-f]{2}){4}$/i.test(text)) return text;
  if (/^[0-9a-f]{4}(\.[0-9a-f]{4}){2}$/i.test(text)) return text;
  throw invalid(`${text} is not a valid mac address`);
}

/** `key=value`, a key alone having the empty value. */
export function parseOption(text: string): readonly [key: string, value: string] {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

/** `--driver-opt key=value`. */
export function parseDriverOption(text: string): readonly [key: string, value: string] {
  const [key, value] = parseOption(text);
  if (key.trim() === "" || !text.includes("=")) throw invalid("invalid key value pair format in driver options");
  return [key.trim(), value.trim()];
}

type Draft = { -readonly [K in keyof NetworkAttachment]: NetworkAttachment[K] };

/** The fields of `--network name=…,alias=…` and what each adds. */
const fields: Readonly<Record<string, (draft: Draft, value: string) => void>> = {
  name: (draft, value) => {
    draft.name = value;
  },
  alias: (draft, value) => {
    draft.aliases = [...draft.aliases, value];
  },
  ip: (draft, value) => {
    draft.ip = value;
  },
  ip6: (draft, value) => {
    draft.ip6 = value;
  },
  "link-local-ip": (draft, value) => {
    draft.linkLocalIps = [...draft.linkLocalIps, value];
  },
  "mac-address": (draft, value) => {
    draft.macAddress = parseMacAddress(value);
  },
  "driver-opt": (draft, value) => {
    draft.driverOptions = { ...draft.driverOptions, ...Object.fromEntries([parseDriverOption(value)]) };
  },
  "gw-priority": (draft, value) => {
    draft.gatewayPriority = gatewayPriority(value);
  },
};

/** `--network foo`, or `--network name=foo,alias=a,ip=10.0.0.5,driver-opt=k=v,gw-priority=1`. Throws with docker's texts. */
export function parseNetwork(text: string): NetworkAttachment {
  const draft: Draft = {
    name: "",
    aliases: [],
    ip: undefined,
    ip6: undefined,
    linkLocalIps: [],
    macAddress: undefined,
    driverOptions: {},
    gatewayPriority: 0,
  };
  if (!/^[a-z0-9-]+=[^,=]|,/i.test(text)) return { ...draft, name: text };
  for (const field of parseCsv(text)) {
    const [key, value] = parseOption(field);
    if (!field.includes("=")) throw invalid(`invalid field ${field}`);
    const add = fields[key.trim().toLowerCase()];
    if (add === undefined) throw invalid(`invalid field key ${key}`);
    add(draft, value.trim());
  }
  if (draft.name === "") throw invalid("network name/id is not specified");
  return draft;
}

function gatewayPriority(text: string): number {
  try {
    return parseInteger(text);
  } catch {
    throw invalid(`invalid gw-priority (${text}): invalid syntax`);
  }
}

/** Whether a network mode names a network that users make, as opposed to the daemon's own and to other containers'. */
export function isUserDefined(name: string): boolean {
  return !["", "default", "bridge", "host", "none"].includes(name) && !/^container(:|$)/.test(name);
}
