import { messageOf } from "../../errors/index.ts";
import type { Executor } from "../../kernel/executor.ts";
import type { Logged } from "../../kernel/netlink/nflog/index.ts";
import { deleteLink } from "../../kernel/netlink/route/index.ts";
import type { Program } from "../../kernel/program.ts";
import type { DnsAnswer, DnsHooks, DnsQuestion } from "../dns/types.ts";
import { bridgeSettings } from "../drivers/bridge-settings.ts";
import { hostLinkName, type Suffix } from "../drivers/names.ts";
import { Machine } from "../host/machine.ts";
import type { Connection } from "../host/types.ts";
import { Attempts } from "./attempts.ts";
import { checkDriver } from "./driver.ts";
import { logGroup, prefixOf } from "./endpoint-rules.ts";
import { EgressFirewall, type Opening } from "./firewall.ts";
import { longestTtl, mayAsk, openingsOf } from "./openings.ts";
import type { EgressAttempt, EgressPolicy, Guarded } from "./types.ts";
import { PacketWatch } from "./watch.ts";

export interface EgressControlParts {
  readonly executor: Executor;
  readonly suffix: Suffix;
  readonly warn: (text: string) => void;
  /** Who wants to know what was refused. */
  readonly tell: (attempt: EgressAttempt) => void;
}

/** A container of which at least one endpoint has a policy. */
interface Known {
  endpoints: readonly Guarded[];
  /** It has another way out, for which no policy holds. */
  free: boolean;
  readonly attempts: Attempts;
  /** What names have opened, by set and key. */
  readonly open: Map<string, Open>;
}

interface Open {
  readonly opening: Opening;
  /** Of the clock of `performance`. */
  readonly until: number;
}

/** An address that is open for nearly as long as an answer says is not opened anew: far less than the grace. In ms. */
const enough = 5000;

/**
 * Egress policies: which endpoints have some, what the kernel is told of them, and what names open. Nothing is made, and
 * nobody waits for packets, before the first container with a policy.
 */
export class EgressControl implements DnsHooks {
  readonly #suffix: Suffix;
  readonly #machine: Machine;
  readonly #firewall: EgressFirewall;
  readonly #watch: PacketWatch;
  readonly #tell: EgressControlParts["tell"];
  readonly #warn: EgressControlParts["warn"];
  readonly #known = new Map<string, Known>();
  readonly #byPrefix = new Map<string, Guarded>();

  constructor({ executor, suffix, warn, tell }: EgressControlParts) {
    this.#suffix = suffix;
    this.#machine = new Machine(executor);
    this.#firewall = new EgressFirewall(this.#machine, suffix, (endpoints) => this.#stillOpen(endpoints));
    this.#watch = new PacketWatch(executor, logGroup(suffix), { tell: (logged) => this.#refused(logged), warn });
    this.#tell = tell;
    this.#warn = warn;
  }

  /** Those of a container's connections for which a policy holds. Throws "invalid" where it could not be enforced. */
  guardedOf(policy: EgressPolicy | undefined, connections: readonly Connection[]): Guarded[] {
    return connections.flatMap((connection) => {
      const { network, endpoint } = connection;
      const policies = [policy, network.egress].filter((each) => each !== undefined);
      if (policies.length === 0 || network.driver === "null") return [];
      checkDriver(network.driver, network.name);
      const { ipv4, ipv6 } = endpoint;
      return {
        containerId: endpoint.containerId,
        networkId: network.id,
        endpointId: endpoint.id,
        bridge: bridgeSettings(network, this.#suffix).name,
        port: hostLinkName(endpoint),
        ...(ipv4 && { ipv4: ipv4.address }),
        ...(ipv6 && { ipv6: ipv6.address }),
        linkLocal: endpoint.linkLocal,
        subnets: network.subnets.map(({ subnet }) => subnet),
        policies,
      };
    });
  }

  /** Before links are made: `steps` or `add` can follow. */
  async prepare(endpoints: readonly Guarded[]): Promise<void> {
    if (endpoints.length === 0) return;
    await this.#firewall.prepare(endpoints);
    await this.#watch.begin();
  }

  steps(p: Program, endpoints: readonly Guarded[]): void {
    if (endpoints.length > 0) this.#firewall.steps(p, endpoints);
  }

  /** Puts a prepared endpoint of a running container under its policies. */
  add(guarded: Guarded): Promise<void> {
    return this.#firewall.add(guarded);
  }

  /** A container's endpoints are these now; `free`: it has others, too, that lead out. */
  know(containerId: string, endpoints: readonly Guarded[], free: boolean): void {
    const known = this.#known.get(containerId);
    for (const guarded of known?.endpoints ?? []) this.#byPrefix.delete(prefixOf(guarded));
    for (const guarded of endpoints) this.#byPrefix.set(prefixOf(guarded), guarded);
    if (endpoints.length === 0) this.#known.delete(containerId);
    else if (known) Object.assign(known, { endpoints, free });
    else this.#known.set(containerId, { endpoints, free, attempts: new Attempts(), open: new Map() });
  }

  /** These endpoints are gone, or were never made. */
  async remove(endpoints: readonly Guarded[]): Promise<void> {
    if (endpoints.length === 0) return;
    for (const { port } of endpoints) await this.#removeLink(port);
    await this.#firewall.remove(endpoints);
    if (this.#firewall.idle) await this.#watch.end();
  }

  /** After a start of the daemon: all that run. */
  async recover(endpoints: readonly Guarded[]): Promise<void> {
    await this.#firewall.recover(endpoints);
    // It may take a while until an earlier daemon's reader has left: nobody waits for that
    if (endpoints.length > 0) void this.#watch.begin();
  }

  /** Somebody has removed rules of the machine: ours may be among them. */
  async restore(): Promise<void> {
    try {
      await this.#firewall.restore();
      if (!this.#firewall.idle) await this.#watch.begin();
    } catch (error) {
      this.#warn(`Containers may be without their egress policies, which somebody has removed: ${messageOf(error)}`);
    }
  }

  async close({ remove }: { readonly remove: boolean }): Promise<void> {
    await this.#watch.end();
    if (remove) await this.#firewall.drop();
    await this.#machine.close();
  }

  mayResolve(containerId: string, name: string): boolean {
    const known = this.#known.get(containerId);
    if (!known || known.free || mayAsk(known.endpoints, name)) return true;
    const attempt = known.attempts.ofName(known.endpoints, name);
    if (attempt) this.#tell(attempt);
    return false;
  }

  async onAnswer(containerId: string, { name }: DnsQuestion, answers: readonly DnsAnswer[]): Promise<void> {
    const known = this.#known.get(containerId);
    if (!known) return;
    for (const { address } of answers) known.attempts.know(address, name);
    const openings = known.endpoints.flatMap((guarded) => openingsOf(guarded, name, answers));
    const now = performance.now();
    const isShort = (each: Opening) => (known.open.get(identity(each))?.until ?? 0) < now + each.timeout - enough;
    const wanted = openings.filter(isShort);
    if (wanted.length === 0) return;
    await this.#firewall.open(wanted);
    for (const each of wanted) known.open.set(identity(each), { opening: each, until: now + each.timeout });
    if (known.open.size > 4096) for (const [key, { until }] of known.open) if (until < now) known.open.delete(key);
  }

  longestTtl(containerId: string): number | undefined {
    return this.#known.has(containerId) ? longestTtl : undefined;
  }

  #stillOpen(endpoints: readonly Guarded[]): Opening[] {
    const now = performance.now();
    return endpoints.flatMap((guarded) => {
      const open = [...(this.#known.get(guarded.containerId)?.open.values() ?? [])];
      const own = open.filter(
        ({ opening, until }) => until > now && opening.set.name.startsWith(`${prefixOf(guarded)}-`),
      );
      return own.map(({ opening, until }) => ({ ...opening, timeout: Math.ceil(until - now) }));
    });
  }

  /** Whoever has kept the container's network alive shall not find it without rules. */
  async #removeLink(name: string): Promise<void> {
    const link = await this.#machine.link(name);
    if (link) await this.#machine.change([deleteLink(link.index)], `remove the link ${name}`, ["ENODEV"]);
  }

  #refused(logged: Logged): void {
    const guarded = this.#byPrefix.get(logged.prefix.split(" ")[0] ?? "");
    const attempt = guarded && this.#known.get(guarded.containerId)?.attempts.ofPacket(guarded, logged);
    if (attempt) this.#tell(attempt);
  }
}

function identity({ set, key }: Opening): string {
  return `${set.name} ${key.join(" ")}`;
}
