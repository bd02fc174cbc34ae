#include "resolver/control/etag.h"

#include <stdio.h>
#include <string.h>

uint64_t etag_add_text(const struct hash_key *key, uint64_t hash, const char *text)
{
	return hash_bytes(key, hash, text ? text : "", text ? strlen(text) + 1 : 0);
}

uint64_t etag_add_number(const struct hash_key *key, uint64_t hash, uint64_t number)
{
	uint8_t bytes[8];

	for (unsigned i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(number >> 8 * i);
	return hash_bytes(key, hash, bytes, sizeof bytes);
}

char *etag_print(uint64_t version, uint32_t standing, char text[ETAG_MAX])
{
	snprintf(text, ETAG_MAX, "\"%016llx-%08x\"", (unsigned long long)version,
		 (unsigned)standing);
	return text;
}

/* A tag of the list is as long as this one, and the same for so many bytes. */
static bool is_listed(const char *list, const char *etag, size_t same, bool strong)
{
	size_t length = strlen(etag);

	while (*list) {
		bool weak = strncmp(list, "W/", 2) == 0;
		const char *tag = weak ? list + 2 : list;
		size_t end = *tag == '"' ? 1 + strcspn(tag + 1, "\"") + 1 : strcspn(tag, ", \t");

		if (end == 1 && *tag == '*')
			return true;
		end = strnlen(tag, end);
		if (!(weak && strong) && end == length && strncmp(tag, etag, same) == 0 &&
		    tag[end - 1] == etag[length - 1])
			return true;
		list = tag + end;
		list += strspn(list, ", \t");
	}
	return false;
}

bool etag_is_listed(const char *list, const char *etag, bool strong)
{
	return is_listed(list, etag, strlen(etag), strong);
}

bool etag_version_is_listed(const char *list, const char *etag, bool strong)
{
	return is_listed(list, etag, strcspn(etag, "-"), strong);
}
