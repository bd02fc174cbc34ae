/* A table of items by name, ignoring case. A name may have several items. The budget owns the
 * memory; all zero is an empty table. */
#ifndef SLUICE_TEMPLATE_NAMES_H
#define SLUICE_TEMPLATE_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "resolver/control/template/budget.h"

struct name_row {
	const char *key;
	size_t length;
	uint64_t hash;
	void *item;
	struct name_row *next; /* in the same slot */
};

struct name_table {
	struct name_row **slots;
	size_t count, room; /* a power of two */
};

MUST_CHECK bool names_put(struct budget *budget, struct name_table *names, const char *name,
			  void *item);
/* The first row of that name; NULL: none, or the budget has failed. */
const struct name_row *names_find(struct budget *budget, const struct name_table *names,
				  const char *name);
/* The next row of the same name; NULL: none. */
const struct name_row *names_next(const struct name_row *row);
/* The item of the first row; NULL: none. */
void *names_item(struct budget *budget, const struct name_table *names, const char *name);

/* Put and find an item by an address in place of a name: that of a text in the template, or of a
 * value. */
MUST_CHECK bool names_put_address(struct budget *budget, struct name_table *names,
				  const void *address, void *item);
void *names_item_at(struct budget *budget, const struct name_table *names, const void *address);

#endif
