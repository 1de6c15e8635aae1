import { SampanError } from "../../errors/index.ts";

/** Whether egress policies can be enforced with a network's driver; throws "invalid" with what can be done instead. */
export function checkDriver(driver: string, network: string): void {
  if (driver === "bridge" || driver === "null") return;
  const why =
    driver === "host"
      ? "the container uses the machine's own network"
      : `containers of ${driver} networks send past the machine's rules`;
  throw new SampanError(
    "invalid",
    `Cannot enforce an egress policy on network ${network}: ${why}; use a bridge network`,
  );
}
