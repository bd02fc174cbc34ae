/* Selects entries: for the outputs by the settings, for a follower by its request. */
#ifndef SLUICE_QUERY_FILTER_H
#define SLUICE_QUERY_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolver/control/observe/query_log/query_entry.h"
#include "rules/err.h"
#include "rules/prefix.h"
#include "rules/schema/model.h"

enum { QUERY_FILTER_ERROR_MAX = 512, QUERY_RCODES = 4096, QUERY_FILTER_VALUES_MAX = 64 };

/* An entry must match one value of every criterion given. All zero: matches everything. */
struct query_filter {
	unsigned asked; /* how many values query_filter_add was given */
	struct query_suffix {
		uint8_t length;
		uint8_t wire[NAME_WIRE_MAX]; /* in lower case */
	} * suffixes;
	size_t suffix_count;
	struct prefix *clients;
	size_t client_count;
	char **networks; /* NAME: in any group; GROUP/NAME; -/NAME: in no group */
	size_t network_count;
	bool by_rcode;
	uint8_t rcodes[QUERY_RCODES / 8]; /* bits */
	uint64_t slower_than_us;
};

/* Makes the filter of the settings. Networks are looked up in the model; if it lacks a network or
 * is NULL, the network's name matches as given. ERR_NOMEM: nothing is allocated. */
MUST_CHECK int query_filter_of_settings(struct query_filter *filter,
					const struct query_log_settings *settings,
					const struct model *model);
/* Adds a criterion: "suffix", "client" (an address or a prefix), "network", "rcode",
 * "slower_than_ms"; commas separate several values. Of several "slower_than_ms" only the last one
 * counts. `model` as in query_filter_of_settings. ERR_INVALID: `error` says what would be right;
 * ERR_NOT_FOUND: there is no such key; ERR_NOMEM. */
MUST_CHECK int query_filter_add(struct query_filter *filter, const struct model *model,
				const char *key, const char *value,
				char error[QUERY_FILTER_ERROR_MAX]);
extern const char *const query_filter_keys[]; /* ends with NULL */
void query_filter_release(struct query_filter *filter);
bool query_filter_fits(const struct query_filter *filter, const struct query_entry *entry);

#endif
