import { isIP } from "node:net";
import { SampanError } from "../../errors/index.ts";

/** A look at a container from outside, without a process in it. */
export type OwnProbe =
  | { readonly kind: "http"; readonly addresses: readonly string[]; readonly port: number; readonly request: string }
  | { readonly kind: "tcp"; readonly addresses: readonly string[]; readonly port: number }
  | { readonly kind: "file"; readonly path: string };

const kinds: Readonly<Record<string, (target: string) => OwnProbe>> = {
  "sampan:http": httpProbe,
  "sampan:tcp": tcpProbe,
  "sampan:file": (path) => {
    if (path.startsWith("/")) return { kind: "file", path };
    throw refusal("file", path, "a path that begins with /");
  },
};

/**
 * Sampan's own probes are written as commands, so that every client and every image can ask for them: `sampan:http URL`,
 * `sampan:tcp [HOST:]PORT`, `sampan:file PATH`. undefined for an ordinary command; "invalid" for one of ours that makes no sense.
 */
export function ownProbe(words: readonly string[]): OwnProbe | undefined {
  const [name = "", target = "", ...more] = words.length === 1 ? (words[0]?.trim().split(/\s+/) ?? []) : words;
  if (!name.startsWith("sampan:")) return undefined;
  const parse = kinds[name];
  if (parse === undefined) {
    throw new SampanError("invalid", `invalid health check ${name}: there are ${Object.keys(kinds).join(", ")}`);
  }
  if (target === "" || more.length > 0) throw refusal(name.slice("sampan:".length), words.join(" "), "one argument");
  return parse(target);
}

function httpProbe(target: string): OwnProbe {
  const url = URL.canParse(target) ? new URL(target) : undefined;
  if (url === undefined || url.protocol !== "http:") {
    throw refusal("http", target, "http://HOST[:PORT][/PATH]; for https use a command that speaks it");
  }
  const lines = [`GET ${url.pathname}${url.search} HTTP/1.1`, `Host: ${url.host}`, "User-Agent: sampan", "Accept: */*"];
  return {
    kind: "http",
    addresses: addressesOf("http", url.hostname),
    port: Number(url.port || 80),
    request: `${lines.join("\r\n")}\r\nConnection: close\r\n\r\n`,
  };
}

function tcpProbe(target: string): OwnProbe {
  const match = /^(?:(.*):)?(\d{1,5})$/.exec(target);
  const port = Number(match?.[2]);
  if (match === null || port < 1 || port > 65_535) throw refusal("tcp", target, "[HOST:]PORT");
  return { kind: "tcp", addresses: addressesOf("tcp", match[1] ?? "localhost"), port };
}

/** As seen from inside the container. Names would be asked of servers in there: another probe's business. */
function addressesOf(kind: string, host: string): readonly string[] {
  const address = host.replace(/^\[(.*)\]$/, "$1");
  if (address === "localhost" || address === "") return ["127.0.0.1", "::1"];
  if (isIP(address) === 4) return [address];
  const url = `http://[${address}]`;
  // "::ffff:192.0.2.1" and the like in hexadecimal digits only; no zones, whose names are the machine's business.
  if (isIP(address) === 6 && URL.canParse(url)) return [new URL(url).hostname.slice(1, -1)];
  throw refusal(kind, host, "localhost or an address");
}

function refusal(kind: string, given: string, wanted: string): SampanError {
  return new SampanError("invalid", `invalid health check sampan:${kind} ${given}: it takes ${wanted}`);
}
