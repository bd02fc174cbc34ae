/* SQLite behind the source's calls. A change is one transaction that begins with the write lock, so
 * that preconditions read in it still hold when it commits:
 *
 *     BEGIN IMMEDIATE ─► is the revision the known one? ─► puts, each with a row of history
 *                                                       ─► revision + 1 ─► COMMIT
 *
 * If SQLite's write-ahead log cannot be synced, a COMMIT fails although its last page is in the
 * log, and the change may still count after a crash. So the file is opened again to find out:
 *
 *     the revision is there    the log is moved into the file, durably             ─► yes
 *     it is not there          another write takes its place in the log            ─► no
 *     one of these fails       unknown: no change begins, and commit looks again when it is called
 *
 * A call that fails rolls back and says why, but a put whose key is taken does not roll back. The
 * next change opens the file again if that may help (state_file.c). Index columns are filled from
 * the keys, so that reading all rows parses no JSON. */
#include "resolver/control/store/state.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "resolver/control/store/state_db.h"

enum {
	CHANGES_KEPT_S = 7 * 24 * 60 * 60,
	LOG_PAGES_MAX = 1000,   /* a longer log is moved into the file (tidy) */
	LOG_PAGES_LONG = 16000, /* a longer log is restarted, which waits for readers */
	ID_LENGTH = 36,         /* of a UUID as text */
	TTL_MAX = 2147483647    /* RFC 2181 section 8 */
};

struct state {
	struct source source;
	struct state_db db; /* closed: reopening failed */
	bool looks;         /* opened to read only, and never reopened */
	enum source_mode mode;
	char *path;
	int64_t revision;   /* of the store, as last read or written here */
	int64_t unsynced;   /* `revision` before the latest sync */
	int64_t next, at_s; /* revision and time of the open change */
	const char *who;    /* the author of the open change */
	size_t written;     /* the open change's rows of history */
	int64_t doubtful;   /* a revision that may or may not count; 0: none */
	bool has_written;   /* this connection has committed something */
	int log_pages;      /* in the log after the latest commit */
	int64_t version;    /* SQLite's data_version at the latest sync; another connection's write
			       changes it; -1: sync is needed */
};

/* ---- the connection ---- */

static void close_connection(struct state *state)
{
	state_db_close(&state->db);
	state->version = -1;
}

static int on_log(void *context, sqlite3 *db, const char *name, int pages)
{
	struct state *state = context;

	(void)db;
	(void)name;
	state->log_pages = pages;
	return SQLITE_OK;
}

/* The hook replaces SQLite's own, which would checkpoint the log during a commit. */
static int open_connection(struct state *state, bool may_migrate)
{
	struct state_db *db = &state->db;
	int err = state_file_open(&db->file, state->path, may_migrate, db->error);

	if (!err)
		err = state_db_prepare(db);
	if (err)
		close_connection(state);
	else
		sqlite3_wal_hook(db->file.db, on_log, state);
	db->suspect = false;
	return err;
}

/* Makes sure that the connection is to the file at the path. sync, begin, pairs, put_pairs, another
 * and view begin with this; reads of resources and history begin with ensure_readable. While the
 * path has no file, the old connection is kept, because the file may come back. */
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
	return open_connection(state, false);
}

/* ---- reading ---- */

static const char *column_text(sqlite3_stmt *row, int at)
{
	return (const char *)sqlite3_column_text(row, at);
}

static int give_error(const struct state *state, int err, char error[SOURCE_ERROR_MAX])
{
	if (err)
		snprintf(error, SOURCE_ERROR_MAX, "%s",
			 *state->db.error ? state->db.error : err_text(err));
	return err;
}

static int state_sync(struct source *source, char error[SOURCE_ERROR_MAX])
{
	struct state *state = (struct state *)source;
	int64_t revision = 0, version = -1;
	int err = ensure(state);

	if (!err)
		err = state_db_number(&state->db, STATEMENT_READ_REVISION, &revision);
	if (!err)
		err = state_db_number(&state->db, STATEMENT_READ_VERSION, &version);
	if (!err) {
		state->unsynced = state->revision;
		state->revision = revision;
		state->version = version;
	}
	return give_error(state, err, error);
}

static void state_unsync(struct source *source)
{
	struct state *state = (struct state *)source;

	state->revision = state->unsynced;
	state->version = -1;
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

/* ---- changes, as transactions ---- */

static int write_revision(struct state_db *db, int64_t revision)
{
	struct state_row row = state_row_begin(db, STATEMENT_WRITE_REVISION);

	state_row_number(&row, revision);
	return state_row_run(&row);
}

static int refuse_to_write(struct state *state)
{
	struct state_db *db = &state->db;

	if (state_file_look(state->path, db->error) == 0)
		snprintf(db->error, sizeof db->error,
			 "the state %s is another process's, and only read here; ask that process",
			 state->path);
	return ERR_SYSTEM;
}

static int refuse_in_doubt(struct state *state)
{
	snprintf(state->db.error, sizeof state->db.error,
		 "it is not known whether the state %s has the change before this one, because the "
		 "disk failed; that is found out by itself: try again later",
		 state->path);
	return ERR_SYSTEM;
}

/* Takes the write lock; ERR_EXISTS if somebody else has written since the revision was read. */
static int begin_change(struct state *state)
{
	struct state_db *db = &state->db;
	int64_t found = 0;
	int err = state->looks ? refuse_to_write(state) : ensure(state);

	if (!err && state->doubtful)
		err = refuse_in_doubt(state);
	if (!err)
		err = state_db_execute(db, "BEGIN IMMEDIATE", "cannot be written");
	if (!err)
		err = state_db_number(db, STATEMENT_READ_REVISION, &found);
	if (!err && found != state->revision)
		err = ERR_EXISTS;
	return err;
}

/* Rolls back if err is not 0; returns err. */
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

/* ---- pairs ---- */

static int state_pairs(struct source *source, const char *from, size_t limit,
		       int (*on_pair)(void *context, const struct source_pair *pair), void *context,
		       char error[SOURCE_ERROR_MAX])
{
	struct state *state = (struct state *)source;
	int code, err = ensure(state);

	if (err)
		return give_error(state, err, error);
	struct state_row row = state_row_begin(&state->db, STATEMENT_READ_PAIRS);
	state_row_text(&row, from);
	state_row_number(&row, (int64_t)limit);
	while (!err && (code = sqlite3_step(row.statement)) != SQLITE_DONE) {
		const struct source_pair pair = {column_text(row.statement, 0),
						 column_text(row.statement, 1)};

		err = code == SQLITE_ROW ? on_pair(context, &pair)
					 : state_db_fail(&state->db, "cannot be read");
	}
	state_row_end(&row);
	return give_error(state, err, error);
}

/* Removing a row that does not exist is fine. */
static int put_pair(struct state_db *db, const struct source_pair *pair)
{
	struct state_row row =
		state_row_begin(db, pair->value ? STATEMENT_PUT_PAIR : STATEMENT_FORGET_PAIR);
	int err;

	state_row_text(&row, pair->key);
	if (pair->value)
		state_row_text(&row, pair->value);
	err = state_row_run(&row);
	return !pair->value && err == ERR_EXISTS ? 0 : err;
}

static int put_all(struct state_db *db, const struct source_pair *rows, size_t count)
{
	int err = 0;

	for (size_t i = 0; !err && i < count; i++)
		err = put_pair(db, &rows[i]);
	return err;
}

static bool is_changing(const struct state *state)
{
	return !state->looks && state->db.file.db && !sqlite3_get_autocommit(state->db.file.db);
}

static int state_put_pairs(struct source *source, const struct source_pair *rows, size_t count,
			   bool durable, char error[SOURCE_ERROR_MAX])
{
	struct state *state = (struct state *)source;
	struct state_db *db = &state->db;
	int err;

	if (is_changing(state))
		return give_up_change(state, put_all(db, rows, count), error);
	err = ensure(state);
	if (!err && state->looks)
		err = ERR_NOT_FOUND;
	/* Without a sync the file stays whole; only the latest changes may be lost. */
	if (!err && !durable)
		err = state_db_execute(db, "PRAGMA synchronous = NORMAL", "cannot be written");
	if (!err)
		err = state_db_execute(db, "BEGIN IMMEDIATE", "cannot be written");
	if (!err)
		err = put_all(db, rows, count);
	if (!err)
		err = state_db_execute(db, "COMMIT", "cannot be written");
	state_db_roll_back(db);
	if (!err)
		state->has_written = true;
	if (!durable && db->file.db && !state->looks &&
	    state_db_execute(db, "PRAGMA synchronous = FULL", "cannot be written") != 0)
		db->suspect = true; /* the next call reopens it, with FULL */
	return give_error(state, err, error);
}

/* ---- resources ---- */

/* find_flaw has checked the blob. */
static void read_address(sqlite3_stmt *row, int at, struct address *address)
{
	const uint8_t *key = sqlite3_column_blob(row, at);

	*address = (struct address){0};
	if (!key)
		return;
	address->family = key[0];
	memcpy(address->bytes, key + 1, (size_t)sqlite3_column_bytes(row, at) - 1);
}

/* The columns of RESOURCE in their order, then the JSON and the number, which not every statement
 * reads. */
enum {
	COLUMN_KIND,
	COLUMN_PATH,
	COLUMN_REVISION,
	COLUMN_ID,
	COLUMN_ADDRESS,
	COLUMN_HOST,
	COLUMN_GROUP,
	COLUMN_REGION,
	COLUMN_PTR,
	COLUMN_TTL,
	COLUMN_PTR_REVISION,
	COLUMN_PTR_ACTION,
	COLUMN_JSON,
	COLUMN_NUMBER
};

static void read_resource(sqlite3_stmt *row, struct source_resource *resource,
			  struct source_keys *keys)
{
	*keys = (struct source_keys){
		.id = column_text(row, COLUMN_ID),
		.host = column_text(row, COLUMN_HOST),
		.group = column_text(row, COLUMN_GROUP),
		.region = column_text(row, COLUMN_REGION),
		.ptr = column_text(row, COLUMN_PTR),
		.ttl_given = sqlite3_column_type(row, COLUMN_TTL) != SQLITE_NULL,
		.ttl = (uint32_t)sqlite3_column_int64(row, COLUMN_TTL),
		.ptr_revision = (uint64_t)sqlite3_column_int64(row, COLUMN_PTR_REVISION),
		.ptr_action = (unsigned)sqlite3_column_int(row, COLUMN_PTR_ACTION),
	};
	read_address(row, COLUMN_ADDRESS, &keys->address);
	*resource = (struct source_resource){
		.kind = (unsigned)sqlite3_column_int(row, COLUMN_KIND),
		.path = column_text(row, COLUMN_PATH),
		.json = sqlite3_column_count(row) > COLUMN_JSON ? column_text(row, COLUMN_JSON)
								: NULL,
		.revision = (uint64_t)sqlite3_column_int64(row, COLUMN_REVISION),
		.keys = keys,
		.number = (size_t)sqlite3_column_int64(row, COLUMN_NUMBER),
	};
}

/* ---- wrong rows, which only another program can have written ---- */

static bool is_address_key(sqlite3_stmt *row, int at)
{
	const uint8_t *key = sqlite3_column_blob(row, at);
	int length = sqlite3_column_bytes(row, at);

	return sqlite3_column_type(row, at) == SQLITE_NULL || (length == 5 && key[0] == 4) ||
	       (length == STATE_ADDRESS_KEY_MAX && key[0] == 6);
}

/* NULL is fine. */
static bool is_within(sqlite3_stmt *row, int at, int64_t least, int64_t most)
{
	int64_t number = sqlite3_column_int64(row, at);

	return sqlite3_column_type(row, at) == SQLITE_NULL || (number >= least && number <= most);
}

/* The first wrong column, or -1. */
static int find_flaw(sqlite3_stmt *row)
{
	if (sqlite3_column_bytes(row, COLUMN_PATH) >= SOURCE_PATH_MAX)
		return COLUMN_PATH;
	if (!is_within(row, COLUMN_REVISION, 1, INT64_MAX))
		return COLUMN_REVISION;
	if (sqlite3_column_type(row, COLUMN_ID) != SQLITE_NULL &&
	    sqlite3_column_bytes(row, COLUMN_ID) != ID_LENGTH)
		return COLUMN_ID;
	if (!is_address_key(row, COLUMN_ADDRESS))
		return COLUMN_ADDRESS;
	if (!is_within(row, COLUMN_TTL, 0, TTL_MAX))
		return COLUMN_TTL;
	if (!is_within(row, COLUMN_PTR_REVISION, 0, INT64_MAX))
		return COLUMN_PTR_REVISION;
	return is_within(row, COLUMN_PTR_ACTION, 0, UINT8_MAX) ? -1 : COLUMN_PTR_ACTION;
}

static int complain_of_row(struct state_row *row, int column)
{
	static const char names[][16] = {
		[COLUMN_REVISION] = "revision",         [COLUMN_ID] = "id",
		[COLUMN_ADDRESS] = "address",           [COLUMN_TTL] = "ttl",
		[COLUMN_PTR_REVISION] = "ptr_revision", [COLUMN_PTR_ACTION] = "ptr_action"};
	sqlite3_stmt *statement = row->statement;
	const char *path = column_text(statement, COLUMN_PATH);

	if (column == COLUMN_PATH)
		snprintf(row->db->error, sizeof row->db->error,
			 "the state %s has a resource \"%.100s...\" with a path of over %d bytes, "
			 "which was not written by sluice; repair or remove that record",
			 row->db->file.path, path, SOURCE_PATH_MAX - 1);
	else if (column == COLUMN_ADDRESS)
		snprintf(row->db->error, sizeof row->db->error,
			 "the state %s has a resource \"%s\" with an address that is none, which "
			 "was not written by sluice; repair or remove that record",
			 row->db->file.path, path);
	else
		snprintf(row->db->error, sizeof row->db->error,
			 "the state %s has a resource \"%s\" with the %s \"%s\", which was not "
			 "written by sluice; repair or remove that record",
			 row->db->file.path, path, names[column], column_text(statement, column));
	return ERR_SYSTEM;
}

/* Calls back with every row of the bound statement, then ends it. The callback may read meanwhile,
 * with other statements. */
static int read_rows(struct state_row *row, source_on_resource *on_resource, void *context)
{
	struct source_resource resource;
	struct source_keys keys;
	int code, flaw, err = 0;

	while (!err && (code = sqlite3_step(row->statement)) != SQLITE_DONE) {
		if (code != SQLITE_ROW) {
			err = state_db_fail(row->db, "cannot be read");
			break;
		}
		flaw = find_flaw(row->statement);
		if (flaw >= 0) {
			err = complain_of_row(row, flaw);
			break;
		}
		read_resource(row->statement, &resource, &keys);
		err = on_resource(context, &resource);
	}
	state_row_end(row);
	return err;
}

/* Readers go on with the open file, even if it is no longer at its path. */
static int ensure_readable(struct state *state)
{
	state->db.error[0] = '\0';
	return state->db.file.db ? 0 : ensure(state);
}

static int state_resources(struct source *source, unsigned kind, const char *from, const char *to,
			   source_on_resource *on_resource, void *context,
			   char error[SOURCE_ERROR_MAX])
{
	struct state *state = (struct state *)source;
	int err = ensure_readable(state);

	if (err)
		return give_error(state, err, error);
	struct state_row row = state_row_begin(&state->db, STATEMENT_READ_RESOURCES);
	state_row_number(&row, kind);
	state_row_text(&row, from);
	state_row_text(&row, to);
	return give_error(state, read_rows(&row, on_resource, context), error);
}

static void bind_address(struct state_row *row, const struct address *address,
			 uint8_t key[STATE_ADDRESS_KEY_MAX])
{
	size_t length = 0;

	if (address && address->family)
		length = state_address_key(address, key);
	state_row_bytes(row, key, length); /* length 0 sorts before every address */
}

static int state_find(struct source *source, enum source_by by, unsigned kind, const char *text,
		      const struct address *address, source_on_resource *on_resource, void *context,
		      char error[SOURCE_ERROR_MAX])
{
	static const enum state_statement statements[] = {
		[SOURCE_BY_ROW] = STATEMENT_FIND_ROW,
		[SOURCE_BY_GROUP] = STATEMENT_FIND_GROUP,
		[SOURCE_BY_PATH] = STATEMENT_FIND_PATH,
		[SOURCE_BY_ID] = STATEMENT_FIND_ID,
		[SOURCE_BY_HOST] = STATEMENT_FIND_HOST,
		[SOURCE_BY_ADDRESS] = STATEMENT_FIND_ADDRESS,
	};
	struct state *state = (struct state *)source;
	uint8_t key[STATE_ADDRESS_KEY_MAX];
	int err = ensure_readable(state);

	if (err)
		return give_error(state, err, error);
	struct state_row row = state_row_begin(&state->db, statements[by]);
	if (by == SOURCE_BY_ROW || by == SOURCE_BY_PATH)
		state_row_number(&row, kind);
	if (by == SOURCE_BY_ADDRESS)
		bind_address(&row, address, key);
	else
		state_row_text(&row, text);
	return give_error(state, read_rows(&row, on_resource, context), error);
}

static int state_page(struct source *source, const struct source_page *page,
		      source_on_resource *on_resource, void *context, char error[SOURCE_ERROR_MAX])
{
	struct state *state = (struct state *)source;
	uint8_t key[STATE_ADDRESS_KEY_MAX];
	int err = ensure_readable(state);

	if (err)
		return give_error(state, err, error);
	struct state_row row = state_row_begin(&state->db, page->group     ? STATEMENT_PAGE_GROUP
							   : page->address ? STATEMENT_PAGE_ADDRESS
									   : STATEMENT_PAGE_PATH);
	state_row_number(&row, page->kind);
	if (page->address)
		bind_address(&row, page->address, key);
	else
		state_row_text(&row, page->path ? page->path : "");
	state_row_number(&row, (int64_t)page->limit);
	if (page->group)
		state_row_text(&row, page->group);
	return give_error(state, read_rows(&row, on_resource, context), error);
}

/* Calls back with every row of a statement without values. */
static int read_all(struct source *source, enum state_statement which,
		    source_on_resource *on_resource, void *context, char error[SOURCE_ERROR_MAX])
{
	struct state *state = (struct state *)source;
	int err = ensure_readable(state);

	if (err)
		return give_error(state, err, error);
	struct state_row row = state_row_begin(&state->db, which);
	return give_error(state, read_rows(&row, on_resource, context), error);
}

static int state_owned(struct source *source, source_on_resource *on_resource, void *context,
		       char error[SOURCE_ERROR_MAX])
{
	return read_all(source, STATEMENT_READ_OWNED, on_resource, context, error);
}

static int state_alike(struct source *source, source_on_resource *on_resource, void *context,
		       char error[SOURCE_ERROR_MAX])
{
	return read_all(source, STATEMENT_READ_ALIKE, on_resource, context, error);
}

static int state_attach(struct source *source, struct file_rows *rows, char error[SOURCE_ERROR_MAX])
{
	struct state *state = (struct state *)source;
	int err = ensure_readable(state);

	if (err)
		return give_error(state, err, error);
	err = state_db_attach(&state->db, rows);
	if (err && !state->looks)
		close_connection(state); /* the next one begins with these rows */
	return give_error(state, err, error);
}

static int state_count(struct source *source, unsigned kind, const char *group, size_t *count,
		       char error[SOURCE_ERROR_MAX])
{
	struct state *state = (struct state *)source;
	int err = ensure_readable(state);

	*count = 0;
	if (err)
		return give_error(state, err, error);
	struct state_row row =
		state_row_begin(&state->db, group ? STATEMENT_COUNT_GROUP : STATEMENT_COUNT_ALL);
	state_row_number(&row, kind);
	if (group)
		state_row_text(&row, group);
	err = state_row_find(&row);
	if (!err)
		*count = (size_t)sqlite3_column_int64(row.statement, 0);
	state_row_end(&row);
	return give_error(state, err, error);
}

/* ---- changes of resources ---- */

/* The stored row before a put. */
struct before {
	int64_t rid;      /* 0: no row */
	char *json;       /* allocated */
	bool same;        /* every indexed column stays as it is */
	int64_t revision; /* of the change that wrote the row */
};

static bool is_column(sqlite3_stmt *row, int at, const void *bytes, size_t length)
{
	return bytes ? (size_t)sqlite3_column_bytes(row, at) == length &&
			       sqlite3_column_type(row, at) != SQLITE_NULL &&
			       (length == 0 ||
				memcmp(sqlite3_column_blob(row, at), bytes, length) == 0)
		     : sqlite3_column_type(row, at) == SQLITE_NULL;
}

static bool is_text(sqlite3_stmt *row, int at, const char *text)
{
	return is_column(row, at, text, text ? strlen(text) : 0);
}

/* Whether every index of the table would stay as it is. */
static bool is_found_alike(sqlite3_stmt *row, const struct source_keys *keys)
{
	static const struct source_keys none;
	uint8_t key[STATE_ADDRESS_KEY_MAX];

	if (!keys)
		keys = &none;
	return is_text(row, 2, keys->id) &&
	       is_column(row, 3, keys->address.family ? key : NULL,
			 keys->address.family ? state_address_key(&keys->address, key) : 0) &&
	       is_text(row, 4, keys->host) && is_text(row, 5, keys->group);
}

static int read_before(struct state_db *db, unsigned kind, const char *path,
		       const struct source_keys *keys, struct before *before)
{
	struct state_row row = state_row_begin(db, STATEMENT_READ_BEFORE);

	*before = (struct before){0};
	state_row_number(&row, kind);
	state_row_text(&row, path);
	int err = state_row_find(&row);
	if (!err) {
		before->rid = sqlite3_column_int64(row.statement, 0);
		before->json = strdup(column_text(row.statement, 1));
		before->same = is_found_alike(row.statement, keys);
		before->revision = sqlite3_column_int64(row.statement, 6);
		err = before->json ? 0 : ERR_NOMEM;
	}
	state_row_end(&row);
	return err == ERR_NOT_FOUND ? 0 : err;
}

static int delete_resource(struct state_db *db, const struct before *before)
{
	struct state_row row = state_row_begin(db, STATEMENT_DELETE_RESOURCE);

	state_row_number(&row, before->rid);
	return state_row_run(&row);
}

static void bind_values(struct state_row *row, const struct source_change *change,
			const struct source_keys *keys)
{
	state_row_number(row, (int64_t)change->revision);
	state_row_text(row, change->after);
	state_row_text(row, keys->region);
	state_row_text(row, keys->ptr);
	if (keys->ttl_given)
		state_row_number(row, keys->ttl);
	else
		state_row_none(row);
	state_row_number(row, (int64_t)keys->ptr_revision);
	state_row_number(row, keys->ptr_action);
}

/* Writes indexed columns only if they change: each costs as much as the row. */
static int put_resource(struct state_db *db, const struct source_change *change,
			const struct source_keys *keys, const struct before *before)
{
	static const struct source_keys none;
	uint8_t key[STATE_ADDRESS_KEY_MAX];
	struct state_row row = state_row_begin(db, !before->rid   ? STATEMENT_ADD_RESOURCE
						   : before->same ? STATEMENT_SET_VALUES
								  : STATEMENT_SET_RESOURCE);

	if (!keys)
		keys = &none;
	bind_values(&row, change, keys);
	if (!before->same) {
		state_row_text(&row, keys->id);
		if (keys->address.family)
			bind_address(&row, &keys->address, key);
		else
			state_row_none(&row);
		state_row_text(&row, keys->host);
		state_row_text(&row, keys->group);
	}
	if (before->rid) {
		state_row_number(&row, before->rid);
	} else {
		state_row_number(&row, change->kind);
		state_row_text(&row, change->path);
	}
	return state_row_run(&row);
}

/* Joins successive puts of one resource (an address, then its PTR) into one row of the history.
 * ERR_EXISTS: the latest row is of another resource. */
static int extend_change(struct state_db *db, const struct source_change *change)
{
	struct state_row row = state_row_begin(db, STATEMENT_EXTEND_CHANGE);

	state_row_text(&row, change->after);
	state_row_number(&row, (int64_t)change->revision);
	state_row_number(&row, change->kind);
	state_row_text(&row, change->path);
	return state_row_run(&row);
}

static int add_change(struct state_db *db, const struct source_change *change)
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

static int note_change(struct state_db *db, const struct source_change *change,
		       const struct before *before)
{
	bool again = before->rid && before->revision == (int64_t)change->revision;
	int err = change->after && again ? extend_change(db, change) : ERR_EXISTS;

	return err == ERR_EXISTS ? add_change(db, change) : err;
}

/* Deletes some of the changes that are too old or too many: more than this transaction adds, so the
 * history shrinks, but few enough for a short commit. The transaction's own rows stay, so that it
 * can be taken back later (service/confirmation.h). */
static int forget_changes(struct state *state)
{
	struct state_row row = state_row_begin(&state->db, STATEMENT_FORGET_CHANGES);

	state_row_number(&row, state->at_s - CHANGES_KEPT_S);
	state_row_number(&row, 2 * (int64_t)state->written + 1);
	state_row_number(&row, STATE_CHANGES_MAX);
	state_row_number(&row, state->next);
	int code = sqlite3_step(row.statement);
	state_row_end(&row);
	return code == SQLITE_DONE ? 0 : state_db_fail(&state->db, "cannot be written");
}

/* ERR_EXISTS: an item of the configuration file has one of the keys. */
static int check_file(struct state_db *db, const struct source_change *change,
		      const struct source_keys *keys)
{
	struct state_row row = state_row_begin(db, STATEMENT_FIND_ALIKE);
	uint8_t key[STATE_ADDRESS_KEY_MAX];
	int err;

	state_row_text(&row, keys->id);
	bind_address(&row, &keys->address, key);
	state_row_text(&row, keys->host);
	state_row_number(&row, change->kind);
	state_row_text(&row, change->path);
	err = state_row_find(&row);
	state_row_end(&row);
	return err == ERR_NOT_FOUND ? 0 : err ? err : ERR_EXISTS;
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
		     const struct source_keys *keys, char error[SOURCE_ERROR_MAX])
{
	struct state *state = (struct state *)source;
	struct source_change change = {.revision = (uint64_t)state->next,
				       .at_s = state->at_s,
				       .who = state->who,
				       .kind = kind,
				       .path = path,
				       .after = json};
	struct before before;
	int err = read_before(&state->db, kind, path, keys, &before);

	change.before = before.json;
	if (!err && json && keys && keys->id && !before.same)
		err = check_file(&state->db, &change, keys);
	if (!err && (before.rid || json)) {
		err = json ? put_resource(&state->db, &change, keys, &before)
			   : delete_resource(&state->db, &before);
		if (!err)
			err = note_change(&state->db, &change, &before);
		state->written++;
	}
	free(before.json);
	if (err == ERR_EXISTS) {
		snprintf(error, SOURCE_ERROR_MAX,
			 "%s has the id, address or label of another record", path);
		return err;
	}
	return give_up_change(state, err, error);
}

/* The file may be removed or replaced during a change, which can take seconds. */
static int check_place(struct state *state)
{
	struct state_db *db = &state->db;

	if (!state_file_is_another(&db->file))
		return 0;
	if (state_file_look(state->path, db->error) == 0)
		snprintf(db->error, sizeof db->error,
			 "the state %s was replaced while it was written to; reload the "
			 "configuration",
			 state->path);
	return ERR_SYSTEM;
}

/* Is it certain that the failed COMMIT has not put its last page into the log? */
static bool is_undone(sqlite3 *db)
{
	int code = sqlite3_extended_errcode(db);

	return (code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_FULL ||
	       code == SQLITE_IOERR_WRITE;
}

/* Fails instead of waiting for a reader of an older revision, because the control thread may be
 * the caller. */
static int move_log(struct state_db *db)
{
	int pages = 0, moved = 0;

	if (sqlite3_wal_checkpoint_v2(db->file.db, "main", SQLITE_CHECKPOINT_PASSIVE, &pages,
				      &moved) != SQLITE_OK ||
	    pages != moved)
		return state_db_fail(db, "cannot be written");
	return 0;
}

/* Writes something in the place of the doubtful revision in the log. To read the earlier revision
 * is not enough: as long as other readers have the log open, SQLite does not read it anew, and a
 * crash would bring the doubtful revision back. */
static int write_over(struct state *state)
{
	static const struct source_pair row[] = {{"try", ""}, {"try", NULL}};
	char unused[SOURCE_ERROR_MAX];

	return state_put_pairs(&state->source, row, 2, true, unused);
}

/* Finds out whether the doubtful revision counts. */
static enum commit_answer look_again(struct state *state)
{
	struct state_db *db = &state->db;
	bool was_current = state->version >= 0, is_there;
	int64_t found = 0;
	int err;

	db->suspect = true; /* so that it is opened anew */
	err = ensure(state);
	if (!err)
		err = state_db_number(db, STATEMENT_READ_REVISION, &found);
	is_there = found >= state->doubtful;
	if (!err)
		err = is_there ? move_log(db) : write_over(state);
	if (!err && was_current)
		err = state_db_number(db, STATEMENT_READ_VERSION, &state->version);
	if (err)
		return COMMIT_UNKNOWN;
	if (is_there) {
		state->revision = state->doubtful;
		state->has_written = true;
	}
	state->doubtful = 0;
	return is_there ? COMMIT_YES : COMMIT_NO;
}

/* Ends the open transaction; db.error says why it failed. */
static enum commit_answer end_change(struct state *state)
{
	struct state_db *db = &state->db;
	char why[SOURCE_ERROR_MAX];
	enum commit_answer answer;

	if (write_revision(db, state->next) != 0)
		return COMMIT_NO;
	if (state_db_execute(db, "COMMIT", "cannot be written") == 0) {
		state->revision = state->next;
		state->has_written = true;
		return COMMIT_YES;
	}
	if (is_undone(db->file.db))
		return COMMIT_NO;
	memcpy(why, db->error, sizeof why);
	state_db_roll_back(db);
	state->doubtful = state->next;
	answer = look_again(state);
	memcpy(db->error, why, sizeof why);
	return answer;
}

static enum commit_answer state_commit(struct source *source, char error[SOURCE_ERROR_MAX])
{
	struct state *state = (struct state *)source;
	enum commit_answer answer = COMMIT_NO;

	if (state->doubtful)
		answer = look_again(state);
	else if (check_place(state) == 0 && forget_changes(state) == 0)
		answer = end_change(state);
	if (answer == COMMIT_YES) {
		state->db.error[0] = '\0';
		return answer;
	}
	(void)give_up_change(state, ERR_SYSTEM, error);
	return answer;
}

static void state_roll_back(struct source *source)
{
	state_db_roll_back(&((struct state *)source)->db);
}

static int state_changes(struct source *source, struct source_place after,
			 int (*on_change)(void *context, const struct source_change *change),
			 void *context, char error[SOURCE_ERROR_MAX])
{
	struct state *state = (struct state *)source;
	int err = ensure_readable(state), code;

	if (err)
		return give_error(state, err, error);
	struct state_row row = state_row_begin(&state->db, STATEMENT_READ_CHANGES);
	state_row_number(&row, (int64_t)after.revision);
	state_row_number(&row, after.edit);
	while (!err && (code = sqlite3_step(row.statement)) != SQLITE_DONE) {
		const struct source_change change = {
			.revision = (uint64_t)sqlite3_column_int64(row.statement, 0),
			.edit = sqlite3_column_int64(row.statement, 1),
			.at_s = sqlite3_column_int64(row.statement, 2),
			.who = column_text(row.statement, 3),
			.kind = (unsigned)sqlite3_column_int(row.statement, 4),
			.path = column_text(row.statement, 5),
			.before = column_text(row.statement, 6),
			.after = column_text(row.statement, 7),
		};

		err = code == SQLITE_ROW ? on_change(context, &change)
					 : state_db_fail(&state->db, "cannot be read");
	}
	state_row_end(&row);
	return give_error(state, err, error);
}

/* ---- the rest ---- */

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
	file_rows_free(state->db.rows);
	free(state->path);
	free(state);
}

/* ---- the log ---- */

static bool state_is_untidy(struct source *source)
{
	struct state *state = (struct state *)source;
	bool is_long = !state->looks && state->log_pages >= LOG_PAGES_MAX;

	if (is_long)
		state->log_pages = 0; /* because the caller tidies now */
	return is_long;
}

/* RESTART keeps the log's size; after TRUNCATE, changes cost twice as much until it has grown
 * again. */
static void state_tidy(struct source *source)
{
	sqlite3 *db = ((struct state *)source)->db.file.db;
	int pages = 0, moved = 0;

	if (!db)
		return;
	sqlite3_busy_timeout(db, 100);
	sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_PASSIVE, &pages, &moved);
	if (pages >= LOG_PAGES_LONG)
		sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_RESTART, NULL, NULL);
}

static const struct source_calls calls;

/* `rows`: items of the configuration file to be attached; NULL: none. */
static struct state *state_new(const char *path, struct file_rows *rows,
			       char error[SOURCE_ERROR_MAX])
{
	struct state *state = calloc(1, sizeof *state);

	snprintf(error, SOURCE_ERROR_MAX, "%s", err_text(ERR_NOMEM));
	if (!state)
		return NULL;
	state->source.calls = &calls;
	/* SQLite resolves symbolic links: the log is beside the real file. */
	state->path = realpath(path, NULL);
	if (!state->path)
		state->path = strdup(path);
	if (state->path) {
		state->db.rows = rows ? file_rows_ref(rows) : NULL;
		return state;
	}
	free(state);
	return NULL;
}

struct source *state_open(const char *path, char error[SOURCE_ERROR_MAX])
{
	struct state *state =
		state_file_make(path, error) == 0 ? state_new(path, NULL, error) : NULL;

	if (!state)
		return NULL;
	if (open_connection(state, true) == 0)
		return &state->source;
	snprintf(error, SOURCE_ERROR_MAX, "%s", state->db.error);
	state_close(&state->source);
	return NULL;
}

/* ---- opening to read only ---- */

static int look(struct state *state, enum source_mode mode, char error[SOURCE_ERROR_MAX])
{
	struct state_db *db = &state->db;
	int err = state_file_open_to_look(&db->file, state->path, mode == SOURCE_READ_APART, error);

	state->looks = true;
	state->mode = mode;
	if (!err) {
		err = state_db_prepare(db);
		snprintf(error, SOURCE_ERROR_MAX, "%s", db->error);
	}
	return err;
}

static struct source *look_with(const char *path, enum source_mode mode, struct file_rows *rows,
				char error[SOURCE_ERROR_MAX])
{
	struct stat stat_of;
	bool is_there = stat(path, &stat_of) == 0;

	error[0] = '\0';
	if (!is_there && errno == ENOENT)
		return NULL;
	if (is_there && !S_ISREG(stat_of.st_mode)) { /* opening a FIFO would wait for a writer */
		snprintf(error, SOURCE_ERROR_MAX,
			 "the state %s cannot be opened: it is not a regular file; remove it, or "
			 "name "
			 "another one in management.state",
			 path);
		return NULL;
	}
	struct state *state = state_new(path, rows, error);
	if (!state)
		return NULL;
	if (look(state, mode, error) == 0)
		return &state->source;
	state_close(&state->source);
	return NULL;
}

struct source *state_look(const char *path, enum source_mode mode, char error[SOURCE_ERROR_MAX])
{
	return look_with(path, mode, NULL, error);
}

struct source *state_open_empty(char error[SOURCE_ERROR_MAX])
{
	struct state *state = state_new("", NULL, error);
	int err;

	if (!state)
		return NULL;
	state->looks = true;
	err = state_file_make_empty(&state->db.file, state->path, state->db.error);
	if (!err)
		err = state_db_prepare(&state->db);
	if (!err)
		return &state->source;
	give_error(state, err, error);
	state_close(&state->source);
	return NULL;
}

/* ---- a second connection ---- */

/* Copies the open database for reading, because its file is no longer at the path. */
static struct source *copy_open_one(struct state *state, char error[SOURCE_ERROR_MAX])
{
	struct state *other = state_new(state->path, state->db.rows, error);
	int err;

	if (!other)
		return NULL;
	other->looks = true;
	err = state_file_copy(&other->db.file, &state->db.file, other->path, other->db.error);
	if (!err)
		err = state_db_prepare(&other->db);
	if (!err)
		return &other->source;
	give_error(other, err, error);
	state_close(&other->source);
	return NULL;
}

static struct source *open_another(struct state *state, char error[SOURCE_ERROR_MAX])
{
	struct state *other;
	int err = ensure(state);

	if (state->looks)
		return look_with(state->path, state->mode, state->db.rows, error);
	if (err && state->db.file.db)
		return copy_open_one(state, error);
	other = err ? NULL : state_new(state->path, state->db.rows, error);
	if (!other) {
		if (err)
			give_error(state, err, error);
		return NULL;
	}
	err = open_connection(other, false);
	if (!err)
		return &other->source;
	give_error(other, err, error);
	state_close(&other->source);
	return NULL;
}

/* If somebody else has written before this call, state_is_current(source) notices, and the version
 * -1 says that a sync is needed. Later writes are noticed by the new connection itself. */
static struct source *state_another(struct source *source, char error[SOURCE_ERROR_MAX])
{
	struct state *state = (struct state *)source;
	struct source *opened = open_another(state, error);
	struct state *other = (struct state *)opened;

	if (!opened)
		return NULL;
	error[0] = '\0';
	if (state_db_number(&other->db, STATEMENT_READ_VERSION, &other->version) != 0 ||
	    !state_is_current(source))
		other->version = -1;
	other->revision = state->revision;
	other->doubtful = state->doubtful;
	return opened;
}

static void state_join(struct source *source, struct source *other)
{
	struct state *state = (struct state *)source;
	int64_t revision = ((const struct state *)other)->revision, version = -1;

	state->doubtful = ((const struct state *)other)->doubtful;
	if (((const struct state *)other)->has_written) {
		if (!state->db.file.db ||
		    state_db_number(&state->db, STATEMENT_READ_VERSION, &version) != 0 ||
		    !state_is_current(other))
			version = -1;
		state->revision = revision;
		state->version = version;
		state->log_pages = ((const struct state *)other)->log_pages;
	}
	state_close(other);
}

/* Reads the revision because a read transaction begins with its first read. */
static struct source *state_view(struct source *source, char error[SOURCE_ERROR_MAX])
{
	struct state *view = (struct state *)open_another((struct state *)source, error);
	int err;

	if (!view)
		return NULL;
	view->looks = true;
	err = state_db_execute(&view->db, "BEGIN", "cannot be read");
	if (!err)
		err = state_db_number(&view->db, STATEMENT_READ_REVISION, &view->revision);
	if (!err)
		return &view->source;
	give_error(view, err, error);
	state_close(&view->source);
	return NULL;
}

static const struct source_calls calls = {
	.is_current = state_is_current,
	.sync = state_sync,
	.unsync = state_unsync,
	.pairs = state_pairs,
	.put_pairs = state_put_pairs,
	.resources = state_resources,
	.attach = state_attach,
	.alike = state_alike,
	.find = state_find,
	.page = state_page,
	.owned = state_owned,
	.count = state_count,
	.begin = state_begin,
	.put = state_put,
	.commit = state_commit,
	.roll_back = state_roll_back,
	.changes = state_changes,
	.another = state_another,
	.join = state_join,
	.view = state_view,
	.is_untidy = state_is_untidy,
	.tidy = state_tidy,
	.about = state_about,
	.close = state_close,
};
