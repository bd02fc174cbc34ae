/* A MAC covers (RFC 8945 section 4.3), in this order:
 *
 *     the MAC before     the request's for an answer, else the last message's; its length
 *                        comes before it
 *     the message        without the TSIG, also in the counts, with the original id
 *     the variables      name, class, TTL, algorithm, time, fudge, error, other data; from an
 *                        answer's second message on only time and fudge
 *
 * Every message of an answer is signed, so no hash is open between two messages. Truncated MACs are
 * legal but not accepted: no client is known to send them (section 5.2.2.1, our policy).
 *
 * Not here: the rights of a key, TKEY, SIG(0), HMAC-MD5. */
#include "resolver/transfer/tsig.h"

#include <assert.h>
#include <gnutls/crypto.h>
#include <string.h>

#include "rules/wire.h"
#include "rules/zone/record.h"

enum {
	TIME_BYTES = 6,
	MAC_LEAST = 10, /* RFC 8945 section 5.2.2.1 */
	OTHER_BADTIME = TIME_BYTES,
};

static const struct algorithm {
	const uint8_t *name;
	size_t name_length, mac_length;
	gnutls_mac_algorithm_t mac;
} algorithms[] = {
#define ALGORITHM(text, mac_length, mac)                                                           \
	{                                                                                          \
		(const uint8_t *)(text), sizeof(text), mac_length, mac                             \
	}
	[TSIG_HMAC_SHA256] = ALGORITHM("\013hmac-sha256", 32, GNUTLS_MAC_SHA256),
	[TSIG_HMAC_SHA1] = ALGORITHM("\011hmac-sha1", 20, GNUTLS_MAC_SHA1),
	[TSIG_HMAC_SHA224] = ALGORITHM("\013hmac-sha224", 28, GNUTLS_MAC_SHA224),
	[TSIG_HMAC_SHA384] = ALGORITHM("\013hmac-sha384", 48, GNUTLS_MAC_SHA384),
	[TSIG_HMAC_SHA512] = ALGORITHM("\013hmac-sha512", 64, GNUTLS_MAC_SHA512),
#undef ALGORITHM
};

/* ---- keys ---- */

bool tsig_key_init(struct tsig_key *key, const struct tsig_settings *settings)
{
	const char *text = settings->secret ? settings->secret : settings->loaded;
	struct name name;

	*key = (struct tsig_key){.algorithm = settings->algorithm};
	if (!text || !settings->name || name_from_text(&name, NULL, settings->name) != 0)
		return false;
	memcpy(key->name, name.wire, name.length);
	key->name_length = name.length;
	key->secret_length = tsig_secret_decode(text, key->secret);
	return key->secret_length > 0;
}

int tsig_name_compare(const uint8_t *name, size_t length, const uint8_t *other, size_t other_length)
{
	if (length != other_length)
		return length < other_length ? -1 : 1;
	return memcmp(name, other, length);
}

bool tsig_key_equal(const struct tsig_key *a, const struct tsig_key *b)
{
	return tsig_name_compare(a->name, a->name_length, b->name, b->name_length) == 0 &&
	       a->algorithm == b->algorithm && a->secret_length == b->secret_length &&
	       memcmp(a->secret, b->secret, a->secret_length) == 0;
}

const struct tsig_key *tsig_key_find(const struct tsig_key *keys, size_t count, const uint8_t *name)
{
	size_t length = name_wire_length(name), low = 0, high = count;
	uint8_t lower[NAME_WIRE_MAX];

	for (size_t i = 0; i < length; i++)
		lower[i] = name_lower(name[i]); /* a length byte is below 'A' */
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct tsig_key *key = &keys[middle];
		int order = tsig_name_compare(key->name, key->name_length, lower, length);

		if (order == 0)
			return key;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* ---- a received TSIG ---- */

struct tsig { /* a record's fields; pointers lead into the packet */
	uint8_t name[NAME_WIRE_MAX], algorithm[NAME_WIRE_MAX];
	size_t name_length, algorithm_length;
	uint64_t time_s;
	uint16_t fudge_s, original_id, error;
	const uint8_t *mac, *other;
	size_t mac_length, other_length;
};

static uint64_t read_time(const uint8_t *at)
{
	return (uint64_t)wire_u16(at) << 32 | wire_u32(at + 2);
}

static void write_time(uint8_t *at, uint64_t time_s)
{
	wire_put16(at, (uint16_t)(time_s >> 32));
	wire_put32(at + 2, (uint32_t)time_s);
}

/* Reads a TSIG (RFC 8945 section 4.2). There must be a record at `at` that ends with the packet. */
static bool read_tsig(struct tsig *tsig, const uint8_t *packet, size_t length, size_t at)
{
	size_t end;

	tsig->name_length = wire_read_name(packet, length, at, WIRE_HEADER, tsig->name, &end);
	if (!tsig->name_length || length - end < RECORD_FIXED)
		return false;
	at = end + RECORD_FIXED;
	if (wire_u16(packet + end) != TYPE_TSIG || wire_u16(packet + end + 8) != length - at)
		return false;
	tsig->algorithm_length =
		wire_read_name(packet, length, at, WIRE_PLAIN, tsig->algorithm, &end);
	if (!tsig->algorithm_length || length - end < 10)
		return false;
	tsig->time_s = read_time(packet + end);
	tsig->fudge_s = wire_u16(packet + end + 6);
	tsig->mac_length = wire_u16(packet + end + 8);
	tsig->mac = packet + end + 10;
	end += 10;
	if (tsig->mac_length > length - end || length - end - tsig->mac_length < 6)
		return false;
	end += tsig->mac_length;
	tsig->original_id = wire_u16(packet + end);
	tsig->error = wire_u16(packet + end + 2);
	tsig->other_length = wire_u16(packet + end + 4);
	tsig->other = packet + end + 6;
	return tsig->other_length == length - end - 6;
}

/* ---- the hash ---- */

static void hash16(gnutls_hmac_hd_t hash, uint16_t value)
{
	uint8_t bytes[2];

	wire_put16(bytes, value);
	gnutls_hmac(hash, bytes, sizeof bytes);
}

static void hash_name(gnutls_hmac_hd_t hash, const uint8_t *name, size_t length)
{
	uint8_t lower[NAME_WIRE_MAX];

	for (size_t i = 0; i < length; i++)
		lower[i] = name_lower(name[i]);
	gnutls_hmac(hash, lower, length);
}

/* Hashes the header as without the TSIG; `counted`: ARCOUNT includes it. */
static void hash_message(gnutls_hmac_hd_t hash, const uint8_t *message, size_t length, uint16_t id,
			 bool counted)
{
	uint8_t header[WIRE_HEADER];

	memcpy(header, message, sizeof header);
	wire_put16(header, id);
	wire_put16(header + 10, (uint16_t)(wire_u16(header + 10) - counted));
	gnutls_hmac(hash, header, sizeof header);
	gnutls_hmac(hash, message + WIRE_HEADER, length - WIRE_HEADER);
}

static void hash_times(gnutls_hmac_hd_t hash, uint64_t time_s, uint16_t fudge_s)
{
	uint8_t bytes[TIME_BYTES];

	write_time(bytes, time_s);
	gnutls_hmac(hash, bytes, sizeof bytes);
	hash16(hash, fudge_s);
}

static void hash_variables(gnutls_hmac_hd_t hash, const struct tsig_key *key, uint64_t time_s,
			   uint16_t fudge_s, uint16_t error, const uint8_t *other,
			   size_t other_length)
{
	static const uint8_t any_and_ttl[] = {0, CLASS_ANY, 0, 0, 0, 0};
	const struct algorithm *algorithm = &algorithms[key->algorithm];

	hash_name(hash, key->name, key->name_length);
	gnutls_hmac(hash, any_and_ttl, sizeof any_and_ttl);
	hash_name(hash, algorithm->name, algorithm->name_length);
	hash_times(hash, time_s, fudge_s);
	hash16(hash, error);
	hash16(hash, (uint16_t)other_length);
	if (other_length)
		gnutls_hmac(hash, other, other_length);
}

/* Begins a hash with the former MAC. NULL without memory. */
static gnutls_hmac_hd_t begin_hash(const struct tsig_key *key, const uint8_t *mac,
				   size_t mac_length)
{
	gnutls_hmac_hd_t hash;

	if (gnutls_hmac_init(&hash, algorithms[key->algorithm].mac, key->secret,
			     key->secret_length) < 0)
		return NULL;
	if (mac_length) {
		hash16(hash, (uint16_t)mac_length);
		gnutls_hmac(hash, mac, mac_length);
	}
	return hash;
}

/* ---- checking ---- */

/* Computes the MAC that the message should have. False: no memory. */
static bool expect_mac(uint8_t mac[TSIG_MAC_MAX], const struct tsig_context *context,
		       const struct tsig *tsig, const uint8_t *packet, size_t tsig_at)
{
	gnutls_hmac_hd_t hash = begin_hash(context->key, context->mac, context->mac_length);

	if (!hash)
		return false;
	hash_message(hash, packet, tsig_at, tsig->original_id, true);
	hash_variables(hash, context->key, tsig->time_s, tsig->fudge_s, tsig->error, tsig->other,
		       tsig->other_length);
	gnutls_hmac_deinit(hash, mac);
	return true;
}

static enum tsig_error check_mac(const struct tsig_context *context, const struct tsig *tsig,
				 const uint8_t *packet, size_t tsig_at)
{
	size_t whole = algorithms[context->key->algorithm].mac_length;
	size_t least = whole / 2 > MAC_LEAST ? whole / 2 : MAC_LEAST;
	uint8_t expected[TSIG_MAC_MAX];

	if (tsig->mac_length == 0)
		return TSIG_BADSIG;
	if (tsig->mac_length > whole || tsig->mac_length < least)
		return TSIG_FORMERR;
	if (!expect_mac(expected, context, tsig, packet, tsig_at) ||
	    gnutls_memcmp(expected, tsig->mac, tsig->mac_length) != 0)
		return TSIG_BADSIG;
	return tsig->mac_length < whole ? TSIG_BADTRUNC : TSIG_FINE;
}

/* The sender says how far clocks may differ, but at most the usual time counts, because within it
 * an eavesdropper can send the message again. */
static bool is_in_time(const struct tsig *tsig, uint64_t now_s)
{
	uint64_t apart = tsig->time_s > now_s ? tsig->time_s - now_s : now_s - tsig->time_s;
	uint64_t fudge_s = tsig->fudge_s < TSIG_FUDGE_S ? tsig->fudge_s : TSIG_FUDGE_S;

	return apart <= fudge_s;
}

static bool has_algorithm(const struct tsig_key *key, const struct tsig *tsig)
{
	return name_wire_equal(algorithms[key->algorithm].name, tsig->algorithm);
}

static void keep_foreign(struct tsig_context *context, const struct tsig *tsig)
{
	memcpy(context->foreign, tsig->name, tsig->name_length);
	memcpy(context->foreign + tsig->name_length, tsig->algorithm, tsig->algorithm_length);
	context->foreign_name = tsig->name_length;
	context->foreign_algorithm = tsig->algorithm_length;
}

/* Checks in the order of RFC 8945 section 5.2: key, MAC, time, truncation. */
static enum tsig_error check(struct tsig_context *context, const struct tsig *tsig,
			     const uint8_t *packet, size_t tsig_at, uint64_t now_s)
{
	enum tsig_error error = check_mac(context, tsig, packet, tsig_at);

	if (error == TSIG_FORMERR || error == TSIG_BADSIG)
		return error;
	memcpy(context->mac, tsig->mac, tsig->mac_length);
	context->mac_length = tsig->mac_length;
	return is_in_time(tsig, now_s) ? error : TSIG_BADTIME;
}

enum tsig_error tsig_check(struct tsig_context *context, const struct tsig_key *keys, size_t count,
			   const uint8_t *packet, size_t length, size_t tsig_at, uint64_t now_s)
{
	struct tsig tsig;

	*context = (struct tsig_context){.error = TSIG_FORMERR};
	if (!read_tsig(&tsig, packet, length, tsig_at))
		return TSIG_FORMERR;
	context->original_id = tsig.original_id;
	context->signed_s = tsig.time_s;
	context->key = tsig_key_find(keys, count, tsig.name);
	if (context->key && !has_algorithm(context->key, &tsig))
		context->key = NULL;
	if (!context->key)
		keep_foreign(context, &tsig);
	context->error = context->key ? check(context, &tsig, packet, tsig_at, now_s) : TSIG_BADKEY;
	return context->error;
}

void tsig_begin(struct tsig_context *context, const struct tsig_key *key, uint16_t id)
{
	*context = (struct tsig_context){.key = key, .original_id = id};
}

enum tsig_error tsig_check_answer(struct tsig_context *context, const uint8_t *packet,
				  size_t length, size_t tsig_at, uint64_t now_s)
{
	struct tsig tsig;

	if (!read_tsig(&tsig, packet, length, tsig_at))
		return TSIG_FORMERR;
	if (!name_wire_equal(context->key->name, tsig.name) || !has_algorithm(context->key, &tsig))
		return TSIG_BADKEY;
	enum tsig_error error = check(context, &tsig, packet, tsig_at, now_s);

	/* The other side reports its errors without a MAC. */
	return error == TSIG_BADSIG && tsig.mac_length == 0 && tsig.error
		       ? (enum tsig_error)tsig.error
		       : error;
}

/* ---- signing ---- */

static bool is_mute(const struct tsig_context *context)
{
	return context->error == TSIG_BADKEY || context->error == TSIG_BADSIG;
}

static size_t other_length(const struct tsig_context *context)
{
	return context->error == TSIG_BADTIME ? OTHER_BADTIME : 0;
}

size_t tsig_room(const struct tsig_context *context)
{
	size_t names = context->foreign_name + context->foreign_algorithm, mac = 0;

	if (context->key) {
		names = context->key->name_length + algorithms[context->key->algorithm].name_length;
		mac = is_mute(context) ? 0 : algorithms[context->key->algorithm].mac_length;
	}
	return names + RECORD_FIXED + TIME_BYTES + 2 + 2 + mac + 6 + other_length(context);
}

/* Computes the message's MAC, and keeps it for the next message. Without memory it is all zeros,
 * which no receiver accepts. */
static void sign_message(struct tsig_context *context, const uint8_t *message, size_t length,
			 uint64_t time_s, const uint8_t *other)
{
	gnutls_hmac_hd_t hash = begin_hash(context->key, context->mac, context->mac_length);

	context->mac_length = algorithms[context->key->algorithm].mac_length;
	if (!hash) {
		memset(context->mac, 0, context->mac_length);
		return;
	}
	hash_message(hash, message, length, context->original_id, false);
	if (context->chained)
		hash_times(hash, time_s, TSIG_FUDGE_S);
	else
		hash_variables(hash, context->key, time_s, TSIG_FUDGE_S, (uint16_t)context->error,
			       other, other_length(context));
	gnutls_hmac_deinit(hash, context->mac);
	context->chained = true;
}

static uint8_t *put(uint8_t *at, const uint8_t *bytes, size_t length)
{
	if (length)
		memcpy(at, bytes, length);
	return at + length;
}

/* Writes the name, the fixed part, and the data up to the algorithm. */
static uint8_t *put_head(const struct tsig_context *context, uint8_t *at)
{
	const uint8_t *name = context->foreign,
		      *algorithm = context->foreign + context->foreign_name;
	size_t name_length = context->foreign_name, algorithm_length = context->foreign_algorithm;

	if (context->key) {
		name = context->key->name;
		name_length = context->key->name_length;
		algorithm = algorithms[context->key->algorithm].name;
		algorithm_length = algorithms[context->key->algorithm].name_length;
	}
	at = put(at, name, name_length);
	wire_put16(at, TYPE_TSIG);
	wire_put16(at + 2, CLASS_ANY);
	wire_put32(at + 4, 0);
	wire_put16(at + 8, (uint16_t)(tsig_room(context) - name_length - RECORD_FIXED));
	return put(at + RECORD_FIXED, algorithm, algorithm_length);
}

size_t tsig_sign(struct tsig_context *context, uint8_t *message, size_t length, size_t capacity,
		 uint64_t now_s)
{
	/* BADTIME: signs the client's time, with ours as the other data (RFC 8945 section
	 * 5.2.3). */
	uint64_t time_s = context->error == TSIG_BADTIME ? context->signed_s : now_s;
	uint8_t other[OTHER_BADTIME];
	bool mute = !context->key || is_mute(context);

	assert(length >= WIRE_HEADER);
	if (length + tsig_room(context) > capacity)
		return length;
	write_time(other, now_s);
	if (!mute)
		sign_message(context, message, length, time_s, other);
	uint8_t *at = put_head(context, message + length);
	size_t mac_length = mute ? 0 : context->mac_length;
	write_time(at, time_s);
	wire_put16(at + 6, TSIG_FUDGE_S);
	wire_put16(at + 8, (uint16_t)mac_length);
	at = put(at + 10, context->mac, mac_length);
	wire_put16(at, context->original_id);
	wire_put16(at + 2, (uint16_t)context->error);
	wire_put16(at + 4, (uint16_t)other_length(context));
	at = put(at + 6, other, other_length(context));
	wire_put16(message + 10, (uint16_t)(wire_u16(message + 10) + 1));
	return (size_t)(at - message);
}
