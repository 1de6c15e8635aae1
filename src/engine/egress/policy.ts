import { SampanError } from "../../errors/index.ts";
import { checkDriver } from "../../network/egress/driver.ts";
import { checkPolicy } from "../../network/egress/policy.ts";
import type { EgressPolicy } from "../../network/egress/types.ts";
import type { Networking } from "../../network/networking.ts";
import type { HostConfig } from "../config.ts";
import { sharedContainer } from "../container/modes.ts";

/** A container's policy, in the network's words. */
export function egressPolicy({ Egress }: Pick<HostConfig, "Egress">): EgressPolicy | undefined {
  return Egress && { allow: Egress.Allow };
}

/**
 * Checks a container's policy and writes it in its one form. Throws "invalid" where the form is wrong, and where the policy
 * could not be enforced on its networks.
 */
export function checkEgress<T extends HostConfig>(host: T, networking: Networking, networks: readonly string[]): T {
  const policy = egressPolicy(host);
  if (policy === undefined) return host;
  const shared = sharedContainer(host.NetworkMode);
  if (shared !== undefined) {
    const why = "it uses another container's network, and that one's policy holds";
    throw new SampanError("invalid", `Cannot enforce an egress policy of its own on a container: ${why}`);
  }
  for (const name of networks) {
    const network = networking.find(name);
    if (network !== undefined) checkDriver(network.driver, name);
  }
  return { ...host, Egress: { Allow: checkPolicy(policy).allow } };
}
