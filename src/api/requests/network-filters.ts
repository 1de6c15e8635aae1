import type { Filters, NetworkRecord } from "../../engine/types.ts";
import { SampanError } from "../../errors/index.ts";
import { matchesLabels } from "./filters.ts";

export const networkFilters = ["dangling", "driver", "id", "label", "name", "scope", "type"];

/** Docker's filters of GET /networks; throws "invalid" with its texts. `isUsed`: whether a container is joined. */
export function networkFilter(
  filters: Filters,
  isUsed: (network: NetworkRecord) => boolean,
): (network: NetworkRecord) => boolean {
  const any = (key: string, test: (value: string) => boolean): boolean => {
    const values = filters[key];
    return values === undefined || values.length === 0 || values.some(test);
  };
  const unknown = filters.type?.find((type) => type !== "custom" && type !== "builtin");
  if (unknown !== undefined) throw new SampanError("invalid", `invalid filter: 'type'='${unknown}'`);
  const dangling = danglingOf(filters);
  return (network) =>
    any("name", (part) => network.name.includes(part)) &&
    any("id", (part) => network.id.includes(part)) &&
    any("driver", (driver) => driver === network.driver) &&
    any("scope", (scope) => scope === "local") &&
    any("type", (type) => (type === "builtin") === network.predefined) &&
    matchesLabels(network.labels, filters.label) &&
    (dangling === undefined || dangling === (!network.predefined && !isUsed(network)));
}

function danglingOf({ dangling }: Filters): boolean | undefined {
  if (dangling === undefined || dangling.length === 0) return undefined;
  const truths = new Set(dangling.map((value) => ({ true: true, 1: true, false: false, 0: false })[value]));
  const [truth] = truths;
  if (truths.size === 1 && truth !== undefined) return truth;
  const text = `invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")`;
  throw new SampanError("invalid", text);
}
