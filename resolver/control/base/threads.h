/* The threads that live as long as the program, and those that have ended without having come to
 * their end: the kernel ends a single one for a system call that a filter does not allow, and the
 * rest would go on without it, unnoticed. */
#ifndef SLUICE_THREADS_H
#define SLUICE_THREADS_H

#include <stdbool.h>

enum { THREAD_NAME_MAX = 16 };

/* The calling thread is looked after from now on, until it returns from its function. */
void threads_join(void);
/* Whether one is gone; its name, as ps and top had it. Each is told once. */
bool threads_find_gone(char name[THREAD_NAME_MAX]);

#endif
