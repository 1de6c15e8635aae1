import { isIP } from "node:net";
import type { ParseArgsOptionsConfig } from "node:util";
import { messageOf, SampanError } from "../../errors/index.ts";
import type { AddressPool, NetworkingOptions } from "../../network/options.ts";

const text = { type: "string" } as const;
const texts = { type: "string", multiple: true, default: [] as string[] } as const;
const off = { type: "string", default: "false" } as const;
const on = { type: "string", default: "true" } as const;

/** The daemon's flags about networking, with dockerd's names, as `parseArgs` wants them: switches may have a value, too. */
export const networkingFlags = {
  bridge: { ...text, short: "b" },
  bip: text,
  bip6: text,
  "fixed-cidr": text,
  "fixed-cidr-v6": text,
  ipv6: off,
  "default-address-pool": texts,
  ip: text,
  mtu: text,
  icc: on,
  "ip-forward": on,
  "ip-masq": on,
  "publish-policy": text,
  "host-gateway-ip": texts,
  dns: texts,
  "dns-opt": texts,
  "dns-search": texts,
  "default-network-opt": texts,
} satisfies ParseArgsOptionsConfig;

/** Those of them that mean `=true` when they stand alone. */
export const networkingSwitches: readonly string[] = ["ipv6", "icc", "ip-forward", "ip-masq"];

export const networkingUsage = `Networking:
  -b, --bridge NAME              Make the default network of this bridge of the machine; "none": have no default
                                 network (also SAMPAN_BRIDGE, for a daemon that starts by itself)
      --bip CIDR                 The default bridge's IPv4 address and network
      --bip6 CIDR                The default bridge's IPv6 address and network
      --fixed-cidr CIDR          IPv4 range of the containers on the default bridge
      --fixed-cidr-v6 CIDR       IPv6 range of the containers on the default bridge
      --ipv6                     Have IPv6 on the default bridge
      --icc=false                Keep containers on the default bridge apart (true)
      --ip ADDRESS               Publish the ports of the default bridge there (0.0.0.0)
      --mtu BYTES                MTU of the default bridge's links
      --default-address-pool base=CIDR,size=BITS
                                 Cut networks that name no subnet from there (may be repeated)
      --default-network-opt DRIVER=OPTION=VALUE
                                 What networks of a driver have unless they say otherwise (may be repeated)
      --host-gateway-ip ADDRESS  What host-gateway in --add-host stands for (one IPv4, one IPv6 address)
      --ip-forward=false         Leave the machine's forwarding alone (true)
      --ip-masq=false            Let containers of the default bridge out with their own addresses (true)
      --publish-policy input     Let the machine's own input rules decide who reaches published ports (direct)
      --dns ADDRESS              DNS server of containers that name none (may be repeated)
      --dns-opt OPTION           DNS option of containers that name none (may be repeated)
      --dns-search DOMAIN        DNS search domain of containers that name none (may be repeated)
`;

type Flags = typeof networkingFlags;

type Given = { readonly [K in keyof Flags]?: Flags[K] extends typeof texts ? readonly string[] : string | undefined };

/** What these flags say. Throws `invalid` naming the flag; whether a range is free is the engine's to find out. */
export function parseNetworking(given: Given): NetworkingOptions {
  const options: NetworkingOptions = {
    bridge: given.bridge || undefined,
    bip: one("bip", given.bip, (text) => cidr(text, 4)),
    bip6: one("bip6", given.bip6, (text) => cidr(text, 6)),
    fixedCidr: one("fixed-cidr", given["fixed-cidr"], (text) => cidr(text, 4)),
    fixedCidrV6: one("fixed-cidr-v6", given["fixed-cidr-v6"], (text) => cidr(text, 6)),
    ipv6: truth("ipv6", given.ipv6),
    defaultAddressPools: each("default-address-pool", given["default-address-pool"], addressPool),
    ip: one("ip", given.ip, address),
    mtu: one("mtu", given.mtu, mtu),
    icc: truth("icc", given.icc),
    ipForward: truth("ip-forward", given["ip-forward"]),
    publishPolicy: one("publish-policy", given["publish-policy"], publishPolicy) ?? "direct",
    ipMasquerade: truth("ip-masq", given["ip-masq"]),
    hostGatewayIps: hostGateways((given["host-gateway-ip"] ?? []).flatMap((text) => text.split(","))),
    dns: each("dns", given.dns, address),
    dnsOptions: given["dns-opt"] ?? [],
    dnsSearch: given["dns-search"] ?? [],
    defaultNetworkOptions: networkOptions(given["default-network-opt"] ?? []),
  };
  const { bridge, bip } = options;
  if (bridge !== undefined && bip !== undefined) {
    throw new SampanError("invalid", "You specified -b & --bip, mutually exclusive options. Please specify only one");
  }
  return options;
}

function one<T>(flag: string, text: string | undefined, parse: (text: string) => T): T | undefined {
  if (text === undefined || text === "") return undefined;
  try {
    return parse(text);
  } catch (error) {
    const message = `invalid argument ${JSON.stringify(text)} for "--${flag}" flag: ${messageOf(error)}`;
    throw new SampanError("invalid", message);
  }
}

function each<T>(flag: string, given: readonly string[] | undefined, parse: (text: string) => T): readonly T[] {
  return (given ?? []).flatMap((text) => one(flag, text, parse) ?? []);
}

function truth(flag: string, text: string | undefined): boolean {
  const value = one(flag, text, (given) => {
    if (/^(1|t|true)$/i.test(given)) return true;
    if (/^(0|f|false)$/i.test(given)) return false;
    throw wrong("wanted true or false");
  });
  return value ?? false;
}

function wrong(message: string): SampanError {
  return new SampanError("invalid", message);
}

function address(text: string): string {
  if (isIP(text) === 0) throw wrong(`failed to parse IP: ${JSON.stringify(text)}`);
  return text;
}

function cidr(text: string, family?: 4 | 6): string {
  const [, base = "", bits = ""] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const found = isIP(base);
  if (found === 0 || Number(bits) > widthOf(found)) throw wrong(`invalid CIDR address: ${text}`);
  if (family !== undefined && found !== family) throw wrong(`not an IPv${family} network: ${text}`);
  return text;
}

function widthOf(family: number): number {
  return family === 6 ? 128 : 32;
}

function publishPolicy(text: string): "direct" | "input" {
  if (text === "direct" || text === "input") return text;
  throw wrong("wanted direct or input");
}

function mtu(text: string): number | undefined {
  const bytes = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (bytes === 0) return undefined;
  if (!(bytes >= 68 && bytes <= 65535)) throw wrong("wanted a number of bytes from 68 to 65535");
  return bytes;
}

/** `base=10.10.0.0/16,size=24`. */
function addressPool(text: string): AddressPool {
  const fields: Record<string, string> = {};
  for (const field of text.split(",")) {
    const [name = "", value] = field.split("=", 2);
    if (value === undefined) throw wrong(`invalid field '${field}' must be a key=value pair`);
    const key = name.toLowerCase();
    if (key !== "base" && key !== "size") throw wrong(`unexpected key '${name}' in '${field}'`);
    fields[key] = value;
  }
  const base = cidr(fields.base ?? "");
  const size = /^\d+$/.test(fields.size ?? "") ? Number(fields.size) : Number.NaN;
  const [network = "", bits] = base.split("/");
  const width = widthOf(isIP(network));
  if (!(size >= Number(bits) && size <= width)) {
    throw wrong(`invalid pool size ${fields.size ?? ""}: wanted a number of bits from ${bits} to ${width}`);
  }
  return { base, size };
}

function hostGateways(texts: readonly string[]): readonly string[] {
  const addresses = each("host-gateway-ip", texts, address);
  for (const family of [4, 6]) {
    if (addresses.filter((each) => isIP(each) === family).length <= 1) continue;
    throw wrong(`only one IPv${family} host gateway IP address can be specified`);
  }
  return addresses;
}

/** `bridge=com.docker.network.driver.mtu=1400`. */
function networkOptions(texts: readonly string[]): NetworkingOptions["defaultNetworkOptions"] {
  const byDriver: Record<string, Record<string, string>> = {};
  each("default-network-opt", texts, (text) => {
    const [, driver = "", option = "", value = ""] = /^([^=]+)=([^=]+)=(.*)$/.exec(text) ?? [];
    if (driver === "") throw wrong("wanted DRIVER=OPTION=VALUE");
    byDriver[driver] = { ...byDriver[driver], [option]: value };
  });
  return byDriver;
}
