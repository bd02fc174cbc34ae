/* Notes when rules and targets became known, and when they were last used: this shows rules that
 * nobody needs any more. The book needs no counters of its own: from time to time it checks whether
 * existing counters (resolver/series.h, endpoints/upstream/target.h) have moved, and keeps the
 * result in the state, across restarts and upgrades:
 *
 *     a look    checks all counters: every 10 minutes, and at the end
 *     a row     written when it is new, and when the last use is an hour newer than in the row
 *
 * So a last use is exact to 10 minutes while the server runs, and to an hour after a restart; a
 * kill may lose an hour of it. Without a state the times end with the process. A rule or target
 * that leaves the configuration, or a rule that is disabled, is forgotten and begins anew when it
 * comes back: a rule is never said to be unused for longer than it has existed. A counter that
 * still has an old value then counts as a use at that moment.
 *
 * A book that was handed over writes nothing, because the rows are another process's. For the
 * control thread alone. */
#ifndef SLUICE_USE_BOOK_H
#define SLUICE_USE_BOOK_H

#include <uv.h>

#include "resolver/control/service/work.h"
#include "resolver/control/store/store.h"
#include "resolver/server/server.h"

enum { USE_LOOK_MS = 10 * 60 * 1000, USE_FIRST_MS = 60 * 1000, USE_GRAIN_S = 60 * 60 };
enum { USE_WALK_STEP = 128 }; /* targets and rules per step, which takes a millisecond or two */

/* A walk through all targets and then all rules, in steps, with pauses of any length in between.
 * All zero at first. */
struct use_walk {
	size_t target; /* in the snapshot's list */
	uint32_t ruleset;
	size_t rule;
	uint64_t generation; /* of the policy at the beginning */
	bool began, moved;   /* moved: the policy has changed since, so the walk may miss some */
};
struct use_walker {
	/* Not called for disabled rules, nor for targets that only those have. */
	void (*on_target)(void *context, const struct served_target *target);
	void (*on_rule)(void *context, const struct rule *rule);
	void *context;
};
/* False: the walk is complete. */
bool use_walk_step(struct use_walk *walk, const struct snapshot *snapshot,
		   const struct use_walker *walker);

struct use_entry;

struct use_book {
	struct work_job job; /* first member: the look under way */
	struct store *store;
	const struct server *server;
	struct work *work;
	void (*on_written)(void *context); /* rows were written to the state */
	void *context;
	struct use_entry *entries; /* by key */
	uv_timer_t timer;
	bool looking, handed_over;
	bool swept;  /* rows left by earlier processes for removed items are gone */
	bool failed; /* the last write failed, which was logged */
	/* Of the look under way: */
	struct use_walk walk;
	uint64_t look;
	unsigned seen;
	int64_t now_s;
	struct use_entry **due; /* to be written */
	size_t due_count, due_room;
	char *sweep; /* the sweep continues after this key; NULL: not begun */
};

struct use_times {
	int64_t since_s; /* known since */
	int64_t used_s;  /* 0: never */
};

/* The book must not move afterwards. ERR_SYSTEM. */
MUST_CHECK int use_book_open(struct use_book *book, uv_loop_t *loop, struct store *store,
			     const struct server *server, struct work *work,
			     void (*on_written)(void *context), void *context);
/* Checks the counter and gives the times as of now_s (since 1970). False: not counted
 * separately, or out of memory. */
bool use_book_rule(struct use_book *book, const struct rule *rule, int64_t now_s,
		   struct use_times *times);
bool use_book_target(struct use_book *book, const struct target *target, int64_t now_s,
		     struct use_times *times);
/* Looks at once, because the process is about to end. */
void use_book_rest(struct use_book *book, int64_t now_s);
/* Looks at once, then leaves the rows to another process; or takes them and reads them anew. */
void use_book_hand_over(struct use_book *book);
void use_book_take(struct use_book *book);
/* Called after the loop has closed the handles. Fine on a zeroed book. */
void use_book_release(struct use_book *book);

#endif
