/* The threads to watch, and which of them the kernel has killed. A seccomp filter can kill a single
 * thread; the others would go on without it, unnoticed. */
#ifndef SLUICE_THREADS_H
#define SLUICE_THREADS_H

#include <stdbool.h>

enum { THREAD_NAME_MAX = 16 };

/* Watches the calling thread until its function returns. */
void threads_join(void);
/* Finds a watched thread that was killed; `name` is the one that ps and top showed. Each thread is
 * reported once. */
bool threads_find_gone(char name[THREAD_NAME_MAX]);

#endif
