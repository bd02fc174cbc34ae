/* A template's resources, and what each waits for.
 *
 *     target ◄── the resources that wait for it        a target is a resource, or a copy's
 * resources
 *
 * A resource is ready when nothing it waits for is missing. A nested deployment is ready twice: to
 * be read, and when all of its own resources are done. */
#ifndef SLUICE_TEMPLATE_ENTRY_H
#define SLUICE_TEMPLATE_ENTRY_H

#include <jansson.h>
#include <stdbool.h>

#include "resolver/control/template/frame.h"

struct awaited {
	struct template_entry *entry; /* NULL: a copy's */
	unsigned waits;               /* for so many others */
	bool is_done;
	bool is_queued;
	struct wait *waiting;     /* for this one */
	struct awaited **members; /* of a copy, in order */
	size_t count;
	struct awaited *next; /* that is ready */
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
	struct template_entry *parent; /* that it is in */
	struct awaited *copy;          /* that it is one of */
	const char *symbol, *type, *name, *group, *id;
	bool is_existing;             /* it is only referred to */
	bool is_off;                  /* its condition is false */
	bool only_if_absent;          /* one that is there stays as it is */
	struct template_frame *inner; /* of a deployment that was read */
	struct template_entry *next;  /* of its frame */
};

/* Those that are ready, in order, and what a deployment has of resources in all. */
struct ready_queue {
	struct awaited *first, **last;
	size_t resources, unfinished;
};

/* Makes the frame's entries, which are put into the queue when nothing is missing. */
MUST_CHECK bool entries_read(struct template_frame *frame, struct ready_queue *queue);
bool entry_is_deployment(const struct template_entry *entry);
struct scope entry_scope(struct template_entry *entry);

/* By symbol, id, name ...: names_next() gives others. The items are targets. */
const struct name_row *entries_find(struct template_frame *frame, const char *text);
/* The waiter waits for the other one, if that is not done. */
MUST_CHECK bool awaited_wait(struct budget *budget, struct awaited *waiter, struct awaited *other);
/* It is done; what waited for nothing else is ready. */
void awaited_finish(struct ready_queue *queue, struct awaited *target);
/* NULL: nothing is ready. */
struct awaited *ready_queue_take(struct ready_queue *queue);
void ready_queue_put(struct ready_queue *queue, struct awaited *target);

/* "/subscriptions/S/resourceGroups/G/providers/TYPE/NAMES", interleaved; without a group where that
 * is NULL, without both where the subscription is. NULL: the budget has failed. */
const char *entry_id(struct budget *budget, const char *subscription, const char *group,
		     const char *type, const char *name);

#endif
