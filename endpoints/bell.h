/* Wakes a loop from another thread, with one eventfd.
 *
 * uv_async_t does the same, but the woken loop spins until the waker has returned from the call:
 * about 50 us, whenever the kernel runs the woken thread first on the waker's core. For threads
 * that wake each other for every message this was half of the processor's time. A bell never makes
 * a thread wait, and several rings while the loop is busy become one.
 *
 * A bell ends in two steps: its loop stops listening (bell_close), and once no thread can ring any
 * more the eventfd is closed (bell_release). In one step, a thread that tells the loop to end and
 * then rings could write to another file that has got the descriptor's number. */
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

/* 0, or errno as libuv gives it (negative): then it is closed and released, but the struct must
 * stay until the loop has turned once more. */
MUST_CHECK int bell_open(struct bell *bell, uv_loop_t *loop, void (*on_ring)(void *context),
			 void *context);
/* Makes the loop's thread call on_ring later, at least once, unless the bell is closed before;
 * on_ring sees everything that the caller has written. Any thread, until bell_release. */
void bell_ring(struct bell *bell);
/* Stops on_ring; call it in the loop's thread. The struct must stay until the loop has turned once
 * more. */
void bell_close(struct bell *bell);
/* Frees the eventfd of a bell that is closed. */
void bell_release(struct bell *bell);

#endif
