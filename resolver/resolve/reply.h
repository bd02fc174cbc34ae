/* Makes a cache entry from a target's reply: keeps only records that belong to the question, brings
 * TTLs into their bounds, and notes their offsets for ageing. Answers are copied in one piece if
 * they are a few records of the question's own data, without names, and nothing of the authority
 * section may be kept; else record by record.
 *
 * Kept: the chain from the qname (CNAME, DNAME), the asked type at its end, with DO also the RRSIGs
 * of these, and of the authority section the SOA of a negative answer and, with DO, the proofs.
 * Added: the CNAME that follows from a DNAME, if the target left it out or has a different one (RFC
 * 6672). Other records do not help the question and could be forged (RFC 2181 section 5.4.1). */
#ifndef SLUICE_REPLY_H
#define SLUICE_REPLY_H

#include "endpoints/upstream/lookup.h"
#include "resolver/resolve/cache.h"
#include "rules/schema/model.h"

enum {
	FAILURE_TTL_US = 1000 * 1000,        /* RFC 9520 section 3.2: at least a second */
	PREFETCH_LIFE_US = 10 * 1000 * 1000, /* answers with a shorter life are not prefetched */
};

/* Returns an entry with one reference, for a failure, too; NULL without memory. Put it into the
 * cache only if reply_may_be_cached. `buffer` (MESSAGE_MAX bytes) is working memory. */
struct cache_entry *reply_entry(const struct lookup_key *key, const struct ask_result *result,
				const struct cache_settings *settings,
				const struct hash_key *hash_key, uint8_t *buffer, uint64_t now_us);
bool reply_may_be_cached(const struct cache_entry *entry);

#endif
