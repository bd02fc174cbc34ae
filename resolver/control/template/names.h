/* A table of items by name, whatever its case. A name may have several items. Its memory is the
 * budget's; all zero is an empty one. */
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
	struct name_row *next; /* in its slot */
};

struct name_table {
	struct name_row **slots;
	size_t count, room; /* a power of two */
};

MUST_CHECK bool names_put(struct budget *budget, struct name_table *names, const char *name,
			  void *item);
/* One of them; NULL: there is none, or the budget has failed. */
const struct name_row *names_find(struct budget *budget, const struct name_table *names,
				  const char *name);
/* Another one of the same name; NULL: there is none. */
const struct name_row *names_next(const struct name_row *row);
/* One's item; NULL. */
void *names_item(struct budget *budget, const struct name_table *names, const char *name);

/* By an address: for what was made of a text of the template. */
MUST_CHECK bool names_put_address(struct budget *budget, struct name_table *names,
				  const void *address, void *item);
void *names_item_at(struct budget *budget, const struct name_table *names, const void *address);

#endif
