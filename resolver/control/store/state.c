/* SQLite behind the source's eight calls. Everything of a change is one transaction, begun with the
 * write lock in hand, so that what is read for its preconditions is still true when it commits:
 *
 *     BEGIN IMMEDIATE ─► the store's revision as we know it? ─► edits, each WHERE revision = n
 *                                                               ─► revision + 1 ─► COMMIT
 *
 * A call that fails rolls back and says why; the next one starts afresh, with the file opened again
 * where that may help (state_file.c). What the records mean, and whether two of them may have one
 * address, is the inventory's matter. */
#include "resolver/control/store/state.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "endpoints/entropy.h"
#include "resolver/control/base/uuid.h"
#include "resolver/control/store/state_db.h"
#include "rules/base.h"
#include "rules/schema/model.h"
#include "rules/schema/schema.h"

static const char *const kind_texts[] = {[OWNER_ADDRESS] = "address", [OWNER_SERVICE] = "service"};

enum { ID_LENGTH = UUID_TEXT_MAX - 1, CHANGES_KEPT_S = 7 * 24 * 60 * 60 };

struct state {
	struct source source;
	struct state_db db; /* closed: it could not be opened again */
	bool looks;         /* it was state_look, and is never opened again */
	char *path;
	int64_t revision; /* the store's, when it was read or written here last */
	/* Of the change of resources that is under way: */
	int64_t next, at_s;
	const char *who;
	size_t written;  /* rows of history */
	int64_t version; /* data_version when it was read, which changes when another connection
			  * writes; -1: not read by this one */
};

/* ---- the connection ---- */

static void close_connection(struct state *state)
{
	state_db_close(&state->db);
	state->version = -1;
}

static int open_connection(struct state *state)
{
	struct state_db *db = &state->db;
	int err = state_file_open(&db->file, state->path, db->error);

	if (!err)
		err = state_db_prepare_all(db);
	if (err)
		close_connection(state);
	db->suspect = false;
	return err;
}

/* Makes sure of a connection to what is at the path, as every call does first. As long as there is
 * nothing, the old one is kept: a file that is only moved aside and back is still its. */
static int ensure(struct state *state)
{
	struct state_db *db = &state->db;

	db->error[0] = '\0';
	if (db->file.db && (state->looks || (!db->suspect && state_file_is_there(&state->db.file))))
		return 0;
	if (state_file_look(state->path, db->error) != 0)
		return ERR_SYSTEM;
	if (db->file.db && state_file_save(&state->db.file, db->error) != 0)
		return ERR_SYSTEM;
	close_connection(state);
	return open_connection(state);
}

/* ---- load ---- */

static const char *column_text(sqlite3_stmt *row, int at)
{
	return (const char *)sqlite3_column_text(row, at);
}

static int complain(struct state *state, const char *id, const char *what, const char *text)
{
	snprintf(state->db.error, sizeof state->db.error,
		 "the state %s has a record \"%s\" with the %s \"%s\", which was not written by "
		 "sluice; repair or remove that record",
		 state->path, id ? id : "", what, text ? text : "");
	return ERR_SYSTEM;
}

/* The index of the text, or -1. */
static int find_text(const char *const *texts, int count, const char *text)
{
	for (int i = 0; i < count; i++)
		if (text && strcmp(texts[i], text) == 0)
			return i;
	return -1;
}

static int read_owner(struct state *state, sqlite3_stmt *row, const struct source_reader *reader)
{
	int kind = find_text(kind_texts, 2, column_text(row, 1));
	int allocation = find_text(schema_allocation_names, 2, column_text(row, 7));
	struct source_owner owner = {
		.id = column_text(row, 0),
		.name = column_text(row, 2),
		.resource_group = column_text(row, 3),
		.region = column_text(row, 4),
		.subscription = column_text(row, 5),
		.label = column_text(row, 8),
		.description = column_text(row, 9),
		.tags = column_text(row, 10),
		.revision = (uint64_t)sqlite3_column_int64(row, 11),
	};
	const char *address = column_text(row, 6);

	if (!owner.id || strlen(owner.id) != ID_LENGTH)
		return complain(state, owner.id, "id", owner.id);
	if (kind < 0)
		return complain(state, owner.id, "kind", column_text(row, 1));
	if (allocation < 0)
		return complain(state, owner.id, "allocation", column_text(row, 7));
	if (!address || address_parse(&owner.address, address) != 0)
		return complain(state, owner.id, "address", address);
	if (!owner.name)
		return complain(state, owner.id, "name", owner.name);
	owner.kind = (enum owner_kind)kind;
	owner.allocation = (unsigned)allocation;
	return reader->on_owner(reader->context, &owner);
}

static int read_ptr(struct state *state, sqlite3_stmt *row, const struct source_reader *reader)
{
	sqlite3_int64 ttl = sqlite3_column_int64(row, 3);
	struct source_ptr ptr = {
		.owner = column_text(row, 0),
		.fqdn = column_text(row, 1),
		.description = column_text(row, 2),
		.ttl_given = sqlite3_column_type(row, 3) != SQLITE_NULL,
		.ttl = (uint32_t)ttl,
		.revision = (uint64_t)sqlite3_column_int64(row, 4),
	};

	if (!ptr.owner || strlen(ptr.owner) != ID_LENGTH || !ptr.fqdn)
		return complain(state, ptr.owner, "name", ptr.fqdn);
	if (ttl < 0 || ttl > INT32_MAX)
		return complain(state, ptr.owner, "ttl", column_text(row, 3));
	return reader->on_ptr(reader->context, &ptr);
}

static int read_group(struct state *state, sqlite3_stmt *row, const struct source_reader *reader)
{
	const struct source_group group = {
		.name = column_text(row, 0),
		.region = column_text(row, 1),
		.tags = column_text(row, 2),
		.revision = (uint64_t)sqlite3_column_int64(row, 3),
	};

	if (!group.name || !*group.name)
		return complain(state, group.name, "name", group.name);
	return reader->on_group(reader->context, &group);
}

static int read_all(struct state *state, enum state_statement which,
		    int (*read)(struct state *, sqlite3_stmt *, const struct source_reader *),
		    const struct source_reader *reader)
{
	sqlite3_stmt *statement = state->db.statements[which];
	int code, err = 0;

	while (!err && (code = sqlite3_step(statement)) != SQLITE_DONE)
		err = code == SQLITE_ROW ? read(state, statement, reader)
					 : state_db_fail(&state->db, "cannot be read");
	sqlite3_reset(statement);
	return err;
}

static int give_error(const struct state *state, int err, char error[SOURCE_ERROR_MAX])
{
	if (err)
		snprintf(error, SOURCE_ERROR_MAX, "%s",
			 *state->db.error ? state->db.error : err_text(err));
	return err;
}

static int state_load(struct source *source, const struct source_reader *reader,
		      char error[SOURCE_ERROR_MAX])
{
	struct state *state = (struct state *)source;
	int64_t revision = 0, version = -1;
	int err = ensure(state);

	if (!err)
		err = state_db_execute(&state->db, "BEGIN",
				       "cannot be read"); /* all of one instant */
	if (!err)
		err = state_db_number(&state->db, STATEMENT_READ_REVISION, &revision);
	if (!err)
		err = state_db_number(&state->db, STATEMENT_READ_VERSION, &version);
	if (!err && reader->on_group && state->db.statements[STATEMENT_READ_GROUPS])
		err = read_all(state, STATEMENT_READ_GROUPS, read_group, reader);
	if (!err)
		err = read_all(state, STATEMENT_READ_OWNERS, read_owner, reader);
	if (!err)
		err = read_all(state, STATEMENT_READ_PTRS, read_ptr, reader);
	state_db_roll_back(&state->db); /* nothing was written */
	if (!err) {
		state->revision = revision;
		state->version = version;
	}
	return give_error(state, err, error);
}

static bool state_is_current(struct source *source)
{
	struct state *state = (struct state *)source;
	int64_t version = -1;

	return state->db.file.db && !state->db.suspect && state->version >= 0 &&
	       state_file_is_there(&state->db.file) &&
	       state_db_number(&state->db, STATEMENT_READ_VERSION, &version) == 0 &&
	       version == state->version;
}

/* ---- apply ---- */

/* The record's values are given: in the place of the one that is expected, or as a new one. */
static int put_record(struct state_row *row, const struct source_edit *edit, int64_t revision)
{
	state_row_number(row, revision);
	if (edit->expected)
		state_row_number(row, (int64_t)edit->expected);
	return state_row_run(row);
}

static int put_owner(struct state_db *db, const struct source_edit *edit, int64_t revision)
{
	const struct source_owner *owner = &edit->owner;
	struct state_row row =
		state_row_begin(db, edit->expected ? STATEMENT_SET_OWNER : STATEMENT_ADD_OWNER);
	char address[ADDRESS_TEXT_MAX];

	assert(owner->allocation <= ALLOCATION_STATIC && owner->address.family);
	state_row_text(&row, owner->id);
	state_row_text(&row, kind_texts[owner->kind]);
	state_row_text(&row, owner->name);
	state_row_text(&row, owner->resource_group);
	state_row_text(&row, owner->region);
	state_row_text(&row, owner->subscription);
	state_row_text(&row, address_print(&owner->address, address));
	state_row_text(&row, schema_allocation_names[owner->allocation]);
	state_row_text(&row, owner->label);
	state_row_text(&row, owner->description);
	state_row_text(&row, owner->tags);
	return put_record(&row, edit, revision);
}

static int put_ptr(struct state_db *db, const struct source_edit *edit, int64_t revision)
{
	const struct source_ptr *ptr = &edit->ptr;
	struct state_row row =
		state_row_begin(db, edit->expected ? STATEMENT_SET_PTR : STATEMENT_ADD_PTR);

	state_row_text(&row, ptr->owner);
	state_row_text(&row, ptr->fqdn);
	state_row_text(&row, ptr->description);
	if (ptr->ttl_given)
		state_row_number(&row, ptr->ttl);
	else
		state_row_none(&row);
	return put_record(&row, edit, revision);
}

static int put_group(struct state_db *db, const struct source_edit *edit, int64_t revision)
{
	const struct source_group *group = &edit->group;
	struct state_row row =
		state_row_begin(db, edit->expected ? STATEMENT_SET_GROUP : STATEMENT_ADD_GROUP);

	state_row_text(&row, group->name);
	state_row_text(&row, group->region);
	state_row_text(&row, group->tags);
	return put_record(&row, edit, revision);
}

static int delete_record(struct state_db *db, enum state_statement which, const char *key,
			 const struct source_edit *edit)
{
	struct state_row row = state_row_begin(db, which);

	state_row_text(&row, key);
	state_row_number(&row, (int64_t)edit->expected);
	return state_row_run(&row);
}

static int apply_edit(struct state_db *db, const struct source_edit *edit, int64_t revision)
{
	switch (edit->act) {
	case SOURCE_PUT_OWNER: return put_owner(db, edit, revision);
	case SOURCE_PUT_PTR: return put_ptr(db, edit, revision);
	case SOURCE_PUT_GROUP: return put_group(db, edit, revision);
	case SOURCE_DELETE_OWNER:
		return delete_record(db, STATEMENT_DELETE_OWNER, edit->owner.id, edit);
	case SOURCE_DELETE_PTR:
		return delete_record(db, STATEMENT_DELETE_PTR, edit->ptr.owner, edit);
	case SOURCE_DELETE_GROUP:
		return delete_record(db, STATEMENT_DELETE_GROUP, edit->group.name, edit);
	}
	assert(!"an edit of no kind");
	return ERR_INVALID;
}

static int write_revision(struct state_db *db, int64_t revision)
{
	struct state_row row = state_row_begin(db, STATEMENT_WRITE_REVISION);

	state_row_number(&row, revision);
	return state_row_run(&row);
}

/* With the write lock in hand, and nobody having written since we looked. */
static int begin_change(struct state *state)
{
	struct state_db *db = &state->db;
	int64_t found = 0;
	int err = ensure(state);

	if (!err)
		err = state_db_execute(db, "BEGIN IMMEDIATE", "cannot be written");
	if (!err)
		err = state_db_number(db, STATEMENT_READ_REVISION, &found);
	if (!err && found != state->revision)
		err = ERR_EXISTS;
	return err;
}

/* Undone where it fails. */
static int end_change(struct state *state, int64_t revision)
{
	struct state_db *db = &state->db;
	int err = write_revision(db, revision);

	if (!err)
		err = state_db_execute(db, "COMMIT", "cannot be written");
	state_db_roll_back(db);
	if (!err)
		state->revision = revision;
	return err;
}

/* Undoes what was begun, where it failed; returns err. */
static int give_up_change(struct state *state, int err, char error[SOURCE_ERROR_MAX])
{
	if (err == ERR_EXISTS) {
		state->version = -1;
		snprintf(state->db.error, sizeof state->db.error,
			 "the state %s was changed by another program; reload the configuration",
			 state->path);
	}
	if (err)
		state_db_roll_back(&state->db);
	return give_error(state, err, error);
}

static int state_apply(struct source *source, const struct source_edit *edits, size_t count,
		       uint64_t *revision, char error[SOURCE_ERROR_MAX])
{
	struct state *state = (struct state *)source;
	int64_t next = state->revision + 1;
	int err = begin_change(state);

	for (size_t i = 0; !err && i < count; i++)
		err = apply_edit(&state->db, &edits[i], next);
	if (!err)
		err = end_change(state, next);
	*revision = (uint64_t)next;
	return give_up_change(state, err, error);
}

/* ---- secrets ---- */

/* ERR_NOT_FOUND: there is none of that name. */
static int read_secret(struct state *state, const char *name, uint8_t bytes[SOURCE_SECRET_BYTES])
{
	struct state_row row = state_row_begin(&state->db, STATEMENT_READ_SECRET);

	state_row_text(&row, name);
	int err = state_row_find(&row);
	if (!err && sqlite3_column_bytes(row.statement, 0) != SOURCE_SECRET_BYTES)
		err = complain(state, name, "value", "of another length");
	if (!err)
		memcpy(bytes, sqlite3_column_blob(row.statement, 0), SOURCE_SECRET_BYTES);
	state_row_end(&row);
	return err;
}

static int add_secret(struct state_db *db, const char *name,
		      const uint8_t bytes[SOURCE_SECRET_BYTES])
{
	struct state_row row = state_row_begin(db, STATEMENT_ADD_SECRET);

	state_row_text(&row, name);
	state_row_bytes(&row, bytes, SOURCE_SECRET_BYTES);
	return state_row_run(&row);
}

/* What counts is what can be read again: another program may have been faster. */
static int state_secret(struct source *source, const char *name, uint8_t bytes[SOURCE_SECRET_BYTES],
			char error[SOURCE_ERROR_MAX])
{
	struct state *state = (struct state *)source;
	int err = ensure(state);

	if (!err && !state->db.statements[STATEMENT_READ_SECRET])
		err = ERR_NOT_FOUND; /* an older version, that is only read */
	else if (!err)
		err = read_secret(state, name, bytes);
	if (err == ERR_NOT_FOUND && !state->looks) {
		entropy_read(bytes, SOURCE_SECRET_BYTES);
		err = add_secret(&state->db, name, bytes);
		if (!err || err == ERR_EXISTS)
			err = read_secret(state, name, bytes);
	}
	return give_error(state, err, error);
}

/* ---- serials ---- */

static int read_serial(struct state_db *db, struct source_serial *serial)
{
	struct state_row row = state_row_begin(db, STATEMENT_READ_SERIAL);

	state_row_text(&row, serial->zone);
	int err = state_row_find(&row);
	serial->found = !err;
	if (!err) {
		serial->serial = (uint32_t)sqlite3_column_int64(row.statement, 0);
		serial->reserved = (uint32_t)sqlite3_column_int64(row.statement, 1);
		serial->digest = (uint64_t)sqlite3_column_int64(row.statement, 2);
	}
	state_row_end(&row);
	return err == ERR_NOT_FOUND ? 0 : err;
}

static int put_serial(struct state_db *db, const struct source_serial *serial)
{
	struct state_row row = state_row_begin(db, STATEMENT_PUT_SERIAL);

	state_row_text(&row, serial->zone);
	state_row_number(&row, serial->serial);
	state_row_number(&row, serial->reserved);
	state_row_number(&row, (int64_t)serial->digest);
	return state_row_run(&row);
}

static int state_serials(struct source *source, struct source_serial *rows, size_t count,
			 bool write, char error[SOURCE_ERROR_MAX])
{
	struct state *state = (struct state *)source;
	struct state_db *db = &state->db;
	int err = ensure(state);

	if (!err && !db->statements[write ? STATEMENT_PUT_SERIAL : STATEMENT_READ_SERIAL])
		err = ERR_NOT_FOUND; /* it is only read, or older than that */
	if (!err && write)
		err = state_db_execute(db, "BEGIN IMMEDIATE", "cannot be written");
	for (size_t i = 0; !err && i < count; i++)
		err = write ? put_serial(db, &rows[i]) : read_serial(db, &rows[i]);
	if (!err && write)
		err = state_db_execute(db, "COMMIT", "cannot be written");
	state_db_roll_back(db);
	return give_error(state, err, error);
}

/* ---- resources ---- */

static int state_resources(struct source *source, unsigned kind, const char *from, const char *to,
			   int (*on_resource)(void *context,
					      const struct source_resource *resource),
			   void *context, char error[SOURCE_ERROR_MAX])
{
	struct state *state = (struct state *)source;
	int err = ensure(state), code;

	if (err || !state->db.statements[STATEMENT_READ_RESOURCES])
		return give_error(state, err, error); /* an older version has none */
	struct state_row row = state_row_begin(&state->db, STATEMENT_READ_RESOURCES);
	state_row_number(&row, kind);
	state_row_text(&row, from);
	state_row_text(&row, to);
	while (!err && (code = sqlite3_step(row.statement)) != SQLITE_DONE) {
		const struct source_resource resource = {
			.kind = kind,
			.path = column_text(row.statement, 0),
			.json = column_text(row.statement, 1),
			.revision = (uint64_t)sqlite3_column_int64(row.statement, 2),
		};

		err = code == SQLITE_ROW ? on_resource(context, &resource)
					 : state_db_fail(&state->db, "cannot be read");
	}
	state_row_end(&row);
	return give_error(state, err, error);
}

/* Its values now, for the caller to free; NULL: there is none. */
static int read_values(struct state_db *db, unsigned kind, const char *path, char **values)
{
	struct state_row row = state_row_begin(db, STATEMENT_READ_RESOURCE);

	state_row_number(&row, kind);
	state_row_text(&row, path);
	int err = state_row_find(&row);
	*values = err ? NULL : strdup(column_text(row.statement, 0));
	if (!err && !*values)
		err = ERR_NOMEM;
	state_row_end(&row);
	return err == ERR_NOT_FOUND ? 0 : err;
}

static int put_values(struct state_db *db, const struct source_change *change)
{
	struct state_row row = state_row_begin(db, change->after ? STATEMENT_PUT_RESOURCE
								 : STATEMENT_DELETE_RESOURCE);

	state_row_number(&row, change->kind);
	state_row_text(&row, change->path);
	if (change->after) {
		state_row_text(&row, change->after);
		state_row_number(&row, (int64_t)change->revision);
	}
	return state_row_run(&row);
}

static int note_change(struct state_db *db, const struct source_change *change)
{
	struct state_row row = state_row_begin(db, STATEMENT_ADD_CHANGE);

	state_row_number(&row, (int64_t)change->revision);
	state_row_number(&row, change->at_s);
	state_row_text(&row, change->who);
	state_row_number(&row, change->kind);
	state_row_text(&row, change->path);
	state_row_text(&row, change->before);
	state_row_text(&row, change->after);
	return state_row_run(&row);
}

/* Some of what is older than a week, and more than a change adds, so that none has to remove much.
 */
static int forget_changes(struct state *state)
{
	struct state_row row = state_row_begin(&state->db, STATEMENT_FORGET_CHANGES);

	state_row_number(&row, state->at_s - CHANGES_KEPT_S);
	state_row_number(&row, 2 * (int64_t)state->written + 1);
	int code = sqlite3_step(row.statement);
	state_row_end(&row);
	return code == SQLITE_DONE ? 0 : state_db_fail(&state->db, "cannot be written");
}

static int state_begin(struct source *source, const char *who, uint64_t *revision,
		       char error[SOURCE_ERROR_MAX])
{
	struct state *state = (struct state *)source;
	int err = begin_change(state);

	state->next = state->revision + 1;
	state->at_s = time(NULL);
	state->who = who;
	state->written = 0;
	*revision = (uint64_t)state->next;
	return give_up_change(state, err, error);
}

static int state_put(struct source *source, unsigned kind, const char *path, const char *json,
		     char error[SOURCE_ERROR_MAX])
{
	struct state *state = (struct state *)source;
	struct source_change change = {.revision = (uint64_t)state->next,
				       .at_s = state->at_s,
				       .who = state->who,
				       .kind = kind,
				       .path = path,
				       .after = json};
	char *before;
	int err = read_values(&state->db, kind, path, &before);

	change.before = before;
	if (!err && (before || json))
		err = put_values(&state->db, &change);
	if (!err && (before || json))
		err = note_change(&state->db, &change);
	state->written += before || json;
	free(before);
	return give_up_change(state, err, error);
}

static int state_commit(struct source *source, char error[SOURCE_ERROR_MAX])
{
	struct state *state = (struct state *)source;

	int err = forget_changes(state);

	if (!err)
		err = end_change(state, state->next);
	return give_up_change(state, err, error);
}

static void state_roll_back(struct source *source)
{
	state_db_roll_back(&((struct state *)source)->db);
}

static int state_changes(struct source *source, uint64_t after,
			 int (*on_change)(void *context, const struct source_change *change),
			 void *context, char error[SOURCE_ERROR_MAX])
{
	struct state *state = (struct state *)source;
	int err = ensure(state), code;

	if (err || !state->db.statements[STATEMENT_READ_CHANGES])
		return give_error(state, err, error);
	struct state_row row = state_row_begin(&state->db, STATEMENT_READ_CHANGES);
	state_row_number(&row, (int64_t)after);
	while (!err && (code = sqlite3_step(row.statement)) != SQLITE_DONE) {
		const struct source_change change = {
			.revision = (uint64_t)sqlite3_column_int64(row.statement, 0),
			.at_s = sqlite3_column_int64(row.statement, 1),
			.who = column_text(row.statement, 2),
			.kind = (unsigned)sqlite3_column_int(row.statement, 3),
			.path = column_text(row.statement, 4),
			.before = column_text(row.statement, 5),
			.after = column_text(row.statement, 6),
		};

		err = code == SQLITE_ROW ? on_change(context, &change)
					 : state_db_fail(&state->db, "cannot be read");
	}
	state_row_end(&row);
	return give_error(state, err, error);
}

/* ---- the rest ---- */

static int state_watch(struct source *source, void (*on_change)(void *context), void *context)
{
	(void)source;
	(void)on_change;
	(void)context;
	return 0;
}

static void state_about(const struct source *source, struct source_about *about)
{
	const struct state *state = (const struct state *)source;

	about->place = state->path;
	about->error = *state->db.error ? state->db.error : NULL;
	about->revision = (uint64_t)state->revision;
}

static void state_close(struct source *source)
{
	struct state *state = (struct state *)source;

	close_connection(state);
	free(state->path);
	free(state);
}

static const struct source_calls calls = {
	.load = state_load,
	.is_current = state_is_current,
	.apply = state_apply,
	.watch = state_watch,
	.secret = state_secret,
	.serials = state_serials,
	.resources = state_resources,
	.begin = state_begin,
	.put = state_put,
	.commit = state_commit,
	.roll_back = state_roll_back,
	.changes = state_changes,
	.about = state_about,
	.close = state_close,
};

static struct state *state_new(const char *path, char error[SOURCE_ERROR_MAX])
{
	struct state *state = calloc(1, sizeof *state);

	snprintf(error, SOURCE_ERROR_MAX, "%s", err_text(ERR_NOMEM));
	if (!state)
		return NULL;
	state->source.calls = &calls;
	state->path = strdup(path);
	if (state->path)
		return state;
	free(state);
	return NULL;
}

struct source *state_open(const char *path, char error[SOURCE_ERROR_MAX])
{
	struct state *state = state_new(path, error);

	if (!state)
		return NULL;
	int err = state_file_make(path, error);
	if (!err) {
		err = open_connection(state);
		snprintf(error, SOURCE_ERROR_MAX, "%s", state->db.error);
	}
	if (!err)
		return &state->source;
	state_close(&state->source);
	return NULL;
}

/* ---- a look ---- */

static int look(struct state *state, char error[SOURCE_ERROR_MAX])
{
	static const enum state_statement needed[] = {STATEMENT_READ_REVISION,
						      STATEMENT_READ_VERSION, STATEMENT_READ_OWNERS,
						      STATEMENT_READ_PTRS};
	static const struct {
		const char *table;
		enum state_statement statement;
	} later[] = {{"resource_groups", STATEMENT_READ_GROUPS},
		     {"secrets", STATEMENT_READ_SECRET},
		     {"serials", STATEMENT_READ_SERIAL},
		     {"resources", STATEMENT_READ_RESOURCES}};
	struct state_db *db = &state->db;
	int err = state_file_open_to_look(&db->file, state->path, error);

	state->looks = true;
	for (size_t i = 0; !err && i < COUNT(needed); i++) {
		err = state_db_prepare(db, needed[i]);
		snprintf(error, SOURCE_ERROR_MAX, "%s", db->error);
	}
	/* An older version has not all of them. */
	for (size_t i = 0; !err && i < COUNT(later); i++)
		if (sqlite3_table_column_metadata(db->file.db, NULL, later[i].table, NULL, NULL,
						  NULL, NULL, NULL, NULL) == SQLITE_OK)
			err = state_db_prepare(db, later[i].statement);
	return err;
}

struct source *state_look(const char *path, char error[SOURCE_ERROR_MAX])
{
	error[0] = '\0';
	if (access(path, F_OK) != 0 && errno == ENOENT)
		return NULL;
	struct state *state = state_new(path, error);
	if (!state)
		return NULL;
	if (look(state, error) == 0)
		return &state->source;
	state_close(&state->source);
	return NULL;
}
