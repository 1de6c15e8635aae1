import { Slots } from "../../images/slots.ts";
import type { Container } from "../container/live.ts";
import type { FailureAction } from "./probe.ts";
import type { HealthRecords } from "./records.ts";
import { Scheduler } from "./scheduler.ts";

/** Probes that are being started at once: each costs a few milliseconds, and the rest of the daemon goes on meanwhile. */
const starts = 4;

/** What all health checks share. */
export class HealthChecks {
  readonly scheduler = new Scheduler();
  readonly launches = new Slots(starts);
  readonly records: HealthRecords;
  /** Does to a container that is unhealthy what its check says. */
  act: (container: Container, action: FailureAction) => Promise<void> = async () => {};

  constructor(records: HealthRecords) {
    this.records = records;
  }

  close(): void {
    this.scheduler.close();
    this.records.flush();
  }
}
