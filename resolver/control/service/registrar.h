/* What clients register by DNS UPDATE: judged, made durable and served, on the control thread.
 *
 *     requests (resolver/update) ─► judge, one after the other, each by what the one before made
 *        ▲                            │ changed sets
 *        └── an rcode, of each ◄── registered_put, published ◄── all rows in one transaction
 *
 * A client that hears NOERROR may ask any worker, so the answers wait until every worker serves
 * what they are about.
 *
 * All that wait are taken in one go, and stored with one sync: so the more there are, the less each
 * costs. What cannot be stored is left without an answer, and nothing of it is served; its clients
 * come again. What an operator removes goes as what a client deletes.
 *
 * A message that would change a set gets BADTIME where its key has signed, later, the message that
 * the set is from: somebody has held the first one back (renewals.h). Nothing is known of a set
 * that is gone, so a message that was held back until then registers the set again.
 *
 * A renewal is a message that has a set in it and does not change it. It is only noted
 * (renewals.h), once the state says that renewals may be missing after a kill. A look goes over all
 * sets in portions, when renewals are to be written or a set has expired: one whose zone's clients
 * may register and have said nothing of it for `expire` seconds. What has expired goes as what a
 * client deletes, durable and then served; an address, its PTR and the DHCID are sets that expire
 * each by itself. A look comes when the first set may be due, and a minute later at most. */
#ifndef SLUICE_REGISTRAR_H
#define SLUICE_REGISTRAR_H

#include <sys/queue.h>
#include <uv.h>

#include "resolver/control/resource/inventory.h"
#include "resolver/control/service/registrar_rows.h"
#include "resolver/control/service/renewals.h"
#include "resolver/control/service/work.h"
#include "resolver/server/server.h"
#include "resolver/update/registration.h"

struct registrar_answers;

struct registrar_look {      /* over all sets that are registered */
	struct work_job job; /* first */
	bool is_under_way, writes, failed;
	uint64_t generation; /* of the model by which it has begun; with another it begins anew */
	uint64_t now_s, next_s; /* when it began; when the first set is due that it has seen */
	size_t place;           /* of the zone in the table */
	unsigned tree;          /* of the zone: its own, in-addr.arpa, ip6.arpa */
	struct zone *zone;      /* that version of it; NULL: not begun */
	struct zone_cursor cursor;
	size_t expired;                 /* sets that it has removed */
	char first[NAME_TEXT_MAX + 16]; /* of them, for the log */
};

struct registrar { /* opened all zero */
	struct server *server;
	struct inventory *inventory;
	struct work *work;
	bool rests; /* another process has the data, or will: requests are dropped */
	/* inside */
	struct update_request *waiting, **end; /* until a change that is under way has its end */
	struct work_waiter waiter;
	STAILQ_HEAD(, registrar_answers) answers; /* not sent yet */
	struct registrations *entries;
	uint64_t entries_of; /* the generation whose model they are of */
	bool is_read;        /* rows of earlier processes are */
	bool is_unread;      /* they could not be, so requests are dropped until they are */
	struct renewals renewals;
	struct registrar_look look;
	uv_timer_t timer;
	uint64_t look_s;     /* CLOCK_MONOTONIC: when the first set may have expired */
	uint64_t written_s;  /* when renewals were written last */
	uint64_t rules;      /* of all entries: a hash of the zones and how they expire */
	uint32_t shortest_s; /* the least `expire` there is; 0: there is none */
	uint64_t expired;    /* sets, since the start */
};

/* ERR_SYSTEM. It must stay where it is. */
MUST_CHECK int registrar_open(struct registrar *registrar, uv_loop_t *loop, struct server *server,
			      struct inventory *inventory, struct work *work);
/* Ahead of a server_apply: the first goes on from what earlier processes have stored, and so does
 * the next behind registrar_take. Where that cannot be read, it is logged, not served, and tried
 * again ahead of the next. */
void registrar_recall(struct registrar *registrar);
/* Another model is served. */
void registrar_published(struct registrar *registrar);
/* Sends the answers that are due: called when a worker may have adopted what was published. */
void registrar_settle(struct registrar *registrar);
/* Writes all renewals, and takes no more requests: the program ends, or another process takes over.
 */
void registrar_rest(struct registrar *registrar);
/* The process that had the data has ended: requests are taken again, and the next registrar_recall
 * reads what that process has stored. */
void registrar_take(struct registrar *registrar);
/* Drops what has no answer yet; ahead of server_release. */
void registrar_close(struct registrar *registrar);

/* ---- what an operator removes (registrar_removal.c) ---- */

enum { REGISTRAR_REMOVE_MAX = 1000 }; /* sets at once: some milliseconds */

struct registrar_set {     /* a set that a client has registered */
	const char *key;   /* the key of its row */
	const char *zone;  /* full name in lower case, whether there is such a zone or not */
	const char *owner; /* absolute, as text */
	uint16_t type;
	const char *by; /* "key NAME.", "address IP" */
};

struct registrar_removal {
	const char *zone;        /* full name in lower case; NULL: whichever has the name */
	const struct name *name; /* NULL: all of the zone, REGISTRAR_REMOVE_MAX sets of it */
	uint16_t type;           /* of the name's sets; 0: all */
	struct arena *arena;     /* where what is found lives */
	/* What is found, those of one zone one after the other. */
	struct registrar_set *sets;
	size_t count;
	bool more; /* there are more in the zone */
};
/* Finds the sets. With a name's addresses come the reverse names whose only PTR leads back to the
 * name, with all sets there, as DHCP servers remove them. ERR_SYSTEM, ERR_NOMEM: `error` says why.
 */
MUST_CHECK int registrar_find_sets(struct registrar *registrar, struct registrar_removal *removal,
				   char error[SOURCE_ERROR_MAX]);
/* Removes what was found in one zone, all or nothing, as a client's delete does: durable, and then
 * no longer served, which server_all_adopted waits for. False: another process has the data, or the
 * log says why. */
MUST_CHECK bool registrar_remove_sets(struct registrar *registrar,
				      const struct registrar_removal *removal);

/* Whether the private zone is linked to the network; both by their full names. */
bool registrar_is_linked(const struct model *model, const char *zone_name, const char *network);

struct registrar_times {   /* since 1970 */
	int64_t renewed_s; /* when it was registered or renewed last */
	int64_t expires_s; /* unless it is renewed; 0: never */
};
struct registrar_times registrar_times(struct registrar *registrar,
				       const struct registrar_row *row);

#endif
