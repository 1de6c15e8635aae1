import * as z from "zod";
import type { Filters, SecretView } from "../../engine/types.ts";
import { SampanError } from "../../errors/index.ts";
import type { ApiContext } from "../context.ts";
import { jsonOf, pathOf, queryOf, sendEmpty, sendJson } from "../http/answers.ts";
import type { Api, ApiRequest } from "../http/fastify.ts";
import { matchesLabels, parseFilters } from "../requests/filters.ts";
import { integer, readQuery, text } from "../requests/query.ts";
import { struct, validateJson } from "../requests/validate.ts";
import type { CreateSecretResponse, Secret } from "../shapes/secret.ts";

const listQuery = z.object({ filters: text() });
const updateQuery = z.object({ version: integer() });
const secretFilters = ["id", "label", "name", "names"];
const specBody = struct({ Name: z.string(), Labels: z.record(z.string(), z.string()), Data: z.string() });

/** Secrets, which elsewhere need a swarm. What they hold goes in and never comes out. */
export function secretRoutes(app: Api, { engine }: ApiContext): void {
  const { secrets } = engine;
  app.get("/secrets", (request, reply) => {
    const filters = parseFilters(readQuery(listQuery, queryOf(request)).filters, secretFilters);
    sendJson(reply, secrets.list().filter(matching(filters)).map(secretJson));
  });
  app.post("/secrets/create", async (request, reply) => {
    const { Name, Labels, Data } = validateJson(specBody, (await jsonOf(request)) ?? {});
    const answer: CreateSecretResponse = {
      ID: secrets.create({ name: Name ?? "", labels: Labels ?? {}, data: decode(Data ?? "") }),
    };
    sendJson(reply, answer, 201);
  });
  app.get("/secrets/:id", (request, reply) => sendJson(reply, secretJson(secrets.get(idOf(request)))));
  app.delete("/secrets/:id", (request, reply) => {
    secrets.remove(idOf(request));
    sendEmpty(reply);
  });
  app.post("/secrets/:id/update", async (request, reply) => {
    const { version } = readQuery(updateQuery, queryOf(request));
    const { Labels, Data } = validateJson(specBody, (await jsonOf(request)) ?? {});
    if (Data) throw new SampanError("invalid", "only updates to Labels are allowed");
    secrets.update(idOf(request), version ?? 0, Labels ?? {});
    sendEmpty(reply, 200);
  });
}

function idOf(request: ApiRequest): string {
  return pathOf(request).id ?? "";
}

/** Base64, of the ordinary or of the URL's kind. */
function decode(data: string): Uint8Array {
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(data)) {
    throw new SampanError("invalid", "invalid JSON: cannot use Data: it is not base64");
  }
  return Buffer.from(data, "base64");
}

function matching(filters: Filters): (secret: SecretView) => boolean {
  const any = (key: string, test: (value: string) => boolean): boolean => filters[key]?.some(test) ?? true;
  return ({ id, name, labels }) =>
    any("id", (prefix) => id.startsWith(prefix)) &&
    any("name", (prefix) => name.startsWith(prefix)) &&
    any("names", (wanted) => name === wanted) &&
    matchesLabels(labels, filters.label);
}

function secretJson({ id, name, labels, createdAt, updatedAt, version }: SecretView): Secret {
  return {
    ID: id,
    Version: { Index: version },
    CreatedAt: createdAt,
    UpdatedAt: updatedAt,
    Spec: { Name: name, Labels: labels },
  };
}
