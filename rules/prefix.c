/* Addresses and prefixes. libc's inet_pton and inet_ntop convert text; they are strict (no "010",
 * no "10.1") and the same on every system. This file adds the slash, the port and the differences
 * between the two families. The longest-prefix table is in prefix_table.c.
 *
 * IPv6 zone indexes ("fe80::1%eth0") are refused: they name an interface of one machine, which does
 * not belong in a configuration. */
#include "rules/prefix.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "rules/base.h"

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_mapped(const struct address *address)
{
	return address->family == 6 && memcmp(address->bytes, mapped, sizeof mapped) == 0;
}

/* Parses an address as it is, without converting mapped ones. */
static int parse_raw(struct address *address, const char *text, size_t length)
{
	char copy[ADDRESS_TEXT_MAX];

	if (length >= sizeof copy)
		return ERR_INVALID;
	memcpy(copy, text, length);
	copy[length] = '\0';
	*address = (struct address){0};
	if (inet_pton(AF_INET, copy, address->bytes) == 1)
		address->family = 4;
	else if (inet_pton(AF_INET6, copy, address->bytes) == 1)
		address->family = 6;
	else
		return ERR_INVALID;
	return 0;
}

static void unmap(struct address *address)
{
	struct address plain = {.family = 4};

	if (!is_mapped(address))
		return;
	memcpy(plain.bytes, address->bytes + sizeof mapped, 4);
	*address = plain;
}

static int parse_address(struct address *address, const char *text, size_t length)
{
	int err = parse_raw(address, text, length);

	if (err == 0)
		unmap(address);
	return err;
}

int address_parse(struct address *address, const char *text)
{
	return parse_address(address, text, strlen(text));
}

/* A decimal number without sign, blanks or leading zeros. */
static int parse_number(unsigned *number, const char *text, unsigned max)
{
	unsigned value = 0;

	if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
		return ERR_INVALID;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return ERR_INVALID;
		value = value * 10 + (unsigned)(*text - '0');
		if (value > max)
			return ERR_INVALID;
	}
	*number = value;
	return 0;
}

unsigned address_bits(const struct address *address)
{
	return address->family == 4 ? 32 : 128;
}

struct address address_mask(const struct address *address, unsigned length)
{
	struct address result = {.family = address->family};
	unsigned whole = length / 8, bits = length % 8;

	assert(length <= address_bits(address));
	memcpy(result.bytes, address->bytes, whole);
	if (bits != 0)
		result.bytes[whole] = (uint8_t)(address->bytes[whole] & 0xff << (8 - bits));
	return result;
}

struct address address_client(const struct address *address)
{
	enum { IPV6_CLIENT_BITS = 64 };

	return address->family == 6 ? address_mask(address, IPV6_CLIENT_BITS) : *address;
}

struct address address_site(const struct address *address)
{
	enum { IPV6_SITE_BITS = 48 };
	static const struct address loopback = {4, {127, 0, 0, 1}};

	if (address_is_loopback(address))
		return loopback;
	return address->family == 6 ? address_mask(address, IPV6_SITE_BITS) : *address;
}

struct address address_add(const struct address *address, uint32_t n)
{
	struct address sum = *address;
	uint64_t carry = n;

	for (unsigned i = address_bits(address) / 8; i-- > 0; carry >>= 8) {
		carry += sum.bytes[i];
		sum.bytes[i] = (uint8_t)carry;
	}
	return sum;
}

static int parse_prefix(struct prefix *prefix, const char *text, bool lenient)
{
	const char *slash = strchr(text, '/');
	struct address given;
	unsigned length;
	int err;

	if (!slash)
		return ERR_INVALID;
	err = parse_raw(&given, text, (size_t)(slash - text));
	if (err == 0)
		err = parse_number(&length, slash + 1, address_bits(&given));
	if (err != 0)
		return err;
	prefix->address = address_mask(&given, length);
	prefix->length = (uint8_t)length;
	if (!lenient && !address_equal(&prefix->address, &given))
		return ERR_INVALID;
	if (is_mapped(&prefix->address) && length >= 96) {
		unmap(&prefix->address);
		prefix->length = (uint8_t)(length - 96);
	}
	return 0;
}

int prefix_parse(struct prefix *prefix, const char *text)
{
	return parse_prefix(prefix, text, false);
}

int prefix_parse_lenient(struct prefix *prefix, const char *text)
{
	return parse_prefix(prefix, text, true);
}

static int parse_port(uint16_t *port, const char *text)
{
	unsigned number;
	int err = parse_number(&number, text, UINT16_MAX);

	if (err != 0 || number == 0)
		return ERR_INVALID;
	*port = (uint16_t)number;
	return 0;
}

static int parse_bracketed(struct host *host, const char *text)
{
	const char *close = strchr(text, ']');
	int err;

	if (!close || (close[1] != '\0' && close[1] != ':') ||
	    !memchr(text, ':', (size_t)(close - text)))
		return ERR_INVALID;
	err = parse_address(&host->address, text, (size_t)(close - text));
	if (err == 0 && close[1] == ':')
		err = parse_port(&host->port, close + 2);
	return err;
}

int host_parse(struct host *host, const char *text, uint16_t default_port)
{
	const char *colon = strchr(text, ':');
	int err;

	host->port = default_port;
	if (text[0] == '[')
		return parse_bracketed(host, text + 1);
	/* More than one colon means IPv6 without a port. */
	if (!colon || strchr(colon + 1, ':'))
		return address_parse(&host->address, text);
	err = parse_address(&host->address, text, (size_t)(colon - text));
	return err != 0 ? err : parse_port(&host->port, colon + 1);
}

char *address_print(const struct address *address, char text[ADDRESS_TEXT_MAX])
{
	if (address->family == 0) {
		snprintf(text, ADDRESS_TEXT_MAX, "none");
		return text;
	}
	inet_ntop(address->family == 4 ? AF_INET : AF_INET6, address->bytes, text,
		  ADDRESS_TEXT_MAX);
	return text;
}

char *prefix_print(const struct prefix *prefix, char text[PREFIX_TEXT_MAX])
{
	char address[ADDRESS_TEXT_MAX];

	snprintf(text, PREFIX_TEXT_MAX, "%s/%u", address_print(&prefix->address, address),
		 (unsigned)prefix->length);
	return text;
}

char *host_print(const struct host *host, char text[HOST_TEXT_MAX])
{
	char address[ADDRESS_TEXT_MAX];
	const char *format = host->address.family == 6 ? "[%s]:%u" : "%s:%u";

	snprintf(text, HOST_TEXT_MAX, format, address_print(&host->address, address),
		 (unsigned)host->port);
	return text;
}

bool address_equal(const struct address *a, const struct address *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

int address_compare(const struct address *a, const struct address *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

bool host_equal(const struct host *a, const struct host *b)
{
	return a->port == b->port && address_equal(&a->address, &b->address);
}

bool host_overlaps(const struct host *a, const struct host *b)
{
	return a->port == b->port && a->address.family == b->address.family &&
	       address_is_unspecified(&a->address) != address_is_unspecified(&b->address);
}

bool address_is_loopback(const struct address *address)
{
	static const uint8_t one[16] = {[15] = 1};

	return address->family == 4
		       ? address->bytes[0] == 127
		       : address->family == 6 && memcmp(address->bytes, one, sizeof one) == 0;
}

static const struct prefix private_blocks[] = {{{.family = 4, .bytes = {10}}, 8},
					       {{.family = 4, .bytes = {172, 16}}, 12},
					       {{.family = 4, .bytes = {192, 168}}, 16},
					       {{.family = 6, .bytes = {0xfc}}, 7}};

bool address_is_private(const struct address *address)
{
	for (size_t i = 0; i < COUNT(private_blocks); i++)
		if (prefix_contains(&private_blocks[i], address))
			return true;
	return false;
}

bool prefix_has_private(const struct prefix *prefix)
{
	for (size_t i = 0; i < COUNT(private_blocks); i++)
		if (prefix_contains(prefix, &private_blocks[i].address))
			return true;
	return address_is_private(&prefix->address);
}

bool address_is_unspecified(const struct address *address)
{
	static const uint8_t zero[16];

	return address->family != 0 && memcmp(address->bytes, zero, sizeof zero) == 0;
}

bool address_is_multicast(const struct address *address)
{
	return address->family == 4 ? (address->bytes[0] & 0xf0) == 0xe0
				    : address->family == 6 && address->bytes[0] == 0xff;
}

bool address_is_broadcast(const struct address *address)
{
	static const uint8_t ones[4] = {255, 255, 255, 255};

	return address->family == 4 && memcmp(address->bytes, ones, sizeof ones) == 0;
}

bool prefix_contains(const struct prefix *prefix, const struct address *address)
{
	unsigned whole = prefix->length / 8, bits = prefix->length % 8;
	const uint8_t *a = prefix->address.bytes, *b = address->bytes;

	if (prefix->address.family != address->family || address->family == 0)
		return false;
	return memcmp(a, b, whole) == 0 && (bits == 0 || (a[whole] ^ b[whole]) >> (8 - bits) == 0);
}

bool prefix_covers(const struct prefix *outer, const struct prefix *inner)
{
	return outer->length <= inner->length && prefix_contains(outer, &inner->address);
}

bool prefix_overlaps(const struct prefix *a, const struct prefix *b)
{
	return prefix_covers(a, b) || prefix_covers(b, a);
}

bool prefix_equal(const struct prefix *a, const struct prefix *b)
{
	return a->length == b->length && address_equal(&a->address, &b->address);
}

int prefix_compare(const struct prefix *a, const struct prefix *b)
{
	int order = address_compare(&a->address, &b->address);

	return order ? order : a->length - b->length;
}

uint64_t prefix_size(const struct prefix *prefix)
{
	return prefix->address.family == 4 ? (uint64_t)1 << (32 - prefix->length) : 0;
}

bool prefix_nth(const struct prefix *prefix, uint32_t n, struct address *address)
{
	if (n >= prefix_size(prefix))
		return false;
	*address = address_add(&prefix->address, n);
	return true;
}
