/* Checks settings that depend on each other: a least and a greatest value, a listener and its
 * certificate. */
#include <string.h>
#include <strings.h>

#include "rules/check/internal.h"
#include "rules/policy/ruleset.h"
#include "rules/rcode.h"

static void check_ordered(struct check *check, const struct origin *origin, const char *low_key,
			  uint32_t low, const char *high_key, uint32_t high)
{
	if (low > high)
		ERROR(check, origin, low_key,
		      "%u is more than %s, which is %u; lower one or raise the other", low,
		      high_key, high);
}

static void check_default_resolver(struct check *check)
{
	const struct default_resolver *resolver = &check->model->default_resolver;
	size_t count = resolver->targets.count;

	check_targets(check, resolver->targets.items, count, &resolver->origin, "targets");
	if (count > LEG_UPSTREAMS_MAX)
		ERROR(check, &resolver->origin, "targets",
		      "%zu targets, and at most %d are possible; remove some", count,
		      LEG_UPSTREAMS_MAX);
}

/* The URLs of HTTP listeners. */
struct urls {
	struct seen seen; /* "127.0.0.1:8053" -> struct origin */
	const struct management *management;
};

/* Parses "http://127.0.0.1:8053": a scheme and a host with its port, and no path. False: another
 * form. */
static bool parse_url(const char *url, bool *https, struct host *host)
{
	*https = strncasecmp(url, "https://", 8) == 0;
	*host = (struct host){.port = 0};
	return (*https || strncasecmp(url, "http://", 7) == 0) &&
	       host_parse(host, url + (*https ? 8 : 7), 0) == 0 && host->port;
}

/* `careless`: the text of a fault for an address that is not loopback; NULL: such an address is
 * allowed. */
static void check_url(struct check *check, struct urls *urls, const struct origin *origin,
		      const char *url, const char *field, const char *careless)
{
	const struct origin *before;
	char text[HOST_TEXT_MAX];
	struct host host;
	bool https;

	if (!parse_url(url, &https, &host)) {
		ERROR(check, origin, field,
		      "\"%s\" is no URL to listen at; write http://ADDRESS:PORT or "
		      "https://ADDRESS:PORT",
		      url);
		return;
	}
	if (careless && !address_is_loopback(&host.address))
		ERROR(check, origin, field, "\"%s\" %s", url, careless);
	if (https && (!urls->management->certificate || !urls->management->key))
		ERROR(check, origin, field,
		      "\"%s\" needs management.certificate and management.key; give both", url);
	before = seen_put(check, &urls->seen, host_print(&host, text), origin);
	if (before)
		ERROR(check, origin, field,
		      "%s is listened at already, by the setting at %s; use another address or "
		      "port",
		      text, check_place(check, before));
}

/* Checks "dns.example.net", "192.0.2.1" or "2001:db8::1": the host of a Host header, without port
 * and brackets. */
static void check_host(struct check *check, const struct management *management, const char *text,
		       const char *field)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_.";
	struct address address;
	size_t length = strlen(text);

	if (address_parse(&address, text) != 0 &&
	    (length == 0 || length > 253 || strspn(text, plain) != length))
		ERROR(check, &management->origin, field,
		      "\"%.300s\" is neither a name nor an address; write it without scheme, "
		      "port and brackets: \"dns.example.net\"",
		      text);
}

/* Checks "https://hooks.example/x". The URL may be a secret: the fault does not show it, and http
 * is only for loopback. */
static void check_events(struct check *check)
{
	const struct events_settings *events = &check->model->events;
	const char *url = events->webhook;
	char host[HOST_TEXT_MAX];
	struct host at;
	size_t length;

	if (!url || (strncasecmp(url, "https://", 8) == 0 && url[8] != '\0'))
		return;
	length = strncasecmp(url, "http://", 7) == 0 ? strcspn(url + 7, "/?#") : 0;
	snprintf(host, sizeof host, "%.*s", (int)length, url + (length ? 7 : 0));
	if (length >= sizeof host || host_parse(&at, host, 80) != 0 ||
	    !address_is_loopback(&at.address))
		ERROR(check, &events->origin, "webhook",
		      "is no URL to call; write https://NAME/PATH, or http:// and a loopback "
		      "address");
}

static void check_id(struct check *check, struct seen *ids, const struct management_client *client)
{
	if (client->id && strncasecmp(client->id, "uid ", 4) == 0)
		ERROR(check, &client->origin, "id",
		      "\"%s\" is what the history calls a user of the control socket; take a name "
		      "without \"uid \" ahead of it",
		      client->id);
	check_overall(check, ids, client->id, client->resource_group, &client->origin, "id",
		      "client");
}

static void check_client(struct check *check, const struct management_client *client)
{
	const char *digest = client->secret_sha256;

	if (!client->secret_file && !digest)
		ERROR(check, &client->origin, "secret_file",
		      "the client has no secret; give secret_file, or secret_sha256");
	else if (client->secret_file && digest)
		ERROR(check, &client->origin, "secret_file",
		      "the client has a secret_file and a secret_sha256; keep one of them");
	if (digest && strspn(digest, "0123456789abcdefABCDEF") != strlen(digest))
		ERROR(check, &client->origin, "secret_sha256",
		      "is not 64 hexadecimal digits; printf %%s \"$SECRET\" | sha256sum prints "
		      "them");
}

static void check_management(struct check *check, struct urls *urls)
{
	const struct management *management = &check->model->management;
	struct seen ids = {0};
	char field[32];

	for (size_t i = 0; i < management->listen.count; i++) {
		snprintf(field, sizeof field, "listen[%zu]", i);
		const char *url = management->listen.items[i];
		if (url)
			check_url(check, urls, &management->origin, url, field,
				  strncasecmp(url, "http://", 7) == 0
					  ? "would carry secrets in the clear; use https, or a "
					    "loopback address"
					  : NULL);
	}
	for (size_t i = 0; i < management->hosts.count; i++) {
		snprintf(field, sizeof field, "hosts[%zu]", i);
		if (management->hosts.items[i])
			check_host(check, management, management->hosts.items[i], field);
	}
	for (size_t i = 0; i < management->clients.count; i++) {
		const struct management_client *client = &management->clients.items[i];
		check_id(check, &ids, client);
		check_client(check, client);
	}
}

/* Refuses 0.0.0.0 in one list and 127.0.0.1 in the other at the same port: the kernel gives clients
 * of 127.0.0.1 to that address's own listener, which may be the wrong one. Within one list this
 * does no harm. check_url refuses equal hosts. */
static void check_overlap(struct check *check, const char *metrics, const char *field)
{
	const struct management *management = &check->model->management;
	struct host host, other;
	bool https;

	if (!parse_url(metrics, &https, &host))
		return;
	for (size_t i = 0; i < management->listen.count; i++) {
		const char *url = management->listen.items[i];

		if (!url || !parse_url(url, &https, &other) || !host_overlaps(&host, &other))
			continue;
		ERROR(check, &check->model->metrics.origin, field,
		      "%s overlaps %s, where the management API listens by the setting at %s; use "
		      "another port",
		      metrics, url, check_place(check, &management->origin));
		return;
	}
}

static void check_metrics(struct check *check, struct urls *urls)
{
	const struct metrics_settings *metrics = &check->model->metrics;
	const char *careless = NULL;
	char field[32];

	if (metrics->allow.count == 0)
		careless = "is for everybody who reaches that address, and nobody is allowed to "
			   "read it; say who may in metrics.allow, or give a loopback address";
	for (size_t i = 0; i < metrics->listen.count; i++) {
		snprintf(field, sizeof field, "listen[%zu]", i);
		if (!metrics->listen.items[i])
			continue;
		check_url(check, urls, &metrics->origin, metrics->listen.items[i], field, careless);
		check_overlap(check, metrics->listen.items[i], field);
	}
}

static void check_user(struct check *check)
{
	const struct model *model = check->model;

	if (model->group && !model->user)
		ERROR(check, &model->origin, "group",
		      "a group without a user has no effect; set `user` too, or leave `group` out");
}

/* The network may not exist yet, but the name must not be ambiguous. */
static void check_logged(struct check *check, const char *network, const char *field)
{
	const struct origin *origin = &check->model->query_log.origin;
	char why[REFERENCE_TEXT_MAX];

	if (!network || model_network(check->model, NULL, network))
		return;
	if (reference_is_ambiguous(check->model, REFERS_NETWORK, NULL, network))
		ERROR(check, origin, field, "%s",
		      reference_refusal(check->model, REFERS_NETWORK, NULL, network, why));
	else
		WARN(check, origin, field,
		     "there is no virtual network \"%.300s\"; nothing is logged for it", network);
}

static void check_query_log(struct check *check)
{
	const struct query_log_settings *log = &check->model->query_log;
	char field[32];

	for (size_t i = 0; i < log->rcodes.count; i++) {
		snprintf(field, sizeof field, "rcodes[%zu]", i);
		if (log->rcodes.items[i] && rcode_parse(log->rcodes.items[i]) < 0)
			ERROR(check, &log->origin, field,
			      "\"%.300s\" is no response code; give NOERROR, NXDOMAIN, SERVFAIL, "
			      "REFUSED ...",
			      log->rcodes.items[i]);
	}
	for (size_t i = 0; i < log->networks.count; i++) {
		snprintf(field, sizeof field, "networks[%zu]", i);
		check_logged(check, log->networks.items[i], field);
	}
	if (log->file && log->dnstap_file && strcmp(log->file, log->dnstap_file) == 0)
		ERROR(check, &log->origin, "dnstap_file",
		      "%s is `file` already, for another format; give each a file of its own",
		      log->dnstap_file);
}

void limits_check_settings(struct check *check)
{
	const struct model *model = check->model;
	struct urls urls = {.management = &model->management};

	check_ordered(check, &model->limits.origin, "subnet_prefix_length_min",
		      model->limits.subnet_prefix_length_min, "subnet_prefix_length_max",
		      model->limits.subnet_prefix_length_max);
	check_ordered(check, &model->cache.origin, "ttl_min", model->cache.ttl_min, "ttl_max",
		      model->cache.ttl_max);
	check_default_resolver(check);
	check_management(check, &urls);
	check_metrics(check, &urls);
	check_events(check);
	check_user(check);
	check_query_log(check);
}
