/* Configured items come from the served model; measured values from the targets of the current
 * policy's upstreams (each target once), the workers' counters and the cache. The workers go on
 * meanwhile: each number is right, but not all are of the same moment. */
#include "resolver/control/observe/status.h"

#include <unistd.h>
#include <uthash.h>
#include <uv.h>

#include "endpoints/socket.h"
#include "resolver/control/base/json.h"
#include "resolver/control/observe/failing.h"
#include "resolver/control/observe/health.h"
#include "resolver/control/observe/judgement.h"
#include "resolver/control/observe/query_log/query_log.h"
#include "rules/base.h"
#include "rules/schema/reference.h"
#include "rules/text.h"

static json_t *address_json(const struct address *address)
{
	char text[ADDRESS_TEXT_MAX];
	return address->family ? json_text(address_print(address, text)) : json_null();
}

static json_t *host_json(const struct host *host)
{
	char text[HOST_TEXT_MAX];
	return host->address.family ? json_text(host_print(host, text)) : json_null();
}

static json_t *path_json(const struct dns_resolver *resolver, const char *endpoint)
{
	char text[256]; /* two names of 80 characters, and a group */
	snprintf(text, sizeof text, "%s/%s", full_name(&resolver->named), endpoint);
	return json_text(text);
}

/* ---- configuration ---- */

static json_t *name_json(const struct named *item)
{
	return json_text(full_name(item));
}

/* The network's full name. */
static json_t *network_name_json(const struct model *model, const struct named *of,
				 const char *text)
{
	const struct virtual_network *network = model_network(model, of->resource_group, text);

	return network ? name_json(&network->named) : json_text(text);
}

struct status_network { /* the network's links */
	json_t *rulesets;
	json_int_t zones;
};

static struct status_network *linked_to(struct status_network *networks, const struct model *model,
					const struct named *of, const char *text)
{
	const struct virtual_network *network = model_network(model, of->resource_group, text);

	return network ? &networks[network - model->virtual_networks.items] : NULL;
}

/* Indexed like the model's networks. NULL: out of memory. */
static struct status_network *count_links(const struct model *model)
{
	size_t count = model->virtual_networks.count;
	struct status_network *networks = calloc(count + 1, sizeof *networks), *linked;

	for (size_t n = 0; networks && n < count; n++)
		networks[n].rulesets = json_array();
	for (size_t z = 0; networks && z < model->private_zones.count; z++) {
		const struct private_zone *zone = &model->private_zones.items[z];

		for (size_t i = 0; i < zone->links.count; i++) {
			linked = linked_to(networks, model, &zone->named,
					   zone->links.items[i].virtual_network);
			if (linked)
				linked->zones++;
		}
	}
	for (size_t r = 0; networks && r < model->rulesets.count; r++) {
		const struct forwarding_ruleset *ruleset = &model->rulesets.items[r];

		for (size_t i = 0; i < ruleset->links.count; i++) {
			linked = linked_to(networks, model, &ruleset->named,
					   ruleset->links.items[i].virtual_network);
			if (linked)
				json_add(linked->rulesets, name_json(&ruleset->named));
		}
	}
	return networks;
}

/* Whether made.c, and nobody else, put that prefix into the network's address_space. */
static bool is_made_space(const struct model *model, const struct virtual_network *network,
			  const struct prefix *prefix)
{
	char path[2 * NAME_TEXT_MAX], text[PREFIX_TEXT_MAX];

	if (model->made.count == 0 || prefix->address.family != 4 || prefix->address.bytes[0] < 240)
		return false;
	prefix_print(prefix, text);
	snprintf(path, sizeof path, "virtual_networks[%s].address_space",
		 full_name(&network->named));
	for (size_t i = 0; i < model->made.count; i++) {
		const struct made *made = &model->made.items[i];

		if (made->value && strcmp(made->value, text) == 0 &&
		    strcasecmp(made->path, path) == 0)
			return true;
	}
	return false;
}

static bool is_made_address(const struct model *model, const struct virtual_network *network,
			    const struct address *address)
{
	for (size_t i = 0; network && i < network->address_space.count; i++) {
		const struct prefix *prefix = &network->address_space.items[i];

		if (prefix_contains(prefix, address) && is_made_space(model, network, prefix))
			return true;
	}
	return false;
}

static json_t *network_json(const struct model *model, const struct virtual_network *network,
			    const struct status_network *linked)
{
	json_t *spaces = json_array(), *made = json_array(), *servers = json_array();
	char text[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < network->address_space.count; i++) {
		const struct prefix *prefix = &network->address_space.items[i];

		prefix_print(prefix, text);
		json_add(spaces, json_text(text));
		if (is_made_space(model, network, prefix))
			json_add(made, json_text(text));
	}
	for (size_t i = 0; i < network->dns_servers.count; i++)
		json_add(servers, host_json(&network->dns_servers.items[i]));
	return json_make("{s:o, s:o, s:o, s:o, s:I, s:O}", "name", name_json(&network->named),
			 "address_space", spaces, "made_address_space", made, "dns_servers",
			 servers, "zones", linked->zones, "rulesets", linked->rulesets);
}

static json_t *networks_json(const struct model *model)
{
	size_t count = model->virtual_networks.count;
	struct status_network *networks = count_links(model);
	json_t *array = networks ? json_array() : NULL;

	for (size_t n = 0; networks && n < count; n++) {
		json_add(array,
			 network_json(model, &model->virtual_networks.items[n], &networks[n]));
		json_decref(networks[n].rulesets);
	}
	free(networks);
	return array;
}

static json_t *inbound_json(const struct model *model)
{
	json_t *array = json_array();
	for (size_t r = 0; r < model->resolvers.count; r++) {
		const struct dns_resolver *resolver = &model->resolvers.items[r];
		for (size_t i = 0; i < resolver->inbound_endpoints.count; i++) {
			const struct inbound_endpoint *at = &resolver->inbound_endpoints.items[i];
			const struct virtual_network *network = model_network(
				model, resolver->resource_group, resolver->virtual_network);

			json_add(array,
				 json_make("{s:o, s:o, s:o, s:o, s:b, s:b, s:b}", "name",
					   path_json(resolver, at->name), "network",
					   network_name_json(model, &resolver->named,
							     resolver->virtual_network),
					   "address", address_json(&at->address), "listen",
					   host_json(&at->listen), "present",
					   (int)!socket_address_is_missing(&at->listen.address),
					   "made", (int)model_is_made(&at->origin), "made_address",
					   (int)is_made_address(model, network, &at->address)));
		}
	}
	return array;
}

static json_t *vnet_json(const struct model *model)
{
	json_t *array = json_array();
	for (size_t i = 0; i < model->vnet_resolver.listen.count; i++) {
		const struct host *host = &model->vnet_resolver.listen.items[i];
		json_add(array, json_make("{s:s, s:o, s:b}", "name", "VNet resolver", "listen",
					  host_json(host), "present",
					  (int)!socket_address_is_missing(&host->address)));
	}
	return array;
}

static json_t *outbound_json(const struct model *model)
{
	json_t *array = json_array();
	for (size_t r = 0; r < model->resolvers.count; r++) {
		const struct dns_resolver *resolver = &model->resolvers.items[r];
		for (size_t i = 0; i < resolver->outbound_endpoints.count; i++) {
			const struct outbound_endpoint *at = &resolver->outbound_endpoints.items[i];
			json_add(array, json_make("{s:o, s:o, s:o, s:b, s:b}", "name",
						  path_json(resolver, at->name), "network",
						  network_name_json(model, &resolver->named,
								    resolver->virtual_network),
						  "source", address_json(&at->source), "present",
						  (int)!socket_address_is_missing(&at->source),
						  "made", (int)model_is_made(&at->origin)));
		}
	}
	return array;
}

static json_t *zones_json(const struct model *model)
{
	json_t *array = json_array();
	for (size_t z = 0; z < model->private_zones.count; z++) {
		const struct private_zone *at = &model->private_zones.items[z];
		json_t *networks = json_array();
		for (size_t i = 0; i < at->links.count; i++)
			json_add(networks, network_name_json(model, &at->named,
							     at->links.items[i].virtual_network));
		json_add(array,
			 json_make("{s:o, s:I, s:I, s:I, s:o, s:b}", "name", name_json(&at->named),
				   "record_sets", (json_int_t)zone_record_sets(at->zone), "records",
				   (json_int_t)zone_records(at->zone), "bytes",
				   (json_int_t)zone_bytes(at->zone), "networks", networks,
				   "registers", (int)registered_in(model, at)));
	}
	return array;
}

static json_t *rulesets_json(const struct model *model)
{
	json_t *array = json_array();
	for (size_t r = 0; r < model->rulesets.count; r++) {
		const struct forwarding_ruleset *at = &model->rulesets.items[r];
		json_t *networks = json_array(), *endpoints = json_array();
		struct dns_resolver *resolver;
		json_int_t disabled = 0;
		for (size_t i = 0; i < at->rules.count; i++)
			disabled += at->rules.items[i].state == RULE_DISABLED;
		for (size_t i = 0; i < at->links.count; i++)
			json_add(networks, network_name_json(model, &at->named,
							     at->links.items[i].virtual_network));
		for (size_t i = 0; i < at->outbound_endpoints.count; i++) {
			const struct outbound_endpoint *endpoint =
				model_outbound(model, at->resource_group,
					       at->outbound_endpoints.items[i], &resolver);

			if (endpoint)
				json_add(endpoints, path_json(resolver, endpoint->name));
		}
		json_add(array,
			 json_make("{s:o, s:I, s:I, s:o, s:o}", "name", name_json(&at->named),
				   "rules", (json_int_t)at->rules.count, "disabled", disabled,
				   "networks", networks, "outbound_endpoints", endpoints));
	}
	return array;
}

/* ---- targets and routes ---- */

struct status_target {
	const struct target *target;
	json_t *item;
	json_t *unanswered, *others; /* names of rules, STATUS_TARGET_RULES of each at most */
	json_t *users;               /* by their names */
	const char *user;            /* the latest user's name: rules of a user are neighbours */
	json_t *counted_user;        /* its item in `users` */
	json_int_t rule_count, unanswered_count;
	const struct route *counted; /* the latest counted route */
	bool bad;                    /* suspect, or answers only errors */
	uint64_t troubles;
	size_t order;
	UT_hash_handle hh;
};

struct status_routes {
	json_t *names, *causes; /* of the first STATUS_UNANSWERED */
	json_int_t count;
};

struct targets {
	const struct snapshot *snapshot;
	struct health_now now;
	struct status_target *seen;  /* hash by target */
	struct status_target *items; /* those of the snapshot, in its order */
	size_t count;
	const struct wall_clock *clock;
	struct status_routes unanswered; /* without a live target, or failing */
	struct status_routes unheard;    /* with names that nobody answers */
	struct failing *failing;
};

static void add_measured(json_t *item, struct target *target, const struct targets *targets)
{
	uint64_t suspect_us = atomic_load(&target->suspect_us);
	uint64_t heard_us = atomic_load(&target->heard_us);
	uint64_t srtt_us = atomic_load(&target->srtt_us);
	struct judgement judgement = judge_target(target, targets->now.now_us);
	json_put(item, "state", json_text(judgement_word(judgement)));
	json_put(item, "says", json_text(judgement_says(judgement)));
	json_put(item, "srtt_ms", heard_us ? json_real((double)srtt_us / 1000) : json_null());
	json_put(item, "allowance_ms", json_real((double)target_allowance_us(target) / 1000));
	json_put(item, "since",
		 suspect_us ? json_time(wall_clock_s(targets->clock, suspect_us)) : json_null());
	uint64_t heard_ago_ms =
		targets->now.now_us > heard_us ? (targets->now.now_us - heard_us) / 1000 : 0;
	json_put(item, "heard_ago_s",
		 heard_us ? json_real((double)heard_ago_ms / 1000) : json_null());
}

static void add_counted(json_t *item, const struct target *target)
{
	const struct {
		const char *name;
		uint64_t value;
	} counters[] = {
		{"waiting", atomic_load(&target->waiting)},
		{"asked", atomic_load(&target->asked)},
		{"answered", atomic_load(&target->answered)},
		{"probes", atomic_load(&target->probes)},
		{"timeouts", atomic_load(&target->timeouts)},
		{"errors", atomic_load(&target->errors)},
		{"suspicions", atomic_load(&target->suspicions)},
		{"mismatched", atomic_load(&target->mismatched)},
	};
	for (size_t i = 0; i < COUNT(counters); i++)
		json_put(item, counters[i].name, json_integer((json_int_t)counters[i].value));
	json_put(item, "last_error",
		 json_text(target_error_text((enum target_error)atomic_load(&target->last_error))));
}

static void add_target(struct targets *targets, const struct upstream *upstream)
{
	struct target *target = upstream->target;
	struct status_target *seen = &targets->items[targets->count];
	char other[TARGET_OTHER_TEXT];
	seen->target = target;
	seen->order = targets->count++;
	seen->bad = !judgement_is_good(judge_target(target, targets->now.now_us));
	seen->troubles = atomic_load(&target->timeouts) + atomic_load(&target->errors);
	HASH_ADD_PTR(targets->seen, target, seen);
	seen->unanswered = json_array();
	seen->others = json_array();
	seen->users = json_object();
	seen->item = json_make("{s:o, s:o, s:s, s:o}", "source", address_json(&upstream->source),
			       "host", host_json(&upstream->host), "protocol",
			       upstream->protocol == PROTOCOL_TCP ? "tcp" : "udp", "endpoint",
			       json_text(upstream->endpoint));
	add_measured(seen->item, target, targets);
	add_counted(seen->item, target);
	target_other_text(upstream->target, targets->now.now_us, other);
	json_put(seen->item, "other", *other ? json_text(other) : json_null());
}

/* The ruleset of a rule ("onprem" for "onprem/contoso"), because the page colours rulesets. Other
 * users keep their names, which have a blank: "DNS servers of dev/hub". Returns its length. */
static size_t user_length(const char *name)
{
	const char *slash = strchr(name, ' ') ? NULL : strrchr(name, '/');

	return slash ? (size_t)(slash - name) : strlen(name);
}

/* Makes the user the latest one; adds it to `users` if it is missing there. */
static void find_user(struct status_target *seen, const char *name, size_t length)
{
	char user[POLICY_ROUTE_NAME];

	snprintf(user, sizeof user, "%.*s", (int)length, name);
	if (!json_object_get(seen->users, user))
		json_put(seen->users, user,
			 json_make("{s:o, s:I, s:I}", "name", json_text(user), "rules",
				   (json_int_t)0, "unanswered", (json_int_t)0));
	seen->counted_user = json_object_get(seen->users, user);
	seen->user = json_text_of(seen->counted_user, "name");
}

static void count_user(struct status_target *seen, const char *name, bool unanswered)
{
	size_t length = user_length(name);
	json_t *rules, *lost;

	if (!seen->user || strlen(seen->user) != length || strncmp(seen->user, name, length) != 0)
		find_user(seen, name, length);
	rules = json_object_get(seen->counted_user, "rules");
	lost = json_object_get(seen->counted_user, "unanswered");
	json_integer_set(rules, json_integer_value(rules) + 1);
	json_integer_set(lost, json_integer_value(lost) + unanswered);
}

static json_t *users_json(json_t *by_name)
{
	json_t *array = json_array(), *user;
	const char *name;

	json_object_foreach(by_name, name, user) json_add(array, json_incref(user));
	json_decref(by_name);
	return array;
}

static void count_rule(const struct targets *targets, const char *name, const struct route *route,
		       const struct target *target, bool unanswered)
{
	struct status_target *seen;
	json_t *names;
	HASH_FIND_PTR(targets->seen, &target, seen);
	if (!seen || seen->counted == route)
		return;
	seen->counted = route;
	seen->rule_count++;
	seen->unanswered_count += unanswered;
	count_user(seen, name, unanswered);
	names = unanswered ? seen->unanswered : seen->others;
	if (json_array_size(names) < STATUS_TARGET_RULES)
		json_add(names, json_text(name));
}

static void add_route(const struct targets *targets, struct status_routes *routes, const char *name,
		      const struct health_route *judged)
{
	if (routes->count++ >= STATUS_UNANSWERED)
		return;
	json_add(routes->names, json_text(name));
	json_add(routes->causes,
		 json_make("{s:o, s:o, s:o, s:I}", "rule", json_text(name), "reason",
			   *judged->reason ? json_text(judged->reason) : json_null(), "since",
			   judged->since_us
				   ? json_time(wall_clock_s(targets->clock, judged->since_us))
				   : json_null(),
			   "queries", (json_int_t)judged->count));
}

static void on_route(void *context, const char *name, const struct route *route)
{
	struct targets *targets = context;
	struct health_route judged;

	health_now_judge(&targets->now, route, &judged);
	bool unanswered = judged.state == HEALTH_DARK || judged.state == HEALTH_FAILING;
	if (targets->failing)
		failing_see(targets->failing, name, route, &judged);
	if (unanswered)
		add_route(targets, &targets->unanswered, name, &judged);
	else if (judged.state == HEALTH_UNHEARD)
		add_route(targets, &targets->unheard, name, &judged);
	for (uint32_t i = 0; i < route->leg_count; i++)
		for (uint32_t u = 0; u < route->legs[i].upstream_count; u++)
			count_rule(targets, name, route, route->legs[i].upstreams[u].target,
				   unanswered);
}

/* Rules that cannot be answered come first, because not all may have room. */
static json_t *rules_json(const struct status_target *seen)
{
	json_t *rules = seen->unanswered;

	for (size_t i = 0; i < json_array_size(seen->others); i++)
		if (json_array_size(rules) < STATUS_TARGET_RULES)
			json_add(rules, json_incref(json_array_get(seen->others, i)));
	json_decref(seen->others);
	return rules;
}

static int worst_first(const void *left, const void *right)
{
	const struct status_target *a = left, *b = right;
	if (a->unanswered_count != b->unanswered_count)
		return a->unanswered_count > b->unanswered_count ? -1 : 1;
	if (a->bad != b->bad)
		return a->bad ? -1 : 1;
	if (a->troubles != b->troubles)
		return a->troubles > b->troubles ? -1 : 1;
	return a->order < b->order ? -1 : 1;
}

/* The harm to the target's rules in words. Null: the target is not suspect, and all of its rules
 * can be answered. */
static json_t *harm_json(const struct status_target *seen, const json_t *rules)
{
	const char *names[STATUS_HARM_RULES];
	struct harm harm = {names, 0, (unsigned)seen->unanswered_count,
			    (unsigned)(seen->rule_count - seen->unanswered_count)};
	char text[STATUS_HARM_RULES * POLICY_ROUTE_NAME + 128] = "";

	if (!target_is_suspect(seen->target) && harm.unanswered == 0)
		return json_null();
	while (harm.named < STATUS_HARM_RULES && harm.named < harm.unanswered &&
	       (names[harm.named] = json_string_value(json_array_get(rules, harm.named))))
		harm.named++;
	harm_say(&harm, text, sizeof text);
	return json_text(text);
}

static json_t *sorted_json(const struct targets *targets)
{
	json_t *array = json_array();
	if (!targets->items)
		return array;
	qsort(targets->items, targets->count, sizeof *targets->items, worst_first);
	for (size_t i = 0; i < targets->count; i++) {
		struct status_target *seen = &targets->items[i];
		json_t *rules = rules_json(seen);
		json_put(seen->item, "harm", harm_json(seen, rules));
		json_put(seen->item, "rules", rules);
		json_put(seen->item, "rule_count", json_integer(seen->rule_count));
		json_put(seen->item, "unanswered_count", json_integer(seen->unanswered_count));
		json_put(seen->item, "users", users_json(seen->users));
		json_add(array, seen->item);
	}
	return array;
}

static json_t *routes_json(const struct status_routes *routes)
{
	return json_make("{s:I, s:o, s:o}", "count", routes->count, "rules", routes->names,
			 "causes", routes->causes);
}

/* Adds the targets and the routes' health. */
static void put_targets(json_t *all, const struct server *server, const struct wall_clock *clock)
{
	struct snapshot *snapshot = server->current;
	const struct served_targets *served = &snapshot->targets->served;
	struct targets targets = {.snapshot = snapshot,
				  .clock = clock,
				  .unanswered = {json_array(), json_array(), 0},
				  .unheard = {json_array(), json_array(), 0}};
	targets.items = calloc(served->count + 1, sizeof *targets.items);
	health_now_init(&targets.now, snapshot, uv_hrtime() / 1000);
	targets.failing = failing_begin(&targets.now);
	if (targets.items && targets.now.lost) {
		for (size_t i = 0; i < served->count; i++)
			add_target(&targets, served->items[i].upstream);
		policy_each_route(snapshot->policy, on_route, &targets);
	}
	HASH_CLEAR(hh, targets.seen);
	json_put(all, "unanswered", routes_json(&targets.unanswered));
	json_put(all, "unheard", routes_json(&targets.unheard));
	json_put(all, "targets", sorted_json(&targets));
	json_put(all, "failing", failing_end(targets.failing, clock));
	free(targets.items);
	health_now_release(&targets.now);
}

static json_t *counters_json(const struct server *server)
{
	struct stats sum;
	json_t *counters = json_object();
	server_read_stats(server, &sum);
	for (unsigned i = 0; i < stats_row_count; i++)
		json_put(counters, stats_rows[i].name,
			 json_integer((json_int_t)stats_get(&sum, i)));
	return counters;
}

static json_t *cache_json(const struct server *server)
{
	struct cache_stats stats;
	cache_read_stats(server->cache, &stats);
	return json_make("{s:I, s:I, s:I, s:I, s:I, s:I}", "entries", (json_int_t)stats.entries,
			 "bytes", (json_int_t)stats.bytes, "hits", (json_int_t)stats.hits, "misses",
			 (json_int_t)stats.misses, "inserted", (json_int_t)stats.inserted,
			 "evicted", (json_int_t)stats.evicted);
}

/* A list of one; empty if there is nothing to tell. */
static json_t *owned_json(const struct resources *resources)
{
	struct addresses_about about = {0};
	json_t *list = json_array();
	if (resources)
		addresses_about(resources, &about);
	if (about.has_state || about.addresses + about.services > 0)
		json_add(list, json_make("{s:I, s:I, s:I, s:I, s:o, s:o}", "addresses",
					 (json_int_t)about.addresses, "services",
					 (json_int_t)about.services, "ptrs", (json_int_t)about.ptrs,
					 "waiting", (json_int_t)about.waiting, "state",
					 json_text(about.state), "error", json_text(about.error)));
	return list;
}

/* ---- zones for secondaries ---- */

static json_int_t read_meter(const atomic_uint_fast64_t *counter)
{
	return (json_int_t)atomic_load_explicit(counter, memory_order_relaxed);
}

static json_t *transfer_json(const struct transfer_zone *zone)
{
	const struct transfer_meter *meter = zone->meter;

	return json_make("{s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "zone", json_text(zone->text),
			 "serial", (json_int_t)zone->serial, "past", (json_int_t)zone->past_count,
			 "axfr", read_meter(&meter->axfr), "ixfr", read_meter(&meter->ixfr),
			 "current", read_meter(&meter->current), "refused",
			 read_meter(&meter->refused), "broken", read_meter(&meter->broken));
}

static json_t *transfers_json(const struct server *server)
{
	const struct transfer_table *table = server->current ? server->current->transfers : NULL;
	json_t *array = json_array();

	for (size_t i = 0; table && i < table->count; i++)
		json_add(array, transfer_json(table->zones[i]));
	return array;
}

static json_t *notices_json(const struct secondary_sockets *secondaries)
{
	json_t *array = json_array();

	secondary_sockets_report(secondaries, array);
	return array;
}

static json_t *work_json(const struct work *work)
{
	if (!work->busy)
		return json_null();
	return json_make("{s:o}", "percent",
			 work->percent < 0 ? json_null() : json_integer(work->percent));
}

static json_t *longest_turn_json(const struct turns *turns)
{
	return json_make("{s:f, s:o}", "cpu_ms", (double)turns->longest_ns / 1e6, "at",
			 turns->longest_at_s ? json_time(turns->longest_at_s) : json_null());
}

/* ---- an unconfirmed change ---- */

static json_t *with_text(json_t *object, const char *text)
{
	json_put(object, "text", json_text(text));
	return object;
}

static json_t *unconfirmed_report(const struct confirmation *confirmation, bool guarded)
{
	char text[CONFIRMATION_TEXT_MAX];

	if (!confirmation_waits(confirmation, guarded, text))
		return json_null();
	return with_text(unconfirmed_json(&confirmation->waiting, confirmation->error, guarded),
			 text);
}

static json_t *went_back_report(const struct confirmation *confirmation, bool guarded)
{
	char text[CONFIRMATION_TEXT_MAX];

	if (!confirmation_is_back(confirmation, guarded, text))
		return json_null();
	return with_text(unconfirmed_json(&confirmation->gone, NULL, guarded), text);
}

/* ---- the judgement, in sentences ---- */

enum { JUDGEMENT_MAX = 1024, JUDGEMENT_NAMES = 5, JUDGEMENT_ADDRESSES = 2 };

/* The earliest `since` of the causes; NULL: not known. */
static const char *first_since(const json_t *causes)
{
	const char *first = NULL;
	const json_t *cause;
	size_t i;

	json_array_foreach(causes, i, cause)
	{
		const char *since = json_string_value(json_object_get(cause, "since"));

		if (since && (!first || strcmp(since, first) < 0))
			first = since;
	}
	return first;
}

static const char *reason_of(const json_t *causes, json_int_t i)
{
	return json_string_value(json_object_get(json_array_get(causes, (size_t)i), "reason"));
}

/* "a, b (10.0.0.1:53 answers REFUSED), c (10.0.0.2:53 does not answer) and 3 more": a reason
 * follows the last of the neighbouring rules that share it. */
static void say_causes(char text[JUDGEMENT_MAX], const json_t *causes, json_int_t count)
{
	json_int_t named = count < JUDGEMENT_NAMES ? count : JUDGEMENT_NAMES;

	for (json_int_t i = 0; i < named; i++) {
		const char *reason = reason_of(causes, i);
		const char *next = i + 1 < named ? reason_of(causes, i + 1) : NULL;

		text_append(text, JUDGEMENT_MAX, "%s%s", i > 0 ? ", " : "",
			    json_string_value(
				    json_object_get(json_array_get(causes, (size_t)i), "rule")));
		if (reason && !(next && strcmp(reason, next) == 0))
			text_append(text, JUDGEMENT_MAX, " (%s)", reason);
	}
	if (count > named)
		text_append(text, JUDGEMENT_MAX, " and %" JSON_INTEGER_FORMAT " more",
			    count - named);
}

static void judge_rules(json_t *texts, const json_t *all)
{
	const json_t *unanswered = json_object_get(all, "unanswered");
	const json_t *causes = json_object_get(unanswered, "causes");
	json_int_t count = json_integer_value(json_object_get(unanswered, "count"));
	const char *since = first_since(causes);
	char text[JUDGEMENT_MAX] = "";

	if (count == 0)
		return;
	text_append(text, sizeof text,
		    "%" JSON_INTEGER_FORMAT " rule%s cannot be answered%s%s: ", count,
		    count == 1 ? "" : "s", since ? ", since " : "", since ? since : "");
	say_causes(text, causes, count);
	text_append(text, sizeof text, ".");
	json_add(texts, json_text(text));
}

/* Notes what clients notice although no rule or target is at fault. */
static void note_unheard(json_t *notes, const json_t *all)
{
	const json_t *unheard = json_object_get(all, "unheard");
	json_int_t count = json_integer_value(json_object_get(unheard, "count"));
	char text[JUDGEMENT_MAX] = "";

	if (count == 0)
		return;
	text_append(text, sizeof text,
		    "Nobody answers the names that clients last asked for, though targets live: ");
	say_causes(text, json_object_get(unheard, "causes"), count);
	text_append(text, sizeof text, ".");
	json_add(notes, json_text(text));
}

static void judge_state(json_t *texts, const json_t *all)
{
	const json_t *owned = json_array_get(json_object_get(all, "owned"), 0);
	const char *error = json_string_value(json_object_get(owned, "error"));
	char text[JUDGEMENT_MAX] = "";

	if (!error)
		return;
	text_append(text, sizeof text, "Nothing can be changed, because the state fails: %s.",
		    error);
	json_add(texts, json_text(text));
}

/* `key`: which address is missing; what: its use. */
static void judge_addresses(json_t *texts, const json_t *all, const char *list, const char *key,
			    const char *what)
{
	char text[JUDGEMENT_MAX] = "";
	const json_t *endpoint;
	unsigned count = 0;
	size_t i;

	json_array_foreach(json_object_get(all, list), i, endpoint)
	{
		if (!json_is_false(json_object_get(endpoint, "present")) ||
		    count++ >= JUDGEMENT_ADDRESSES)
			continue;
		text_append(text, sizeof text, "%s %s, %s %s", count > 1 ? ";" : "No interface has",
			    json_string_value(json_object_get(endpoint, key)), what,
			    json_string_value(json_object_get(endpoint, "name")));
	}
	if (count == 0)
		return;
	if (count > JUDGEMENT_ADDRESSES)
		text_append(text, sizeof text, "; and %u more", count - JUDGEMENT_ADDRESSES);
	text_append(text, sizeof text, ".");
	json_add(texts, json_text(text));
}

static void judge_secondaries(json_t *texts, const json_t *all)
{
	const json_t *row, *first = NULL;
	char text[JUDGEMENT_MAX], more[64] = "";
	unsigned count = 0;
	size_t i;

	json_array_foreach(json_object_get(all, "notices"), i, row)
	{
		const char *copy = json_string_value(json_object_get(row, "copy"));

		if (!copy || (strcmp(copy, "behind") != 0 && strcmp(copy, "ahead") != 0))
			continue;
		first = first ? first : row;
		count++;
	}
	if (count == 0)
		return;
	if (count > 1)
		snprintf(more, sizeof more, ", and %u more secondar%s or ahead", count - 1,
			 count == 2 ? "y is behind" : "ies are behind");
	snprintf(text, sizeof text, "Secondary %s is %s for %s%s.",
		 json_string_value(json_object_get(first, "peer")),
		 json_string_value(json_object_get(first, "copy")),
		 json_string_value(json_object_get(first, "zone")), more);
	json_add(texts, json_text(text));
}

static void say_all_is_well(json_t *texts, const json_t *all)
{
	const json_t *ruleset;
	json_int_t rules = 0;
	char text[JUDGEMENT_MAX] = "";
	size_t i;

	json_array_foreach(json_object_get(all, "rulesets"), i, ruleset)
	{
		rules += json_integer_value(json_object_get(ruleset, "rules"));
		rules -= json_integer_value(json_object_get(ruleset, "disabled"));
	}
	if (rules == 0)
		text_append(text, sizeof text,
			    "There are no rules: zones and the default resolver answer.");
	else if (rules == 1)
		text_append(text, sizeof text, "The one rule can be answered.");
	else
		text_append(text, sizeof text,
			    "All %" JSON_INTEGER_FORMAT " rules can be answered.", rules);
	json_add(texts, json_text(text));
}

/* Adds the texts from *noted on to the failures, with this advice. */
static void note_failing(json_t *all, const json_t *texts, size_t *noted, const char *advice)
{
	json_t *failing = json_object_get(all, "failing");

	for (; *noted < json_array_size(texts); ++*noted)
		failing_add(failing, json_string_value(json_array_get(texts, *noted)), advice);
}

/* Judges the report's other members. */
static void put_judgement(json_t *all)
{
	json_t *texts = json_array(), *notes = json_array();
	size_t noted;
	bool good;

	judge_rules(texts, all);
	noted = json_array_size(texts);
	judge_state(texts, all);
	note_failing(all, texts, &noted,
		     "Check the disk of the state's file, and who may write it.");
	judge_addresses(texts, all, "outbound_endpoints", "source", "the source of");
	note_failing(all, texts, &noted,
		     "Give an interface that address, or the endpoint another source.");
	judge_addresses(texts, all, "inbound_endpoints", "listen", "the address of");
	judge_addresses(texts, all, "vnet_resolver", "listen", "the address of the");
	note_failing(all, texts, &noted,
		     "Nobody can ask there: give an interface that address, or listen at another.");
	judge_secondaries(texts, all);
	note_failing(all, texts, &noted,
		     "Check that the secondary may transfer the zone, and that TCP port 53 is open "
		     "from it to this server.");
	good = json_array_size(texts) == 0;
	if (good)
		say_all_is_well(texts, all);
	note_unheard(notes, all);
	json_put(all, "judgement",
		 json_make("{s:b, s:o, s:o}", "good", (int)good, "texts", texts, "notes", notes));
}

/* ---- the whole ---- */

void status_server_name(const struct model *model, char name[STATUS_SERVER_MAX])
{
	if (model && model->identity.server)
		snprintf(name, STATUS_SERVER_MAX, "%s", model->identity.server);
	else if (gethostname(name, STATUS_SERVER_MAX) != 0)
		*name = '\0';
	name[STATUS_SERVER_MAX - 1] = '\0';
}

json_t *status_report(struct service *service, bool guarded)
{
	const struct server *server = &service->server;
	const struct model *model = server->model;
	char name[STATUS_SERVER_MAX];

	status_server_name(model, name);
	json_t *all = json_make(
		"{s:o, s:s, s:I, s:I, s:o, s:I, s:o}", "server", json_text(name), "version",
		SLUICE_VERSION, "generation", (json_int_t)server->generation, "workers",
		(json_int_t)server->worker_count, "config", json_text(service->config_path),
		"uptime_s", (json_int_t)((uv_hrtime() / 1000 - server->started_us) / 1000000),
		"loaded_at", json_time(server->loaded_at));
	json_put(all, "networks", networks_json(model));
	json_put(all, "inbound_endpoints", inbound_json(model));
	json_put(all, "vnet_resolver", vnet_json(model));
	json_put(all, "outbound_endpoints", outbound_json(model));
	json_put(all, "zones", zones_json(model));
	json_put(all, "rulesets", rulesets_json(model));
	service_try_state(service);
	json_put(all, "owned", owned_json(service->resources));
	wall_clock_adjust(&service->clock);
	put_targets(all, server, &service->clock);
	json_put(all, "counters", counters_json(server));
	json_put(all, "cache", cache_json(server));
	json_put(all, "transfers", transfers_json(server));
	json_put(all, "notices", notices_json(service->secondaries));
	json_put(all, "registrations",
		 json_make("{s:I}", "expired", (json_int_t)service->registrar.expired));
	json_put(all, "work", work_json(&service->work));
	json_put(all, "longest_turn", longest_turn_json(&service->turns));
	json_put(all, "unconfirmed", unconfirmed_report(&service->confirmation, guarded));
	json_put(all, "went_back", went_back_report(&service->confirmation, guarded));
	json_put(all, "restart",
		 service->restart.text
			 ? json_make("{s:o, s:o}", "time", json_time(service->restart.at_s), "text",
				     json_text(service->restart.text))
			 : json_null());
	json_put(all, "query_log",
		 service->query_log ? query_log_status(service->query_log) : json_null());
	put_judgement(all);
	return json_whole(all);
}
