/* For tests: a peer that answers a question for a zone's SOA. */
#ifndef SLUICE_TESTS_SOA_ANSWER_H
#define SLUICE_TESTS_SOA_ANSWER_H

#include "resolver/control/service/exchange.h"

enum { SOA_ANSWER_FINE = FLAG_QR | FLAG_AA };

/* Header, question, and behind it a record of `rtype`: a SOA whose serial stands 20 bytes before
 * its end; 0: none. Returns the length. */
size_t soa_answer(const struct exchange_message *question, unsigned flags, uint16_t rtype,
		  uint32_t serial, uint8_t bytes[EXCHANGE_MAX]);
/* Signs an answer to a signed message of ours; `key` as both sides have it; the question was asked
 * at asked_s, and now it is now_s. Returns its length. */
size_t soa_answer_sign(const struct exchange_message *question, const struct tsig_key *key,
		       uint64_t asked_s, uint64_t now_s, uint8_t bytes[EXCHANGE_MAX],
		       size_t length);

#endif
