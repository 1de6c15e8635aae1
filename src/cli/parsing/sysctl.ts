import { invalid } from "../errors.ts";

const ofIpc = /^kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)$/;

/** `--sysctl name=value`, of the settings that a container has for itself. */
export function parseSysctl(text: string): [name: string, value: string] {
  const [, name = "", value = ""] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (ofIpc.test(name) || /^(net|fs\.mqueue)\../.test(name)) return [name, value];
  throw invalid(`sysctl '${text}' is not allowed`);
}
