import { resolve } from "node:path";
import { defineCommand } from "../command.ts";
import { registryAuthOf } from "../credentials/store.ts";
import { flag, text } from "../options.ts";

/** The daemon serves; this command keeps its answer open, so Ctrl-C, and any other end of it, ends the serving. */
export default defineCommand({
  usage: "[OPTIONS]",
  summary: "Serve the images that are here to other machines",
  arity: { min: 0, max: 0 },
  options: {
    listen: text("", "Address and port to listen at (default 127.0.0.1:5000); :5000 is every address of the machine"),
    proxy: text("", "Fetch what is not here from this registry (https://registry-1.docker.io), and keep it"),
    quiet: flag("q", "Do not show requests"),
    "tls-cert": text("", "Certificate (PEM) to serve by TLS with"),
    "tls-key": text("", "Key of the certificate (PEM)"),
  },
  run: async (context, _args, { listen, proxy, quiet, "tls-cert": cert, "tls-key": key }) => {
    const path = (given: string | undefined) => (given === undefined ? undefined : resolve(given));
    const auth = proxy === undefined ? undefined : registryAuthOf(proxy, context.env);
    const lines = await context.client.registry.serve({ listen, proxy, auth, cert: path(cert), key: path(key) });
    for await (const line of lines) {
      if ("address" in line) context.print(`Serving images at ${line.address} (Ctrl-C ends it)`);
      else if ("method" in line && !quiet) {
        context.print(`${line.client} ${line.method} ${line.path} ${line.status} ${line.took.toFixed(0)}ms`);
      }
    }
    return 0;
  },
});
