/* Compares values one by one, because there are few of them. */
#include "resolver/control/observe/query_log/query_filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rules/rcode.h"
#include "rules/schema/reference.h"

void query_filter_release(struct query_filter *filter)
{
	for (size_t i = 0; i < filter->network_count; i++)
		free(filter->networks[i]);
	free(filter->networks);
	free(filter->clients);
	free(filter->suffixes);
	*filter = (struct query_filter){.suffixes = NULL};
}

static int add_suffix(struct query_filter *filter, const struct model *model, const char *text,
		      char *error)
{
	static const struct hash_key key; /* the hashes are not used */
	struct query_suffix *suffix;
	struct name name;

	(void)model;
	if (name_from_text(&name, &key, text) != 0) {
		snprintf(error, QUERY_FILTER_ERROR_MAX,
			 "\"%.300s\" is not a domain name; give one, as in contoso.corp", text);
		return ERR_INVALID;
	}
	suffix = reallocarray(filter->suffixes, filter->suffix_count + 1, sizeof *suffix);
	if (!suffix)
		return ERR_NOMEM;
	filter->suffixes = suffix;
	suffix += filter->suffix_count++;
	suffix->length = name.length;
	for (size_t i = 0; i < name.length; i++)
		suffix->wire[i] = name_lower(name.wire[i]);
	return 0;
}

static int add_client(struct query_filter *filter, const struct prefix *prefix)
{
	struct prefix *clients =
		reallocarray(filter->clients, filter->client_count + 1, sizeof *clients);

	if (!clients)
		return ERR_NOMEM;
	filter->clients = clients;
	clients[filter->client_count++] = *prefix;
	return 0;
}

static int add_client_text(struct query_filter *filter, const struct model *model, const char *text,
			   char *error)
{
	struct prefix prefix = {.length = 0};

	(void)model;
	if (prefix_parse(&prefix, text) != 0) {
		if (address_parse(&prefix.address, text) != 0) {
			snprintf(error, QUERY_FILTER_ERROR_MAX,
				 "\"%.300s\" is neither an address nor a prefix; give one, as in "
				 "10.0.0.7 or 10.0.0.0/8",
				 text);
			return ERR_INVALID;
		}
		prefix.length = prefix.address.family == 4 ? 32 : 128;
	}
	return add_client(filter, &prefix);
}

/* Stores the network's full name if the model has it, so that later networks do not change the
 * meaning. */
static int add_network(struct query_filter *filter, const struct model *model, const char *text)
{
	char **networks =
		reallocarray(filter->networks, filter->network_count + 1, sizeof *networks);
	const char *full = NULL;
	struct arena arena;

	if (!networks)
		return ERR_NOMEM;
	filter->networks = networks;
	arena_init(&arena);
	if (model)
		full = reference_full(model, REFERS_NETWORK, NULL, text, &arena);
	networks[filter->network_count] = strdup(full ? full : text);
	arena_release(&arena);
	if (!networks[filter->network_count])
		return ERR_NOMEM;
	filter->network_count++;
	return 0;
}

static int add_network_text(struct query_filter *filter, const struct model *model,
			    const char *text, char *error)
{
	char why[REFERENCE_TEXT_MAX];

	if (!model || !reference_is_ambiguous(model, REFERS_NETWORK, NULL, text))
		return add_network(filter, model, text);
	snprintf(error, QUERY_FILTER_ERROR_MAX, "%s",
		 reference_refusal(model, REFERS_NETWORK, NULL, text, why));
	return ERR_INVALID;
}

static int add_rcode(struct query_filter *filter, const struct model *model, const char *text,
		     char *error)
{
	int rcode = rcode_parse(text);

	(void)model;
	if (rcode < 0) {
		snprintf(
			error, QUERY_FILTER_ERROR_MAX,
			"\"%.300s\" is no response code; give NOERROR, NXDOMAIN, SERVFAIL, REFUSED "
			"...",
			text);
		return ERR_INVALID;
	}
	filter->by_rcode = true;
	filter->rcodes[rcode / 8] |= (uint8_t)(1 << rcode % 8);
	return 0;
}

static int set_slower(struct query_filter *filter, const struct model *model, const char *text,
		      char *error)
{
	enum { MS_MAX = 60000 };
	char *end;
	unsigned long ms = strtoul(text, &end, 10);

	(void)model;
	if (*text < '0' || *text > '9' || *end != '\0' || ms > MS_MAX) {
		snprintf(error, QUERY_FILTER_ERROR_MAX,
			 "\"%.300s\" is not a number of milliseconds from 0 to %d", text, MS_MAX);
		return ERR_INVALID;
	}
	filter->slower_than_us = (uint64_t)ms * 1000;
	return 0;
}

const char *const query_filter_keys[] = {"suffix", "client",         "network",
					 "rcode",  "slower_than_ms", NULL};
static int (*const adders[])(struct query_filter *, const struct model *, const char *, char *) = {
	add_suffix, add_client_text, add_network_text, add_rcode, set_slower,
};

int query_filter_add(struct query_filter *filter, const struct model *model, const char *key,
		     const char *value, char error[QUERY_FILTER_ERROR_MAX])
{
	size_t i = 0;
	char *values, *at, *next;
	int err = 0;

	while (query_filter_keys[i] && strcmp(query_filter_keys[i], key) != 0)
		i++;
	if (!query_filter_keys[i])
		return ERR_NOT_FOUND;
	values = strdup(value);
	if (!values)
		return ERR_NOMEM;
	for (at = values; at && !err; at = next) {
		next = strchr(at, ',');
		if (next)
			*next++ = '\0';
		if (++filter->asked > QUERY_FILTER_VALUES_MAX) {
			snprintf(error, QUERY_FILTER_ERROR_MAX,
				 "the filter has more than %d values; give fewer",
				 QUERY_FILTER_VALUES_MAX);
			err = ERR_INVALID;
		} else {
			err = adders[i](filter, model, at, error);
		}
	}
	free(values);
	return err;
}

int query_filter_of_settings(struct query_filter *filter, const struct query_log_settings *settings,
			     const struct model *model)
{
	char error[QUERY_FILTER_ERROR_MAX];
	int err = 0;

	*filter = (struct query_filter){.slower_than_us = settings->slower_than_ms * 1000ull};
	for (size_t i = 0; !err && i < settings->suffixes.count; i++)
		err = add_suffix(filter, NULL, settings->suffixes.items[i], error);
	for (size_t i = 0; !err && i < settings->clients.count; i++)
		err = add_client(filter, &settings->clients.items[i]);
	for (size_t i = 0; !err && i < settings->networks.count; i++)
		err = add_network(filter, model, settings->networks.items[i]);
	for (size_t i = 0; !err && i < settings->rcodes.count; i++)
		err = add_rcode(filter, NULL, settings->rcodes.items[i], error);
	if (err)
		query_filter_release(filter);
	return err;
}

/* A suffix matches only from a label's beginning: "xcorp." is not below "corp.". */
static bool is_below(const struct query_entry *entry, const struct query_suffix *suffix)
{
	size_t at = 0, left;

	while (at < entry->name_length && (size_t)entry->name_length - at > suffix->length)
		at += entry->name[at] + 1u;
	left = at < entry->name_length ? entry->name_length - at : 0;
	if (left != suffix->length)
		return false;
	for (size_t i = 0; i < left; i++)
		if (name_lower(entry->name[at + i]) != suffix->wire[i])
			return false;
	return true;
}

static bool fits_suffix(const struct query_filter *filter, const struct query_entry *entry)
{
	for (size_t i = 0; i < filter->suffix_count; i++)
		if (is_below(entry, &filter->suffixes[i]))
			return true;
	return filter->suffix_count == 0;
}

static bool fits_client(const struct query_filter *filter, const struct query_entry *entry)
{
	for (size_t i = 0; i < filter->client_count; i++)
		if (prefix_contains(&filter->clients[i], &entry->client))
			return true;
	return filter->client_count == 0;
}

static bool fits_network(const struct query_filter *filter, const struct query_entry *entry)
{
	for (size_t i = 0; i < filter->network_count; i++)
		if (entry->network &&
		    reference_fit(filter->networks[i], entry->network, 0) != REFERENCE_OTHER)
			return true;
	return filter->network_count == 0;
}

static bool fits_rcode(const struct query_filter *filter, const struct query_entry *entry)
{
	unsigned rcode = (unsigned)entry->rcode % QUERY_RCODES;

	return !filter->by_rcode ||
	       (entry->rcode >= 0 && filter->rcodes[rcode / 8] & 1 << rcode % 8);
}

bool query_filter_fits(const struct query_filter *filter, const struct query_entry *entry)
{
	return entry->took_us >= filter->slower_than_us && fits_rcode(filter, entry) &&
	       fits_client(filter, entry) && fits_network(filter, entry) &&
	       fits_suffix(filter, entry);
}
