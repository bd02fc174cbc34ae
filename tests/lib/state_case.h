/* For tests of the store: changes in one call, its contents as lines, and files of its older
 * versions. */
#ifndef SLUICE_TESTS_STATE_CASE_H
#define SLUICE_TESTS_STATE_CASE_H

#include "resolver/control/resource/kind.h"
#include "resolver/control/store/state.h"
#include "tests/lib/config_text.h"

/* ---- a state in a directory of its own ---- */

struct state_case {
	struct config_text config; /* for its directory */
	char path[96], log[104];   /* DIRECTORY/state.db, and with -wal */
	char error[SOURCE_ERROR_MAX];
	struct source *source; /* NULL: closed, or opening it failed */
};

/* Does not open the state. */
struct state_case *state_case_new(void);
void state_case_free(struct state_case *world); /* closes it */
void state_case_open(struct state_case *world); /* closes it first if it is open */
/* Checks that the error has this text. */
void state_case_check_error(const struct state_case *world, const char *says);

/* ---- another writer ---- */

void state_exec(const char *path, const char *sql);
/* PRAGMA user_version. */
long state_version(const char *path);

/* ---- what is told, a line for each:
 *      KIND PATH @REVISION JSON ID ADDRESS HOST GROUP REGION | PTR TTL @PTR_REVISION ACTION
 *      with "-" for what is not set; without keys the line ends after JSON ---- */

struct state_lines {
	char text[8192];
	size_t count;
	uint64_t revision; /* of the last one */
	int err;           /* what the callback returns */
};

int tell(void *told, const struct source_resource *resource); /* a callback */

/* The resources of this kind, or (0) of addresses, services, PTRs and groups. They must be
 * readable. */
struct state_lines state_told(struct state_case *world, unsigned kind);
/* The results of find. */
struct state_lines state_found(struct state_case *world, enum source_by by, unsigned kind,
			       const char *text);
struct state_lines state_found_at(struct state_case *world, const char *address);
/* Reads a page into *told; returns the error. */
int state_paged(struct state_case *world, const struct source_page *page, struct state_lines *told);
/* "" for none. */
struct address state_address(const char *text);

/* ---- changes ---- */

struct state_put {
	unsigned kind;
	const char *path, *json;
	struct source_keys keys;
};

/* Puts all in one change, which is rolled back on failure. revision may be NULL. */
int state_try(struct state_case *world, const struct state_put *puts, size_t count,
	      uint64_t *revision);
/* Puts a PTR of no resource with this name; NULL: removes it. */
int state_try_ptr(struct state_case *world, const char *path, const char *name);
uint64_t state_must_ptr(struct state_case *world, const char *path, const char *name);
/* The source's error of the last call; NULL: it succeeded. */
const char *state_trouble(const struct state_case *world);

/* ---- states of older versions ---- */

#define STATE_VERSION_1                                                                            \
	"PRAGMA journal_mode = WAL;"                                                               \
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"  \
	"CREATE TABLE owners (id TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL,"        \
	" resource_group TEXT, region TEXT, subscription TEXT, address TEXT NOT NULL,"             \
	" allocation TEXT NOT NULL, label TEXT, description TEXT, tags TEXT,"                      \
	" revision INTEGER NOT NULL) STRICT, WITHOUT ROWID;"                                       \
	"CREATE TABLE ptrs (owner TEXT PRIMARY KEY, fqdn TEXT NOT NULL, description TEXT,"         \
	" ttl INTEGER, revision INTEGER NOT NULL) STRICT, WITHOUT ROWID;"                          \
	"INSERT INTO meta VALUES ('revision', 41);"                                                \
	"PRAGMA application_id = 1936487779; PRAGMA user_version = 1;"
#define STATE_VERSION_2                                                                            \
	STATE_VERSION_1                                                                            \
	"CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;" \
	"PRAGMA user_version = 2;"
#define STATE_VERSION_3                                                                            \
	STATE_VERSION_2                                                                            \
	"CREATE TABLE resource_groups (name TEXT COLLATE NOCASE PRIMARY KEY, region TEXT,"         \
	" tags TEXT, revision INTEGER NOT NULL) STRICT, WITHOUT ROWID; PRAGMA user_version = 3;"
#define STATE_VERSION_4                                                                            \
	STATE_VERSION_3                                                                            \
	"CREATE TABLE serials (zone TEXT PRIMARY KEY, serial INTEGER NOT NULL,"                    \
	" reserved INTEGER NOT NULL, digest INTEGER NOT NULL) STRICT, WITHOUT ROWID;"              \
	"PRAGMA user_version = 4;"
#define STATE_VERSION_5                                                                            \
	STATE_VERSION_4                                                                            \
	"CREATE TABLE resources (rid INTEGER PRIMARY KEY, kind INTEGER NOT NULL,"                  \
	" path TEXT NOT NULL, revision INTEGER NOT NULL, json TEXT NOT NULL) STRICT;"              \
	"CREATE UNIQUE INDEX r_path ON resources(kind, path);"                                     \
	"CREATE TABLE changes (seq INTEGER PRIMARY KEY, revision INTEGER NOT NULL,"                \
	" time INTEGER NOT NULL, who TEXT NOT NULL, kind INTEGER NOT NULL, path TEXT NOT NULL,"    \
	" before TEXT, after TEXT) STRICT;"                                                        \
	"CREATE INDEX c_revision ON changes(revision); PRAGMA user_version = 5;"

/* Turn a state of version 8 into one of version 6 or 7, without its pairs. */
#define STATE_VERSION_6_OF_8                                                                       \
	"DROP TABLE pairs;"                                                                        \
	"CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;" \
	"CREATE TABLE serials (zone TEXT PRIMARY KEY, serial INTEGER NOT NULL,"                    \
	" reserved INTEGER NOT NULL, digest INTEGER NOT NULL) STRICT, WITHOUT ROWID;"              \
	"PRAGMA user_version = 6;"
#define STATE_VERSION_7_OF_8                                                                       \
	STATE_VERSION_6_OF_8                                                                       \
	"CREATE TABLE uses (what TEXT PRIMARY KEY, since INTEGER NOT NULL,"                        \
	" used INTEGER NOT NULL) STRICT, WITHOUT ROWID; PRAGMA user_version = 7;"

#endif
