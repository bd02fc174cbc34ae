/* Many changes: random batches beside a plain table, and a process that is killed in between. */
#include "resolver/control/resource/change_error.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/addresses_fixture.h"
#include "tests/lib/random.h"

static int set_up(void **state)
{
	*state = addresses_fixture_new(FIXTURE_WORLD);
	return 0;
}

/* ---- against a plain table ---- */

enum { STORM_SLOTS = 24 };

struct table { /* of each slot: 0 no address, 1 no PTR, n the PTR n.test. */
	unsigned is[STORM_SLOTS];
};

struct slot_texts {
	char name[16], address[32], fqdn[32];
};

static struct slot_texts texts_of(unsigned slot, unsigned number)
{
	struct slot_texts texts;

	snprintf(texts.name, sizeof texts.name, "s%u", slot);
	snprintf(texts.address, sizeof texts.address, "198.51.100.%u", 100 + slot);
	snprintf(texts.fqdn, sizeof texts.fqdn, "%u.test.", number);
	return texts;
}

static void edit(struct addresses_fixture *fixture, struct address_draft *draft,
		 struct table *table, uint64_t *seed, unsigned number)
{
	const unsigned slot = random_below(seed, STORM_SLOTS);
	const struct slot_texts texts = texts_of(slot, number);
	const struct edit_value values[] = {{"name", texts.name}, {"address", texts.address}};
	const struct owned_item ptr = {.reverse_fqdn = texts.fqdn, .ttl = NOT_GIVEN};
	const struct owned_resource *resource = addresses_fixture_named(fixture, texts.name);
	int err;

	assert_int_equal(resource != NULL, table->is[slot] != 0);
	if (!resource) {
		err = edit_add(draft, KIND_ADDRESS, values, 2, NULL);
		table->is[slot] = 1;
	} else if (random_below(seed, 4) == 0) {
		err = edit_remove(draft, resource);
		table->is[slot] = 0;
	} else if (table->is[slot] > 1 && random_below(seed, 3) == 0) {
		err = edit_unpoint(draft, resource);
		table->is[slot] = 1;
	} else {
		err = edit_point(draft, resource, &ptr);
		table->is[slot] = number;
	}
	assert_int_equal(err, 0);
}

static void compare(const struct addresses_fixture *fixture, const struct table *table)
{
	for (unsigned slot = 0; slot < STORM_SLOTS; slot++) {
		const unsigned is = table->is[slot];
		const struct slot_texts texts = texts_of(slot, is);

		assert_int_equal(addresses_fixture_named(fixture, texts.name) != NULL, is != 0);
		assert_true(addresses_fixture_serves(fixture, texts.address,
						     is > 1 ? texts.fqdn : NULL, 3600));
	}
}

/* One batch in four is given up. */
static void a_storm_of_batches_agrees_with_a_plain_table(void **state)
{
	struct addresses_fixture *fixture = *state;
	struct table kept = {{0}};
	uint64_t seed = 0x4d595df4d0f33173;

	for (unsigned round = 2; round < 300; round++) {
		struct address_draft *draft = edit_begin(fixture->resources, "test");
		struct table trial = kept;

		for (unsigned n = random_below(&seed, 6) + 1; n > 0; n--)
			edit(fixture, draft, &trial, &seed, round);
		if (random_below(&seed, 4) != 0) {
			assert_int_equal(edit_commit(draft), 0);
			kept = trial;
		}
		edit_free(draft);
		if (round % 50 == 0)
			addresses_fixture_restart(fixture);
		compare(fixture, &kept);
	}
}

/* ---- killed in between ---- */

enum { KILLS = 200, VICTIMS = 8, LIFE_US = 20000 };

static void tell(int pipe_end, uint32_t victim, uint32_t number)
{
	const uint32_t told[2] = {victim, number};
	if (write(pipe_end, told, sizeof told) != sizeof told)
		_exit(2);
}

/* Points every victim to the same number, two in one change, one after the other, and says so by
 * the pipe once a change is acknowledged: { victim, number }; before the first: { VICTIMS, 0 }.
 * Never returns. */
static void storm(struct addresses_fixture *fixture, uint32_t number, int pipe_end)
{
	for (tell(pipe_end, VICTIMS, 0);; number++)
		for (uint32_t victim = 0; victim < VICTIMS; victim += 2) {
			struct address_draft *draft = edit_begin(fixture->resources, "test");
			char fqdn[32], name[16];
			int err = 0;

			snprintf(fqdn, sizeof fqdn, "%u.test.", number);
			for (unsigned i = 0; i < 2 && !err; i++) {
				const struct owned_item ptr = {.reverse_fqdn = fqdn,
							       .ttl = NOT_GIVEN};
				snprintf(name, sizeof name, "v%u", victim + i);
				err = edit_point(draft, addresses_fixture_named(fixture, name),
						 &ptr);
			}
			if (err || edit_commit(draft) != 0)
				_exit(1);
			edit_free(draft);
			tell(pipe_end, victim, number);
		}
}

static unsigned number_of(const struct addresses_fixture *fixture, unsigned victim)
{
	char name[16];

	snprintf(name, sizeof name, "v%u", victim);
	const struct owned_resource *resource = addresses_fixture_named(fixture, name);
	assert_non_null(resource);
	return resource->item.reverse_fqdn
		       ? (unsigned)strtoul(resource->item.reverse_fqdn, NULL, 10)
		       : 0;
}

/* Lets a child make changes for a moment and kills it; what it was acknowledged comes to acked. The
 * moment begins with its life or, as that may not suffice for its start, with the first change. */
static void live_and_die(struct addresses_fixture *fixture, uint32_t number, unsigned life_us,
			 uint32_t acked[VICTIMS + 2])
{
	uint32_t told[2] = {0};
	int ends[2], status;

	assert_int_equal(pipe(ends), 0);
	addresses_fixture_stop(fixture); /* no connection to the state is inherited */
	const pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(ends[0]);
		addresses_fixture_start(fixture);
		storm(fixture, number, ends[1]);
	}
	close(ends[1]);
	if (number % 2)
		assert_int_equal(read(ends[0], told, sizeof told), sizeof told);
	usleep(life_us);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	while (read(ends[0], told, sizeof told) == sizeof told)
		acked[told[0]] = acked[told[0] + 1] = told[1];
	close(ends[0]);
}

static void what_was_acknowledged_outlives_a_kill_at_any_instant(void **state)
{
	struct addresses_fixture *fixture = *state;
	uint32_t acked[VICTIMS + 2] = {0}, highest = 0; /* the last two: of the beginning */
	uint64_t seed = 0x9e3779b97f4a7c15;
	char name[16], address[32], fqdn[32];

	for (unsigned i = 0; i < VICTIMS; i++) {
		snprintf(name, sizeof name, "v%u", i);
		snprintf(address, sizeof address, "198.51.100.%u", 100 + i);
		addresses_fixture_add(fixture, name, address);
	}
	for (unsigned kills = 0; kills < KILLS; kills++) {
		live_and_die(fixture, highest + 1, random_below(&seed, LIFE_US), acked);
		addresses_fixture_start(fixture);
		for (unsigned i = 0; i < VICTIMS; i++) {
			const unsigned number = number_of(fixture, i);

			assert_true(number >= acked[i]); /* one more may have been on its way */
			assert_int_equal(number, number_of(fixture, i & ~1U));
			snprintf(address, sizeof address, "198.51.100.%u", 100 + i);
			snprintf(fqdn, sizeof fqdn, "%u.test.", number);
			assert_true(addresses_fixture_serves(fixture, address, number ? fqdn : NULL,
							     3600));
			highest = number > highest ? number : highest;
		}
	}
	assert_true(highest > 0); /* something was acknowledged and survived */
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, addresses_fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_storm_of_batches_agrees_with_a_plain_table),
		T(what_was_acknowledged_outlives_a_kill_at_any_instant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
