import { readdirSync } from "node:fs";
import type { Link } from "../../kernel/netlink/route/index.ts";
import type { RuleElement } from "../firewall/elements.ts";
import { readSysctl, writeSysctl } from "./sysctl.ts";

type Family = 4 | 6;

const setting = { 4: "ipv4/ip_forward", 6: "ipv6/conf/all/forwarding" } as const;
const purpose = { 4: "let containers reach other machines", 6: "let containers reach other machines by IPv6" } as const;

/** More links than that are not a machine's own: pairs would be too many. */
const mostLinks = 32;

/** Kinds of links that never led anywhere without somebody who made them for it, as ports of bridges. */
const made: ReadonlySet<string | undefined> = new Set(["bridge", "macvlan", "ipvlan", "dummy"]);

export function forwards(family: Family): boolean {
  return readSysctl(setting[family]) === "1";
}

/**
 * What goes into the rules before we turn forwarding on: that we did it, and pairs of the links the machine has, between
 * which the machine was no router until now and shall be none. Links that appear later are their makers' affair: dockerd,
 * libvirt or a VPN find forwarding on and add no rules of their own for it.
 */
export function forwardingElements(family: Family, links: readonly Link[]): RuleElement[] {
  const own = links.filter(
    ({ name, kind, master, alias }) =>
      name !== "lo" && !made.has(kind) && master === undefined && !alias?.startsWith("sampan"),
  );
  const elements: RuleElement[] = [{ set: "changed", key: [`ipv${family}`] }];
  if (own.length > mostLinks) return elements;
  for (const from of own)
    for (const to of own) if (from !== to) elements.push({ set: `unforwarded${family}`, key: [from.name, to.name] });
  return elements;
}

/** Turns forwarding on. */
export function startForwarding(family: Family): void {
  if (family === 6) keepRouterAdvertisements();
  writeSysctl(setting[family], "1", purpose[family]);
}

/** Turns off what we have turned on, as the elements of `changed` say. */
export function stopForwarding(changed: readonly RuleElement[]): void {
  for (const { key } of changed) {
    const family = key[0] === "ipv6" ? 6 : 4;
    writeSysctl(setting[family], "0", "leave the machine's forwarding as it was");
  }
}

/**
 * A machine that forwards IPv6 takes no router's advertisements any more, and would lose its default route, unless
 * accept_ra is 2. Documentation/networking/ip-sysctl.rst
 */
function keepRouterAdvertisements(): void {
  for (const name of readdirSync("/proc/sys/net/ipv6/conf")) {
    if (["all", "default", "lo"].includes(name)) continue; // new links are none that the machine depends on
    const takes =
      readSysctl(`ipv6/conf/${name}/accept_ra`) === "1" && readSysctl(`ipv6/conf/${name}/forwarding`) === "0";
    if (takes) writeSysctl(`ipv6/conf/${name}/accept_ra`, "2", "keep the machine's IPv6 routes");
  }
}
