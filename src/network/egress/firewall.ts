import { SampanError } from "../../errors/index.ts";
import { KernelError } from "../../kernel/kernel-error.ts";
import { decodeFlows, deleteFlow, dumpFlows, type FlowFilter, matches } from "../../kernel/netlink/conntrack/index.ts";
import type { Request } from "../../kernel/netlink/message.ts";
import {
  addElements,
  decodeTables,
  deleteElements,
  dumpTables,
  type NftSet,
  transaction,
} from "../../kernel/netlink/nftables/index.ts";
import { ask, openNetlink } from "../../kernel/netlink/request.ts";
import type { Program } from "../../kernel/program.ts";
import type { Suffix } from "../drivers/names.ts";
import type { Machine } from "../host/machine.ts";
import { readSysctl } from "../host/sysctl.ts";
import { egressTables, makeTables, removeTables, versionOf } from "./base.ts";
import { addEndpoint, prefixOf, removeEndpoint } from "./endpoint-rules.ts";
import { presentEndpoints } from "./present.ts";
import type { Guarded } from "./types.ts";

const fewFlows = 2000;

/** An address that an allowed name has led to, for so many milliseconds. */
export interface Opening {
  readonly set: NftSet;
  /** Address, or address and port. */
  readonly key: readonly (string | number)[];
  readonly timeout: number;
}

/** The kernel's side of egress policies. It survives the daemon: what is right is found there again and not touched. */
export class EgressFirewall {
  readonly #machine: Machine;
  readonly #suffix: Suffix;
  readonly #stillOpen: (endpoints: readonly Guarded[]) => Opening[];
  /** Endpoints with rules, or about to have them. */
  readonly #endpoints = new Map<string, Guarded>();
  #turn: Promise<unknown> = Promise.resolve();

  /** `stillOpen` tells what names have opened at endpoints, with the time that is left. */
  constructor(machine: Machine, suffix: Suffix, stillOpen: (endpoints: readonly Guarded[]) => Opening[]) {
    this.#machine = machine;
    this.#suffix = suffix;
    this.#stillOpen = stillOpen;
  }

  /**
   * Before these endpoints' links are made: the tables are there, and connections that an earlier owner of the addresses had
   * are forgotten, for those would go on.
   */
  prepare(endpoints: readonly Guarded[]): Promise<void> {
    return this.#alone(async () => {
      await this.#make();
      for (const guarded of endpoints) this.#endpoints.set(guarded.endpointId, guarded);
      await this.#forgetFlows(
        addressesOf(endpoints).flatMap((source) => [{ original: { source } }, { reply: { source } }]),
      );
    });
  }

  /**
   * Puts all that run under their policies again where somebody has removed the tables (`nft flush ruleset`). What they have
   * begun meanwhile is forgotten, and so judged anew.
   */
  restore(): Promise<void> {
    return this.#alone(async () => {
      if (this.idle || !(await this.#make())) return;
      const addresses = addressesOf([...this.#endpoints.values()]);
      await this.#forgetFlows(addresses.map((source) => ({ original: { source } })));
    });
  }

  /** Adds the steps that put prepared endpoints under their policies, in the machine's network namespace. */
  steps(p: Program, endpoints: readonly Guarded[]): void {
    p.in("network", () => {
      const socket = openNetlink(p, "NETLINK_NETFILTER", "make a socket to change firewall rules");
      const requests = endpoints.flatMap((guarded) => addEndpoint(guarded, this.#suffix));
      ask(p, socket, transaction(requests), { note: "let out what the egress policy allows, and nothing else" });
      p.call("close", [socket], { note: "it is not needed any more" });
    });
  }

  /** The same for a container that runs. */
  add(guarded: Guarded): Promise<void> {
    return this.#machine.transact(addEndpoint(guarded, this.#suffix), "add the rules of an egress policy");
  }

  /** Lets packets to these addresses out from now on, before an answer tells the container of them. */
  async open(openings: readonly Opening[]): Promise<void> {
    const { packets } = egressTables(this.#suffix);
    const requests = openings.flatMap(({ set, key, timeout }) => [
      // An element that is there keeps its time: it has to be made anew, and before that be there for sure
      ...addElements(packets, set, [{ key, timeout }]),
      ...deleteElements(packets, set, [{ key }]),
      ...addElements(packets, set, [{ key, timeout }]),
    ]);
    if (requests.length > 0) await this.#machine.transact(requests, "let a container out to what a name has led to");
  }

  /** No endpoint has rules. */
  get idle(): boolean {
    return this.#endpoints.size === 0;
  }

  /** After the links are gone, or were never made. Without any endpoint the tables go, too. */
  remove(endpoints: readonly Guarded[]): Promise<void> {
    return this.#alone(async () => {
      for (const { endpointId } of endpoints) this.#endpoints.delete(endpointId);
      if (this.#endpoints.size === 0) await this.#drop();
      else for (const guarded of endpoints) await this.#remove(guarded);
    });
  }

  /** Makes the rules those of the endpoints that are there. */
  recover(endpoints: readonly Guarded[]): Promise<void> {
    return this.#alone(async () => {
      this.#endpoints.clear();
      if (endpoints.length === 0) return await this.#drop();
      const there = await this.#version();
      const isRight = there === versionOf(this.#suffix);
      const present = isRight ? await presentEndpoints(this.#machine, this.#suffix) : new Map<string, Request[]>();
      const wanted = new Set(endpoints.map(prefixOf));
      // Of another version, or of an endpoint whose end nobody has seen: removed and made in one moment
      const requests = [
        ...(isRight || there === undefined ? [] : removeTables(this.#suffix)),
        ...(isRight ? [] : makeTables(this.#suffix)),
        ...[...present].flatMap(([prefix, removal]) => (wanted.has(prefix) ? [] : removal)),
        ...endpoints.flatMap((guarded) => (present.has(prefixOf(guarded)) ? [] : addEndpoint(guarded, this.#suffix))),
      ];
      if (requests.length > 0) await this.#machine.transact(requests, "put containers under their egress policies");
      for (const guarded of endpoints) this.#endpoints.set(guarded.endpointId, guarded);
    });
  }

  drop(): Promise<void> {
    return this.#alone(() => this.#drop());
  }

  /** Also where somebody has removed them: for all that run, with what names have opened. Whether there was something to do. */
  async #make(): Promise<boolean> {
    const there = await this.#version();
    if (there === versionOf(this.#suffix)) return false;
    const requests = [
      ...removeTables(this.#suffix),
      ...makeTables(this.#suffix),
      ...[...this.#endpoints.values()].flatMap((guarded) => addEndpoint(guarded, this.#suffix)),
      ...this.#openRequests(this.#stillOpen([...this.#endpoints.values()])),
    ];
    await this.#machine.transact(requests, "make the tables of egress policies").catch(explain);
    return true;
  }

  #openRequests(openings: readonly Opening[]): Request[] {
    const { packets } = egressTables(this.#suffix);
    return openings.flatMap(({ set, key, timeout }) => addElements(packets, set, [{ key, timeout }]));
  }

  async #drop(): Promise<void> {
    if ((await this.#version()) !== undefined)
      await this.#machine.transact(removeTables(this.#suffix), "remove the tables of egress policies");
  }

  async #remove(guarded: Guarded): Promise<void> {
    try {
      await this.#machine.transact(removeEndpoint(guarded, this.#suffix), "remove the rules of an egress policy");
    } catch (error) {
      // A start that failed before it had any
      if (!(error instanceof KernelError && error.errno === "ENOENT")) throw error;
      if ((await this.#version()) === undefined) return;
      if ((await presentEndpoints(this.#machine, this.#suffix)).has(prefixOf(guarded))) throw error;
    }
  }

  async #version(): Promise<string | undefined> {
    const { packets } = egressTables(this.#suffix);
    const received = await this.#machine.netfilter(dumpTables(packets.family), "list the machine's firewall tables");
    const found = decodeTables(received).find(({ name }) => name === packets.name);
    return found && (found.comment ?? "");
  }

  /** Each question takes the kernel through its whole table, 10 ms: of few connections one is asked for all. */
  async #forgetFlows(wanted: readonly FlowFilter[]): Promise<void> {
    const count = Number(readSysctl("netfilter/nf_conntrack_count") ?? fewFlows);
    if (count === 0 || wanted.length === 0) return;
    for (const filter of count < fewFlows ? [{}] : wanted) {
      const received = await this.#machine.netfilter(dumpFlows(filter), "look for connections of an address");
      const flows = decodeFlows(received, filter).filter((flow) => wanted.some((each) => matches(flow, each)));
      if (flows.length === 0) continue;
      await this.#machine.tell(flows.map(deleteFlow), "forget connections of an address", ["ENOENT"]);
    }
  }

  #alone<T>(body: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(body);
    this.#turn = result.catch(() => {});
    return result;
  }
}

function addressesOf(endpoints: readonly Guarded[]): string[] {
  return endpoints.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]).filter((address) => address !== undefined);
}

const absent: ReadonlySet<string | undefined> = new Set(["EOPNOTSUPP", "EAFNOSUPPORT", "ENOENT"]);

/** A kernel without the parts that it takes. */
function explain(cause: unknown): never {
  if (!(cause instanceof KernelError && absent.has(cause.errno))) throw cause;
  const needs =
    "it needs nf_tables for bridges, with logging (CONFIG_NF_TABLES_BRIDGE, CONFIG_NFT_FIB_INET, CONFIG_NFT_LOG)";
  throw new SampanError("unsupported", `Cannot enforce egress policies on this kernel: ${needs}`, { cause });
}
