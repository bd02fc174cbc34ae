/* What takes longer than the control thread may stand still: the state, in; a group with its
 * addresses; lists of addresses; many PTRs. Over real HTTP, with resources that have a state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resolver/control/resource/group.h"
#include "resolver/control/resource/resources.h"
#include "resolver/control/service/commit.h"
#include "rules/base.h"
#include "tests/lib/addresses_fixture.h"
#include "tests/lib/api_world.h"

#define AS_ADMIN "X-Auth-Token: " API_ADMIN "\r\n"
#define ARM      "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups"
#define PROVIDER "/providers/Microsoft.Network/publicIPAddresses"

struct state_world {
	struct api_world *api;
	struct addresses_fixture *fixture;
	struct resources *empty;
	uv_prepare_t rounds; /* of the loop */
	unsigned busy;       /* those that found a work under way */
	unsigned beside;     /* and those that found something beside it */
	unsigned waited;     /* and those that found an answer that waits for the workers */
};

static void on_round(uv_prepare_t *rounds)
{
	struct state_world *world = rounds->data;

	world->busy += world->api->service.work.busy;
	world->beside += world->api->service.work.beside > 0;
	if (!world->api->api.held || ++world->waited < 3)
		return;
	addresses_note_served(world->fixture->resources);
	uv_timer_stop(&world->api->service.adoption);
	api_let_go(&world->api->api);
}

static void on_ring(void *context) /* nothing waits for a worker */
{
	(void)context;
}

static int set_up(void **state)
{
	struct state_world *world = calloc(1, sizeof *world);
	struct service *service;

	world->api = api_world_new(process_dialects);
	world->fixture = addresses_fixture_new(FIXTURE_WORLD FIXTURE_FILED);
	service = &world->api->service;
	world->empty = service->resources;
	service->resources = world->fixture->resources;
	service->server.model = world->fixture->model; /* gets the table of each change */
	service->registrar.rests = true;
	if (bell_open(&service->bell, &world->api->http.loop, on_ring, NULL) != 0)
		return -1;
	service->work.store = resources_store(service->resources);
	uv_prepare_init(&world->api->http.loop, &world->rounds);
	uv_timer_init(&world->api->http.loop, &service->adoption);
	world->rounds.data = world;
	uv_prepare_start(&world->rounds, on_round);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct state_world *world = *state;
	struct bell *bell = &world->api->service.bell;

	uv_close((uv_handle_t *)&world->rounds, NULL);
	bell_close(bell);
	uv_run(&world->api->http.loop, UV_RUN_NOWAIT);
	bell_release(bell);
	uv_close((uv_handle_t *)&world->api->service.adoption, NULL);
	world->api->service.resources = world->empty;
	api_world_free(world->api);
	addresses_fixture_free(world->fixture);
	free(world);
	return 0;
}

/* Counts from what was asked for before on, which has come to its end. */
static unsigned ask(struct state_world *world, const char *what, const char *body)
{
	while (world->api->service.work.beside > 0)
		uv_run(&world->api->http.loop, UV_RUN_ONCE);
	world->busy = world->beside = 0;
	return api_world_ask(world->api, what, AS_ADMIN, body);
}

/* From 198.51.100.30 on. */
static void add_many(struct state_world *world, unsigned count, const char *group)
{
	struct address_draft *draft = edit_begin(world->fixture->resources, "test");
	char name[16], address[ADDRESS_TEXT_MAX];

	for (unsigned i = 0; i < count; i++) {
		const struct edit_value values[] = {
			{"name", name}, {"resource_group", group}, {"address", address}};

		snprintf(name, sizeof name, "a%u", i);
		snprintf(address, sizeof address, "198.51.100.%u", 30 + i);
		assert_int_equal(edit_add(draft, KIND_ADDRESS, values, 3, NULL), 0);
	}
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
}

static void an_import_lets_the_loop_go_round(void **state)
{
	struct state_world *world = *state;

	assert_int_equal(ask(world, "PUT /v1/state",
			     "{\"version\": 1, \"addresses\": [{\"name\": \"a\", \"address\": "
			     "\"198.51.100.90\"}]}"),
			 204);
	assert_true(world->busy > 0);
	assert_non_null(addresses_fixture_named(world->fixture, "a"));
	assert_int_equal(ask(world, "PUT /v1/state", "{\"version\": 1}"), 204);
	assert_null(addresses_fixture_named(world->fixture, "a"));
}

static void an_import_that_does_not_fit_says_where(void **state)
{
	static const struct {
		const char *body, *code, *path, *says;
	} cases[] = {
		{"{\"version\": 1,", "bad_request", "null", "line 1, column 14"},
		{"{\"version\": 1, \"version\": 1}", "bad_request", "null", "duplicate"},
		{"[]", "invalid", "version", "not one that"},
		{"", "invalid", "version", "not one that"},
		{NULL, "invalid", "version", "not one that"},
		{"{\"version\": 1, \"addresses\": [{\"name\": \"a\", \"address\": \"192.0.2.1\"}]}",
		 "invalid", "addresses[0].address", "192.0.2.1"},
	};
	struct state_world *world = *state;

	addresses_fixture_add(world->fixture, "there", "198.51.100.60");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(ask(world, "PUT /v1/state", cases[i].body), 400);
		assert_string_equal(api_world_said(world->api, "error.code"), cases[i].code);
		assert_string_equal(api_world_said(world->api, "error.path"), cases[i].path);
		assert_non_null(strstr(api_world_said(world->api, "error.message"), cases[i].says));
		assert_non_null(addresses_fixture_named(world->fixture, "there"));
	}
}

static void a_reader_may_not_import(void **state)
{
	struct state_world *world = *state;

	assert_int_equal(api_world_ask(world->api, "PUT /v1/state",
				       "X-Auth-Token: " API_READER "\r\n", "{\"version\": 1}"),
			 403);
}

static void a_group_goes_while_the_loop_goes_round(void **state)
{
	struct state_world *world = *state;

	assert_int_equal(ask(world, "PUT " ARM "/g?api-version=1", "{\"location\": \"east\"}"),
			 201);
	assert_int_equal(ask(world, "DELETE " ARM "/g?api-version=1", NULL), 200);
	assert_true(world->busy > 0);
	world->busy = 0;
	add_many(world, 150, "g");
	assert_int_equal(ask(world, "DELETE " ARM "/g?api-version=1", NULL), 200);
	assert_true(world->busy > 0);
	assert_int_equal(group_size(world->fixture->resources, "g"), 0);
	assert_int_equal(ask(world, "GET " ARM "/g?api-version=1", NULL), 404);
	assert_int_equal(ask(world, "DELETE " ARM "/g?api-version=1", NULL), 404);
	assert_int_equal(ask(world, "DELETE " ARM "/-?api-version=1", NULL), 409);
	assert_string_equal(api_world_said(world->api, "error.code"), "ResourceReadOnly");
}

static void a_list_of_all_addresses_lets_the_loop_go_round(void **state)
{
	struct state_world *world = *state;

	add_many(world, 150, "g");
	assert_int_equal(ask(world, "GET /v2/reverse/floatingips", NULL), 200);
	assert_true(world->beside > 0); /* between two portions */
	assert_int_equal(world->busy, 0);
	assert_string_equal(api_world_said(world->api, "floatingips.0.ptrdname"), "f.test.");
	assert_string_equal(api_world_said(world->api, "floatingips.151.address"),
			    "198.51.100.179");
	assert_string_equal(api_world_said(world->api, "floatingips.152"), "nothing");
	assert_string_equal(api_world_said(world->api, "links.self"),
			    "http://localhost/v2/reverse/floatingips");
}

/* Two rounds that go on: portions of 50. */
static void a_page_lets_the_loop_go_round_and_holds_nothing_up(void **state)
{
	struct state_world *world = *state;

	add_many(world, 150, "g");
	assert_int_equal(ask(world, "GET /v1/ptrs?limit=101", NULL), 200);
	assert_int_equal(world->beside, 2);
	assert_int_equal(world->busy, 0);
	assert_string_equal(api_world_said(world->api, "ptrs.0.reverse_fqdn"), "f.test.");
	assert_string_equal(api_world_said(world->api, "ptrs.100.address"), "198.51.100.128");
	assert_string_equal(api_world_said(world->api, "ptrs.101"), "nothing");
	assert_string_equal(api_world_said(world->api, "next"),
			    "/v1/ptrs?limit=101&marker=198.51.100.128");
	assert_int_equal(ask(world, "GET /v1/ptrs?limit=101&marker=198.51.100.128", NULL), 200);
	assert_string_equal(api_world_said(world->api, "ptrs.0.address"), "198.51.100.129");
	assert_string_equal(api_world_said(world->api, "ptrs.50.address"), "198.51.100.179");
	assert_string_equal(api_world_said(world->api, "ptrs.51.name"), "app");
	assert_string_equal(api_world_said(world->api, "ptrs.52"), "nothing");
	assert_string_equal(api_world_said(world->api, "next"), "null");
}

/* However the portions fall: the last one is full, or there is one more row than fits. */
static void a_page_has_as_many_as_were_asked_for(void **state)
{
	struct state_world *world = *state;
	char what[64];

	add_many(world, 97, "g"); /* with the file's two and a service: 100 */
	for (unsigned limit = 49; limit <= 101; limit++) {
		const char *next;

		snprintf(what, sizeof what, "GET /v1/ptrs?limit=%u", limit);
		assert_int_equal(ask(world, what, NULL), 200);
		next = api_world_said(world->api, "next");
		assert_int_equal(strcmp(next, "null") == 0, limit >= 100);
		snprintf(what, sizeof what, "ptrs.%u", limit);
		assert_string_equal(api_world_said(world->api, what), "nothing");
		snprintf(what, sizeof what, "ptrs.%u.name", (limit < 100 ? limit : 100) - 1);
		assert_string_not_equal(api_world_said(world->api, what), "nothing");
	}
}

/* As JSON, padded until it is too long to be read in between. */
static void long_json_is_read_while_the_loop_goes_round(void **state)
{
	struct state_world *world = *state;
	char body[40 * 1024 + 2];
	const char rows[] = "[{\"address\": \"198.51.100.11\", \"reverse_fqdn\": \"x.test.\"}";

	memset(body, ' ', sizeof body);
	memcpy(body, rows, sizeof rows - 1);
	body[sizeof body - 2] = ']';
	body[sizeof body - 1] = '\0';
	assert_int_equal(ask(world, "POST /v1/ptrs", body), 200);
	assert_true(world->beside > 0);
	assert_string_equal(addresses_fixture_named(world->fixture, "bare")->item.reverse_fqdn,
			    "x.test.");
	body[sizeof body - 2] = '}';
	assert_int_equal(ask(world, "POST /v1/ptrs", body), 400);
	assert_true(world->beside > 0);
	assert_non_null(strstr(api_world_said(world->api, "error.message"), "line 1"));
	assert_int_equal(ask(world, "POST /v1/ptrs", "[]"), 200);
	assert_int_equal(world->beside, 0);
}

static void never(uv_timer_t *timer)
{
	(void)timer;
	fail_msg("the answer waited for a minute");
}

static void what_is_changed_is_shown_as_it_is_when_every_worker_has_it(void **state)
{
	struct state_world *world = *state;
	struct address_draft *draft = edit_begin(world->fixture->resources, "test");
	const struct owned_resource *bare = addresses_fixture_named(world->fixture, "bare");

	assert_int_equal(
		edit_point(draft, bare,
			   &(struct owned_item){.reverse_fqdn = "x.test", .ttl = NOT_GIVEN}),
		0);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
	uv_timer_start(&world->api->service.adoption, never, 60000, 0);
	assert_int_equal(ask(world, "PATCH /v1/ptrs/198.51.100.11", "{\"ttl\": 60}"), 200);
	assert_int_equal(world->waited, 3);
	assert_string_equal(api_world_said(world->api, "ttl"), "60");
	assert_string_equal(api_world_said(world->api, "status"), "ACTIVE");
}

/* ---- who has to agree ---- */

static unsigned asked;

static void refuse(struct committer *committer, const json_t *record, commit_on_answer *on_answer,
		   void *context)
{
	(void)committer;
	(void)record;
	asked++;
	on_answer(context, COMMIT_NO, "no");
}

static void every_api_asks_whoever_has_to_agree(void **state)
{
	static struct committer committer = {.ask = refuse};
	struct state_world *world = *state;
	struct service *service = &world->api->service;
	char patch[128], unset[128];
	const struct owned_resource *resource;

	resource = addresses_fixture_add(world->fixture, "a", "198.51.100.60");
	addresses_fixture_point(world->fixture, resource, "a.test.");
	resource = addresses_fixture_named(world->fixture, "a");
	snprintf(patch, sizeof patch, "PATCH /v2/reverse/floatingips/%s:%s", resource->item.region,
		 resource->item.id);
	snprintf(unset, sizeof unset, "DELETE /v2/reverse/floatingips/%s:%s", resource->item.region,
		 resource->item.id);
	const struct {
		const char *what, *body;
	} changes[] = {
		{"PUT /v1/addresses/-/b", "{\"address\": \"198.51.100.61\"}"},
		{"PATCH /v1/addresses/-/a", "{\"tags\": {\"x\": \"y\"}}"},
		{"PATCH /v1/addresses/-/a", "{\"reverse_fqdn\": \"b.test.\"}"},
		{"DELETE /v1/addresses/-/a", NULL},
		{"PUT /v1/services/shop", "{\"address\": \"198.51.100.61\"}"},
		{"PUT /v1/ptrs/198.51.100.60", "{\"reverse_fqdn\": \"b.test.\"}"},
		{"DELETE /v1/ptrs/198.51.100.60", NULL},
		{"PUT /v1/groups/-/g", "{}"},
		{"PUT " ARM "/g?api-version=1", "{\"location\": \"east\"}"},
		{"PUT " ARM "/-" PROVIDER "/b?api-version=1", "{\"location\": \"east\"}"},
		{"PATCH " ARM "/-" PROVIDER "/a?api-version=1", "{\"tags\": {\"x\": \"y\"}}"},
		{"DELETE " ARM "/-" PROVIDER "/a?api-version=1", NULL},
		{patch, "{\"ptrdname\": \"b.test.\"}"},
		{patch, "{\"ptrdname\": null}"},
		{unset, NULL},
		{"POST /v1/changes",
		 "{\"edits\": [{\"path\": \"addresses/-/a\", \"values\": null}]}"},
	};

	commit_open(service, &world->api->http.loop);
	service->commit.committer = &committer;
	for (size_t i = 0; i < COUNT(changes); i++) {
		asked = 0;
		if (ask(world, changes[i].what, changes[i].body) != 412 || asked != 1)
			fail_msg("%s: %s, asked %u", changes[i].what,
				 api_world_said(world->api, "error.message"), asked);
	}
	resource = addresses_fixture_named(world->fixture, "a");
	assert_string_equal(resource->item.reverse_fqdn, "a.test.");
	uv_close((uv_handle_t *)&service->commit.again, NULL);
	uv_close((uv_handle_t *)&service->commit.late, NULL);
	uv_close((uv_handle_t *)&service->commit.doubt.again, NULL);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_import_lets_the_loop_go_round),
		T(a_page_lets_the_loop_go_round_and_holds_nothing_up),
		T(a_page_has_as_many_as_were_asked_for),
		T(long_json_is_read_while_the_loop_goes_round),
		T(an_import_that_does_not_fit_says_where),
		T(a_reader_may_not_import),
		T(a_group_goes_while_the_loop_goes_round),
		T(a_list_of_all_addresses_lets_the_loop_go_round),
		T(what_is_changed_is_shown_as_it_is_when_every_worker_has_it),
		T(every_api_asks_whoever_has_to_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
