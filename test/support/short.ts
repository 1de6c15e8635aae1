/** What `npm run test:vm -- --short` runs: what another kernel or cgroup version may change, in as much time as there is. */
const short = [
  "suites/landlock",
  "suites/network-parents",
  "suites/runtime",
  "e2e/build-foreign",
  "e2e/cgroups",
  "e2e/kernel-tables",
  "e2e/landlock",
  "e2e/limits",
  "e2e/network-drivers",
  "e2e/network-isolation",
  "e2e/network-survival",
  "e2e/oci-runtime-labels",
  "e2e/oci-runtime-resources",
  "e2e/oci-runtime-systemd",
  "e2e/readme",
  "e2e/storage-quotas",
  "e2e/storage-quotas-ext4",
  "e2e/survival",
  "e2e/docker-cli",
  "e2e/live-containers",
  "e2e/volumes-nfs",
];

export function isShort(file: string): boolean {
  return short.some((name) => file === `test/${name}.test.ts`);
}
