/* Which entries are shown: to the outputs by the settings, to a follower by what it asks for. */
#ifndef SLUICE_QUERY_FILTER_H
#define SLUICE_QUERY_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolver/control/observe/query_log/query_entry.h"
#include "rules/err.h"
#include "rules/prefix.h"
#include "rules/schema/model.h"

enum { QUERY_FILTER_ERROR_MAX = 512, QUERY_RCODES = 4096 };

/* What is given must fit. All zero: everything does. */
struct query_filter {
	struct query_suffix {
		uint8_t length;
		uint8_t wire[NAME_WIRE_MAX]; /* in lower case */
	} * suffixes;
	size_t suffix_count;
	struct prefix *clients;
	size_t client_count;
	char **networks; /* NAME: of any group; GROUP/NAME; -/NAME: of none */
	size_t network_count;
	bool by_rcode;
	uint8_t rcodes[QUERY_RCODES / 8]; /* bits */
	uint64_t slower_than_us;
};

/* Networks of the settings are the model's (NULL: of any); one that it does not have fits by its
 * name alone. ERR_NOMEM, and nothing is held. */
MUST_CHECK int query_filter_of_settings(struct query_filter *filter,
					const struct query_log_settings *settings,
					const struct model *model);
/* Adds what `key` is to fit: "suffix", "client" (an address or a prefix), "network", "rcode",
 * "slower_than_ms"; several values are separated by commas. `model`: as above. ERR_INVALID: `error`
 * says what would be right; ERR_NOT_FOUND: there is no such key; ERR_NOMEM. */
MUST_CHECK int query_filter_add(struct query_filter *filter, const struct model *model,
				const char *key, const char *value,
				char error[QUERY_FILTER_ERROR_MAX]);
extern const char *const query_filter_keys[]; /* up to a NULL */
void query_filter_release(struct query_filter *filter);
bool query_filter_fits(const struct query_filter *filter, const struct query_entry *entry);

#endif
