/* The tables of the state, and the migrations of older files. Each migration takes a copy of the
 * file from one version to the next; all migrations of a file run in one transaction. The file's
 * header has the version (PRAGMA user_version) and the program (application_id), so that a path to
 * another program's database does no harm.
 *
 *     resources   those that the API made     kind, path, revision, json (resource/kind.h), and the
 *                                             other keys (struct source_keys)
 *     changes     their history for a week    revision, time, who, kind, path, before, after
 *     meta        revision of the latest change
 *     pairs       key, value                  (pairs.h)
 *
 * Up to version 5 addresses and services (owners), their PTRs and resource groups had separate
 * tables. Since then an address has its PTR in its row, because with a million addresses and PTRs a
 * row for each PTR makes the start take 1.5 times as long. A PTR with a row of its own belongs to
 * an address that the configuration file declares.
 *
 * Up to version 7 secrets, serials and uses had separate tables, and a reference was a NAME, unique
 * over all groups. Version 8 has GROUP/NAME if exactly one item of the state has that name. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/control/base/percent.h"
#include "resolver/control/store/state_internal.h"
#include "rules/base.h"
#include "rules/text.h"

/* The numbers of resource/kind.h, which never change. */
#define KIND_NETWORK      "1"
#define KIND_RESOLVER     "3"
#define KIND_ZONE         "6"
#define KIND_ZONE_LINK    "7"
#define KIND_RULESET      "8"
#define KIND_RULESET_LINK "9"
#define KIND_TRANSFER     "13"
#define KIND_CLIENT       "14"
#define KIND_ADDRESS      "101"
#define KIND_SERVICE      "102"
#define KIND_PTR          "103"
#define KIND_GROUP        "104"

static const char *advice(int code)
{
	switch (code & 0xff) {
	case SQLITE_FULL: return "make room on its disk";
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return "another program holds it; stop that program, or try again";
	case SQLITE_CORRUPT:
		return "it is damaged; put a copy in its place and remove the -wal and -shm beside "
		       "it, or import an export";
	case SQLITE_NOTADB: return "name another file in management.state, or remove this one";
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
	case SQLITE_CANTOPEN: return "the server must be able to write the file and its directory";
	case SQLITE_IOERR: return "check its disk";
	case SQLITE_CONSTRAINT: return "two of its records have the same; remove one of them";
	case SQLITE_MISMATCH: return "repair or remove that record";
	default: return "try again";
	}
}

int state_explain(sqlite3 *db, const char *path, const char *what, char error[SOURCE_ERROR_MAX])
{
	int code = db ? sqlite3_extended_errcode(db) : SQLITE_NOMEM;
	int number = db && (code & 0xff) == SQLITE_IOERR ? sqlite3_system_errno(db) : 0;

	snprintf(error, SOURCE_ERROR_MAX, "the state %s %s: %s%s%s; %s", path, what,
		 db ? sqlite3_errmsg(db) : err_text(ERR_NOMEM), number ? ", " : "",
		 number ? strerror(number) : "", advice(number == ENOSPC ? SQLITE_FULL : code));
	return ERR_SYSTEM;
}

int state_read_number(sqlite3 *db, const char *sql, int64_t *number)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

	*number = 0;
	if (code == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
		*number = sqlite3_column_int64(statement, 0);
	return sqlite3_finalize(statement) == SQLITE_OK && code == SQLITE_OK ? 0 : ERR_SYSTEM;
}

/* WAL: readers do not block changes, and a change needs fewer syncs. */
static int set_modes(sqlite3 *db)
{
	return sqlite3_exec(db,
			    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
			    "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
			    "PRAGMA cache_size = -16384;",
			    NULL, NULL, NULL);
}

static int refuse(const char *path, const char *why, char error[SOURCE_ERROR_MAX])
{
	snprintf(error, SOURCE_ERROR_MAX, "%s %s; name another file in management.state", path,
		 why);
	return ERR_SYSTEM;
}

/* ---- SQL functions of the migrations ---- */

static const char *text_of(sqlite3_value *value)
{
	const char *text = (const char *)sqlite3_value_text(value);

	return text ? text : "";
}

/* resource_path(group, name): a path in the form of path_key (resource/kind.h). */
static void resource_path(sqlite3_context *context, int count, sqlite3_value **values)
{
	char group[3 * NAME_TEXT_MAX], name[3 * NAME_TEXT_MAX];
	char *path = NULL;

	(void)count;
	if (asprintf(&path, "%s/%s", percent_encode(group, sizeof group, text_of(values[0])),
		     percent_encode(name, sizeof name, text_of(values[1]))) < 0)
		sqlite3_result_error_nomem(context);
	else
		sqlite3_result_text(context, text_lower(path), -1, free);
}

static void complain(sqlite3_context *context, const char *what, sqlite3_value *value,
		     sqlite3_value *whose)
{
	char text[SOURCE_ERROR_MAX / 2];

	snprintf(text, sizeof text, "the %s \"%.80s\" of \"%.80s\" was not written by sluice", what,
		 text_of(value), text_of(whose));
	sqlite3_result_error(context, text, -1);
	sqlite3_result_error_code(context, SQLITE_MISMATCH);
}

/* not_written(what, value, whose): fails, which ends the migration. */
static void not_written(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	complain(context, text_of(values[0]), values[1], values[2]);
}

size_t state_address_key(const struct address *address, uint8_t key[STATE_ADDRESS_KEY_MAX])
{
	size_t length = address_bits(address) / 8;

	key[0] = address->family;
	memcpy(key + 1, address->bytes, length);
	return 1 + length;
}

/* address_key(text, whose): the key of state_address_key. */
static void address_key(sqlite3_context *context, int count, sqlite3_value **values)
{
	uint8_t key[STATE_ADDRESS_KEY_MAX];
	struct address address;

	(void)count;
	if (address_parse(&address, text_of(values[0])) != 0)
		complain(context, "address", values[0], values[1]);
	else
		sqlite3_result_blob(context, key, (int)state_address_key(&address, key),
				    SQLITE_TRANSIENT);
}

static int add_functions(sqlite3 *db)
{
	static const struct {
		const char *name;
		int count;
		void (*call)(sqlite3_context *context, int count, sqlite3_value **values);
	} functions[] = {{"resource_path", 2, resource_path},
			 {"address_key", 2, address_key},
			 {"not_written", 3, not_written}};
	int code = SQLITE_OK;

	for (size_t i = 0; code == SQLITE_OK && i < COUNT(functions); i++)
		code = sqlite3_create_function(db, functions[i].name, functions[i].count,
					       SQLITE_UTF8 | SQLITE_DIRECTONLY, NULL,
					       functions[i].call, NULL, NULL);
	return code;
}

/* ---- version 8: pairs, and references in full ---- */

static int execute(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

/* Makes the table full_names: GROUP/NAME, or -/NAME, of each name that only one item of its kind
 * has. */
static const char name_in_full[] =
	"CREATE TEMP TABLE full_names AS SELECT kind, lower(json ->> 'name') AS name,"
	" coalesce(min(json ->> 'resource_group'), '-') || '/' || min(json ->> 'name') AS text"
	" FROM resources WHERE kind IN (" KIND_NETWORK ", " KIND_RESOLVER ", " KIND_ZONE
	", " KIND_RULESET ") GROUP BY 1, 2 HAVING count(*) = 1;"
	"CREATE UNIQUE INDEX temp.by_name ON full_names(kind, name)";

/* In `list` of each row of the kind, replaces every element whose `name` is in full_names by the
 * full name and `rest`. */
#define REFER_IN_LIST(kind_of_row, list, kind_of_name, name, rest)                                 \
	"UPDATE resources SET json = json_set(json, '$." list "', json((SELECT"                    \
	" json_group_array(coalesce((SELECT text || " rest " FROM full_names n"                    \
	" WHERE n.kind = " kind_of_name " AND n.name = lower(" name ")), value))"                  \
	" FROM json_each(resources.json, '$." list "')))) WHERE kind = " kind_of_row               \
	" AND json_type(json, '$." list "') = 'array'"

/* Completes each reference by a NAME alone, if the name is in full_names. */
static const char *const in_full[] = {
	"UPDATE resources SET json = json_set(json, '$.virtual_network', text) FROM full_names n"
	" WHERE resources.kind IN (" KIND_RESOLVER ", " KIND_ZONE_LINK ", " KIND_RULESET_LINK ")"
	" AND n.kind = " KIND_NETWORK " AND n.name = lower(json ->> 'virtual_network')",
	REFER_IN_LIST(KIND_RULESET, "outbound_endpoints", KIND_RESOLVER,
		      "substr(value, 1, instr(value, '/') - 1)",
		      "substr(value, instr(value, '/'))"),
	REFER_IN_LIST(KIND_CLIENT, "networks", KIND_NETWORK, "value", "''"),
	REFER_IN_LIST(KIND_TRANSFER, "zones", KIND_ZONE, "value", "''"),
};

/* The tables of pairs up to version 7, and how a row of each becomes a pair. The use of a rule
 * ("rule RULESET\tNAME") gets the ruleset's full name. */
static const struct {
	const char *table, *pair;
} pair_tables[] = {
	{"secrets", "'secret ' || name, hex(value)"},
	{"serials", "'serial ' || zone, serial || ' ' || reserved || ' ' || digest"},
	{"uses", "'use ' || coalesce((SELECT 'rule ' || text || substr(what, instr(what, char(9)))"
		 " FROM full_names n WHERE n.kind = " KIND_RULESET " AND text NOT LIKE '-/%'"
		 " AND what LIKE 'rule %'"
		 " AND n.name = lower(substr(what, 6, instr(what, char(9)) - 6))), what),"
		 " since || ' ' || used"},
};

static bool has_table(sqlite3 *db, const char *schema, const char *table)
{
	char sql[128];
	int64_t count;

	snprintf(sql, sizeof sql, "SELECT count(*) FROM %s.sqlite_schema WHERE name = '%s'", schema,
		 table);
	return state_read_number(db, sql, &count) == 0 && count > 0;
}

/* Needs the table full_names. */
static int copy_from_tables(sqlite3 *db, const char *from)
{
	int code = SQLITE_OK;

	for (size_t i = 0; code == SQLITE_OK && i < COUNT(pair_tables); i++) {
		char sql[1024];

		snprintf(sql, sizeof sql, "INSERT INTO pairs SELECT %s FROM %s.%s",
			 pair_tables[i].pair, from, pair_tables[i].table);
		if (has_table(db, from, pair_tables[i].table))
			code = execute(db, sql);
	}
	return code;
}

int state_copy_pairs(sqlite3 *db)
{
	int code = execute(db, "DELETE FROM main.pairs");

	if (code == SQLITE_OK && has_table(db, "old", "pairs"))
		return execute(db, "INSERT INTO main.pairs SELECT key, value FROM old.pairs");
	if (code == SQLITE_OK)
		code = execute(db, name_in_full);
	if (code == SQLITE_OK)
		code = copy_from_tables(db, "old");
	return code == SQLITE_OK ? execute(db, "DROP TABLE temp.full_names") : code;
}

static int make_pairs_and_refer_in_full(sqlite3 *db)
{
	int code = execute(db, name_in_full);

	if (code == SQLITE_OK)
		code = copy_from_tables(db, "main");
	for (size_t i = 0; code == SQLITE_OK && i < COUNT(in_full); i++)
		code = execute(db, in_full[i]);
	return code == SQLITE_OK ? execute(db, "DROP TABLE temp.full_names; DROP TABLE secrets;"
					       "DROP TABLE serials; DROP TABLE uses;")
				 : code;
}

/* ---- from each version to the next ---- */

static const struct {
	const char *sql;
	int (*step)(sqlite3 *db); /* runs after sql; returns a result code of SQLite */
} migrations[STATE_VERSION] = {
	{"CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	 "CREATE TABLE owners (id TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL,"
	 " resource_group TEXT, region TEXT, subscription TEXT, address TEXT NOT NULL,"
	 " allocation TEXT NOT NULL, label TEXT, description TEXT, tags TEXT,"
	 " revision INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	 "CREATE TABLE ptrs (owner TEXT PRIMARY KEY, fqdn TEXT NOT NULL, description TEXT,"
	 " ttl INTEGER, revision INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	 "INSERT INTO meta VALUES ('revision', 0);",
	 NULL},
	{"CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;",
	 NULL},
	{"CREATE TABLE resource_groups (name TEXT COLLATE NOCASE PRIMARY KEY, region TEXT, tags "
	 "TEXT,"
	 " revision INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	 "INSERT INTO resource_groups SELECT min(resource_group), min(region), NULL,"
	 " (SELECT max(value, 1) FROM meta WHERE key = 'revision') FROM owners"
	 " WHERE resource_group IS NOT NULL GROUP BY resource_group COLLATE NOCASE;",
	 NULL},
	{"CREATE TABLE serials (zone TEXT PRIMARY KEY, serial INTEGER NOT NULL,"
	 " reserved INTEGER NOT NULL, digest INTEGER NOT NULL) STRICT, WITHOUT ROWID;",
	 NULL},
	{"CREATE TABLE resources (rid INTEGER PRIMARY KEY, kind INTEGER NOT NULL, path TEXT NOT "
	 "NULL,"
	 " revision INTEGER NOT NULL, json TEXT NOT NULL) STRICT;"
	 "CREATE UNIQUE INDEX r_path ON resources(kind, path);"
	 "CREATE TABLE changes (seq INTEGER PRIMARY KEY, revision INTEGER NOT NULL,"
	 " time INTEGER NOT NULL, who TEXT NOT NULL, kind INTEGER NOT NULL, path TEXT NOT NULL,"
	 " before TEXT, after TEXT) STRICT;"
	 "CREATE INDEX c_revision ON changes(revision);",
	 NULL},
	{"ALTER TABLE resources ADD COLUMN id TEXT;"
	 "ALTER TABLE resources ADD COLUMN addr BLOB;"
	 "ALTER TABLE resources ADD COLUMN host TEXT;"
	 "ALTER TABLE resources ADD COLUMN grp TEXT;"
	 "ALTER TABLE resources ADD COLUMN region TEXT;"
	 "ALTER TABLE resources ADD COLUMN ptr TEXT;"
	 "ALTER TABLE resources ADD COLUMN ttl INTEGER;"
	 "ALTER TABLE resources ADD COLUMN ptr_revision INTEGER;"
	 "ALTER TABLE resources ADD COLUMN ptr_action INTEGER;"
	 "CREATE UNIQUE INDEX r_id ON resources(id) WHERE id IS NOT NULL;"
	 "CREATE UNIQUE INDEX r_addr ON resources(addr) WHERE addr IS NOT NULL;"
	 "CREATE UNIQUE INDEX r_host ON resources(host) WHERE host IS NOT NULL;"
	 "CREATE INDEX r_grp ON resources(grp, addr) WHERE grp IS NOT NULL;"
	 "SELECT not_written('kind', kind, id) FROM owners WHERE kind NOT IN ('address', "
	 "'service');"
	 "SELECT not_written('id', id, name) FROM owners WHERE length(id) <> 36;"
	 "SELECT not_written('allocation', allocation, id) FROM owners"
	 " WHERE allocation NOT IN ('dynamic', 'static');"
	 "SELECT not_written('tags', tags, id) FROM owners WHERE tags NOT NULL"
	 " AND CASE WHEN json_valid(tags) THEN json_type(tags) <> 'object' ELSE 1 END;"
	 "SELECT not_written('owner', owner, fqdn) FROM ptrs WHERE length(owner) <> 36;"
	 "SELECT not_written('ttl', ttl, owner) FROM ptrs WHERE ttl NOT BETWEEN 0 AND 2147483647;"
	 "INSERT INTO resources (kind, path, revision, json, id, addr, host, grp, region, ptr, ttl,"
	 " ptr_revision) SELECT " KIND_ADDRESS
	 ", resource_path(coalesce(resource_group, '-'), name),"
	 " max(o.revision, coalesce(p.revision, 0)), json_patch('{}', json_object('name', name,"
	 " 'resource_group', resource_group, 'id', id, 'region', region, 'subscription',"
	 " subscription, 'address', address, 'allocation', allocation, 'domain_name_label', label,"
	 " 'tags', json(tags), 'reverse_fqdn', fqdn, 'description', p.description, 'ttl', ttl)),"
	 " id, address_key(address, id), lower(label || '.' || region),"
	 " lower(coalesce(resource_group, '')), region, fqdn, ttl, p.revision"
	 " FROM owners o LEFT JOIN ptrs p ON p.owner = o.id WHERE o.kind = 'address';"
	 "INSERT INTO resources (kind, path, revision, json, id, addr, ptr, ttl, ptr_revision)"
	 " SELECT " KIND_SERVICE ", resource_path('-', name), max(o.revision, coalesce(p.revision,"
	 " 0)), json_patch('{}', json_object('name', name, 'id', id, 'subscription', subscription,"
	 " 'address', address, 'description', o.description, 'tags', json(tags), 'reverse_fqdn',"
	 " fqdn, 'ptr_description', p.description, 'ttl', ttl)), id, address_key(address, id), "
	 "fqdn,"
	 " ttl, p.revision FROM owners o LEFT JOIN ptrs p ON p.owner = o.id"
	 " WHERE o.kind = 'service';"
	 "INSERT INTO resources (kind, path, revision, json, ptr, ttl, ptr_revision)"
	 " SELECT " KIND_PTR ", owner, revision, json_patch('{}', json_object('reverse_fqdn', fqdn,"
	 " 'description', description, 'ttl', ttl)), fqdn, ttl, revision FROM ptrs"
	 " WHERE owner NOT IN (SELECT id FROM owners);"
	 "INSERT INTO resources (kind, path, revision, json)"
	 " SELECT " KIND_GROUP ", resource_path('-', name), revision, json_patch('{}',"
	 " json_object('name', name, 'region', region, 'tags', json(tags))) FROM resource_groups;"
	 "DROP TABLE owners; DROP TABLE ptrs; DROP TABLE resource_groups;",
	 NULL},
	{"CREATE TABLE uses (what TEXT PRIMARY KEY, since INTEGER NOT NULL,"
	 " used INTEGER NOT NULL) STRICT, WITHOUT ROWID;",
	 NULL},
	{"CREATE TABLE pairs (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;",
	 make_pairs_and_refer_in_full},
};

static int migrate(sqlite3 *db, int64_t version)
{
	char header[96];
	int code = add_functions(db);

	for (; code == SQLITE_OK && version < STATE_VERSION; version++) {
		code = execute(db, migrations[version].sql);
		if (code == SQLITE_OK && migrations[version].step)
			code = migrations[version].step(db);
	}
	snprintf(header, sizeof header, "PRAGMA application_id = %d; PRAGMA user_version = %d;",
		 STATE_APPLICATION, STATE_VERSION);
	return code == SQLITE_OK ? execute(db, header) : code;
}

/* Reads the version. Refuses a file of another program or of a newer version. */
static int read_header(sqlite3 *db, const char *path, int64_t *version,
		       char error[SOURCE_ERROR_MAX])
{
	int64_t application, tables;

	if (state_read_number(db, "PRAGMA application_id", &application) != 0 ||
	    state_read_number(db, "PRAGMA user_version", version) != 0 ||
	    state_read_number(db, "SELECT count(*) FROM sqlite_schema", &tables) != 0)
		return state_explain(db, path, "cannot be read", error);
	if (tables && application != STATE_APPLICATION)
		return refuse(path, "is another program's database", error);
	if (*version < 0 || *version > STATE_VERSION)
		return refuse(path, "was written by a newer version of sluice", error);
	return 0;
}

/* Locks first: if two processes make the same new file, only one makes its tables. */
int state_bring_up_to_date(sqlite3 *db, const char *path, char error[SOURCE_ERROR_MAX])
{
	int64_t version = 0;
	int err;

	if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		err = state_explain(db, path, "cannot be read", error);
	else
		err = read_header(db, path, &version, error);
	if (!err && version < STATE_VERSION && migrate(db, version) != SQLITE_OK)
		err = state_explain(db, path, "cannot be prepared", error);
	if (!err && sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		err = state_explain(db, path, "cannot be prepared", error);
	if (err && !sqlite3_get_autocommit(db))
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return err;
}

/* Takes no lock unless the file is new, because another process may hold the lock for long. */
int state_prepare(sqlite3 *db, const char *path, char error[SOURCE_ERROR_MAX])
{
	int64_t version = 0;
	int err = read_header(db, path, &version, error);

	if (!err && version == 0)
		err = state_bring_up_to_date(db, path, error);
	if (!err && set_modes(db) != SQLITE_OK)
		err = state_explain(db, path, "cannot be written", error);
	return err;
}

int state_examine(sqlite3 *db, const char *path, unsigned *version, char error[SOURCE_ERROR_MAX])
{
	int64_t found = 0;
	int err = read_header(db, path, &found, error);

	*version = err ? 0 : (unsigned)found;
	return err;
}
