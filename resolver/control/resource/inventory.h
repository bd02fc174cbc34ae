/* The inventory: every address and cloud service, from the configuration file and from the state
 * (which the management API writes), each with its PTR, if it has one; and the resource groups.
 *
 *     file ──► model ──► declared ──┐                 ┌──► found by id, name, address, forward name
 *                                   ├─► inventory ────┤
 *     state ──► rows ───────────────┘      ▲          └──► owned table ──► workers
 *                                  change.h: one change at a time
 *
 * Of the state, only what is served (rules/owned/owned.h) is kept in memory; lookups use the
 * indexes of the state.
 *
 * Items that the file declares are read-only here, and so are the PTRs that the file gives them
 * (`reverse_fqdn`); without that, the PTR of such an item comes from the state like any other. When
 * an address disappears from the file, its PTR waits in the state for the address to return.
 *
 * Only the control thread uses an inventory; other threads get an inventory_aside or
 * inventory_view. A `const struct owned_resource *` is valid until inventory_forget, which runs
 * ahead of each request: keep the id, not the pointer. */
#ifndef SLUICE_INVENTORY_H
#define SLUICE_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolver/control/resource/declared.h"
#include "resolver/control/resource/group.h"
#include "resolver/control/store/source.h"
#include "rules/check/pools.h"
#include "rules/fault.h"
#include "rules/hash.h"
#include "rules/schema/model.h"

struct inventory;

/* ---- lookups, which ignore ASCII case. NULL: not found, or unknown because the state could not be
 * read (inventory_trouble) ---- */

/* group NULL or "": addresses in no group. */
const struct owned_resource *inventory_address(struct inventory *inventory, const char *group,
					       const char *name);
const struct owned_resource *inventory_service(struct inventory *inventory, const char *name);
const struct owned_resource *inventory_by_id(struct inventory *inventory, const char *id);
const struct owned_resource *inventory_by_address(struct inventory *inventory,
						  const struct address *address);
/* Finds the address or service of a PTR by its address, its id, or REGION:ID. */
const struct owned_resource *inventory_by_ptr(struct inventory *inventory, const char *text);
/* Finds by the forward name, with or without the final dot. */
const struct owned_resource *inventory_by_fqdn(struct inventory *inventory, const char *fqdn);

/* ---- pages: addresses in numeric order, IPv4 first; services by name. A page begins behind a key,
 * so changes between two pages do not matter ---- */

/* Fills the page with up to `room` addresses behind `after` (NULL: from the first); returns their
 * number. */
size_t inventory_addresses_after(struct inventory *inventory, const struct address *after,
				 const struct owned_resource **page, size_t room);
/* inventory_addresses_after for a resource group (NULL: addresses in no group). */
size_t inventory_group_after(struct inventory *inventory, const char *group,
			     const struct address *after, const struct owned_resource **page,
			     size_t room);
size_t inventory_services_after(struct inventory *inventory, const char *after,
				const struct owned_resource **page, size_t room);
/* Calls back for each resource of a kind, and forgets each page before the next. A callback that
 * returns an error ends the call with it; ERR_SYSTEM: the resources could not be read
 * (inventory_trouble). */
MUST_CHECK int inventory_each(struct inventory *inventory, unsigned kind,
			      int (*on_resource)(void *context,
						 const struct owned_resource *resource),
			      void *context);
/* The waiting PTRs by the ids of their addresses; each item has only the id and the PTR. The caller
 * frees the array. NULL: none, or they could not be read (inventory_trouble). */
const struct owned_resource **inventory_waiting(struct inventory *inventory, size_t *count);

/* ---- resource groups ---- */

/* False: no such group, not even one that only a resource of the model names. */
bool inventory_group(struct inventory *inventory, const char *name, struct resource_group *group);
/* All groups by name, in an array that the caller frees; NULL without memory. */
struct resource_group *inventory_groups(struct inventory *inventory, size_t *count);
/* How many addresses are in the group, of all subscriptions; name NULL: in no group. */
size_t inventory_group_size(struct inventory *inventory, const char *name);

/* ---- state and version of the inventory ---- */

struct inventory_about {
	size_t addresses, services, ptrs; /* in total */
	size_t waiting;                   /* PTRs of the state without an address */
	bool has_state;                   /* management.state is configured */
	const char *state;                /* its path; NULL: none */
	const char *error;                /* why the state cannot be used now; NULL: it can */
};
void inventory_about(const struct inventory *inventory, struct inventory_about *about);
/* How many changes of PTRs some worker may not have yet: usually none, because workers take changes
 * up in their next loop round. */
size_t inventory_pending(const struct inventory *inventory);
/* The model of the file part: regions, suffixes, TTLs, pools. */
const struct model *inventory_model(const struct inventory *inventory);
/* The state; NULL: none is configured, or it cannot be used now. */
struct source *inventory_source(struct inventory *inventory);
/* The etag of every list of the inventory, quoted; it changes with every change of anything in the
 * inventory, and with a restart. Returns text. */
char *inventory_etag(const struct inventory *inventory, char text[ETAG_MAX]);

/* Why something could not be read since inventory_forget; NULL: no read failed. A change or an
 * aside inventory keeps the reason to its end. */
const char *inventory_trouble(const struct inventory *inventory);
/* Frees the resources that lookups and pages have returned. */
void inventory_forget(struct inventory *inventory);

/* Records why the state has just failed, for the status and the log; NULL: it works. */
void inventory_note_error(struct inventory *inventory, const char *error);

/* ---- for the service ---- */

/* serve publishes an owned table to the workers and takes a reference of its own; it fails only for
 * lack of memory. */
struct inventory_publisher {
	void *context;
	int (*serve)(void *context, struct owned *owned);
};

/* NULL without memory. */
struct inventory *inventory_new(const struct hash_key *key,
				const struct inventory_publisher *publisher);
void inventory_free(struct inventory *inventory); /* NULL is fine; closes the source */

/* Combines addresses and services of the model, which limits_check has accepted, with those of the
 * state that model->management.state names (opened by the first call). Returns an inventory of that
 * model, to be read and changed (change.h) beside the served one, over the same connection;
 * inventory_table has what is to be served. The served inventory changes only with inventory_adopt,
 * once the model is served; inventory_prepared_free comes last, either way. NULL: the faults say
 * why. The model must live until the next one is adopted; the current model again is fine.
 *
 * The cost is proportional to what is new in the file. The whole state is read only at the start,
 * after another process has written to it or a read failed, and when pools, suffixes or TTLs
 * change. A state that cannot be opened or read is a warning and a status: what is served stays,
 * and changes are refused. A name, address, id, label or PTR in both file and state is a fault that
 * names both; if the file repeats the state's resource exactly, that is a warning, and the file's
 * resource counts. A resource of the state outside all pools is a warning, is not served, and has
 * PTR_ERROR until a pool has it. */
struct inventory *inventory_prepare(struct inventory *inventory, struct model *model,
				    struct faults *faults);
/* The table to be served, with a reference for the caller. */
struct owned *inventory_table(const struct inventory *inventory);
/* Moves the prepared part into the served inventory. */
void inventory_adopt(struct inventory *next);
void inventory_prepared_free(struct inventory *next); /* NULL is fine */

/* Opens the state only for reading, because another process writes to it; a state that cannot be
 * opened is a fault. Called before the first reload. After inventory_take the next reload opens the
 * state for writing and reads all of it. */
void inventory_only_look(struct inventory *inventory, enum source_mode mode);
void inventory_take(struct inventory *inventory);
/* Closes the state for good, for another process. Changes are refused with that reason. */
void inventory_hand_over(struct inventory *inventory);

/* Holds the inventory while another thread makes a large change with an inventory_aside, or with
 * what that has read: other changes are refused as busy, no reload runs, and nobody else writes to
 * the state. */
void inventory_hold(struct inventory *inventory, bool held);
bool inventory_is_held(const struct inventory *inventory);
/* A copy with a connection of its own, for a change that another thread makes while the inventory
 * is held. Without a connection, inventory_trouble says why, and every change fails with that
 * reason. NULL without memory. */
struct inventory *inventory_aside(struct inventory *inventory);
void inventory_aside_free(struct inventory *aside); /* NULL is fine; in the control thread */

/* A copy with the model that an open change would make, over the connection of the open
 * transaction, to be read before a rollback. NULL without memory. */
struct inventory *inventory_draft(struct inventory *inventory, struct model *model);
void inventory_draft_free(struct inventory *draft); /* NULL is fine */

/* A snapshot with a connection of its own, for a thread that only reads while others change and
 * reload the inventory. Without a connection, inventory_trouble says why. NULL without memory. Made
 * and freed in the control thread. */
struct inventory *inventory_view(struct inventory *inventory);
void inventory_view_free(struct inventory *view); /* NULL is fine */

/* Notes that every worker serves the table published last: PENDING becomes ACTIVE. */
void inventory_note_served(struct inventory *inventory);

/* For `sluice check`: reports what a reload would find in the model's state, which is only read,
 * beside a running server. A missing state is fine; one that cannot be opened is a warning, as at
 * the start. */
void inventory_check(struct model *model, struct faults *faults);

/* ---- internals, for inventory_load.c and change.c ---- */

struct inventory_part { /* the part of an inventory that belongs to a model */
	struct model *model;
	struct pools *pools;
	struct declared *declared;
	struct owned *owned; /* the served table */
	/* Counts of the state's resources. */
	size_t addresses, services, ptrs;
	size_t refused;  /* how many of them are not served */
	size_t given;    /* PTRs of the state for items that the file declares */
	size_t repeated; /* addresses, services and PTRs that the file repeats exactly; the file's
			  * count, so no other number includes these */
	size_t waiting;  /* PTRs without an address or service */
	uint64_t latest; /* the latest revision of a PTR, as of the last full read */
	bool read;       /* the state differed from what was known, so all of it was read */
};

struct inventory {
	struct hash_key key;
	struct inventory_publisher publisher;
	struct inventory_part now;
	struct source *source;
	struct inventory *of;  /* the original of an aside, a view or a prepared inventory */
	bool wants_state;      /* management.state is configured */
	enum source_mode mode; /* how the state is opened */
	char *state_path;
	char error[SOURCE_ERROR_MAX];   /* why there is no source, or its last error; "": fine */
	char trouble[SOURCE_ERROR_MAX]; /* inventory_trouble; "": none */
	bool stale;                     /* the state must be read before it takes a change */
	bool changing;                  /* between change_begin and change_free */
	bool held;
	struct arena shown;         /* resources that were returned */
	uint64_t version;           /* of everything shown, except the statuses of PTRs */
	uint32_t served_count;      /* wraps around; second half of the list's etag */
	uint64_t published, served; /* revisions: published last; served by all workers */
	unsigned pool_cursor;
};

void inventory_part_release(struct inventory_part *part);
/* A copy with the same part, without a connection to the state. NULL without memory. */
struct inventory *inventory_copy(struct inventory *inventory);
/* Opens the state at its path. ERR_SYSTEM: inventory->error has the reason and the advice to reload
 * (inventory_say_unread). */
MUST_CHECK int inventory_open_state(struct inventory *inventory);
void inventory_say_unread(struct inventory *inventory, const char *why);
/* Says in inventory_trouble that the row was not written by sluice (ERR_INVALID), or that memory is
 * out (ERR_NOMEM). Returns err. */
int inventory_complain(struct inventory *inventory, const struct source_resource *row, int err);
/* Copies the part ahead of the suffix, in lower case. False: the name does not end in it. */
bool inventory_cut_suffix(const char *name, const char *suffix, char text[NAME_TEXT_MAX]);
/* Look up in the state only; `fqdn` has its final dot. */
const struct owned_resource *inventory_find_row(struct inventory *inventory, enum source_by by,
						unsigned kind, const char *text,
						const struct address *address);
const struct owned_resource *inventory_find_fqdn(struct inventory *inventory,
						 const struct reverse_settings *reverse,
						 const char *fqdn);
/* Gives the resource the PTR that the state has for this id. ERR_NOT_FOUND; ERR_SYSTEM
 * (inventory_trouble). */
MUST_CHECK int inventory_ptr_row(struct inventory *inventory, const char *id,
				 struct owned_resource *resource);
/* Why the resource may not be served, in text; NULL: it may. */
const char *inventory_refusal(const struct inventory *inventory,
			      const struct owned_resource *resource, char text[POOLS_TEXT_MAX]);
/* Publishes the table as that of this revision; takes the reference over. ERR_NOMEM: the table will
 * be published with the next one. */
MUST_CHECK int inventory_publish(struct inventory *inventory, struct owned *owned,
				 uint64_t revision);

#endif
