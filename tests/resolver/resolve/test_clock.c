/* The machine's clock is set, by hours, forward and back: nothing that a query sees may notice. The
 * resolver's core gets its time as a parameter and looks at no clock; here the wall clock is this
 * program's own, so that a look at it is seen. What does look (log lines, `sluice status`, tokens,
 * the zone files) is tested with those. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

#include "tests/lib/message_text.h"
#include "tests/lib/model_builder.h"
#include "tests/lib/stage.h"

enum { MS = 1000, S = 1000 * 1000, HOUR_S = 3600 };

/* ---- the wall clock ---- */

static time_t wall_s = 1800000000;
static unsigned looks;

time_t time(time_t *to)
{
	looks++;
	if (to)
		*to = wall_s;
	return wall_s;
}

int clock_gettime(clockid_t clock, struct timespec *to)
{
	if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE && clock != CLOCK_TAI)
		return (int)syscall(SYS_clock_gettime, clock, to);
	looks++;
	*to = (struct timespec){.tv_sec = wall_s};
	return 0;
}

int gettimeofday(struct timeval *restrict to, void *restrict zone)
{
	(void)zone;
	looks++;
	*to = (struct timeval){.tv_sec = wall_s};
	return 0;
}

/* ---- a resolver ---- */

struct fixture {
	struct model *model;
	struct stage *stage;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	f->model = model_start();
	model_add_network(f->model, "hub", "10.10.0.0/16");
	model_add_resolver(f->model, "hub", "hub", NULL);
	model_add_default(f->model, "192.0.2.53");
	f->stage = stage_new();
	model_place_endpoints(f->model);
	*state = f;
	return f->stage && stage_load(f->stage, f->model) ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	stage_free(f->stage);
	model_free(f->model);
	free(f);
	return 0;
}

static struct stage_client *ask(struct fixture *f, const char *name)
{
	uint8_t wire[MESSAGE_UDP_MIN];
	size_t length = request_write(wire, 1, FLAG_RD, name, TYPE_A, CLASS_IN, 1232, false);
	struct stage_client *client =
		stage_ask(f->stage, name, (struct place){0, false}, wire, length, false);

	assert_non_null(client);
	return client;
}

static unsigned packets(const struct fixture *f)
{
	unsigned count = 0;

	for (const struct stage_packet *p = f->stage->packets; p; p = p->next)
		count++;
	return count;
}

static void answer_first(struct fixture *f, const char *records)
{
	struct stage_packet *packet = f->stage->packets;
	uint8_t wire[MESSAGE_MAX];
	size_t length = reply_write(wire, packet->wire, packet->length, RCODE_NOERROR, 0, records);

	assert_true(lookup_on_reply(&f->stage->lookups, packet, &packet->peer, wire, length,
				    f->stage->now_us));
}

static void assert_records(const struct stage_client *client, const char *records)
{
	struct message_text got;

	assert_int_equal(client->answers, 1);
	assert_true(message_read_text(&got, client->reply, client->reply_length));
	assert_string_equal(got.records, records);
	message_text_release(&got);
}

/* ---- tests ---- */

static void ttls_count_seconds_and_not_the_time_of_day(void **state)
{
	struct fixture *f = *state;

	looks = 0;
	ask(f, "www.example");
	answer_first(f, "answer www.example. 300 IN A 192.0.2.9");
	wall_s += 7 * HOUR_S;
	assert_records(ask(f, "www.example"), "answer www.example. 300 IN A 192.0.2.9\n");
	wall_s -= 14 * HOUR_S;
	stage_pass(f->stage, 100 * S);
	assert_records(ask(f, "www.example"), "answer www.example. 200 IN A 192.0.2.9\n");
	assert_int_equal(packets(f), 1);
	stage_pass(f->stage, 201 * S);
	ask(f, "www.example");
	assert_int_equal(packets(f), 2);
	assert_int_equal(looks, 0);
}

static void a_question_under_way_waits_its_four_seconds(void **state)
{
	static const int steps[] = {5 * HOUR_S, -5 * HOUR_S};
	struct fixture *f = *state;

	looks = 0;
	for (unsigned i = 0; i < 2; i++) {
		char name[16];

		snprintf(name, sizeof name, "silent%u", i);
		const struct stage_client *client = ask(f, name);
		stage_pass(f->stage, 2 * S);
		wall_s += steps[i];
		stage_pass(f->stage, 1990 * MS);
		assert_int_equal(client->answers, 0);
		stage_pass(f->stage, 20 * MS);
		assert_int_equal(client->answers, 1);
	}
	assert_int_equal(looks, 0);
}

/* Otherwise the tests above would show nothing. */
static void a_look_at_the_wall_clock_is_seen(void **state)
{
	struct timespec now;
	struct timeval day;

	(void)state;
	looks = 0;
	assert_int_equal(time(NULL), wall_s);
	assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
	assert_int_equal(gettimeofday(&day, NULL), 0);
	assert_int_equal(looks, 3);
	uint64_t before = uv_hrtime();
	wall_s += HOUR_S;
	assert_true(uv_hrtime() - before < (uint64_t)HOUR_S * 1000 * MS);
	assert_int_equal(looks, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ttls_count_seconds_and_not_the_time_of_day, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_question_under_way_waits_its_four_seconds, set_up,
						tear_down),
		cmocka_unit_test(a_look_at_the_wall_clock_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
