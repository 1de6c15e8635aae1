import type { UpdateContainerRequest } from "../../api/shapes/container.ts";
import { defineCommand } from "../command.ts";
import { forEach } from "../each.ts";
import { UsageError } from "../errors.ts";
import { later } from "../options.ts";
import { defined } from "../run/absent.ts";
import { identityFlags, limitFlags } from "../run/flags.ts";

const { "blkio-weight": weight, "cpu-period": period, "cpu-quota": quota, "cpu-shares": shares, cpus } = limitFlags;
const { "cpuset-cpus": cpuset, "cpuset-mems": mems, memory, "memory-reservation": reservation } = limitFlags;

export default defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Update configuration of one or more containers",
  arity: { min: 1 },
  options: {
    "blkio-weight": weight,
    "cpu-period": period,
    "cpu-quota": quota,
    "cpu-rt-period": later("real-time CPU limits are"),
    "cpu-rt-runtime": later("real-time CPU limits are"),
    "cpu-shares": shares,
    cpus,
    "cpuset-cpus": cpuset,
    "cpuset-mems": mems,
    memory,
    "memory-reservation": reservation,
    "memory-swap": limitFlags["memory-swap"],
    "pids-limit": limitFlags["pids-limit"],
    restart: identityFlags.restart,
  },
  run: (context, names, values) => {
    const changes = defined<UpdateContainerRequest>({
      BlkioWeight: values["blkio-weight"],
      CpuPeriod: values["cpu-period"],
      CpuQuota: values["cpu-quota"],
      CpuShares: values["cpu-shares"],
      NanoCpus: values.cpus,
      CpusetCpus: values["cpuset-cpus"],
      CpusetMems: values["cpuset-mems"],
      Memory: values.memory,
      MemoryReservation: values["memory-reservation"],
      MemorySwap: values["memory-swap"],
      PidsLimit: values["pids-limit"],
      RestartPolicy: values.restart,
    });
    if (Object.keys(changes).length === 0)
      throw new UsageError("you must provide one or more flags when using this command", 1);
    return forEach(context, names, async (name) => {
      const { Warnings } = await context.client.containers.update(name, changes);
      for (const warning of Warnings ?? []) context.warn(warning);
      return name;
    });
  },
});
