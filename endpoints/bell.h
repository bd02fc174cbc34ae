/* Wakes a loop from another thread, by one eventfd.
 *
 * uv_async_t does the same, but the loop that it wakes spins until the waker has left it: about 50
 * us, whenever the kernel lets the woken thread run first on the waker's core. Between threads that
 * wake each other for every message that was half of the processor's time. Here nobody waits for
 * anybody, and what comes while the loop is at work rings once.
 *
 * A bell has two ends: its loop stops listening (bell_close), and once no thread can ring any
 * longer the eventfd goes (bell_release). Were both one, a thread that tells the loop to end, and
 * then rings, could find the loop gone already, and write to whatever has the descriptor's number
 * now. */
#ifndef SLUICE_BELL_H
#define SLUICE_BELL_H

#include <stdbool.h>
#include <uv.h>

#include "rules/err.h"

struct bell { /* all zero: closed and released */
	uv_poll_t poll;
	int fd;
	bool has_fd;
	void (*on_ring)(void *context); /* NULL: closed */
	void *context;
};

/* 0, or errno as libuv gives it (negative); then it is closed and released. */
MUST_CHECK int bell_open(struct bell *bell, uv_loop_t *loop, void (*on_ring)(void *context),
			 void *context);
/* on_ring is called in the loop's thread, later, at least once, unless the bell is closed by then;
 * it sees what the caller has written before. Any thread, until bell_release. */
void bell_ring(struct bell *bell);
/* In the loop's thread: on_ring is not called any more. The struct must stay until the loop has
 * turned once more. */
void bell_close(struct bell *bell);
/* Frees the eventfd of a bell that is closed. */
void bell_release(struct bell *bell);

#endif
