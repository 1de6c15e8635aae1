import { version } from "../../errors/version.ts";
import { capabilities } from "../../kernel/capabilities.ts";
import { landlockAnnotation } from "../../kernel/landlock/policy.ts";
import { actionNames } from "../../kernel/seccomp/actions.ts";
import { foreignArchNames, seccompArchs } from "../../kernel/seccomp/architectures.ts";
import { operators } from "../../kernel/seccomp/profile.ts";
import { namespaceKinds } from "../../runtime/bundle/namespace-kinds.ts";
import { hookNames } from "../config/config.ts";
import { seccompFlagNames } from "../config/seccomp.ts";
import { oldestSpecVersion, specVersion } from "../config/version.ts";
import { writeOut } from "../output.ts";
import { mountOptionNames } from "../translate/mount-options.ts";
import { command } from "./command.ts";

export const features = command({
  name: "features",
  usage: "",
  help: "tell what of the specification works",
  options: {},
  words: [0, 0],
  run: () => {
    writeOut(`${JSON.stringify(featuresDocument(), null, 4)}\n`);
    return 0;
  },
});

/** The document of the specification's features.md. What is refused is said to be disabled. */
function featuresDocument() {
  return {
    ociVersionMin: oldestSpecVersion,
    ociVersionMax: specVersion,
    hooks: hookNames,
    mountOptions: mountOptionNames,
    linux: {
      namespaces: [...namespaceKinds, "mount"].sort(),
      capabilities: Object.keys(capabilities),
      cgroup: { v1: true, v2: true, systemd: true, systemdUser: true, rdma: true },
      seccomp: {
        enabled: true,
        actions: [...actionNames].sort(),
        operators: [...operators].sort(),
        archs: [...Object.keys(seccompArchs), ...foreignArchNames].sort(),
        knownFlags: seccompFlagNames,
        supportedFlags: seccompFlagNames,
      },
      apparmor: { enabled: true },
      selinux: { enabled: true },
      intelRdt: { enabled: false },
      mountExtensions: { idmap: { enabled: true } },
      netDevices: { enabled: false },
    },
    annotations: { "org.sampan.runtime.version": version },
    potentiallyUnsafeConfigAnnotations: [landlockAnnotation],
  };
}
