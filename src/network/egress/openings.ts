import type { DnsAnswer } from "../dns/types.ts";
import { nameSets } from "./endpoint-rules.ts";
import type { Opening } from "./firewall.ts";
import { matchesName, mayBeNamed, names } from "./policy.ts";
import type { Guarded } from "./types.ts";

/** However long an answer may be used: who was allowed by it an hour ago has to ask again. In seconds. */
export const longestTtl = 3600;
/** An address stays allowed for so long beyond its answer's time: a client needs a moment from the answer to the packet. */
export const grace = 60;

/** What an answer to the question for a name opens at an endpoint. */
export function openingsOf(guarded: Guarded, name: string, answers: readonly DnsAnswer[]): Opening[] {
  const usable = answers.filter(({ address }) => mayBeNamed(address));
  return guarded.policies.flatMap((policy, index) => {
    const sets = nameSets(guarded, index);
    const ports = new Set(names(policy).flatMap((each) => (matchesName(each, name) ? [each.port] : [])));
    return usable.flatMap(({ address, ttl }) => {
      const six = address.includes(":");
      const timeout = (Math.min(ttl, longestTtl) + grace) * 1000;
      return [...ports].map(
        (port): Opening =>
          port === undefined
            ? { set: six ? sets.all6 : sets.all4, key: [address], timeout }
            : { set: six ? sets.port6 : sets.port4, key: [address, port], timeout },
      );
    });
  });
}

/** Whether some endpoint's policies let the container ask for the name: all of those that hold there have to. */
export function mayAsk(endpoints: readonly Guarded[], name: string): boolean {
  return endpoints.some(({ policies }) =>
    policies.every((policy) => names(policy).some((each) => matchesName(each, name))),
  );
}
