/* A change that is rolled back unless somebody confirms it in time: a reload, or a change of
 * resources. The data for a rollback is on disk, beside the state, before the change is served and
 * until it is confirmed:
 *
 *     STATE.unconfirmed/reload    who asked for a reload, when, and how long it waits
 *                       before/   the files served before that reload (config/copy.h)
 *                       change    who asked for a change of resources, when, how long it waits,
 *                                 and its revision; its old rows are in the state's history
 *
 * So a process that starts and finds such a record rolls back, however the last process ended:
 *
 *     reload   copy ─► record ─► served ─► waits ─┬─ confirmed ─► no record
 *                                                 └─ else ─► the copy is served ─► the next reload
 *                                                                                  ─► no record
 *     change   record ─► commit ─► served ─► waits ─┬─ confirmed ─► no record
 *                                                   └─ else ─► a change back ─► no record
 *
 * Only one change waits at a time, and nothing else changes until it is decided: a rollback would
 * take other changes along. A rollback of a reload leaves the operator's file as edited: the former
 * configuration is served, after a restart as well, until a reload reads that file again.
 *
 * Not rolled back: the system's resolv.conf, and secrets and the certificate of the management API
 * whose files were changed before the reload (config/copy.h). Settings that take a restart (`user`)
 * cannot wait to be confirmed. The server can write the copy, so `user`, `group` and `seccomp` come
 * from the configuration file. Only a start at which that file has faults takes the copy's, in a
 * process that is not root or names no user. */
#ifndef SLUICE_CONFIRMATION_H
#define SLUICE_CONFIRMATION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "rules/err.h"

struct source;

enum {
	CONFIRMATION_MAX_S = 24 * 60 * 60,
	CONFIRMATION_WHO_MAX = 256,
	CONFIRMATION_TEXT_MAX = 1024,
	CONFIRMATION_AGAIN_MS = 5000, /* between two attempts at a rollback */
};

enum unconfirmed_kind { UNCONFIRMED_RELOAD, UNCONFIRMED_CHANGE };

struct unconfirmed {
	enum unconfirmed_kind kind;
	char who[CONFIRMATION_WHO_MAX];
	int64_t at_s, until_s; /* since 1970 */
	uint64_t end_ms;       /* `until_s` by uv_hrtime; 0: it began to wait in another process */
	uint64_t revision;     /* of a change */
};

struct confirmation {
	char *directory;        /* NULL: no state */
	char *copy, *copy_file; /* the folder before/, and the copied file in it */
	bool waits, is_back;    /* `waiting` waits; `gone`, a reload, was rolled back */
	struct unconfirmed waiting, gone;
	char error[CONFIRMATION_TEXT_MAX]; /* why the rollback failed; "": it has not */
	uv_timer_t timer;
	void (*on_due)(void *context);
	void *context;
};

/* Sets the paths beside the configured state ("": none). `confirmation` must be all zero.
 * ERR_NOMEM. */
MUST_CHECK int confirmation_place(struct confirmation *confirmation, const char *state);
/* Calls on_due when the time is up. The timer is closed with the loop's other handles. */
void confirmation_open(struct confirmation *confirmation, uv_loop_t *loop,
		       void (*on_due)(void *context), void *context);
void confirmation_release(struct confirmation *confirmation);

/* Says in one line, with advice, which change waits or was rolled back; NULL: none. guarded: for
 * readers, without names of clients. Returns text. */
const char *confirmation_waits(const struct confirmation *confirmation, bool guarded,
			       char text[CONFIRMATION_TEXT_MAX]);
const char *confirmation_is_back(const struct confirmation *confirmation, bool guarded,
				 char text[CONFIRMATION_TEXT_MAX]);
/* Log the line of confirmation_waits, and of confirmation_is_back. */
void confirmation_log_waits(const struct confirmation *confirmation);
void confirmation_log_is_back(const struct confirmation *confirmation);
/* Why no change can wait for confirmation now; NULL: one can. Returns text. */
const char *confirmation_refusal(const struct confirmation *confirmation,
				 char text[CONFIRMATION_TEXT_MAX]);
/* {"what": "reload" or "change", "who", "at", "until", "left_s" (whole seconds until then, by this
 * server's clock), "revision", "error"}. guarded: for readers; leaves out the client's name, and
 * texts that may contain other clients' names. */
json_t *unconfirmed_json(const struct unconfirmed *unconfirmed, const char *error, bool guarded);
/* "the reload by ops", "the change of revision 3 by ops"; guarded: without the client's name. */
enum { UNCONFIRMED_NAME_MAX = CONFIRMATION_WHO_MAX + 64 };
const char *unconfirmed_name(const struct unconfirmed *unconfirmed, bool guarded,
			     char text[UNCONFIRMED_NAME_MAX]);
/* A change that begins now and waits that long. */
struct unconfirmed unconfirmed_now(enum unconfirmed_kind kind, const char *who, unsigned wait_s);

/* ---- on disk; ERR_SYSTEM, ERR_NOMEM: `error` says why ---- */

/* False: no record. An unreadable record counts as none, and is logged. */
bool confirmation_find(const struct confirmation *confirmation, enum unconfirmed_kind kind,
		       struct unconfirmed *found);
MUST_CHECK int confirmation_write(const struct confirmation *confirmation,
				  const struct unconfirmed *unconfirmed,
				  char error[CONFIRMATION_TEXT_MAX]);
/* Removes the record, and the copy of a reload. */
MUST_CHECK int confirmation_remove(const struct confirmation *confirmation,
				   enum unconfirmed_kind kind, char error[CONFIRMATION_TEXT_MAX]);

/* confirmation_make_room makes the folder for the copy; confirmation_forget_copy removes a copy
 * that no rollback needs. */
MUST_CHECK int confirmation_make_room(const struct confirmation *confirmation,
				      char error[CONFIRMATION_TEXT_MAX]);
void confirmation_forget_copy(const struct confirmation *confirmation);

/* The rows that a rollback of the change restores: [{"kind", "path" (its key), "values" (the old
 * ones; null: none)}]. Rows that were changed since, as by a rollback, are left out; empty if the
 * change was never made. NULL: `error` says why the history cannot be read. */
json_t *confirmation_rows(struct source *source, const struct unconfirmed *unconfirmed,
			  char error[CONFIRMATION_TEXT_MAX]);
/* Prints the author of a rollback for the history: "ops, not confirmed". */
enum { UNCONFIRMED_WHO_MAX = CONFIRMATION_WHO_MAX + 32 };
void unconfirmed_who(const struct unconfirmed *unconfirmed, char text[UNCONFIRMED_WHO_MAX]);
/* Rolls back the change while nobody has the state open, and removes the record. ERR_EXISTS, with
 * an empty `error`: it has rows of kinds beside the model, which need a running service. */
MUST_CHECK int confirmation_restore(const struct confirmation *confirmation, const char *state,
				    const struct unconfirmed *unconfirmed,
				    char error[CONFIRMATION_TEXT_MAX]);

/* ---- in memory ---- */

/* The change is durable and waits, even if it cannot be served yet (commit.c). */
void confirmation_begin(struct confirmation *confirmation, const struct unconfirmed *unconfirmed);
/* The change was confirmed, or (`back`) rolled back. */
void confirmation_end(struct confirmation *confirmation, bool back);
/* The rollback failed, and is tried again after wait_ms. */
void confirmation_try_again(struct confirmation *confirmation, unsigned wait_ms);

#endif
