/* What the files of change*.c share. */
#ifndef SLUICE_CHANGE_INTERNAL_H
#define SLUICE_CHANGE_INTERNAL_H

#include "resolver/control/change.h"
#include "resolver/control/inventory_internal.h"
#include "rules/schema.h"

struct touch { /* an owner that the change has to do with */
	char id[UUID_TEXT_MAX];
	struct node *first; /* as it was, out of the book; NULL: there was none */
	struct node *now;   /* as it is, in the book; NULL: removed */
	bool owner, ptr;    /* which of its records are others */
	UT_hash_handle hh;
};

struct change {
	struct inventory *inventory;
	struct touch *touches;
	struct change_error error;
	bool over; /* committed */
};

/* Keeps the first reason; returns ERR_INVALID. */
int change_fail(struct change *change, enum change_outcome outcome, const char *field,
		const char *format, ...) __attribute__((format(printf, 4, 5)));
int change_fail_memory(struct change *change);
/* Whether edits can be made at all: none has failed, and there is a state to keep them in. */
MUST_CHECK int change_is_open(struct change *change);

/* Puts `after` (NULL: nothing) into the place of `before` (NULL: nobody's) in the book. Takes
 * `after` over, whatever comes of it. */
MUST_CHECK int change_swap(struct change *change, struct node *before, struct node *after,
			   bool owner, bool ptr);

/* ---- change_value.c ---- */

struct wish { /* what somebody wants an owner to be */
	enum owner_kind kind;
	struct owned_address address;
	struct cloud_service service;
	char *tags; /* allocated; NULL: none */
	uint8_t family;
	struct arena arena;
};
/* As the owner is, or (NULL) all defaults. */
MUST_CHECK int wish_init(struct wish *wish, enum owner_kind kind, const struct owner *owner);
void wish_release(struct wish *wish);
MUST_CHECK int wish_set(struct change *change, struct wish *wish, const struct change_value *value);
/* One value of the table of fields; the reason is the change's. */
MUST_CHECK int change_check_text(struct change *change, const struct field *field, void *item,
				 const char *text, struct arena *arena);

/* ---- change_pool.c ---- */

/* A free address of a pool of the region; false when there is none. */
bool change_find_address(struct change *change, const char *region, uint8_t family,
			 struct address *address);

#endif
