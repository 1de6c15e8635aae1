import * as z from "zod";
import type { Images } from "../../engine/types.ts";
import { SampanError } from "../../errors/index.ts";
import { isPart } from "../../images/lookup.ts";
import { formatPlatform } from "../../images/platform.ts";
import type { Platform, Removal } from "../../images/types.ts";
import type { Digest } from "../../storage/digest.ts";
import type { ApiContext } from "../context.ts";
import { pathOf, queryOf, sendEmpty, sendJson } from "../http/answers.ts";
import type { Api, ApiReply } from "../http/fastify.ts";
import { versionNumber } from "../http/versions.ts";
import { parseFilters } from "../requests/filters.ts";
import { filterImages, imageFilters, imagePruneFilter } from "../requests/image-filters.ts";
import { imageReference, onlyPlatform, platformOf } from "../requests/image-reference.ts";
import { pruneFilters } from "../requests/prune-filter.ts";
import { flag, readQuery, text } from "../requests/query.ts";
import type { ImageDeleteResponseItem, PruneImagesResponse } from "../shapes/image.ts";
import { imageHistory, imageInspect, imageSummary } from "../views/image.ts";
import { manifestSummary } from "../views/manifest.ts";
import { sendArchive } from "./archives.ts";
import { pushImage } from "./image-push.ts";
import { searchImages } from "./image-search.ts";

const v1_44 = versionNumber("1.44");

const v1_47 = versionNumber("1.47");

const listQuery = z.object({ filters: text(), manifests: flag(), all: flag() });
const deleteQuery = z.object({ force: flag(), noprune: flag() });
const tagQuery = z.object({ repo: text(), tag: text() });
const inspectQuery = z.object({ platform: text() });

/** Images that are here. Names contain slashes, so the verb is what comes last. */
export function imageRoutes(app: Api, context: ApiContext): void {
  const { engine } = context;
  const { images } = engine;
  const save = async (reply: ApiReply, names: readonly string[], query: URLSearchParams) => {
    const platform = onlyPlatform(query.getAll("platform"));
    await sendArchive(reply, await images.save(names, platform), undefined);
  };
  app.get("/images/get", async (request, reply) => {
    const query = queryOf(request);
    await save(reply, query.getAll("names"), query);
  });
  app.get("/images/json", async (request, reply) => {
    const { version } = request.raw.versioned;
    const query = readQuery(listQuery, queryOf(request));
    const filters = parseFilters(query.filters, imageFilters);
    const listed = query.all ? images.list() : images.list().filter((image) => !isPart(image));
    const found = filterImages(listed, filters, (name) => images.resolve(name));
    const rows = found.map((image) => imageSummary(image, version, images.containersOf(image.id)));
    if (!query.manifests || version < v1_47) return sendJson(reply, rows);
    const manifests = await Promise.all(found.map((image) => images.manifestsOf(image)));
    const idsOf = (id: Digest) => images.containerIdsOf(id);
    sendJson(
      reply,
      rows.map((row, index) => ({
        ...row,
        Manifests: manifests[index]?.map((one) => manifestSummary(one, idsOf)) ?? [],
      })),
    );
  });
  app.get("/images/search", (request, reply) => searchImages(context, request, reply));
  app.get("/images/*", async (request, reply) => {
    const { name, verb } = nameAndVerb(pathOf(request)["*"]);
    if (verb === "json") {
      const { platform } = readQuery(inspectQuery, queryOf(request));
      const { version } = request.raw.versioned;
      // The first Compose takes whatever version the daemon speaks, and what images had until 1.44 for granted.
      const meant = request.headers["user-agent"]?.startsWith("docker-compose/1.") ? Math.min(version, v1_44) : version;
      sendJson(reply, imageInspect(images.resolve(name, platformOf(platform)), meant));
    } else if (verb === "history") {
      const { platform } = readQuery(inspectQuery, queryOf(request));
      sendJson(reply, imageHistory(images.resolve(name, platformOf(platform))));
    } else if (verb === "get") await save(reply, [name], queryOf(request));
    else throw new SampanError("not-found", "page not found");
  });
  app.post("/images/*", async (request, reply) => {
    const { name, verb } = nameAndVerb(pathOf(request)["*"]);
    if (verb === "push") return await pushImage(context, name, request, reply);
    if (verb !== "tag") throw new SampanError("not-found", "page not found");
    const { repo, tag } = readQuery(tagQuery, queryOf(request));
    if (repo === undefined) throw new SampanError("invalid", "invalid reference format: repository name is empty");
    images.tag(name, imageReference(repo, tag));
    sendEmpty(reply, 201);
  });
  app.delete("/images/*", async (request, reply) => {
    const { force, noprune: noPrune } = readQuery(deleteQuery, queryOf(request));
    const name = pathOf(request)["*"] ?? "";
    if (name.trim() === "") throw new SampanError("invalid", "image name cannot be blank");
    const platform = onlyPlatform(queryOf(request).getAll("platforms"));
    const removed = platform === undefined ? name : onlyOf(images, name, platform);
    sendJson(reply, removals(await images.remove(removed, { force, noPrune })));
  });
  app.post("/images/prune", async (request, reply) => {
    const { filters: text } = readQuery(listQuery, queryOf(request));
    const filters = parseFilters(text, ["dangling", ...pruneFilters]);
    const pruned = await images.prune(imagePruneFilter(filters, Date.now()));
    const answer: PruneImagesResponse = {
      ImagesDeleted: pruned.removals.length === 0 ? null : removals(pruned.removals),
      SpaceReclaimed: pruned.reclaimed,
    };
    sendJson(reply, answer);
  });
}

/** What of a name is for one platform; of an index only what does not have its names. */
function onlyOf(images: Pick<Images, "resolve">, name: string, platform: Platform): string {
  const [named, found] = [images.resolve(name), images.resolve(name, platform)];
  if (named.id !== found.id) return found.id;
  if (named.indexes.length === 0) return name;
  const why = "it stands for the index, and the others go with it; remove the name";
  throw new SampanError("unsupported", `Cannot remove only ${formatPlatform(platform)} of ${name}: ${why}`);
}

function removals(removed: readonly Removal[]): ImageDeleteResponseItem[] {
  return removed.map((item) => ("untagged" in item ? { Untagged: item.untagged } : { Deleted: item.deleted }));
}

function nameAndVerb(path = ""): { name: string; verb: string } {
  const slash = path.lastIndexOf("/");
  return { name: path.slice(0, Math.max(0, slash)), verb: path.slice(slash + 1) };
}

/** A refusal of what Docker has and Sampan not yet. */
export function notYet(what: string): SampanError {
  return new SampanError("unsupported", `Cannot ${what}: this version of Sampan does not do that yet`);
}
