/* A change that others have to agree to: a committer that says yes later, no, that it does not know
 * and then one or the other, and nothing at all. The service is whole, with a worker and a state.
 */
#include "resolver/control/resource/group.h"
#include "resolver/control/service/commit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "resolver/control/base/json.h"
#include "resolver/control/resource/item.h"
#include "resolver/control/service/service.h"
#include "resolver/log.h"
#include "rules/base.h"
#include "rules/text.h"
#include "tests/lib/addresses_fixture.h"
#include "tests/lib/config_text.h"
#include "tests/lib/failing_sync.h"

/* ---- memory ---- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

static _Thread_local bool is_out; /* this thread gets no memory */

void *__wrap_malloc(size_t size)
{
	return is_out ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return is_out ? NULL : __real_calloc(count, size);
}

/* ---- the world ---- */

struct world {
	struct config_text files;
	struct service service;
	uv_loop_t loop;
	/* The committer, and what it was asked. */
	struct committer committer;
	unsigned asked;
	bool answers_at_once; /* yes, to different records */
	json_t *record;       /* the first one */
	commit_on_answer *on_answer;
	void *context;
	bool is_forgotten;
	/* The change that was asked for. */
	unsigned told;
	int err;
	enum change_outcome outcome;
	char text[CHANGE_TEXT_MAX];
	uint64_t revision;
	size_t failed;
	/* What waits for its end. */
	struct work_waiter waiter;
	bool went_on;
	unsigned other_work;       /* that ended */
	unsigned adopted;          /* how often all workers had what was published */
	struct source_calls calls; /* the state's, but for its commit */
	const struct source_calls *real;
};

static struct world *world;

static void on_adopted(void *context)
{
	((struct world *)context)->adopted++;
}

static void on_work_end(void *context)
{
	((struct world *)context)->other_work++;
}

static void take_question(struct committer *committer, const json_t *record,
			  commit_on_answer *on_answer, void *context)
{
	assert_ptr_equal(committer, &world->committer);
	world->asked++;
	if (!world->record)
		world->record = json_deep_copy(record);
	/* One record, however often. */
	assert_true(world->answers_at_once || json_equal(record, world->record));
	world->on_answer = on_answer;
	world->context = context;
	if (world->answers_at_once)
		on_answer(context, COMMIT_YES, NULL);
}

static void forget(struct committer *committer)
{
	(void)committer;
	world->is_forgotten = true;
}

static void answer(enum commit_answer answer)
{
	world->on_answer(world->context, answer, answer == COMMIT_YES ? NULL : "so it was said");
}

static int set_up(void **state)
{
	struct model *model;
	struct faults faults;
	char text[SERVICE_TEXT_MAX];

	(void)state;
	world = calloc(1, sizeof *world);
	log_configure(LOG_ERROR, LOG_TEXT);
	config_text_init(&world->files);
	config_text_put(&world->files, "sluice.conf",
			"default_resolver = { targets = ( { address = \"127.0.0.1\"; } ); };\n"
			"management = { state = \"state.db\"; };\n"
			"address_pools = ( { name = \"pool\"; prefix = \"192.0.2.0/24\"; } );\n");
	config_text_put(&world->files, "resolv.conf", "nameserver 127.0.0.1\n");
	world->committer = (struct committer){take_question, forget};
	assert_int_equal(uv_loop_init(&world->loop), 0);
	assert_int_equal(
		service_init(&world->service, world->files.main_file, "/etc/resolv.conf", false),
		0);
	world->service.commit.committer = &world->committer;
	assert_int_equal(
		service_open(&world->service, &world->loop, 1, on_adopted, on_work_end, world), 0);
	faults_init(&faults);
	model = load_model(&world->service.load, NULL, &faults);
	if (!model || service_serve(&world->service, model, &faults, text) != 0) {
		faults_print(&faults, stderr);
		fail();
	}
	faults_release(&faults);
	return 0;
}

static void close_handle(uv_handle_t *handle, void *unused)
{
	(void)unused;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	service_finish(&world->service);
	service_close(&world->service);
	uv_walk(&world->loop, close_handle, NULL);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	service_release(&world->service);
	assert_int_equal(uv_loop_close(&world->loop), 0);
	json_decref(world->record);
	config_text_release(&world->files);
	free(world);
	return 0;
}

static void on_change(void *context, int err, const struct service_change *change,
		      const struct faults *faults)
{
	(void)context;
	(void)faults;
	world->told++;
	world->err = err;
	world->outcome = change->error.outcome;
	world->revision = change->revision;
	world->failed = change->failed;
	snprintf(world->text, sizeof world->text, "%s", change->error.text);
}

static void go_on(struct work_waiter *waiter)
{
	(void)waiter;
	world->went_on = true;
}

static struct path network_path(const char *name)
{
	return (struct path){kind_named("network"), GROUP_NONE, {name, NULL}};
}

static void put_network(const char *name, const char *space, bool rehearsal)
{
	json_t *values = json_pack("{s:s, s:[s]}", "name", name, "address_space", space);
	const struct resource_edit edit = {.path = network_path(name), .values = values};
	struct service_change change = {
		.edits = &edit, .count = 1, .who = "ops", .rehearsal = rehearsal};

	service_commit(&world->service, &change, on_change, NULL);
	json_decref(values);
}

static bool is_served(const char *name)
{
	const struct model *model = world->service.server.model;

	for (size_t i = 0; i < model->virtual_networks.count; i++)
		if (strcmp(model->virtual_networks.items[i].name, name) == 0)
			return true;
	return false;
}

static bool is_kept(const char *name)
{
	const struct path path = network_path(name);
	struct change_error error;
	json_t *values = items_of_model.stored(world->service.resources, &path, &error);

	json_decref(values);
	return values;
}

static void it_is_made_when_the_answer_is_yes(void **state)
{
	(void)state;
	put_network("later", "10.1.0.0/16", false);
	assert_int_equal(world->asked, 1);
	assert_int_equal(world->told, 0);
	assert_false(is_served("later"));
	assert_false(is_kept("later")); /* nothing of it stays in a transaction meanwhile */
	assert_string_equal(json_text_of(world->record, "who"), "ops");
	answer(COMMIT_YES);
	assert_int_equal(world->told, 1);
	assert_int_equal(world->err, 0);
	assert_true(world->revision > 0);
	assert_true(is_served("later"));
	assert_true(is_kept("later"));
	assert_false(commit_is_open(&world->service));
}

/* The values are taken over. */
static void put_owned(unsigned kind, const char *name, json_t *values, bool claimed)
{
	const struct resource_edit edit = {.path = {kind_of_id(kind), GROUP_NONE, {name, NULL}},
					   .values = values};
	struct service_change change = {.edits = &edit,
					.count = 1,
					.who = "ops",
					.why = claimed ? ADDRESSES_CLAIMED : ADDRESSES_ANY};

	service_commit(&world->service, &change, on_change, NULL);
	json_decref(values);
}

static const char *chosen(const char *key)
{
	const json_t *row = json_array_get(json_object_get(world->record, "rows"), 0);

	return json_text_of(json_object_get(row, "values"), key);
}

static void an_address_and_its_ptr_are_agreed_to_as_well(void **state)
{
	struct resources *resources = world->service.resources;
	char address[ADDRESS_TEXT_MAX];
	const struct owned_resource *resource;

	(void)state;
	put_owned(KIND_ADDRESS, "mail", json_pack("{s:s}", "reverse_fqdn", "mail.test."), false);
	assert_int_equal(world->asked, 1);
	assert_int_equal(world->told, 0);
	assert_null(addresses_by_name(resources, NULL, "mail"));
	answer(COMMIT_YES);
	assert_int_equal(world->told, 1);
	assert_int_equal(world->err, 0);
	resources_forget(resources);
	resource = addresses_by_name(resources, NULL, "mail");
	assert_non_null(resource);
	assert_string_equal(resource->item.reverse_fqdn, "mail.test.");
	/* What was chosen is in the record, for whoever else makes the change. */
	assert_string_equal(resource->item.id, chosen("id"));
	assert_string_equal(address_print(&resource->item.address, address), chosen("address"));
}

/* A group is nothing that workers have, but its revision may be waited for. */
static void what_publishes_nothing_is_adopted_at_its_end(void **state)
{
	unsigned before;

	(void)state;
	/* service_all_adopted is also true once its wait for the workers has timed out. */
	while (!service_all_adopted(&world->service) || !server_all_adopted(&world->service.server))
		uv_run(&world->loop, UV_RUN_ONCE);
	before = world->adopted;
	put_owned(KIND_GROUP, "web", json_pack("{s:s}", "region", "westeurope"), false);
	answer(COMMIT_YES);
	assert_int_equal(world->err, 0);
	uv_run(&world->loop, UV_RUN_NOWAIT);
	assert_int_equal(world->adopted, before + 1);
}

/* What each edit chose is in the record as it was then. */
static void two_edits_of_one_address_are_made_as_they_were_rehearsed(void **state)
{
	const struct path path = {kind_of_id(KIND_ADDRESS), GROUP_NONE, {"mail", NULL}};
	json_t *first = json_pack("{s:s}", "address", "192.0.2.7"), *second = json_object();
	const struct resource_edit edits[] = {
		{.path = path, .values = first}, {.path = path}, {.path = path, .values = second}};
	struct service_change change = {.edits = edits, .count = COUNT(edits), .who = "ops"};

	(void)state;
	service_commit(&world->service, &change, on_change, NULL);
	answer(COMMIT_YES);
	assert_int_equal(world->told, 1);
	assert_int_equal(world->err, 0);
	assert_non_null(addresses_by_name(world->service.resources, NULL, "mail"));
	json_decref(first);
	json_decref(second);
}

static void a_name_that_was_found_to_be_ours_is_not_asked_for_again(void **state)
{
	const struct owned_resource *resource;

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		put_owned(KIND_SERVICE, "shop",
			  json_pack("{s:s, s:s}", "address", "192.0.2.9", "reverse_fqdn",
				    "shop.elsewhere."),
			  i == 1);
	assert_int_equal(world->told, 1); /* of what nobody has looked after */
	assert_int_equal(world->outcome, CHANGE_INVALID);
	answer(COMMIT_YES);
	assert_int_equal(world->err, 0);
	resource = services_by_name(world->service.resources, "shop");
	assert_string_equal(resource->item.reverse_fqdn, "shop.elsewhere.");
}

static void nothing_changes_when_the_answer_is_no(void **state)
{
	(void)state;
	put_network("never", "10.1.0.0/16", false);
	answer(COMMIT_NO);
	assert_int_equal(world->told, 1);
	assert_int_equal(world->err, ERR_INVALID);
	assert_int_equal(world->outcome, CHANGE_STALE);
	assert_string_equal(world->text, "so it was said; nothing has changed, try again");
	assert_true(world->failed == NO_EDIT);
	assert_false(is_served("never"));
	assert_false(is_kept("never"));
}

static void what_is_not_known_is_asked_again(void **state)
{
	(void)state;
	put_network("doubtful", "10.1.0.0/16", false);
	answer(COMMIT_UNKNOWN);
	assert_int_equal(world->told, 0);
	while (world->asked < 2)
		uv_run(&world->loop, UV_RUN_ONCE);
	assert_false(is_served("doubtful"));
	answer(COMMIT_YES);
	assert_int_equal(world->told, 1);
	assert_int_equal(world->err, 0);
	assert_true(is_served("doubtful"));
}

static void what_was_not_known_may_be_refused(void **state)
{
	(void)state;
	put_network("doubtful", "10.1.0.0/16", false);
	answer(COMMIT_UNKNOWN);
	while (world->asked < 2)
		uv_run(&world->loop, UV_RUN_ONCE);
	answer(COMMIT_NO);
	assert_int_equal(world->told, 1);
	assert_int_equal(world->outcome, CHANGE_STALE);
	assert_false(is_served("doubtful"));
	assert_false(is_kept("doubtful"));
}

/* Whoever asked is told first, and the change comes after that. */
static void an_answer_may_come_when_nobody_waits_for_it_any_more(void **state)
{
	(void)state;
	put_network("late", "10.1.0.0/16", false);
	while (world->told == 0)
		uv_run(&world->loop, UV_RUN_ONCE);
	assert_int_equal(world->err, ERR_INVALID);
	assert_int_equal(world->outcome, CHANGE_UNKNOWN);
	assert_non_null(strstr(world->text, "not known"));
	assert_true(commit_is_open(&world->service));
	answer(COMMIT_YES);
	assert_int_equal(world->told, 1);
	assert_true(is_served("late"));
	assert_false(commit_is_open(&world->service));
}

static void without_an_answer_the_outcome_is_left_to_the_next_start(void **state)
{
	json_t *record;

	(void)state;
	put_network("open", "10.1.0.0/16", false);
	service_finish(&world->service);
	assert_true(world->is_forgotten);
	assert_int_equal(world->told, 1);
	assert_int_equal(world->outcome, CHANGE_UNKNOWN);
	assert_false(is_served("open"));
	assert_false(commit_is_open(&world->service));
	/* The next start finds it agreed to. */
	record = json_incref(world->record);
	service_apply(&world->service, record, on_change, NULL);
	json_decref(record);
	assert_int_equal(world->err, 0);
	assert_true(is_served("open"));
}

/* An upgrade goes on when no commit is open (process.c). */
static void an_upgrade_waits_for_five_seconds_at_most(void **state)
{
	const struct open_commit *open = &world->service.commit;

	(void)state;
	put_network("open", "10.1.0.0/16", false);
	assert_true(uv_timer_get_due_in(&open->late) > COMMIT_LAST_MS);
	service_rest(&world->service);
	assert_true(uv_timer_get_due_in(&open->late) <= COMMIT_LAST_MS);
	while (commit_is_open(&world->service))
		uv_run(&world->loop, UV_RUN_ONCE);
	assert_true(world->is_forgotten);
	assert_int_equal(world->told, 1);
	assert_int_equal(world->outcome, CHANGE_UNKNOWN);
	assert_false(is_served("open"));
	assert_false(world->service.work.busy);
}

static void others_wait_meanwhile_and_go_on_at_the_end(void **state)
{
	(void)state;
	put_network("one", "10.1.0.0/16", false);
	assert_true(work_wait(&world->service.work, &world->waiter, go_on));
	answer(COMMIT_UNKNOWN);
	assert_false(world->went_on);
	while (world->asked < 2)
		uv_run(&world->loop, UV_RUN_ONCE);
	answer(COMMIT_YES);
	assert_true(world->went_on);
	assert_int_equal(world->other_work, 1); /* a reload, too, may have waited */
}

/* What is served by then is another model: the change is made beside that. */
static void it_is_made_beside_what_is_served_by_then(void **state)
{
	struct service *service = &world->service;
	struct faults faults;
	struct model *model;
	char text[SERVICE_TEXT_MAX];
	uint64_t generation;

	(void)state;
	put_network("one", "10.1.0.0/16", false);
	faults_init(&faults);
	config_text_put(&world->files, "sluice.conf",
			"virtual_networks = ( { name = \"filed\"; address_space = [ "
			"\"10.2.0.0/16\" ]; } );\n"
			"default_resolver = { targets = ( { address = \"127.0.0.1\"; } ); };\n"
			"management = { state = \"state.db\"; };\n");
	model = load_model(&service->load, service->server.model, &faults);
	assert_non_null(model);
	assert_int_equal(service_serve(service, model, &faults, text), 0);
	generation = service->server.generation;
	answer(COMMIT_YES);
	assert_int_equal(world->err, 0);
	assert_true(is_served("one"));
	assert_true(is_served("filed"));
	assert_int_equal(service->server.generation, generation + 1);
	faults_release(&faults);
}

/* ---- of many edits, which are made in a thread ---- */

enum { MANY = 2 * SERVICE_LARGE };

struct many {
	struct resource_edit edits[MANY];
	json_t *values;
	char names[MANY][16];
};

/* Networks and addresses in turn. */
static void put_many(struct many *many, bool rehearsal)
{
	struct service_change change = {
		.edits = many->edits, .count = MANY, .who = "ops", .rehearsal = rehearsal};

	many->values = json_array();
	for (unsigned i = 0; i < MANY; i++) {
		char text[32];
		const struct kind *kind = i % 2 ? kind_of_id(KIND_ADDRESS) : kind_named("network");

		snprintf(many->names[i], sizeof many->names[i], "many%u", i);
		snprintf(text, sizeof text, i % 2 ? "192.0.2.%u" : "10.%u.0.0/16", i);
		json_array_append_new(many->values,
				      i % 2 ? json_pack("{s:s, s:s}", "address", text,
							"reverse_fqdn", "many.test.")
					    : json_pack("{s:s, s:[s]}", "name", many->names[i],
							"address_space", text));
		many->edits[i] =
			(struct resource_edit){.path = {kind, GROUP_NONE, {many->names[i], NULL}},
					       .values = json_array_get(many->values, i)};
	}
	service_commit(&world->service, &change, on_change, NULL);
}

static void run_until(const unsigned *count, unsigned wanted)
{
	while (*count < wanted)
		uv_run(&world->loop, UV_RUN_ONCE);
}

static void many_are_agreed_to_and_made_in_a_thread(void **state)
{
	struct many many = {.values = NULL};
	const struct owned_resource *resource;

	(void)state;
	put_many(&many, false);
	assert_int_equal(world->asked, 0); /* it is rehearsed */
	assert_true(work_wait(&world->service.work, &world->waiter, go_on));
	run_until(&world->asked, 1);
	assert_int_equal(json_array_size(json_object_get(world->record, "rows")), MANY);
	assert_false(world->went_on);
	assert_false(is_kept("many0"));
	answer(COMMIT_YES);
	run_until(&world->told, 1);
	assert_int_equal(world->err, 0);
	assert_true(world->went_on);
	assert_true(is_served("many0"));
	assert_true(is_kept("many198"));
	resource = addresses_by_name(world->service.resources, NULL, "many199");
	assert_string_equal(resource->item.reverse_fqdn, "many.test.");
	assert_false(world->service.work.busy);
	json_decref(many.values);
}

static void what_is_agreed_to_is_made_though_the_server_ends(void **state)
{
	const struct open_commit *open = &world->service.commit;
	struct many many = {.values = NULL};

	(void)state;
	put_many(&many, false);
	run_until(&world->asked, 1);
	answer(COMMIT_YES);
	assert_int_equal(world->told, 0); /* a thread makes it */
	service_rest(&world->service);
	assert_false(uv_is_active((const uv_handle_t *)&open->late));
	service_finish(&world->service);
	assert_int_equal(world->told, 1);
	assert_int_equal(world->err, 0);
	assert_true(is_kept("many198"));
	assert_false(world->is_forgotten);
	assert_false(commit_is_open(&world->service));
	assert_false(world->service.work.busy);
	json_decref(many.values);
}

static void many_without_anybody_to_agree(void **state)
{
	struct many many = {.values = NULL};

	(void)state;
	world->service.commit.committer = NULL;
	for (unsigned i = 0; i < 3; i++) { /* a rehearsal, the change, and once more the same */
		put_many(&many, i == 0);
		assert_int_equal(world->told, i);
		run_until(&world->told, i + 1);
		assert_int_equal(world->err, 0);
		assert_int_equal(is_kept("many0"), i > 0);
		json_decref(many.values);
	}
}

/* One edit, but of what may have very much inside. */
static void what_has_others_inside_goes_in_a_thread(void **state)
{
	const struct resource_edit edit = {.path = network_path("gone")};
	struct service_change change = {.edits = &edit, .count = 1, .who = "ops"};

	(void)state;
	world->service.commit.committer = NULL;
	put_network("gone", "10.1.0.0/16", false);
	assert_int_equal(world->told, 1);
	service_commit(&world->service, &change, on_change, NULL);
	assert_int_equal(world->told, 1);
	assert_true(work_wait(&world->service.work, &world->waiter, go_on));
	run_until(&world->told, 2);
	assert_int_equal(world->err, 0);
	assert_true(world->went_on);
	assert_false(is_served("gone"));
	assert_false(is_kept("gone"));
}

static void one_of_many_that_does_not_fit_is_told_and_nothing_changes(void **state)
{
	struct many many = {.values = NULL};

	(void)state;
	put_owned(KIND_ADDRESS, "first", json_pack("{s:s}", "address", "192.0.2.7"), false);
	answer(COMMIT_YES);
	json_decref(world->record);
	world->record = NULL;
	put_many(&many, false);
	run_until(&world->told, 2);
	assert_int_equal(world->asked, 1);
	assert_int_equal(world->err, ERR_INVALID);
	assert_int_equal(world->outcome, CHANGE_TAKEN);
	assert_int_equal(world->failed, 7);
	assert_false(is_served("many0"));
	assert_false(is_kept("many0"));
	assert_false(world->service.work.busy);
	json_decref(many.values);
}

/* A page with two PTRs, each for another address; the second one does not exist. */
struct two_ptrs {
	const char *name; /* of the first address; NULL: the page was given */
	struct resource_edit edits[2];
	json_t *values;
};

static int next_two_ptrs(void *context, struct resources *resources, struct edit_page *page,
			 struct change_error *error)
{
	struct two_ptrs *two = context;
	const struct owned_resource *resource =
		two->name ? addresses_by_name(resources, NULL, two->name) : NULL;

	(void)error;
	if (!resource)
		return 0;
	two->name = NULL;
	two->edits[0] = (struct resource_edit){
		.path = {kind_of_id(KIND_PTR), GROUP_NONE, {resource->item.id, NULL}},
		.values = two->values};
	two->edits[1] =
		(struct resource_edit){.path = {kind_of_id(KIND_PTR),
						GROUP_NONE,
						{"6f9619ff-8b86-4011-b42d-00cf4fc964ff", NULL}},
				       .values = two->values};
	*page = (struct edit_page){.edits = two->edits, .count = 2};
	return 0;
}

static struct service_change change_of_two(struct two_ptrs *two)
{
	*two = (struct two_ptrs){.name = "mail",
				 .values = json_pack("{s:s}", "reverse_fqdn", "given.test.")};
	return (struct service_change){.more = next_two_ptrs,
				       .large = true,
				       .why = ADDRESSES_BACK,
				       .who = "ops",
				       .context = two};
}

/* Edits that come page by page are agreed to by their rows, too; so is a PTR that waits. */
static void what_comes_page_by_page_is_agreed_to_as_well(void **state)
{
	struct two_ptrs two;
	struct service_change change = change_of_two(&two);
	struct addresses_about about;

	(void)state;
	world->service.commit.committer = NULL;
	put_owned(KIND_ADDRESS, "mail", json_object(), false);
	world->service.commit.committer = &world->committer;
	service_commit(&world->service, &change, on_change, NULL);
	run_until(&world->asked, 1);
	answer(COMMIT_YES);
	run_until(&world->told, 2);
	assert_int_equal(world->err, 0);
	resources_forget(world->service.resources);
	assert_string_equal(
		addresses_by_name(world->service.resources, NULL, "mail")->item.reverse_fqdn,
		"given.test.");
	addresses_about(world->service.resources, &about);
	assert_int_equal(about.waiting, 1);
	json_decref(two.values);
}

static int next_of_group(void *context, struct resources *resources, struct edit_page *page,
			 struct change_error *error)
{
	return group_removal_next(context, resources, page, error);
}

static void exec(const char *sql)
{
	char path[64];
	sqlite3 *other;

	snprintf(path, sizeof path, "%s/state.db", world->files.directory);
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
}

/* That there is no such group may mean that it could not be read, and is no reason to go on. */
static void what_could_not_be_read_is_not_committed(void **state)
{
	const char *name = "web";
	struct group_removal removal;
	struct service_change change = {.more = next_of_group,
					.large = true,
					.why = ADDRESSES_BACK,
					.who = "ops",
					.context = &removal};
	uint64_t revision;

	(void)state;
	world->service.commit.committer = NULL;
	put_owned(KIND_GROUP, name, json_object(), false);
	assert_int_equal(world->err, 0);
	revision = world->revision;
	exec("UPDATE resources SET json = 'x' WHERE kind = 104");
	group_removal_init(&removal, name, "00000000-0000-0000-0000-000000000000");
	service_commit(&world->service, &change, on_change, NULL);
	run_until(&world->told, 2);
	group_removal_release(&removal);
	assert_int_equal(world->err, ERR_INVALID);
	assert_int_equal(world->outcome, CHANGE_STORE);
	put_owned(KIND_GROUP, "next", json_object(), false);
	assert_int_equal(world->err, 0);
	assert_int_equal(world->revision, revision + 1);
}

/* What the status says of the state. */
static const char *state_error(void)
{
	struct addresses_about about;

	service_try_state(&world->service);
	addresses_about(world->service.resources, &about);
	return about.error;
}

static void what_a_change_could_not_read_is_told_until_it_can_be_read(void **state)
{
	const char *name = "web(1)"; /* the row's key has it percent-encoded */
	struct group_removal removal;
	struct service_change change = {
		.more = next_of_group, .why = ADDRESSES_BACK, .who = "ops", .context = &removal};

	(void)state;
	world->service.commit.committer = NULL;
	put_owned(KIND_GROUP, name, json_object(), false);
	assert_int_equal(world->err, 0);
	exec("UPDATE resources SET json = 'x' || json WHERE kind = 104");
	group_removal_init(&removal, name, "00000000-0000-0000-0000-000000000000");
	service_commit(&world->service, &change, on_change, NULL);
	group_removal_release(&removal);
	assert_int_equal(world->outcome, CHANGE_STORE);
	assert_non_null(strstr(state_error(), "was not written by sluice"));
	put_network("other", "10.1.0.0/16", false);
	assert_int_equal(world->err, 0);
	assert_non_null(strstr(state_error(), "was not written by sluice"));
	exec("UPDATE resources SET json = substr(json, 2) WHERE kind = 104");
	assert_null(state_error());
}

/* Such a change is rehearsed in a thread, and made at once after it where it has few rows. */
static void an_answer_may_come_at_once(void **state)
{
	struct two_ptrs two;
	struct service_change change = change_of_two(&two);

	(void)state;
	world->answers_at_once = true;
	put_owned(KIND_ADDRESS, "mail", json_object(), false);
	service_commit(&world->service, &change, on_change, NULL);
	run_until(&world->told, 2);
	assert_int_equal(world->err, 0);
	json_decref(two.values);
	put_network("next", "10.1.0.0/16", false);
	assert_int_equal(world->told, 3);
	assert_int_equal(world->err, 0);
	assert_true(is_served("next"));
	assert_int_equal(world->revision, 3);
}

static void what_is_not_allowed_asks_nobody(void **state)
{
	(void)state;
	put_network("bad", "10.1.0.0/99", false);
	assert_int_equal(world->told, 1);
	assert_int_equal(world->err, ERR_FAULTS);
	put_network("fine", "10.1.0.0/16", true);
	assert_int_equal(world->told, 2);
	assert_int_equal(world->err, 0);
	assert_int_equal(world->asked, 0);
	assert_false(is_served("fine"));
}

static void a_record_of_a_later_version_is_refused(void **state)
{
	json_t *record = json_pack("{s:s, s:[{s:i, s:s, s:{}}]}", "who", "ops", "rows", "kind",
				   9999, "path", "-/x", "values");

	(void)state;
	service_apply(&world->service, record, on_change, NULL);
	assert_int_equal(world->err, ERR_INVALID);
	assert_int_equal(world->outcome, CHANGE_STORE);
	json_decref(record);
}

static int on_pair(void *context, const struct source_pair *pair)
{
	text_append(context, 256, "%s=%s; ", pair->key, pair->value);
	return 0;
}

static const char *kept_pairs(void)
{
	struct source *source = world->service.resources->store.source;
	static char text[256];
	char error[SOURCE_ERROR_MAX];

	text[0] = '\0';
	assert_int_equal(source->calls->pairs(source, "deployment ", 9, on_pair, text, error), 0);
	return text;
}

/* A network of each of these names, with pairs. */
static void put_networks(const char *name, size_t count, bool rehearsal)
{
	static const struct source_pair pairs[] = {{"deployment g/a", "made"},
						   {"deployment g/old", NULL}};
	struct resource_edit edits[SERVICE_LARGE];
	char names[SERVICE_LARGE][16];
	struct service_change change = {.edits = edits,
					.count = count,
					.who = "ops",
					.pairs = pairs,
					.pair_count = COUNT(pairs),
					.rehearsal = rehearsal};
	unsigned told = world->told;

	for (size_t i = 0; i < count; i++) {
		snprintf(names[i], sizeof names[i], "%s%zu", name, i);
		edits[i].path = network_path(names[i]);
		edits[i].values = json_pack("{s:s, s:[]}", "name", names[i], "address_space");
	}
	service_commit(&world->service, &change, on_change, NULL);
	while (world->told == told && (!world->service.commit.committer || world->asked == 0))
		uv_run(&world->loop, UV_RUN_ONCE);
	for (size_t i = 0; i < count; i++)
		json_decref((json_t *)(uintptr_t)edits[i].values);
}

static void what_is_kept_beside_a_change_is_agreed_to_with_it(void **state)
{
	(void)state;
	put_networks("n", 1, false);
	assert_string_equal(kept_pairs(), "");
	answer(COMMIT_YES);
	assert_int_equal(world->err, 0);
	assert_string_equal(kept_pairs(), "deployment g/a=made; ");
}

static void what_is_kept_beside_a_change_comes_with_it_or_not_at_all(void **state)
{
	(void)state;
	world->service.commit.committer = NULL;
	put_networks("tried", 1, true);
	assert_int_equal(world->err, 0);
	assert_string_equal(kept_pairs(), "");
	put_networks("no name ", 1, false); /* which is not allowed */
	assert_int_equal(world->err, ERR_FAULTS);
	assert_string_equal(kept_pairs(), "");
	put_networks("many", SERVICE_LARGE, false);
	assert_int_equal(world->err, 0);
	assert_true(is_kept("many7"));
	assert_string_equal(kept_pairs(), "deployment g/a=made; ");
}

/* ---- what is stored is published without fail ---- */

static enum commit_answer commit_and_run_out(struct source *source, char error[SOURCE_ERROR_MAX])
{
	enum commit_answer answer = world->real->commit(source, error);

	is_out = answer == COMMIT_YES;
	return answer;
}

static const struct rrset *served_ptr(const char *text)
{
	const struct owned *owned = world->service.server.current->policy->owned;
	struct address address;

	assert_int_equal(address_parse(&address, text), 0);
	return owned_ptr(owned, &address);
}

static enum ptr_status status_of(const char *name)
{
	resources_forget(world->service.resources);
	return addresses_by_name(world->service.resources, NULL, name)->status;
}

/* Makes the change of a network and of a PTR, with no memory from its COMMIT on. */
static void put_both_without_memory(void)
{
	struct source *source = world->service.resources->store.source;
	json_t *network = json_pack("{s:s, s:[s]}", "name", "one", "address_space", "10.1.0.0/16");
	json_t *address =
		json_pack("{s:s, s:s}", "address", "192.0.2.7", "reverse_fqdn", "m.test.");
	const struct resource_edit edits[] = {
		{.path = network_path("one"), .values = network},
		{.path = {kind_of_id(KIND_ADDRESS), GROUP_NONE, {"mail", NULL}},
		 .values = address}};
	struct service_change change = {.edits = edits, .count = COUNT(edits), .who = "ops"};

	world->service.commit.committer = NULL;
	world->real = source->calls;
	world->calls = *source->calls;
	world->calls.commit = commit_and_run_out;
	source->calls = &world->calls;
	service_commit(&world->service, &change, on_change, NULL);
	assert_true(is_out);
	source->calls = world->real;
	json_decref(network);
	json_decref(address);
}

static void what_is_stored_is_served_as_soon_as_there_is_memory(void **state)
{
	struct server *server = &world->service.server;
	unsigned adopted;

	(void)state;
	put_both_without_memory();
	assert_int_equal(world->told, 1);
	assert_int_equal(world->err, 0);
	assert_true(is_served("one"));
	assert_false(server_catch_up(server));
	assert_false(server_all_adopted(server));
	adopted = world->adopted;
	is_out = false;
	assert_null(served_ptr("192.0.2.7"));
	assert_int_equal(status_of("mail"), PTR_PENDING);
	/* A wait that takes too long ends by a timer, so the count alone proves nothing. */
	while (status_of("mail") != PTR_ACTIVE)
		uv_run(&world->loop, UV_RUN_ONCE);
	assert_true(world->adopted > adopted);
	assert_non_null(served_ptr("192.0.2.7"));
	assert_true(server_all_adopted(server));
	assert_false(uv_is_active((uv_handle_t *)&world->service.behind));
}

/* Whatever else is published has the addresses as well. */
static void what_could_not_be_handed_over_comes_with_the_next_model(void **state)
{
	(void)state;
	put_both_without_memory();
	is_out = false;
	assert_null(served_ptr("192.0.2.7"));
	put_network("two", "10.2.0.0/16", false);
	assert_int_equal(world->err, 0);
	assert_non_null(served_ptr("192.0.2.7"));
}

/* ---- a state that does not know ---- */

static void on_due(void *context)
{
	(void)context;
}

/* Makes the change of a network, which has to be confirmed within so many seconds (0: never), while
 * the disk cannot sync. */
static void put_in_doubt(const char *name, unsigned wait_s)
{
	struct confirmation *confirmation = &world->service.confirmation;
	json_t *values = json_pack("{s:s, s:[s]}", "name", name, "address_space", "10.1.0.0/16");
	const struct resource_edit edit = {.path = network_path(name), .values = values};
	struct service_change change = {.edits = &edit, .count = 1, .who = "ops", .wait_s = wait_s};

	world->service.commit.committer = NULL;
	assert_int_equal(confirmation_place(confirmation, world->service.load.state), 0);
	confirmation_open(confirmation, &world->loop, on_due, NULL);
	atomic_store(&syncs_fail, true);
	service_commit(&world->service, &change, on_change, NULL);
	json_decref(values);
	assert_int_equal(world->told, 1);
	assert_int_equal(world->err, ERR_INVALID);
	assert_int_equal(world->outcome, CHANGE_UNKNOWN);
	assert_non_null(strstr(world->text, "not known whether the change is made"));
	assert_false(is_served(name));
	assert_true(commit_is_doubtful(&world->service));
	assert_int_equal(!commit_doubt_waits(&world->service), wait_s == 0);
	/* Others are refused meanwhile, and reads go on. */
	put_network("other", "10.9.0.0/16", false);
	assert_int_equal(world->outcome, CHANGE_STORE);
	assert_non_null(strstr(world->text, "not known"));
	assert_false(is_kept("other"));
}

static void find_out(void)
{
	struct unconfirmed found;

	assert_true(confirmation_find(&world->service.confirmation, UNCONFIRMED_CHANGE, &found));
	atomic_store(&syncs_fail, false);
	while (commit_is_doubtful(&world->service))
		uv_run(&world->loop, UV_RUN_ONCE);
	assert_null(commit_doubt_waits(&world->service));
	put_network("last", "10.9.0.0/16", false);
	assert_int_equal(world->err, 0);
	assert_true(is_served("last"));
}

/* SQLite removes a log with nothing else in it, and so the change, when it closes it. */
static void put_first(void)
{
	world->service.commit.committer = NULL;
	put_network("first", "10.2.0.0/16", false);
	assert_int_equal(world->err, 0);
	world->told = 0;
}

static void a_change_that_the_state_turns_out_to_have_is_served(void **state)
{
	(void)state;
	put_first();
	put_in_doubt("doubtful", 600);
	find_out();
	assert_true(is_served("doubtful"));
	assert_true(is_kept("doubtful"));
	assert_true(world->service.confirmation.waits);
}

/* The state is found to have the change, and there is no memory to serve it. */
static void find_out_without_memory(void)
{
	atomic_store(&syncs_fail, false);
	is_out = true;
	while (!world->service.commit.doubt.is_kept)
		uv_run(&world->loop, UV_RUN_ONCE);
	is_out = false;
	assert_true(commit_is_doubtful(&world->service));
	assert_false(is_served("doubtful"));
}

/* At once, and not only in ten seconds. */
static void look_again(void)
{
	uv_timer_t *again = &world->service.commit.doubt.again;

	uv_timer_set_repeat(again, 1);
	uv_timer_again(again);
	while (commit_is_doubtful(&world->service))
		uv_run(&world->loop, UV_RUN_ONCE);
	assert_true(is_served("doubtful"));
}

static void a_change_that_cannot_be_served_yet_waits_to_be_confirmed_at_once(void **state)
{
	(void)state;
	put_first();
	put_in_doubt("doubtful", 600);
	find_out_without_memory();
	assert_true(world->service.confirmation.waits);
	assert_null(commit_doubt_waits(&world->service));
	look_again();
	assert_true(world->service.confirmation.waits);
}

static void a_change_that_waits_by_then_is_not_taken_for_one_that_went_back(void **state)
{
	struct confirmation *confirmation = &world->service.confirmation;
	const struct unconfirmed later = {
		.kind = UNCONFIRMED_CHANGE, .revision = 9, .at_s = 1, .until_s = 601};
	char text[SERVICE_TEXT_MAX];
	struct faults faults;

	(void)state;
	put_first();
	put_in_doubt("doubtful", 0);
	find_out_without_memory();
	faults_init(&faults);
	assert_int_equal(service_serve_again(&world->service, &faults, text), 0);
	faults_release(&faults);
	confirmation_begin(confirmation, &later);
	look_again();
	assert_true(uv_timer_get_due_in(&confirmation->timer) > 500 * 1000);
}

/* A reader keeps the state from showing what a crash would bring back. */
static void a_change_that_the_state_turns_out_not_to_have_is_dropped(void **state)
{
	struct source *source = world->service.resources->store.source;
	char error[SOURCE_ERROR_MAX];
	struct source *view = source->calls->view(source, error);
	struct unconfirmed found;

	(void)state;
	assert_non_null(view);
	put_in_doubt("doubtful", 600);
	find_out();
	assert_false(is_served("doubtful"));
	assert_false(is_kept("doubtful"));
	assert_false(world->service.confirmation.waits);
	assert_false(confirmation_find(&world->service.confirmation, UNCONFIRMED_CHANGE, &found));
	source_close(view);
}

static void many_that_a_thread_stores_may_be_in_doubt_as_well(void **state)
{
	struct many many = {.values = NULL};

	(void)state;
	world->service.commit.committer = NULL;
	atomic_store(&syncs_fail, true);
	put_many(&many, false);
	run_until(&world->told, 1);
	assert_int_equal(world->outcome, CHANGE_UNKNOWN);
	assert_true(commit_is_doubtful(&world->service));
	atomic_store(&syncs_fail, false);
	while (commit_is_doubtful(&world->service))
		uv_run(&world->loop, UV_RUN_ONCE);
	assert_int_equal(is_served("many0"), is_kept("many0"));
	json_decref(many.values);
	put_many(&many, false);
	run_until(&world->told, 2);
	assert_int_equal(world->err, 0);
	assert_true(is_served("many0"));
	json_decref(many.values);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(it_is_made_when_the_answer_is_yes),
		TEST(an_address_and_its_ptr_are_agreed_to_as_well),
		TEST(what_publishes_nothing_is_adopted_at_its_end),
		TEST(two_edits_of_one_address_are_made_as_they_were_rehearsed),
		TEST(a_name_that_was_found_to_be_ours_is_not_asked_for_again),
		TEST(nothing_changes_when_the_answer_is_no),
		TEST(what_is_not_known_is_asked_again),
		TEST(what_was_not_known_may_be_refused),
		TEST(an_answer_may_come_when_nobody_waits_for_it_any_more),
		TEST(without_an_answer_the_outcome_is_left_to_the_next_start),
		TEST(an_upgrade_waits_for_five_seconds_at_most),
		TEST(others_wait_meanwhile_and_go_on_at_the_end),
		TEST(it_is_made_beside_what_is_served_by_then),
		TEST(many_are_agreed_to_and_made_in_a_thread),
		TEST(what_is_agreed_to_is_made_though_the_server_ends),
		TEST(many_without_anybody_to_agree),
		TEST(what_has_others_inside_goes_in_a_thread),
		TEST(one_of_many_that_does_not_fit_is_told_and_nothing_changes),
		TEST(what_comes_page_by_page_is_agreed_to_as_well),
		TEST(what_could_not_be_read_is_not_committed),
		TEST(what_a_change_could_not_read_is_told_until_it_can_be_read),
		TEST(an_answer_may_come_at_once),
		TEST(what_is_not_allowed_asks_nobody),
		TEST(a_record_of_a_later_version_is_refused),
		TEST(what_is_kept_beside_a_change_is_agreed_to_with_it),
		TEST(what_is_kept_beside_a_change_comes_with_it_or_not_at_all),
		TEST(a_change_that_the_state_turns_out_to_have_is_served),
		TEST(a_change_that_cannot_be_served_yet_waits_to_be_confirmed_at_once),
		TEST(a_change_that_waits_by_then_is_not_taken_for_one_that_went_back),
		TEST(a_change_that_the_state_turns_out_not_to_have_is_dropped),
		TEST(many_that_a_thread_stores_may_be_in_doubt_as_well),
		TEST(what_is_stored_is_served_as_soon_as_there_is_memory),
		TEST(what_could_not_be_handed_over_comes_with_the_next_model),
	};

	failing_sync_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
