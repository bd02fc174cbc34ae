/* The state's open database: what is asked of it, as prepared statements, and why that failed. What
 * the statements' rows mean is state.c's. */
#ifndef SLUICE_STATE_DB_H
#define SLUICE_STATE_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "resolver/control/store/state_internal.h"

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
	X(PUT_SERIAL, "INSERT OR REPLACE INTO serials VALUES (?1, ?2, ?3, ?4)")                    \
	X(READ_RESOURCES, "SELECT path, json, revision FROM resources"                             \
			  " WHERE kind = ?1 AND path >= ?2 AND path < ?3 ORDER BY path")           \
	X(READ_RESOURCE, "SELECT json FROM resources WHERE kind = ?1 AND path = ?2")               \
	X(PUT_RESOURCE, "INSERT INTO resources (kind, path, json, revision)"                       \
			" VALUES (?1, ?2, ?3, ?4) ON CONFLICT (kind, path)"                        \
			" DO UPDATE SET json = excluded.json, revision = excluded.revision")       \
	X(DELETE_RESOURCE, "DELETE FROM resources WHERE kind = ?1 AND path = ?2")                  \
	X(READ_CHANGES, "SELECT revision, time, who, kind, path, before, after FROM changes"       \
			" WHERE revision > ?1 ORDER BY revision, seq")                             \
	X(ADD_CHANGE, "INSERT INTO changes (revision, time, who, kind, path, before, after)"       \
		      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")                                      \
	X(FORGET_CHANGES, "DELETE FROM changes WHERE time < ?1 AND seq IN"                         \
			  " (SELECT seq FROM changes ORDER BY seq LIMIT ?2)")

enum state_statement {
#define X(name, sql) STATEMENT_##name,
	STATEMENT_MAP(X)
#undef X
		STATEMENT_COUNT
};

struct state_db {
	struct state_file file;
	sqlite3_stmt *statements[STATEMENT_COUNT];
	bool suspect; /* a call failed so that another connection may do better */
	char error[SOURCE_ERROR_MAX];
};

/* Calls that fail give ERR_SYSTEM, and `error` says why. */

/* Says that `what` failed ("cannot be read"), by the code that SQLite gave last. */
int state_db_fail(struct state_db *db, const char *what);
/* One statement, or all of them. */
MUST_CHECK int state_db_prepare(struct state_db *db, enum state_statement which);
MUST_CHECK int state_db_prepare_all(struct state_db *db);
/* With its file; closed is fine. */
void state_db_close(struct state_db *db);

/* SQL that has no values and gives no rows. */
MUST_CHECK int state_db_execute(struct state_db *db, const char *sql, const char *what);
void state_db_roll_back(struct state_db *db); /* without a transaction, or closed, is fine */
/* What a statement says that gives one number. */
MUST_CHECK int state_db_number(struct state_db *db, enum state_statement which, int64_t *number);

struct state_row { /* a statement's values, given in their order */
	struct state_db *db;
	sqlite3_stmt *statement;
	int count; /* of those given */
};
struct state_row state_row_begin(struct state_db *db, enum state_statement which);
/* Texts and bytes must live until it is run. text NULL: none. */
void state_row_text(struct state_row *row, const char *text);
void state_row_number(struct state_row *row, int64_t number);
void state_row_bytes(struct state_row *row, const uint8_t *bytes, size_t length);
void state_row_none(struct state_row *row);
/* Runs it, which must meet exactly one record. ERR_EXISTS: there is none as it wants it, or one in
 * its way. */
MUST_CHECK int state_row_run(struct state_row *row);
/* Asks for the record that the values name: 0, and the statement's columns are it until
 * state_row_end, or ERR_NOT_FOUND. */
MUST_CHECK int state_row_find(struct state_row *row);
void state_row_end(struct state_row *row);

#endif
