import * as z from "zod";
import type { NetworkRequest } from "../../engine/types.ts";
import { egress } from "./egress.ts";
import { struct, validateJson } from "./validate.ts";

const texts = z.record(z.string(), z.string());

const ipamConfig = struct({
  Subnet: z.string(),
  IPRange: z.string(),
  Gateway: z.string(),
  AuxiliaryAddresses: texts,
  /** What clients before API 1.22 called them; some still do. */
  AuxAddress: texts,
}).transform(({ Subnet, IPRange, Gateway, AuxiliaryAddresses, AuxAddress }) => ({
  ...(Subnet && { subnet: Subnet }),
  ...(IPRange && { ipRange: IPRange }),
  ...(Gateway && { gateway: Gateway }),
  ...((AuxiliaryAddresses ?? AuxAddress) && { auxiliary: AuxiliaryAddresses ?? AuxAddress ?? {} }),
}));

const ipam = struct({ Driver: z.string(), Options: texts, Config: z.array(ipamConfig) }).transform((given) => ({
  ...(given.Driver && { driver: given.Driver }),
  ...(given.Options && { options: given.Options }),
  config: given.Config ?? [],
}));

const body = struct({
  Name: z.string(),
  /** Names have long been unique whatever this says. */
  CheckDuplicate: z.boolean(),
  Driver: z.string(),
  Scope: z.string(),
  EnableIPv4: z.boolean(),
  EnableIPv6: z.boolean(),
  Internal: z.boolean(),
  Attachable: z.boolean(),
  Ingress: z.boolean(),
  ConfigOnly: z.boolean(),
  ConfigFrom: struct({ Network: z.string() }),
  IPAM: ipam,
  Options: texts,
  Labels: texts,
  Egress: egress,
});

/** The body of POST /networks/create as the engine takes it. */
export function parseCreateNetwork(json: unknown): NetworkRequest {
  const given = validateJson(body, json ?? {});
  return {
    name: given.Name ?? "",
    ...(given.Driver && { driver: given.Driver }),
    ...(given.Scope && { scope: given.Scope }),
    internal: given.Internal ?? false,
    attachable: given.Attachable ?? false,
    ingress: given.Ingress ?? false,
    configOnly: given.ConfigOnly ?? false,
    ...(given.ConfigFrom?.Network && { configFrom: given.ConfigFrom.Network }),
    ...(typeof given.EnableIPv4 === "boolean" && { ipv4: given.EnableIPv4 }),
    ...(typeof given.EnableIPv6 === "boolean" && { ipv6: given.EnableIPv6 }),
    ...(given.IPAM && { ipam: given.IPAM }),
    options: given.Options ?? {},
    labels: given.Labels ?? {},
    ...(given.Egress && { egress: { allow: given.Egress.Allow } }),
  };
}
