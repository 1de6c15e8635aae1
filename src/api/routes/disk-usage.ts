import * as z from "zod";
import type { ContainerView, Engine } from "../../engine/types.ts";
import { SampanError } from "../../errors/index.ts";
import type { ApiContext } from "../context.ts";
import { queryOf, sendJson } from "../http/answers.ts";
import type { Api } from "../http/fastify.ts";
import { flag, readQuery, text } from "../requests/query.ts";
import { diskUsageResponse, type Measured } from "../views/disk-usage.ts";

const kinds = ["container", "image", "volume", "build-cache"];
const usageQuery = z.object({ verbose: text() });

/** Containers measured at a time: each keeps a process of the executor busy. */
const atOnce = 4;

/** GET /system/df. */
export function diskUsageRoutes(app: Api, { engine }: ApiContext): void {
  app.get("/system/df", async (request, reply) => {
    const query = queryOf(request);
    const asked = query.getAll("type");
    const unknown = asked.find((kind) => !kinds.includes(kind));
    if (unknown !== undefined) throw new SampanError("invalid", `unknown object type: ${unknown}`);
    const wanted = new Set(asked.length === 0 ? kinds : asked);
    const { verbose } = readQuery(usageQuery, query);
    const isVerbose = verbose === undefined ? undefined : flag().parse(verbose);
    sendJson(reply, diskUsageResponse(await measure(engine, wanted), request.raw.versioned.version, isVerbose));
  });
}

async function measure(engine: Engine, wanted: ReadonlySet<string>): Promise<Measured> {
  const images = () =>
    engine.images
      .list()
      .filter(({ virtual }) => virtual === undefined)
      .map((image) => ({ image, containers: engine.images.containersOf(image.id) }));
  return {
    images: wanted.has("image") ? images() : undefined,
    containers: wanted.has("container") ? await containerSizes(engine) : undefined,
    volumes: wanted.has("volume") ? await engine.volumes.usage() : undefined,
    buildCache: wanted.has("build-cache") ? await engine.builds.usage() : undefined,
  };
}

async function containerSizes({ containers }: Engine): Promise<Measured["containers"]> {
  const left = containers.list({ all: true }).reverse();
  const sized: NonNullable<Measured["containers"]>[number][] = [];
  const worker = async (): Promise<void> => {
    for (let view: ContainerView | undefined = left.pop(); view !== undefined; view = left.pop()) {
      try {
        sized.push({ view, size: await containers.sizes(view.id) });
      } catch (error) {
        // Removed meanwhile: it takes no room any more.
        if (!(error instanceof SampanError && error.kind === "not-found")) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return sized.sort((a, b) => (a.view.createdAt < b.view.createdAt ? 1 : -1));
}
