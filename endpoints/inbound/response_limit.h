/* Response rate limiting: limits the answers by UDP to one client prefix in a second, so that
 * questions with a forged source address do not become a flood to the victim. Off by default. All
 * workers share one table of relaxed atomics; time is a parameter. */
#ifndef SLUICE_RESPONSE_LIMIT_H
#define SLUICE_RESPONSE_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/hash.h"
#include "rules/prefix.h"
#include "rules/schema/model.h"

enum response_kind { RESPONSE_ANSWER, RESPONSE_NEGATIVE, RESPONSE_ERROR };

/* The kind of an answer; wire must have a whole header. */
enum response_kind response_kind(const uint8_t *wire);

struct response_limit;                                                 /* opaque */
struct response_limit *response_limit_new(const struct hash_key *key); /* NULL without memory */
void response_limit_free(struct response_limit *limit);

/* Whether any kind is limited. */
bool response_limit_is_on(const struct response_limit_settings *settings);
/* Whether one more answer of this kind may go to the client; counts it if so. */
bool response_limit_take(struct response_limit *limit,
			 const struct response_limit_settings *settings,
			 const struct address *client, enum response_kind kind, uint64_t now_us);

#endif
