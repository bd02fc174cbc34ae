/* Since when rules and targets are known, and when they were used last: what tells a rule that
 * nobody needs any more. Nothing is counted for it. The book looks now and then whether the
 * counters that there are anyway (resolver/series.h, endpoints/upstream/target.h) have moved, and
 * keeps what it knows in the state, so that it outlives restarts and upgrades:
 *
 *     a look    every 10 minutes, at the end, and by whoever walks for a report
 *     a row     written when it is new, and when the last use is an hour newer than what is there
 *
 * So a last use is as exact as 10 minutes while the server runs, and as an hour after a restart; a
 * kill may lose an hour of it. Without a state it goes with the process. What is gone from the
 * configuration is forgotten, and begins anew if it comes back: a rule is never said to be unused
 * for longer than it has been there. A rule that is disabled is as one that is gone. What comes
 * back with what its counter had before counts as used then.
 *
 * A book that is handed over writes nothing: the rows are another process's. All of it is the
 * control thread's. */
#ifndef SLUICE_USE_BOOK_H
#define SLUICE_USE_BOOK_H

#include <uv.h>

#include "resolver/control/resource/inventory.h"
#include "resolver/control/service/work.h"
#include "resolver/server/server.h"

enum { USE_LOOK_MS = 10 * 60 * 1000, USE_FIRST_MS = 60 * 1000, USE_GRAIN_S = 60 * 60 };
enum { USE_WALK_RULES = 128 }; /* that a step looks at: a millisecond or two */

/* A walk through all rules and the upstreams of all routes, in steps, with pauses of any length
 * between them. All zero at first. */
struct use_walk {
	uint32_t ruleset;
	size_t rule;
	uint64_t generation; /* of the policy that it began with */
	bool began, moved;   /* moved: there is another policy since, so it may miss some */
};
struct use_walker {
	void (*on_rule)(void *context, const struct rule *rule); /* those enabled */
	/* rule NULL: the default resolver's, or DNS servers of a network. */
	void (*on_upstream)(void *context, const struct upstream *upstream,
			    const struct rule *rule);
	void *context;
};
/* False: it is at its end. */
bool use_walk_step(struct use_walk *walk, const struct snapshot *snapshot,
		   const struct use_walker *walker);

struct use_entry;

struct use_book {
	struct work_job job; /* first: the look that is under way */
	struct inventory *inventory;
	const struct server *server;
	struct work *work;
	void (*on_written)(void *context); /* rows have gone into the state */
	void *context;
	struct use_entry *entries; /* by key */
	uv_timer_t timer;
	bool looking, handed_over;
	bool swept;  /* the state has no rows of what was gone before this process */
	bool failed; /* at the last write, and logged */
	/* Of the look that is under way: */
	struct use_walk walk;
	uint64_t look;
	unsigned seen;
	int64_t now_s;
	struct use_entry **due; /* to be written */
	size_t due_count, due_room;
	char *sweep; /* the key behind which the sweep goes on; NULL: it has not begun */
};

struct use_times {
	int64_t since_s; /* known since */
	int64_t used_s;  /* 0: never */
};

/* ERR_SYSTEM. It must stay where it is. */
MUST_CHECK int use_book_open(struct use_book *book, uv_loop_t *loop, struct inventory *inventory,
			     const struct server *server, struct work *work,
			     void (*on_written)(void *context), void *context);
/* As of now (since 1970). False: it is not counted by itself, or there is no memory. */
bool use_book_rule(struct use_book *book, const struct rule *rule, int64_t now_s,
		   struct use_times *times);
bool use_book_target(struct use_book *book, const struct target *target, int64_t now_s,
		     struct use_times *times);
/* A look at once, as ahead of the end. */
void use_book_rest(struct use_book *book, int64_t now_s);
/* Rests, and leaves the rows to another process; or takes them, and reads them anew. */
void use_book_hand_over(struct use_book *book);
void use_book_take(struct use_book *book);
/* When the loop has closed its handles. Fine on one that is zero. */
void use_book_release(struct use_book *book);

#endif
