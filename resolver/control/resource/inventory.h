/* What is ours: every address and cloud service, from the configuration file and from the state
 * (what the management API keeps), each with the PTR it has, if it has one; and the resource
 * groups.
 *
 *     file ──► model ──► declared ──┐                 ┌──► found by id, name, address, forward name
 *                                   ├─► inventory ────┤
 *     state ──► rows ───────────────┘      ▲          └──► owned table ──► workers
 *                                  change.h: one change at a time
 *
 * Of the state only what is served (rules/owned/owned.h) is kept in memory; questions are answered
 * from its indexes.
 *
 * What the file declares is read-only here, and so is its PTR where the file gives it one
 * (`reverse_fqdn`); where it does not, the PTR comes from the state like any other. A PTR of the
 * state whose address is gone from the file waits there for its return.
 *
 * Owned by the control thread and called by no other, but for inventory_aside. A `const struct
 * owned_resource *` is good until inventory_forget, which comes ahead of each request: keep the id,
 * not the pointer. */
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

/* ---- finding, without regard to ASCII case. NULL: there is none, or it is not known because the
 * state could not be read (inventory_trouble) ---- */

/* group NULL or "": those without one. */
const struct owned_resource *inventory_address(struct inventory *inventory, const char *group,
					       const char *name);
const struct owned_resource *inventory_service(struct inventory *inventory, const char *name);
const struct owned_resource *inventory_by_id(struct inventory *inventory, const char *id);
const struct owned_resource *inventory_by_address(struct inventory *inventory,
						  const struct address *address);
/* What has a PTR: by its address, its id, or REGION:ID. */
const struct owned_resource *inventory_by_ptr(struct inventory *inventory, const char *text);
/* By its forward name, with or without the final dot. */
const struct owned_resource *inventory_by_fqdn(struct inventory *inventory, const char *fqdn);

/* ---- pages: addresses by number, IPv4 first, services by name. A page begins behind a key, so it
 * does not matter what came or went since the page before ---- */

/* Fills the page with those that come next behind this one (NULL: with the first), at most `room`;
 * returns how many. */
size_t inventory_addresses_after(struct inventory *inventory, const struct address *after,
				 const struct owned_resource **page, size_t room);
/* The same of a resource group (NULL: of none). */
size_t inventory_group_after(struct inventory *inventory, const char *group,
			     const struct address *after, const struct owned_resource **page,
			     size_t room);
size_t inventory_services_after(struct inventory *inventory, const char *after,
				const struct owned_resource **page, size_t room);
/* Calls back with all of a kind, page by page, each page forgotten behind it. A callback that
 * returns an error ends the call with it; ERR_SYSTEM: they could not be read (inventory_trouble).
 */
MUST_CHECK int inventory_each(struct inventory *inventory, unsigned kind,
			      int (*on_resource)(void *context,
						 const struct owned_resource *resource),
			      void *context);
/* The PTRs that wait, by the ids of their addresses; each with nothing but the id and the PTR. The
 * array is freed by the caller. NULL: there are none, or they could not be read
 * (inventory_trouble). */
const struct owned_resource **inventory_waiting(struct inventory *inventory, size_t *count);

/* ---- resource groups ---- */

/* False: there is no such group, not even one that only a resource of the model names. */
bool inventory_group(struct inventory *inventory, const char *name, struct resource_group *group);
/* All of them by name: an array that the caller frees; NULL without memory. */
struct resource_group *inventory_groups(struct inventory *inventory, size_t *count);
/* How many addresses are in it, of whichever subscription; name NULL: in none. */
size_t inventory_group_size(struct inventory *inventory, const char *name);

/* ---- how it is ---- */

struct inventory_about {
	size_t addresses, services, ptrs; /* in all */
	size_t waiting;                   /* PTRs of the state without an address */
	bool has_state;                   /* management.state is configured */
	const char *state;                /* its path; NULL: none */
	const char *error;                /* why the state cannot be used now; NULL: it can */
};
void inventory_about(const struct inventory *inventory, struct inventory_about *about);
/* How many changes of PTRs some worker may not have yet: usually none, since it takes them up in
 * its next loop round. */
size_t inventory_pending(const struct inventory *inventory);
/* The model that the file part came from: regions, suffixes, TTLs, pools. */
const struct model *inventory_model(const struct inventory *inventory);
/* The state; NULL: there is none, or it cannot be used now. */
struct source *inventory_source(struct inventory *inventory);
/* The entity tag of any list of what is ours, quoted: another one after every change of anything in
 * it, and after a restart. Returns text. */
char *inventory_etag(const struct inventory *inventory, char text[ETAG_MAX]);

/* Why something could not be read since inventory_forget; NULL: everything could. Of a change, and
 * of an inventory aside, it stays to the end. */
const char *inventory_trouble(const struct inventory *inventory);
/* Frees what was handed out. */
void inventory_forget(struct inventory *inventory);

/* Why the state has just failed, for the status and the log; NULL: it has not. */
void inventory_note_error(struct inventory *inventory, const char *error);

/* ---- for the service ---- */

/* serve publishes an owned table, of which it takes a reference of its own, to the workers; it
 * fails only for lack of memory. */
struct inventory_publisher {
	void *context;
	int (*serve)(void *context, struct owned *owned);
};

/* NULL without memory. */
struct inventory *inventory_new(const struct hash_key *key,
				const struct inventory_publisher *publisher);
void inventory_free(struct inventory *inventory); /* NULL is fine; closes the source */

/* Puts the model's addresses and services, which limits_check has found good, together with those
 * of the state that model->management.state names, which the first one opens. What comes of it is
 * an inventory of that model, to be looked at and changed (change.h) beside the one that is
 * served, by the same connection; inventory_table has what is to be served. Nothing moves until
 * inventory_adopt, when the model is served; inventory_prepared_free comes last, either way. NULL:
 * the faults say why. The model must live until the next one is adopted; the current model again is
 * fine.
 *
 * It costs what is new in the file. The state is read as a whole at the start, after somebody else
 * has written to it or it could not be read, and where pools, suffixes or TTLs have changed. A
 * state that cannot be opened or read is a warning and a status: what is served stays, and changes
 * are refused. A name, address, id, label or PTR in both is a fault that names both, unless
 * the file says the same of all that the state has, which is a warning: it is the file's. One
 * of the state without a pool is a warning, is not served, and has PTR_ERROR until it has one. */
struct inventory *inventory_prepare(struct inventory *inventory, struct model *model,
				    struct faults *faults);
/* A reference for the caller. */
struct owned *inventory_table(const struct inventory *inventory);
/* From now on that is what the inventory has. */
void inventory_adopt(struct inventory *next);
void inventory_prepared_free(struct inventory *next); /* NULL is fine */

/* Another process writes to the state: it is opened to be read only, and one that cannot be is a
 * fault. Called before the first reload. After inventory_take the next reload opens it to write,
 * and reads it again. */
void inventory_only_look(struct inventory *inventory, enum source_mode mode);
void inventory_take(struct inventory *inventory);
/* Closes the state for good: it is another process's. Changes are refused with that reason. */
void inventory_hand_over(struct inventory *inventory);

/* While it is held a large change is made, in another thread with an inventory_aside, or of what
 * that has looked at: other changes are refused as busy, there is no reload, and nobody else writes
 * to the state. */
void inventory_hold(struct inventory *inventory, bool held);
bool inventory_is_held(const struct inventory *inventory);
/* The same, for a change that is made in another thread while this one is held: with a connection
 * of its own. Where none can be opened, inventory_trouble says why, and so does every change. NULL
 * without memory. */
struct inventory *inventory_aside(struct inventory *inventory);
void inventory_aside_free(struct inventory *aside); /* NULL is fine; in the control thread */

/* The same with the model that an open change would make, by the connection that has its
 * transaction open, to be looked at before that is rolled back. NULL without memory. */
struct inventory *inventory_draft(struct inventory *inventory, struct model *model);
void inventory_draft_free(struct inventory *draft); /* NULL is fine */

/* As all of it is now, for a thread that only reads, while others change it and reload: with a
 * connection of its own. Where none can be opened, inventory_trouble says why. NULL without memory.
 * Both in the control thread. */
struct inventory *inventory_view(struct inventory *inventory);
void inventory_view_free(struct inventory *view); /* NULL is fine */

/* Every worker serves what was published last: what was PENDING is ACTIVE. */
void inventory_settle(struct inventory *inventory);

/* What a reload would find of the state that the model names, for `sluice check`: it is read and
 * not written, beside a server that runs. One that is not there yet is fine; one that cannot be
 * opened is a warning, as at the start. */
void inventory_check(struct model *model, struct faults *faults);

/* ---- inside, for inventory_load.c and change.c ---- */

struct inventory_part { /* what belongs to a model */
	struct model *model;
	struct pools *pools;
	struct declared *declared;
	struct owned *owned; /* that is served */
	/* Of the state. */
	size_t addresses, services, ptrs;
	size_t refused;  /* of them, not served */
	size_t given;    /* PTRs of what the file declares */
	size_t repeated; /* addresses, services and PTRs of which the file says the same, and which
			  * are the file's; in none of the numbers above */
	size_t waiting;  /* PTRs to nobody's */
	uint64_t latest; /* revision at which a PTR was changed last, where all of it was read */
	bool read;       /* the state was not what had been read before, and was read again */
};

struct inventory {
	struct hash_key key;
	struct inventory_publisher publisher;
	struct inventory_part now;
	struct source *source;
	struct inventory *of;  /* aside, a view, or prepared: whose it is */
	bool wants_state;      /* management.state is configured */
	enum source_mode mode; /* how it is opened */
	char *state_path;
	char error[SOURCE_ERROR_MAX];   /* why there is no source, or what it said last; "": fine */
	char trouble[SOURCE_ERROR_MAX]; /* inventory_trouble; "": none */
	bool stale;                     /* the state must be read before it takes a change */
	bool changing;                  /* between change_begin and change_free */
	bool held;
	struct arena shown;          /* what was handed out */
	uint64_t edits;              /* of the state, that have been made, committed or undone */
	uint64_t version;            /* of all that is shown but how PTRs fare */
	uint32_t settlings;          /* how often that has changed, too, round and round */
	uint64_t published, settled; /* revisions: of what was published last, and what all workers
				      * have */
	unsigned pool_cursor;
};

void inventory_part_release(struct inventory_part *part);
/* Once more, of the same part, without a connection to the state. NULL without memory. */
struct inventory *inventory_copy(struct inventory *inventory);
/* Opens the state at its path. ERR_SYSTEM: inventory->error says why, as inventory_say_unread does:
 * that, and a reload when it has been seen to. */
MUST_CHECK int inventory_open_state(struct inventory *inventory);
void inventory_say_unread(struct inventory *inventory, const char *why);
/* Says of a row (inventory_trouble) that it was not written by sluice (ERR_INVALID), or ERR_NOMEM.
 * Returns err. */
int inventory_complain(struct inventory *inventory, const struct source_resource *row, int err);
/* What is ahead of the suffix, in lower case. False: the name does not end in it. */
bool inventory_cut_suffix(const char *name, const char *suffix, char text[NAME_TEXT_MAX]);
/* In the state alone; by a forward name with its final dot. */
const struct owned_resource *inventory_find_row(struct inventory *inventory, enum source_by by,
						unsigned kind, const char *text,
						const struct address *address);
const struct owned_resource *inventory_find_fqdn(struct inventory *inventory,
						 const struct reverse_settings *reverse,
						 const char *fqdn);
/* The PTR of this id, as the state has it, becomes the PTR of the resource. ERR_NOT_FOUND;
 * ERR_SYSTEM (inventory_trouble). */
MUST_CHECK int inventory_ptr_row(struct inventory *inventory, const char *id,
				 struct owned_resource *resource);
/* Whether it may be served at all; the reason in text when not. */
const char *inventory_refusal(const struct inventory *inventory,
			      const struct owned_resource *resource, char text[POOLS_TEXT_MAX]);
/* The table is what is served from now on, by what has this revision; the reference is taken over.
 * ERR_NOMEM: it will be with the next one. */
MUST_CHECK int inventory_publish(struct inventory *inventory, struct owned *owned,
				 uint64_t revision);

#endif
