#include "resolver/control/resource/etag.h"

#include <stdio.h>
#include <string.h>

static const struct hash_key key; /* constant: etag.h */

uint64_t etag_add_text(uint64_t hash, const char *text)
{
	return hash_bytes(&key, hash, text ? text : "", text ? strlen(text) + 1 : 0);
}

uint64_t etag_add_number(uint64_t hash, uint64_t number)
{
	uint8_t bytes[8];

	for (unsigned i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(number >> 8 * i);
	return hash_bytes(&key, hash, bytes, sizeof bytes);
}

char *etag_print(uint64_t revision, uint64_t values, uint64_t computed, char text[ETAG_MAX])
{
	snprintf(text, ETAG_MAX, "\"%016llx-%08x\"",
		 (unsigned long long)(revision > 0 ? revision : values),
		 (unsigned)(computed & UINT32_MAX));
	return text;
}

bool etag_same_version(const char *etag, const char *other)
{
	size_t length = strcspn(etag, "-");

	return strcspn(other, "-") == length && strncmp(etag, other, length) == 0;
}
