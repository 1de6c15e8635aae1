import type { Port } from "../../api/shapes/container.ts";

/** Ports as docker's PORTS column shows them, e.g. `0.0.0.0:8080->80/tcp, 443/tcp`. */
export function portsText(ports: readonly Port[] | null): string {
  const texts = (ports ?? []).map(({ IP, PublicPort, PrivatePort, Type }) => {
    const inside = `${PrivatePort}/${Type}`;
    if (PublicPort === undefined || PublicPort === 0) return inside;
    const address = IP?.includes(":") ? `[${IP}]` : IP;
    return `${address ? `${address}:` : ""}${PublicPort}->${inside}`;
  });
  return [...new Set(texts)].join(", ");
}
