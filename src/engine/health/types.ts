export type HealthStatus = "starting" | "healthy" | "unhealthy";

/** One probe of a container's health. */
export interface HealthResult {
  /** RFC 3339. */
  readonly start: string;
  readonly end: string;
  /** 0 is well; -1 when it took too long or could not be run. */
  readonly exitCode: number;
  readonly output: string;
}

export interface ContainerHealth {
  readonly status: HealthStatus;
  /** Failures in a row. */
  readonly failingStreak: number;
  /** The last five at most, oldest first; those that this daemon has seen. */
  readonly log: readonly HealthResult[];
}
