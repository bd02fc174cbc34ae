/* A change that another thread makes with a copy of the resources (STORE_ASIDE): it is served once
 * the control thread publishes it. Until then other requests are answered, and their changes are
 * refused. A change that fails leaves nothing behind. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

#include "resolver/control/resource/group.h"
#include "resolver/control/resource/state_json.h"
#include "rules/base.h"
#include "tests/lib/addresses_fixture.h"
#include "tests/lib/limit_files.h"

#define SUBSCRIPTION "11111111-2222-3333-4444-555555555555"

/* ---- as service/change.c does it. Nothing is asserted in the thread: an edit that fails says
 * why ----
 */

struct aside {
	struct addresses_fixture *fixture;
	struct resources *resources;
	int (*edit)(struct aside *aside, struct address_draft *draft); /* in the thread */
	void *context;                                                 /* the edit's */
	bool rehearsal;
	struct address_draft *draft; /* NULL: it failed, or was a rehearsal */
	struct change_error error;
	pthread_t thread, ran_in;
	uv_sem_t paused, go_on; /* for an edit that stops in its middle */
};

static void *run(void *context)
{
	struct aside *aside = context;
	struct address_draft *draft = edit_begin(aside->resources, "thread");
	int err = draft ? aside->edit(aside, draft) : ERR_NOMEM;

	aside->ran_in = pthread_self();
	if (!err && !aside->rehearsal)
		err = edit_store(draft);
	if (!err && !aside->rehearsal) {
		aside->draft = draft;
		return NULL;
	}
	aside->error = *draft_error(draft);
	edit_free(draft);
	return NULL;
}

static void begin(struct aside *aside, struct addresses_fixture *fixture,
		  int (*edit)(struct aside *aside, struct address_draft *draft),
		  const void *context)
{
	*aside = (struct aside){
		.fixture = fixture, .edit = edit, .context = (void *)(uintptr_t)context};
	uv_sem_init(&aside->paused, 0);
	uv_sem_init(&aside->go_on, 0);
	store_hold(resources_store(fixture->resources), true);
	aside->resources = resources_copy(fixture->resources, STORE_ASIDE);
	assert_non_null(aside->resources);
	assert_int_equal(pthread_create(&aside->thread, NULL, run, aside), 0);
}

/* It is stored, or has failed; nothing of it is published. */
static void wait_for(struct aside *aside)
{
	assert_int_equal(pthread_join(aside->thread, NULL), 0);
	assert_false(pthread_equal(aside->ran_in, pthread_self()));
}

static enum change_outcome publish(struct aside *aside)
{
	struct resources *resources = aside->fixture->resources;

	if (aside->draft)
		addresses_commit(aside->draft);
	/* The end of a change (service/change.c) notes how the store is. */
	if (aside->draft || aside->error.outcome == CHANGE_STORE)
		store_note_error(resources_store(resources),
				 aside->draft ? NULL : aside->error.text, false);
	edit_free(aside->draft);
	resources_copy_free(aside->resources);
	store_hold(resources_store(resources), false);
	resources_forget(resources);
	uv_sem_destroy(&aside->paused);
	uv_sem_destroy(&aside->go_on);
	return aside->error.outcome;
}

static enum change_outcome make(struct addresses_fixture *fixture,
				int (*edit)(struct aside *aside, struct address_draft *draft),
				const void *context)
{
	struct aside aside;

	begin(&aside, fixture, edit, context);
	wait_for(&aside);
	enum change_outcome outcome = publish(&aside);
	if (outcome != CHANGE_FINE)
		assert_string_not_equal(aside.error.text, "");
	return outcome;
}

/* ---- edits ---- */

struct pointed {
	const char *name, *fqdn; /* fqdn NULL: none */
};

static const struct owned_resource *named(struct resources *resources, const char *name)
{
	const struct owned_resource *address = addresses_by_name(resources, NULL, name);

	return address ? address : services_by_name(resources, name);
}

/* Those of a list that ends with a NULL name. */
static int point(struct aside *aside, struct address_draft *draft)
{
	const struct pointed *list = aside->context;
	int err = draft_is_open(draft);

	for (; !err && list->name; list++) {
		const struct owned_item ptr = {.reverse_fqdn = list->fqdn, .ttl = NOT_GIVEN};
		const struct owned_resource *resource = named(aside->resources, list->name);

		err = list->fqdn ? edit_point(draft, resource, &ptr)
				 : edit_unpoint(draft, resource);
	}
	return err;
}

/* The same, and stops ahead of its end. */
static int point_and_pause(struct aside *aside, struct address_draft *draft)
{
	int err = point(aside, draft);

	uv_sem_post(&aside->paused);
	uv_sem_wait(&aside->go_on);
	return err;
}

static int remove_group(struct aside *aside, struct address_draft *draft)
{
	return edit_remove_group(draft, aside->context, SUBSCRIPTION);
}

static int do_nothing(struct aside *aside, struct address_draft *draft)
{
	(void)aside;
	return draft_is_open(draft);
}

/* ---- what there is ---- */

static const struct owned_resource *seen(const struct addresses_fixture *fixture, const char *name)
{
	return addresses_fixture_named(fixture, name);
}

static void add_to_group(struct addresses_fixture *fixture, const char *name, const char *group)
{
	const struct edit_value values[] = {
		{"name", name}, {"resource_group", group}, {"allocation", "static"}};
	struct address_draft *draft = edit_begin(fixture->resources, "test");

	assert_int_equal(edit_add(draft, KIND_ADDRESS, values, 3, NULL), 0);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
}

static const struct owned_resource *in_group(const struct addresses_fixture *fixture,
					     const char *name)
{
	return addresses_by_name(fixture->resources, "g", name);
}

static struct addresses_about about_of(const struct addresses_fixture *fixture)
{
	struct addresses_about about;

	addresses_about(fixture->resources, &about);
	return about;
}

static void check_busy(struct addresses_fixture *fixture)
{
	const struct owned_item ptr = {.reverse_fqdn = "x.test.", .ttl = NOT_GIVEN};
	struct address_draft *draft = edit_begin(fixture->resources, "test");

	assert_int_not_equal(edit_point(draft, seen(fixture, "bare"), &ptr), 0);
	addresses_fixture_check_error(draft, CHANGE_BUSY, "", "try again");
}

static char *export_of(const struct addresses_fixture *fixture)
{
	size_t length;
	char *text = state_export(fixture->resources, &length);

	assert_non_null(text);
	assert_int_equal(strlen(text), length);
	return text;
}

/* ---- when it is seen ---- */

static void nothing_is_served_before_it_is_published_and_then_all_of_it(void **state)
{
	static const struct pointed list[] = {{"bare", "bare.test"}, {"app", NULL}, {NULL, NULL}};
	struct addresses_fixture *fixture = *state;
	struct aside aside;

	addresses_fixture_point(fixture, seen(fixture, "app"), "old.test.");
	(void)addresses_fixture_has_moved(fixture);
	begin(&aside, fixture, point_and_pause, list);
	uv_sem_wait(&aside.paused);
	/* In its middle. */
	assert_null(seen(fixture, "bare")->item.reverse_fqdn);
	assert_string_equal(seen(fixture, "app")->item.reverse_fqdn, "old.test.");
	assert_int_equal(about_of(fixture).ptrs, 2);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.11", NULL, 0));
	assert_true(addresses_fixture_serves(fixture, "198.51.100.20", "old.test.", 3600));
	uv_sem_post(&aside.go_on);
	wait_for(&aside);
	/* Stored. */
	assert_true(addresses_fixture_serves(fixture, "198.51.100.11", NULL, 0));
	assert_true(addresses_fixture_serves(fixture, "198.51.100.20", "old.test.", 3600));
	assert_false(addresses_fixture_has_moved(fixture));
	assert_int_equal(publish(&aside), CHANGE_FINE);
	assert_true(addresses_fixture_has_moved(fixture));
	for (unsigned i = 0; i < 2; i++) {
		assert_true(addresses_fixture_serves(fixture, "198.51.100.11", "bare.test.", 3600));
		assert_true(addresses_fixture_serves(fixture, "198.51.100.20", NULL, 0));
		assert_string_equal(seen(fixture, "bare")->item.reverse_fqdn, "bare.test.");
		assert_null(seen(fixture, "app")->item.reverse_fqdn);
		assert_int_equal(about_of(fixture).ptrs, 2);
		addresses_fixture_restart(fixture);
	}
}

/* Whatever the workers have of what was before. */
static void what_no_worker_was_given_yet_stays_pending(void **state)
{
	static const struct pointed list[] = {
		{"bare", "bare.test."}, {"kept", "kept.test."}, {NULL, NULL}};
	struct addresses_fixture *fixture = *state;
	struct aside aside;

	addresses_fixture_add(fixture, "kept", "198.51.100.40");
	begin(&aside, fixture, point, list);
	wait_for(&aside);
	addresses_note_served(fixture->resources);
	assert_int_equal(seen(fixture, "bare")->status, PTR_PENDING);
	assert_int_equal(seen(fixture, "kept")->status, PTR_PENDING);
	assert_int_equal(publish(&aside), CHANGE_FINE);
	assert_int_equal(seen(fixture, "bare")->status, PTR_PENDING);
	assert_int_equal(seen(fixture, "kept")->status, PTR_PENDING);
	assert_int_equal(seen(fixture, "kept")->action, PTR_ACTION_CREATE);
	addresses_note_served(fixture->resources);
	assert_int_equal(seen(fixture, "bare")->status, PTR_ACTIVE);
	assert_int_equal(seen(fixture, "kept")->status, PTR_ACTIVE);
}

static void other_changes_are_refused_meanwhile(void **state)
{
	static const struct pointed list[] = {{"app", "app.test."}, {NULL, NULL}};
	struct addresses_fixture *fixture = *state;
	struct aside aside;

	begin(&aside, fixture, point_and_pause, list);
	uv_sem_wait(&aside.paused);
	check_busy(fixture);
	uv_sem_post(&aside.go_on);
	wait_for(&aside);
	check_busy(fixture); /* it is stored, and not published */
	assert_int_equal(publish(&aside), CHANGE_FINE);
	addresses_fixture_point(fixture, seen(fixture, "bare"), "x.test.");
	assert_true(addresses_fixture_serves(fixture, "198.51.100.11", "x.test.", 3600));
	assert_true(addresses_fixture_serves(fixture, "198.51.100.20", "app.test.", 3600));
}

/* ---- very many, with readers beside them ---- */

enum { MANY = 3000, FORGET_AT = 200 };

static void many_name(unsigned number, char text[32])
{
	snprintf(text, 32, "m%u", number);
}

static int add_many(struct aside *aside, struct address_draft *draft)
{
	int err = 0;

	for (unsigned i = 0; !err && i < MANY; i++) {
		char name[32], address[ADDRESS_TEXT_MAX], fqdn[64];
		const struct owned_resource *resource;

		many_name(i, name);
		snprintf(address, sizeof address, "2001:db8::1:%x", i + 1);
		snprintf(fqdn, sizeof fqdn, "%s.test.", name);
		const struct edit_value values[] = {{"name", name}, {"address", address}};
		const struct owned_item ptr = {.reverse_fqdn = fqdn, .ttl = NOT_GIVEN};
		err = edit_add(draft, KIND_ADDRESS, values, 2, &resource);
		if (!err)
			err = edit_point(draft, resource, &ptr);
		if (i % FORGET_AT == 0)
			resources_forget(aside->resources);
		if (i == 0)
			uv_sem_post(&aside->paused);
	}
	return err;
}

/* While it goes on: everything that there was, and nothing of it. */
static void read_some(struct addresses_fixture *fixture)
{
	const struct owned_resource *page[8];
	const struct address low = {6, {0x20, 1, 0xd, 0xb8}};
	struct resource_group group;
	size_t count;

	assert_string_equal(seen(fixture, "bare")->item.reverse_fqdn, "bare.test.");
	assert_null(seen(fixture, "m0"));
	assert_int_equal(addresses_after(fixture->resources, NULL, page, 8), 3);
	assert_int_equal(addresses_after(fixture->resources, &low, page, 8), 0);
	assert_int_equal(services_after(fixture->resources, NULL, page, 8), 1);
	assert_true(group_find(fixture->resources, "g", &group));
	free(groups_list(fixture->resources, &count));
	assert_int_equal(count, 1);
	assert_int_equal(group_size(fixture->resources, "g"), 1);
	assert_int_equal(about_of(fixture).ptrs, 2);
	assert_null(resources_trouble(fixture->resources));
	addresses_note_served(fixture->resources);
	resources_forget(fixture->resources);
}

static void readers_are_answered_beside_very_many_edits(void **state)
{
	struct addresses_fixture *fixture = *state;
	struct aside aside;

	addresses_fixture_point(fixture, seen(fixture, "bare"), "bare.test.");
	add_to_group(fixture, "one", "g");
	begin(&aside, fixture, add_many, NULL);
	uv_sem_wait(&aside.paused);
	for (unsigned i = 0; i < 200; i++)
		read_some(fixture);
	wait_for(&aside);
	assert_int_equal(publish(&aside), CHANGE_FINE);
	assert_int_equal(about_of(fixture).ptrs, MANY + 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(addresses_fixture_serves(fixture, "2001:db8::1:1", "m0.test.", 3600));
		assert_true(
			addresses_fixture_serves(fixture, "2001:db8::1:bb8", "m2999.test.", 3600));
		assert_int_equal(about_of(fixture).ptrs, MANY + 2);
		addresses_fixture_restart(fixture);
	}
}

/* ---- and again ---- */

static void what_was_stored_can_be_changed_one_by_one_and_again(void **state)
{
	static const struct pointed lists[2][2] = {{{"bare", "two.test."}, {NULL, NULL}},
						   {{"bare", "one.test."}, {NULL, NULL}}};
	struct addresses_fixture *fixture = *state;

	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(make(fixture, point, lists[i % 2]), CHANGE_FINE);
		assert_true(addresses_fixture_serves(fixture, "198.51.100.11", lists[i % 2][0].fqdn,
						     3600));
		addresses_fixture_point(fixture, seen(fixture, "bare"), "single.test.");
		assert_true(
			addresses_fixture_serves(fixture, "198.51.100.11", "single.test.", 3600));
		addresses_note_served(fixture->resources);
		assert_int_equal(seen(fixture, "bare")->status, PTR_ACTIVE);
	}
}

static void a_reload_behind_it_has_what_it_changed(void **state)
{
	static const struct pointed list[] = {{"bare", "bare.test."}, {NULL, NULL}};
	struct addresses_fixture *fixture = *state;

	add_to_group(fixture, "one", "g");
	assert_int_equal(make(fixture, point, list), CHANGE_FINE);
	assert_int_equal(make(fixture, remove_group, "g"), CHANGE_FINE);
	assert_int_equal(addresses_fixture_load(fixture, FIXTURE_WORLD FIXTURE_FILED), 0);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.11", "bare.test.", 3600));
	assert_null(in_group(fixture, "one"));
	assert_int_equal(about_of(fixture).addresses, 2);
}

static void changes_go_on_where_it_ended(void **state)
{
	struct addresses_fixture *fixture = *state;

	add_to_group(fixture, "one", "g");
	addresses_fixture_add(fixture, "alone", "198.51.100.70");
	assert_int_equal(make(fixture, remove_group, "g"), CHANGE_FINE);
	addresses_fixture_point(fixture, seen(fixture, "alone"), "alone.test.");
	add_to_group(fixture, "one", "g");
	assert_int_equal(make(fixture, remove_group, "g"), CHANGE_FINE);
	addresses_fixture_restart(fixture);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.70", "alone.test.", 3600));
	assert_null(in_group(fixture, "one"));
}

/* ---- what is in it ---- */

static void a_group_goes_with_what_is_in_it_at_the_end_and_not_before(void **state)
{
	struct addresses_fixture *fixture = *state;
	char address[ADDRESS_TEXT_MAX];
	struct aside aside;

	add_to_group(fixture, "one", "g");
	addresses_fixture_point(fixture, in_group(fixture, "one"), "one.test.");
	address_print(&in_group(fixture, "one")->item.address, address);
	begin(&aside, fixture, remove_group, "g");
	wait_for(&aside);
	assert_true(addresses_fixture_serves(fixture, address, "one.test.", 3600));
	assert_int_equal(publish(&aside), CHANGE_FINE);
	for (unsigned i = 0; i < 2; i++) {
		struct resource_group group;

		assert_null(in_group(fixture, "one"));
		assert_false(group_find(fixture->resources, "g", &group));
		assert_true(addresses_fixture_serves(fixture, address, NULL, 0));
		addresses_fixture_restart(fixture);
	}
}

static void what_is_not_touched_stays_as_it_was(void **state)
{
	struct addresses_fixture *fixture = *state;
	char etags[2][ETAG_MAX];

	add_to_group(fixture, "one", "g");
	add_to_group(fixture, "two", "other");
	addresses_fixture_add(fixture, "alone", "198.51.100.70");
	addresses_fixture_point(fixture, seen(fixture, "alone"), "alone.test.");
	addresses_fixture_point(fixture, seen(fixture, "bare"), "bare.test.");
	addresses_note_served(fixture->resources);
	owned_etag(seen(fixture, "alone"), etags[0]);
	owned_etag(seen(fixture, "bare"), etags[1]);
	assert_int_equal(make(fixture, remove_group, "g"), CHANGE_FINE);
	for (unsigned i = 0; i < 2; i++) {
		char now[ETAG_MAX];

		assert_string_equal(owned_etag(seen(fixture, "alone"), now), etags[0]);
		assert_string_equal(owned_etag(seen(fixture, "bare"), now), etags[1]);
		assert_int_equal(seen(fixture, "alone")->status, PTR_ACTIVE);
		assert_non_null(addresses_by_name(fixture->resources, "other", "two"));
		assert_true(
			addresses_fixture_serves(fixture, "198.51.100.70", "alone.test.", 3600));
		assert_true(addresses_fixture_serves(fixture, "198.51.100.11", "bare.test.", 3600));
		assert_true(addresses_fixture_serves(fixture, "198.51.100.10", "f.test.", 3600));
		addresses_fixture_restart(fixture);
	}
}

static void what_waits_goes_on_waiting(void **state)
{
	static const struct pointed list[] = {{"alone", "alone.test."}, {NULL, NULL}};
	struct addresses_fixture *fixture = *state;

	addresses_fixture_add(fixture, "alone", "198.51.100.70");
	addresses_fixture_point(fixture, seen(fixture, "bare"), "bare.test.");
	assert_int_equal(addresses_fixture_load(fixture, FIXTURE_WORLD), 0);
	char *before = export_of(fixture);
	assert_int_equal(make(fixture, do_nothing, NULL), CHANGE_FINE);
	assert_int_equal(about_of(fixture).waiting, 1);
	char *after = export_of(fixture);
	assert_string_equal(before, after);
	assert_int_equal(make(fixture, point, list), CHANGE_FINE);
	assert_int_equal(about_of(fixture).waiting, 1);
	assert_int_equal(addresses_fixture_load(fixture, FIXTURE_WORLD FIXTURE_FILED), 0);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.11", "bare.test.", 3600));
	free(before);
	free(after);
}

/* ---- what is counted, and drawn ---- */

#define WAITS "6f8b4ce6-1111-4d2e-9c55-0242ac120001"

static int add_some(struct aside *aside, struct address_draft *draft)
{
	static const struct edit_value address[] = {{"name", "drawn"}},
				       service[] = {{"name", "svc"}, {"address", "198.51.100.21"}};
	const struct owned_item ptr = {.reverse_fqdn = "waits.test.", .ttl = NOT_GIVEN};
	int err = edit_add(draft, KIND_ADDRESS, address, 1, NULL);

	(void)aside;
	if (!err)
		err = edit_add(draft, KIND_SERVICE, service, 2, NULL);
	return err ? err : edit_wait(draft, WAITS, &ptr);
}

static int remove_some(struct aside *aside, struct address_draft *draft)
{
	int err = draft_is_open(draft);

	if (!err)
		err = edit_remove(draft, named(aside->resources, "drawn"));
	if (!err)
		err = edit_remove(draft, named(aside->resources, "svc"));
	return err ? err : edit_wait(draft, WAITS, NULL);
}

static void check_counts(const struct addresses_fixture *fixture, size_t more)
{
	const struct addresses_about about = about_of(fixture);

	assert_int_equal(about.addresses, 2 + more);
	assert_int_equal(about.services, 1 + more);
	assert_int_equal(about.waiting, more);
}

static void what_is_counted_is_counted_when_it_is_published(void **state)
{
	struct addresses_fixture *fixture = *state;
	struct aside aside;

	begin(&aside, fixture, add_some, NULL);
	wait_for(&aside);
	check_counts(fixture, 0);
	assert_int_equal(publish(&aside), CHANGE_FINE);
	check_counts(fixture, 1);
	addresses_fixture_restart(fixture);
	check_counts(fixture, 1);
	begin(&aside, fixture, remove_some, NULL);
	wait_for(&aside);
	check_counts(fixture, 1);
	assert_int_equal(publish(&aside), CHANGE_FINE);
	check_counts(fixture, 0);
	addresses_fixture_restart(fixture);
	check_counts(fixture, 0);
}

static void an_address_that_it_let_go_of_is_not_drawn_a_moment_later(void **state)
{
	static const struct edit_value values[] = {{"name", "next"}};
	struct addresses_fixture *fixture = *state;
	struct address first;

	assert_int_equal(make(fixture, add_some, NULL), CHANGE_FINE);
	first = seen(fixture, "drawn")->item.address;
	assert_int_equal(make(fixture, remove_some, NULL), CHANGE_FINE);
	struct address_draft *draft = edit_begin(fixture->resources, "test");
	assert_int_equal(edit_add(draft, KIND_ADDRESS, values, 1, NULL), 0);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
	assert_false(address_equal(&seen(fixture, "next")->item.address, &first));
}

/* ---- edits that do not fit ---- */

static const struct wrong_ptr {
	struct owned_item ptr;
	const char *field, *says;
} wrong_ptrs[] = {
	{{.reverse_fqdn = "*.test."}, "reverse_fqdn", ""},
	{{.reverse_fqdn = "."}, "reverse_fqdn", "host"},
};

struct seen_errors {
	struct change_error errors[COUNT(wrong_ptrs)];
	int errs[COUNT(wrong_ptrs)];
};

static int edit_wrongly(struct aside *aside, struct address_draft *draft)
{
	struct seen_errors *told = aside->context;
	const struct owned_resource *bare;

	if (draft_is_open(draft) != 0)
		return ERR_INVALID;
	for (size_t i = 0; i < COUNT(wrong_ptrs); i++) {
		bare = named(aside->resources, "bare");
		told->errs[i] = edit_point(draft, bare, &wrong_ptrs[i].ptr);
		draft_take_error(draft, &told->errors[i]);
	}
	bare = named(aside->resources, "bare");
	if (edit_point(draft, bare,
		       &(struct owned_item){.reverse_fqdn = "fine.test.", .ttl = NOT_GIVEN}) != 0)
		return ERR_INVALID;
	return draft_fail(draft, CHANGE_INVALID, NULL, "rows do not fit");
}

static void what_does_not_fit_is_told_for_each_and_nothing_is_changed(void **state)
{
	struct addresses_fixture *fixture = *state;
	struct seen_errors told = {.errs = {0}};
	(void)addresses_fixture_has_moved(fixture);

	assert_int_equal(make(fixture, edit_wrongly, &told), CHANGE_INVALID);
	for (size_t i = 0; i < COUNT(wrong_ptrs); i++) {
		assert_int_equal(told.errs[i], ERR_INVALID);
		assert_int_equal(told.errors[i].outcome, CHANGE_INVALID);
		assert_string_equal(told.errors[i].field, wrong_ptrs[i].field);
		assert_non_null(strstr(told.errors[i].text, wrong_ptrs[i].says));
	}
	assert_null(seen(fixture, "bare")->item.reverse_fqdn);
	assert_false(addresses_fixture_has_moved(fixture));
	addresses_fixture_point(fixture, seen(fixture, "bare"), "x.test.");
}

struct same {
	bool filed, other, bare, none;
};

static int ask_what_is_same(struct aside *aside, struct address_draft *draft)
{
	struct same *same = aside->context;
	const struct owned_resource *filed, *bare;

	if (draft_is_open(draft) != 0)
		return ERR_INVALID;
	filed = named(aside->resources, "filed");
	bare = named(aside->resources, "bare");
	*same = (struct same){
		addresses_points(aside->resources, filed,
				 &(struct owned_item){.reverse_fqdn = "f.test", .ttl = NOT_GIVEN}),
		addresses_points(
			aside->resources, filed,
			&(struct owned_item){.reverse_fqdn = "other.test", .ttl = NOT_GIVEN}),
		addresses_points(aside->resources, bare,
				 &(struct owned_item){.reverse_fqdn = "", .ttl = NOT_GIVEN}),
		addresses_points(aside->resources, bare,
				 &(struct owned_item){.reverse_fqdn = NULL, .ttl = NOT_GIVEN}),
	};
	return edit_point(draft, filed,
			  &(struct owned_item){.reverse_fqdn = "other.test.", .ttl = NOT_GIVEN});
}

static void what_is_so_already_is_known_also_where_the_file_says_it(void **state)
{
	static const struct pointed list[] = {{"bare", "b.test."}, {"filed", NULL}, {NULL, NULL}};
	struct addresses_fixture *fixture = *state;
	struct aside aside;
	struct same same = {.filed = false};

	begin(&aside, fixture, ask_what_is_same, &same);
	wait_for(&aside);
	assert_int_equal(publish(&aside), CHANGE_READ_ONLY);
	assert_non_null(strstr(aside.error.text, "sluice.conf:"));
	assert_true(same.filed && !same.other && same.bare && same.none);
	assert_int_equal(make(fixture, point, list), CHANGE_READ_ONLY);
	assert_null(seen(fixture, "bare")->item.reverse_fqdn);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.10", "f.test.", 3600));
}

static void an_edit_that_fails_moves_nothing(void **state)
{
	struct addresses_fixture *fixture = *state;

	addresses_fixture_add(fixture, "alone", "198.51.100.70");
	char *before = export_of(fixture);
	(void)addresses_fixture_has_moved(fixture);
	assert_int_equal(make(fixture, remove_group, NULL), CHANGE_READ_ONLY);
	char *after = export_of(fixture);
	assert_string_equal(before, after);
	assert_false(addresses_fixture_has_moved(fixture));
	assert_true(addresses_fixture_resolves(fixture, "filed.east.", NULL));
	assert_int_equal(about_of(fixture).addresses, 3);
	free(before);
	free(after);
	addresses_fixture_point(fixture, seen(fixture, "alone"), "alone.test.");
}

static void a_rehearsal_moves_nothing(void **state)
{
	static const struct pointed list[] = {{"bare", "bare.test."}, {NULL, NULL}};
	struct addresses_fixture *fixture = *state;
	(void)addresses_fixture_has_moved(fixture);
	struct aside aside;

	begin(&aside, fixture, point_and_pause, list);
	uv_sem_wait(&aside.paused);
	aside.rehearsal = true; /* the thread waits */
	uv_sem_post(&aside.go_on);
	wait_for(&aside);
	assert_int_equal(publish(&aside), CHANGE_FINE);
	for (unsigned i = 0; i < 2; i++) {
		assert_null(seen(fixture, "bare")->item.reverse_fqdn);
		assert_true(addresses_fixture_serves(fixture, "198.51.100.11", NULL, 0));
		if (i == 0)
			assert_false(addresses_fixture_has_moved(fixture));
		addresses_fixture_restart(fixture);
	}
}

/* ---- a store that fails ---- */

/* Refused with the reason, which the status shows, and nothing has moved. */
static void check_store_failed(struct addresses_fixture *fixture, const char *says)
{
	static const struct pointed list[] = {{"bare", "never.test."}, {NULL, NULL}};
	(void)addresses_fixture_has_moved(fixture);
	struct aside aside;

	begin(&aside, fixture, point, list);
	wait_for(&aside);
	assert_int_equal(publish(&aside), CHANGE_STORE);
	if (!strstr(aside.error.text, says))
		fprintf(stderr, "%s\n", aside.error.text);
	assert_non_null(strstr(aside.error.text, says));
	assert_non_null(about_of(fixture).error);
	assert_false(addresses_fixture_has_moved(fixture));
	assert_null(seen(fixture, "bare")->item.reverse_fqdn);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.11", NULL, 0));
	assert_true(addresses_fixture_serves(fixture, "198.51.100.70", "alone.test.", 3600));
}

static void check_well(struct addresses_fixture *fixture)
{
	static const struct pointed list[] = {{"bare", "well.test."}, {NULL, NULL}};

	assert_int_equal(make(fixture, point, list), CHANGE_FINE);
	assert_null(about_of(fixture).error);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.11", "well.test.", 3600));
	addresses_fixture_restart(fixture);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.11", "well.test.", 3600));
	assert_true(addresses_fixture_serves(fixture, "198.51.100.70", "alone.test.", 3600));
}

static void have_one(struct addresses_fixture *fixture)
{
	addresses_fixture_add(fixture, "alone", "198.51.100.70");
	addresses_fixture_point(fixture, seen(fixture, "alone"), "alone.test.");
}

static void a_store_that_is_locked_changes_nothing(void **state)
{
	struct addresses_fixture *fixture = *state;
	sqlite3 *other;

	have_one(fixture);
	assert_int_equal(sqlite3_open(fixture->state, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	check_store_failed(fixture, "another program holds it");
	sqlite3_close(other);
	check_well(fixture);
}

/* Found out at the commit: the edits went well. */
static void a_store_that_is_full_changes_nothing(void **state)
{
	static const struct pointed list[] = {{"bare", "never.test."}, {NULL, NULL}};
	struct addresses_fixture *fixture = *state;
	struct aside aside;

	have_one(fixture);
	begin(&aside, fixture, point_and_pause, list);
	uv_sem_wait(&aside.paused);
	limit_files(100);
	uv_sem_post(&aside.go_on);
	wait_for(&aside);
	limit_files(RLIM_INFINITY);
	assert_int_equal(publish(&aside), CHANGE_STORE);
	assert_non_null(strstr(aside.error.text, "disk"));
	assert_non_null(about_of(fixture).error);
	assert_null(seen(fixture, "bare")->item.reverse_fqdn);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.11", NULL, 0));
	check_well(fixture);
}

static void a_store_whose_file_is_gone_is_not_made_anew_and_can_be_exported(void **state)
{
	struct addresses_fixture *fixture = *state;
	char away[128];
	size_t length;

	have_one(fixture);
	char *before = export_of(fixture);
	snprintf(away, sizeof away, "%s.away", fixture->state);
	assert_int_equal(rename(fixture->state, away), 0);
	check_store_failed(fixture, "is gone; put it back");
	assert_int_equal(access(fixture->state, F_OK), -1);
	store_hold(resources_store(fixture->resources), true);
	struct resources *aside = resources_copy(fixture->resources, STORE_ASIDE);
	char *text = state_export(aside, &length);
	assert_non_null(text);
	assert_string_equal(text, before);
	resources_copy_free(aside);
	store_hold(resources_store(fixture->resources), false);
	free(text);
	free(before);
	assert_int_equal(access(fixture->state, F_OK), -1);
	assert_int_equal(rename(away, fixture->state), 0);
	check_well(fixture);
}

/* As an export does, in a thread: changes do not wait for it, nor does a reload. */
static void a_view_stays_what_it_was_while_others_change_it(void **state)
{
	struct addresses_fixture *fixture = *state;
	size_t length;

	have_one(fixture);
	char *before = export_of(fixture);
	struct resources *view = resources_copy(fixture->resources, STORE_VIEW);
	addresses_fixture_point(fixture, seen(fixture, "app"), "new.test.");
	addresses_fixture_add(fixture, "more", "198.51.100.50");
	assert_int_equal(addresses_fixture_load(fixture, FIXTURE_WORLD), 0);
	assert_null(addresses_by_name(fixture->resources, NULL, "bare")); /* was the file's */
	char *text = state_export(view, &length);
	assert_string_equal(text, before);
	assert_non_null(addresses_by_name(view, NULL, "bare"));
	free(text);
	free(before);
	resources_copy_free(view);
	text = export_of(fixture);
	assert_non_null(strstr(text, "198.51.100.50"));
	free(text);
}

static void what_another_program_wrote_is_in_its_way(void **state)
{
	static const char sql[] = "UPDATE meta SET value = value + 1 WHERE key = 'revision'";
	struct addresses_fixture *fixture = *state;
	sqlite3 *other;

	have_one(fixture);
	assert_int_equal(sqlite3_open(fixture->state, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	check_store_failed(fixture, "changed by another program");
	assert_int_equal(addresses_fixture_load(fixture, FIXTURE_WORLD FIXTURE_FILED), 0);
	check_well(fixture);
}

static void without_a_state_there_is_nothing_to_begin(void **state)
{
	static const struct pointed list[] = {{"bare", "x.test."}, {NULL, NULL}};
	struct addresses_fixture fixture;

	(void)state;
	addresses_fixture_init(&fixture, "region = \"east\";\n" FIXTURE_POOLS FIXTURE_FILED);
	assert_int_equal(make(&fixture, point, list), CHANGE_NO_STATE);
	assert_int_equal(make(&fixture, remove_group, "g"), CHANGE_NO_STATE);
	addresses_fixture_release(&fixture);
}

#define T(test)                                                                                    \
	cmocka_unit_test_setup_teardown(test, addresses_fixture_set_up, addresses_fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(nothing_is_served_before_it_is_published_and_then_all_of_it),
		T(what_no_worker_was_given_yet_stays_pending),
		T(other_changes_are_refused_meanwhile),
		T(readers_are_answered_beside_very_many_edits),
		T(what_was_stored_can_be_changed_one_by_one_and_again),
		T(a_reload_behind_it_has_what_it_changed),
		T(changes_go_on_where_it_ended),
		T(a_group_goes_with_what_is_in_it_at_the_end_and_not_before),
		T(what_is_not_touched_stays_as_it_was),
		T(what_waits_goes_on_waiting),
		T(what_is_counted_is_counted_when_it_is_published),
		T(an_address_that_it_let_go_of_is_not_drawn_a_moment_later),
		T(what_does_not_fit_is_told_for_each_and_nothing_is_changed),
		T(what_is_so_already_is_known_also_where_the_file_says_it),
		T(an_edit_that_fails_moves_nothing),
		T(a_rehearsal_moves_nothing),
		T(a_store_that_is_locked_changes_nothing),
		T(a_store_that_is_full_changes_nothing),
		T(a_store_whose_file_is_gone_is_not_made_anew_and_can_be_exported),
		T(a_view_stays_what_it_was_while_others_change_it),
		T(what_another_program_wrote_is_in_its_way),
		T(without_a_state_there_is_nothing_to_begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
