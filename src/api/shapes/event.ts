/** One line of GET /events. `status`, `id` and `from` are what clients before API 1.22 knew; some still read them. */
export interface EventMessage {
  readonly status?: string;
  readonly id?: string;
  readonly from?: string;
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly scope: string;
  /** Unix seconds. */
  readonly time: number;
  /** Unix nanoseconds: more digits than a JavaScript number holds. */
  readonly timeNano: number;
}
