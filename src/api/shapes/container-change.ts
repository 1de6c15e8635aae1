/** One entry of GET /containers/{id}/changes. */
export interface ContainerChange {
  readonly Path: string;
  /** 0: modified, 1: added, 2: deleted. */
  readonly Kind: 0 | 1 | 2;
}
