/* Registers names for clients that send DNS UPDATE. The control thread judges the requests, stores
 * the changed sets and serves them:
 *
 *     requests (resolver/update) ─► judge each one by the result of the one before
 *        ▲                            │ changed sets
 *        └── an rcode for each ◄── registered_put, published ◄── all rows in one transaction
 *
 * A client that hears NOERROR may ask any worker, so answers wait until every worker serves the
 * change.
 *
 * Waiting requests are taken together and stored with one sync, so the cost of each falls with
 * their number. Requests that do not fit into a turn of the loop wait for the next turn. Requests
 * that cannot be stored get no answer and are not served; their clients retry. Sets that an
 * operator removes go the same way as a client's delete.
 *
 * A message that would change a set gets BADTIME if the set comes from a message that the same key
 * signed later: the earlier message was held back on its way (renewals.h). A removed set leaves no
 * signing time, so a message held back until after the removal registers it again.
 *
 * A renewal is a message that has a set in it and does not change it. It is only noted in memory,
 * once the zone's clock is marked as open in the state: after a kill, all sets of such a zone count
 * as renewed (renewals.h). A look checks all sets in portions, when renewals must be written or a
 * set may have expired. A set expires if clients may register in its zone and none has renewed the
 * set for `expire` seconds. An expired set is removed like a client's delete, first durably and
 * then from service; an address, its PTR and the DHCID are sets that expire separately. A look runs
 * when the first set may be due, at most a minute late. */
#ifndef SLUICE_REGISTRAR_H
#define SLUICE_REGISTRAR_H

#include <sys/queue.h>
#include <uv.h>

#include "resolver/control/service/registrar_rows.h"
#include "resolver/control/service/renewals.h"
#include "resolver/control/service/work.h"
#include "resolver/control/store/store.h"
#include "resolver/server/server.h"
#include "resolver/update/registration.h"

struct registrar_answers;

struct registrar_look {      /* a pass over all registered sets */
	struct work_job job; /* first */
	bool is_under_way, writes, failed;
	uint64_t generation;    /* of the model at its beginning; another model restarts the look */
	uint64_t now_s, next_s; /* when it began; when the first set seen so far expires */
	size_t place;           /* index of the zone in the table */
	unsigned tree;          /* part of the zone: its own names, in-addr.arpa, ip6.arpa */
	struct zone *zone;      /* the version of the zone under way; NULL: not begun */
	struct zone_cursor cursor;
	size_t expired;                 /* number of removed sets */
	char first[NAME_TEXT_MAX + 16]; /* the first removed set, for the log */
};

struct registrar { /* all zero before registrar_open */
	struct server *server;
	struct store *store;
	struct work *work;
	bool rests; /* another process has the data, or will have it: requests are dropped */
	/* internal */
	struct update_request *waiting, **end; /* until a change under way has ended */
	struct work_waiter waiter;
	uint64_t turn_ns; /* for judging, in one turn of the loop */
	uv_timer_t turn;  /* runs while requests are left for the loop's next turn */
	STAILQ_HEAD(, registrar_answers) answers; /* not sent yet */
	struct registrations *entries;
	uint64_t entries_of; /* generation of the entries' model */
	bool is_read; /* rows of earlier processes were read; until then, requests are dropped if
		       * there is a state */
	struct renewals renewals;
	struct registrar_look look;
	uv_timer_t timer;
	uint64_t look_s;     /* CLOCK_MONOTONIC: when the first set may have expired */
	uint64_t written_s;  /* when renewals were last written */
	uint64_t rules;      /* a hash over all entries: zones and their `expire` */
	uint32_t shortest_s; /* the shortest `expire`; 0: none */
	uint64_t expired;    /* number of expired sets since the start */
};

/* The registrar must not move afterwards. ERR_SYSTEM. */
MUST_CHECK int registrar_open(struct registrar *registrar, uv_loop_t *loop, struct server *server,
			      struct store *store, struct work *work);
/* Called before server_prepare: the first call, and the first after registrar_take, reads the rows
 * that earlier processes stored. A failed read is logged, and tried again by the next call;
 * requests are dropped meanwhile. */
void registrar_recall(struct registrar *registrar);
/* Called after each publication, perhaps of another model: runs or stops clocks, and schedules a
 * look. */
void registrar_published(struct registrar *registrar);
/* Sends the answers that are due; called when a worker may have adopted a snapshot. */
void registrar_send_answers(struct registrar *registrar);
/* Writes all renewals, and drops requests from now on, because the program ends or another process
 * takes over. */
void registrar_rest(struct registrar *registrar);
/* Takes requests again, because the process that had the data has ended; the next registrar_recall
 * reads its rows. */
void registrar_take(struct registrar *registrar);
/* Drops unanswered requests; called before server_release. */
void registrar_close(struct registrar *registrar);

/* ---- removal by an operator (registrar_removal.c) ---- */

enum { REGISTRAR_REMOVE_MAX = 1000 }; /* sets per call, which takes some milliseconds */

struct registrar_set {     /* a set that a client has registered */
	const char *key;   /* the key of its row */
	const char *zone;  /* full name in lower case; the zone may no longer exist */
	const char *owner; /* absolute, as text */
	uint16_t type;
	const char *by; /* "key NAME.", "address IP" */
};

struct registrar_removal {
	const char *zone;        /* full name in lower case; NULL: any zone that has the name */
	const struct name *name; /* NULL: any name of the zone, up to REGISTRAR_REMOVE_MAX sets */
	uint16_t type;           /* 0: any type */
	struct arena *arena;     /* for the sets found */
	/* The sets found, grouped by zone. */
	struct registrar_set *sets;
	size_t count;
	bool more; /* the zone has more */
};
/* Finds the sets. For the addresses of a name it also finds all sets at a reverse name whose
 * only PTR is that name: DHCP servers remove these together. ERR_SYSTEM,
 * ERR_NOMEM: `error` says why. */
MUST_CHECK int registrar_find_sets(struct registrar *registrar, struct registrar_removal *removal,
				   char error[SOURCE_ERROR_MAX]);
/* Removes the sets found in one zone, all or nothing, like a client's delete: first durably, then
 * from service (service_await waits for that). False: another process has the data, memory is
 * missing, or the log says why. */
MUST_CHECK bool registrar_remove_sets(struct registrar *registrar,
				      const struct registrar_removal *removal);

/* Whether the private zone is linked to the network; both are full names. */
bool registrar_is_linked(const struct model *model, const char *zone_name, const char *network);

struct registrar_times {   /* since 1970 */
	int64_t renewed_s; /* the last registration or renewal */
	int64_t expires_s; /* without a renewal; 0: never */
};
struct registrar_times registrar_times(struct registrar *registrar,
				       const struct registrar_row *row);

#endif
