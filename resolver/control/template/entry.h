/* A template's resources, and what each waits for.
 *
 *     target ◄── the targets that wait for it          a target is a resource, or all of a copy
 *
 * A resource is ready when everything it waits for is done. A nested deployment is read when it is
 * ready, and then waits for its own resources. A reference() to an unfinished resource makes a
 * resource or a nested deployment wait once more. */
#ifndef SLUICE_TEMPLATE_ENTRY_H
#define SLUICE_TEMPLATE_ENTRY_H

#include <jansson.h>
#include <stdbool.h>

#include "resolver/control/template/frame.h"

struct awaited {
	struct template_entry *entry; /* NULL: all resources of a copy */
	unsigned waits;               /* number of unfinished targets that it waits for */
	bool is_done;
	bool is_queued;
	struct wait *waiting;     /* the targets that wait for it */
	struct awaited **members; /* resources of a copy, in order */
	size_t count;
	struct awaited *next; /* in the ready queue */
};

struct wait {
	struct awaited *waiter;
	struct wait *next;
};

struct template_entry {
	struct awaited target;
	struct template_frame *frame;
	const json_t *source;
	const struct copy_loop *loops;
	const struct template_place *place;
	struct template_entry *parent; /* the entry around it */
	struct awaited *copy;          /* the copy that it belongs to */
	const char *symbol, *type, *name, *group, *id;
	bool is_existing;             /* the template refers to it, and does not make it */
	bool is_off;                  /* its condition is false */
	bool only_if_absent;          /* an existing resource stays unchanged */
	struct template_frame *inner; /* of a nested deployment that was read */
	struct template_entry *next;  /* in its frame */
};

/* Ready targets in order, and the numbers of resources and of unfinished targets in the whole
 * deployment. */
struct ready_queue {
	struct awaited *first, **last;
	size_t resources, unfinished;
};

/* Makes the frame's entries, and queues those that wait for nothing. */
MUST_CHECK bool entries_read(struct template_frame *frame, struct ready_queue *queue);
bool entry_is_deployment(const struct template_entry *entry);
struct scope entry_scope(struct template_entry *entry);

/* Finds targets by symbol, id or name; names_next() gives further ones. */
const struct name_row *entries_find(struct template_frame *frame, const char *text);
/* Makes the waiter wait for the other target, unless that is done. */
MUST_CHECK bool awaited_wait(struct budget *budget, struct awaited *waiter, struct awaited *other);
/* Marks the target as done, and queues waiters that wait for nothing else. */
void awaited_finish(struct ready_queue *queue, struct awaited *target);
/* NULL: nothing is ready. */
struct awaited *ready_queue_take(struct ready_queue *queue);
void ready_queue_put(struct ready_queue *queue, struct awaited *target);

/* Prints "/subscriptions/S/resourceGroups/G/providers/TYPE/NAMES", with types and names
 * interleaved, or for a resource group "/subscriptions/S/resourceGroups/NAME". A subscription or
 * group that is NULL is left out. Returns NULL if the budget has failed. */
const char *entry_id(struct budget *budget, const char *subscription, const char *group,
		     const char *type, const char *name);

#endif
