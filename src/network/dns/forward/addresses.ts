import { decode } from "dns-packet";
import type { DnsAnswer } from "../types.ts";

/**
 * The addresses in an answer that its question leads to, through CNAMEs or not; what else a server may have put in is
 * left out. Throws what the parser throws for a message that is malformed.
 */
export function addressesIn(reply: Buffer): DnsAnswer[] {
  const { questions, answers } = decode(reply);
  const lower = (name: string) => name.toLowerCase().replace(/\.$/, "");
  const aliases = new Map<string, { to: string; ttl: number }>();
  for (const record of answers ?? [])
    if (record.type === "CNAME") aliases.set(lower(record.name), { to: lower(record.data), ttl: record.ttl ?? 0 });
  const reached = new Map<string, number>();
  let name = lower(questions?.[0]?.name ?? "");
  for (let ttl = 0xffffffff; !reached.has(name); ) {
    reached.set(name, ttl);
    const alias = aliases.get(name);
    if (!alias) break;
    ttl = Math.min(ttl, alias.ttl);
    name = alias.to;
  }
  return (answers ?? []).flatMap((record) => {
    if (record.type !== "A" && record.type !== "AAAA") return [];
    const owner = lower(record.name);
    const ttl = reached.get(owner);
    return ttl === undefined ? [] : [{ name: owner, address: record.data, ttl: Math.min(ttl, record.ttl ?? 0) }];
  });
}
