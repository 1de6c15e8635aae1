import { invalid } from "../errors.ts";
import { bytes, flag, hidden, integer, later, list, parsed, text } from "../options.ts";
import { parseExtraHost } from "../parsing/network.ts";
import { parsePlatform } from "../parsing/platform.ts";
import { parseSizeOrUnlimited } from "../parsing/size.ts";
import { parseUlimit } from "../parsing/ulimit.ts";
import { parseAgent, parseSecret } from "./secrets.ts";

/** What is built, and with what. */
const whatFlags = {
  "build-arg": list("", "Set build-time variables"),
  "build-context": list("", "Additional build contexts (e.g., name=path, name=docker-image://image)"),
  compress: flag("", "Compress the build context using gzip"),
  file: text("f", 'Name of the Dockerfile (default: "PATH/Dockerfile")'),
  label: list("", "Set metadata for an image"),
  platform: list("", "Set target platform for build", parsePlatforms),
  secret: list("", "Secret to expose to the build (id=mysecret[,src=/local/secret|env=VARIABLE])", parseSecret),
  ssh: list("", "SSH agent socket to expose to the build (default|<id>[=<socket>])", parseAgent),
  tag: list("t", "Name and optionally a tag (format: name:tag)"),
  target: text("", "Set the target build stage to build"),
};

const cacheFlags = {
  "cache-from": list("", "External cache sources (e.g., user/app:cache, type=local,src=path/to/dir)"),
  "cache-to": list(
    "",
    "Cache export destinations (e.g., type=registry,ref=user/app:cache, type=local,dest=path/to/dir)",
  ),
  "no-cache": flag("", "Do not use cache when building the image"),
  "no-cache-filter": list("", "Do not cache specified stages"),
  pull: flag("", "Always attempt to pull all referenced images"),
};

const resultFlags = {
  call: text("", "Set method for evaluating build (check, outline, targets)"),
  check: flag("", 'Shorthand for "--call=check"'),
  iidfile: text("", "Write the image ID to a file"),
  load: flag("", 'Shorthand for "--output=type=docker"'),
  "metadata-file": text("", "Write build result metadata to a file"),
  output: list("o", "Output destination (type=local|tar|oci|docker|image|registry,dest=path)"),
  progress: text("", "Set type of progress output (auto, plain, tty, quiet, rawjson)"),
  push: flag("", 'Shorthand for "--output=type=registry"'),
  quiet: flag("q", "Suppress the build output and print image ID on success"),
};

const commandFlags = {
  allow: list("", "Allow extra privileged entitlement (network.host, security.insecure, files.host)", parseEntitlement),
  "add-host": list("", "Add a custom host-to-IP mapping (host:ip)", parseExtraHost),
  "cgroup-parent": text("", "Set the parent cgroup for the RUN instructions during build"),
  "cpu-period": integer("", "Limit the CPU CFS (Completely Fair Scheduler) period"),
  "cpu-quota": integer("", "Limit the CPU CFS (Completely Fair Scheduler) quota"),
  "cpu-shares": integer("c", "CPU shares (relative weight)"),
  "cpuset-cpus": text("", "CPUs in which to allow execution (0-3, 0,1)"),
  "cpuset-mems": text("", "MEMs in which to allow execution (0-3, 0,1)"),
  memory: bytes("m", "Memory limit of RUN instructions"),
  "memory-swap": bytes("", "Swap limit equal to memory plus swap: -1 to enable unlimited swap", parseSizeOrUnlimited),
  network: text("", 'Set the networking mode for the RUN instructions during build (default "default")'),
  "shm-size": bytes("", "Shared memory size for build containers"),
  ulimit: list("", "Ulimit options", parseUlimit, "ulimit"),
};

const attestations = "attestations are";

/** Docker's flags whose feature is not there: they are known, so that the error says what is missing. */
const refused = {
  annotation: later("annotations of images are"),
  attest: later(attestations),
  builder: later("other builders are"),
  policy: later("build policies are"),
  sbom: later(attestations),
  "security-opt": later("security options of builds are"),
  squash: later("squashing (use a last stage with COPY --from) is", { isSwitch: true }),
};

/** Flags that ask for what is so anyway: there are no containers to be left over, and nothing was ever trusted. */
const tolerated = {
  "disable-content-trust": hidden(flag("", "", true)),
  "force-rm": hidden(flag("", "")),
  isolation: hidden(parsed("", "", "string", parseDefault)),
  provenance: hidden(parsed("", "", "string", parseNoProvenance)),
  rm: hidden(flag("", "", true)),
};

/** The flags of `build`. */
export const buildFlags = {
  ...whatFlags,
  ...cacheFlags,
  ...resultFlags,
  ...commandFlags,
  ...refused,
  ...tolerated,
};

function parsePlatforms(value: string): string {
  return value.split(",").map(parsePlatform).join(",");
}

function parseEntitlement(value: string): string {
  if (value === "security.insecure" || value === "network.host" || value === "files.host") return value;
  throw invalid(`unknown entitlement: ${value}`);
}

function parseDefault(value: string): string {
  if (value === "" || value === "default") return value;
  throw invalid(`unsupported isolation: ${value}`);
}

function parseNoProvenance(value: string): string {
  if (value === "false" || value === "0" || value === "disabled=true") return value;
  throw invalid("attestations are not in this version of Sampan yet, use --provenance=false");
}
