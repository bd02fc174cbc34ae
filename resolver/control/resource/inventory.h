/* What is ours: every address and cloud service, from the configuration file and from the state
 * (what the management API keeps), each with the PTR it has, if it has one.
 *
 *     file ──► model ──┐                       ┌──► by id, name, address, forward name
 *                      ├─► inventory_reload ─► book
 *     state ─► source ─┘                       └──► owned table (rules/owned/owned.h) ─► workers
 *                             change.h: one change at a time
 *
 * An owner that the file declares is read-only here, and so is its PTR where the file gives it one
 * (`reverse_fqdn`); where it does not, the PTR comes from the state like any other. A PTR of the
 * state whose owner is gone from the file waits there for its return.
 *
 * Owned by the control thread and called by no other. A `const struct owner *` is good until the
 * next change or reload: keep the id, not the pointer. */
#ifndef SLUICE_INVENTORY_H
#define SLUICE_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolver/control/resource/owner.h"
#include "rules/fault.h"
#include "rules/hash.h"
#include "rules/schema/model.h"

struct inventory;
struct owned;

/* ---- finding; without regard to ASCII case; NULL when there is none ---- */

/* group NULL or "": those without one. */
const struct owner *inventory_address(const struct inventory *inventory, const char *group,
				      const char *name);
const struct owner *inventory_service(const struct inventory *inventory, const char *name);
const struct owner *inventory_by_id(const struct inventory *inventory, const char *id);
const struct owner *inventory_by_address(const struct inventory *inventory,
					 const struct address *address);
/* By its forward name, with or without the final dot. */
const struct owner *inventory_by_fqdn(const struct inventory *inventory, const char *fqdn);

/* ---- how it is ---- */

struct inventory_about {
	size_t addresses, services, ptrs; /* in all */
	size_t waiting;                   /* PTRs of the state without an owner */
	bool has_state;                   /* management.state is configured */
	const char *state;                /* its path; NULL: none */
	const char *error;                /* why the state cannot be used now; NULL: it can */
};
void inventory_about(const struct inventory *inventory, struct inventory_about *about);
/* The model that the file part came from: regions, suffixes, TTLs, pools. */
const struct model *inventory_model(const struct inventory *inventory);

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

/* Opens what model->management.state names, once, at the start; nothing is done without it. A state
 * that cannot be opened is a warning, and a status: what the file says is served all the same, and
 * changes are refused with the reason. */
void inventory_open(struct inventory *inventory, const struct model *model, struct faults *faults);

/* Merges the model's addresses and services, which limits_check has found good, with the state's.
 * It costs what the file has of them, and what of the state is served otherwise than before; the
 * store is read only when it has others than are at hand, and one that cannot be read is a warning:
 * what is known of it goes on being served, and changes are refused. Nothing moves yet: the owned
 * table made of both goes to *owned (a reference for the caller), the merged book waits for
 * inventory_adopt, when the model is served, or inventory_abandon. The model must live until the
 * next one is adopted; the current model again is fine. One name, address, id, label or PTR in both
 * is a fault that names both; a state owner that has no pool any more is a warning, is not served
 * and keeps PTR_ERROR until it has one. */
MUST_CHECK int inventory_reload(struct inventory *inventory, const struct model *model,
				struct owned **owned, struct faults *faults);
void inventory_adopt(struct inventory *inventory);
void inventory_abandon(struct inventory *inventory);

/* Another process writes to the state: before inventory_open, so that it is opened to be read only,
 * and one that cannot be is a fault; until inventory_take, after which the next reload opens it to
 * write, and reads it again. */
void inventory_only_look(struct inventory *inventory);
void inventory_take(struct inventory *inventory);
/* Closes the state for good: it is another process's. Changes are refused with that reason. */
void inventory_hand_over(struct inventory *inventory);

/* Random bytes that the state keeps under this name (source.h). ERR_NOT_FOUND: there is no state
 * that can be used; ERR_SYSTEM: it failed, `error` says how. */
MUST_CHECK int inventory_secret(struct inventory *inventory, const char *name,
				uint8_t bytes[SOURCE_SECRET_BYTES], char error[SOURCE_ERROR_MAX]);

/* While it is held nothing changes but that: changes are refused as busy, and there is no reload.
 * What reads the book for longer than one callback, or in another thread, holds it. */
void inventory_hold(struct inventory *inventory, bool held);
bool inventory_is_held(const struct inventory *inventory);
/* Serials in the state, read or written (source.h). ERR_NOT_FOUND: there is no state that can be
 * used; ERR_SYSTEM: it failed. */
MUST_CHECK int inventory_serials(struct inventory *inventory, struct source_serial *rows,
				 size_t count, bool write);

/* Every worker serves what was published last: PENDING becomes ACTIVE, for as many PTRs as take no
 * longer than a moment. True: there are more, as long as nothing else is published. */
bool inventory_settle(struct inventory *inventory);

/* What a reload would find of the state that the model names, for `sluice check`: it is read and
 * not written, beside a server that runs. One that is not there yet is fine; one that cannot be
 * opened is a warning, as at the start. */
void inventory_check(const struct model *model, struct faults *faults);

#endif
