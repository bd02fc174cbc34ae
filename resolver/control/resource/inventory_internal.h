/* What the files of inventory*.c and change*.c share: the book, which has every owner, on two
 * shelves.
 *
 *     book ──┬──► shelf of the file     made with the book: costs what the file has
 *            └──► shelf of the state    handed on to the next book, unless the store has others */
#ifndef SLUICE_INVENTORY_INTERNAL_H
#define SLUICE_INVENTORY_INTERNAL_H

#include "resolver/control/resource/inventory.h"
#include "resolver/control/resource/inventory_shelf.h"
#include "rules/check/pools.h"
#include "rules/owned/owned.h"

struct orphan { /* a PTR of the state that has no owner now */
	struct source_ptr ptr;
	UT_hash_handle hh; /* by the owner's id */
	char texts[];
};

struct turn { /* a node that will be served or not, as opposed to now, once the book is adopted */
	struct node *node;
	char *refusal;
	struct turn *next;
};

struct book {
	const struct model *model;
	struct pools *pools;
	struct shelf *file, *state;
	bool borrows; /* the state's shelf, from the book before; so it is not changed */
	bool read;    /* the state's shelf is what the store said for this book */
	struct turn *turns;
	const struct owner **services_in_order; /* by name; NULL: not known */
	struct orphan *waiting;
	struct owned *owned;
};

struct inventory {
	struct hash_key key;
	struct inventory_publisher publisher;
	struct source *source;
	bool wants_state; /* management.state is configured */
	bool looks;       /* another process writes to it: inventory_only_look */
	char *state_path;
	char error[SOURCE_ERROR_MAX]; /* why there is no source, or what it said last; "": fine */
	bool stale;                   /* the source must be read before it takes a change */
	struct book *book, *next;
	uint64_t version; /* of the book and all that is in it but how PTRs fare */
	uint32_t settled; /* how many PTRs have been PENDING, round and round */
	bool changing;    /* between change_begin and change_free */
	bool held;        /* somebody works on the present book for longer (inventory_hold) */
	unsigned pool_cursor;
};

/* ---- inventory.c ---- */

/* Keeps why the state cannot be read, for the status and for refused changes. */
void inventory_say_unread(struct inventory *inventory, const char *why);
/* The book has lost something for lack of memory: no change is taken until the state was read
 * again. */
void inventory_say_lost(struct inventory *inventory);
/* The table becomes the book's, which takes the reference over, and is published. ERR_NOMEM: that
 * it will be with the next one. */
MUST_CHECK int inventory_publish(struct inventory *inventory, struct owned *owned);

/* ---- inventory_book.c ---- */

/* With an empty shelf for the file and none for the state. */
struct book *book_new(const struct model *model);
void book_free(struct book *book);
/* Back to nothing of the state, which it does not borrow: no shelf, none waiting. */
void book_forget_state(struct book *book);
/* Takes what is borrowed over from `before`, which is only to be freed then. */
void book_inherit(struct book *book, struct book *before);
/* The node that has the same id, name, address or forward name as these values, another one than
 * `but`; *field says which by the schema's key. NULL: none. */
const struct node *book_clash(const struct book *book, const struct owner *values,
			      const struct node *but, const char **field);
/* Into and out of the shelf of where it is from; as shelf_put. */
MUST_CHECK int book_put(struct book *book, struct node *node);
void book_take(struct book *book, struct node *node);
struct node *book_by_id(const struct book *book, const char *id);
/* A PTR more among those that wait. */
MUST_CHECK int orphan_put(struct orphan **table, const struct source_ptr *ptr);
void orphan_free(struct orphan **table);
/* The shelf of where the node is from. */
struct shelf *book_shelf(const struct book *book, const struct node *node);
/* Whether it may be served at all; returns the reason in text when not. */
const char *book_refusal(const struct book *book, const struct owner *owner,
			 char text[POOLS_TEXT_MAX]);

/* ---- inventory_page.c ---- */

void book_forget_services(struct book *book);

/* ---- inventory_merge.c ---- */

/* Fills an empty book from its model and the state, with its owned table. The state is what the
 * present book has of it, unless the source has others or that was made under another suffix or
 * TTL; a state that cannot be read is a warning, and what is known of it stays. */
MUST_CHECK int inventory_merge(struct inventory *inventory, struct book *book,
			       struct faults *faults);
/* Fills an empty book from its model and from what the present book, whose model it is, has of the
 * state; `afresh`: with nothing of that. Then, when its owners are those that are to be, gives it
 * its owned table. Either in any thread, as long as the inventory is held. */
MUST_CHECK int inventory_merge_aside(struct inventory *inventory, struct book *book, bool afresh);
MUST_CHECK int inventory_merge_table(struct inventory *inventory, struct book *book);

#endif
