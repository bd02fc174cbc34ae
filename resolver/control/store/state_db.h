/* The state's open database: its prepared statements, and why a call failed. state.c knows what the
 * statements' rows mean. */
#ifndef SLUICE_STATE_DB_H
#define SLUICE_STATE_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "resolver/control/store/file_rows.h"
#include "resolver/control/store/state_internal.h"

/* The columns of struct source_resource, including its keys. */
#define RESOURCE                                                                                   \
	"kind, path, revision, id, addr, host, grp, region, ptr, ttl, ptr_revision, ptr_action"
/* Rows of the state, and items of the configuration file (file_rows.h), with the same columns. */
#define STATE_ROWS "SELECT " RESOURCE ", json, 0 FROM resources"
#define FILE_ROWS                                                                                  \
	"SELECT kind, path, NULL, id, addr, host, grp, NULL, NULL, NULL, 0, 0, NULL, number"       \
	" FROM file.items"
/* Rows of the file, then rows of the state. SQLite merges them by their indexes; a view of both
 * would be sorted for each page. */
#define ROWS_WHERE(where) FILE_ROWS " WHERE " where " UNION ALL " STATE_ROWS " WHERE " where
/* Rows of the state, each with the number of the file's item that has the same key. `same` compares
 * one kind of key; ROWS_ALIKE compares all of them. */
#define ROWS_LIKE(same)                                                                            \
	"SELECT r.kind, r.path, r.revision, r.id, r.addr, r.host, r.grp, r.region, r.ptr, r.ttl,"  \
	" r.ptr_revision, r.ptr_action, r.json, f.number FROM file.items f CROSS JOIN resources r" \
	" ON " same
#define ROWS_ALIKE                                                                                 \
	ROWS_LIKE("r.id = f.id")                                                                   \
	" UNION " ROWS_LIKE("r.kind = f.kind AND r.path = f.path") " UNION " ROWS_LIKE(            \
		"r.addr = f.addr") " UNION " ROWS_LIKE("r.host = f.host")

#define STATEMENT_MAP(X)                                                                           \
	X(READ_REVISION, STATE_READ_REVISION)                                                      \
	X(READ_VERSION, "PRAGMA data_version")                                                     \
	X(WRITE_REVISION, "UPDATE meta SET value = ?1 WHERE key = 'revision'")                     \
	X(READ_PAIRS, "SELECT key, value FROM pairs WHERE key >= ?1 ORDER BY key LIMIT ?2")        \
	X(PUT_PAIR, "INSERT OR REPLACE INTO pairs VALUES (?1, ?2)")                                \
	X(FORGET_PAIR, "DELETE FROM pairs WHERE key = ?1")                                         \
	X(READ_RESOURCES, "SELECT " RESOURCE ", json FROM resources"                               \
			  " WHERE kind = ?1 AND path >= ?2 AND path < ?3 ORDER BY path")           \
	X(FIND_ROW, STATE_ROWS " WHERE kind = ?1 AND path = ?2")                                   \
	X(FIND_GROUP, FILE_ROWS " WHERE number ="                                                  \
				" (SELECT min(number) FROM file.items WHERE grp = ?1)")            \
	X(FIND_PATH, ROWS_WHERE("kind = ?1 AND path = ?2") " LIMIT 1")                             \
	X(FIND_ID, ROWS_WHERE("id = ?1") " LIMIT 1")                                               \
	X(FIND_HOST, ROWS_WHERE("host = ?1") " LIMIT 1")                                           \
	X(FIND_ADDRESS, ROWS_WHERE("addr = ?1") " LIMIT 1")                                        \
	X(PAGE_PATH, ROWS_WHERE("kind = ?1 AND path > ?2") " ORDER BY path LIMIT ?3")              \
	X(PAGE_ADDRESS, ROWS_WHERE("addr > ?2 AND ?1 IN (0, kind)") " ORDER BY addr LIMIT ?3")     \
	X(PAGE_GROUP,                                                                              \
	  ROWS_WHERE("grp = ?4 AND addr > ?2 AND kind = ?1") " ORDER BY addr LIMIT ?3")            \
	X(READ_OWNED, "SELECT " RESOURCE " FROM resources WHERE addr NOT NULL")                    \
	X(READ_ALIKE, ROWS_ALIKE " ORDER BY 14")                                                   \
	X(FIND_ALIKE, FILE_ROWS " WHERE id = ?1 OR addr = ?2 OR host = ?3"                         \
				" OR (kind = ?4 AND path = ?5) LIMIT 1")                           \
	X(COUNT_ALL, "SELECT count(*) FROM resources WHERE kind = ?1")                             \
	X(COUNT_GROUP, "SELECT (SELECT count(*) FROM file.items WHERE grp = ?2 AND kind = ?1)"     \
		       " + (SELECT count(*) FROM resources WHERE grp = ?2 AND kind = ?1)")         \
	X(READ_BEFORE, "SELECT rid, json, id, addr, host, grp, revision FROM resources"            \
		       " WHERE kind = ?1 AND path = ?2")                                           \
	X(ADD_RESOURCE, "INSERT INTO resources (revision, json, region, ptr, ttl, ptr_revision,"   \
			" ptr_action, id, addr, host, grp, kind, path)"                            \
			" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)")        \
	X(SET_RESOURCE, "UPDATE resources SET revision = ?1, json = ?2, region = ?3, ptr = ?4,"    \
			" ttl = ?5, ptr_revision = ?6, ptr_action = ?7, id = ?8, addr = ?9,"       \
			" host = ?10, grp = ?11 WHERE rid = ?12")                                  \
	X(SET_VALUES, "UPDATE resources SET revision = ?1, json = ?2, region = ?3, ptr = ?4,"      \
		      " ttl = ?5, ptr_revision = ?6, ptr_action = ?7 WHERE rid = ?8")              \
	X(DELETE_RESOURCE, "DELETE FROM resources WHERE rid = ?1")                                 \
	X(READ_CHANGES, "SELECT revision, seq, time, who, kind, path, before, after FROM changes"  \
			" WHERE revision = ?1 AND seq > ?2"                                        \
			" UNION ALL"                                                               \
			" SELECT revision, seq, time, who, kind, path, before, after FROM changes" \
			" WHERE revision > ?1 ORDER BY revision, seq")                             \
	X(ADD_CHANGE, "INSERT INTO changes (revision, time, who, kind, path, before, after)"       \
		      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")                                      \
	X(EXTEND_CHANGE, "UPDATE changes SET after = ?1 WHERE"                                     \
			 " seq = (SELECT max(seq) FROM changes)"                                   \
			 " AND revision = ?2 AND kind = ?3 AND path = ?4")                         \
	X(FORGET_CHANGES, "DELETE FROM changes WHERE"                                              \
			  " (time < ?1 OR seq <= (SELECT max(seq) FROM changes) - ?3)"             \
			  " AND revision < ?4"                                                     \
			  " AND seq IN (SELECT seq FROM changes ORDER BY seq LIMIT ?2)")

enum state_statement {
#define X(name, sql) STATEMENT_##name,
	STATEMENT_MAP(X)
#undef X
		STATEMENT_COUNT
};

struct state_db {
	struct state_file file;
	struct file_rows *rows; /* a reference: attached to each connection; NULL: none */
	sqlite3_stmt *statements[STATEMENT_COUNT];
	bool suspect; /* a call failed in a way that reopening may cure */
	char error[SOURCE_ERROR_MAX];
};

/* Functions that fail return ERR_SYSTEM and say why in db->error. */

/* Writes into db->error what failed ("cannot be read"), with SQLite's latest code. */
int state_db_fail(struct state_db *db, const char *what);
/* Attaches these rows of the configuration file in place of those before. No statement may be
 * running, and no transaction open, unless these rows are attached already. After an error the
 * connection must be closed. */
MUST_CHECK int state_db_attach(struct state_db *db, struct file_rows *rows);
/* Prepares the connection after it was opened: attaches db->rows, and prepares all statements. */
MUST_CHECK int state_db_prepare(struct state_db *db);
/* Closes the file as well, and keeps db->rows; a closed db is fine. */
void state_db_close(struct state_db *db);

/* Runs SQL that has no values to bind and returns no rows. */
MUST_CHECK int state_db_execute(struct state_db *db, const char *sql, const char *what);
void state_db_roll_back(struct state_db *db); /* no transaction, or a closed db, is fine */
/* Runs a statement that gives one number. */
MUST_CHECK int state_db_number(struct state_db *db, enum state_statement which, int64_t *number);

struct state_row { /* binds a statement's values in their order */
	struct state_db *db;
	sqlite3_stmt *statement;
	int count; /* of the values bound so far */
};
struct state_row state_row_begin(struct state_db *db, enum state_statement which);
/* The text must live until the statement has run. NULL: binds NULL. */
void state_row_text(struct state_row *row, const char *text);
void state_row_number(struct state_row *row, int64_t number);
void state_row_bytes(struct state_row *row, const uint8_t *bytes, size_t length);
void state_row_none(struct state_row *row);
/* Runs the statement, which must change exactly one record. ERR_EXISTS: it changed none, or a
 * unique key is taken. */
MUST_CHECK int state_row_run(struct state_row *row);
/* Finds the record that matches the values. 0: the statement's columns hold it until state_row_end;
 * ERR_NOT_FOUND. */
MUST_CHECK int state_row_find(struct state_row *row);
void state_row_end(struct state_row *row);

#endif
