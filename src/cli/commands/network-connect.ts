import { defineCommand } from "../command.ts";
import { integer, list, text } from "../options.ts";
import { commaList } from "../parsing/csv.ts";
import { parseDriverOption, parseLink } from "../parsing/network.ts";
import { mapOf, some } from "../run/absent.ts";
import { ipamConfig } from "../run/endpoints.ts";

export default defineCommand({
  usage: "[OPTIONS] NETWORK CONTAINER",
  summary: "Connect a container to a network",
  arity: { min: 2, max: 2 },
  options: {
    alias: list("", "Add network-scoped alias for the container", commaList, "strings"),
    "driver-opt": list("", "driver options for the network", parseDriverOption, "strings"),
    "gw-priority": integer(
      "",
      "Highest gw-priority provides the default gateway. Accepts positive and negative values.",
    ),
    ip: text("", 'IPv4 address (e.g., "172.30.100.104")'),
    ip6: text("", 'IPv6 address (e.g., "2001:db8::33")'),
    link: list("", "Add link to another container", parseLink),
    "link-local-ip": list("", "Add a link-local address for the container", commaList, "strings"),
  },
  run: async (context, [network = "", container = ""], values) => {
    const linkLocalIps = values["link-local-ip"].flat();
    await context.client.networks.connect(network, {
      Container: container,
      EndpointConfig: {
        IPAMConfig: ipamConfig({ ip: values.ip, ip6: values.ip6, linkLocalIps }),
        Links: some(values.link),
        Aliases: some(values.alias.flat()),
        DriverOpts: mapOf(values["driver-opt"]),
        GwPriority: values["gw-priority"],
      },
    });
    return 0;
  },
});
