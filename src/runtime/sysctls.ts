const ofIpc: readonly string[] = [
  "kernel.msgmax",
  "kernel.msgmnb",
  "kernel.msgmni",
  "kernel.sem",
  "kernel.shmall",
  "kernel.shmmax",
  "kernel.shmmni",
  "kernel.shm_rmid_forced",
];

/** The namespace that a sysctl belongs to (namespaces(7)); undefined for one of the whole machine. */
export function namespaceOfSysctl(name: string): "network" | "ipc" | "uts" | undefined {
  if (name.startsWith("net.")) return "network";
  if (ofIpc.includes(name) || name.startsWith("fs.mqueue.")) return "ipc";
  return name === "kernel.domainname" || name === "kernel.hostname" ? "uts" : undefined;
}
