import { flag, list, parsed, text } from "../options.ts";
import { parseEgress } from "../parsing/egress.ts";
import {
  parseDns,
  parseDnsSearch,
  parseExtraHost,
  parseLink,
  parseMacAddress,
  parseNetwork,
} from "../parsing/network.ts";
import { parseExpose, parsePublish } from "../parsing/ports.ts";

/** The flags of `run` and `create` about networks; names, ports and addresses. */
export const networkFlags = {
  "add-host": list("", "Add a custom host-to-IP mapping (host:ip|host:host-gateway)", parseExtraHost),
  dns: list("", "Set custom DNS servers", parseDns),
  "dns-option": list("", "Set DNS options"),
  "dns-search": list("", "Set custom DNS search domains", parseDnsSearch),
  egress: list("", "What it may reach (deny|allow=HOST[:PORT]|allow=*.DOMAIN[:PORT]|allow=CIDR[:PORT])", parseEgress),
  expose: list("", "Expose a port or a range of ports", parseExpose),
  ip: text("", "IPv4 address (e.g., 172.30.100.104)"),
  ip6: text("", "IPv6 address (e.g., 2001:db8::33)"),
  link: list("", "Add link to another container", parseLink),
  "link-local-ip": list("", "Container IPv4/IPv6 link-local addresses"),
  "mac-address": parsed("", "Container MAC address (e.g., 92:d0:c6:0a:29:33)", "string", parseMacAddress),
  network: list(
    "",
    "Connect a container to a network (NAME|none|host|container:NAME, or name=NAME,alias=ALIAS,ip=ADDRESS,...)",
    parseNetwork,
    "network",
  ),
  "network-alias": list("", "Add network-scoped alias for the container"),
  publish: list("p", "Publish a container's port(s) to the host ([[ip:][port]:]port[/tcp|udp|sctp])", parsePublish),
  "publish-all": flag("P", "Publish all exposed ports to random ports"),
};
