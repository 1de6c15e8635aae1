import * as z from "zod";
import { SampanError } from "../../errors/index.ts";
import type { ApiContext } from "../context.ts";
import { queryOf, sendJson } from "../http/answers.ts";
import { departure } from "../http/departure.ts";
import type { ApiReply, ApiRequest } from "../http/fastify.ts";
import { filterFlag, parseFilters } from "../requests/filters.ts";
import { integer, readQuery, text } from "../requests/query.ts";
import { parseRegistryAuth } from "../requests/registry-auth.ts";
import type { SearchResult } from "../shapes/image.ts";

const searchQuery = z.object({ term: text(), limit: integer(), filters: text() });
const usualLimit = 25;
const known = ["is-official", "is-automated", "stars"];

/** GET /images/search: what Docker's index, or another one, has under a word. */
export async function searchImages(
  { engine, leaving }: ApiContext,
  request: ApiRequest,
  reply: ApiReply,
): Promise<void> {
  const { term = "", limit = usualLimit, filters: written } = readQuery(searchQuery, queryOf(request));
  const count = limit === 0 ? usualLimit : limit;
  if (count < 1 || count > 100) throw new SampanError("invalid", `limit ${count} is outside the range of [1, 100]`);
  if (term === "") throw new SampanError("invalid", "invalid term: cannot be empty");
  const wanted = matcher(parseFilters(written, known));
  const signal = departure(request.raw, reply.raw, leaving);
  const auth = parseRegistryAuth(request.headers["x-registry-auth"]);
  const found: SearchResult[] = await engine.images.search(term, { count, auth, signal });
  sendJson(reply, found.filter(wanted));
}

function matcher(filters: ReturnType<typeof parseFilters>): (result: SearchResult) => boolean {
  const [official, automated] = [filterFlag(filters, "is-official"), filterFlag(filters, "is-automated")];
  const stars = (filters.stars ?? []).map((value) => {
    if (/^\d+$/.test(value)) return Number(value);
    throw new SampanError("invalid", `invalid filter 'stars=${value}'`);
  });
  return ({ is_official, is_automated, star_count }) =>
    (official === undefined || is_official === official) &&
    (automated === undefined || is_automated === automated) &&
    stars.every((least) => star_count >= least);
}
