import { type Call, type Method, unary } from "../grpc/server.ts";
import { codes, percentDecoded, RpcError } from "../grpc/status.ts";
import { answerCall, isCall } from "./calls.ts";
import { asRpcError } from "./failure.ts";
import { checkFrontend } from "./frontend.ts";
import type { Job, Jobs } from "./jobs.ts";
import * as m from "./messages/bridge.ts";
import { definitionOf } from "./results.ts";
import type { Means } from "./solve.ts";

/** What clients may ask of the frontend and of the graph; those that are not here are refused by the clients themselves. */
const capabilities = {
  frontend: [
    ...["solve.base", "importcaches", "return", "returnmap", "proto.refarray"],
    ...[
      "frontend.caps",
      "frontend.inputs",
      "reference.output",
      "gateway.evaluate",
      "gateway.solve.metadata",
      "gateway.warnings",
    ],
  ],
  graph: [
    ...["source.local", "source.local.unique", "source.local.sessionid", "platform", "meta.description"],
    ...["exporter.image.annotations", "exporter.multiple"],
  ],
} as const;

const enabled = (all: readonly string[]) => all.map((id) => ({ id, enabled: true }));

/** moby.buildkit.v1.frontend.LLBBridge, by which a client decides what a build that it has begun consists of. */
export function bridgeMethods(means: Means, jobs: Jobs): [string, Method][] {
  const jobOf = (call: Call): Promise<Job> => jobs.get(buildOf(call), call.signal);
  const methods: Readonly<Record<string, Method>> = {
    Ping: unary(m.PingRequest, m.PongResponse, async (_, call) => {
      await jobOf(call);
      return { frontend: enabled(capabilities.frontend), graph: enabled(capabilities.graph) };
    }),
    Inputs: unary(m.InputsRequest, m.InputsResponse, () => ({})),
    Solve: unary(m.SolveRequest, m.SolveResponse, async (request, call) => {
      const job = await jobOf(call);
      const frontend = checkFrontend(request);
      if (!isCall(frontend.attributes)) {
        for (const id of frontend.inputs.values()) jobs.want(id);
        const id = job.keep(frontend);
        return { result: { ref: { id, definition: definitionOf(id) } } };
      }
      const metadata = await answerCall(means, { job, frontend, signal: call.signal }).catch((error) => {
        throw asRpcError(error);
      });
      return { result: { ref: {}, metadata } };
    }),
    // It is carried out when it is returned.
    Evaluate: unary(m.EvaluateRequest, m.ReturnResponse, () => ({})),
    Return: unary(m.ReturnRequest, m.ReturnResponse, async ({ result, error }, call) => {
      const job = await jobOf(call);
      if (error !== undefined) {
        const { code = codes.unknown, message = "", details = [] } = error;
        job.giveUp(new RpcError(code, message, { details: details.map(detailOf) }));
      } else job.return(result?.ref?.id || undefined);
      return {};
    }),
    Warn: unary(m.WarnRequest, m.ReturnResponse, () => ({})),
  };
  return Object.entries(methods).map(([name, method]) => [`/moby.buildkit.v1.frontend.LLBBridge/${name}`, method]);
}

/** Which build a call is about. */
function buildOf({ headers }: Call): string {
  const id = headers["buildkit-controlapi-buildid"];
  if (typeof id === "string") return percentDecoded(id);
  throw new RpcError(codes.invalidArgument, "Cannot answer: the call does not say which build it is about");
}

function detailOf({ type_url = "", value = Buffer.alloc(0) }: { readonly type_url?: string; readonly value?: Buffer }) {
  return { type_url, value };
}
