/* TSIG against ldns, which signs what we check and checks what we sign, and by itself where ldns
 * does not go: times, truncation, every kind of error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <ldns/ldns.h>

#include "endpoints/message.h"
#include "resolver/transfer/tsig.h"
#include "tests/lib/message_text.h"

enum { NOW = 1700000000, BUFFER = MESSAGE_MAX };

#define SECRET "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI="

static struct tsig_key key_of(const char *name, enum tsig_algorithm algorithm, const char *secret)
{
	const struct tsig_settings settings = {
		.name = name, .algorithm = algorithm, .secret = secret};
	struct tsig_key key;

	assert_true(tsig_key_init(&key, &settings));
	return key;
}

static size_t find_tsig(const uint8_t *packet, size_t length)
{
	static const struct hash_key any;
	struct request request;
	struct name name;
	enum rcode rcode;

	assert_int_equal(message_read_request(&request, &name, &any, packet, length, &rcode),
			 REQUEST_FINE);
	assert_int_not_equal(request.tsig_at, 0);
	return request.tsig_at;
}

/* A request signed by us, as any client might. */
static size_t signed_request(uint8_t *packet, struct tsig_context *context,
			     const struct tsig_key *key, uint64_t now_s)
{
	size_t length = request_write(packet, 77, 0, "z.test.", TYPE_AXFR, CLASS_IN, 1232, false);

	tsig_begin(context, key, 77);
	return tsig_sign(context, packet, length, BUFFER, now_s);
}

static const struct {
	enum tsig_algorithm algorithm;
	const char *name;
	size_t mac;
} algorithms[] = {
	{TSIG_HMAC_SHA256, "hmac-sha256.", 32}, {TSIG_HMAC_SHA1, "hmac-sha1.", 20},
	{TSIG_HMAC_SHA224, "hmac-sha224.", 28}, {TSIG_HMAC_SHA384, "hmac-sha384.", 48},
	{TSIG_HMAC_SHA512, "hmac-sha512.", 64},
};

static void what_is_signed_is_good_with_every_algorithm_and_only_its_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++) {
		struct tsig_key key = key_of("k.test", algorithms[i].algorithm, SECRET);
		struct tsig_key other = key_of("k.test", (algorithms[i].algorithm + 1) % 5, SECRET);
		uint8_t packet[BUFFER];
		struct tsig_context client, server;
		size_t length = signed_request(packet, &client, &key, NOW);
		size_t at = find_tsig(packet, length);

		assert_int_equal(client.mac_length, algorithms[i].mac);
		assert_int_equal(tsig_check(&server, &key, 1, packet, length, at, NOW), TSIG_FINE);
		assert_int_equal(tsig_check(&server, &other, 1, packet, length, at, NOW),
				 TSIG_BADKEY);
	}
}

/* ldns knows these. */
static void ldns_signs_and_we_check_and_sign_and_ldns_checks(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct tsig_key key = key_of("K.test", algorithms[i].algorithm, SECRET);
		ldns_pkt *query = ldns_pkt_query_new(ldns_dname_new_frm_str("z.test."),
						     LDNS_RR_TYPE_SOA, LDNS_RR_CLASS_IN, 0);
		uint8_t *wire, answer[BUFFER];
		size_t length;
		struct tsig_context context;
		ldns_pkt *reply;

		ldns_pkt_set_id(query, 77);
		assert_int_equal(
			ldns_pkt_tsig_sign(query, "k.test.", SECRET, 300, algorithms[i].name, NULL),
			LDNS_STATUS_OK);
		assert_int_equal(ldns_pkt2wire(&wire, query, &length), LDNS_STATUS_OK);
		assert_int_equal(tsig_check(&context, &key, 1, wire, length,
					    find_tsig(wire, length), (uint64_t)time(NULL)),
				 TSIG_FINE);
		size_t made =
			reply_write(answer, wire, length, 0, 0, "answer z.test. 60 IN A 192.0.2.1");
		size_t room = tsig_room(&context);
		size_t whole = tsig_sign(&context, answer, made, BUFFER, (uint64_t)time(NULL));
		assert_int_equal(whole, made + room);
		assert_int_equal(ldns_wire2pkt(&reply, answer, whole), LDNS_STATUS_OK);
		ldns_rdf *mac = ldns_rr_rdf(ldns_pkt_tsig(query), 3);
		assert_true(ldns_pkt_tsig_verify(reply, answer, whole, "k.test.", SECRET, mac));
		answer[made - 1] ^= 1; /* of the address */
		assert_false(ldns_pkt_tsig_verify(reply, answer, whole, "k.test.", SECRET, mac));
		ldns_pkt_free(reply);
		ldns_pkt_free(query);
		free(wire);
	}
}

/* RFC 8945 section 5.3.1: each message is chained to the one before, with times alone. */
static void a_row_of_answers_is_chained_as_ldns_expects(void **state)
{
	struct tsig_key key = key_of("k.test", TSIG_HMAC_SHA256, SECRET);
	uint8_t packet[BUFFER];
	struct tsig_context client, server;
	size_t length = signed_request(packet, &client, &key, (uint64_t)time(NULL));
	ldns_rdf *mac;

	(void)state;
	assert_int_equal(tsig_check(&server, &key, 1, packet, length, find_tsig(packet, length),
				    (uint64_t)time(NULL)),
			 TSIG_FINE);
	uint8_t prior[2 + TSIG_MAC_MAX];
	wire_put16(prior, (uint16_t)client.mac_length);
	memcpy(prior + 2, client.mac, client.mac_length);
	mac = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_INT16_DATA, 2 + client.mac_length, prior);
	for (int i = 0; i < 4; i++) {
		uint8_t answer[BUFFER];
		ldns_pkt *reply;
		size_t made = reply_write(answer, packet, length, 0, 0,
					  "answer z.test. 60 IN A 192.0.2.1");
		size_t whole = tsig_sign(&server, answer, made, BUFFER, (uint64_t)time(NULL));

		assert_int_equal(ldns_wire2pkt(&reply, answer, whole), LDNS_STATUS_OK);
		assert_true(ldns_pkt_tsig_verify_next(reply, answer, whole, "k.test.", SECRET, mac,
						      i > 0));
		ldns_rdf_deep_free(mac);
		mac = ldns_rdf_clone(ldns_rr_rdf(ldns_pkt_tsig(reply), 3));
		ldns_pkt_free(reply);
	}
	ldns_rdf_deep_free(mac);
}

static void every_changed_byte_is_found(void **state)
{
	struct tsig_key key = key_of("k.test", TSIG_HMAC_SHA256, SECRET);
	uint8_t packet[BUFFER];
	struct tsig_context client, server;
	size_t length = signed_request(packet, &client, &key, NOW);
	size_t at = find_tsig(packet, length);

	(void)state;
	for (size_t i = 2; i < at; i++) { /* the id is hashed as it was: a relay may change it */
		packet[i] ^= 0x10;
		assert_int_not_equal(tsig_check(&server, &key, 1, packet, length, at, NOW),
				     TSIG_FINE);
		packet[i] ^= 0x10;
	}
	packet[0] ^= 0xff;
	assert_int_equal(tsig_check(&server, &key, 1, packet, length, at, NOW), TSIG_FINE);
}

static void what_we_are_told_of_a_bad_key_or_signature_has_no_mac(void **state)
{
	struct tsig_key key = key_of("k.test", TSIG_HMAC_SHA256, SECRET);
	struct tsig_key wrong = key_of("k.test", TSIG_HMAC_SHA256, "Zm9vYmFy");
	struct tsig_key other = key_of("other.test", TSIG_HMAC_SHA256, SECRET);
	uint8_t packet[BUFFER], answer[BUFFER];
	struct tsig_context client, server;
	size_t length = signed_request(packet, &client, &key, NOW);
	size_t at = find_tsig(packet, length);

	(void)state;
	assert_int_equal(tsig_check(&server, &wrong, 1, packet, length, at, NOW), TSIG_BADSIG);
	size_t made = reply_write(answer, packet, length, RCODE_NOTAUTH, 0, "");
	size_t whole = tsig_sign(&server, answer, made, BUFFER, NOW);
	assert_int_equal(tsig_check_answer(&client, answer, whole, made, NOW), TSIG_BADSIG);

	assert_int_equal(tsig_check(&server, &other, 1, packet, length, at, NOW), TSIG_BADKEY);
	made = reply_write(answer, packet, length, RCODE_NOTAUTH, 0, "");
	size_t room = tsig_room(&server);
	whole = tsig_sign(&server, answer, made, BUFFER, NOW);
	assert_int_equal(whole, made + room);
	assert_int_equal(tsig_check_answer(&client, answer, whole, made, NOW), TSIG_BADKEY);
}

/* The MAC of a request of HMAC-SHA256 as it is now (RFC 8945 section 4.3), of a key whose name and
 * algorithm are written in lower case and uncompressed. */
static void sign_by_hand(uint8_t *packet, size_t length, size_t at, const struct tsig_key *key)
{
	enum { TAIL = 2 + 32 + 6 }; /* MAC size, MAC; original id, error, other length */
	uint8_t hashed[BUFFER], *mac = packet + length - TAIL + 2;
	size_t name = key->name_length, rdata = at + name + 10, used = at;

	memcpy(hashed, packet, at);
	wire_put16(hashed + 10, (uint16_t)(wire_u16(packet + 10) - 1));
	memcpy(hashed + used, packet + at, name);
	memcpy(hashed + used + name, packet + at + name + 2, 6); /* class, TTL */
	used += name + 6;
	memcpy(hashed + used, packet + rdata, length - TAIL - rdata); /* up to the fudge */
	used += length - TAIL - rdata;
	memset(hashed + used, 0, 4); /* error, other length */
	assert_int_equal(gnutls_hmac_fast(GNUTLS_MAC_SHA256, key->secret, key->secret_length,
					  hashed, used + 4, mac),
			 0);
}

/* A message that says 65,535 s could be replayed for as long. */
static void a_request_is_good_for_no_longer_than_usual_whatever_it_says(void **state)
{
	struct tsig_key key = key_of("k.test", TSIG_HMAC_SHA256, SECRET);
	static const uint16_t fudges[] = {0, 10, TSIG_FUDGE_S, TSIG_FUDGE_S + 1, UINT16_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof fudges / sizeof *fudges; i++) {
		uint16_t good_s = fudges[i] < TSIG_FUDGE_S ? fudges[i] : TSIG_FUDGE_S;
		uint8_t packet[BUFFER];
		struct tsig_context client, server;
		size_t length = signed_request(packet, &client, &key, NOW);
		size_t at = find_tsig(packet, length), fudge_at = length - 32 - 10;

		assert_int_equal(wire_u16(packet + fudge_at), TSIG_FUDGE_S);
		wire_put16(packet + fudge_at, fudges[i]);
		sign_by_hand(packet, length, at, &key);
		assert_int_equal(tsig_check(&server, &key, 1, packet, length, at, NOW + good_s),
				 TSIG_FINE);
		assert_int_equal(tsig_check(&server, &key, 1, packet, length, at, NOW + good_s + 1),
				 TSIG_BADTIME);
		assert_int_equal(tsig_check(&server, &key, 1, packet, length, at, NOW - good_s - 1),
				 TSIG_BADTIME);
	}
}

static void a_request_is_good_for_its_fudge_and_not_a_second_longer(void **state)
{
	struct tsig_key key = key_of("k.test", TSIG_HMAC_SHA256, SECRET);
	uint8_t packet[BUFFER], answer[BUFFER];
	struct tsig_context client, server;
	size_t length = signed_request(packet, &client, &key, NOW);
	size_t at = find_tsig(packet, length);

	(void)state;
	assert_int_equal(tsig_check(&server, &key, 1, packet, length, at, NOW + TSIG_FUDGE_S),
			 TSIG_FINE);
	assert_int_equal(tsig_check(&server, &key, 1, packet, length, at, NOW - TSIG_FUDGE_S),
			 TSIG_FINE);
	assert_int_equal(tsig_check(&server, &key, 1, packet, length, at, NOW - TSIG_FUDGE_S - 1),
			 TSIG_BADTIME);
	assert_int_equal(tsig_check(&server, &key, 1, packet, length, at, NOW + TSIG_FUDGE_S + 1),
			 TSIG_BADTIME);
	/* The answer is signed, with the request's time, and tells ours (RFC 8945 section 5.2.3).
	 */
	size_t made = reply_write(answer, packet, length, RCODE_NOTAUTH, 0, "");
	size_t room = tsig_room(&server);
	size_t whole = tsig_sign(&server, answer, made, BUFFER, NOW + TSIG_FUDGE_S + 1);
	assert_int_equal(whole, made + room);
	assert_int_equal(wire_u16(answer + whole - 10), TSIG_BADTIME);
	assert_int_equal(wire_u16(answer + whole - 8), 6);
	assert_int_equal(wire_u32(answer + whole - 4), NOW + TSIG_FUDGE_S + 1);
	assert_int_equal(tsig_check_answer(&client, answer, whole, made, NOW), TSIG_FINE);
}

/* The record's MAC cut to `mac` bytes, or made longer, and right as far as it goes. */
static size_t truncate_mac(uint8_t *packet, size_t length, size_t at, size_t mac)
{
	size_t numbers = at + 8 + RECORD_FIXED + 13, had = wire_u16(packet + numbers + 8);

	memmove(packet + numbers + 10 + mac, packet + numbers + 10 + had, 6);
	wire_put16(packet + numbers + 8, (uint16_t)mac);
	wire_put16(packet + at + 8 + 8, (uint16_t)(13 + 16 + mac));
	return length - had + mac;
}

static void a_truncated_mac_is_told_apart_by_its_length(void **state)
{
	static const struct {
		size_t mac;
		enum tsig_error error;
	} cases[] = {{32, TSIG_FINE},    {31, TSIG_BADTRUNC}, {16, TSIG_BADTRUNC},
		     {15, TSIG_FORMERR}, {1, TSIG_FORMERR},   {0, TSIG_BADSIG},
		     {33, TSIG_FORMERR}, {64, TSIG_FORMERR},  {65, TSIG_FORMERR}};
	struct tsig_key key = key_of("k.test", TSIG_HMAC_SHA256, SECRET);

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint8_t packet[BUFFER];
		struct tsig_context client, server;
		size_t length = signed_request(packet, &client, &key, NOW);
		size_t at = find_tsig(packet, length);

		length = truncate_mac(packet, length, at, cases[i].mac);
		assert_int_equal(tsig_check(&server, &key, 1, packet, length, at, NOW),
				 cases[i].error);
	}
}

static void a_record_that_does_not_add_up_is_none(void **state)
{
	struct tsig_key key = key_of("k.test", TSIG_HMAC_SHA256, SECRET);
	uint8_t packet[BUFFER], copy[BUFFER];
	struct tsig_context client, server;
	size_t length = signed_request(packet, &client, &key, NOW);
	size_t at = find_tsig(packet, length), data = at + 8 + RECORD_FIXED;

	(void)state;
	for (size_t cut = at; cut < length; cut++) {
		uint8_t *exact = malloc(cut); /* so that reading on is seen */
		assert_non_null(exact);
		memcpy(exact, packet, cut);
		assert_int_equal(tsig_check(&server, &key, 1, exact, cut, at, NOW), TSIG_FORMERR);
		free(exact);
	}
	memcpy(copy, packet, length);
	wire_put16(copy + data + 13 + 8, 33); /* a MAC that is one longer */
	assert_int_equal(tsig_check(&server, &key, 1, copy, length, at, NOW), TSIG_FORMERR);
	memcpy(copy, packet, length);
	wire_put16(copy + length - 2, 1); /* other data that is not there */
	assert_int_equal(tsig_check(&server, &key, 1, copy, length, at, NOW), TSIG_FORMERR);
	copy[data] = 0xc0; /* an algorithm's name is not compressed */
	assert_int_equal(tsig_check(&server, &key, 1, copy, length, at, NOW), TSIG_FORMERR);
}

static void a_tsig_is_the_last_record_and_there_is_one(void **state)
{
	static const struct hash_key any;
	struct tsig_key key = key_of("k.test", TSIG_HMAC_SHA256, SECRET);
	uint8_t packet[BUFFER];
	struct tsig_context client;
	struct request request;
	struct name name;
	enum rcode rcode;
	size_t length = signed_request(packet, &client, &key, NOW);
	size_t twice = tsig_sign(&client, packet, length, BUFFER, NOW);

	(void)state;
	assert_int_equal(message_read_request(&request, &name, &any, packet, twice, &rcode),
			 REQUEST_ERROR);
	assert_int_equal(rcode, RCODE_FORMERR);
}

static void keys_are_found_without_case_and_need_a_secret(void **state)
{
	struct tsig_key keys[] = {key_of("one.test", TSIG_HMAC_SHA1, "Zm9v"),
				  key_of("Two.Test.", TSIG_HMAC_SHA1, "Zm9v")};
	const struct tsig_settings bare = {.name = "k.test"};
	const struct tsig_settings loaded = {.name = "k.test", .loaded = "Zm9v"};
	struct tsig_key key;

	(void)state;
	assert_ptr_equal(tsig_key_find(keys, 2, (const uint8_t *)"\3TWO\4test"), &keys[1]);
	assert_null(tsig_key_find(keys, 2, (const uint8_t *)"\5three\4test"));
	assert_false(tsig_key_init(&key, &bare));
	assert_true(tsig_key_init(&key, &loaded));
	assert_int_equal(key.secret_length, 3);
}

static void *no_memory(size_t size)
{
	(void)size;
	return NULL;
}

static void without_memory_nothing_is_good_and_nothing_ends(void **state)
{
	struct tsig_key key = key_of("k.test", TSIG_HMAC_SHA256, SECRET);
	gnutls_alloc_function malloc_before = gnutls_malloc;
	uint8_t packet[BUFFER], other[BUFFER];
	struct tsig_context client, server;
	size_t length = signed_request(packet, &client, &key, NOW), at = find_tsig(packet, length);

	(void)state;
	gnutls_malloc = no_memory;
	assert_int_equal(tsig_check(&server, &key, 1, packet, length, at, NOW), TSIG_BADSIG);
	size_t unsigned_length = signed_request(other, &client, &key, NOW);
	gnutls_malloc = malloc_before;
	assert_int_equal(unsigned_length, length);
	assert_int_equal(tsig_check(&server, &key, 1, other, length, at, NOW), TSIG_BADSIG);
	assert_int_equal(tsig_check(&server, &key, 1, packet, length, at, NOW), TSIG_FINE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_signed_is_good_with_every_algorithm_and_only_its_own),
		cmocka_unit_test(ldns_signs_and_we_check_and_sign_and_ldns_checks),
		cmocka_unit_test(a_row_of_answers_is_chained_as_ldns_expects),
		cmocka_unit_test(every_changed_byte_is_found),
		cmocka_unit_test(what_we_are_told_of_a_bad_key_or_signature_has_no_mac),
		cmocka_unit_test(a_request_is_good_for_no_longer_than_usual_whatever_it_says),
		cmocka_unit_test(a_request_is_good_for_its_fudge_and_not_a_second_longer),
		cmocka_unit_test(a_truncated_mac_is_told_apart_by_its_length),
		cmocka_unit_test(a_record_that_does_not_add_up_is_none),
		cmocka_unit_test(a_tsig_is_the_last_record_and_there_is_one),
		cmocka_unit_test(keys_are_found_without_case_and_need_a_secret),
		cmocka_unit_test(without_memory_nothing_is_good_and_nothing_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
