/* The digest covers the message before its TSIG, and that record's own fields (RFC 8945 section
 * 4.3.3). Names are compressed as by clients: every owner is the label and a pointer to the
 * zone. */
#include "bench/registration.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

#include "bench/answer.h"

enum { CLASS_IN = 1, CLASS_NONE = 254, CLASS_ANY = 255 };
enum { TYPE_A = 1, TYPE_SOA = 6, TYPE_DHCID = 49, TYPE_TSIG = 250, TYPE_ANY = 255 };
enum { UPDATE_FLAGS = 5 << 11, POINTER = 0xc000, MAC_BYTES = 32, DHCID_BYTES = 35 };
enum { TTL_S = 600, FUDGE_S = 300, ADDRESSES = 10u << 24 | 128 << 16 };

static const uint8_t algorithm[] = "\013hmac-sha256";

static uint8_t *put16(uint8_t *at, unsigned value)
{
	*at++ = (uint8_t)(value >> 8);
	*at++ = (uint8_t)value;
	return at;
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
	return put16(put16(at, value >> 16), value & 0xffff);
}

static uint8_t *put(uint8_t *at, const void *bytes, size_t length)
{
	memcpy(at, bytes, length);
	return at + length;
}

static bool name_from(const char *text, uint8_t wire[REGISTRATION_NAME_BYTES], size_t *length)
{
	size_t used = 0;
	while (*text) {
		size_t label = strcspn(text, ".");
		if (label == 0 || label > 63 || used + label + 2 > REGISTRATION_NAME_BYTES)
			return false;
		wire[used++] = (uint8_t)label;
		memcpy(wire + used, text, label);
		used += label;
		text += label + (text[label] == '.');
	}
	wire[used++] = 0;
	*length = used;
	return used > 1;
}

bool registration_key_init(struct registration_key *key, const char *zone, const char *name,
			   const char *secret)
{
	key->secret = secret;
	return name_from(zone, key->zone, &key->zone_length) &&
	       name_from(name, key->name, &key->name_length);
}

/* Writes a record of the machine up to its data. */
static uint8_t *put_record(uint8_t *at, uint32_t machine, unsigned type, unsigned class,
			   uint32_t ttl_s, unsigned length)
{
	at = put16(answer_put_label(at, 'm', machine), POINTER | DNS_HEADER_BYTES);
	return put16(put32(put16(put16(at, type), class), ttl_s), length);
}

/* Makes a DHCID: type 1 and SHA-256 (RFC 4701 section 3.3), with made-up bytes as the digest. */
static void dhcid_of(uint32_t machine, uint8_t dhcid[DHCID_BYTES])
{
	uint64_t state = machine;
	put(dhcid, "\0\1\1", 3);
	for (unsigned i = 3; i < DHCID_BYTES; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		dhcid[i] = (uint8_t)(state >> 56);
	}
}

/* Writes the records as Kea's D2 sends them: the prerequisite that the name is not in use, then the
 * A and DHCID records to add. */
static uint8_t *put_add(uint8_t *at, uint32_t machine, const uint8_t dhcid[DHCID_BYTES])
{
	at = put_record(at, machine, TYPE_ANY, CLASS_NONE, 0, 0);
	at = put_record(at, machine, TYPE_A, CLASS_IN, TTL_S, 4);
	at = put32(at, ADDRESSES | (machine & 0xffff));
	at = put_record(at, machine, TYPE_DHCID, CLASS_IN, TTL_S, DHCID_BYTES);
	return put(at, dhcid, DHCID_BYTES);
}

static uint8_t *put_remove(uint8_t *at, uint32_t machine, const uint8_t dhcid[DHCID_BYTES])
{
	at = put_record(at, machine, TYPE_DHCID, CLASS_IN, 0, DHCID_BYTES);
	at = put(at, dhcid, DHCID_BYTES);
	return put_record(at, machine, TYPE_ANY, CLASS_ANY, 0, 0);
}

static uint8_t *put_time(uint8_t *at, uint64_t now_s)
{
	at = put32(put16(at, (unsigned)(now_s >> 32) & 0xffff), (uint32_t)now_s);
	return put16(at, FUDGE_S);
}

/* Writes the TSIG's fields that are signed with the message: name, class, TTL, algorithm, time,
 * fudge, error, length of other data. */
static uint8_t *put_variables(uint8_t *at, const struct registration_key *key, uint64_t now_s)
{
	at = put(at, key->name, key->name_length);
	at = put32(put16(at, CLASS_ANY), 0);
	at = put_time(put(at, algorithm, sizeof algorithm), now_s);
	return put32(at, 0);
}

static uint8_t *put_tsig(uint8_t *at, const struct registration_key *key, uint16_t id,
			 uint64_t now_s, const uint8_t mac[MAC_BYTES])
{
	at = put(at, key->name, key->name_length);
	at = put32(put16(put16(at, TYPE_TSIG), CLASS_ANY), 0);
	at = put16(at, sizeof algorithm + 8 + 2 + MAC_BYTES + 6);
	at = put_time(put(at, algorithm, sizeof algorithm), now_s);
	at = put(put16(at, MAC_BYTES), mac, MAC_BYTES);
	return put32(put16(at, id), 0);
}

size_t registration_make(uint8_t packet[REGISTRATION_BYTES], const struct registration_key *key,
			 uint16_t id, uint32_t machine, bool remove, uint64_t now_s)
{
	uint8_t dhcid[DHCID_BYTES], mac[MAC_BYTES];
	uint8_t *at = put16(put16(packet, id), UPDATE_FLAGS);
	dhcid_of(machine, dhcid);
	at = put16(put16(at, 1), 1); /* a zone, a prerequisite */
	at = put16(put16(at, remove ? 1 : 2), 0);
	at = put(at, key->zone, key->zone_length);
	at = put16(put16(at, TYPE_SOA), CLASS_IN);
	at = remove ? put_remove(at, machine, dhcid) : put_add(at, machine, dhcid);
	const uint8_t *end = put_variables(at, key, now_s);
	if (gnutls_hmac_fast(GNUTLS_MAC_SHA256, key->secret, strlen(key->secret), packet,
			     (size_t)(end - packet), mac) < 0)
		return 0;
	packet[11] = 1; /* additional records: the TSIG, written over put_variables' bytes */
	return (size_t)(put_tsig(at, key, id, now_s, mac) - packet);
}
