import { SampanError } from "../../errors/index.ts";
import { KernelError } from "../../kernel/kernel-error.ts";
import type { Request } from "../../kernel/netlink/message.ts";
import {
  decodeElements,
  decodeTables,
  dumpElements,
  dumpTables,
  type NftSet,
} from "../../kernel/netlink/nftables/index.ts";
import { NetlinkError } from "../../kernel/netlink/query.ts";
import type { Machine } from "../host/machine.ts";
import type { RuleElement } from "./elements.ts";
import { elementOf, keyIdentity, valueIdentity } from "./identity.ts";
import type { Policy } from "./rules.ts";
import { type SetName, sets } from "./sets.ts";
import * as table from "./table.ts";

/**
 * Our nf_tables table: made with the first elements, kept as long as there are any. It survives the daemon, so what is in the
 * kernel is asked of the kernel.
 */
export class Firewall {
  readonly #machine: Machine;
  readonly #name: string;
  readonly #policy: () => Promise<Policy>;
  /** Whether the tables are there, in our version; undefined when nobody has looked. */
  #made: boolean | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #planned: { readonly key: string; readonly plan: table.Plan } | undefined;

  /** `policy` is asked when the tables are made: its link has to be there before. */
  constructor(machine: Machine, name: string, policy: () => Promise<Policy>) {
    this.#machine = machine;
    this.#name = name;
    this.#policy = policy;
  }

  /** Adds elements, and the tables where they are not there. */
  add(elements: readonly RuleElement[], purpose: string): Promise<void> {
    return this.#alone(() => this.#add(elements, purpose));
  }

  async #add(elements: readonly RuleElement[], purpose: string): Promise<void> {
    const make = this.#made === true ? [] : await this.#missing();
    if (make.length > 0) await this.#make([...make, ...table.add(this.#name, elements)], purpose);
    else if (elements.length > 0) await this.#machine.transact(table.add(this.#name, elements), purpose);
    this.#made = true;
  }

  /** What a start program sends; the tables are there. */
  additions(elements: readonly RuleElement[]): Request[] {
    return table.add(this.#name, elements);
  }

  /** Removes elements, also where some or all are not there. */
  remove(elements: readonly RuleElement[], purpose: string): Promise<void> {
    if (elements.length === 0 || this.#made === false) return Promise.resolve();
    return this.#alone(() => this.#remove(elements, purpose));
  }

  async #remove(elements: readonly RuleElement[], purpose: string): Promise<void> {
    try {
      await this.#machine.transact(table.remove(this.#name, elements), purpose);
    } catch (error) {
      if (!(error instanceof KernelError && error.errno === "ENOENT")) throw error;
      if ((await this.#version()) === undefined) return;
      const present = await this.#elementsOf(new Set(elements.map(({ set }) => set)));
      const some = elements.filter((element) => present.has(keyIdentity(element)));
      if (some.length > 0) await this.#machine.transact(table.remove(this.#name, some), purpose);
    }
  }

  /**
   * Makes the elements those given: adds what is missing, removes what is not among them, in one transaction. Tables of
   * another version are replaced in one, too, so that no packet meets half of the rules.
   */
  set(elements: readonly RuleElement[], purpose: string): Promise<void> {
    return this.#alone(() => this.#set(elements, purpose));
  }

  async #set(elements: readonly RuleElement[], purpose: string): Promise<void> {
    const make = await this.#missing();
    if (make.length > 0) {
      await this.#make([...make, ...table.add(this.#name, elements)], purpose);
    } else {
      const present = await this.#elementsOf(new Set(Object.keys(sets) as SetName[]));
      const { added, removed } = difference(present, elements);
      const requests = [...table.remove(this.#name, removed), ...table.add(this.#name, added)];
      if (requests.length > 0) await this.#machine.transact(requests, purpose);
    }
    this.#made = true;
  }

  /** What a set holds now; nothing where there is no such set, as before the tables are made. */
  async elements(set: SetName): Promise<RuleElement[]> {
    try {
      return [...(await this.#elementsOf(new Set([set]))).values()];
    } catch (error) {
      if (error instanceof NetlinkError && error.errno === "ENOENT") return [];
      throw error;
    }
  }

  /** Whether the tables are there, in our version. */
  async isRight(): Promise<boolean> {
    return (await this.#version()) === this.#plan(await this.#policy()).version;
  }

  /** Whether there are tables of ours, of whatever version. */
  async exists(): Promise<boolean> {
    return (await this.#version()) !== undefined;
  }

  /** Removes the tables. */
  drop(): Promise<void> {
    return this.#alone(async () => {
      this.#made = false;
      if (await this.exists())
        await this.#machine.transact(table.removeTables(this.#name), "remove the firewall rules");
    });
  }

  /** One change after the other: two that both find no tables would make the rules twice. */
  #alone<T>(body: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(body);
    this.#turn = result.catch(() => {});
    return result;
  }

  async #make(requests: readonly Request[], purpose: string): Promise<void> {
    try {
      await this.#machine.transact(requests, purpose);
    } catch (cause) {
      if (!(cause instanceof KernelError && cause.errno === "ENOENT")) throw cause;
      const wanted = ["nft_fib_inet, nft_ct, nft_nat, nft_masq"];
      if ((await this.#policy()).kind === "input") wanted.push("for --publish-policy input nft_dup_ipv4, nft_dup_ipv6");
      const text = `Cannot ${purpose}: this kernel lacks a part of nf_tables; load its modules: ${wanted.join(", ")}`;
      throw new SampanError("unsupported", text, { cause });
    }
  }

  /** What makes the tables; nothing where they are there as they should be. */
  async #missing(): Promise<Request[]> {
    const policy = await this.#policy();
    const version = await this.#version();
    const plan = this.#plan(policy);
    if (version === plan.version) return [];
    return [...(version === undefined ? [] : table.removeTables(this.#name)), ...plan.requests];
  }

  /** What the tables should be; only another link of the policy changes it. */
  #plan(policy: Policy): table.Plan {
    const key = JSON.stringify(policy);
    if (this.#planned?.key !== key) this.#planned = { key, plan: table.planTables(this.#name, policy) };
    return this.#planned.plan;
  }

  /** The comment of our main table; undefined where there is none. */
  async #version(): Promise<string | undefined> {
    const { main } = table.tablesOf(this.#name);
    const received = await this.#machine.netfilter(dumpTables(main.family), "list the machine's firewall tables");
    const found = decodeTables(received).find(({ name }) => name === main.name);
    return found && (found.comment ?? "");
  }

  async #elementsOf(names: ReadonlySet<SetName>): Promise<Map<string, RuleElement>> {
    const found = new Map<string, RuleElement>();
    for (const name of names) {
      const set: NftSet = sets[name];
      const question = dumpElements(table.tablesOf(this.#name).main, set.name);
      const received = await this.#machine.netfilter(question, `list the elements of ${set.name}`);
      for (const state of decodeElements(set, received)) {
        const element = elementOf(name, state);
        if (element) found.set(keyIdentity(element), element);
      }
    }
    return found;
  }
}

function difference(present: ReadonlyMap<string, RuleElement>, wanted: readonly RuleElement[]) {
  const added: RuleElement[] = [];
  const right = new Set<string>();
  for (const element of wanted) {
    const identity = keyIdentity(element);
    const there = present.get(identity);
    if (there && valueIdentity(there) === valueIdentity(element)) right.add(identity);
    else if (!right.has(identity)) added.push(element);
  }
  const removed = [...present].filter(([identity]) => !right.has(identity)).map(([, element]) => element);
  return { added, removed };
}
