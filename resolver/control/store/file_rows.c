/* A database of SQLite's VFS "memdb": connections of one process that open the same name share it.
 * They attach it with mode=ro, because BEGIN IMMEDIATE takes the write lock of every attached
 * database that can be written, which would keep out the other connections. */
#include "resolver/control/store/file_rows.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "resolver/control/store/state_internal.h"

/* `kind`, `path` and the other keys are columns as in the state's table resources. */
#define TABLE(schema)                                                                              \
	"CREATE TABLE " schema "items (number INTEGER PRIMARY KEY, kind INTEGER NOT NULL,"         \
	" path TEXT NOT NULL, id TEXT, addr BLOB, host TEXT, grp TEXT) STRICT"

struct file_rows {
	atomic_uint references; /* atomic: views in other threads take and drop some */
	unsigned number;        /* of the database, in this process */
	sqlite3 *db;
	sqlite3_stmt *add;
};

static int fail(const struct file_rows *rows, char error[SOURCE_ERROR_MAX])
{
	snprintf(error, SOURCE_ERROR_MAX,
		 "the addresses of the configuration file cannot be indexed: %s",
		 sqlite3_errmsg(rows->db));
	return ERR_SYSTEM;
}

static int begin(struct file_rows *rows)
{
	static unsigned last;
	char name[64];

	rows->number = ++last;
	snprintf(name, sizeof name, "file:/sluice-%u?vfs=memdb", rows->number);
	if (sqlite3_open_v2(name, &rows->db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI |
				    SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK ||
	    sqlite3_exec(rows->db, "BEGIN; " TABLE(""), NULL, NULL, NULL) != SQLITE_OK)
		return ERR_SYSTEM;
	return sqlite3_prepare_v2(rows->db,
				  "INSERT INTO items (kind, path, id, addr, host, grp)"
				  " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
				  -1, &rows->add, NULL) == SQLITE_OK
		       ? 0
		       : ERR_SYSTEM;
}

struct file_rows *file_rows_new(char error[SOURCE_ERROR_MAX])
{
	struct file_rows *rows = calloc(1, sizeof *rows);

	if (!rows) {
		snprintf(error, SOURCE_ERROR_MAX, "%s", err_text(ERR_NOMEM));
		return NULL;
	}
	atomic_init(&rows->references, 1);
	if (begin(rows) == 0)
		return rows;
	fail(rows, error);
	file_rows_free(rows);
	return NULL;
}

int file_rows_add(struct file_rows *rows, unsigned kind, const char *path,
		  const struct source_keys *keys, char error[SOURCE_ERROR_MAX])
{
	uint8_t address[STATE_ADDRESS_KEY_MAX];
	int length = (int)state_address_key(&keys->address, address), code;

	sqlite3_bind_int(rows->add, 1, (int)kind);
	sqlite3_bind_text(rows->add, 2, path, -1, SQLITE_STATIC);
	sqlite3_bind_text(rows->add, 3, keys->id, -1, SQLITE_STATIC);
	sqlite3_bind_blob(rows->add, 4, address, length, SQLITE_STATIC);
	sqlite3_bind_text(rows->add, 5, keys->host, -1, SQLITE_STATIC);
	sqlite3_bind_text(rows->add, 6, keys->group, -1, SQLITE_STATIC);
	code = sqlite3_step(rows->add);
	sqlite3_reset(rows->add);
	return code == SQLITE_DONE ? 0 : fail(rows, error);
}

/* Indexes of all rows at once take less time than an index that grows with each row. */
int file_rows_end(struct file_rows *rows, char error[SOURCE_ERROR_MAX])
{
	sqlite3_finalize(rows->add);
	rows->add = NULL;
	return sqlite3_exec(rows->db,
			    "CREATE INDEX by_path ON items (kind, path);"
			    "CREATE INDEX by_id ON items (id);"
			    "CREATE INDEX by_address ON items (addr);"
			    "CREATE INDEX by_host ON items (host) WHERE host NOT NULL;"
			    "CREATE INDEX by_group ON items (grp, addr) WHERE grp NOT NULL;"
			    "COMMIT",
			    NULL, NULL, NULL) == SQLITE_OK
		       ? 0
		       : fail(rows, error);
}

struct file_rows *file_rows_ref(struct file_rows *rows)
{
	atomic_fetch_add_explicit(&rows->references, 1, memory_order_relaxed);
	return rows;
}

void file_rows_free(struct file_rows *rows)
{
	if (!rows || atomic_fetch_sub(&rows->references, 1) > 1)
		return;
	sqlite3_finalize(rows->add);
	sqlite3_close(rows->db);
	free(rows);
}

int file_rows_attach(const struct file_rows *rows, sqlite3 *db)
{
	char sql[96];

	if (!rows)
		return sqlite3_exec(db, "ATTACH ':memory:' AS file; " TABLE("file."), NULL, NULL,
				    NULL);
	snprintf(sql, sizeof sql, "ATTACH 'file:/sluice-%u?vfs=memdb&mode=ro' AS file",
		 rows->number);
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}
