import type { Socket } from "node:net";
import { SampanError } from "../../errors/index.ts";
import type { BuildKit } from "../buildkit/index.ts";
import type { ApiContext } from "../context.ts";
import type { ApiMessage } from "../http/message.ts";
import { upgradeHeader } from "../http/raw-answers.ts";

interface Connection {
  readonly socket: Socket;
  readonly headers: Readonly<Record<string, string>>;
}

const paths = ["/grpc", "/session"] as const;

/** The path, when it is one of those that go on with BuildKit's protocol. */
export function buildKitPath(path: string): (typeof paths)[number] | undefined {
  return paths.find((one) => one === path);
}

/** POST /grpc and POST /session: what makes a connection one of BuildKit's protocol, which is loaded with the first of them. */
export function buildKitRoutes(context: ApiContext) {
  let loading: Promise<BuildKit> | undefined;
  const load = async (): Promise<BuildKit> => {
    const { BuildKit } = await import("../buildkit/index.ts");
    return new BuildKit(context);
  };
  return async (request: ApiMessage, path: (typeof paths)[number], { socket, headers }: Connection): Promise<void> => {
    const protocol = request.headers.upgrade?.toLowerCase();
    if (protocol === undefined) throw new SampanError("invalid", "no upgrade proto in request");
    if (protocol !== "h2c") throw new SampanError("invalid", `protocol ${protocol} not supported`);
    loading ??= load();
    const handle = (await loading).handlerOf(path, request.headers);
    // A client that has closed its half has left: HTTP/1.1 alone lets it wait for an answer.
    socket.allowHalfOpen = false;
    socket.once("end", () => socket.destroy());
    socket.write(upgradeHeader(headers, protocol));
    handle(socket);
  };
}
