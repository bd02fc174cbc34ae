/* What threads leave for one that takes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>

#include "resolver/stack.h"
#include "rules/base.h"

enum { PUSHERS = 3, EACH = 20000 };

struct left {
	struct stack_item item;
	unsigned by, number;
};

struct pusher {
	struct stack *stack;
	_Atomic unsigned *calls;
	unsigned by;
	struct left left[EACH];
};

static void items_come_out_in_order_and_the_first_one_says_that_it_is(void **state)
{
	struct stack stack = {0};
	struct left left[3];

	(void)state;
	assert_null(stack_take(&stack));
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < COUNT(left); i++)
			assert_int_equal(stack_push(&stack, &left[i].item), i == 0);
		struct stack_item *item = stack_take(&stack);
		for (unsigned i = 0; i < COUNT(left); i++, item = item->next)
			assert_ptr_equal(item, &left[i].item);
		assert_null(item);
		assert_null(stack_take(&stack));
	}
}

static void *push_all(void *argument)
{
	struct pusher *pusher = argument;

	for (unsigned i = 0; i < EACH; i++) {
		pusher->left[i].by = pusher->by;
		pusher->left[i].number = i;
		if (stack_push(pusher->stack, &pusher->left[i].item))
			atomic_fetch_add(pusher->calls, 1);
	}
	return NULL;
}

/* Who takes only when it is called gets everything, each thread's in its order. */
static void nothing_is_lost_between_threads(void **state)
{
	struct stack stack = {0};
	_Atomic unsigned calls = 0;
	struct pusher *pushers = calloc(PUSHERS, sizeof *pushers);
	pthread_t threads[PUSHERS];
	unsigned next[PUSHERS] = {0}, got = 0, answered = 0;

	(void)state;
	for (unsigned i = 0; i < PUSHERS; i++) {
		pushers[i].stack = &stack;
		pushers[i].calls = &calls;
		pushers[i].by = i;
		assert_int_equal(pthread_create(&threads[i], NULL, push_all, &pushers[i]), 0);
	}
	while (got < PUSHERS * EACH) {
		if (atomic_load(&calls) == answered) {
			sched_yield();
			continue;
		}
		answered++;
		for (struct stack_item *item = stack_take(&stack); item; item = item->next) {
			const struct left *left = container_of(item, struct left, item);

			assert_int_equal(left->number, next[left->by]++);
			got++;
		}
	}
	for (unsigned i = 0; i < PUSHERS; i++)
		pthread_join(threads[i], NULL);
	assert_null(stack_take(&stack));
	free(pushers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_come_out_in_order_and_the_first_one_says_that_it_is),
		cmocka_unit_test(nothing_is_lost_between_threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
