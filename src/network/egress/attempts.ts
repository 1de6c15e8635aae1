import type { Logged } from "../../kernel/netlink/nflog/index.ts";
import type { EgressAttempt, Guarded } from "./types.ts";

/** For how long the same packet again is the same attempt, in ms: TCP repeats its first one for longer and longer. */
const again = 60_000;
/** Askers ask for both families, and with their search domains. */
const againAsked = 5000;
/** Names that are told of in a second, for one container; packets are limited by their rule. */
const mostAsked = 50;
const mostKnown = 1024;

const protocols: Readonly<Record<number, string>> = {
  1: "icmp",
  2: "igmp",
  4: "ipip",
  6: "tcp",
  17: "udp",
  41: "ipv6",
  47: "gre",
  50: "esp",
  51: "ah",
  58: "icmpv6",
  132: "sctp",
  136: "udplite",
};

/** Makes attempts of what one container's policy refuses: each once, with the name that the container may have meant. */
export class Attempts {
  /** When what was tried last, by what it was. */
  readonly #seen = new Map<string, number>();
  /** Names that have led to addresses. */
  readonly #names = new Map<string, string>();
  #second = 0;
  #asked = 0;

  /** Notes that the container has been told an address. */
  know(address: string, name: string): void {
    remember(this.#names, address, name);
  }

  ofPacket({ containerId, networkId, ipv4, ipv6, linkLocal }: Guarded, { packet }: Logged): EgressAttempt | undefined {
    if (!packet) return undefined;
    const { source, destination, sourcePort, destinationPort: port } = packet;
    const protocol = protocols[packet.protocol] ?? String(packet.protocol);
    if (this.#isAgain(`${protocol} ${source} ${sourcePort} ${destination} ${port}`, again)) return undefined;
    const name = this.#names.get(destination);
    const own = [ipv4, ipv6, ...linkLocal].includes(source);
    return {
      containerId,
      networkId,
      time: Date.now(),
      destination,
      protocol,
      ...(port !== undefined && { port }),
      ...(name !== undefined && { name }),
      ...(!own && { source }),
    };
  }

  ofName([guarded]: readonly Guarded[], name: string): EgressAttempt | undefined {
    if (!guarded) return undefined;
    if (this.#isAgain(`dns ${name}`, againAsked)) return undefined;
    const second = Math.floor(Date.now() / 1000);
    if (second !== this.#second) this.#asked = 0;
    this.#second = second;
    if (++this.#asked > mostAsked) return undefined;
    const { containerId, networkId } = guarded;
    return { containerId, networkId, time: Date.now(), destination: "", protocol: "dns", name };
  }

  #isAgain(what: string, within: number): boolean {
    const now = performance.now();
    const last = this.#seen.get(what);
    remember(this.#seen, what, now);
    return last !== undefined && now - last < within;
  }
}

/** The latest are kept. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= mostKnown) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
