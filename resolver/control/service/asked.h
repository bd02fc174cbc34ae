/* The questions that are asked most (resolver/popular.h): of all workers, and of the processes
 * before this one, added up.
 *
 * The book keeps them in the state, so that they outlive a kill, a restart and an upgrade:
 *
 *     a look    every half minute, and at the end
 *     a row     the question in its network, for each half day, and how often; written when it is
 *               new, when an eighth of it is new, and at the end
 *
 * So a kill loses what was asked in the last half minute, and up to an eighth of a count.
 * ASKED_ROWS are kept, those with the most, and none for longer than a day. Without a state, or
 * where count_names is false, nothing is kept, and what was kept goes.
 *
 * The rows stand among those of use_book.h, by keys of their own. A book that is handed over writes
 * nothing: the rows are another process's. The book is the control thread's; the list may be read
 * in any. */
#ifndef SLUICE_ASKED_H
#define SLUICE_ASKED_H

#include <pthread.h>
#include <uv.h>

#include "resolver/control/resource/inventory.h"
#include "resolver/control/service/work.h"
#include "resolver/server/server.h"
#include "rules/arena.h"

enum { ASKED_LOOK_MS = 30 * 1000, ASKED_HALF_S = 12 * 60 * 60, ASKED_ROWS = 1000 };

struct asked {
	struct popular_question question; /* without key.name, which is gone: */
	uint8_t *wire;
	size_t length;
	int64_t half_s; /* when the half day began, since 1970; 0: of all that are kept */
};

struct asked_list {
	struct arena arena;
	struct asked *items; /* the most first */
	size_t count, room;
	bool failed; /* inside */
};

struct asked_row;

struct asked_book {
	struct work_job job; /* first: the look that is under way */
	struct inventory *inventory;
	struct server *server;
	struct work *work;
	void (*on_written)(void *context); /* rows have gone into the state */
	void *context;
	uv_timer_t timer;
	bool loaded, looking, handed_over;
	bool ends;                 /* the look is the last one: all of it is written */
	bool failed;               /* at the last write, and logged */
	struct asked_row *rows;    /* as the state has them, by key */
	struct asked_list now;     /* of the look that is under way */
	pthread_mutex_t lock;      /* of: */
	struct asked_list earlier; /* of the processes before this one */
};

/* In any thread, while the server's workers run. ERR_NOMEM; asked_release ends it either way. */
MUST_CHECK int asked_read(struct asked_list *list, struct asked_book *book);
void asked_release(struct asked_list *list);

/* Where it was asked; false: that network is not served any more. */
bool asked_place(const struct asked *asked, const struct policy *policy, struct place *place);
/* False: no name, which cannot be. */
bool asked_name(const struct asked *asked, const struct policy *policy, struct name *name);

/* Whether the state's row of this key is a question. */
bool asked_is_row(const char *key);

/* ERR_SYSTEM. It must stay where it is. */
MUST_CHECK int asked_book_open(struct asked_book *book, uv_loop_t *loop,
			       struct inventory *inventory, struct server *server,
			       struct work *work, void (*on_written)(void *context), void *context);
/* A look at once, as ahead of the end. */
void asked_book_rest(struct asked_book *book);
/* Rests, and leaves the rows to another process; or takes them, and reads them anew. */
void asked_book_hand_over(struct asked_book *book);
void asked_book_take(struct asked_book *book);
/* When the loop has closed its handles. Fine on one that is zero. */
void asked_book_release(struct asked_book *book);

#endif
