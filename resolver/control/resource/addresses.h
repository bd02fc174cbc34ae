/* The home of addresses, cloud services and their PTRs, from the configuration file and from the
 * state. Only the served table (rules/owned/owned.h) is in memory; lookups use the indexes of the
 * state's rows and of the file's, which a statement reads together (store/file_rows.h).
 *
 * Items that the file declares are read-only here, and so are the PTRs that the file gives them
 * (`reverse_fqdn`); if the file gives none, the item's PTR comes from the state like any other.
 * When an address disappears from the file, its PTR waits in the state for the address to return.
 *
 * A `const struct owned_resource *` is valid until resources_forget, which runs before each
 * request: keep the id, not the pointer. */
#ifndef SLUICE_ADDRESSES_H
#define SLUICE_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolver/control/resource/owned_resource.h"
#include "resolver/control/store/file_rows.h"
#include "rules/check/pools.h"
#include "rules/fault.h"
#include "rules/schema/model.h"

struct resources; /* resources.h */

/* ---- lookups, which ignore ASCII case. NULL: not found, or unknown because the state could not be
 * read (resources_trouble) ---- */

/* The path's address or service, or that of the path's PTR; NULL also for a group. */
const struct owned_resource *addresses_find(struct resources *resources, const struct path *path);
/* group NULL or "": addresses in no group. */
const struct owned_resource *addresses_by_name(struct resources *resources, const char *group,
					       const char *name);
const struct owned_resource *services_by_name(struct resources *resources, const char *name);
const struct owned_resource *addresses_by_id(struct resources *resources, const char *id);
const struct owned_resource *addresses_by_address(struct resources *resources,
						  const struct address *address);
/* Finds the address or service of a PTR by its address, its id, or REGION:ID. */
const struct owned_resource *addresses_by_ptr(struct resources *resources, const char *text);
/* Finds by the forward name, with or without the final dot. */
const struct owned_resource *addresses_by_fqdn(struct resources *resources, const char *fqdn);

/* ---- pages: addresses in numeric order, IPv4 first; services by name. A page begins after a key,
 * so changes between two pages do not matter ---- */

/* Fills the page with up to `room` addresses that follow `after` (NULL: from the first); returns
 * their number. */
size_t addresses_after(struct resources *resources, const struct address *after,
		       const struct owned_resource **page, size_t room);
/* addresses_after for a resource group (NULL: addresses in no group). */
size_t addresses_in_group_after(struct resources *resources, const char *group,
				const struct address *after, const struct owned_resource **page,
				size_t room);
size_t services_after(struct resources *resources, const char *after,
		      const struct owned_resource **page, size_t room);
/* The waiting PTRs by the ids of their addresses; each item has only the id and the PTR. The caller
 * frees the array. NULL: none. If a read failed (resources_trouble), some or all are missing. */
const struct owned_resource **ptrs_waiting(struct resources *resources, size_t *count);

/* ---- state and version ---- */

struct addresses_about {
	size_t addresses, services, ptrs; /* in total */
	size_t waiting;                   /* PTRs of the state without an address */
	bool has_state;                   /* management.state is configured */
	const char *state;                /* its path; NULL: none */
	const char *error;                /* why the state cannot be used now; NULL: it can */
};
void addresses_about(const struct resources *resources, struct addresses_about *about);
/* The number of PTR changes that some worker may not serve yet: usually 0, because each worker
 * takes up changes in the next turn of its loop. */
size_t ptrs_pending(const struct resources *resources);
/* The etag of every list of addresses, services and PTRs, quoted; it changes with every change of
 * these and of groups, and survives a restart. Returns text. */
char *addresses_etag(const struct resources *resources, char text[ETAG_MAX]);

/* The table to be served, with a reference for the caller, who gives it to the workers. */
struct owned *addresses_table(const struct resources *resources);
/* Notes that every worker serves the table published last: PENDING becomes ACTIVE. */
void addresses_note_served(struct resources *resources);

/* ---- for resources.c ---- */

struct addresses_counts { /* of the state's resources */
	size_t addresses, services, ptrs;
	size_t refused;  /* how many of them are not served */
	size_t given;    /* PTRs of the state for items that the file declares */
	size_t repeated; /* addresses, services and PTRs that the file repeats exactly; the file's
			  * count, so no other number includes these */
	size_t waiting;  /* PTRs without an address or service */
};

/* Where the next search for a free address begins, by the pool's place in the model. Pools with the
 * same number modulo POOL_CURSORS share a cursor, which costs them time only. */
enum { POOL_CURSORS = 64 };
struct pool_cursors {
	uint32_t at[POOL_CURSORS];
};

struct addresses_past {     /* of the server, whatever its model */
	uint64_t changed;   /* revision of the latest change of addresses, services, PTRs or
			     * groups; 0: none */
	uint64_t published; /* revision of the table that was published last */
	uint64_t served;    /* revision that all workers serve */
	struct pool_cursors cursors;
};

struct addresses { /* of a model */
	struct pools *pools;
	struct file_rows *rows; /* the file's addresses and services */
	uint64_t declared_hash; /* of all that the API shows of these */
	struct owned *owned;    /* the served table */
	struct addresses_counts counts;
	uint64_t latest;  /* the latest revision of a PTR, as of the last full read */
	uint64_t changed; /* revision of the latest change of addresses, services, PTRs or groups,
			   * as of the last full read */
	uint64_t derived; /* a hash of the file's addresses and services, and of the settings that
			   * complete or refuse those of the state */
	bool read; /* all of the state was read, because another program had written to it or a read
		    * had failed */
	struct addresses_past past;
};

/* Fills next->addresses from the file of next->model and the state. The cost is proportional to the
 * items of the file, unless the file is the same. The whole state is read only at the start, after
 * another process has written to it or a read failed, when pools, suffixes or TTLs change, and when
 * the file changes and it, or the file before, repeats resources of the state. A state that cannot
 * be opened or read is a warning and a status: the served resources stay, and changes are refused.
 * A name, address, id, label or PTR in both file and state is a fault that names both; if the file
 * repeats the state's resource exactly, that is a warning, and the file's resource counts. A
 * resource of the state whose address may not be ours (pools_refusal) is a warning, is not served,
 * and its PTR has PTR_ERROR until the address may be ours. ERR_FAULTS, ERR_NOMEM, with a fault. */
MUST_CHECK int addresses_load(struct resources *next, struct faults *faults);
/* Moves the addresses of `next` into the original. */
void addresses_adopt(struct resources *next);
/* The addresses of a model without any. False: no memory. */
bool addresses_init(struct addresses *addresses, const struct model *model);
/* Takes references for a copy that another thread reads; it does not get the served table. */
void addresses_share(struct addresses *addresses);
void addresses_release(struct addresses *addresses);
/* Reads the row of an address, service, PTR or group again; resources_trouble says if that failed.
 * False: the path is not the key of any row, or there is no memory. */
bool addresses_try_row(struct resources *resources, unsigned kind, const char *path);

/* ---- internals of this home ---- */

/* Copies the part before the suffix, in lower case. False: the name does not end in it. */
bool addresses_cut_suffix(const char *name, const char *suffix, char text[NAME_TEXT_MAX]);
/* Finds an address or service of the file, else of the state. */
const struct owned_resource *addresses_search(struct resources *resources, enum source_by by,
					      unsigned kind, const char *text,
					      const struct address *address);
/* The number of the file's item with this id; 0: none. ERR_SYSTEM: resources_trouble. */
MUST_CHECK int addresses_declared_id(struct resources *resources, const char *id, size_t *number);
/* Gives the resource the PTR that the state has for this id. ERR_NOT_FOUND; ERR_SYSTEM
 * (resources_trouble). */
MUST_CHECK int addresses_ptr_row(struct resources *resources, const char *id,
				 struct owned_resource *resource);
/* Why the resource may not be served, in text; NULL: it may. */
const char *addresses_refusal(const struct resources *resources,
			      const struct owned_resource *resource, char text[POOLS_TEXT_MAX]);
/* Makes `owned` the table to be served, as of this revision; takes the reference over. NULL: the
 * present table also serves this revision. */
void addresses_publish(struct resources *resources, struct owned *owned, uint64_t revision);

#endif
