/* What must hold of targets, by UDP and by TCP: the code that decides, in a network that exists in
 * memory (world.h). bench/faults and the
 * end-to-end tests have the same with packets.
 *
 * Clients ask in turns. Names that begin with "d" are dead: no target answers them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/world.h"

enum { CLIENTS = 5, ATTACKER = 66, GOOD = 77 };

static enum protocol protocol;
static uint8_t packets_of[WORLD_ASKED]; /* of dead names, by their number */

static struct address client(unsigned number)
{
	return (struct address){4, {198, 51, 100, (uint8_t)number}};
}

static bool dead_names(struct world *world, const char *name)
{
	(void)world;
	return name[0] == 'd';
}

static void count_dead(struct world *world, unsigned server, const uint8_t *wire)
{
	const uint8_t *label = wire + MESSAGE_HEADER;
	unsigned number = 0;

	(void)world;
	(void)server;
	if (name_lower(label[1]) != 'd')
		return;
	for (unsigned i = 2; i <= label[0]; i++)
		number = number * 10 + label[i] - '0';
	packets_of[number]++;
}

static void begin(unsigned servers)
{
	world_release(&w);
	world_init(&w, servers);
	memset(packets_of, 0, sizeof packets_of);
	w.on_send = count_dead;
	for (unsigned i = 0; i < servers; i++) {
		w.upstreams[i].protocol = w.targets[i].protocol = protocol;
		w.servers[i].ignores = dead_names;
		w.servers[i].delay_us = 500;
	}
}

static struct world_asked *ask(unsigned from, const char *format, unsigned number)
{
	char name[32];

	snprintf(name, sizeof name, format, number);
	w.client = client(from);
	return world_ask(&w, name);
}

/* Questions for new names, of five clients in turn. */
static unsigned run(unsigned per_second, unsigned count)
{
	unsigned first = w.asked_count;

	for (unsigned i = 0; i < count; i++) {
		ask(i % CLIENTS, "n%u.test", w.asked_count);
		world_run(&w, SECOND / per_second);
	}
	return first;
}

static uint64_t took(const struct world_asked *asked)
{
	return asked->done_us - asked->asked_us;
}

static int by_time(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* All of them are answered; how long the longest takes but for so many of a thousand. */
static uint64_t slowest(unsigned first, unsigned last, unsigned but)
{
	static uint64_t times[WORLD_ASKED];
	unsigned count = last - first;

	for (unsigned i = 0; i < count; i++) {
		assert_true(w.asked[first + i].done);
		assert_int_equal(w.asked[first + i].value.outcome, ASK_ANSWERED);
		times[i] = took(&w.asked[first + i]);
	}
	qsort(times, count, sizeof *times, by_time);
	return times[count - 1 - count * but / 1000];
}

static void the_first_of_two_dies_at_200_a_second(void **state)
{
	(void)state;
	begin(2);
	run(200, 600);
	w.servers[0].does = SILENT;
	unsigned dead = run(200, 1000);
	w.servers[0].does = ANSWERS;
	unsigned back = run(200, 500);
	world_run(&w, SECOND);
	assert_true(slowest(dead, back, 10) <= 5 * MS);
	assert_true(slowest(dead, back, 0) <= 50 * MS);
	assert_true(slowest(0, dead, 0) <= 1 * MS);
	assert_true(slowest(back, w.asked_count, 0) <= 1 * MS);
	for (unsigned i = back + 200; i < w.asked_count; i++)
		assert_ptr_equal(w.asked[i].value.upstream, &w.upstreams[0]);
}

static unsigned first_to_second; /* questions that the second was asked first */
static unsigned seen[WORLD_ASKED];

static void count_order(struct world *world, unsigned server, const uint8_t *wire)
{
	const uint8_t *label = wire + MESSAGE_HEADER;
	unsigned number = 0;

	(void)world;
	for (unsigned i = 2; i <= label[0]; i++)
		number = number * 10 + label[i] - '0';
	if (seen[number]++ == 0)
		first_to_second += server == 1;
}

static void every_fifth_name_takes_the_first_300_ms(void **state)
{
	static const struct {
		unsigned rate, names;
	} loads[] = {{200, 2000}, {20, 1000}, {1, 100}};

	(void)state;
	for (size_t i = 0; i < sizeof loads / sizeof loads[0]; i++) {
		begin(2);
		memset(seen, 0, sizeof seen);
		first_to_second = 0;
		w.on_send = count_order;
		w.servers[0].slow_percent = 20;
		w.servers[0].slow_us = 300 * MS;
		w.servers[0].slow_by_tcp = true;
		run(loads[i].rate, loads[i].names);
		world_run(&w, 2 * SECOND);
		print_message("%u a second: %u packets for %u names\n", loads[i].rate, w.sent,
			      loads[i].names);
		assert_true(w.sent <= loads[i].names + loads[i].names / 50);
		assert_int_equal(first_to_second, 0);
		assert_int_equal(w.targets[0].suspicions, 0);
		assert_true(slowest(0, w.asked_count, 0) <= 301 * MS);
	}
}

/* One client asks for names that nobody answers, another one now and then for good ones. */
static void attack(unsigned per_second, unsigned seconds)
{
	struct world_asked *good[64];
	unsigned goods = 0, number = 0;

	for (unsigned ms = 0; ms < seconds * 1000; ms++) {
		for (; number < (uint64_t)per_second * ms / 1000; number++)
			ask(ATTACKER, "d%u.test", number);
		if (ms > 2000 && ms % 613 == 0)
			good[goods++] = ask(GOOD, "g%u.test", ms);
		world_run(&w, MS);
	}
	world_run(&w, DEADLINE);
	assert_true(goods >= 8);
	for (unsigned i = 0; i < goods; i++) {
		assert_int_equal(good[i]->value.outcome, ASK_ANSWERED);
		assert_true(took(good[i]) <= 20 * MS);
	}
	for (unsigned i = 0; i < number; i++)
		assert_in_range(packets_of[i], 1, LOOKUP_PACKETS);
}

static void each_attack(void (*before)(void))
{
	static const unsigned rates[] = {20, 50, 200, 1000};

	for (unsigned servers = 1; servers <= 2; servers++) {
		for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
			begin(servers);
			before();
			attack(rates[i], 8);
		}
	}
}

static void warm_up(void)
{
	run(50, 50);
}

static void one_client_asks_for_names_that_nobody_answers(void **state)
{
	(void)state;
	each_attack(warm_up);
}

static void nothing(void)
{
}

static void so_it_is_where_nobody_has_been_answered_before(void **state)
{
	(void)state;
	each_attack(nothing);
}

static bool own_too(struct world *world, const char *name)
{
	return name[0] == 'd' ||
	       (strcmp(name, "own.test.") == 0 && world->now > START + 4 * SECOND);
}

static void own_a_name(void)
{
	for (unsigned i = 0; i < w.leg.upstream_count; i++)
		w.servers[i].ignores = own_too;
	for (unsigned i = 0; i < 10; i++) {
		ask(ATTACKER, "own.test", i);
		world_run(&w, 100 * MS);
	}
	world_run(&w, 4 * SECOND);
}

static void warm_up_and_own_a_name(void)
{
	warm_up();
	own_a_name();
}

static void its_own_name_was_answered_once_and_is_silent_since(void **state)
{
	(void)state;
	each_attack(warm_up_and_own_a_name);
}

static void so_it_is_where_nobody_else_has_been_answered_before(void **state)
{
	(void)state;
	each_attack(own_a_name);
}

static bool own_each(struct world *world, const char *name)
{
	static char answered[2][32];

	(void)world;
	if (name[0] != 'o')
		return name[0] == 'd';
	char *last = answered[name[1] - '0'];
	bool again = strcmp(last, name) == 0;
	snprintf(last, sizeof answered[0], "%s", name);
	return again;
}

/* Two clients own all that the target can be probed with: each of their names is answered once. So
 * it is suspect again and again, and back with the next answer. */
static void all_known_names_are_silent_since(void **state)
{
	unsigned number = 0, goods = 0;
	struct world_asked *good[64];

	(void)state;
	begin(1);
	w.servers[0].ignores = own_each;
	for (unsigned ms = 0; ms < 8000; ms++) {
		if (ms % 60 < 2)
			ask(ATTACKER + 1 + ms % 60, ms % 60 ? "o1x%u.test" : "o0x%u.test", ms);
		if (ms % 2)
			ask(ATTACKER, "d%u.test", number++);
		if (ms > 1000 && ms % 313 == 0)
			good[goods++] = ask(GOOD, "g%u.test", ms);
		world_run(&w, MS);
	}
	world_run(&w, DEADLINE);
	for (unsigned i = 0; i < goods; i++) {
		assert_int_equal(good[i]->value.outcome, ASK_ANSWERED);
		assert_true(took(good[i]) <= 20 * MS);
	}
	assert_true(w.targets[0].suspicions > 10);
	for (unsigned i = 0; i < number; i++)
		assert_in_range(packets_of[i], 1, LOOKUP_PACKETS);
}

static bool new_names(struct world *world, const char *name)
{
	(void)world;
	return name[0] == 'x';
}

static void the_first_has_lost_its_uplink(void **state)
{
	unsigned later = 0;

	(void)state;
	begin(2);
	unsigned first = run(200, 900);
	w.servers[0].ignores = new_names; /* what it has not cached */
	for (unsigned i = 0; i < 1000; i++) {
		bool known = i % 2;

		later = i == 200 ? w.asked_count : later;
		ask(i % CLIENTS, known ? "n%u.test" : "x%u.test", known ? first + i % 900 : i);
		world_run(&w, 5 * MS);
	}
	world_run(&w, SECOND);
	assert_true(slowest(later, w.asked_count, 0) <= 100 * MS);
}

static void the_first_was_dead_from_the_start(void **state)
{
	unsigned paid = 0;

	(void)state;
	begin(2);
	w.servers[0].does = SILENT;
	run(200, 1000);
	world_run(&w, SECOND);
	assert_true(slowest(0, w.asked_count, 0) <= 101 * MS);
	for (unsigned i = 0; i < w.asked_count; i++)
		paid += took(&w.asked[i]) > 1 * MS;
	assert_in_range(paid, 1, 3);
}

/* All of it fits into WORLD_ASKED: 2000 a second, where bench/faults has 10,000. */
static void all_are_dead(void **state)
{
	(void)state;
	begin(2);
	run(2000, 2000);
	w.servers[0].does = w.servers[1].does = SILENT;
	w.sent = 0;
	unsigned dead = run(2000, 12000);
	assert_in_range(w.sent, 11000, 13000);
	assert_true(w.table.lookup_count <= 2000 * (DEADLINE / SECOND) + 10);
	w.servers[0].does = w.servers[1].does = ANSWERS;
	unsigned back = run(2000, 4000);
	for (unsigned i = dead; i < back - 2000 * 4 - 10; i++) {
		assert_true(w.asked[i].done);
		assert_int_equal(w.asked[i].value.outcome, ASK_SILENT);
		assert_in_range(took(&w.asked[i]), DEADLINE, DEADLINE + 2 * MS);
	}
	world_run(&w, DEADLINE);
	assert_true(slowest(back + 2000, w.asked_count, 0) <= 1 * MS);
	unsigned waited = 0;
	for (unsigned i = back - 2000; i < back; i++) /* and what was waiting */
		waited += w.asked[i].value.outcome == ASK_ANSWERED;
	assert_int_equal(waited, 2000);
}

static unsigned budget; /* what a target answers, until it is filled up */

static bool limits(struct world *world, const char *name)
{
	(void)world;
	(void)name;
	if (budget == 0)
		return true;
	budget--;
	return false;
}

static void a_target_that_limits_us(void **state)
{
	(void)state;
	begin(1);
	run(1000, 1000);
	atomic_store(&w.targets[0].repeats, 0); /* they are used up by the first thousand */
	w.servers[0].ignores = limits;
	w.sent = 0;
	for (unsigned i = 0; i < 10000; i++) { /* 2000 a second, of which it answers 200 */
		budget += i % 10 == 0;
		ask(i % CLIENTS, "n%u.test", w.asked_count);
		world_run(&w, SECOND / 2000);
	}
	print_message("%u packets for 10000 questions\n", w.sent);
	assert_in_range(w.sent, 9000, 11500);
	w.servers[0].ignores = NULL;
	unsigned back = run(1000, 2000);
	world_run(&w, DEADLINE);
	assert_true(slowest(back + 1000, w.asked_count, 0) <= 1 * MS);
}

/* ---- slow answers ---- */

static bool silent_since; /* from then on the first answers nothing */

static bool three_slow(struct world *world, const char *name)
{
	struct world_server *first = &world->servers[0];

	first->delay_us = name[0] == 's' ? 780 * MS : 500;
	return silent_since;
}

/* A second of questions, the first of two being slow for three of them; then it says nothing for
 * five seconds. The questions of the silence begin at the one returned. */
static unsigned slow_then_silent(unsigned per_second, unsigned clients, uint64_t *heard_us)
{
	begin(2);
	silent_since = false;
	run(200, 800); /* it is well known by then, and has tokens */
	w.servers[0].ignores = three_slow;
	for (unsigned i = 0; i < (per_second > 3 ? per_second : 3); i++) {
		bool slow = i % 7 == 0 && i < 21;

		if (per_second < 21)
			slow = i < 3;
		ask(i % clients, slow ? "s%u.test" : "n%u.test", w.asked_count);
		world_run(&w, SECOND / per_second);
	}
	for (unsigned i = 0; i < per_second;
	     i++) { /* until all slow ones have come, and some fast ones */
		ask(i % clients, "n%u.test", w.asked_count);
		world_run(&w, SECOND / per_second);
	}
	silent_since = true;
	*heard_us = target_heard_us(&w.targets[0]);
	unsigned first = w.asked_count;
	for (unsigned i = 0; i < 5 * per_second; i++) {
		ask(i % clients, "n%u.test", w.asked_count);
		world_run(&w, SECOND / per_second);
	}
	world_run(&w, DEADLINE);
	return first;
}

static void three_answers_of_780_ms_then_silence(void **state)
{
	static const unsigned rates[] = {200, 20, 2}, clients[] = {CLIENTS, 1};

	(void)state;
	for (size_t r = 0; r < 3; r++) {
		for (size_t c = 0; c < 2; c++) {
			uint64_t heard_us;
			unsigned first = slow_then_silent(rates[r], clients[c], &heard_us);
			unsigned last = w.asked_count, later = first;

			while (later < last && w.asked[later].asked_us < heard_us + SECOND)
				later++;
			print_message("%u a second, %u clients: p99 %.1f ms, max %.1f, a second "
				      "later %.1f\n",
				      rates[r], clients[c], (double)slowest(first, last, 10) / MS,
				      (double)slowest(first, last, 0) / MS,
				      (double)slowest(later, last, 0) / MS);
			if (rates[r] == 200) {
				assert_true(slowest(first, last, 10) <= 5 * MS);
				assert_true(slowest(first, last, 0) <= 60 * MS);
			}
			assert_true(slowest(first, last, 0) <= TARGET_PATIENCE_US + 2 * MS);
			assert_true(slowest(later, last, 0) <= 50 * MS);
			assert_true(target_is_suspect(&w.targets[0]));
		}
	}
}

/* One by one at three rates, and each second a burst of eight. */
static void a_first_that_is_always_far_stays_first(void **state)
{
	static const unsigned far_ms[] = {100, 300, 600};
	static const struct {
		unsigned names, burst;
		uint64_t pause_us;
	} loads[] = {{1200, 1, 50 * MS}, {60, 1, SECOND}, {12, 1, 5 * SECOND}, {60, 8, SECOND}};

	(void)state;
	for (size_t f = 0; f < 3; f++) {
		for (size_t l = 0; l < sizeof loads / sizeof loads[0]; l++) {
			unsigned names = loads[l].names * loads[l].burst;

			begin(2);
			w.servers[0].delay_us = far_ms[f] * MS;
			ask(0, "n%u.test", 0);
			world_run(&w, 2 * SECOND); /* its first answer */
			memset(seen, 0, sizeof seen);
			first_to_second = 0;
			w.on_send = count_order;
			uint64_t suspicions = w.targets[0].suspicions;
			w.sent = 0;
			for (unsigned i = 0; i < loads[l].names; i++) {
				for (unsigned k = 0; k < loads[l].burst; k++)
					ask(k % CLIENTS, "n%u.test", w.asked_count);
				world_run(&w, loads[l].pause_us);
			}
			world_run(&w, 2 * SECOND);
			print_message("%u ms, %u names: %u packets\n", far_ms[f], names, w.sent);
			assert_true(w.sent <= names + names / 50);
			assert_int_equal(first_to_second, 0);
			assert_int_equal(w.targets[0].suspicions, suspicions);
		}
	}
}

static int by_tcp(void **state)
{
	(void)state;
	protocol = PROTOCOL_TCP;
	return 0;
}

static const struct CMUnitTest rows[] = {
#define ROW(test) cmocka_unit_test_setup_teardown(test, two_servers, release)
	ROW(the_first_of_two_dies_at_200_a_second),
	ROW(every_fifth_name_takes_the_first_300_ms),
	ROW(one_client_asks_for_names_that_nobody_answers),
	ROW(so_it_is_where_nobody_has_been_answered_before),
	ROW(its_own_name_was_answered_once_and_is_silent_since),
	ROW(so_it_is_where_nobody_else_has_been_answered_before),
	ROW(all_known_names_are_silent_since),
	ROW(the_first_has_lost_its_uplink),
	ROW(the_first_was_dead_from_the_start),
	ROW(all_are_dead),
	ROW(a_target_that_limits_us),
	ROW(three_answers_of_780_ms_then_silence),
	ROW(a_first_that_is_always_far_stays_first),
};

int main(void)
{
	return cmocka_run_group_tests_name("targets by UDP", rows, NULL, NULL) +
	       cmocka_run_group_tests_name("targets by TCP", rows, by_tcp, NULL);
}
