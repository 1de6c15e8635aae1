import * as z from "zod";
import { type ErrorKind, SampanError } from "../errors/index.ts";
import type { HttpResponse } from "./http.ts";

const body = z.object({
  errors: z.array(z.object({ code: z.string().default("UNKNOWN"), message: z.string().default("") })).optional(),
  details: z.string().optional(),
});

/** What a registry says is wrong (distribution specification, "Error Codes"), as "manifest unknown: manifest unknown". */
export interface Complaint {
  readonly code: string;
  readonly text: string;
}

/** The first error of an error answer's body; made from the status when there is none that can be read. */
export function complaintOf({ status, bytes }: Pick<HttpResponse, "status" | "bytes">): Complaint {
  const parsed = body.safeParse(tryJson(bytes));
  const first = parsed.data?.errors?.[0];
  if (first !== undefined) {
    const code = first.code.toLowerCase().replaceAll("_", " ");
    return { code: first.code, text: `${code}: ${first.message || code}`.slice(0, 1000) };
  }
  const text = parsed.data?.details ?? `HTTP status ${status}`;
  return { code: fallbackCodes[status] ?? "UNKNOWN", text: fallbackTexts[status] ?? text.slice(0, 1000) };
}

const fallbackCodes: Readonly<Record<number, string>> = {
  401: "UNAUTHORIZED",
  403: "DENIED",
  429: "TOOMANYREQUESTS",
};
const fallbackTexts: Readonly<Record<number, string>> = {
  401: "unauthorized: authentication required",
  403: "denied: requested access to the resource is denied",
};

/** An error answer as an error: "Cannot <doing>: <complaint>". */
export function failure(response: Pick<HttpResponse, "status" | "bytes">, doing: string): SampanError {
  return new SampanError(kindOfStatus(response.status), `Cannot ${doing}: ${complaintOf(response).text}`);
}

/** The same of a request that changes something: what the registry does not take is "invalid", and is not tried again. */
export function refusal(response: Pick<HttpResponse, "status" | "bytes">, doing: string): SampanError {
  const { status } = response;
  const heals = status < 400 || status >= 500 || [401, 403, 404, 408, 416, 429].includes(status);
  const kind = heals ? kindOfStatus(status) : "invalid";
  return new SampanError(kind, `${doing}: ${complaintOf(response).text}`);
}

/** The kind that a registry's status means for us. */
export function kindOfStatus(status: number): ErrorKind {
  if (status === 401 || status === 403) return "denied";
  if (status === 404) return "not-found";
  return "unavailable";
}

function tryJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}
