import { accessSync, constants } from "node:fs";

/** Whether we may execute what is at a path (access(2)). */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
