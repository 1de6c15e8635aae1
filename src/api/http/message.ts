import { IncomingMessage } from "node:http";
import { latest, type VersionedPath } from "./versions.ts";

/** A request that knows the API version it was made for. */
export class ApiMessage extends IncomingMessage {
  versioned: VersionedPath = { version: latest, written: "", path: "" };
}
