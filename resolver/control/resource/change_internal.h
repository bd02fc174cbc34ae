/* What the files of change*.c share. */
#ifndef SLUICE_CHANGE_INTERNAL_H
#define SLUICE_CHANGE_INTERNAL_H

#include "resolver/control/resource/change_group.h"
#include "resolver/control/resource/inventory_internal.h"
#include "rules/schema/schema.h"

struct touch { /* an owner that the change has to do with */
	char id[UUID_TEXT_MAX];
	struct node *first; /* as it was, out of the book; NULL: there was none */
	struct node *now;   /* as it is, in the book; NULL: removed */
	bool owner, ptr;    /* which of its records are others */
	UT_hash_handle hh;
};

struct group_touch;

struct change {
	struct inventory *inventory;
	struct touch *touches;
	struct group_touch *groups; /* change_group.c */
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

/* The edits stay: the book has them, and their records have that revision. Not what change_commit
 * does, which makes them durable and publishes them first. */
void change_settle(struct change *change, uint64_t revision);

/* ---- change_edit.c ---- */

/* The form of a PTR that is to be set, and whether the owner's may be another. */
MUST_CHECK int change_check_ptr(struct change *change, const struct change_ptr *ptr);
MUST_CHECK int change_check_ptr_writable(struct change *change, const struct owner *owner);
/* What the owner has once it gets this PTR, which is of good form; fqdn NULL or "": none. Good as
 * long as `fqdn` and the texts of `ptr` are. */
struct owner_ptr change_wanted_ptr(const struct owner *owner, const struct change_ptr *ptr,
				   const struct model *model, char fqdn[NAME_TEXT_MAX]);

/* ---- change_wait.c ---- */

/* A PTR for an owner of that id, who is not there. It is not undone: only for a book that is thrown
 * away if the change comes to nothing (remake.h). */
MUST_CHECK int change_wait(struct change *change, const char *owner, const struct change_ptr *ptr);

/* ---- change.c ---- */

/* ---- change_group.c ---- */

/* The group is there, in the state, too. */
MUST_CHECK int change_group_ensure(struct change *change, const char *name, const char *region);
/* The state is to have it, which lacks it yet, whatever the file says of it. */
MUST_CHECK int change_group_import(struct change *change, const struct change_group *wanted);
size_t change_groups_count(const struct change *change); /* that it touches */
/* What the source is to do, at most that many edits; returns how many. */
size_t change_groups_describe(const struct change *change, struct source_edit *edits);
void change_groups_settle(struct change *change, uint64_t revision);
/* False: for lack of memory a group is not there again. */
MUST_CHECK bool change_groups_undo(struct change *change);

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
/* The rows of the table of fields that an owner has. */
const struct group *change_fields(enum owner_kind kind);
/* One value by such a row; the reason is the change's. */
MUST_CHECK int change_check_text(struct change *change, const struct field *field, void *item,
				 const char *text, struct arena *arena);

/* ---- change_pool.c ---- */

/* A free address of a pool of the region; false when there is none. */
bool change_find_address(struct change *change, const char *region, uint8_t family,
			 struct address *address);

#endif
