/* A change that goes back by itself unless somebody confirms it in time: a reload, or a change of
 * resources. What it takes to go back is on disk before the change is served, and until it is
 * confirmed, beside the state:
 *
 *     STATE.unconfirmed/reload    who asked for a reload, when, and until when it waits
 *                       before/   what was served before it, as files (config/copy.h)
 *                       change    the same of a change of resources, with its revision: what was
 *                                 before it is in the state's history
 *
 * So a process that begins and finds one of the two goes back, whatever has ended the one before:
 *
 *     reload   copy ─► record ─► served ─► waits ─┬─ confirmed ─► no record
 *                                                 └─ else ─► the copy is served ─► the next reload
 *                                                                                  ─► no record
 *     change   record ─► commit ─► served ─► waits ─┬─ confirmed ─► no record
 *                                                   └─ else ─► a change back ─► no record
 *
 * One waits at a time, and nothing else changes until it is decided: else going back would take
 * somebody else's change along. (A PTR whose name is being looked up already still comes; nothing
 * that goes back touches it.) A reload that went back leaves the operator's file as it was
 * edited: what was before is served, after a restart, too, until a reload reads that file again.
 *
 * Not taken back: what the system says (resolv.conf), and the secrets and the certificate of the
 * management API, where their files were changed before the reload was asked for (config/copy.h).
 * What takes a restart (the user, say) cannot wait to be confirmed, and `user`, `group` and
 * `seccomp` are never taken from the copy, which is the server's own to write. */
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
	CONFIRMATION_AGAIN_MS = 5000, /* after going back has failed */
};

enum unconfirmed_kind { UNCONFIRMED_RELOAD, UNCONFIRMED_CHANGE };

struct unconfirmed {
	enum unconfirmed_kind kind;
	char who[CONFIRMATION_WHO_MAX];
	int64_t at_s, until_s; /* since 1970 */
	uint64_t revision;     /* of a change */
};

struct confirmation {
	char *directory;        /* NULL: there is no state */
	char *copy, *copy_file; /* before, and its file */
	bool waits, is_back;    /* `waiting` waits; what was before `gone` is served */
	struct unconfirmed waiting, gone;
	char error[CONFIRMATION_TEXT_MAX]; /* why it could not go back yet; "": it was not tried */
	uv_timer_t timer;
	void (*on_due)(void *context);
	void *context;
};

/* All zero at first. Beside that state, as it is configured; "": there is none. ERR_NOMEM. */
MUST_CHECK int confirmation_place(struct confirmation *confirmation, const char *state);
/* on_due is called when the time is up; its handle is closed with the loop's others. */
void confirmation_open(struct confirmation *confirmation, uv_loop_t *loop,
		       void (*on_due)(void *context), void *context);
void confirmation_release(struct confirmation *confirmation);

/* What waits or has gone back, in one line that says what to do; NULL: nothing does. guarded: for a
 * reader, without names of clients. Returns text. */
const char *confirmation_waits(const struct confirmation *confirmation, bool guarded,
			       char text[CONFIRMATION_TEXT_MAX]);
const char *confirmation_is_back(const struct confirmation *confirmation, bool guarded,
				 char text[CONFIRMATION_TEXT_MAX]);
/* Logs that line. */
void confirmation_log_waits(const struct confirmation *confirmation);
void confirmation_log_is_back(const struct confirmation *confirmation);
/* Why no change can wait now; NULL: one can. Returns text. */
const char *confirmation_refusal(const struct confirmation *confirmation,
				 char text[CONFIRMATION_TEXT_MAX]);
/* {"what": "reload" or "change", "who", "at", "until", "left_s" (whole seconds until then, by this
 * server's clock), "revision", "error"}; guarded: for a reader; leaves out the
 * client's name and texts that may contain other clients' names. */
json_t *unconfirmed_json(const struct unconfirmed *unconfirmed, const char *error, bool guarded);
/* "the reload by ops", "the change of revision 3 by ops"; guarded: without the client. */
enum { UNCONFIRMED_NAME_MAX = CONFIRMATION_WHO_MAX + 64 };
const char *unconfirmed_name(const struct unconfirmed *unconfirmed, bool guarded,
			     char text[UNCONFIRMED_NAME_MAX]);
/* One that begins now, and waits that long. */
struct unconfirmed unconfirmed_now(enum unconfirmed_kind kind, const char *who, unsigned wait_s);

/* ---- on disk; ERR_SYSTEM, ERR_NOMEM: `error` says why, and what was there still is ---- */

/* False: there is none. One that cannot be read is none, which is logged. */
bool confirmation_find(const struct confirmation *confirmation, enum unconfirmed_kind kind,
		       struct unconfirmed *found);
MUST_CHECK int confirmation_write(const struct confirmation *confirmation,
				  const struct unconfirmed *unconfirmed,
				  char error[CONFIRMATION_TEXT_MAX]);
/* With the copy, where it is a reload's. */
MUST_CHECK int confirmation_remove(const struct confirmation *confirmation,
				   enum unconfirmed_kind kind, char error[CONFIRMATION_TEXT_MAX]);

/* So that the copy can be written; and the copy goes again, where nothing needs it. */
MUST_CHECK int confirmation_make_room(const struct confirmation *confirmation,
				      char error[CONFIRMATION_TEXT_MAX]);
void confirmation_forget_copy(const struct confirmation *confirmation);

/* What there is to take back of a change: [{"kind", "path" (its key), "values" (as they were
 * before; null: there was none)}]. Without what has changed since, which is all of it where it was
 * taken back; empty where it never came to be. NULL: `error` says why it cannot be read. */
json_t *confirmation_rows(struct source *source, const struct unconfirmed *unconfirmed,
			  char error[CONFIRMATION_TEXT_MAX]);
/* Who the history says has taken it back. */
enum { UNCONFIRMED_WHO_MAX = CONFIRMATION_WHO_MAX + 32 };
void unconfirmed_who(const struct unconfirmed *unconfirmed, char text[UNCONFIRMED_WHO_MAX]);
/* Makes the state as it was before the change, while nobody has it open, and removes the record.
 * ERR_EXISTS, without an error: it takes a service that runs, as addresses and PTRs do. */
MUST_CHECK int confirmation_restore(const struct confirmation *confirmation, const char *state,
				    const struct unconfirmed *unconfirmed,
				    char error[CONFIRMATION_TEXT_MAX]);

/* ---- in memory ---- */

/* It is served, and waits from now on. */
void confirmation_begin(struct confirmation *confirmation, const struct unconfirmed *unconfirmed);
/* It does not wait any more: it is confirmed, or `back`. */
void confirmation_end(struct confirmation *confirmation, bool back);
/* It could not go back: it is tried again. */
void confirmation_try_again(struct confirmation *confirmation, unsigned wait_ms);

#endif
