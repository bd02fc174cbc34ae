/* One change of what is ours: any number of edits that are made all together or not at all.
 *
 *     change_begin ─► edits ─► change_commit
 *                       │        one transaction of the state (durable)
 *                       │        ─► inventory ─► owned table ─► workers
 *                       └─► the first that fails says why, and the change is void
 *
 * An edit sees what the edits before it did. Form, limits, pools, labels and names that are taken
 * are checked by each edit; who may own a reverse name is the caller's matter, asked for before
 * change_begin: a change begins and ends within one callback of the control thread, one at a time.
 *
 *     struct change *change = change_begin(inventory); (owner is the inventory's)
 *     if (change_ptr_set(change, owner, &ptr) == 0 && change_commit(change) == 0)
 *             reply(inventory_by_id(inventory, id));
 *     else
 *             fail(change_error(change));
 *     change_free(change); */
#ifndef SLUICE_CHANGE_H
#define SLUICE_CHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "resolver/control/resource/inventory.h"
#include "rules/err.h"

enum change_outcome {
	CHANGE_FINE,
	CHANGE_INVALID,   /* a value does not fit: `field` has it, the text what would be right */
	CHANGE_NOT_FOUND, /* there is no such address or service, or it has no PTR */
	CHANGE_TAKEN,     /* the name, id, address or label (`field`): the text says by whom */
	CHANGE_READ_ONLY, /* the file says it: the text names file and line */
	CHANGE_EXHAUSTED, /* no free address in any pool of the region */
	CHANGE_STALE,     /* change_stale: it is not what whoever asks takes it for */
	CHANGE_NO_STATE,  /* no state is configured: the text says how to get one */
	CHANGE_BUSY,      /* many changes are under way that hold up all others */
	CHANGE_STORE,     /* the store failed (disk full, locked, corrupt); nothing has changed */
	CHANGE_NO_MEMORY,
};

enum { CHANGE_FIELD_MAX = 64, CHANGE_TEXT_MAX = 1024 };

struct change_error {
	enum change_outcome outcome;
	char field[CHANGE_FIELD_MAX]; /* by the schema's key; "": of none */
	char text[CHANGE_TEXT_MAX];   /* without a final dot */
};

/* For what does not fit before it comes to a change: INVALID. Returns ERR_INVALID. */
int change_refuse(struct change_error *error, const char *field, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Fills the error in; returns ERR_INVALID. */
int change_say(struct change_error *error, enum change_outcome outcome, const char *field,
	       const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The state, where it takes changes now; NULL: `error` says why not. */
struct source *change_source(struct inventory *inventory, struct change_error *error);

struct change;

/* NULL without memory. */
struct change *change_begin(struct inventory *inventory);
/* Undoes what was not committed. NULL is fine. */
void change_free(struct change *change);
/* Of the first call that failed. change NULL (change_begin failed): NO_MEMORY. */
const struct change_error *change_error(const struct change *change);

/* All that follow return 0, or ERR_INVALID with the reason in change_error. `owner` NULL is
 * CHANGE_NOT_FOUND. */

/* The change is void, because what it is about is not what whoever asks takes it for: STALE, with
 * that text. Returns ERR_INVALID. */
int change_stale(struct change *change, const char *text);

/* A member of an address or service, by the key it has in the configuration (schema/table.c):
 * name, resource_group, id, region, address, allocation, domain_name_label for addresses; name, id,
 * address, description for services; and for both `tags`, a JSON object of strings as text.
 * Numbers and enums are texts, too. An unknown key is INVALID and says what was probably meant. */
struct change_value {
	const char *key;
	const char *text; /* NULL: not given, which takes it away where it can be taken away */
};

/* A new owner. `name` is required, `address` too, but for a dynamic address: without one it takes
 * a free one of a pool of its region (IPv4 unless `family` = "6" is among the values). region and
 * subscription are the model's where not given, id a random UUID. *owner, when not NULL, is good
 * until the next edit. */
MUST_CHECK int change_add(struct change *change, enum owner_kind kind,
			  const struct change_value *values, size_t count,
			  const struct owner **owner);
/* The values named; all others stay. id, name, resource_group and kind cannot change. */
MUST_CHECK int change_set(struct change *change, const struct owner *owner,
			  const struct change_value *values, size_t count,
			  const struct owner **now);
/* With its PTR. */
MUST_CHECK int change_remove(struct change *change, const struct owner *owner);

/* The whole PTR: what is not given is not there any more. Any legal name but the root and
 * wildcards, with or without the final dot; "" is change_ptr_unset. */
struct change_ptr {
	const char *fqdn, *description; /* description NULL: none */
	bool ttl_given;
	long long ttl; /* seconds; checked here */
};
MUST_CHECK int change_ptr_set(struct change *change, const struct owner *owner,
			      const struct change_ptr *ptr);
/* NOT_FOUND when it has none. */
MUST_CHECK int change_ptr_unset(struct change *change, const struct owner *owner);

/* Makes it so: durable, in the inventory, published to the workers, in this order. A change without
 * edits is fine, and does nothing. Afterwards only change_error and change_free may be called. */
MUST_CHECK int change_commit(struct change *change);

#endif
