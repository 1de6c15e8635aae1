import { i386 } from "../syscalls/i386.ts";
import type { ArgumentTest } from "./profile.ts";

/** Calls that 32-bit x86 also reaches through socketcall(2) and ipc(2), by the number they have as first argument there. */
// biome-ignore format: a table is read faster many to a line
const throughSocketcall = new Map(Object.entries({
  socket: 1, bind: 2, connect: 3, listen: 4, accept: 5, getsockname: 6, getpeername: 7, socketpair: 8, send: 9,
  recv: 10, sendto: 11, recvfrom: 12, shutdown: 13, setsockopt: 14, getsockopt: 15, sendmsg: 16, recvmsg: 17,
  accept4: 18, recvmmsg: 19, sendmmsg: 20,
}));
// biome-ignore format: a table is read faster many to a line
const throughIpc = new Map(Object.entries({
  semop: 1, semget: 2, semctl: 3, semtimedop: 4, msgsnd: 11, msgrcv: 12, msgget: 13, msgctl: 14,
  shmat: 21, shmdt: 22, shmget: 23, shmctl: 24,
}));

/**
 * The second way to a call on 32-bit x86: the multiplexer's number and the test of its first argument. The call's own
 * arguments lie in memory there, where a filter cannot look: a rule about them holds whatever they are, as in libseccomp.
 */
export function multiplexedForm(name: string): { number: number; test: ArgumentTest } | undefined {
  const socket = throughSocketcall.get(name);
  if (socket !== undefined) return { number: i386.socketcall, test: firstArgumentIs(socket) };
  const ipc = throughIpc.get(name);
  return ipc === undefined ? undefined : { number: i386.ipc, test: firstArgumentIs(ipc) };
}

function firstArgumentIs(value: number): ArgumentTest {
  return { index: 0, op: "SCMP_CMP_EQ", value: BigInt(value), valueTwo: 0n };
}
