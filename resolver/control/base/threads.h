/* The threads that live as long as the program, and which of them the kernel killed. A filter of
 * system calls can kill a single thread; the others would go on without it, unnoticed. */
#ifndef SLUICE_THREADS_H
#define SLUICE_THREADS_H

#include <stdbool.h>

enum { THREAD_NAME_MAX = 16 };

/* From now on the calling thread is watched, until its function returns. */
void threads_join(void);
/* Whether a watched thread was killed; `name` is what ps and top showed. Reports each one once. */
bool threads_find_gone(char name[THREAD_NAME_MAX]);

#endif
