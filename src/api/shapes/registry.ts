/** A line of POST /registry/serve: first where it listens, then every request that was answered. */
export type ServeLine =
  | { readonly address: string }
  | {
      readonly client: string;
      readonly method: string;
      readonly path: string;
      readonly status: number;
      /** Milliseconds. */
      readonly took: number;
    };
