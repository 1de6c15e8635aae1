import { isIP } from "node:net";
import { SampanError } from "../../errors/index.ts";

/** Where docker's registry listens by default. */
const usualPort = 5000;

/** Reads "127.0.0.1:5000", "[::1]:5000", ":5000" (every address of the machine), "5000" and "127.0.0.1"; loopback when nothing is said. */
export function parseListenAddress(text: string | undefined): { host: string; port: number } {
  if (text === undefined) return { host: "127.0.0.1", port: usualPort };
  const [whole, bracketed, plain = "", digits] = /^(?:\[([^\]]+)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const isPort = plain !== "" && digits === undefined && /^\d{1,5}$/.test(plain);
  const host = isPort ? "127.0.0.1" : (bracketed ?? plain);
  const port = isPort ? Number(plain) : Number(digits ?? usualPort);
  const valid = host === "" || host === "localhost" || isIP(host) !== 0;
  if (whole === undefined || !valid || port > 65535) {
    throw new SampanError(
      "invalid",
      `Cannot serve images at ${JSON.stringify(text)}: wanted ADDRESS:PORT, as 127.0.0.1:5000`,
    );
  }
  return { host: host === "" ? "::" : host, port };
}
