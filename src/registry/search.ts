import * as z from "zod";
import { SampanError } from "../errors/index.ts";
import { failure } from "./failure.ts";
import type { Send } from "./http.ts";
import type { Origin } from "./origin.ts";
import { basic } from "./token.ts";
import type { RegistryAuth } from "./types.ts";

/** A repository that a search found. */
export interface FoundRepository {
  readonly name: string;
  readonly description: string;
  readonly star_count: number;
  readonly is_official: boolean;
  readonly is_automated: boolean;
}

const answer = z.object({
  results: z
    .array(
      z.object({
        name: z.string(),
        description: z.string().nullish(),
        star_count: z.number().nullish(),
        is_official: z.boolean().nullish(),
        is_automated: z.boolean().nullish(),
      }),
    )
    .nullish(),
});

/** The largest answer that is read. */
const limit = 4 * 1024 * 1024;

/** Splits "host/term" as docker does: without a host Docker's own index is meant. */
export function splitTerm(text: string): { domain: string | undefined; term: string } {
  const [first = "", ...rest] = text.split("/");
  if (rest.length === 0 || !(/[.:]/.test(first) || first === "localhost")) return { domain: undefined, term: text };
  const domain = first === "docker.io" || first === "index.docker.io" ? undefined : first;
  return { domain, term: rest.join("/") };
}

/** Asks an index (`GET /v1/search`, all that is left of Docker's first registry protocol; few registries have it). */
export async function searchIndex(
  send: Send,
  { url: base, insecure }: Origin,
  query: { readonly term: string; readonly count: number; readonly auth?: RegistryAuth | undefined },
  signal?: AbortSignal,
): Promise<FoundRepository[]> {
  const url = new URL(`/v1/search?${new URLSearchParams({ q: query.term, n: String(query.count) })}`, base);
  const headers: Record<string, string> = query.auth?.username ? { authorization: basic(query.auth) } : {};
  const response = await send({ method: "GET", url, headers, insecure, limit, signal });
  if (response.status !== 200) throw failure(response, `search ${base.host}`);
  const parsed = answer.safeParse(tryJson(response.bytes));
  if (!parsed.success)
    throw new SampanError("unavailable", `Cannot search ${base.host}: its answer is no list of images`);
  return (parsed.data.results ?? []).map((one) => ({
    name: one.name,
    description: one.description ?? "",
    star_count: one.star_count ?? 0,
    is_official: one.is_official ?? false,
    is_automated: one.is_automated ?? false,
  }));
}

function tryJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}
