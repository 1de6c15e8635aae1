/** What layers lie on, in Docker's name for it; the directories are nobody's business. */
export const graphDriver = { Name: "overlay2", Data: null } as const;
