/* This process's connection to the store that management.state names: open to write, open only to
 * read because another process writes, or closed. If it is closed, `error` says why, unless no
 * state is configured.
 *
 *     model ─► store_follow ─► source (source.h) ─┬─► the control thread: reads, and small changes
 *                                                 └─► store_copy: a thread makes a large change,
 *                                                     or reads a snapshot
 *
 * The first model names the store; another store takes a restart. */
#ifndef SLUICE_STORE_H
#define SLUICE_STORE_H

#include "resolver/control/store/source.h"
#include "rules/fault.h"

enum { STORE_URL_MAX = 4096 };

/* How store_copy connects a copy. */
enum store_copy {
	STORE_SAME,  /* over the same connection */
	STORE_ASIDE, /* a connection of its own, joined at the end: for one large change in a
		      * thread, while the store is held */
	STORE_VIEW,  /* a snapshot of its own: for a thread that only reads while others write */
};

struct store {
	struct source *source;   /* NULL: no state is configured, or it cannot be used now */
	struct source *empty;    /* store_empty; NULL: not opened yet */
	struct store *of;        /* in a copy: the original store */
	enum store_copy how;     /* in a copy */
	char url[STORE_URL_MAX]; /* "": no state is configured */
	enum source_mode mode;
	bool followed;                /* store_follow was called: `url` is final */
	bool stale;                   /* the whole state must be read before the next change */
	bool held;                    /* a large change is under way (store_hold) */
	char error[SOURCE_ERROR_MAX]; /* why it cannot be used, or its last error; "": fine */
	bool unread;                  /* the error is of reading, so store_try does nothing */
	uint64_t try_ms;              /* no store_try before this time */
};

/* Opens nothing yet. */
void store_init(struct store *store, enum source_mode mode);
/* Opens the state, unless it is open. The first call's url names it (NULL: none); a later call with
 * another url only gets a warning. If the state cannot be opened, that is a warning at `origin`.
 * Beside another process it is an error, and the result is ERR_FAULTS. */
MUST_CHECK int store_follow(struct store *store, const char *url, const struct origin *origin,
			    struct faults *faults);
/* For `sluice check`: opens the state only to read, beside a running server. False: there is none
 * yet, or it cannot be opened; if the next start could not open or make it either, a warning says
 * why. */
MUST_CHECK bool store_look(struct store *store, const char *url, const struct origin *origin,
			   struct faults *faults);
/* A source without a state, to read attached items of the configuration file. NULL: it could not be
 * opened, as without memory. */
struct source *store_empty(struct store *store);
void store_close(struct store *store);
/* Begins to take the state over from another process: closes it. The next store_follow opens it to
 * write, and the next load reads all of it. */
void store_take(struct store *store);
/* Closes the state for good, for another process. Changes are refused with that reason. */
void store_hand_over(struct store *store);

/* `held` true: a thread works on the store through a copy (STORE_ASIDE), or data that it has read
 * must stay current. Until the call with false, other changes are refused as busy, no reload runs,
 * and nobody else writes. */
void store_hold(struct store *store, bool held);
/* Connects the copy. For ASIDE and VIEW, call this and store_close in the control thread. If no
 * connection can be opened, the copy's `error` says why. */
void store_copy(struct store *copy, struct store *of, enum store_copy how);

/* Sets `error` and logs it. NULL: the store works again. `unread`: a row could not be read, which
 * says nothing of writing. */
void store_note_error(struct store *store, const char *error, bool unread);
/* If a change has failed: tries whether the store can be written again, with a row that is removed
 * at once, and clears or replaces `error`. It waits for the disk, so it tries at most every two
 * seconds. The control thread calls it, while no thread has a copy to change. */
void store_try(struct store *store, uint64_t now_ms);
/* Sets `error` to the reason, with the advice to reload. */
void store_say_unread(struct store *store, const char *why);

#endif
