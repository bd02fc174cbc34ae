/* What the files of inventory*.c and change*.c share: the book, which has every owner in four
 * tables, and its nodes. */
#ifndef SLUICE_INVENTORY_INTERNAL_H
#define SLUICE_INVENTORY_INTERNAL_H

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "resolver/control/inventory.h"
#include "resolver/control/uuid.h"
#include "rules/name.h"
#include "rules/owned.h"
#include "rules/territory.h"

/* An owner in the book. Nothing about it changes but the PTR's status: another one takes its place.
 */
struct node {
	struct owner owner;  /* texts are in `texts`, but for the origin's: the model's */
	const char *refusal; /* why it is not served; NULL: it is */
	const char *name_key, *fqdn_key;
	struct node *pending_before, *pending_behind; /* while its PTR is PENDING */
	UT_hash_handle by_id, by_name, by_address, by_fqdn;
	char *ptr_texts;
	char texts[];
};

struct waiting { /* a PTR of the state that has no owner now */
	struct source_ptr ptr;
	UT_hash_handle hh; /* by the owner's id */
	char texts[];
};

struct book {
	const struct model *model;
	struct territory *territory;
	struct node *by_id, *by_name, *by_address, *by_fqdn;
	struct node *pending;
	struct waiting *waiting;
	struct owned *owned;
	size_t addresses, services, ptrs;
};

struct inventory {
	struct hash_key key;
	struct inventory_publisher publisher;
	struct source *source;
	bool wants_state; /* management.state is configured */
	char *state_path;
	char error[SOURCE_ERROR_MAX]; /* why there is no source, or what it said last; "": fine */
	bool stale;                   /* the source must be loaded before it takes a change */
	struct book *book, *next;
	bool changing; /* between change_begin and change_free */
	unsigned pool_cursor;
};

/* ---- inventory_node.c ---- */

/* Where texts are put together that an owner is to have; the owner is good as long as this is. */
struct owner_scratch {
	char id[UUID_TEXT_MAX], fqdn[NAME_TEXT_MAX], ptr_fqdn[NAME_TEXT_MAX];
};

/* A copy of values, with a PTR where they have one; NULL without memory. */
struct node *node_new(const struct owner *values, const char *refusal);
void node_free(struct node *node); /* NULL is fine; it is in no book */
/* Another PTR, whose texts are copied, of a node that is in no book, or in one that is being made.
 */
MUST_CHECK int node_set_ptr(struct node *node, const struct owner_ptr *ptr);

/* The forward name of an owner with all else filled in; NULL: it has none. ERR_INVALID when it
 * would be too long. */
MUST_CHECK int owner_derive_fqdn(struct owner *owner, const struct model *model,
				 char text[NAME_TEXT_MAX]);
/* With its final dot. */
const char *owner_dotted(const char *name, char text[NAME_TEXT_MAX]);
/* What the file or the state says, as an owner. */
void owner_of_address(struct owner *owner, const struct owned_address *address,
		      const struct model *model, struct owner_scratch *scratch);
void owner_of_service(struct owner *owner, const struct cloud_service *service,
		      const struct model *model, struct owner_scratch *scratch);
void owner_of_source(struct owner *owner, const struct source_owner *record,
		     const struct model *model, struct owner_scratch *scratch);

/* ---- inventory_book.c ---- */

struct book *book_new(const struct model *model);
void book_free(struct book *book);
/* The node that has the same id, name, address or forward name as these values, another one than
 * `but`; *field says which by the schema's key. NULL: none. */
const struct node *book_clash(const struct book *book, const struct owner *values,
			      const struct node *but, const char **field);
/* Takes the node in, which clashes with none. ERR_NOMEM: it is in no table. */
MUST_CHECK int book_put(struct book *book, struct node *node);
void book_take(struct book *book, struct node *node);
struct node *book_by_id(const struct book *book, const char *id);
/* `waiting` PTRs, by the owner's id. */
MUST_CHECK int book_wait(struct book *book, const struct source_ptr *ptr);
/* What the draft is to hold of a node, and is not to hold any more. */
MUST_CHECK int node_serve(const struct node *node, struct owned_draft *draft,
			  const struct hash_key *key, const struct model *model);
MUST_CHECK int node_unserve(const struct node *node, struct owned_draft *draft,
			    const struct hash_key *key);
/* Whether it may be served at all; returns the reason in text when not. */
const char *book_refusal(const struct book *book, const struct owner *owner,
			 char text[TERRITORY_TEXT_MAX]);

/* ---- inventory_merge.c ---- */

/* Fills an empty book from its model and the source (NULL: none), with its owned table. */
MUST_CHECK int inventory_merge(struct inventory *inventory, struct book *book,
			       struct faults *faults);

#endif
