import { SampanError } from "../errors/index.ts";
import { type Limits, orMax, sizeText } from "./limits.ts";
import type { HugepageLimit, NetworkResources, RdmaLimit, Resources } from "./resources.ts";

/** The controllers that these limits need besides those that every container has. */
export function rareControllersOf({ hugepages, network, rdma, unified }: Resources): string[] {
  const named = Object.keys(unified ?? {}).map((file) => file.split(".", 1)[0] ?? "");
  return [
    ...(hugepages?.length ? ["hugetlb"] : []),
    ...(network?.classId === undefined ? [] : ["net_cls"]),
    ...(network?.priorities?.length ? ["net_prio"] : []),
    ...(rdma && Object.keys(rdma).length > 0 ? ["rdma"] : []),
    ...named.filter((controller) => ["hugetlb", "rdma", "misc"].includes(controller)),
  ];
}

/** The sum of pages in use, and, where the kernel counts them, of those that are set aside (Linux 5.7). */
export function setHugepages(limits: Limits, hugepages: readonly HugepageLimit[], version: "v1" | "v2"): void {
  for (const { pageSize, limit } of hugepages) {
    // Part of a file's name
    if (!/^[1-9]\d*[KMG]B$/.test(pageSize))
      throw new SampanError(
        "invalid",
        `Cannot limit huge pages of ${JSON.stringify(pageSize)}: a size is like 2MB or 1GB`,
      );
    const file = version === "v1" ? "limit_in_bytes" : "max";
    const value = version === "v1" ? limit : orMax(limit);
    const what = `limit huge pages of ${pageSize} to ${sizeText(limit)}`;
    limits.set(what, "hugetlb", `hugetlb.${pageSize}.${file}`, value);
    const reserved = `hugetlb.${pageSize}.rsvd.${file}`;
    if (limits.has("hugetlb", reserved)) limits.set(`${what}, set aside`, "hugetlb", reserved, value);
  }
}

/** v1's files. */
export function setNetwork(limits: Limits, { classId, priorities = [] }: NetworkResources): void {
  if (classId !== undefined) limits.set(`put its packets into class ${classId}`, "net_cls", "net_cls.classid", classId);
  for (const { name, priority } of priorities) {
    if (name === "" || /\s/.test(name))
      throw new SampanError(
        "invalid",
        `Cannot set the priority of ${JSON.stringify(name)}: not the name of an interface`,
      );
    limits.set(
      `give packets by ${name} the priority ${priority}`,
      "net_prio",
      "net_prio.ifpriomap",
      `${name} ${priority}`,
    );
  }
}

/** One file, the same in v1 and v2, with a line for every device. */
export function setRdma(limits: Limits, rdma: Readonly<Record<string, RdmaLimit>>): void {
  for (const [device, { hcaHandles, hcaObjects }] of Object.entries(rdma)) {
    if (device === "" || /\s/.test(device))
      throw new SampanError("invalid", `Cannot limit RDMA of ${JSON.stringify(device)}: not the name of a device`);
    const values = [
      ...(hcaHandles === undefined ? [] : [`hca_handle=${hcaHandles}`]),
      ...(hcaObjects === undefined ? [] : [`hca_object=${hcaObjects}`]),
    ];
    if (values.length > 0)
      limits.set(`limit RDMA by ${device} to ${values.join(" ")}`, "rdma", "rdma.max", `${device} ${values.join(" ")}`);
  }
}
