/* RFC 4122: section 4.4 for random UUIDs, 4.3 for those of names. Version 5 prescribes SHA-1, which
 * need not be strong here: such a UUID is an identifier, and proves nothing. */
#include "resolver/control/base/uuid.h"

#include <assert.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "endpoints/entropy.h"

enum { SHA1_BYTES = 20 };

/* Sets the version in the high half of byte 6, the variant in the first two bits of byte 8. */
static char *print(uint8_t bytes[UUID_BYTES], unsigned version, char text[UUID_TEXT_MAX])
{
	char *at = text;

	bytes[6] = (uint8_t)((bytes[6] & 0x0f) | version << 4);
	bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
	for (unsigned i = 0; i < UUID_BYTES; i++)
		at += snprintf(at, 4, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x",
			       bytes[i]);
	return text;
}

char *uuid_random(char text[UUID_TEXT_MAX])
{
	uint8_t bytes[UUID_BYTES];

	entropy_read(bytes, sizeof bytes);
	return print(bytes, 4, text);
}

char *uuid_of_name(const char *name, char text[UUID_TEXT_MAX])
{
	static const uint8_t space[UUID_BYTES] = {0x3d, 0x0b, 0x5c, 0x4e, 0x8a, 0x71, 0x4f, 0x0d,
						  0x9b, 0x26, 0x5e, 0x17, 0xc2, 0x90, 0xd8, 0x64};

	return uuid_in_namespace(space, name, text);
}

char *uuid_in_namespace(const uint8_t space[UUID_BYTES], const char *name, char text[UUID_TEXT_MAX])
{
	uint8_t digest[SHA1_BYTES] = {0};
	gnutls_hash_hd_t hash;
	int err = gnutls_hash_init(&hash, GNUTLS_DIG_SHA1);

	assert(err == 0); /* fails without memory, or with a library that has no SHA-1 */
	(void)err;
	gnutls_hash(hash, space, UUID_BYTES);
	gnutls_hash(hash, name, strlen(name));
	gnutls_hash_deinit(hash, digest);
	return print(digest, 5, text);
}
