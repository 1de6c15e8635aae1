import type { Server, ServerResponse } from "node:http";
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteGenericInterface } from "fastify";
import type { ApiMessage } from "./message.ts";

type Response = ServerResponse<ApiMessage>;

export type Api = FastifyInstance<Server, ApiMessage, Response>;
export type ApiRequest = FastifyRequest<RouteGenericInterface, Server, ApiMessage>;
export type ApiReply = FastifyReply<RouteGenericInterface, Server, ApiMessage, Response>;
