import { BlockList, isIPv4, isIPv6 } from "node:net";
import { defaultDomain } from "./reference.ts";

/** Whether a host name or address (with or without brackets) means this machine. */
export function isLoopback(hostname: string): boolean {
  const bare = hostname.replace(/^\[|\]$/g, "");
  return bare === "localhost" || bare === "::1" || (isIPv4(bare) && bare.startsWith("127."));
}

/** The host that serves a domain's images: docker.io is only a name. */
export function hostOf(domain: string): string {
  return domain === defaultDomain ? "registry-1.docker.io" : domain;
}

/**
 * Whether `domain` ("host" or "host:port") may be spoken to without TLS: it is loopback, listed as "host" or
 * "host:port", or its address lies in a listed network ("10.0.0.0/8").
 */
export function isInsecure(domain: string, listed: readonly string[]): boolean {
  const { hostname } = new URL(`http://${domain}`);
  if (isLoopback(hostname)) return true;
  const bare = hostname.replace(/^\[|\]$/g, "");
  return listed.some((entry) => entry === domain || entry === bare || contains(entry, bare));
}

function contains(network: string, address: string): boolean {
  const [base = "", bits = ""] = network.split("/");
  const family = isIPv4(address) ? "ipv4" : "ipv6";
  const valid = family === "ipv4" ? isIPv4(base) : isIPv6(base) && isIPv6(address);
  if (!valid || !/^\d{1,3}$/.test(bits)) return false;
  const list = new BlockList();
  list.addSubnet(base, Number(bits), family);
  return list.check(address, family);
}
