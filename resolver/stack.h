/* What one thread leaves for another: pushed to by anybody and emptied by one thread, without a
 * lock. It is taken as a whole and turned round, so items come out in the order in which they went
 * in, and a push is one compare-and-swap. */
#ifndef SLUICE_STACK_H
#define SLUICE_STACK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct stack_item { /* within whatever is left */
	struct stack_item *next;
};

struct stack { /* all zero: empty */
	_Atomic(struct stack_item *) newest;
};

/* True: it was empty before, so that whoever empties it may not know yet. What the item's owner has
 * written before, the thread that takes it sees. */
static inline bool stack_push(struct stack *stack, struct stack_item *item)
{
	struct stack_item *before = atomic_load_explicit(&stack->newest, memory_order_relaxed);

	do
		item->next = before; /* once it is pushed, it is no longer ours to look at */
	while (!atomic_compare_exchange_weak_explicit(&stack->newest, &before, item,
						      memory_order_release, memory_order_relaxed));
	return !before;
}

/* All of it, the oldest first. */
static inline struct stack_item *stack_take(struct stack *stack)
{
	struct stack_item *from =
		atomic_exchange_explicit(&stack->newest, NULL, memory_order_acquire);
	struct stack_item *first = NULL;

	while (from) {
		struct stack_item *next = from->next;

		from->next = first;
		first = from;
		from = next;
	}
	return first;
}

#endif
