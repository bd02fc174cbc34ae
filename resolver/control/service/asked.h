/* The most frequent questions (resolver/popular.h), added up over all workers and earlier
 * processes.
 *
 * The book keeps them in the state, across kills, restarts and upgrades:
 *
 *     a look    collects and writes the questions: every half minute, and at the end
 *     a row     one question in one network, with its count in a half day; written when it is
 *               new, when an eighth of the count is new, and at the end
 *
 * So a kill loses the questions of the last half minute, and up to an eighth of a count. The
 * ASKED_ROWS rows with the highest counts are kept, for a day at most. Nothing is kept without a
 * state, or if count_names is false, which also removes old rows.
 *
 * The rows are beside those of use_book.h, with keys of their own. A book that was handed over
 * writes nothing, because the rows are another process's. The book is for the control thread; any
 * thread may read the list. */
#ifndef SLUICE_ASKED_H
#define SLUICE_ASKED_H

#include <pthread.h>
#include <uv.h>

#include "resolver/control/service/work.h"
#include "resolver/control/store/store.h"
#include "resolver/server/server.h"
#include "rules/arena.h"

enum { ASKED_LOOK_MS = 30 * 1000, ASKED_HALF_S = 12 * 60 * 60, ASKED_ROWS = 1000 };

struct asked {
	struct popular_question question; /* key.name was only valid in the callback that gave the
					   * question; the name is `wire` */
	uint8_t *wire;
	size_t length;
	int64_t half_s; /* when the half day began, since 1970; 0: all half days */
};

struct asked_list {
	struct arena arena;
	struct asked *items; /* most frequent first */
	size_t count, room;
	bool failed; /* internal: out of memory */
};

struct asked_row;

struct asked_book {
	struct work_job job; /* first member: the look under way */
	struct store *store;
	struct server *server;
	struct work *work;
	void (*on_written)(void *context); /* rows were written to the state */
	void *context;
	uv_timer_t timer;
	bool loaded, looking, handed_over;
	bool ends;                 /* this is the last look, which writes everything */
	bool failed;               /* the last write failed, which was logged */
	struct asked_row *rows;    /* the state's rows, by key */
	struct asked_list now;     /* of the look under way */
	pthread_mutex_t lock;      /* protects `earlier` */
	struct asked_list earlier; /* of earlier processes */
};

/* May be called in any thread while the server's workers run. ERR_NOMEM; asked_release is required
 * either way. */
MUST_CHECK int asked_read(struct asked_list *list, struct asked_book *book);
void asked_release(struct asked_list *list);

/* Where the question was asked; false: in no network, or in one that is no longer served. */
bool asked_place(const struct asked *asked, const struct policy *policy, struct place *place);
/* The question's name; false: no valid name, which cannot happen. */
bool asked_name(const struct asked *asked, const struct policy *policy, struct name *name);

/* Whether the key is that of a question's row. */
bool asked_is_row(const char *key);

/* The book must not move afterwards. ERR_SYSTEM. */
MUST_CHECK int asked_book_open(struct asked_book *book, uv_loop_t *loop, struct store *store,
			       struct server *server, struct work *work,
			       void (*on_written)(void *context), void *context);
/* Looks at once and writes everything, because the process is about to end. */
void asked_book_rest(struct asked_book *book);
/* Looks at once, then leaves the rows to another process; or takes them and reads them anew. */
void asked_book_hand_over(struct asked_book *book);
void asked_book_take(struct asked_book *book);
/* Called after the loop has closed the handles. Fine on a zeroed book. */
void asked_book_release(struct asked_book *book);

#endif
