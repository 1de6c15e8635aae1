import { isIP } from "node:net";
import { isAbsolute } from "node:path";
import { SampanError } from "../../errors/index.ts";

/** Where the API listens. */
export type Address = { readonly path: string } | { readonly host: string; readonly port: number };

/**
 * Reads "unix:///run/sampan.sock" or "tcp://127.0.0.1:2375". Whoever reaches the API is root on this machine and TCP
 * asks for no password, so other than loopback addresses are refused.
 */
export function parseAddress(text: string): Address {
  if (text.startsWith("unix://")) {
    const path = text.slice("unix://".length);
    if (isAbsolute(path) && Buffer.byteLength(path) <= 107) return { path };
    throw refusal(text, "the path of a Unix socket is absolute and at most 107 bytes long");
  }
  const match = /^tcp:\/\/(\[[0-9a-f:]+\]|[^:/[\]]+):(\d{1,5})\/?$/i.exec(text);
  const [, host = "", port = ""] = match ?? [];
  if (match === null || Number(port) > 65535) {
    throw refusal(text, "wanted unix:///path/to/socket or tcp://127.0.0.1:port");
  }
  const bare = host.replace(/^\[|\]$/g, "");
  if (!isLoopback(bare)) {
    throw refusal(
      text,
      "without TLS, which is not there yet, only loopback addresses are safe; use an SSH tunnel to it",
    );
  }
  return { host: bare, port: Number(port) };
}

function isLoopback(host: string): boolean {
  if (host === "localhost" || host === "::1") return true;
  return isIP(host) === 4 && host.startsWith("127.");
}

function refusal(text: string, why: string): SampanError {
  return new SampanError("invalid", `Cannot listen on ${text}: ${why}`);
}

/** The address as people write it. */
export function formatAddress(address: Address): string {
  if ("path" in address) return `unix://${address.path}`;
  return `tcp://${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}
