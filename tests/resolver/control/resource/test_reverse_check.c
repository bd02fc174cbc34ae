/* There and back again, in the view of a network whose zones have every case, with real workers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <uv.h>

#include "resolver/control/resource/reverse_check.h"
#include "resolver/log.h"
#include "tests/lib/config_text.h"

static const struct hash_key key = {1, 2};
static const char config[] =
	"region = \"r\"; workers = 1;\n"
	"default_resolver = { targets = ( { address = \"127.0.0.8\"; } ); };\n"
	"virtual_networks = ( { name = \"hub\"; address_space = [ \"10.10.0.0/16\" ]; } );\n"
	"private_zones = (\n"
	"  { name = \"corp.test\"; file = \"forward\";\n"
	"    links = ( { name = \"l\"; virtual_network = \"hub\"; } ); },\n"
	"  { name = \"2.0.192.in-addr.arpa\"; file = \"reverse\";\n"
	"    links = ( { name = \"l\"; virtual_network = \"hub\"; } ); },\n"
	"  { name = \"8.b.d.0.1.0.0.2.ip6.arpa\"; file = \"reverse6\";\n"
	"    links = ( { name = \"l\"; virtual_network = \"hub\"; } ); } );\n"
	"rulesets = ();\n";
static const char forward[] = "mail  A 192.0.2.1\n"
			      "alias CNAME mail\n"
			      "both  A 192.0.2.4\n"
			      "both  A 192.0.2.5\n"
			      "other A 192.0.2.9\n"
			      "half  A 192.0.2.4\n"
			      "half  A 192.0.2.6\n"
			      "bare  A 192.0.2.6\n"
			      "six   AAAA 2001:db8::1\n"
			      "lost  CNAME lost.dead.example.\n"
			      "text  TXT x\n";
static const char reverse[] = "1 PTR Mail.corp.test.\n"
			      "2 PTR other.corp.test.\n"
			      "3 PTR text.corp.test.\n"
			      "4 PTR both.corp.test.\n"
			      "5 PTR bare.corp.test.\n"
			      "5 PTR other.corp.test.\n"
			      "5 PTR both.corp.test.\n"
			      "7 PTR lost.corp.test.\n"
			      "8 CNAME 8.0-15\n"
			      "8.0-15 PTR mail.corp.test.\n"
			      "9 PTR both.corp.test.\n";
static const char reverse6[] =
	"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0 PTR six.corp.test.\n";

struct world {
	struct config_text files;
	struct server server;
	uv_loop_t loop;
	uv_async_t wake;
	uv_timer_t patience;
	unsigned ends;
	enum reverse_result result;
	json_t *report;
};

static void on_release(void *context) /* on a worker's thread */
{
	uv_async_send(&((struct world *)context)->wake);
}

static void on_wake(uv_async_t *wake)
{
	server_collect(&((struct world *)wake->data)->server);
}

static void on_patience(uv_timer_t *timer)
{
	(void)timer;
	fail_msg("nothing has come back for twenty seconds");
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	struct faults faults;

	log_configure(LOG_ERROR, LOG_TEXT);
	config_text_init(&world->files);
	config_text_put(&world->files, "forward", forward);
	config_text_put(&world->files, "reverse", reverse);
	config_text_put(&world->files, "reverse6", reverse6);
	uv_loop_init(&world->loop);
	uv_async_init(&world->loop, &world->wake, on_wake);
	uv_timer_init(&world->loop, &world->patience);
	world->wake.data = world;
	assert_int_equal(server_init(&world->server, 1, &key, on_release, world), 0);
	struct model *model = config_text_load(&world->files, config);
	assert_non_null(model);
	faults_init(&faults);
	assert_int_equal(server_apply(&world->server, model, &faults), 0);
	faults_release(&faults);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	server_release(&world->server);
	uv_close((uv_handle_t *)&world->wake, NULL);
	uv_close((uv_handle_t *)&world->patience, NULL);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&world->loop), 0);
	json_decref(world->report);
	config_text_release(&world->files);
	free(world);
	return 0;
}

static void on_end(void *context, enum reverse_result result, json_t *report)
{
	struct world *world = context;

	world->ends++;
	world->result = result;
	json_decref(world->report);
	world->report = report;
}

/* subject: an address or a name; name: as in struct reverse_question. */
static int start(struct world *world, const char *subject, const char *name)
{
	struct reverse_question question = {.name = name, .network = "hub"};

	if (address_parse(&question.address, subject) != 0)
		question = (struct reverse_question){.name = subject, .network = "hub"};
	world->ends = 0;
	return reverse_check(&world->server, &question, on_end, world);
}

static void check(struct world *world, const char *subject, const char *name)
{
	assert_int_equal(start(world, subject, name), 0);
	uv_timer_start(&world->patience, on_patience, 20000, 0);
	while (world->ends == 0)
		uv_run(&world->loop, UV_RUN_ONCE);
	uv_timer_stop(&world->patience);
	assert_int_equal(world->ends, 1);
	assert_non_null(world->report);
}

static const char *text_of(const struct world *world, const char *key_of)
{
	return json_string_value(json_object_get(world->report, key_of));
}

static void every_ending_is_told_as_it_is(void **state)
{
	struct world *world = *state;
	static const struct {
		const char *subject, *result, *text;
	} cases[] = {
		{"192.0.2.1", "confirmed", "192.0.2.1 leads to mail.corp.test. and back"},
		{"192.0.2.2", "mismatch",
		 "192.0.2.2 leads to other.corp.test., which leads to 192.0.2.9 and not back"},
		{"192.0.2.3", "mismatch",
		 "192.0.2.3 leads to text.corp.test., which has no address"},
		/* One of the three names is enough. */
		{"192.0.2.5", "confirmed", "192.0.2.5 leads to both.corp.test. and back"},
		{"192.0.2.6", "missing", "192.0.2.6 has no name"},
		{"192.0.2.8", "mismatch", NULL}, /* RFC 2317: the name is found after a CNAME */
		{"2001:db8::1", "confirmed", "2001:db8::1 leads to six.corp.test. and back"},
		{"2001:db8::2", "missing", NULL},
		{"MAIL.corp.test", "confirmed", "mail.corp.test. leads to 192.0.2.1 and back"},
		{"six.corp.test", "confirmed", NULL},
		{"both.corp.test", "confirmed", NULL},
		{"alias.corp.test", "mismatch",
		 "alias.corp.test. leads to 192.0.2.1, which leads to mail.corp.test. and not "
		 "back"},
		{"half.corp.test", "mismatch", NULL},
		{"bare.corp.test", "missing",
		 "bare.corp.test. leads to 192.0.2.6, which has no name"},
		{"text.corp.test", "missing", "text.corp.test. has no address"},
		{"gone.corp.test", "missing", NULL},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		check(world, cases[i].subject, NULL);
		assert_string_equal(text_of(world, "result"), cases[i].result);
		assert_string_equal(reverse_result_text(world->result), cases[i].result);
		if (cases[i].text)
			assert_string_equal(text_of(world, "text"), cases[i].text);
	}
}

static void the_paths_are_told_one_by_one(void **state)
{
	struct world *world = *state;

	check(world, "both.corp.test", NULL);
	const json_t *paths = json_object_get(world->report, "paths");
	assert_int_equal(json_array_size(paths), 2);
	for (size_t i = 0; i < 2; i++) {
		const json_t *path = json_array_get(paths, i);
		assert_true(json_is_true(json_object_get(path, "confirmed")));
		assert_true(json_is_null(json_object_get(path, "error")));
	}
	check(world, "192.0.2.6", NULL);
	assert_int_equal(json_array_size(json_object_get(world->report, "paths")), 0);
}

static void with_a_name_given_the_address_is_not_asked_for_one(void **state)
{
	struct world *world = *state;

	check(world, "192.0.2.6", "bare.corp.test");
	assert_int_equal(world->result, REVERSE_CONFIRMED);
	check(world, "192.0.2.1", "Alias.Corp.test.");
	assert_int_equal(world->result, REVERSE_CONFIRMED);
	check(world, "192.0.2.1", "other.corp.test.");
	assert_int_equal(world->result, REVERSE_MISMATCH);
	check(world, "192.0.2.1", "six.corp.test."); /* which has an IPv6 address */
	assert_int_equal(world->result, REVERSE_MISMATCH);
}

/* Nobody answers for example, and the check does not wait for it as long as a client would. */
static void what_cannot_be_found_out_is_no_answer(void **state)
{
	struct world *world = *state;

	check(world, "192.0.2.7", NULL);
	assert_int_equal(world->result, REVERSE_FAILED);
	assert_non_null(strstr(text_of(world, "text"), "192.0.2.7 could not be checked: "));
}

static void what_is_no_name_is_refused(void **state)
{
	struct world *world = *state;

	assert_int_equal(start(world, "a..b", NULL), ERR_INVALID);
	assert_int_equal(world->ends, 0);
}

static void a_server_that_stops_ends_it(void **state)
{
	struct world *world = *state;

	assert_int_equal(start(world, "192.0.2.7", NULL), 0);
	server_release(&world->server);
	assert_int_equal(world->ends, 1);
	assert_int_equal(world->result, REVERSE_FAILED);
}

int main(void)
{
#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		IN_A_WORLD(every_ending_is_told_as_it_is),
		IN_A_WORLD(the_paths_are_told_one_by_one),
		IN_A_WORLD(with_a_name_given_the_address_is_not_asked_for_one),
		IN_A_WORLD(what_cannot_be_found_out_is_no_answer),
		IN_A_WORLD(what_is_no_name_is_refused),
		IN_A_WORLD(a_server_that_stops_ends_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
