/* Wakes a loop from another thread, by one eventfd.
 *
 * uv_async_t does the same, but the loop that it wakes spins until the waker has left it: about 50
 * us, whenever the kernel lets the woken thread run first on the waker's core. Between threads that
 * wake each other for every message that was half of the processor's time. Here nobody waits for
 * anybody, and what comes while the loop is at work rings once. */
#ifndef SLUICE_BELL_H
#define SLUICE_BELL_H

#include <uv.h>

#include "rules/err.h"

struct bell { /* all zero: closed */
	uv_poll_t poll;
	int fd;
	void (*on_ring)(void *context);
	void *context;
};

/* 0, or errno as libuv gives it (negative); then it is closed. */
MUST_CHECK int bell_open(struct bell *bell, uv_loop_t *loop, void (*on_ring)(void *context),
			 void *context);
/* on_ring is called in the loop's thread, later, at least once; it sees what the caller has written
 * before. Any thread, until bell_close. */
void bell_ring(struct bell *bell);
/* The struct must stay until the loop has turned once more. */
void bell_close(struct bell *bell);

#endif
