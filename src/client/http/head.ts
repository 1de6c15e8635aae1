import { SampanError } from "../../errors/index.ts";

/** The first line and the headers of a response; names in lower case, repeated ones joined by commas. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** A header block that grows beyond this is not one. */
export const maxHead = 64 * 1024;

/** The head of a request, to be written as it is. */
export function requestHead(method: string, target: string, headers: Readonly<Record<string, string>>): string {
  if (/[^!-~]/.test(target)) throw new SampanError("invalid", `Cannot ask for ${JSON.stringify(target)}`);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${clean(value)}\r\n`);
  return `${method} ${target} HTTP/1.1\r\nHost: sampan\r\n${lines.join("")}\r\n`;
}

/** A line break in a value would be a header of somebody else's. */
function clean(value: string): string {
  if (/[\r\n\0]/.test(value)) throw new SampanError("invalid", "Cannot send a header with a line break in it");
  return value;
}

/** Reads a head without the empty line that ends it. */
export function parseHead(text: string): ResponseHead {
  const [first = "", ...lines] = text.split("\r\n");
  const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(first)?.[1]);
  if (Number.isNaN(status)) throw new SampanError("internal", "The daemon's socket does not speak HTTP");
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  return { status, headers };
}
