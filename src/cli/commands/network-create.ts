import { defineCommand } from "../command.ts";
import { flag, folded, list, text } from "../options.ts";
import { commaList } from "../parsing/csv.ts";
import { egressConfig, parseEgress } from "../parsing/egress.ts";
import { ipamConfigs } from "../parsing/ipam.ts";
import { parseLabel } from "../parsing/key-value.ts";
import { parseOption } from "../parsing/network.ts";
import { parseBool } from "../parsing/numbers.ts";

/** A switch that is not sent unless it was given. */
const choice = (help: string) =>
  folded<boolean | undefined>("", help, "", { initial: undefined, read: (value) => parseBool(value) });

export default defineCommand({
  usage: "[OPTIONS] NETWORK",
  summary: "Create a network",
  arity: { min: 1, max: 1 },
  options: {
    attachable: flag("", "Enable manual container attachment"),
    "aux-address": list(
      "",
      "Auxiliary IPv4 or IPv6 addresses used by Network driver (NAME=ADDRESS)",
      parseOption,
      "map",
    ),
    "config-from": text("", "The network from which to copy the configuration"),
    "config-only": flag("", "Create a configuration only network"),
    driver: text("d", 'Driver to manage the Network (default "bridge")'),
    egress: list(
      "",
      "What its containers may reach (deny|allow=HOST[:PORT]|allow=*.DOMAIN[:PORT]|allow=CIDR[:PORT])",
      parseEgress,
    ),
    gateway: list("", "IPv4 or IPv6 Gateway for the master subnet", commaList, "strings"),
    ingress: flag("", "Create swarm routing-mesh network"),
    internal: flag("", "Restrict external access to the network"),
    "ip-range": list("", "Allocate container ip from a sub-range", commaList, "strings"),
    "ipam-driver": text("", 'IP Address Management Driver (default "default")'),
    "ipam-opt": list("", "Set IPAM driver specific options", parseOption, "map"),
    ipv4: choice("Enable or disable IPv4 address assignment (default true)"),
    ipv6: choice("Enable or disable IPv6 address assignment"),
    label: list("", "Set metadata on a network", parseLabel),
    opt: list("o", "Set driver specific options", parseOption, "map"),
    scope: text("", "Control the network's scope"),
    subnet: list("", "Subnet in CIDR format that represents a network segment", commaList, "strings"),
  },
  run: async (context, [name = ""], values) => {
    const configs = ipamConfigs({
      subnets: values.subnet.flat(),
      ranges: values["ip-range"].flat(),
      gateways: values.gateway.flat(),
      auxiliary: values["aux-address"],
    });
    const { Id: id, Warning: warning } = await context.client.networks.create({
      Name: name,
      Driver: values.driver ?? "bridge",
      Scope: values.scope,
      EnableIPv4: values.ipv4,
      EnableIPv6: values.ipv6,
      Internal: values.internal,
      Attachable: values.attachable,
      Ingress: values.ingress,
      ConfigOnly: values["config-only"],
      ConfigFrom: values["config-from"] === undefined ? undefined : { Network: values["config-from"] },
      IPAM: {
        Driver: values["ipam-driver"] ?? "default",
        Options: Object.fromEntries(values["ipam-opt"]),
        Config: configs,
      },
      Options: Object.fromEntries(values.opt),
      Labels: Object.fromEntries(values.label),
      Egress: egressConfig(values.egress),
    });
    if (warning) context.warn(`WARNING: ${warning}`);
    context.print(id);
    return 0;
  },
});
