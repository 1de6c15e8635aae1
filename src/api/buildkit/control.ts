import { orCancelled } from "../../errors/cancel.ts";
import { version } from "../../errors/version.ts";
import { hostPlatform } from "../../images/platform.ts";
import { type Method, streaming, unary } from "../grpc/server.ts";
import { cacheMethods } from "./cache.ts";
import { asRpcError } from "./failure.ts";
import { checkFrontend } from "./frontend.ts";
import { type Jobs, KeptFrontend } from "./jobs.ts";
import * as m from "./messages/control.ts";
import { type Means, solve } from "./solve.ts";

const { architecture, os, variant = "" } = hostPlatform();
const builder = { package: "sampan", version: `v${version}`, revision: "" };

/**
 * The one worker there is. By the label of a snapshotter buildx knows that images of several platforms, archives of images and
 * caches can be had, and leaves pushing to the daemon; by that of an address what `--add-host NAME:host-gateway` stands for.
 */
function worker([address]: readonly string[]) {
  const prefix = "org.mobyproject.buildkit.worker";
  return {
    id: "sampan",
    labels: new Map([
      [`${prefix}.executor`, "sampan"],
      [`${prefix}.snapshotter`, "overlayfs"],
      ...(address === undefined ? [] : [[`${prefix}.moby.host-gateway-ip`, address] as const]),
    ]),
    platforms: [{ os, architecture, variant }],
    version: builder,
  };
}

/** moby.buildkit.v1.Control: builds of one connection. */
export function controlMethods(means: Means, jobs: Jobs): [string, Method][] {
  const methods: Readonly<Record<string, Method>> = {
    ListWorkers: unary(m.ListWorkersRequest, m.ListWorkersResponse, () => ({ record: [worker(means.hostGateway())] })),
    Info: unary(m.InfoRequest, m.InfoResponse, () => ({ version: builder })),
    Solve: unary(m.SolveRequest, m.SolveResponse, async (request, { signal }) => {
      const job = jobs.begin(request);
      try {
        const own = request.frontend === "" ? undefined : new KeptFrontend(checkFrontend(request));
        const kept = own ?? (await orCancelled(job.returned, signal));
        if (kept === undefined) return {};
        return { exporterResponse: await solve(means, { job, kept, signal }) };
      } catch (error) {
        throw asRpcError(error);
      } finally {
        job.end();
      }
    }),
    Status: streaming(m.StatusRequest, m.StatusResponse, async function* ({ ref }, { signal }) {
      const job = await jobs.get(ref, signal);
      yield* job.status(signal);
      jobs.forget(ref);
    }),
    ...cacheMethods(means.builds),
  };
  return Object.entries(methods).map(([name, method]) => [`/moby.buildkit.v1.Control/${name}`, method]);
}
