/* Functions of address prefixes, IPv4 and IPv6. */
#include <stdint.h>
#include <string.h>

#include "resolver/control/template/functions.h"
#include "resolver/control/template/value.h"
#include "rules/prefix.h"

/* Reads the prefix in the first argument. */
static bool want_prefix(const struct scope *scope, json_t **arguments, struct prefix *prefix)
{
	const char *text = value_want_text(scope->budget, arguments, 0);

	if (text && (!strchr(text, '/') || prefix_parse_lenient(prefix, text) != 0))
		text = budget_fail(scope->budget,
				   "%s() takes a prefix such as 10.0.0.0/16, not '%s'",
				   scope->budget->function, text);
	return text;
}

static unsigned bits_of(const struct prefix *prefix)
{
	return address_bits(&prefix->address);
}

/* The last address of the prefix. */
static struct address last_of(const struct prefix *prefix)
{
	struct address address = prefix->address;

	for (unsigned bit = prefix->length; bit < bits_of(prefix); bit++)
		address.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return address;
}

static struct address mask_of(const struct prefix *prefix)
{
	struct address address = {.family = prefix->address.family};

	for (unsigned bit = 0; bit < prefix->length; bit++)
		address.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return address;
}

static struct address before(struct address address)
{
	for (size_t i = address_bits(&address) / 8; i-- > 0;)
		if (address.bytes[i]-- != 0)
			break;
	return address;
}

static bool put_address(const struct scope *scope, json_t *object, const char *key,
			const struct address *address)
{
	char text[ADDRESS_TEXT_MAX];

	return value_put_text(scope->budget, object, key, address_print(address, text));
}

/* The first and last address of an IPv4 network are unusable, unless it has only one or two
 * addresses. */
static json_t *on_parse_cidr(const struct scope *scope, json_t **arguments, size_t count)
{
	json_t *object = value_object(scope->budget);
	struct prefix prefix = {0};
	struct address mask, last, first_usable, last_usable;
	bool is_v4, has_edges;

	(void)count;
	if (!object || !want_prefix(scope, arguments, &prefix))
		return NULL;
	is_v4 = prefix.address.family == 4;
	has_edges = is_v4 && prefix.length < 31;
	mask = mask_of(&prefix);
	last = last_of(&prefix);
	first_usable = has_edges ? address_add(&prefix.address, 1) : prefix.address;
	last_usable = has_edges ? before(last) : last;
	if (!put_address(scope, object, "network", &prefix.address) ||
	    !put_address(scope, object, "netmask", &mask) ||
	    (is_v4 && !put_address(scope, object, "broadcast", &last)) ||
	    !put_address(scope, object, "firstUsable", &first_usable) ||
	    !put_address(scope, object, "lastUsable", &last_usable) ||
	    !value_put(scope->budget, object, "cidr", value_integer(scope->budget, prefix.length)))
		return NULL;
	return object;
}

/* cidrSubnet(network, new length, index) */
static json_t *on_cidr_subnet(const struct scope *scope, json_t **arguments, size_t count)
{
	struct prefix prefix = {0};
	char shown[PREFIX_TEXT_MAX];
	int64_t length, index;

	(void)count;
	if (!want_prefix(scope, arguments, &prefix) ||
	    !value_want_integer(scope->budget, arguments, 1, &length) ||
	    !value_want_integer(scope->budget, arguments, 2, &index))
		return NULL;
	if (length < prefix.length || length > (int64_t)bits_of(&prefix))
		return budget_fail(scope->budget,
				   "cidrSubnet() of %s takes a length of %u to %u, not %lld",
				   prefix_print(&prefix, shown), prefix.length, bits_of(&prefix),
				   (long long)length);
	if (index < 0 || (length - prefix.length < 63 && index >> (length - prefix.length) != 0))
		return budget_fail(scope->budget, "%s has no subnet %lld of length %lld",
				   prefix_print(&prefix, shown), (long long)index,
				   (long long)length);
	for (int64_t i = 0; i < length - prefix.length && i < 63; i++)
		if (index >> i & 1)
			prefix.address.bytes[(length - 1 - i) / 8] |=
				(uint8_t)(0x80 >> (length - 1 - i) % 8);
	prefix.length = (uint8_t)length;
	return value_text(scope->budget, prefix_print(&prefix, shown));
}

/* Index 0 is the address after the prefix's first one, whatever its family or length. */
static json_t *on_cidr_host(const struct scope *scope, json_t **arguments, size_t count)
{
	char shown[PREFIX_TEXT_MAX], text[ADDRESS_TEXT_MAX];
	struct prefix prefix = {0};
	struct address address;
	int64_t index;

	(void)count;
	if (!want_prefix(scope, arguments, &prefix) ||
	    !value_want_integer(scope->budget, arguments, 1, &index))
		return NULL;
	address = index >= 0 && index < INT32_MAX
			  ? address_add(&prefix.address, (uint32_t)index + 1)
			  : (struct address){0};
	if (!prefix_contains(&prefix, &address))
		return budget_fail(scope->budget, "%s has no host %lld",
				   prefix_print(&prefix, shown), (long long)index);
	return value_text(scope->budget, address_print(&address, text));
}

const struct function address_functions[] = {
	{"cidrHost", 2, 2, .call = on_cidr_host},
	{"cidrSubnet", 3, 3, .call = on_cidr_subnet},
	{"parseCidr", 1, 1, .call = on_parse_cidr},
	{.name = NULL},
};
