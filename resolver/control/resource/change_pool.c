/* An address for somebody who did not name one: the next free one of a pool of the region, in the
 * pools' order. It begins where it ended the last time, so that filling a pool looks at each of its
 * addresses about once, and an address just let go is not somebody else's a moment later. */
#include <strings.h>

#include "resolver/control/resource/change_internal.h"

enum { LOOKED_AT_MAX = 1 << 24 }; /* addresses of one pool */

/* How many it has to give, and from which on. An IPv4 pool's first and last address are not given
 * away unless it has no others; IPv6 has no last one, and its first is the routers' (RFC 4291
 * section 2.6.1). */
static uint32_t room_of(const struct prefix *pool, uint32_t *first)
{
	unsigned bits = address_bits(&pool->address) - pool->length;
	uint64_t size = bits > 31 ? UINT64_C(1) << 31 : UINT64_C(1) << bits;

	*first = bits >= 2;
	if (bits >= 2)
		size -= pool->address.family == 4 && bits <= 31 ? 2 : 1;
	return size > LOOKED_AT_MAX ? LOOKED_AT_MAX : (uint32_t)size;
}

static bool is_free(const struct inventory *inventory, const char *region,
		    const struct address *address)
{
	const struct owner owner = {.address = *address, .region = region};
	char text[POOLS_TEXT_MAX];

	return !inventory_by_address(inventory, address) &&
	       !book_refusal(inventory->book, &owner, text);
}

static bool find_in(struct inventory *inventory, const struct prefix *pool, const char *region,
		    struct address *address)
{
	uint32_t first, room = room_of(pool, &first);

	for (uint32_t i = 0; i < room; i++) {
		uint32_t at = (inventory->pool_cursor + i) % room;

		*address = address_add(&pool->address, first + at);
		if (is_free(inventory, region, address)) {
			inventory->pool_cursor = at + 1;
			return true;
		}
	}
	return false;
}

bool change_find_address(struct change *change, const char *region, uint8_t family,
			 struct address *address)
{
	struct inventory *inventory = change->inventory;
	const struct model *model = inventory->book->model;

	for (size_t i = 0; i < model->address_pools.count; i++) {
		const struct address_pool *pool = &model->address_pools.items[i];
		bool fits = !pool->region || !region || strcasecmp(pool->region, region) == 0;

		if (fits && pool->prefix.address.family == family &&
		    find_in(inventory, &pool->prefix, region, address))
			return true;
	}
	return false;
}
