/* A prefix is cut at the next label of the tree, at or after the prefix's length:
 *
 *     /1 .. /8      up to 128 zones of an octet (/8)
 *     /9 .. /16     up to 128 zones of an octet (/16)
 *     /17 .. /24    up to 128 zones of an octet (/24)
 *     /25 .. /31    one classless zone (RFC 2317), named by its first and last address
 *     /32           the address's own name
 *     IPv6          up to 8 zones of a nibble
 *
 * A prefix of length 0 is cut at the first label, into 256 (IPv4) or 16 (IPv6) zones, because
 * nobody owns in-addr.arpa or ip6.arpa. A pool with a `zone` has that name, as delegated by the
 * parent; then it is classless, even as a /32.
 *
 * RFC 2317's own examples have a slash in the name ("64/26"), which is legal but breaks tools that
 * treat names as paths or host names. So it is never made here, but it may be configured. */
#include "rules/policy/reverse_zones.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "rules/reverse.h"

enum { OCTET_BITS = 24 }; /* bits before the last octet */

static unsigned step_of(const struct prefix *prefix)
{
	return prefix->address.family == 4 ? 8 : 4;
}

/* The prefix length of its cuts, which are at labels of the tree. */
static unsigned cut_of(const struct prefix *prefix)
{
	unsigned step = step_of(prefix);

	return prefix->length == 0 ? step : (prefix->length + step - 1) / step * step;
}

bool reverse_is_within_octet(const struct prefix *prefix)
{
	return prefix->address.family == 4 && prefix->length > OCTET_BITS;
}

static bool is_classless(const struct address_pool *pool)
{
	return reverse_is_within_octet(&pool->prefix) &&
	       (pool->zone || pool->prefix.length < address_bits(&pool->prefix.address));
}

static unsigned zone_count(const struct address_pool *pool)
{
	return is_classless(pool) ? 1 : 1U << (cut_of(&pool->prefix) - pool->prefix.length);
}

char *reverse_octet_zone_text(const struct prefix *prefix, char text[NAME_TEXT_MAX])
{
	const struct prefix octet = {address_mask(&prefix->address, OCTET_BITS), OCTET_BITS};

	assert(reverse_is_within_octet(prefix));
	return reverse_zone_text(&octet, text);
}

/* ---- a classless zone ---- */

static bool is_under_octet(const struct name *name, const struct prefix *prefix)
{
	char text[NAME_TEXT_MAX];
	struct name octet;

	return name_from_text(&octet, NULL, reverse_octet_zone_text(prefix, text)) == 0 &&
	       name->labels == octet.labels + 1 && name_is_under(name, &octet);
}

const char *reverse_zone_refusal(const struct prefix *prefix, const char *zone,
				 char text[NAME_TEXT_MAX])
{
	char octet[NAME_TEXT_MAX];
	struct prefix spelled;
	struct name name;
	unsigned rest;

	if (!reverse_is_within_octet(prefix))
		return "only an IPv4 pool longer than /24 has a zone that can be named; leave it "
		       "out";
	if (name_from_text(&name, NULL, zone) == 0 && is_under_octet(&name, prefix) &&
	    reverse_parse(&name, &spelled, &rest) && rest == 1)
		return NULL;
	snprintf(text, NAME_TEXT_MAX,
		 "it must be one label below %s, and not the name of an address",
		 reverse_octet_zone_text(prefix, octet));
	return text;
}

static void print_classless(const struct prefix *prefix, unsigned last, char text[NAME_TEXT_MAX])
{
	char octet[NAME_TEXT_MAX];

	snprintf(text, NAME_TEXT_MAX, "%u-%u.%s", (unsigned)prefix->address.bytes[3], last,
		 reverse_octet_zone_text(prefix, octet));
}

static int call_classless(const struct address_pool *pool,
			  int (*on_zone)(void *context, const struct reverse_zone *zone),
			  void *context)
{
	const struct prefix *prefix = &pool->prefix;
	unsigned last = prefix->address.bytes[3] + (unsigned)prefix_size(prefix) - 1;
	char origin[NAME_TEXT_MAX], alias[NAME_TEXT_MAX];
	struct reverse_zone zone = {
		.pool = pool, .prefix = *prefix, .origin = origin, .classless = true};
	struct name name;

	if (pool->zone) {
		if (name_from_text(&name, NULL, pool->zone) != 0)
			return 0;
		name_to_text(&name, origin);
	} else {
		print_classless(prefix, last, origin);
		print_classless(prefix, prefix->length, alias);
		/* For x.x.x.30/31 both spellings are the same. */
		zone.alias = strcmp(alias, origin) != 0 ? alias : NULL;
	}
	return on_zone(context, &zone);
}

/* ---- zones at cuts ---- */

/* The n-th prefix of `length` bits in the pool. */
static struct prefix nth_cut(const struct prefix *pool, unsigned length, unsigned n)
{
	struct prefix cut = {pool->address, (uint8_t)length};
	unsigned byte = (length - 1) / 8, shift = 7 - (length - 1) % 8;

	/* The bits between both lengths belong to one label, and so to one byte. */
	cut.address.bytes[byte] |= (uint8_t)(n << shift);
	return cut;
}

int reverse_each_pool_zone(const struct address_pool *pool,
			   int (*on_zone)(void *context, const struct reverse_zone *zone),
			   void *context)
{
	unsigned length = cut_of(&pool->prefix), count = zone_count(pool);
	char origin[NAME_TEXT_MAX];
	int stop = 0;

	if (is_classless(pool))
		return call_classless(pool, on_zone, context);
	for (unsigned i = 0; !stop && i < count; i++) {
		const struct prefix cut = nth_cut(&pool->prefix, length, i);
		const struct reverse_zone zone = {
			.pool = pool,
			.prefix = cut,
			.origin = reverse_zone_text(&cut, origin),
		};

		stop = on_zone(context, &zone);
	}
	return stop;
}

int reverse_each_zone(const struct model *model,
		      int (*on_zone)(void *context, const struct reverse_zone *zone), void *context)
{
	int stop = 0;

	for (size_t i = 0; !stop && i < model->address_pools.count; i++)
		stop = reverse_each_pool_zone(&model->address_pools.items[i], on_zone, context);
	return stop;
}

static bool is_name(const struct name *name, const char *text)
{
	struct name other;

	return text && name_from_text(&other, NULL, text) == 0 &&
	       name_wire_equal(other.wire, name->wire);
}

static int on_named(void *context, const struct reverse_zone *zone)
{
	return is_name(context, zone->origin) || is_name(context, zone->alias);
}

bool reverse_has_zone(const struct model *model, const struct name *name)
{
	struct prefix prefix;
	unsigned rest;

	return reverse_parse(name, &prefix, &rest) &&
	       reverse_each_zone(model, on_named, (void *)(uintptr_t)name) != 0;
}
