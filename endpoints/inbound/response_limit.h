/* Response rate limiting: how many answers by UDP leave for one client prefix in a second, so that
 * questions with a victim's source address do not become a flood of answers to it. Off by default.
 * One table for all workers; relaxed atomics, time is a parameter. */
#ifndef SLUICE_RESPONSE_LIMIT_H
#define SLUICE_RESPONSE_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/hash.h"
#include "rules/prefix.h"
#include "rules/schema/model.h"

enum response_kind { RESPONSE_ANSWER, RESPONSE_NEGATIVE, RESPONSE_ERROR };

/* What kind of answer a message is; it has a header. */
enum response_kind response_kind(const uint8_t *wire);

struct response_limit;                                                 /* opaque */
struct response_limit *response_limit_new(const struct hash_key *key); /* NULL without memory */
void response_limit_free(struct response_limit *limit);

/* Whether any kind is limited. */
bool response_limit_is_on(const struct response_limit_settings *settings);
/* Whether one more answer of that kind may leave for the client; counts it if so. */
bool response_limit_take(struct response_limit *limit,
			 const struct response_limit_settings *settings,
			 const struct address *client, enum response_kind kind, uint64_t now_us);

#endif
