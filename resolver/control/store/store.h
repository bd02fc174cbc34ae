/* The store that management.state names, as this process has it open: to write, only to read beside
 * another process that writes, or not at all, with the reason.
 *
 *     model ─► store_follow ─► source (source.h) ─┬─► the control thread: reads, and small changes
 *                                                 └─► store_copy: a thread makes a large change,
 *                                                     or reads a snapshot
 *
 * The first model decides which store it is; another one takes a restart. */
#ifndef SLUICE_STORE_H
#define SLUICE_STORE_H

#include "resolver/control/store/source.h"
#include "rules/fault.h"

enum { STORE_URL_MAX = 4096 };

/* How a copy of the store, for a thread or for a draft, is connected. */
enum store_copy {
	STORE_SAME,  /* the same connection; only the trouble is the copy's own */
	STORE_ASIDE, /* a connection for one large change in a thread, while the store is held */
	STORE_VIEW,  /* a snapshot, for a thread that only reads while others write */
};

struct store {
	struct source *source;   /* NULL: no state is configured, or it cannot be used now */
	const struct store *of;  /* of a copy: the store it was made of */
	enum store_copy how;     /* of a copy */
	char url[STORE_URL_MAX]; /* "": no state is configured */
	enum source_mode mode;
	bool followed;                  /* the first model was there: `url` is decided */
	bool stale;                     /* all of it must be read before it takes a change */
	bool held;                      /* a thread makes a large change */
	char error[SOURCE_ERROR_MAX];   /* why it cannot be used, or its last error; "": fine */
	char trouble[SOURCE_ERROR_MAX]; /* store_trouble; "": none */
};

/* Opens the state that the model names (url NULL: none), unless it is open. A state that cannot be
 * opened is a warning at this place, except beside another process, where it is a fault:
 * ERR_FAULTS. */
MUST_CHECK int store_follow(struct store *store, const char *url, const struct origin *origin,
			    struct faults *faults);
/* For `sluice check`: opens the state only to be read, beside a running server. False: there is
 * none yet, or it cannot be opened; a warning says what the next start would meet. */
MUST_CHECK bool store_look(struct store *store, const char *url, const struct origin *origin,
			   struct faults *faults);
void store_close(struct store *store);
/* After another process has written to the state: the next store_follow opens it to write. */
void store_take(struct store *store);
/* Closes the state for good, for another process. Changes are refused with that reason. */
void store_hand_over(struct store *store);

/* Holds the store while a thread makes a large change with a copy (STORE_ASIDE), or with what that
 * has read: other changes are refused as busy, no reload runs, and nobody else writes. */
void store_hold(struct store *store, bool held);
/* The control thread makes a copy, and closes it (store_close). If no connection can be opened, the
 * copy's error says why. */
void store_copy(struct store *copy, const struct store *of, enum store_copy how);

/* Says that the store has just failed, for the status and the log; error NULL: it works. */
void store_note_error(struct store *store, const char *error);
/* Says why the store cannot be used until the configuration is loaded again. */
void store_say_unread(struct store *store, const char *why);

/* Why something could not be read since the trouble was cleared; NULL: no read failed. "Not found"
 * may really be a failed read. */
static inline const char *store_trouble(const struct store *store)
{
	return *store->trouble ? store->trouble : NULL;
}
static inline void store_forget_trouble(struct store *store)
{
	store->trouble[0] = '\0';
}
/* Notes that a read failed, and keeps the first reason. */
void store_say_trouble(struct store *store, const char *why);
/* The source, if there is one to read. A configured state that is not open may have rows that stay
 * unseen: that is trouble. */
struct source *store_reader(struct store *store);

#endif
