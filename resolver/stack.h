/* Passes items to another thread without a lock: any thread pushes, one thread takes all. The taken
 * items are reversed, so they come out in the order of the pushes. A push is one
 * compare-and-swap. */
#ifndef SLUICE_STACK_H
#define SLUICE_STACK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct stack_item { /* embedded in the item */
	struct stack_item *next;
};

struct stack { /* all zero: empty */
	_Atomic(struct stack_item *) newest;
};

/* True: the stack was empty, so the taking thread must be woken. That thread sees everything that
 * was written before the push. */
static inline bool stack_push(struct stack *stack, struct stack_item *item)
{
	struct stack_item *before = atomic_load_explicit(&stack->newest, memory_order_relaxed);

	do
		item->next = before; /* after the push the item must not be touched */
	while (!atomic_compare_exchange_weak_explicit(&stack->newest, &before, item,
						      memory_order_release, memory_order_relaxed));
	return !before;
}

/* Takes all items, the oldest first. */
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
