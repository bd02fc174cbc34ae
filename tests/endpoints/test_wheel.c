/* The timer wheel against the one rule that matters: at or after its time, within a slot of it,
 * once; whatever callbacks do meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "endpoints/wheel.h"
#include "tests/lib/random.h"

enum { SLOT = WHEEL_SLOT_US };

struct probe {
	struct timer timer;
	struct wheel *wheel;
	unsigned fired;
	uint64_t fired_us;
	struct probe *other;
	uint64_t again_us;
};

static void on_due(struct timer *timer, uint64_t now_us)
{
	struct probe *probe = (struct probe *)timer;
	assert_false(timer_armed(timer));
	probe->fired++;
	probe->fired_us = now_us;
}

static void on_due_cancel_other(struct timer *timer, uint64_t now_us)
{
	struct probe *probe = (struct probe *)timer;
	on_due(timer, now_us);
	wheel_cancel(probe->wheel, &probe->other->timer);
}

static void on_due_again(struct timer *timer, uint64_t now_us)
{
	struct probe *probe = (struct probe *)timer;
	on_due(timer, now_us);
	wheel_arm(probe->wheel, timer, probe->again_us);
}

static void probe_init(struct probe *probe, struct wheel *wheel,
		       void (*callback)(struct timer *, uint64_t))
{
	*probe = (struct probe){.wheel = wheel};
	timer_init(&probe->timer, callback);
}

static void fires_at_its_slot_and_not_before(void **state)
{
	(void)state;
	struct wheel wheel;
	struct probe probe;
	wheel_init(&wheel, 5 * SLOT);
	probe_init(&probe, &wheel, on_due);
	wheel_arm(&wheel, &probe.timer, 7 * SLOT + 1);
	assert_true(timer_armed(&probe.timer));
	assert_int_equal(wheel_next_us(&wheel), 8 * SLOT);
	wheel_advance(&wheel, 8 * SLOT - 1);
	assert_int_equal(probe.fired, 0);
	wheel_advance(&wheel, 8 * SLOT);
	assert_int_equal(probe.fired, 1);
	assert_false(timer_armed(&probe.timer));
	assert_int_equal(wheel_next_us(&wheel), UINT64_MAX);
	wheel_advance(&wheel, 1000 * SLOT);
	assert_int_equal(probe.fired, 1);
}

static void exact_slot_boundary_fires_at_its_time(void **state)
{
	(void)state;
	struct wheel wheel;
	struct probe probe;
	wheel_init(&wheel, 0);
	probe_init(&probe, &wheel, on_due);
	wheel_arm(&wheel, &probe.timer, 3 * SLOT);
	wheel_advance(&wheel, 3 * SLOT - 1);
	assert_int_equal(probe.fired, 0);
	wheel_advance(&wheel, 3 * SLOT);
	assert_int_equal(probe.fired, 1);
}

static void passed_time_fires_at_next_advance_of_the_same_instant(void **state)
{
	(void)state;
	struct wheel wheel;
	struct probe probe;
	wheel_init(&wheel, 900 * SLOT + 5);
	probe_init(&probe, &wheel, on_due);
	wheel_arm(&wheel, &probe.timer, 3);
	assert_true(wheel_next_us(&wheel) <= 900 * SLOT + 5);
	wheel_advance(&wheel, 900 * SLOT + 5);
	assert_int_equal(probe.fired, 1);
}

static void rearming_for_the_past_waits_for_the_next_advance(void **state)
{
	(void)state;
	struct wheel wheel;
	struct probe probe;
	wheel_init(&wheel, 0);
	probe_init(&probe, &wheel, on_due_again);
	wheel_arm(&wheel, &probe.timer, SLOT);
	wheel_advance(&wheel, 100 * SLOT);
	assert_int_equal(probe.fired, 1);
	wheel_advance(&wheel, 100 * SLOT);
	assert_int_equal(probe.fired, 2);
	probe.again_us = 200 * SLOT;
	wheel_advance(&wheel, 101 * SLOT);
	wheel_advance(&wheel, 199 * SLOT);
	assert_int_equal(probe.fired, 3);
	wheel_advance(&wheel, 200 * SLOT);
	assert_int_equal(probe.fired, 4);
}

static void callback_cancels_another_due_in_the_same_slot(void **state)
{
	(void)state;
	struct wheel wheel;
	struct probe a, b;
	wheel_init(&wheel, 0);
	probe_init(&a, &wheel, on_due_cancel_other);
	probe_init(&b, &wheel, on_due_cancel_other);
	a.other = &b;
	b.other = &a;
	wheel_arm(&wheel, &a.timer, 2 * SLOT);
	wheel_arm(&wheel, &b.timer, 2 * SLOT);
	wheel_advance(&wheel, 2 * SLOT);
	assert_int_equal(a.fired + b.fired, 1);
	assert_int_equal(wheel.armed, 0);
}

static void callback_cancels_one_due_later_in_the_same_advance(void **state)
{
	(void)state;
	struct wheel wheel;
	struct probe a, b;
	wheel_init(&wheel, 0);
	probe_init(&a, &wheel, on_due_cancel_other);
	probe_init(&b, &wheel, on_due);
	a.other = &b;
	wheel_arm(&wheel, &b.timer, 90 * SLOT);
	wheel_arm(&wheel, &a.timer, 2 * SLOT);
	wheel_advance(&wheel, 500 * SLOT);
	assert_int_equal(a.fired, 1);
	assert_int_equal(b.fired, 0);
}

static void cancel_and_move_leave_nothing_behind(void **state)
{
	(void)state;
	struct wheel wheel;
	struct probe probe;
	wheel_init(&wheel, 0);
	probe_init(&probe, &wheel, on_due);
	wheel_cancel(&wheel, &probe.timer);
	wheel_arm(&wheel, &probe.timer, 5 * SLOT);
	wheel_arm(&wheel, &probe.timer, 5000 * SLOT);
	assert_int_equal(wheel.armed, 1);
	wheel_advance(&wheel, 4999 * SLOT);
	assert_int_equal(probe.fired, 0);
	wheel_cancel(&wheel, &probe.timer);
	assert_int_equal(wheel.armed, 0);
	assert_int_equal(wheel_next_us(&wheel), UINT64_MAX);
	wheel_advance(&wheel, 6000 * SLOT);
	assert_int_equal(probe.fired, 0);
}

static void time_that_goes_back_fires_nothing_early(void **state)
{
	(void)state;
	struct wheel wheel;
	struct probe probe;
	wheel_init(&wheel, 100 * SLOT);
	probe_init(&probe, &wheel, on_due);
	wheel_arm(&wheel, &probe.timer, 110 * SLOT);
	wheel_advance(&wheel, 10 * SLOT);
	assert_int_equal(probe.fired, 0);
	wheel_advance(&wheel, 110 * SLOT);
	assert_int_equal(probe.fired, 1);
}

static void beyond_the_last_level_still_keeps_its_time(void **state)
{
	(void)state;
	struct wheel wheel;
	struct probe probe;
	const uint64_t reach = (uint64_t)WHEEL_SLOTS * WHEEL_SLOTS * WHEEL_SLOTS * WHEEL_SLOTS;
	const uint64_t due = (3 * reach + 17) * SLOT;
	wheel_init(&wheel, 0);
	probe_init(&probe, &wheel, on_due);
	wheel_arm(&wheel, &probe.timer, due);
	for (unsigned wakes = 0; probe.fired == 0; wakes++) {
		assert_true(wakes < 1000);
		wheel_advance(&wheel, wheel_next_us(&wheel));
	}
	assert_int_equal(probe.fired_us, due);
}

/* Sleeping exactly as long as wheel_next_us says must never miss a timer by more than its slot,
 * from any starting tick and over every level. */
static void sleeping_until_next_fires_each_in_its_slot(void **state)
{
	(void)state;
	enum { TIMERS = 400 };
	static struct probe probes[TIMERS];
	uint64_t seed = 5;
	struct entropy entropy;
	entropy_init_seeded(&entropy, &seed);
	for (int round = 0; round < 30; round++) {
		uint64_t now = entropy_below(&entropy, 1u << 31);
		struct wheel wheel;
		wheel_init(&wheel, now);
		for (int i = 0; i < TIMERS; i++) {
			probe_init(&probes[i], &wheel, on_due);
			uint32_t span = 1u << (4 + entropy_below(&entropy, 28));
			wheel_arm(&wheel, &probes[i].timer, now + entropy_below(&entropy, span));
		}
		while (wheel.armed > 0) {
			uint64_t next = wheel_next_us(&wheel);
			now = next > now ? next : now;
			wheel_advance(&wheel, now);
		}
		for (int i = 0; i < TIMERS; i++) {
			assert_int_equal(probes[i].fired, 1);
			assert_true(probes[i].fired_us >= probes[i].timer.due_us);
			assert_true(probes[i].fired_us < probes[i].timer.due_us + SLOT);
		}
	}
}

/* The same with random cancels, moves and steps of any length, against a plain scan. */
static void random_use_agrees_with_a_plain_list(void **state)
{
	(void)state;
	enum { TIMERS = 64 };
	static struct probe probes[TIMERS];
	bool expected[TIMERS] = {false};
	uint64_t seed = 6, now = 12345678;
	struct entropy entropy;
	struct wheel wheel;
	entropy_init_seeded(&entropy, &seed);
	wheel_init(&wheel, now);
	for (int i = 0; i < TIMERS; i++)
		probe_init(&probes[i], &wheel, on_due);
	for (int step = 0; step < 50000; step++) {
		unsigned i = entropy_below(&entropy, TIMERS);
		unsigned what = entropy_below(&entropy, 4);
		if (what == 0) {
			wheel_cancel(&wheel, &probes[i].timer);
			expected[i] = false;
		} else if (what < 3) {
			uint32_t span = 1u << entropy_below(&entropy, 26);
			wheel_arm(&wheel, &probes[i].timer, now + entropy_below(&entropy, span));
			expected[i] = true;
		} else {
			now += entropy_below(&entropy, 1u << entropy_below(&entropy, 24));
			wheel_advance(&wheel, now);
		}
		unsigned armed = 0;
		for (unsigned k = 0; k < TIMERS; k++) {
			uint64_t slot = (probes[k].timer.due_us + SLOT - 1) / SLOT;
			if (what == 3 && slot <= now / SLOT)
				expected[k] = false;
			assert_int_equal(timer_armed(&probes[k].timer), expected[k]);
			armed += expected[k];
		}
		assert_int_equal(wheel.armed, armed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fires_at_its_slot_and_not_before),
		cmocka_unit_test(exact_slot_boundary_fires_at_its_time),
		cmocka_unit_test(passed_time_fires_at_next_advance_of_the_same_instant),
		cmocka_unit_test(rearming_for_the_past_waits_for_the_next_advance),
		cmocka_unit_test(callback_cancels_another_due_in_the_same_slot),
		cmocka_unit_test(callback_cancels_one_due_later_in_the_same_advance),
		cmocka_unit_test(cancel_and_move_leave_nothing_behind),
		cmocka_unit_test(time_that_goes_back_fires_nothing_early),
		cmocka_unit_test(beyond_the_last_level_still_keeps_its_time),
		cmocka_unit_test(sleeping_until_next_fires_each_in_its_slot),
		cmocka_unit_test(random_use_agrees_with_a_plain_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
