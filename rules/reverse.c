/* An address backwards, an octet a label under in-addr.arpa or a nibble a label under ip6.arpa:
 *
 *     192.0.2.10    ->  10.2.0.192.in-addr.arpa.
 *     2001:db8::/32 ->  8.b.d.0.1.0.0.2.ip6.arpa.
 *
 * Reading goes from the root to the front and stops at the first label that is not a number in our
 * own spelling; the caller handles the rest. RFC 2317's classless names are such a rest:
 * conventions decide which addresses they cover (reverse_zones.c). */
#include "rules/reverse.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char hex[] = "0123456789abcdef";
static const char tree4[] = "\7in-addr\4arpa", tree6[] = "\3ip6\4arpa"; /* with the root */

/* The labels of the first `length` bits, the last one first. */
static char *print(const struct address *address, unsigned length, char text[NAME_TEXT_MAX])
{
	unsigned step = address->family == 4 ? 8 : 4, i;
	size_t used = 0;

	for (i = length / step; i-- > 0;) {
		unsigned byte = address->bytes[i * step / 8];

		if (step == 8)
			used += (size_t)snprintf(text + used, NAME_TEXT_MAX - used, "%u.", byte);
		else
			used += (size_t)snprintf(text + used, NAME_TEXT_MAX - used, "%c.",
						 hex[i % 2 == 0 ? byte >> 4 : byte & 15]);
	}
	snprintf(text + used, NAME_TEXT_MAX - used, "%s.arpa.", step == 8 ? "in-addr" : "ip6");
	return text;
}

char *reverse_text(const struct address *address, char text[NAME_TEXT_MAX])
{
	assert(address->family == 4 || address->family == 6);
	return print(address, address_bits(address), text);
}

char *reverse_zone_text(const struct prefix *prefix, char text[NAME_TEXT_MAX])
{
	assert(prefix->address.family == 4 || prefix->address.family == 6);
	assert(prefix->length <= address_bits(&prefix->address));
	assert(prefix->length % (prefix->address.family == 4 ? 8 : 4) == 0);
	return print(&prefix->address, prefix->length, text);
}

static size_t put_octet(uint8_t *to, unsigned octet)
{
	unsigned digits = octet >= 100 ? 3 : octet >= 10 ? 2 : 1;

	to[0] = (uint8_t)digits;
	for (unsigned i = digits; i > 0; i--, octet /= 10)
		to[i] = (uint8_t)('0' + octet % 10);
	return digits + 1;
}

static size_t put_nibble(uint8_t *to, unsigned nibble)
{
	to[0] = 1;
	to[1] = (uint8_t)hex[nibble];
	return 2;
}

size_t reverse_wire(const struct address *address, uint8_t wire[REVERSE_WIRE_MAX])
{
	bool is4 = address->family == 4;
	size_t used = 0, tree = is4 ? sizeof tree4 : sizeof tree6;

	assert(address->family == 4 || address->family == 6);
	for (unsigned i = address_bits(address) / 8; i-- > 0;) {
		unsigned byte = address->bytes[i];

		if (is4) {
			used += put_octet(wire + used, byte);
		} else {
			used += put_nibble(wire + used, byte & 15);
			used += put_nibble(wire + used, byte >> 4);
		}
	}
	memcpy(wire + used, is4 ? tree4 : tree6, tree);
	return used + tree;
}

bool reverse_parse_octet(const uint8_t *label, uint8_t *octet)
{
	unsigned length = label[0], value = 0, i;

	if (length < 1 || length > 3 || (length > 1 && label[1] == '0'))
		return false;
	for (i = 1; i <= length; i++) {
		if (label[i] < '0' || label[i] > '9')
			return false;
		value = value * 10 + (label[i] - '0');
	}
	*octet = (uint8_t)value;
	return value <= 255;
}

static int read_nibble(const uint8_t *label)
{
	const char *digit = label[0] == 1 && label[1] != '\0' ? strchr(hex, label[1]) : NULL;

	return !digit ? -1 : (int)(digit - hex);
}

/* Appends a label's number to the prefix's bits; false: it is no number. */
static bool append_label(struct prefix *prefix, const uint8_t *label)
{
	uint8_t *byte = &prefix->address.bytes[prefix->length / 8];
	int number;

	if (prefix->address.family == 4) {
		uint8_t octet;

		if (!reverse_parse_octet(label, &octet))
			return false;
		*byte = octet;
		prefix->length += 8;
		return true;
	}
	number = read_nibble(label);
	if (number < 0)
		return false;
	*byte |= (uint8_t)(prefix->length % 8 == 0 ? number << 4 : number);
	prefix->length += 4;
	return true;
}

static bool suffix_is(const struct name *name, unsigned first, const char *wire, size_t length)
{
	return name_suffix_length(name, first) == length &&
	       memcmp(name_suffix_wire(name, first), wire, length) == 0;
}

bool reverse_parse(const struct name *name, struct prefix *prefix, unsigned *rest)
{
	unsigned left;

	if (name->labels < 2)
		return false;
	left = name->labels - 2U;
	*prefix = (struct prefix){0};
	if (suffix_is(name, left, tree4, sizeof tree4))
		prefix->address.family = 4;
	else if (suffix_is(name, left, tree6, sizeof tree6))
		prefix->address.family = 6;
	else
		return false;
	while (left > 0 && prefix->length < address_bits(&prefix->address)) {
		if (!append_label(prefix, name_suffix_wire(name, left - 1)))
			break;
		left--;
	}
	*rest = left;
	return true;
}
