/* What is ours, page by page: addresses by number, IPv4 first, and services by name. A page begins
 * behind a key, so it does not matter what came or went since the page before. */
#ifndef SLUICE_INVENTORY_PAGE_H
#define SLUICE_INVENTORY_PAGE_H

#include "resolver/control/resource/inventory.h"

/* The entity tag of any list of what is ours, quoted: another one after every change of anything in
 * it, and after a restart. Returns text. */
char *inventory_etag(const struct inventory *inventory, char text[ETAG_MAX]);

/* Fills the page with the addresses that come next behind this one (NULL: with the first), at most
 * `room`; returns how many. */
size_t inventory_addresses_after(const struct inventory *inventory, const struct address *after,
				 const struct owner **page, size_t room);
/* The same of one resource group (NULL: of those in none), of which there are at most
 * INVENTORY_GROUP_MAX. */
enum { INVENTORY_GROUP_MAX = 4000 };
size_t inventory_group_after(const struct inventory *inventory, const char *group,
			     const struct address *after, const struct owner **page, size_t room);
/* The same of services, behind this name. ERR_NOMEM. */
MUST_CHECK int inventory_services_after(const struct inventory *inventory, const char *after,
					const struct owner **page, size_t room, size_t *count);
/* All services, in an array that the caller frees; NULL without memory. For another thread than the
 * control thread, while the inventory is held: the order that pages are taken from is made when it
 * is asked for. */
const struct owner **inventory_services(const struct inventory *inventory, size_t *count);

#endif
