/* SQLite behind the source's eight calls. Everything of a change is one transaction, begun with the
 * write lock in hand, so that what is read for its preconditions is still true when it commits:
 *
 *     BEGIN IMMEDIATE ─► the store's revision as we know it? ─► edits, each WHERE revision = n
 *                                                               ─► revision + 1 ─► COMMIT
 *
 * A call that fails rolls back and says why; the next one starts afresh, with the file opened again
 * where that may help (state_file.c). What the records mean, and whether two of them may have one
 * address, is the inventory's matter. */
#include "resolver/control/state.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "endpoints/entropy.h"
#include "resolver/control/state_internal.h"
#include "rules/model.h"

#define STATEMENT_MAP(X)                                                                           \
	X(READ_REVISION, "SELECT value FROM meta WHERE key = 'revision'")                          \
	X(READ_VERSION, "PRAGMA data_version")                                                     \
	X(WRITE_REVISION, "UPDATE meta SET value = ?1 WHERE key = 'revision'")                     \
	X(READ_OWNERS, "SELECT id, kind, name, resource_group, region, subscription, address,"     \
		       " allocation, label, description, tags, revision FROM owners")              \
	X(READ_PTRS, "SELECT owner, fqdn, description, ttl, revision FROM ptrs")                   \
	X(READ_GROUPS, "SELECT name, region, tags, revision FROM resource_groups")                 \
	X(ADD_OWNER, "INSERT INTO owners VALUES"                                                   \
		     " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)")                       \
	X(SET_OWNER, "UPDATE owners SET kind = ?2, name = ?3, resource_group = ?4, region = ?5,"   \
		     " subscription = ?6, address = ?7, allocation = ?8, label = ?9,"              \
		     " description = ?10, tags = ?11, revision = ?12"                              \
		     " WHERE id = ?1 AND revision = ?13")                                          \
	X(DELETE_OWNER, "DELETE FROM owners WHERE id = ?1 AND revision = ?2")                      \
	X(ADD_PTR, "INSERT INTO ptrs VALUES (?1, ?2, ?3, ?4, ?5)")                                 \
	X(SET_PTR, "UPDATE ptrs SET fqdn = ?2, description = ?3, ttl = ?4, revision = ?5"          \
		   " WHERE owner = ?1 AND revision = ?6")                                          \
	X(DELETE_PTR, "DELETE FROM ptrs WHERE owner = ?1 AND revision = ?2")                       \
	X(ADD_GROUP, "INSERT INTO resource_groups VALUES (?1, ?2, ?3, ?4)")                        \
	X(SET_GROUP, "UPDATE resource_groups SET name = ?1, region = ?2, tags = ?3, revision = ?4" \
		     " WHERE name = ?1 AND revision = ?5")                                         \
	X(DELETE_GROUP, "DELETE FROM resource_groups WHERE name = ?1 AND revision = ?2")           \
	X(READ_SECRET, "SELECT value FROM secrets WHERE name = ?1")                                \
	X(ADD_SECRET, "INSERT INTO secrets VALUES (?1, ?2)")                                       \
	X(READ_SERIAL, "SELECT serial, reserved, digest FROM serials WHERE zone = ?1")             \
	X(PUT_SERIAL, "INSERT OR REPLACE INTO serials VALUES (?1, ?2, ?3, ?4)")

enum statement {
#define X(name, sql) STATEMENT_##name,
	STATEMENT_MAP(X)
#undef X
		STATEMENT_COUNT
};

static const char *const statement_texts[STATEMENT_COUNT] = {
#define X(name, sql) sql,
	STATEMENT_MAP(X)
#undef X
};

static const char *const kind_texts[] = {[OWNER_ADDRESS] = "address", [OWNER_SERVICE] = "service"};
static const char *const allocation_texts[] = {
	[ALLOCATION_DYNAMIC] = "dynamic", [ALLOCATION_STATIC] = "static"};

enum { ID_LENGTH = 36 };

struct state {
	struct source source;
	struct state_file file;
	bool looks;  /* it was state_look, and is never opened again */
	sqlite3 *db; /* the file's; NULL: it could not be opened again */
	char *path;
	sqlite3_stmt *statements[STATEMENT_COUNT];
	int64_t revision; /* the store's, when it was read or written here last */
	int64_t version;  /* data_version when it was read, which changes when another connection
			   * writes; -1: not read by this one */
	bool suspect;     /* a call failed so that another connection may do better */
	char error[SOURCE_ERROR_MAX];
};

/* ---- statements ---- */

static int fail(struct state *state, const char *what)
{
	int code = sqlite3_errcode(state->db);

	state->suspect |= code != SQLITE_BUSY && code != SQLITE_LOCKED && code != SQLITE_FULL;
	return state_explain(state->db, state->path, what, state->error);
}

static void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
	if (text)
		sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
	else
		sqlite3_bind_null(statement, at);
}

static const char *column_text(sqlite3_stmt *row, int at)
{
	return (const char *)sqlite3_column_text(row, at);
}

/* Runs a statement that gives no rows. */
static int run(struct state *state, sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);

	if (code != SQLITE_DONE && (code & 0xff) != SQLITE_CONSTRAINT)
		fail(state, "cannot be written");
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	if (code == SQLITE_DONE)
		return 0;
	return (code & 0xff) == SQLITE_CONSTRAINT ? ERR_EXISTS : ERR_SYSTEM;
}

/* The same for one that must meet exactly one record. */
static int run_on_one(struct state *state, sqlite3_stmt *statement)
{
	int err = run(state, statement);

	return !err && sqlite3_changes(state->db) != 1 ? ERR_EXISTS : err;
}

static int execute(struct state *state, const char *sql, const char *what)
{
	return sqlite3_exec(state->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : fail(state, what);
}

static void roll_back(struct state *state)
{
	if (state->db && !sqlite3_get_autocommit(state->db))
		sqlite3_exec(state->db, "ROLLBACK", NULL, NULL, NULL);
}

static int read_number(struct state *state, enum statement which, int64_t *number)
{
	sqlite3_stmt *statement = state->statements[which];
	int err = 0;

	if (sqlite3_step(statement) == SQLITE_ROW)
		*number = sqlite3_column_int64(statement, 0);
	else
		err = fail(state, "cannot be read");
	sqlite3_reset(statement);
	return err;
}

/* ---- the connection ---- */

static void close_connection(struct state *state)
{
	for (int i = 0; i < STATEMENT_COUNT; i++) {
		sqlite3_finalize(state->statements[i]);
		state->statements[i] = NULL;
	}
	state_file_close(&state->file);
	state->db = NULL;
	state->version = -1;
}

static int prepare_statement(struct state *state, enum statement which)
{
	return sqlite3_prepare_v3(state->db, statement_texts[which], -1, SQLITE_PREPARE_PERSISTENT,
				  &state->statements[which], NULL) == SQLITE_OK
		       ? 0
		       : fail(state, "cannot be read");
}

static int prepare_statements(struct state *state)
{
	int err = 0;

	for (unsigned i = 0; !err && i < STATEMENT_COUNT; i++)
		err = prepare_statement(state, i);
	return err;
}

static int open_connection(struct state *state)
{
	int err = state_file_open(&state->file, state->path, state->error);

	state->db = state->file.db;
	if (!err)
		err = prepare_statements(state);
	if (err)
		close_connection(state);
	state->suspect = false;
	return err;
}

/* Makes sure of a connection to what is at the path, as every call does first. As long as there is
 * nothing, the old one is kept: a file that is only moved aside and back is still its. */
static int ensure(struct state *state)
{
	state->error[0] = '\0';
	if (state->db && (state->looks || (!state->suspect && state_file_is_there(&state->file))))
		return 0;
	if (state_file_look(state->path, state->error) != 0)
		return ERR_SYSTEM;
	if (state->db && state_file_save(&state->file, state->error) != 0)
		return ERR_SYSTEM;
	close_connection(state);
	return open_connection(state);
}

/* ---- load ---- */

static int complain(struct state *state, const char *id, const char *what, const char *text)
{
	snprintf(state->error, sizeof state->error,
		 "the state %s has a record \"%s\" with the %s \"%s\", which was not written by "
		 "sluice; mend or remove that record",
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
	int allocation = find_text(allocation_texts, 2, column_text(row, 7));
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

static int read_all(struct state *state, enum statement which,
		    int (*read)(struct state *, sqlite3_stmt *, const struct source_reader *),
		    const struct source_reader *reader)
{
	sqlite3_stmt *statement = state->statements[which];
	int code, err = 0;

	while (!err && (code = sqlite3_step(statement)) != SQLITE_DONE)
		err = code == SQLITE_ROW ? read(state, statement, reader)
					 : fail(state, "cannot be read");
	sqlite3_reset(statement);
	return err;
}

static int give_error(const struct state *state, int err, char error[SOURCE_ERROR_MAX])
{
	if (err)
		snprintf(error, SOURCE_ERROR_MAX, "%s",
			 *state->error ? state->error : err_text(err));
	return err;
}

static int state_load(struct source *source, const struct source_reader *reader,
		      char error[SOURCE_ERROR_MAX])
{
	struct state *state = (struct state *)source;
	int64_t revision = 0, version = -1;
	int err = ensure(state);

	if (!err)
		err = execute(state, "BEGIN", "cannot be read"); /* all of one instant */
	if (!err)
		err = read_number(state, STATEMENT_READ_REVISION, &revision);
	if (!err)
		err = read_number(state, STATEMENT_READ_VERSION, &version);
	if (!err && reader->on_group && state->statements[STATEMENT_READ_GROUPS])
		err = read_all(state, STATEMENT_READ_GROUPS, read_group, reader);
	if (!err)
		err = read_all(state, STATEMENT_READ_OWNERS, read_owner, reader);
	if (!err)
		err = read_all(state, STATEMENT_READ_PTRS, read_ptr, reader);
	roll_back(state); /* nothing was written */
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

	return state->db && !state->suspect && state->version >= 0 &&
	       state_file_is_there(&state->file) &&
	       read_number(state, STATEMENT_READ_VERSION, &version) == 0 &&
	       version == state->version;
}

/* ---- apply ---- */

static int put_owner(struct state *state, const struct source_edit *edit, int64_t revision)
{
	const struct source_owner *owner = &edit->owner;
	sqlite3_stmt *statement =
		state->statements[edit->expected ? STATEMENT_SET_OWNER : STATEMENT_ADD_OWNER];
	char address[ADDRESS_TEXT_MAX];

	assert(owner->allocation <= ALLOCATION_STATIC && owner->address.family);
	bind_text(statement, 1, owner->id);
	bind_text(statement, 2, kind_texts[owner->kind]);
	bind_text(statement, 3, owner->name);
	bind_text(statement, 4, owner->resource_group);
	bind_text(statement, 5, owner->region);
	bind_text(statement, 6, owner->subscription);
	bind_text(statement, 7, address_print(&owner->address, address));
	bind_text(statement, 8, allocation_texts[owner->allocation]);
	bind_text(statement, 9, owner->label);
	bind_text(statement, 10, owner->description);
	bind_text(statement, 11, owner->tags);
	sqlite3_bind_int64(statement, 12, revision);
	if (edit->expected)
		sqlite3_bind_int64(statement, 13, (sqlite3_int64)edit->expected);
	return run_on_one(state, statement);
}

static int put_ptr(struct state *state, const struct source_edit *edit, int64_t revision)
{
	const struct source_ptr *ptr = &edit->ptr;
	sqlite3_stmt *statement =
		state->statements[edit->expected ? STATEMENT_SET_PTR : STATEMENT_ADD_PTR];

	bind_text(statement, 1, ptr->owner);
	bind_text(statement, 2, ptr->fqdn);
	bind_text(statement, 3, ptr->description);
	if (ptr->ttl_given)
		sqlite3_bind_int64(statement, 4, ptr->ttl);
	sqlite3_bind_int64(statement, 5, revision);
	if (edit->expected)
		sqlite3_bind_int64(statement, 6, (sqlite3_int64)edit->expected);
	return run_on_one(state, statement);
}

static int put_group(struct state *state, const struct source_edit *edit, int64_t revision)
{
	const struct source_group *group = &edit->group;
	sqlite3_stmt *statement =
		state->statements[edit->expected ? STATEMENT_SET_GROUP : STATEMENT_ADD_GROUP];

	bind_text(statement, 1, group->name);
	bind_text(statement, 2, group->region);
	bind_text(statement, 3, group->tags);
	sqlite3_bind_int64(statement, 4, revision);
	if (edit->expected)
		sqlite3_bind_int64(statement, 5, (sqlite3_int64)edit->expected);
	return run_on_one(state, statement);
}

static int delete_record(struct state *state, enum statement which, const char *id,
			 uint64_t expected)
{
	sqlite3_stmt *statement = state->statements[which];

	bind_text(statement, 1, id);
	sqlite3_bind_int64(statement, 2, (sqlite3_int64)expected);
	return run_on_one(state, statement);
}

static int apply_edit(struct state *state, const struct source_edit *edit, int64_t revision)
{
	switch (edit->act) {
	case SOURCE_PUT_OWNER: return put_owner(state, edit, revision);
	case SOURCE_PUT_PTR: return put_ptr(state, edit, revision);
	case SOURCE_PUT_GROUP: return put_group(state, edit, revision);
	case SOURCE_DELETE_GROUP:
		return delete_record(state, STATEMENT_DELETE_GROUP, edit->group.name,
				     edit->expected);
	case SOURCE_DELETE_OWNER:
		return delete_record(state, STATEMENT_DELETE_OWNER, edit->owner.id, edit->expected);
	case SOURCE_DELETE_PTR:
		return delete_record(state, STATEMENT_DELETE_PTR, edit->ptr.owner, edit->expected);
	}
	assert(!"an edit of no kind");
	return ERR_INVALID;
}

static int write_revision(struct state *state, int64_t revision)
{
	sqlite3_stmt *statement = state->statements[STATEMENT_WRITE_REVISION];

	sqlite3_bind_int64(statement, 1, revision);
	return run_on_one(state, statement);
}

static int state_apply(struct source *source, const struct source_edit *edits, size_t count,
		       uint64_t *revision, char error[SOURCE_ERROR_MAX])
{
	struct state *state = (struct state *)source;
	int64_t found = 0, next = state->revision + 1;
	int err = ensure(state);

	if (!err)
		err = execute(state, "BEGIN IMMEDIATE", "cannot be written");
	if (!err)
		err = read_number(state, STATEMENT_READ_REVISION, &found);
	if (!err && found != state->revision)
		err = ERR_EXISTS;
	for (size_t i = 0; !err && i < count; i++)
		err = apply_edit(state, &edits[i], next);
	if (!err)
		err = write_revision(state, next);
	if (!err)
		err = execute(state, "COMMIT", "cannot be written");
	if (err == ERR_EXISTS) {
		state->version = -1;
		snprintf(state->error, sizeof state->error,
			 "the state %s was changed by another program; reload the configuration",
			 state->path);
	}
	roll_back(state);
	if (!err) {
		state->revision = next;
		*revision = (uint64_t)next;
	}
	return give_error(state, err, error);
}

/* ---- secrets ---- */

/* ERR_NOT_FOUND: there is none of that name. */
static int read_secret(struct state *state, const char *name, uint8_t bytes[SOURCE_SECRET_BYTES])
{
	sqlite3_stmt *statement = state->statements[STATEMENT_READ_SECRET];
	int err = ERR_NOT_FOUND;

	bind_text(statement, 1, name);
	int code = sqlite3_step(statement);
	if (code == SQLITE_ROW && sqlite3_column_bytes(statement, 0) != SOURCE_SECRET_BYTES) {
		err = complain(state, name, "value", "of another length");
	} else if (code == SQLITE_ROW) {
		memcpy(bytes, sqlite3_column_blob(statement, 0), SOURCE_SECRET_BYTES);
		err = 0;
	} else if (code != SQLITE_DONE) {
		err = fail(state, "cannot be read");
	}
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return err;
}

static int add_secret(struct state *state, const char *name,
		      const uint8_t bytes[SOURCE_SECRET_BYTES])
{
	sqlite3_stmt *statement = state->statements[STATEMENT_ADD_SECRET];

	bind_text(statement, 1, name);
	sqlite3_bind_blob(statement, 2, bytes, SOURCE_SECRET_BYTES, SQLITE_STATIC);
	return run_on_one(state, statement);
}

/* What counts is what can be read again: another program may have been faster. */
static int state_secret(struct source *source, const char *name, uint8_t bytes[SOURCE_SECRET_BYTES],
			char error[SOURCE_ERROR_MAX])
{
	struct state *state = (struct state *)source;
	int err = ensure(state);

	if (!err)
		err = read_secret(state, name, bytes);
	if (err == ERR_NOT_FOUND) {
		entropy_read(bytes, SOURCE_SECRET_BYTES);
		err = add_secret(state, name, bytes);
		if (!err || err == ERR_EXISTS)
			err = read_secret(state, name, bytes);
	}
	return give_error(state, err, error);
}

/* ---- serials ---- */

static int read_serial(struct state *state, struct source_serial *row)
{
	sqlite3_stmt *statement = state->statements[STATEMENT_READ_SERIAL];
	int err = 0;

	bind_text(statement, 1, row->zone);
	int code = sqlite3_step(statement);
	row->found = code == SQLITE_ROW;
	if (row->found) {
		row->serial = (uint32_t)sqlite3_column_int64(statement, 0);
		row->reserved = (uint32_t)sqlite3_column_int64(statement, 1);
		row->digest = (uint64_t)sqlite3_column_int64(statement, 2);
	} else if (code != SQLITE_DONE) {
		err = fail(state, "cannot be read");
	}
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return err;
}

static int put_serial(struct state *state, const struct source_serial *row)
{
	sqlite3_stmt *statement = state->statements[STATEMENT_PUT_SERIAL];

	bind_text(statement, 1, row->zone);
	sqlite3_bind_int64(statement, 2, row->serial);
	sqlite3_bind_int64(statement, 3, row->reserved);
	sqlite3_bind_int64(statement, 4, (sqlite3_int64)row->digest);
	return run_on_one(state, statement);
}

static int state_serials(struct source *source, struct source_serial *rows, size_t count,
			 bool write, char error[SOURCE_ERROR_MAX])
{
	struct state *state = (struct state *)source;

	int err = ensure(state);

	if (!err && write)
		err = execute(state, "BEGIN IMMEDIATE", "cannot be written");
	for (size_t i = 0; !err && i < count; i++)
		err = write ? put_serial(state, &rows[i]) : read_serial(state, &rows[i]);
	if (!err && write)
		err = execute(state, "COMMIT", "cannot be written");
	roll_back(state);
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
	about->error = *state->error ? state->error : NULL;
}

static void state_close(struct source *source)
{
	struct state *state = (struct state *)source;

	close_connection(state);
	free(state->path);
	free(state);
}

static const struct source_calls calls = {state_load,   state_is_current, state_apply, state_watch,
					  state_secret, state_serials,    state_about, state_close};

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
		snprintf(error, SOURCE_ERROR_MAX, "%s", state->error);
	}
	if (!err)
		return &state->source;
	state_close(&state->source);
	return NULL;
}

/* ---- a look ---- */

static int look(struct state *state, char error[SOURCE_ERROR_MAX])
{
	static const enum statement needed[] = {STATEMENT_READ_REVISION, STATEMENT_READ_VERSION,
						STATEMENT_READ_OWNERS, STATEMENT_READ_PTRS};
	char *uri = state_file_look_uri(state->path);
	int err = uri ? 0 : ERR_NOMEM;

	state->looks = true;
	if (!err && sqlite3_open_v2(uri, &state->file.db,
				    SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI,
				    NULL) != SQLITE_OK)
		err = state_explain(state->file.db, state->path, "cannot be opened", error);
	state->db = state->file.db;
	free(uri);
	if (!err) {
		sqlite3_busy_timeout(state->db, STATE_BUSY_MS);
		err = state_examine(state->db, state->path, error);
	}
	for (size_t i = 0; !err && i < sizeof needed / sizeof *needed; i++) {
		err = prepare_statement(state, needed[i]);
		snprintf(error, SOURCE_ERROR_MAX, "%s", state->error);
	}
	/* An older version has none. */
	if (!err && sqlite3_table_column_metadata(state->db, NULL, "resource_groups", NULL, NULL,
						  NULL, NULL, NULL, NULL) == SQLITE_OK)
		err = prepare_statement(state, STATEMENT_READ_GROUPS);
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
