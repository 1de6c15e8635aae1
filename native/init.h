/* `--init`: PID 1 of a container that forwards signals and reaps. */
#pragma once
#include "program.h"

/* Forks. The parent never returns: it is the init process. The child returns 0 and goes on with the program. */
long init_become(struct program *program);
