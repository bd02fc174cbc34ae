/* Searches each pool from the number at which the last search ended, so that filling a pool checks
 * each address about once, and a released address is not given out again at once. */
#include "resolver/control/resource/free_address.h"

#include <strings.h>

#include "resolver/control/resource/address_draft.h"
#include "rules/check/pools.h"

enum { LOOKED_AT_MAX = 1 << 24 /* addresses of one pool */, TAKEN_MAX = 256 };

/* Taken addresses in order, read a page at a time. */
struct address_page {
	struct address items[TAKEN_MAX];
	size_t count, at;
};

/* How many addresses of the pool may be given out, and the number of the first. In a pool of four
 * or more, the first is excluded, which in IPv6 is for routers (RFC 4291 section 2.6.1), and in
 * IPv4 the last as well. */
static uint32_t room_of(const struct prefix *pool, uint32_t *first)
{
	unsigned bits = address_bits(&pool->address) - pool->length;
	uint64_t size = bits > 31 ? UINT64_C(1) << 31 : UINT64_C(1) << bits;

	*first = bits >= 2;
	if (bits >= 2)
		size -= pool->address.family == 4 && bits <= 31 ? 2 : 1;
	return size > LOOKED_AT_MAX ? LOOKED_AT_MAX : (uint32_t)size;
}

static int on_taken(void *context, const struct source_resource *row)
{
	struct address_page *taken = context;

	taken->items[taken->count++] = row->keys->address;
	return 0;
}

static int read_taken(struct address_draft *draft, struct address_page *taken,
		      const struct address *behind)
{
	const struct source_page page = {.address = behind, .limit = TAKEN_MAX};
	char error[SOURCE_ERROR_MAX] = "";

	taken->count = taken->at = 0;
	return draft->source->calls->page(draft->source, &page, on_taken, taken, error) == 0
		       ? 0
		       : draft_fail_store(draft, error);
}

/* Calls must come with ascending addresses. */
static int is_taken(struct address_draft *draft, struct address_page *taken,
		    const struct address *address, bool *found)
{
	for (;;) {
		while (taken->at < taken->count &&
		       address_compare(&taken->items[taken->at], address) < 0)
			taken->at++;
		if (taken->at < taken->count || taken->count < TAKEN_MAX)
			break;
		if (read_taken(draft, taken, &taken->items[TAKEN_MAX - 1]) != 0)
			return ERR_INVALID;
	}
	*found = taken->at < taken->count && address_equal(&taken->items[taken->at], address);
	return 0;
}

/* Finds a free address of the pool whose number is at least `from` and less than `to`. */
static int find_free(struct address_draft *draft, const struct prefix *pool, const char *region,
		     uint32_t from, uint32_t to, uint32_t *cursor, struct address *address,
		     bool *found)
{
	struct resources *resources = draft->resources;
	char text[POOLS_TEXT_MAX];
	struct address_page taken;
	uint32_t first;
	bool used;
	int err = 0;

	room_of(pool, &first);
	for (uint32_t at = from; !err && !*found && at < to; at++) {
		*address = address_add(&pool->address, first + at);
		if (at == from) {
			used = addresses_by_address(resources, address);
			err = read_taken(draft, &taken, address);
		} else {
			err = is_taken(draft, &taken, address, &used);
		}
		*found = !err && !used &&
			 !pools_refusal(resources->addresses.pools, address, region, text);
		if (*found)
			*cursor = at + 1;
	}
	return err;
}

/* *found: there is a free address. */
static int search(struct address_draft *draft, const char *region, uint8_t family,
		  struct address *address, bool *found)
{
	struct resources *resources = draft->resources;
	const struct model *model = resources->model;
	int err = 0;

	for (size_t i = 0; !err && !*found && i < model->address_pools.count; i++) {
		const struct address_pool *pool = &model->address_pools.items[i];
		bool fits = !pool->region || !region || strcasecmp(pool->region, region) == 0;
		uint32_t first, room = room_of(&pool->prefix, &first), at;
		uint32_t *cursor = &resources->addresses.past.cursors.at[i % POOL_CURSORS];

		if (!fits || pool->prefix.address.family != family)
			continue;
		at = *cursor % room;
		err = find_free(draft, &pool->prefix, region, at, room, cursor, address, found);
		if (!err && !*found && at > 0)
			err = find_free(draft, &pool->prefix, region, 0, at, cursor, address,
					found);
	}
	return err;
}

int free_address_find(struct address_draft *draft, const char *region, uint8_t family,
		      struct address *address)
{
	bool found = false;
	int err = search(draft, region, family, address, &found);

	if (err || found)
		return err;
	return draft_fail(draft, CHANGE_EXHAUSTED, "address",
			  "no address pool%s%s has a free IPv%u address; add a pool, or name an "
			  "address",
			  region ? " of region " : "", region ? region : "", family);
}
