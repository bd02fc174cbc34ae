/* For tests: a peer that answers a question for a zone's SOA. */
#ifndef SLUICE_TESTS_SOA_ANSWER_H
#define SLUICE_TESTS_SOA_ANSWER_H

#include "resolver/control/service/exchange.h"

enum { SOA_ANSWER_FINE = FLAG_QR | FLAG_AA };

/* Writes a header, the question, and, unless `rtype` is 0, a record of this type. A CNAME points to
 * the zone; any other record has a SOA's data, with the serial 20 bytes before its end. Returns the
 * length. */
size_t soa_answer(const struct exchange_message *question, unsigned flags, uint16_t rtype,
		  uint32_t serial, uint8_t bytes[EXCHANGE_MAX]);
/* Signs an answer to our own signed message with the shared `key`; the question was asked at
 * asked_s. Returns its length. */
size_t soa_answer_sign(const struct exchange_message *question, const struct tsig_key *key,
		       uint64_t asked_s, uint64_t now_s, uint8_t bytes[EXCHANGE_MAX],
		       size_t length);

#endif
