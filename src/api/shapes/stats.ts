/** Docker's JSON of what a container uses: GET /containers/{id}/stats. Times are nanoseconds, sizes bytes. */

export interface BlkioEntry {
  readonly major: number;
  readonly minor: number;
  readonly op: string;
  readonly value: number;
}

type BlkioEntries = readonly BlkioEntry[] | null;

export interface BlkioStats {
  readonly io_service_bytes_recursive: BlkioEntries;
  readonly io_serviced_recursive: BlkioEntries;
  readonly io_queue_recursive: BlkioEntries;
  readonly io_service_time_recursive: BlkioEntries;
  readonly io_wait_time_recursive: BlkioEntries;
  readonly io_merged_recursive: BlkioEntries;
  readonly io_time_recursive: BlkioEntries;
  readonly sectors_recursive: BlkioEntries;
}

export interface CpuStats {
  readonly cpu_usage: {
    readonly total_usage: number;
    /** v1 only. */
    readonly percpu_usage?: readonly number[];
    readonly usage_in_kernelmode: number;
    readonly usage_in_usermode: number;
  };
  readonly system_cpu_usage?: number;
  readonly online_cpus?: number;
  readonly throttling_data: {
    readonly periods: number;
    readonly throttled_periods: number;
    readonly throttled_time: number;
  };
}

export interface MemoryStats {
  readonly usage?: number;
  /** v1 only. */
  readonly max_usage?: number;
  readonly stats?: Readonly<Record<string, number>>;
  /** v1 only. */
  readonly failcnt?: number;
  /** The machine's memory when there is no limit. */
  readonly limit?: number;
}

export interface NetworkStats {
  readonly rx_bytes: number;
  readonly rx_packets: number;
  readonly rx_errors: number;
  readonly rx_dropped: number;
  readonly tx_bytes: number;
  readonly tx_packets: number;
  readonly tx_errors: number;
  readonly tx_dropped: number;
}

export interface StatsResponse {
  /** With a leading slash. */
  readonly name: string;
  readonly id: string;
  readonly read: string;
  /** When `precpu_stats` was read. */
  readonly preread: string;
  readonly pids_stats: { readonly current?: number; readonly limit?: number };
  readonly blkio_stats: BlkioStats;
  readonly num_procs: number;
  readonly storage_stats: object;
  readonly cpu_stats: CpuStats;
  readonly precpu_stats: CpuStats;
  readonly memory_stats: MemoryStats;
  /** By interface. */
  readonly networks?: Readonly<Record<string, NetworkStats>>;
}
