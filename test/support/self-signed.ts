import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { succeed } from "./process.ts";

/** A key and a certificate that it signs itself, in files and as they are there: PEM. */
export interface SelfSigned {
  readonly key: { readonly path: string; readonly pem: Buffer };
  readonly cert: { readonly path: string; readonly pem: Buffer };
}

/** Makes them in a directory, for a name such as "IP:127.0.0.1" or "DNS:registry.test". Needs openssl. */
export async function selfSigned(directory: string, name: string): Promise<SelfSigned> {
  mkdirSync(directory, { recursive: true });
  const [key, cert] = [join(directory, "key.pem"), join(directory, "cert.pem")];
  const subject = ["-subj", `/CN=${name.slice(name.indexOf(":") + 1)}`, "-addext", `subjectAltName=${name}`];
  const request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...subject];
  await succeed("openssl", [...request, "-keyout", key, "-out", cert]);
  return { key: { path: key, pem: readFileSync(key) }, cert: { path: cert, pem: readFileSync(cert) } };
}
