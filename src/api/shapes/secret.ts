/** Docker's JSON of secrets. */

export interface Secret {
  readonly ID: string;
  readonly Version: { readonly Index: number };
  readonly CreatedAt: string;
  readonly UpdatedAt: string;
  readonly Spec: { readonly Name: string; readonly Labels: Readonly<Record<string, string>> };
}

/** POST /secrets/create. */
export interface CreateSecretRequest {
  readonly Name: string;
  readonly Labels?: Readonly<Record<string, string>> | undefined;
  /** Base64. */
  readonly Data: string;
}

export interface CreateSecretResponse {
  readonly ID: string;
}
