/* The served data, and how they change. Every change ends here:
 *
 *     SIGHUP, POST /v1/reload ─► load_model ──┐
 *     resources ─────────────► service_make ──┴─► service_prepare ─► durable ─► service_publish ─┐
 *     resolv.conf ────► load_resolv_conf ──────────────────────────────────────► server_apply ───┤
 *     addresses, PTRs ────► service_make ─► durable ─────────────────────► server_publish_owned ─┤
 *                                                         on_adopted, when all workers have it ◄─┘
 *
 * The workers go on answering while files are read, because they share only published snapshots
 * with the control thread.
 *
 * The service is below the APIs, whose handlers see it; the process (its master, signals, rights
 * and listeners) is above, in process.h. Everything runs on the control thread, except some steps
 * of a large change (service_make). */
#ifndef SLUICE_SERVICE_H
#define SLUICE_SERVICE_H

#include <jansson.h>
#include <stdbool.h>
#include <uv.h>

#include "endpoints/bell.h"
#include "resolver/control/base/wall_clock.h"
#include "resolver/control/config/file_watch.h"
#include "resolver/control/resource/change_error.h"
#include "resolver/control/resource/resources.h"
#include "resolver/control/service/asked.h"
#include "resolver/control/service/commit.h"
#include "resolver/control/service/confirmation.h"
#include "resolver/control/service/load.h"
#include "resolver/control/service/registrar.h"
#include "resolver/control/service/rounds.h"
#include "resolver/control/service/secondary_sockets.h"
#include "resolver/control/service/serial_book.h"
#include "resolver/control/service/turns.h"
#include "resolver/control/service/use_book.h"
#include "resolver/control/service/work.h"
#include "resolver/server/server.h"

/* Access to the management listeners, which are above the service but change with the model. */
struct service_access {
	/* Prepares access for the model, before serving it, to replace that of `before` (NULL:
	 * the first model). An error adds faults, and refuses the model. */
	int (*prepare)(void *context, const struct model *model, const struct model *before,
		       struct faults *faults);
	void (*finish)(void *context, bool served); /* ends a prepare */
	void *context;
};

enum { SERVICE_ASKING = 64 };
struct service_asking { /* a client's requests that make the server send queries (api/asking.h) */
	unsigned open, begun; /* begun: within `second` */
	uint64_t second;
};

struct query_log;

struct service {
	struct load load;
	char *config_path; /* absolute, if that could be determined */
	struct server server;
	struct resources *resources;           /* of the served model */
	struct serial_book serials;            /* serials of zones that secondaries copy */
	struct secondary_sockets *secondaries; /* notifies secondaries and checks their copies */
	struct use_book uses;                  /* when rules and targets were used last */
	struct asked_book asked;               /* the most frequent questions */
	struct rounds *rounds;                 /* background checks of all reverse names */
	struct registrar registrar;            /* names registered by DNS UPDATE */
	struct work work;                      /* requests that take long */
	struct open_commit commit;             /* a change that other servers must agree to */
	struct confirmation confirmation;      /* a change that may be rolled back; opened by the
						* process */
	struct {
		uint64_t succeeded, refused;
		bool last_refused;
	} reloads; /* counted by the process */
	struct {
		int64_t at_s;
		char *text;
	} restart; /* how the server before this one ended unexpectedly, so that the master started
		    * this one; text NULL: it did not */
	struct wall_clock clock;
	struct turns turns; /* of the control thread's loop */
	struct file_watch resolv_conf;
	bool resolv_conf_waits; /* it changed while a thread read the served model */
	struct {
		struct work_job job; /* first */
		struct work_waiter gap;
		struct source *source;
		bool begun;
	} tidying; /* tidies the state's log in a thread, in a gap between long answers */
	struct query_log *query_log; /* the workers' query log (observe/query_log/query_log.h);
				      * NULL: none */
	struct service_asking asking[SERVICE_ASKING];
	struct service_access access; /* without functions if there are no listeners */
	bool beside;    /* another process serves: only reads the state, and sends nothing */
	bool upgrading; /* another process starts beside this one: no changes, unless the start
			 * fails */
	bool resting;   /* another process takes over, or the process ends: no more long waits */
	bool ending;    /* the process is about to end: no new work begins */
	/* internal */
	bool watches;        /* follows resolv.conf */
	struct bell bell;    /* rings when a worker releases a snapshot or sends something */
	uv_timer_t adoption; /* ends the wait for a hanging worker */
	uv_timer_t behind;   /* runs while memory is missing to hand workers the addresses */
	void (*on_adopted)(void *context);
	void *context;
};

enum { SERVICE_TEXT_MAX = 512 };

/* Initializes the service before anything is read; the paths must outlive it. ERR_NOMEM.
 * service_release is required even after an error. */
MUST_CHECK int service_init(struct service *service, const char *config, const char *resolv_conf,
			    bool beside);
/* Prepares to serve with this many workers. Calls on_adopted when all workers answer from the
 * snapshot published last, or one hangs too long, and on_work_end when a long request has ended.
 * ERR_NOMEM, ERR_SYSTEM. service_close must come before the loop is closed, even after an error. */
MUST_CHECK int service_open(struct service *service, uv_loop_t *loop, unsigned workers,
			    void (*on_adopted)(void *context), void (*on_work_end)(void *context),
			    void *context);
/* Whether on_adopted was called for the snapshot published last. */
bool service_all_adopted(const struct service *service);
/* Begins to wait for the snapshot of server.awaited, which the registrar has published. on_adopted
 * follows, unless all workers have the snapshot already (service_all_adopted). */
void service_await(struct service *service);
/* Follows resolv.conf until service_rest, if that is the default resolver. */
void service_follow(struct service *service);

/* A checked model (load_model, next_model_make), ready to be served: its addresses merged with
 * those of the state, its listeners open, its policy compiled, the management listeners prepared.
 * Data that must be durable before the model is served is written between service_prepare and
 * service_publish:
 *
 *     service_prepare ──fails──► faults ───────────────┐
 *           │                                          ├─► service_prepared_release
 *           ├──► durable? yes ──► service_publish ─────┤
 *           └──────────── no ──────────────────────────┘ */
struct service_prepared {
	struct service *service;
	struct model *model;
	struct resources *resources; /* of that model; takes changes until it is published */
	struct snapshot *snapshot;
	bool has_access;
};
/* Prepares the model, which may be the served one. `compiled`: its policy (server_compile); NULL:
 * it is compiled here. After an error faults say why. */
MUST_CHECK int service_prepare(struct service *service, struct model *model,
			       const struct policy *compiled, struct service_prepared *prepared,
			       struct faults *faults);
/* Serves the prepared model and takes it over. `text` gets a one-line summary. */
void service_publish(struct service_prepared *prepared, char text[SERVICE_TEXT_MAX]);
/* Ends every service_prepare, even one that failed; frees everything that was not published, except
 * the model. */
void service_prepared_release(struct service_prepared *prepared);

/* Publishes the table of addresses, unless it is served already. This cannot fail; without memory
 * the workers get the table as soon as there is some. on_adopted follows even if nothing was
 * published (a change of groups), because requests wait for the revision. */
void service_publish_owned(struct service *service);

/* Prepares, publishes and releases, with nothing in between. After an error faults say why, the
 * model is the caller's, and the former one stays served. */
MUST_CHECK int service_serve(struct service *service, struct model *model, struct faults *faults,
			     char text[SERVICE_TEXT_MAX]);

/* ---- service/change.c ---- */

/* A change of resources (resource/kind.h), all or nothing: first durable, then served. Edits are
 * made in order. */
struct service_change {
	const struct resource_edit *edits;
	size_t count;
	/* Instead of `edits`: provides them. It may run in a thread, so it must use only these
	 * resources. ERR_INVALID: the reason is in the change's error. May be NULL. */
	int (*read)(void *context, struct resources *resources, struct service_change *change);
	bool large; /* `read` or `more` may provide many edits */
	/* Provides edits beside the model that come after `edits`, a page at a time, because all of
	 * them may be too many for the memory. Called within the transaction that stores the
	 * change, so it reads what the pages before have left; in a thread if the change is large.
	 * A page is borrowed until the next call. Its texts may be those of `resources`, which
	 * forgets what it has returned after each page. ERR_INVALID: `error` says why. May be NULL.
	 */
	int (*more)(void *context, struct resources *resources, struct edit_page *page,
		    struct change_error *error);
	const char *who;                 /* for the history */
	const struct source_pair *pairs; /* written in the same transaction (store/pairs.h), except
					  * by a rehearsal; `read` may set them */
	size_t pair_count;
	bool again;  /* restores or applies rows (rows.h): name ownership and pools are not checked,
		      * rows that do not fit any more are put and not served, only resources with an
		      * edit are removed, and rows that another program has written to the state are
		      * served as well */
	bool agreed; /* with `again`: the rows are complete, as other servers have them
		      * (commit.h) */
	bool undo;   /* undoes another change (ADDRESSES_UNDO): resources inside a removed one stay
		      * unless they have an edit */
	enum addresses_why why; /* of edits beside the model, without `again` and `undo` */
	bool rehearsal;         /* only finds out what the change would do */
	/* Of a rehearsal: called with the data as the change would leave it, before that is rolled
	 * back. `policy`: of the draft's model; NULL: no edit is of a model, or the change was not
	 * prepared to be served (service_rehearse). May be NULL. */
	void (*look)(void *context, struct resources *draft, const struct policy *policy);
	void *context;
	json_t **rows;     /* out, of a successful rehearsal: the rows that it would write (rows.h),
			    * for the caller to free. NULL: not wanted */
	unsigned wait_s;   /* rolls back unless confirmed within this many seconds; 0: never. The
			    * caller checks confirmation_refusal before */
	uint64_t revision; /* out: the revision of the written rows */
	size_t checked;    /* out: the number of faults before serving; later ones are about
			    * serving, and are logged */
	struct change_error error; /* out, with ERR_INVALID */
	/* Gets the error of each edit that is wrong by itself, so that later edits are checked as
	 * well before the change fails. The index is that in `edits`, or, of an edit of `more`, in
	 * the present page. NULL: the first error ends the change. */
	void (*refuse)(void *context, size_t index, const struct change_error *error);
	size_t failed; /* out, with ERR_INVALID: the index of the first wrong edit, as of `refuse`;
			* NO_EDIT: none */
};
#define NO_EDIT SIZE_MAX
/* ERR_FAULTS: the faults say why the resulting model is refused or cannot be served. ERR_INVALID:
 * the change's error says why the change is not possible now. After an error nothing has changed,
 * except perhaps after CHANGE_UNKNOWN. Faults include warnings about new items
 * (limits_check_change). */
MUST_CHECK int service_change(struct service *service, struct service_change *change,
			      struct faults *faults);
/* service_change for any size: a large change compiles the model and writes the rows in a thread,
 * while other changes wait (work.h). Large means `large`, SERVICE_LARGE edits, or the removal of a
 * resource that can have others inside. Calls on_change once, perhaps before the return. Copies the
 * change, and borrows the data it points to until that call. */
enum { SERVICE_LARGE = 100 }; /* edits */
void service_make(struct service *service, struct service_change *change,
		  service_on_change *on_change, void *context);

/* Rehearses another change (service_change.look) from within service_change.read, in its thread.
 * `resources` must be that given to `read`. Errors are those of service_change. */
MUST_CHECK int service_rehearse(struct service *service, struct resources *resources,
				struct service_change *change, struct faults *faults);

/* Rolls back the change that waits to be confirmed. at_once: now, even if it is large and makes
 * other requests wait. Calls on_back once, perhaps before the return: with NULL, or with the
 * reason why the change is still served and waiting. */
void service_take_back(struct service *service, bool at_once,
		       void (*on_back)(void *context, const char *why), void *context);

/* If the state could not be written, or a row could not be read, tries again (store_try,
 * resources_try_unread), unless a change is under way. Called before reports of the state. */
void service_try_state(struct service *service);

/* For commit.c and change.c: serves the state's present rows. After an error the faults say why,
 * and the former rows stay served. */
MUST_CHECK int service_serve_again(struct service *service, struct faults *faults,
				   char text[SERVICE_TEXT_MAX]);
/* For change.c: a thread that read the served model has ended. */
void service_end_of_thread(struct service *service);

/* service_rest stops the watch of resolv.conf, the rounds and long waits; service_hand_over
 * leaves the state to another process, which serves. */
void service_rest(struct service *service);
void service_hand_over(struct service *service);
/* Takes the state over and serves its rows with the present model. If the state cannot be served,
 * logs that, and goes on with the rows read before; there is no way back. */
void service_take(struct service *service, char text[SERVICE_TEXT_MAX]);

/* After the loop has stopped: finishes open work, and writes serials, uses, questions and
 * renewals. */
void service_finish(struct service *service);
/* Stops the workers; last callbacks of the loop close the rest. */
void service_close(struct service *service);
void service_release(struct service *service);

#endif
