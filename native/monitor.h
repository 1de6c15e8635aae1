/* The monitor: what a worker becomes after it has started a process. It owns stdio, terminal, log and exit status. */
#pragma once
#include "util.h"

/*
 * Pumps until `pid` has ended and its output is drained; returns the wait status, or -1 with errno. `starter` becomes
 * the first control connection. `supervision` is laid out as `wire.supervision`.
 */
long monitor_supervise(int starter, pid_t pid, const unsigned char *supervision);
/* Tells every control connection how the process has ended. */
void monitor_announce(const void *record, uint32_t size);
/* Waits until attached clients have read everything or left. */
void monitor_linger(void);
