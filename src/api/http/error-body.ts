import { kindOf, messageOf, SampanError } from "../../errors/index.ts";

/** What is answered to a request that failed. */
export interface ErrorAnswer {
  readonly status: number;
  /** Docker's error JSON; "" where HTTP allows no body. */
  readonly body: string;
  /** A defect of ours: worth a line in the log. */
  readonly unexpected: boolean;
}

/** Status and body for anything that was thrown. Fastify's own errors carry a `statusCode`. */
export function errorAnswer(error: unknown): ErrorAnswer {
  const status = statusOf(error);
  return {
    status,
    body: status === 304 ? "" : errorJson(messageOf(error)),
    unexpected: kindOf(error) === "internal" && status >= 500,
  };
}

/** Docker's error JSON. */
export function errorJson(message: string): string {
  return `${JSON.stringify({ message })}\n`;
}

function statusOf(error: unknown): number {
  if (error instanceof SampanError) return error.status;
  // A malformed %-sequence in a path.
  if (error instanceof URIError) return 400;
  const status = error instanceof Error ? (error as { statusCode?: unknown }).statusCode : undefined;
  return typeof status === "number" && status >= 400 ? status : 500;
}
