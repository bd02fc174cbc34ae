/* Asks for agreement before a change of resources, and, if the outcome of a change is unknown,
 * finds it out later. A server with a state of its own asks nobody: the transaction of its state
 * decides. Servers that share a log of changes ask that log, which takes time and may not answer at
 * all:
 *
 *     service_commit ─┬─ no committer ─► service_make ─────────────────────────► on_change
 *                     └─ rehearsed, then rolled back ─► record ─► committer
 *                            yes      ─► service_apply(record) ────────────────► on_change
 *                            no       ─► nothing has changed ──────────────────► on_change
 *                            unknown  ─► the same record is asked about again, each second
 *
 * The record has the rows that the rehearsal wrote, so that service_apply makes the change here in
 * the same way as one from another server. The served data may have changed meanwhile (by a new
 * resolv.conf, for example), so service_apply prepares the change again.
 *
 * While a record is open, other changes and reloads wait, as for other long work (work.h); reads,
 * DNS and health checks go on. After COMMIT_ANSWER_MS the client hears that the outcome is unknown.
 * A server that ends waits COMMIT_LAST_MS, then leaves the outcome to its next start.
 *
 * The state itself may answer "unknown" if its disk fails at the end of a transaction. The client
 * hears that at once, other changes are refused, and the state is asked again each second:
 *
 *     yes      ─► the state is read and served, as after a change by another program
 *     no       ─► nothing has changed
 *
 * For the control thread alone. */
#ifndef SLUICE_COMMIT_H
#define SLUICE_COMMIT_H

#include <jansson.h>
#include <stdbool.h>
#include <uv.h>

#include "resolver/control/service/confirmation.h"
#include "resolver/control/store/source.h"
#include "rules/err.h"

struct faults;
struct service;
struct service_change;

enum { COMMIT_AGAIN_MS = 1000, COMMIT_ANSWER_MS = 10000, COMMIT_LAST_MS = 5000 };

/* `why`: for NO and UNKNOWN, one line without a final dot. */
typedef void commit_on_answer(void *context, enum commit_answer answer, const char *why);

struct committer {
	/* Asks whether the record is the next change. Calls back once, perhaps before the return,
	 * and borrows the record until then. After UNKNOWN the same record, with the same "id", may
	 * be asked about again; the final answer never depends on the number of questions. */
	void (*ask)(struct committer *committer, const json_t *record, commit_on_answer *on_answer,
		    void *context);
	/* Cancels the callback. */
	void (*forget)(struct committer *committer);
};

/* Gets the result of a change; the arguments are valid only during the call. */
typedef void service_on_change(void *context, int err, const struct service_change *change,
			       const struct faults *faults);

struct open_commit {                 /* all zero: none is open */
	struct committer *committer; /* set before the first change; NULL: nobody is asked */
	/* internal */
	json_t *record;               /* NULL: none is open */
	service_on_change *on_change; /* NULL: was called already */
	void *context;
	bool asking; /* the committer has the record */
	bool agreed; /* the change is being made here; it is not given up any more */
	uv_timer_t again, late;
	struct {
		uv_timer_t again; /* runs while the state's answer is unknown, or its change is not
				   * served yet */
		bool is_kept;     /* the state has the change */
		struct unconfirmed unconfirmed; /* revision 0: the change needs no confirmation */
	} doubt;
};

/* Opens timers, which are closed with the loop's other handles. */
void commit_open(struct service *service, uv_loop_t *loop);

/* Makes the change like service_make, once it is agreed to. A rehearsal asks nobody. */
void service_commit(struct service *service, struct service_change *change,
		    service_on_change *on_change, void *context);

/* Makes an agreed change on this server. */
void service_apply(struct service *service, json_t *record, service_on_change *on_change,
		   void *context);

/* Finds out later whether the change was made; the state has answered COMMIT_UNKNOWN. */
void commit_doubt(struct service *service, const struct unconfirmed *unconfirmed);
bool commit_is_doubtful(const struct service *service);
/* Whether a change that needs no confirmation has an unknown outcome, or is made and not served
 * yet. If another change waits to be confirmed, this one can only be its rollback. */
bool commit_rollback_is_doubtful(const struct service *service);
/* Why no reload may wait for confirmation now, and no other process may take over: a change that
 * needs confirmation has an unknown outcome. NULL: none has. */
const char *commit_doubt_waits(const struct service *service);

bool commit_is_open(const struct service *service);
/* The process is about to end: an open record waits COMMIT_LAST_MS at most. */
void commit_rest(struct service *service);

#endif
