/* The inventory: every address and cloud service, from the configuration file and from the state
 * (which the management API writes), each with its PTR, if it has one.
 *
 *     file ──► model ──► file_rows ─┐             ┌─► found by id, name, address, DNS name
 *                                   ├─► inventory ┤
 *     state ──► rows ───────────────┘      ▲      └─► owned table: workers
 *                              address_draft.h: one draft at a time
 *
 * Only the served table (rules/owned/owned.h) is in memory; lookups use the indexes of the state's
 * rows and of the file's, which a statement reads together (store/file_rows.h).
 *
 * Items that the file declares are read-only here, and so are the PTRs that the file gives them
 * (`reverse_fqdn`); if the file gives none, the item's PTR comes from the state like any other.
 * When an address disappears from the file, its PTR waits in the state for the address to return.
 *
 * Only the control thread uses an inventory; other threads get a copy (inventory_copy). A `const
 * struct owned_resource *` is valid until inventory_forget, which runs before each request: keep
 * the id, not the pointer. */
#ifndef SLUICE_INVENTORY_H
#define SLUICE_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolver/control/resource/owned_resource.h"
#include "resolver/control/store/file_rows.h"
#include "resolver/control/store/store.h"
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

/* ---- pages: addresses in numeric order, IPv4 first; services by name. A page begins after a key,
 * so changes between two pages do not matter ---- */

/* Fills the page with up to `room` addresses that follow `after` (NULL: from the first); returns
 * their number. */
size_t inventory_addresses_after(struct inventory *inventory, const struct address *after,
				 const struct owned_resource **page, size_t room);
/* inventory_addresses_after for a resource group (NULL: addresses in no group). */
size_t inventory_group_after(struct inventory *inventory, const char *group,
			     const struct address *after, const struct owned_resource **page,
			     size_t room);
size_t inventory_services_after(struct inventory *inventory, const char *after,
				const struct owned_resource **page, size_t room);
/* The waiting PTRs by the ids of their addresses; each item has only the id and the PTR. The caller
 * frees the array. NULL: none, or they could not be read (inventory_trouble). */
const struct owned_resource **inventory_waiting(struct inventory *inventory, size_t *count);

/* ---- state and version of the inventory ---- */

struct inventory_about {
	size_t addresses, services, ptrs; /* in total */
	size_t waiting;                   /* PTRs of the state without an address */
	bool has_state;                   /* management.state is configured */
	const char *state;                /* its path; NULL: none */
	const char *error;                /* why the state cannot be used now; NULL: it can */
};
void inventory_about(const struct inventory *inventory, struct inventory_about *about);
/* The number of PTR changes that some worker may not serve yet: usually 0, because each worker
 * takes up changes in the next turn of its loop. */
size_t inventory_pending(const struct inventory *inventory);
/* The model of the file part: regions, suffixes, TTLs, pools. */
const struct model *inventory_model(const struct inventory *inventory);
/* The store that inventory_prepare opens; a copy has its own (store_copy). */
struct store *inventory_store(struct inventory *inventory);
/* The etag of every list of the inventory, quoted; it changes with every change of anything in the
 * inventory, and survives a restart. Returns text. */
char *inventory_etag(const struct inventory *inventory, char text[ETAG_MAX]);

/* Why something could not be read since inventory_forget; NULL: no read has failed. */
const char *inventory_trouble(const struct inventory *inventory);
/* Frees the resources that lookups and pages have returned. Clears inventory_trouble, except in a
 * copy or while a draft is open, because these report it at their end. */
void inventory_forget(struct inventory *inventory);
/* Notes the trouble of a copy as the inventory's, unless it has one. */
void inventory_take_trouble(struct inventory *inventory, const struct inventory *from);
/* Notes which row a change could not read, after store_note_error. `seen_by`: this inventory or the
 * copy that the change has read. */
void inventory_note_unread(struct inventory *inventory, const struct inventory *seen_by);
/* Whether the store's error is about the noted row: only reading that row again can clear it. */
bool inventory_has_unread(const struct inventory *inventory);
/* Reads that row again, and sets or clears the store's error. Calls inventory_forget. */
void inventory_try_unread(struct inventory *inventory);

/* ---- for the service ---- */

/* NULL without memory. */
struct inventory *inventory_new(const struct hash_key *key);
void inventory_free(struct inventory *inventory); /* NULL is fine; closes the source */

/* Combines addresses and services of the model, which limits_check has accepted, with those of the
 * state that model->management.state names (opened by the first call). Returns an inventory of that
 * model, to be read and edited (address_draft.h) beside the served one, over the same connection;
 * inventory_table is the table to serve. The served inventory changes only with inventory_adopt,
 * once the model is served; inventory_prepared_free comes last, either way. NULL: the faults say
 * why. The model must live until the next one is adopted; the current model again is fine.
 *
 * The cost is proportional to the items of the file, unless the file is the same. The whole state
 * is read only at the start, after another process has written to it or a read failed, and when
 * pools, suffixes or TTLs change. A state that cannot be opened or read is a warning and a status:
 * the served resources stay, and changes are refused. A name, address, id, label or PTR in both
 * file and state is a fault that names both; if the file repeats the state's resource exactly, that
 * is a warning, and the file's resource counts. A resource of the state outside all pools is a
 * warning, is not served, and has PTR_ERROR until a pool has it. */
struct inventory *inventory_prepare(struct inventory *inventory, struct model *model,
				    struct faults *faults);
/* The table to be served, with a reference for the caller, who gives it to the workers. */
struct owned *inventory_table(const struct inventory *inventory);
/* Moves the prepared part into the served inventory. */
void inventory_adopt(struct inventory *next);
void inventory_prepared_free(struct inventory *next); /* NULL is fine */

/* A copy to be used beside the inventory. NULL without memory.
 *
 *     ASIDE   for a large change in a thread, over a connection of its own
 *     VIEW    for a thread that only reads, over a snapshot of its own
 *     SAME    for the same thread, over the same connection; the caller may replace its model
 *
 * The control thread makes and frees ASIDE and VIEW. If their connection could not be opened, all
 * reads and changes of the copy fail. */
struct inventory *inventory_copy(struct inventory *inventory, enum store_copy how);
void inventory_copy_free(struct inventory *copy); /* NULL is fine */

/* Notes that every worker serves the table published last: PENDING becomes ACTIVE. */
void inventory_note_served(struct inventory *inventory);

/* For `sluice check`: reports what a reload would find in the model's state, which is only read,
 * beside a running server. A missing state is fine; one that cannot be opened is a warning, as at
 * the start. */
void inventory_check(struct model *model, struct faults *faults);

/* ---- internals, for inventory_load.c, address_draft.c, addresses.c, free_address.c, group.c ----
 */

struct inventory_counts { /* of the state's resources */
	size_t addresses, services, ptrs;
	size_t refused;  /* how many of them are not served */
	size_t given;    /* PTRs of the state for items that the file declares */
	size_t repeated; /* addresses, services and PTRs that the file repeats exactly; the file's
			  * count, so no other number includes these */
	size_t waiting;  /* PTRs without an address or service */
};

struct inventory_part { /* the part of an inventory that belongs to a model */
	struct model *model;
	struct pools *pools;
	struct file_rows *rows; /* the file's addresses and services */
	uint64_t declared_hash; /* of all that the API shows of these */
	struct owned *owned;    /* the served table */
	struct inventory_counts counts;
	uint64_t latest;  /* the latest revision of a PTR, as of the last full read */
	uint64_t changed; /* of the latest change, as of the last full read */
	uint64_t derived; /* a hash of the file's addresses and services, and of the settings that
			   * complete or refuse those of the state */
	bool read; /* all of the state was read, because another program had written to it or a read
		    * had failed */
};

/* Where the next search for a free address begins, by the pool's place in the model. Pools with the
 * same number modulo POOL_CURSORS share a cursor, which costs them time only. */
enum { POOL_CURSORS = 64 };
struct pool_cursors {
	uint32_t at[POOL_CURSORS];
};

struct inventory_row {
	unsigned kind; /* 0: none */
	char path[PATH_MAX_BYTES];
};

struct inventory {
	struct hash_key key;
	struct inventory_part now;
	struct store store;
	struct inventory *of;           /* the original of a copy */
	bool changing;                  /* between addresses_edit and addresses_discard */
	char trouble[SOURCE_ERROR_MAX]; /* inventory_trouble; "": none */
	struct inventory_row troubled;  /* the row that the trouble is about, if it is about one */
	struct inventory_row unread;    /* the row that the store's error is about */
	struct arena shown;             /* resources that were returned */
	uint64_t changed;               /* revision of the latest change of addresses, services,
					 * PTRs or groups; 0: none */
	uint64_t published, served;     /* revisions: published last; served by all workers */
	struct pool_cursors cursors;
};

void inventory_part_release(struct inventory_part *part);
/* The source to read, with the file's rows attached. If the state is configured and cannot be
 * opened, that is noted as trouble, and the source has the file's rows alone. NULL: no memory,
 * which is noted, too. */
struct source *inventory_reader(struct inventory *inventory);
/* Attaches the file's rows of this inventory, because that is not possible within a transaction.
 * The rows of the served inventory are attached, except while another one is prepared. */
void inventory_attach(struct inventory *inventory);
/* Notes that a read has failed, and keeps the first reason. */
void inventory_say_trouble(struct inventory *inventory, const char *why);
/* Notes that the row was not written by sluice (ERR_INVALID), or that memory is out (ERR_NOMEM).
 * Returns err. */
int inventory_complain(struct inventory *inventory, const struct source_resource *row, int err);
/* Copies the part before the suffix, in lower case. False: the name does not end in it. */
bool inventory_cut_suffix(const char *name, const char *suffix, char text[NAME_TEXT_MAX]);
/* Finds an address or service of the file, else of the state. */
const struct owned_resource *inventory_find(struct inventory *inventory, enum source_by by,
					    unsigned kind, const char *text,
					    const struct address *address);
/* The number of the file's item with this id; 0: none. ERR_SYSTEM: inventory_trouble. */
MUST_CHECK int inventory_declared_id(struct inventory *inventory, const char *id, size_t *number);
/* Gives the resource the PTR that the state has for this id. ERR_NOT_FOUND; ERR_SYSTEM
 * (inventory_trouble). */
MUST_CHECK int inventory_ptr_row(struct inventory *inventory, const char *id,
				 struct owned_resource *resource);
/* Why the resource may not be served, in text; NULL: it may. */
const char *inventory_refusal(const struct inventory *inventory,
			      const struct owned_resource *resource, char text[POOLS_TEXT_MAX]);
/* Makes `owned` the table to be served, as of this revision; takes the reference over. NULL: the
 * present table also serves this revision. */
void inventory_publish(struct inventory *inventory, struct owned *owned, uint64_t revision);

#endif
