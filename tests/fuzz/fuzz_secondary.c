/* A secondary's answer to the question for a zone's SOA, signed or not. The first byte says what
 * was asked and of which serial, the rest is the packet; its id is made that of the question where
 * its first byte is even. */
#include <ldns/ldns.h>

#include "resolver/control/service/replica.h"
#include "tests/fuzz/fuzz.h"

enum { NOW = 1700000000, AFTER_S = 60, OURS = 8 };

static const struct hash_key hash = {1, 2};

static const struct tsig_key *key(void)
{
	static const struct tsig_settings settings = {.name = "k.test", .secret = "Zm9vYmFy"};
	static struct tsig_key key;

	if (!key.secret_length)
		FUZZ_CHECK(tsig_key_init(&key, &settings));
	return &key;
}

/* The same by another reader, where it can read the packet at all. */
static void check_serial(const uint8_t *packet, size_t length, uint32_t serial)
{
	ldns_rdf *zone = ldns_dname_new_frm_str("a.test.");
	ldns_pkt *pkt = NULL;

	if (ldns_wire2pkt(&pkt, packet, length) == LDNS_STATUS_OK) {
		const ldns_rr_list *list = ldns_pkt_answer(pkt);
		const ldns_rr *soa = NULL;

		for (size_t i = 0; !soa && i < ldns_rr_list_rr_count(list); i++) {
			const ldns_rr *rr = ldns_rr_list_rr(list, i);

			if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_SOA &&
			    ldns_rr_get_class(rr) == LDNS_RR_CLASS_IN &&
			    ldns_dname_compare(ldns_rr_owner(rr), zone) == 0)
				soa = rr;
		}
		FUZZ_CHECK(soa);
		FUZZ_CHECK(ldns_rdf2native_int32(ldns_rr_rdf(soa, 2)) == serial);
		ldns_pkt_free(pkt);
	}
	ldns_rdf_deep_free(zone);
}

const double fuzz_byte_us = 1;

int fuzz_one(const uint8_t *data, size_t size)
{
	static const struct instant begin = {1000, NOW}, asked = {100000, NOW + 99};
	struct fuzz_input input = {data, data + size};
	unsigned how = fuzz_u8(&input);
	size_t length = fuzz_left(&input);
	uint8_t *packet = malloc(length ? length : 1);
	struct replica_zone zone = {OURS, begin};
	struct exchange_message question;
	struct exchange_answer answer;
	struct replica replica;
	enum replica_news news;
	struct name name;

	FUZZ_CHECK(packet);
	FUZZ_CHECK(name_from_text(&name, &hash, "a.test.") == 0);
	replica_init(&replica);
	replica_follow(&replica, AFTER_S, OURS, begin);
	replica_ask(&replica, &name, how & 2 ? key() : NULL, asked, &question);
	if (length)
		memcpy(packet, input.at, length);
	if (length >= 2 && !(how & 1))
		memcpy(packet, question.bytes, 2);
	bool taken = exchange_read(&answer, packet, length) && name_equal(&answer.zone, &name) &&
		     replica_receive(&replica, &zone, &answer, asked, &news);
	/* Nobody can sign without the key. */
	FUZZ_CHECK(replica.exchange.open || (taken && !(how & 2)));
	FUZZ_CHECK(replica.has_serial <= !replica.exchange.open);
	if (replica.has_serial) {
		FUZZ_CHECK((wire_u16(packet + 2) & (FLAG_QR | FLAG_AA | FLAG_RCODE)) ==
			   (FLAG_QR | FLAG_AA));
		FUZZ_CHECK((replica.state == REPLICA_CURRENT) == (replica.serial == OURS));
		check_serial(packet, length, replica.serial);
	}
	FUZZ_CHECK((replica.state == REPLICA_CURRENT) == !replica.lacks);
	FUZZ_CHECK((replica.state == REPLICA_CURRENT) ==
		   (replica.due_ms == asked.ms + REPLICA_RARELY_MS));
	free(packet);
	return 0;
}
