#include "tests/lib/state_case.h"

#include <inttypes.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rules/base.h"
#include "rules/text.h"

struct state_case *state_case_new(void)
{
	struct state_case *world = calloc(1, sizeof *world);

	assert_non_null(world);
	config_text_init(&world->config);
	snprintf(world->path, sizeof world->path, "%s/state.db", world->config.directory);
	snprintf(world->log, sizeof world->log, "%s-wal", world->path);
	return world;
}

void state_case_free(struct state_case *world)
{
	source_close(world->source);
	config_text_release(&world->config);
	free(world);
}

void state_case_open(struct state_case *world)
{
	source_close(world->source);
	world->source = state_open(world->path, world->error);
}

void state_case_check_error(const struct state_case *world, const char *says)
{
	if (!strstr(world->error, says))
		fprintf(stderr, "%s\n", world->error);
	assert_non_null(strstr(world->error, says));
}

/* ---- another writer ---- */

static int on_text(void *context, int columns, char **values, char **names)
{
	(void)names;
	(void)columns;
	snprintf(context, 64, "%s", values[0]);
	return 0;
}

static void query(const char *path, const char *sql, char text[64])
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, on_text, text, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_close(db);
}

void state_exec(const char *path, const char *sql)
{
	char text[64];

	query(path, sql, text);
}

long state_version(const char *path)
{
	char text[64] = "";

	query(path, "PRAGMA user_version", text);
	return strtol(text, NULL, 10);
}

/* ---- callbacks ---- */

static const char *or_none(const char *text)
{
	return text ? text : "-";
}

static bool has_keys(const struct source_keys *keys)
{
	return keys && (keys->id || keys->address.family || keys->host || keys->group ||
			keys->region || keys->ptr || keys->ttl_given || keys->ptr_revision);
}

int tell(void *context, const struct source_resource *resource)
{
	struct state_lines *told = context;
	const struct source_keys *keys = resource->keys;
	char address[ADDRESS_TEXT_MAX] = "-";

	told->count++;
	told->revision = resource->revision;
	text_append(told->text, sizeof told->text, "%u %s @%" PRIu64 " %s", resource->kind,
		    resource->path, resource->revision, or_none(resource->json));
	if (has_keys(keys)) {
		if (keys->address.family)
			address_print(&keys->address, address);
		text_append(told->text, sizeof told->text, " %s %s %s %s %s | %s ",
			    or_none(keys->id), address, or_none(keys->host),
			    keys->group && !*keys->group ? "''" : or_none(keys->group),
			    or_none(keys->region), or_none(keys->ptr));
		if (keys->ttl_given)
			text_append(told->text, sizeof told->text, "%u", keys->ttl);
		else
			text_append(told->text, sizeof told->text, "-");
		text_append(told->text, sizeof told->text, " @%" PRIu64 " %u", keys->ptr_revision,
			    keys->ptr_action);
	}
	text_append(told->text, sizeof told->text, "\n");
	return told->err;
}

struct state_lines state_told(struct state_case *world, unsigned kind)
{
	static const unsigned kinds_told[] = {KIND_ADDRESS, KIND_SERVICE, KIND_PTR, KIND_GROUP};
	struct state_lines told = {.text = ""};

	for (size_t i = 0; i < COUNT(kinds_told); i++)
		if (!kind || kind == kinds_told[i])
			assert_int_equal(world->source->calls->resources(world->source,
									 kinds_told[i], "", "\xff",
									 tell, &told, world->error),
					 0);
	return told;
}

static struct state_lines found(struct state_case *world, enum source_by by, unsigned kind,
				const char *text, const struct address *address)
{
	struct state_lines told = {.text = ""};

	assert_int_equal(world->source->calls->find(world->source, by, kind, text, address, tell,
						    &told, world->error),
			 0);
	return told;
}

struct state_lines state_found(struct state_case *world, enum source_by by, unsigned kind,
			       const char *text)
{
	return found(world, by, kind, text, NULL);
}

struct state_lines state_found_at(struct state_case *world, const char *address)
{
	const struct address parsed = state_address(address);

	return found(world, SOURCE_BY_ADDRESS, 0, NULL, &parsed);
}

int state_paged(struct state_case *world, const struct source_page *page, struct state_lines *told)
{
	*told = (struct state_lines){.text = ""};
	return world->source->calls->page(world->source, page, tell, told, world->error);
}

struct address state_address(const char *text)
{
	struct address address = {0};

	if (*text)
		assert_int_equal(address_parse(&address, text), 0);
	return address;
}

/* ---- changes ---- */

int state_try(struct state_case *world, const struct state_put *puts, size_t count,
	      uint64_t *revision)
{
	const struct source_calls *calls = world->source->calls;
	uint64_t made = 0;
	int err = calls->begin(world->source, "test", &made, world->error);

	for (size_t i = 0; !err && i < count; i++)
		err = calls->put(world->source, puts[i].kind, puts[i].path, puts[i].json,
				 &puts[i].keys, world->error);
	if (!err && calls->commit(world->source, world->error) != COMMIT_YES)
		err = ERR_SYSTEM;
	if (err)
		calls->roll_back(world->source);
	if (revision)
		*revision = made;
	return err;
}

static struct state_put ptr_of(const char *path, const char *name)
{
	return (struct state_put){KIND_PTR, path, name ? "{}" : NULL, {.ptr = name}};
}

int state_try_ptr(struct state_case *world, const char *path, const char *name)
{
	const struct state_put put = ptr_of(path, name);

	return state_try(world, &put, 1, NULL);
}

uint64_t state_must_ptr(struct state_case *world, const char *path, const char *name)
{
	const struct state_put put = ptr_of(path, name);
	uint64_t revision;

	if (state_try(world, &put, 1, &revision) != 0)
		fail_msg("%s", world->error);
	return revision;
}

const char *state_trouble(const struct state_case *world)
{
	struct source_about about;

	source_about(world->source, &about);
	return about.error;
}
