import type { Transform } from "node:stream";
import { constants, createDeflateRaw, createGzip } from "node:zlib";

export type Encoding = "gzip" | "deflate" | "identity";

const offered = ["gzip", "deflate"] as const;

/** How to encode an answer: what the client prefers of gzip and deflate; neither unless it asks (RFC 9110, 12.5.3). */
export function negotiateEncoding(header: string | undefined): Encoding {
  let best: Encoding = "identity";
  let bestQuality = 0;
  for (const offer of offered) {
    const quality = qualityOf(header ?? "", offer);
    if (quality <= bestQuality) continue;
    best = offer;
    bestQuality = quality;
  }
  return best;
}

function qualityOf(header: string, name: string): number {
  let anything = 0;
  for (const part of header.toLowerCase().split(",")) {
    const [coding = "", ...parameters] = part.split(";").map((text) => text.trim());
    const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
    const quality = weight === undefined ? 1 : Number(weight) || 0;
    if (coding === name || coding === `x-${name}`) return quality;
    if (coding === "*") anything = quality;
  }
  return anything;
}

/** What encodes; nothing for identity. Fast rather than small: the other end is on the same machine. */
export function encoder(encoding: Encoding): Transform | undefined {
  const options = { level: constants.Z_BEST_SPEED, chunkSize: 128 * 1024 };
  if (encoding === "gzip") return createGzip(options);
  return encoding === "deflate" ? createDeflateRaw(options) : undefined;
}
