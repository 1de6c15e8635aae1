import { SampanError } from "../../errors/index.ts";
import { parseAddress } from "../addresses/address.ts";
import type { Driver } from "../types.ts";

/** Names of driver options, as Docker has them. */
export const option = {
  bridgeName: "com.docker.network.bridge.name",
  masquerade: "com.docker.network.bridge.enable_ip_masquerade",
  icc: "com.docker.network.bridge.enable_icc",
  gatewayMode4: "com.docker.network.bridge.gateway_mode_ipv4",
  gatewayMode6: "com.docker.network.bridge.gateway_mode_ipv6",
  inhibit4: "com.docker.network.bridge.inhibit_ipv4",
  hostBinding: "com.docker.network.bridge.host_binding_ipv4",
  defaultBridge: "com.docker.network.bridge.default_bridge",
  trustedInterfaces: "com.docker.network.bridge.trusted_host_interfaces",
  mtu: "com.docker.network.driver.mtu",
  ipv4: "com.docker.network.enable_ipv4",
  ipv6: "com.docker.network.enable_ipv6",
  interfacePrefix: "com.docker.network.container_iface_prefix",
  hostAddress4: "com.docker.network.host_ipv4",
  hostAddress6: "com.docker.network.host_ipv6",
  parent: "parent",
  macvlanMode: "macvlan_mode",
  ipvlanMode: "ipvlan_mode",
  ipvlanFlag: "ipvlan_flag",
} as const;

/** Says what is wrong with a value; undefined when nothing is. */
type Check = (value: string) => string | undefined;

/** What Go's strconv.ParseBool takes: what dockerd does. Undefined when `text` is something else. */
export function parseBoolean(text: string): boolean | undefined {
  if (["1", "t", "T", "true", "TRUE", "True"].includes(text)) return true;
  return ["0", "f", "F", "false", "FALSE", "False"].includes(text) ? false : undefined;
}

const boolean: Check = (value) =>
  parseBoolean(value) === undefined ? `strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax` : undefined;

const address: Check = (value) => (parseAddress(value) ? undefined : "nil ip");

const gatewayMode: Check = (value) =>
  ["nat", "nat-unprotected", "routed", "isolated"].includes(value) ? undefined : `unknown gateway mode ${value}`;

const mtu: Check = (value) =>
  /^[+-]?\d+$/.test(value) ? undefined : `strconv.Atoi: parsing ${JSON.stringify(value)}: invalid syntax`;

/** dev_valid_name() of the kernel: at most 15 bytes, no slash, colon or white space. */
const interfaceName: Check = (value) =>
  /^[^\s/:]{1,15}$/.test(value) && Buffer.byteLength(value) <= 15 && value !== "." && value !== ".."
    ? undefined
    : "it is not the name of a network interface: at most 15 bytes without white space, / and :";

/** What a container's interfaces are called, before a number. */
const interfacePrefix: Check = (value) => (value === "" ? undefined : interfaceName(`${value}0`));

const anything: Check = () => undefined;

const oneOf =
  (driver: string, what: string, fallback: string, ...values: string[]): Check =>
  (value) =>
    value === "" || values.includes(value)
      ? undefined
      : `requested ${driver} ${what} '${value}' is not valid, '${fallback}' ${what === "mode" ? "mode " : ""}is the ${driver} driver default`;

const parent =
  (driver: string): Check =>
  (value) =>
    value === "lo" ? `loopback interface is not a valid ${driver} parent link` : interfaceNameOrNone(value);

const interfaceNameOrNone: Check = (value) => (value === "" ? undefined : interfaceName(value));

const common: Record<string, Check> = { [option.mtu]: mtu, [option.ipv4]: boolean, [option.ipv6]: boolean };

const checks: Record<"bridge" | "macvlan" | "ipvlan", Record<string, Check>> = {
  bridge: {
    ...common,
    [option.bridgeName]: interfaceName,
    [option.masquerade]: boolean,
    [option.icc]: boolean,
    [option.gatewayMode4]: gatewayMode,
    [option.gatewayMode6]: gatewayMode,
    [option.inhibit4]: boolean,
    [option.hostBinding]: address,
    [option.trustedInterfaces]: anything,
    [option.interfacePrefix]: interfacePrefix,
    [option.hostAddress4]: address,
    [option.hostAddress6]: address,
    // Flags of the daemon that minikube gives to networks: what they ask for is the default.
    "--ip-masq": anything,
    "--icc": anything,
  },
  macvlan: {
    ...common,
    [option.parent]: parent("macvlan"),
    [option.macvlanMode]: oneOf("macvlan", "mode", "bridge", "bridge", "private", "vepa", "passthru"),
  },
  ipvlan: {
    ...common,
    [option.parent]: parent("ipvlan"),
    [option.ipvlanMode]: oneOf("ipvlan", "mode", "l2", "l2", "l3", "l3s"),
    [option.ipvlanFlag]: oneOf("ipvlan", "flag", "bridge", "bridge", "private", "vepa"),
  },
};

/** Options whose own words are dockerd's whole message. */
const plain: ReadonlySet<string> = new Set([option.parent, option.macvlanMode, option.ipvlanMode, option.ipvlanFlag]);

/**
 * Checks the options of a network's driver. Where dockerd ignores an option that it does not know we refuse it: what a
 * user asks for is done or not done, never left out. Throws `invalid`.
 */
export function checkDriverOptions(
  driver: Driver,
  options: Readonly<Record<string, string>>,
  network: { readonly internal: boolean; readonly ipv6: boolean },
): void {
  const known = driver === "host" || driver === "null" ? {} : checks[driver];
  for (const [name, value] of Object.entries(options)) {
    const check = Object.hasOwn(known, name) ? known[name] : undefined;
    if (!check) {
      const names = Object.keys(known).filter((key) => !key.startsWith("--"));
      const hint = names.length > 0 ? `it has ${names.join(", ")}` : "it has none";
      throw new SampanError(
        "invalid",
        `Cannot use the network option ${name}: the ${driver} driver has none of that name, ${hint}`,
      );
    }
    const problem = check(value);
    if (problem) {
      const text = plain.has(name) ? problem : `failed to parse ${name} value: ${value} (${problem})`;
      throw new SampanError("invalid", text);
    }
  }
  checkMtu(options[option.mtu], network.ipv6);
  const isolated = options[option.gatewayMode4] === "isolated" || options[option.gatewayMode6] === "isolated";
  if (isolated && !network.internal) {
    throw new SampanError("invalid", "gateway mode 'isolated' can only be used for an internal network");
  }
}

/** The least that IPv4 (RFC 791) and IPv6 (RFC 8200) work with; the kernel would switch IPv6 off without a word. */
const leastMtu = { ipv4: 68, ipv6: 1280 };

function checkMtu(text: string | undefined, ipv6: boolean): void {
  if (text === undefined) return;
  const value = Number(text);
  const least = ipv6 ? leastMtu.ipv6 : leastMtu.ipv4;
  if (value === 0 || (value >= least && value <= 65535)) return;
  const hint = value < 0 ? "" : `: it has to be from ${least} to 65535 with IPv${ipv6 ? 6 : 4}`;
  throw new SampanError("invalid", `invalid MTU number: ${value}${hint}`);
}
