/* Who has to go when too many wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "endpoints/fair_queue.h"

enum { MAX = 100, ITEMS = MAX + 3 };

struct fixture {
	struct fair_queue waiting;
	struct fair_queue_item items[ITEMS];
	struct address clients[ITEMS];
	unsigned used;
};

static int set_up(void **state)
{
	static const struct hash_key key = {5, 6};
	struct fixture *f = calloc(1, sizeof *f);

	fair_queue_init(&f->waiting, MAX, &key);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	while (f->waiting.first)
		fair_queue_remove(&f->waiting, f->waiting.first);
	assert_null(f->waiting.clients); /* nothing is kept for nobody */
	free(f);
	return 0;
}

/* One more of that client's; its index. */
static unsigned add_address(struct fixture *f, struct address client)
{
	unsigned i = f->used++;

	f->clients[i] = client;
	fair_queue_add(&f->waiting, &f->items[i], &f->clients[i]);
	return i;
}

static unsigned add(struct fixture *f, uint8_t client)
{
	return add_address(f, (struct address){4, {10, 0, 0, client}});
}

static void add_many(struct fixture *f, unsigned count, uint8_t client)
{
	while (count-- > 0)
		add(f, client);
}

static int victim(const struct fixture *f)
{
	const struct fair_queue_item *item = fair_queue_victim(&f->waiting);

	return item ? (int)(item - f->items) : -1;
}

static void nobody_has_to_go_up_to_the_maximum(void **state)
{
	struct fixture *f = *state;

	add_many(f, MAX, 1);
	assert_int_equal(f->waiting.count, MAX);
	assert_int_equal(victim(f), -1);
	add(f, 1);
	assert_int_equal(victim(f), 0);
}

static void of_one_clients_questions_the_oldest_goes(void **state)
{
	struct fixture *f = *state;

	add_many(f, MAX + 1, 1);
	assert_int_equal(victim(f), 0);
	fair_queue_remove(&f->waiting, &f->items[0]);
	assert_int_equal(victim(f), -1);
	add(f, 1);
	assert_int_equal(victim(f), 1);
}

static void the_oldest_of_the_greedy_one_goes_and_not_the_oldest_of_all(void **state)
{
	struct fixture *f = *state;

	add_many(f, 3, 1);
	add_many(f, MAX - 3, 2);
	add(f, 3);
	assert_int_equal(victim(f), 3);
}

/* Those of modest clients stay, so that in the end the oldest and the newest are theirs. */
static void a_greedy_clients_oldest_goes_wherever_it_stands(void **state)
{
	struct fixture *f = *state;

	add_many(f, 20, 1);
	unsigned greedy = f->used;
	add_many(f, MAX - 40, 2);
	add_many(f, 20, 1);
	add(f, 3);
	assert_int_equal(victim(f), greedy);
	fair_queue_remove(&f->waiting, &f->items[greedy]);
	add(f, 2);
	assert_int_equal(victim(f), greedy + 1);
}

static void who_was_greedy_and_has_its_answers_is_not_any_more(void **state)
{
	struct fixture *f = *state;

	add_many(f, 20, 1);
	add_many(f, 30, 2);
	for (unsigned i = 20; i < 50; i++)
		fair_queue_remove(&f->waiting, &f->items[i]);
	for (unsigned i = 0; i < 51; i++)
		add(f, (uint8_t)(10 + i));
	for (unsigned i = 0; i < 30; i++) {
		f->clients[20 + i] = (struct address){4, {10, 0, 1, (uint8_t)i}};
		fair_queue_add(&f->waiting, &f->items[20 + i], &f->clients[20 + i]);
	}
	assert_int_equal(victim(f), 0);
}

/* However many addresses of its /64 it asks from. */
static void a_greedy_ipv6_client_is_its_64(void **state)
{
	struct fixture *f = *state;

	add_many(f, 3, 1);
	for (unsigned i = 3; i < MAX; i++)
		add_address(f, (struct address){6, {0x20, 1, [8] = 1, [15] = (uint8_t)i}});
	add_address(f, (struct address){6, {0x20, 1, [7] = 1}});
	assert_int_equal(victim(f), 3);
}

static void a_modest_newcomer_stays_when_all_are_alike(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i <= MAX; i++)
		add(f, (uint8_t)i);
	assert_int_equal(victim(f), 0);
	fair_queue_remove(&f->waiting, &f->items[0]);
	add(f, MAX + 1);
	assert_int_equal(victim(f), 1);
}

static void those_who_waited_before_it_came_to_that_count_as_well(void **state)
{
	struct fixture *f = *state;

	add_many(f, MAX / 4, 2); /* nobody counts them yet */
	for (unsigned i = f->used; i < MAX; i++)
		add(f, (uint8_t)(50 + i));
	add_many(f, 3, 1);
	fair_queue_remove(&f->waiting, &f->items[MAX]);
	fair_queue_remove(&f->waiting, &f->items[MAX + 1]);
	assert_int_equal(victim(f), 0);
}

static void what_has_gone_no_longer_counts(void **state)
{
	struct fixture *f = *state;

	add_many(f, MAX / 2, 1);
	unsigned first = f->used;
	add_many(f, MAX / 2, 2);
	for (unsigned i = first; i < f->used; i++)
		fair_queue_remove(&f->waiting, &f->items[i]);
	unsigned counted = 0;
	for (size_t i = 0; i < FAIR_QUEUE_CLIENTS; i++)
		counted += f->waiting.clients[i].count;
	assert_int_equal(counted, MAX / 2);
	assert_int_equal(f->waiting.count, MAX / 2);
	fair_queue_remove(&f->waiting, &f->items[first]); /* once more is fine */
	assert_int_equal(f->waiting.count, MAX / 2);
	for (unsigned i = 0; i < first; i++)
		fair_queue_remove(&f->waiting, &f->items[i]);
	assert_int_equal(f->waiting.count, 0);
	assert_null(f->waiting.clients);
}

static void order_survives_removal_anywhere(void **state)
{
	struct fixture *f = *state;

	add_many(f, 5, 1);
	fair_queue_remove(&f->waiting, &f->items[4]); /* the newest */
	fair_queue_remove(&f->waiting, &f->items[0]);
	fair_queue_remove(&f->waiting, &f->items[2]);
	unsigned last = add(f, 1);
	assert_ptr_equal(f->waiting.first, &f->items[1]);
	assert_ptr_equal(f->items[1].next, &f->items[3]);
	assert_ptr_equal(f->items[3].next, &f->items[last]);
	assert_null(f->items[last].next);
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(nobody_has_to_go_up_to_the_maximum),
		ONE(of_one_clients_questions_the_oldest_goes),
		ONE(the_oldest_of_the_greedy_one_goes_and_not_the_oldest_of_all),
		ONE(a_greedy_clients_oldest_goes_wherever_it_stands),
		ONE(who_was_greedy_and_has_its_answers_is_not_any_more),
		ONE(a_greedy_ipv6_client_is_its_64),
		ONE(a_modest_newcomer_stays_when_all_are_alike),
		ONE(those_who_waited_before_it_came_to_that_count_as_well),
		ONE(what_has_gone_no_longer_counts),
		ONE(order_survives_removal_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
