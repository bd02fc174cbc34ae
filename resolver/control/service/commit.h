/* Ahead of a change of resources, whoever has to agree is asked. A server whose state is its own
 * asks nobody: the transaction of its state decides. Servers that share a log of changes ask that
 * log, which takes its time and may not answer at all:
 *
 *     service_commit ─┬─ no committer ─► service_make ─────────────────────────► on_change
 *                     └─ rehearsed, nothing stays open ─► record ─► committer
 *                            yes      ─► service_apply(record) ────────────────► on_change
 *                            no       ─► nothing has changed ──────────────────► on_change
 *                            unknown  ─► the same record is asked about again, each second
 *
 * The record has the rows that the rehearsal wrote, so that service_apply makes the change here as
 * it makes one that came from another server. It is applied to what is served then, whatever that
 * has become meanwhile (a reload of resolv.conf, say): nothing that was prepared ahead of the
 * answer is kept.
 *
 * While a record is open other changes and reloads wait, as they do for longer work (work.h);
 * reads, DNS and health go on. Whoever asked for the change is told after COMMIT_ANSWER_MS that its
 * outcome is not known. A server that ends waits COMMIT_LAST_MS, and leaves the outcome to the next
 * start.
 *
 * Only the control thread calls. */
#ifndef SLUICE_COMMIT_H
#define SLUICE_COMMIT_H

#include <jansson.h>
#include <stdbool.h>
#include <uv.h>

#include "rules/err.h"

struct faults;
struct service;
struct service_change;

enum { COMMIT_AGAIN_MS = 1000, COMMIT_ANSWER_MS = 10000, COMMIT_LAST_MS = 5000 };

enum commit_answer {
	COMMIT_YES,
	COMMIT_NO,      /* and it never will be */
	COMMIT_UNKNOWN, /* it may have been agreed to */
};

/* `why`: of NO and UNKNOWN, in one line without a final dot. */
typedef void commit_on_answer(void *context, enum commit_answer answer, const char *why);

struct committer {
	/* Asks whether the record is the next change. Calls back once, before it returns or later.
	 * The same record, by its "id", may be asked about again after UNKNOWN, and gets one answer
	 * in the end however often it was asked. It is borrowed until the call back. */
	void (*ask)(struct committer *committer, const json_t *record, commit_on_answer *on_answer,
		    void *context);
	/* There is no call back any more. */
	void (*forget)(struct committer *committer);
};

/* As service_change ended: err is what it returned. Good until this returns. */
typedef void service_on_change(void *context, int err, const struct service_change *change,
			       const struct faults *faults);

struct open_commit {                 /* all zero: none is open */
	struct committer *committer; /* set before the service is opened; NULL: nobody is asked */
	/* inside */
	json_t *record;               /* NULL: none is open */
	service_on_change *on_change; /* NULL: it has been told */
	void *context;
	bool asking; /* the committer has the record */
	uv_timer_t again, late;
};

/* Its handles are closed with the loop's others. */
void commit_open(struct service *service, uv_loop_t *loop);

/* Makes the change as service_make does, where it is agreed to. A rehearsal asks nobody. */
void service_commit(struct service *service, struct service_change *change,
		    service_on_change *on_change, void *context);

/* Makes a change that has been agreed to, here. */
void service_apply(struct service *service, json_t *record, service_on_change *on_change,
		   void *context);

bool commit_is_open(const struct service *service);
/* The process is about to end. */
void commit_rest(struct service *service);

#endif
