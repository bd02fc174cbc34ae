/* Times are compared as serial numbers (RFC 1982), so that nothing breaks in 2106. A client whose
 * cookie has another form, or is not ours, has made no mistake: it gets a good one. */
#include "endpoints/inbound/cookie.h"

#include <endian.h>
#include <string.h>

enum { VERSION_AT = 8, TIME_AT = 12, HASH_AT = 16 };

void cookie_init(struct cookie_keeper *keeper, const struct hash_key *drawn)
{
	*keeper = (struct cookie_keeper){.drawn = *drawn, .day = UINT32_MAX};
}

void cookie_init_given(struct cookie_keeper *keeper, const struct hash_key *key,
		       const struct hash_key *before)
{
	*keeper = (struct cookie_keeper){.given = true, .keys = {*key, *before}};
}

static struct hash_key key_of_day(const struct hash_key *drawn, uint32_t day)
{
	uint32_t parts[2][2] = {{day, 0}, {day, 1}};

	return (struct hash_key){hash_sign(drawn, parts[0], sizeof parts[0]),
				 hash_sign(drawn, parts[1], sizeof parts[1])};
}

static void keep_up(struct cookie_keeper *keeper, uint32_t now_s)
{
	uint32_t day = now_s / COOKIE_DAY_S;

	if (keeper->given || keeper->day == day)
		return;
	keeper->day = day;
	keeper->keys[0] = key_of_day(&keeper->drawn, day);
	keeper->keys[1] = key_of_day(&keeper->drawn, day - 1);
}

static void sign(const struct hash_key *key, const struct address *client,
		 const uint8_t cookie[MESSAGE_COOKIE_REPLY], uint8_t signature[8])
{
	size_t length = client->family == 4 ? 4 : 16;
	uint8_t signed_[HASH_AT + 16];

	memcpy(signed_, cookie, HASH_AT);
	memcpy(signed_ + HASH_AT, client->bytes, length);
	uint64_t hash = htole64(hash_sign(key, signed_, HASH_AT + length));
	memcpy(signature, &hash, sizeof hash);
}

/* Compares every byte, so that the time reveals nothing. */
static bool is_signed(const struct hash_key *key, const struct address *client,
		      const uint8_t cookie[MESSAGE_COOKIE_REPLY])
{
	uint8_t signature[8], off = 0;

	sign(key, client, cookie, signature);
	for (size_t i = 0; i < sizeof signature; i++)
		off |= signature[i] ^ cookie[HASH_AT + i];
	return off == 0;
}

bool cookie_check(struct cookie_keeper *keeper, const struct address *client, uint32_t now_s,
		  uint8_t cookie[MESSAGE_COOKIE_REPLY], size_t length)
{
	static const uint8_t version[4] = {1, 0, 0, 0};

	keep_up(keeper, now_s);
	uint32_t age = length == MESSAGE_COOKIE_REPLY ? now_s - wire_u32(cookie + TIME_AT) : 0;
	bool ahead = age > INT32_MAX;
	bool ours = length == MESSAGE_COOKIE_REPLY && cookie[VERSION_AT] == version[0] &&
		    (ahead ? -age <= COOKIE_TIME_AHEAD_S : age <= COOKIE_TIME_BEHIND_S);
	bool newest = ours && is_signed(&keeper->keys[0], client, cookie);
	bool good = newest || (ours && is_signed(&keeper->keys[1], client, cookie));
	if (newest && memcmp(cookie + VERSION_AT, version, sizeof version) == 0 &&
	    (ahead || age < COOKIE_RENEW_S))
		return true;
	memcpy(cookie + VERSION_AT, version, sizeof version);
	wire_put32(cookie + TIME_AT, now_s);
	sign(&keeper->keys[0], client, cookie, cookie + HASH_AT);
	return good;
}
