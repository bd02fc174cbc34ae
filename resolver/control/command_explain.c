/* `sluice explain`: loads the file as `run` would, compiles it, finds out where the question
 * arrives, and explains. When a server runs, its targets' health is put next to the route; that it
 * may not be the same configuration is why they are matched by source, host and protocol. */
#include "resolver/control/client.h"
#include "resolver/control/control_socket.h"
#include "resolver/control/explain.h"
#include "resolver/control/json.h"
#include "resolver/control/load.h"

enum { HEALTH_TIMEOUT_MS = 2000 };

/* ---- where it arrives ---- */

/* Adds the prefix that placed the source, and the shorter ones that hold it. */
static void add_from(json_t *explained, const struct policy *policy, const struct address *source)
{
	char text[PREFIX_TEXT_MAX], address[ADDRESS_TEXT_MAX];
	const struct prefix_entry *longest = prefix_table_find(&policy->clients, source);
	json_t *shorter = json_array();
	for (size_t i = 0; longest && i < policy->clients.count; i++) {
		const struct prefix_entry *entry = &policy->clients.entries[i];
		if (!prefix_contains(&entry->prefix, source) ||
		    entry->prefix.length >= longest->prefix.length)
			continue;
		json_add(shorter,
			 json_make("{s:s, s:o}", "prefix", prefix_print(&entry->prefix, text),
				   "network", json_text(policy->networks[entry->value].name)));
	}
	json_put(explained, "from",
		 json_make("{s:s, s:o, s:o}", "address", address_print(source, address), "prefix",
			   json_text(longest ? prefix_print(&longest->prefix, text) : NULL),
			   "shorter", shorter));
}

struct asked {
	struct place place;
	struct address source; /* family 0: not --from */
	const char *endpoint;  /* NULL: not --endpoint */
};

/* Appends name number i of what there is, the first few, to a list. */
static void add_named(char *names, size_t size, size_t i, const char *name)
{
	enum { NAMED_MAX = 5 };
	size_t used = strlen(names);
	if (i < NAMED_MAX)
		snprintf(names + used, size - used, "%s%s", i > 0 ? ", " : "", name);
	else if (i == NAMED_MAX)
		snprintf(names + used, size - used, ", ...");
}

static int no_endpoint(const struct command_line *line, const struct policy *policy)
{
	char names[512] = "";
	for (uint32_t i = 0; i < policy->inbound_count; i++)
		add_named(names, sizeof names, i, policy->inbounds[i].name);
	return command_fail_at(line, "there is no inbound endpoint \"%s\"; %s%s", line->endpoint,
			       *names ? "give RESOLVER/ENDPOINT: " : "there is none", names);
}

static int no_network(const struct command_line *line, const struct policy *policy)
{
	char names[512] = "";
	for (uint32_t i = 0; i < policy->network_count; i++)
		add_named(names, sizeof names, i, policy->networks[i].name);
	return command_fail_at(line, "there is no virtual network \"%s\"; %s%s", line->vnet,
			       *names ? "there is: " : "there is none", names);
}

/* COMMAND_FINE, or what was printed about. */
static int find_place(const struct command_line *line, const struct policy *policy,
		      struct asked *asked)
{
	asked->place = (struct place){NETWORK_NONE, true};
	if (line->endpoint) {
		const struct policy_inbound *inbound = policy_find_inbound(policy, line->endpoint);
		if (!inbound)
			return no_endpoint(line, policy);
		asked->place = (struct place){inbound->network, false};
		asked->endpoint = inbound->name;
	} else if (line->from) {
		asked->place = policy_place_of_client(policy, &asked->source);
	} else if (line->vnet) {
		asked->place.network = policy_find_network(policy, line->vnet);
		if (asked->place.network == NETWORK_NONE)
			return no_network(line, policy);
	} else if (policy->network_count == 1) {
		asked->place.network = 0;
	} else {
		return command_misuse(line, "say where it is asked: --vnet, --endpoint or --from");
	}
	return COMMAND_FINE;
}

/* ---- health ---- */

static bool same_value(const json_t *a, const json_t *b, const char *key)
{
	const json_t *left = json_object_get(a, key), *right = json_object_get(b, key);
	return json_equal(left, right) || (!left && json_is_null(right)) ||
	       (!right && json_is_null(left));
}

static void add_health(json_t *block, const json_t *targets)
{
	size_t h, r, t;
	json_t *hop, *item, *target;
	json_array_foreach(json_object_get(block, "hops"), h, hop)
	{
		json_array_foreach(json_object_get(hop, "route"), r, item)
		{
			add_health(json_object_get(item, "decision"), targets);
			json_array_foreach(targets, t, target)
			{
				if (same_value(item, target, "source") &&
				    same_value(item, target, "host") &&
				    same_value(item, target, "protocol") &&
				    json_object_get(item, "host"))
					json_object_set(item, "health", target);
			}
		}
	}
}

/* Nothing is said when no server can be asked: explain does not need one. */
static void fetch_health(const struct command_line *line, json_t *explained)
{
	char path[CLIENT_PATH_MAX], error[CONTROL_ERROR_MAX];
	json_t *request = json_make("{s:s}", "command", "status");
	json_t *status =
		control_call(client_socket_path(line, path), request, HEALTH_TIMEOUT_MS, error);
	add_health(explained, json_object_get(status, "targets"));
	json_decref(status);
	json_decref(request);
}

/* ---- the command ---- */

static bool is_resolved(uint16_t type)
{
	static const uint16_t meta[] = {TYPE_OPT,  TYPE_TSIG,  TYPE_TKEY, TYPE_IXFR,
					TYPE_AXFR, TYPE_MAILA, TYPE_MAILB};
	for (size_t i = 0; i < sizeof meta / sizeof *meta; i++)
		if (meta[i] == type)
			return false;
	return true;
}

static int explain_in(const struct command_line *line, const struct policy *policy,
		      struct asked *asked, const struct name *name, uint16_t type)
{
	int status = find_place(line, policy, asked);
	if (status != COMMAND_FINE)
		return status;
	json_t *explained = explain(policy, asked->place, name, type);
	if (asked->source.family)
		add_from(explained, policy, &asked->source);
	if (asked->endpoint)
		json_put(explained, "endpoint", json_text(asked->endpoint));
	fetch_health(line, explained);
	explained = json_whole(explained);
	if (line->json || !explained)
		status = command_print_json(explained);
	else
		explain_print(explained, stdout);
	json_decref(explained);
	return status;
}

static int load_and_explain(const struct command_line *line, struct load *load, struct asked *asked,
			    const struct name *name, uint16_t type)
{
	struct faults faults;
	int status = COMMAND_NO;
	faults_init(&faults);
	struct model *model = load_model(load, &faults);
	struct policy *policy = model ? policy_compile(model, &load->key, NULL) : NULL;
	if (policy) {
		status = explain_in(line, policy, asked, name, type);
	} else {
		faults_print(&faults, stderr);
		command_fail_at(line, "%s cannot be explained: it has faults", line->config);
	}
	policy_free(policy);
	model_free(model);
	faults_release(&faults);
	return status;
}

int command_explain(const struct command_line *line)
{
	struct asked asked = {0};
	struct load load;
	struct name name;
	uint16_t type = TYPE_A;
	if ((line->vnet != NULL) + (line->endpoint != NULL) + (line->from != NULL) > 1)
		return command_misuse(line, "--vnet, --endpoint and --from exclude each other");
	if (line->from && address_parse(&asked.source, line->from) != 0)
		return command_misuse(line, "\"%s\" is not an address", line->from);
	if (line->argument_count > 1 && record_type_parse(&type, line->arguments[1]) != 0)
		return command_misuse(line, "\"%s\" is not a record type", line->arguments[1]);
	if (!is_resolved(type))
		return command_misuse(line, "%s is not resolved: it is not data",
				      line->arguments[1]);
	if (load_init(&load, line->config, line->resolv_conf) != 0)
		return command_fail_at(line, "cannot start: %s", err_text(ERR_SYSTEM));
	int status;
	if (name_from_text(&name, &load.key, line->arguments[0]) != 0)
		status = command_misuse(line, "\"%s\" is not a domain name", line->arguments[0]);
	else
		status = load_and_explain(line, &load, &asked, &name, type);
	load_release(&load);
	return status;
}
