/* What is served, and how that changes. Every change comes here:
 *
 *     SIGHUP, POST /v1/reload ─► load_model ──┐
 *     resources ─────────────► service_make ──┴─► service_prepare ─► durable ─► service_publish ─┐
 *     resolv.conf ────► load_resolv_conf ──────────────────────────────────────► server_apply ───┤
 *     addresses, PTRs ────► service_make ─► durable ───────────────────────► server_serve_owned ─┤
 *                                                         on_settled, when all workers have it ◄─┘
 *
 * Reading files may take a while; the workers go on answering meanwhile, because they share nothing
 * with this thread but what is published.
 *
 * It is below the APIs, whose handlers see it; the process (its master, signals, rights and
 * listeners) is above them, in process.h. All of it runs on the control thread, but for the steps
 * of a large change that service_make names. */
#ifndef SLUICE_SERVICE_H
#define SLUICE_SERVICE_H

#include <jansson.h>
#include <stdbool.h>
#include <uv.h>

#include "endpoints/bell.h"
#include "resolver/control/base/wall_clock.h"
#include "resolver/control/config/file_watch.h"
#include "resolver/control/resource/change.h"
#include "resolver/control/resource/inventory.h"
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

/* Who may use the management listeners, which are above the service: it changes with the model. */
struct service_access {
	/* Ahead of serving the model, in the place of the one before; NULL: the first. An error has
	 * faults, and refuses the model. */
	int (*prepare)(void *context, const struct model *model, const struct model *before,
		       struct faults *faults);
	void (*finish)(void *context, bool served); /* of what was prepared */
	void *context;
};

struct query_log;

struct service {
	struct load load;
	char *config_path; /* the file's, absolute where that could be had */
	struct server server;
	struct inventory *inventory; /* addresses and services, from the file and from the state */
	struct serial_book serials;  /* of zones that go out */
	struct secondary_sockets *secondaries; /* tells them of changes, and asks what they have */
	struct use_book uses;                  /* when rules and targets were used last */
	struct asked_book asked;               /* what is asked for most */
	struct rounds *rounds;                 /* what is asked about all reverse names */
	struct registrar registrar;            /* what clients register by DNS UPDATE */
	struct work work;                      /* requests that take longer */
	struct open_commit commit;             /* a change that others have to agree to */
	struct confirmation confirmation; /* a change that may go back; opened by the process */
	struct {
		uint64_t succeeded, refused;
		bool last_refused;
	} reloads; /* counted by the process */
	struct {
		int64_t at_s;
		char *text;
	} restart; /* why this server was started in the place of one that ended by itself, as the
		    * process knows it; text NULL: it was not */
	struct wall_clock clock;
	struct turns turns; /* of the control thread's loop */
	struct file_watch resolv_conf;
	bool resolv_conf_waits; /* it has changed, while a thread reads what is served */
	struct {
		struct work_job job; /* first */
		struct work_waiter gap;
		struct source *source;
		bool begun;
	} tidying; /* the state's log is put in order in a thread, where no long answer reads it */
	struct query_log *query_log; /* of what the workers answer (query_log/query_log.h); NULL:
				      * nobody  keeps one */
	struct {
		unsigned open, begun; /* begun: in that second */
		uint64_t second;
	} asking;                     /* questions that somebody wants to see being resolved */
	struct service_access access; /* of no functions: nobody has listeners */
	bool beside; /* another process serves: this one only reads the state, and sends nothing */
	bool upgrading; /* another process starts beside this one: nothing may change until it is
			 * known which of the two goes on */
	bool resting; /* another process takes over, or none: no request waits for long any more */
	bool ending;  /* the process is about to end: nothing new begins */
	/* inside */
	bool watches;         /* resolv.conf */
	struct bell bell;     /* a worker has let go of a snapshot, or has something for us */
	uv_timer_t unsettled; /* ends the wait for a worker that hangs */
	void (*on_settled)(void *context);
	void *context;
};

enum { SERVICE_TEXT_MAX = 512 };

/* Before anything is read; the paths must outlive it. ERR_NOMEM. Either way service_release ends
 * it. */
MUST_CHECK int service_init(struct service *service, const char *config, const char *resolv_conf,
			    bool beside);
/* Gets ready to serve with so many workers. on_settled is called when all of them answer from what
 * was published last, or when one hangs for too long; on_work_end when a longer request has ended.
 * ERR_NOMEM, ERR_SYSTEM. Either way service_close comes before the loop is closed. */
MUST_CHECK int service_open(struct service *service, uv_loop_t *loop, unsigned workers,
			    void (*on_settled)(void *context), void (*on_work_end)(void *context),
			    void *context);
/* Whether on_settled has been called for what was published last. */
bool service_is_settled(const struct service *service);
/* Follows resolv.conf, where that is the default resolver, until the service rests. */
void service_follow(struct service *service);

/* A model of load_model made ready to be served: its addresses merged with those of the state, its
 * listeners open, its policy compiled, the management listeners told. What has to be durable ahead
 * of serving it is made so between the two calls:
 *
 *     service_prepare ──fails──► faults ───────────────┐
 *           │                                          ├─► service_prepared_release
 *           ├──► durable? yes ──► service_publish ─────┤
 *           └──────────── no ──────────────────────────┘ */
struct service_prepared {
	struct service *service;
	struct model *model;
	struct inventory *inventory; /* of that model; can be changed until it is published */
	struct snapshot *snapshot;
	bool has_access;
};
/* An error: faults say why. The model may be the one that is served already. `compiled`: its policy
 * (server_compile); NULL: it is compiled here. */
MUST_CHECK int service_prepare(struct service *service, struct model *model,
			       const struct policy *compiled, struct service_prepared *prepared,
			       struct faults *faults);
/* Takes the model over. `text` says in one line what is served. */
void service_publish(struct service_prepared *prepared, char text[SERVICE_TEXT_MAX]);
/* Comes last, whatever service_prepare returned; gives back what was not published, but for the
 * model. */
void service_prepared_release(struct service_prepared *prepared);

/* All of that, where there is nothing to be done in between. An error: faults say why, the model is
 * the caller's, and what was served still is. */
MUST_CHECK int service_serve(struct service *service, struct model *model, struct faults *faults,
			     char text[SERVICE_TEXT_MAX]);

/* ---- service/resources.c ---- */

/* A change of resources (resource/kind.h), all or nothing: durable, then served. The edits are made
 * in their order. */
struct service_edit {
	struct path path;
	const json_t *values; /* as it is to be, whole; NULL: it goes, with all that is inside it,
			       * and nothing is done where it is not there */
};
struct service_change {
	const struct service_edit *edits;
	size_t count;
	/* In their place: gives the edits. It looks into this inventory alone, as it may be called
	 * in a thread. ERR_INVALID: they do not fit, by the change's error. May be NULL. */
	int (*read)(void *context, struct inventory *inventory, struct service_change *change);
	bool large; /* that will be many */
	/* In the place of edits of the inventory's kinds, where these are a list of another form:
	 * makes them, as addresses_put does, in a thread where the change is large. ERR_INVALID:
	 * change_error says why. May be NULL. */
	int (*put)(void *context, struct change *made, struct inventory *inventory);
	const char *who;                 /* for the history */
	const struct source_pair *pairs; /* kept beside the resources (store/pairs.h) in the same
					  * transaction; a rehearsal keeps none. `read` may give
					  * them */
	size_t pair_count;
	bool again;   /* rows are made what they were or will be (rows.h): nobody is asked whose a
		       * name is, no address needs a pool, and nothing goes that has no edit */
	bool agreed;  /* with `again`: these are all rows, as another server has them (commit.h) */
	bool undo;    /* it takes back what another change made (ADDRESSES_UNDO): what is inside
		       * something that goes stays, unless it has an edit */
	bool claimed; /* the name of a service has been found to be ours (api/edit.h) */
	bool rehearsal; /* finds out what it would come to, and changes nothing */
	/* Of a rehearsal: called with what would be served, where that is another model, and with
	 * its policy, if that was compiled; both go when this returns. May be NULL. */
	void (*on_model)(void *context, const struct model *model, const struct policy *compiled);
	/* Of a rehearsal that is made at once: called behind each edit of the inventory's kinds,
	 * while the inventory is as it would be. May be NULL. */
	void (*on_owned)(void *context);
	void *context;
	json_t **rows;     /* out, of a rehearsal that went well: what it would write (rows.h), the
			    * caller's then. NULL: nobody asks */
	unsigned wait_s;   /* goes back unless it is confirmed within so many seconds; 0: it stays.
			    * What confirmation_refusal says is the caller's to ask */
	uint64_t revision; /* out: of what was written */
	size_t checked;    /* out: so many faults were there before it was served; those behind are
			    * what serving it came to, and are logged */
	struct change_error error; /* out, with ERR_INVALID */
	/* Out, with that: all edits that do not fit by themselves, each as "edits[3].address".
	 * `read` adds those that it finds. NULL: the first one ends the change. */
	struct faults *refused;
	size_t failed; /* out, with ERR_INVALID: the edit of `error`; `count`: none */
};
/* Adds the edit's error to `refused`, so that the change goes on to the next edit. False: the
 * change has no `refused`, or no edit could succeed, and the change ends with this error. */
bool service_refuse_edit(struct service_change *change, const struct change_error *error);
/* ERR_FAULTS: what it would make is not allowed, by the faults, or could not be served;
 * ERR_INVALID: it is not possible now, by the error. Nothing has changed then. The faults have
 * warnings, too, of what is new (limits_check_change). */
MUST_CHECK int service_change(struct service *service, struct service_change *change,
			      struct faults *faults);
/* The same, of any size: of what is large, the model is made, and the rows are written, in a
 * thread, while other changes wait (work.h). Large are many edits, and a removal of what has others
 * inside. on_change is called once, before this returns or later, and what the change points to is
 * borrowed until then; the change itself is copied. */
enum { SERVICE_LARGE = 100 }; /* edits */
void service_make(struct service *service, struct service_change *change,
		  service_on_change *on_change, void *context);

/* For service_change.read, in its thread: makes the edits of the change in a draft, calls back with
 * that, and forgets it. The inventory is the one that `read` was given. ERR_FAULTS, ERR_INVALID: as
 * service_change; there is no draft. */
MUST_CHECK int service_draft(struct service *service, struct inventory *inventory,
			     struct service_change *change, struct faults *faults,
			     void (*look)(void *context, struct inventory *draft), void *context);

/* Makes it as it was before the change that waits to be confirmed, which waits no longer. It may be
 * large; at_once: it is made here and now, whatever else waits. on_back is called once, before this
 * returns or later: with NULL, or with the reason why the change is still served, and waits. */
void service_take_back(struct service *service, bool at_once,
		       void (*on_back)(void *context, const char *why), void *context);

/* The values that the state has of a resource. NULL: it has none, or `error` says why they cannot
 * be read. */
json_t *service_values(struct inventory *inventory, const struct path *path,
		       struct change_error *error);

/* Calls back with the row that the state has of the resource, or, where the path has no last name,
 * with those of all in that list. What is returned ends it; ERR_LIMIT is no error. ERR_INVALID: by
 * the error. Of an inventory_view or an inventory_aside in any thread, as the one below. */
MUST_CHECK int service_each_row(struct inventory *inventory, const struct path *path,
				int (*on_row)(void *context, const struct source_resource *row),
				void *context, struct change_error *error);
/* The same with the rows of the path's list that are behind the one that it names (no name: all),
 * in the order of their keys. */
MUST_CHECK int service_each_behind(struct inventory *inventory, const struct path *path,
				   int (*on_row)(void *context, const struct source_resource *row),
				   void *context, struct change_error *error);

/* A thread that has read what is served has ended; for resources.c. */
void service_end_of_thread(struct service *service);

/* Stops following resolv.conf, and asking in rounds; leaves the state to another process, which
 * serves. */
void service_rest(struct service *service);
void service_hand_over(struct service *service);
/* From now on the state is this process's: serves what it has, with the model that is served
 * already. There is no way back: where the state cannot be served, that is logged, and what was
 * read of it before is still served. */
void service_take(struct service *service, char text[SERVICE_TEXT_MAX]);

/* The loop has stopped: finishes what was begun, and writes the serials and the uses. */
void service_finish(struct service *service);
/* Stops the workers; the loop's last callbacks close the rest. */
void service_close(struct service *service);
void service_release(struct service *service);

#endif
