/* SQLite behind the source's six calls. Everything of a change is one transaction, begun with the
 * write lock in hand, so that what is read for its preconditions is still true when it commits:
 *
 *     BEGIN IMMEDIATE ─► the store's revision as we know it? ─► edits, each WHERE revision = n
 *                                                               ─► revision + 1 ─► COMMIT
 *
 * A call that fails rolls back and says why; the next one starts afresh. What the records mean, and
 * whether two of them may have one address, is the inventory's matter. */
#include "resolver/control/state.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "endpoints/entropy.h"
#include "resolver/control/state_internal.h"
#include "rules/model.h"

#define STATEMENT_MAP(X)                                                                           \
	X(READ_REVISION, "SELECT value FROM meta WHERE key = 'revision'")                          \
	X(WRITE_REVISION, "UPDATE meta SET value = ?1 WHERE key = 'revision'")                     \
	X(READ_OWNERS, "SELECT id, kind, name, resource_group, region, subscription, address,"     \
		       " allocation, label, description, tags, revision FROM owners")              \
	X(READ_PTRS, "SELECT owner, fqdn, description, ttl, revision FROM ptrs")                   \
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
	X(READ_SECRET, "SELECT value FROM secrets WHERE name = ?1")                                \
	X(ADD_SECRET, "INSERT INTO secrets VALUES (?1, ?2)")

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
	sqlite3 *db;
	char *path;
	sqlite3_stmt *statements[STATEMENT_COUNT];
	int64_t revision; /* the store's, when it was read or written here last */
	char error[SOURCE_ERROR_MAX];
};

/* ---- statements ---- */

static int fail(struct state *state, const char *what)
{
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
	if (!sqlite3_get_autocommit(state->db))
		sqlite3_exec(state->db, "ROLLBACK", NULL, NULL, NULL);
}

static int read_revision(struct state *state, int64_t *revision)
{
	sqlite3_stmt *statement = state->statements[STATEMENT_READ_REVISION];
	int err = 0;

	if (sqlite3_step(statement) == SQLITE_ROW)
		*revision = sqlite3_column_int64(statement, 0);
	else
		err = fail(state, "cannot be read");
	sqlite3_reset(statement);
	return err;
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
	int64_t revision = 0;

	state->error[0] = '\0';
	int err = execute(state, "BEGIN", "cannot be read"); /* owners and PTRs of one instant */
	if (!err)
		err = read_revision(state, &revision);
	if (!err)
		err = read_all(state, STATEMENT_READ_OWNERS, read_owner, reader);
	if (!err)
		err = read_all(state, STATEMENT_READ_PTRS, read_ptr, reader);
	roll_back(state); /* nothing was written */
	if (!err)
		state->revision = revision;
	return give_error(state, err, error);
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

	state->error[0] = '\0';
	int err = execute(state, "BEGIN IMMEDIATE", "cannot be written");
	if (!err)
		err = read_revision(state, &found);
	if (!err && found != state->revision)
		err = ERR_EXISTS;
	for (size_t i = 0; !err && i < count; i++)
		err = apply_edit(state, &edits[i], next);
	if (!err)
		err = write_revision(state, next);
	if (!err)
		err = execute(state, "COMMIT", "cannot be written");
	if (err == ERR_EXISTS)
		snprintf(state->error, sizeof state->error,
			 "the state %s was changed by another program; reload the configuration",
			 state->path);
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

	state->error[0] = '\0';
	int err = read_secret(state, name, bytes);
	if (err == ERR_NOT_FOUND) {
		entropy_read(bytes, SOURCE_SECRET_BYTES);
		err = add_secret(state, name, bytes);
		if (!err || err == ERR_EXISTS)
			err = read_secret(state, name, bytes);
	}
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

	for (int i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(state->statements[i]);
	sqlite3_close(state->db);
	free(state->path);
	free(state);
}

static const struct source_calls calls = {state_load,   state_apply, state_watch,
					  state_secret, state_about, state_close};

/* A new file is its owner's only; SQLite gives its companions the same mode. */
static int make_file(const char *path, char error[SOURCE_ERROR_MAX])
{
	struct stat stat_of;
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (errno == EEXIST && stat(path, &stat_of) == 0 && S_ISREG(stat_of.st_mode))
		return 0;
	snprintf(error, SOURCE_ERROR_MAX,
		 "the state %s cannot be opened: %s; give management.state a file in a directory "
		 "that the server may write to",
		 path, errno == EEXIST ? "it is not a regular file" : strerror(errno));
	return ERR_SYSTEM;
}

static int prepare_statements(struct state *state, char error[SOURCE_ERROR_MAX])
{
	for (int i = 0; i < STATEMENT_COUNT; i++)
		if (sqlite3_prepare_v3(state->db, statement_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
				       &state->statements[i], NULL) != SQLITE_OK)
			return state_explain(state->db, state->path, "cannot be read", error);
	return 0;
}

struct source *state_open(const char *path, char error[SOURCE_ERROR_MAX])
{
	struct state *state = calloc(1, sizeof *state);
	int err = ERR_NOMEM;

	snprintf(error, SOURCE_ERROR_MAX, "%s", err_text(err));
	if (!state)
		return NULL;
	state->source.calls = &calls;
	state->path = strdup(path);
	if (state->path)
		err = make_file(path, error);
	if (!err && sqlite3_open_v2(path, &state->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
				    NULL) != SQLITE_OK)
		err = state_explain(state->db, path, "cannot be opened", error);
	if (!err) {
		sqlite3_busy_timeout(state->db, STATE_BUSY_MS);
		err = state_prepare(state->db, path, error);
	}
	if (!err)
		err = prepare_statements(state, error);
	if (!err)
		return &state->source;
	state_close(&state->source);
	return NULL;
}
