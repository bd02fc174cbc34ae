/* Values are bound one after the other, so that a statement and its caller agree on an order, not
 * on numbers. */
#include "resolver/control/store/state_db.h"

static const char *const statement_texts[STATEMENT_COUNT] = {
#define X(name, sql) sql,
	STATEMENT_MAP(X)
#undef X
};

int state_db_fail(struct state_db *db, const char *what)
{
	int code = sqlite3_errcode(db->file.db);

	db->suspect |= code != SQLITE_BUSY && code != SQLITE_LOCKED && code != SQLITE_FULL;
	return state_explain(db->file.db, db->file.path, what, db->error);
}

/* ---- statements ---- */

static int prepare(struct state_db *db, enum state_statement which)
{
	return sqlite3_prepare_v3(db->file.db, statement_texts[which], -1,
				  SQLITE_PREPARE_PERSISTENT, &db->statements[which],
				  NULL) == SQLITE_OK
		       ? 0
		       : state_db_fail(db, "cannot be read");
}

int state_db_prepare(struct state_db *db)
{
	int err = file_rows_attach(db->rows, db->file.db) == SQLITE_OK
			  ? 0
			  : state_db_fail(db, "cannot be read");

	for (unsigned i = 0; !err && i < STATEMENT_COUNT; i++)
		err = prepare(db, i);
	return err;
}

/* Statements stay: attaching changes the schema, so SQLite prepares each one again when it runs. */
int state_db_attach(struct state_db *db, struct file_rows *rows)
{
	if (rows == db->rows)
		return 0;
	file_rows_free(db->rows);
	db->rows = rows ? file_rows_ref(rows) : NULL;
	return sqlite3_exec(db->file.db, "DETACH file", NULL, NULL, NULL) == SQLITE_OK &&
			       file_rows_attach(rows, db->file.db) == SQLITE_OK
		       ? 0
		       : state_db_fail(db, "cannot be read");
}

void state_db_close(struct state_db *db)
{
	for (unsigned i = 0; i < STATEMENT_COUNT; i++) {
		sqlite3_finalize(db->statements[i]);
		db->statements[i] = NULL;
	}
	state_file_close(&db->file);
}

int state_db_execute(struct state_db *db, const char *sql, const char *what)
{
	return sqlite3_exec(db->file.db, sql, NULL, NULL, NULL) == SQLITE_OK
		       ? 0
		       : state_db_fail(db, what);
}

void state_db_roll_back(struct state_db *db)
{
	if (db->file.db && !sqlite3_get_autocommit(db->file.db))
		sqlite3_exec(db->file.db, "ROLLBACK", NULL, NULL, NULL);
}

int state_db_number(struct state_db *db, enum state_statement which, int64_t *number)
{
	sqlite3_stmt *statement = db->statements[which];
	int err = 0;

	if (sqlite3_step(statement) == SQLITE_ROW)
		*number = sqlite3_column_int64(statement, 0);
	else
		err = state_db_fail(db, "cannot be read");
	sqlite3_reset(statement);
	return err;
}

/* ---- a row ---- */

struct state_row state_row_begin(struct state_db *db, enum state_statement which)
{
	return (struct state_row){.db = db, .statement = db->statements[which]};
}

void state_row_text(struct state_row *row, const char *text)
{
	row->count++;
	if (text)
		sqlite3_bind_text(row->statement, row->count, text, -1, SQLITE_STATIC);
}

void state_row_number(struct state_row *row, int64_t number)
{
	sqlite3_bind_int64(row->statement, ++row->count, number);
}

void state_row_bytes(struct state_row *row, const uint8_t *bytes, size_t length)
{
	sqlite3_bind_blob(row->statement, ++row->count, bytes, (int)length, SQLITE_STATIC);
}

void state_row_none(struct state_row *row) /* an unbound value is NULL */
{
	row->count++;
}

int state_row_run(struct state_row *row)
{
	int code = sqlite3_step(row->statement);
	bool is_in_the_way = (code & 0xff) == SQLITE_CONSTRAINT;

	if (code != SQLITE_DONE && !is_in_the_way)
		state_db_fail(row->db, "cannot be written");
	state_row_end(row);
	if (is_in_the_way)
		return ERR_EXISTS;
	if (code != SQLITE_DONE)
		return ERR_SYSTEM;
	return sqlite3_changes(row->db->file.db) == 1 ? 0 : ERR_EXISTS;
}

int state_row_find(struct state_row *row)
{
	int code = sqlite3_step(row->statement);

	if (code == SQLITE_ROW)
		return 0;
	return code == SQLITE_DONE ? ERR_NOT_FOUND : state_db_fail(row->db, "cannot be read");
}

void state_row_end(struct state_row *row)
{
	sqlite3_reset(row->statement);
	sqlite3_clear_bindings(row->statement);
}
