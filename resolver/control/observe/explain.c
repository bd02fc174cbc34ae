/* Two ways to an explanation, both written down by an explainer:
 *
 *     explain_decide    runs compose here: no target is asked and no cache is read, so it comes to
 *                       every leg that may be reached
 *     explain_resolve   sends a question of our own to a worker; the explanation of its passes
 *                       comes back to the control thread with the answer
 *
 * Then "health", "made" and "registered_by" are added from other sources. */
#include "resolver/control/observe/explain.h"

#include <stdlib.h>
#include <strings.h>

#include "endpoints/message.h"
#include "resolver/control/base/json.h"
#include "resolver/control/observe/explainer.h"
#include "resolver/control/service/registrar.h"
#include "resolver/server/server.h"
#include "rules/reverse.h"
#include "rules/schema/reference.h"

enum { PATIENCE_US = 2 * RESOLVE_DEADLINE_US }; /* longer than the query's own deadline */

/* ---- decided, without asking ---- */

struct pass {
	struct composition composition;
	struct request request;
	uint8_t query[MESSAGE_QUERY_MAX];
	uint8_t buffer[MESSAGE_MAX];
};

/* Writes the question as a client would send it. */
static void write_question(struct pass *pass, const struct name *name, uint16_t type)
{
	size_t length = message_write_query(pass->query, 0, name->wire, name->length, type, false,
					    false, false);
	pass->request = (struct request){.flags = FLAG_RD,
					 .type = type,
					 .class = CLASS_IN,
					 .question_length = (uint16_t)(length - MESSAGE_HEADER)};
}

json_t *explain(const struct policy *policy, struct place place, const struct name *name,
		uint16_t type)
{
	struct pass *pass = calloc(1, sizeof *pass);
	struct explainer *explainer = explainer_new(false);
	json_t *explained = NULL;
	if (!pass || !explainer) {
		explainer_free(explainer);
		goto out;
	}
	struct composition *composition = &pass->composition;
	struct resolution_watch *watch = explainer_watch(explainer);
	write_question(pass, name, type);
	composition->policy = policy;
	composition->request = &pass->request;
	composition->qname = name;
	composition->expired = true;
	composition->watch = &watch->pass;
	composition->limit = MESSAGE_MAX;
	watch->on_pass(watch->pass.context, composition, place);
	enum composed composed =
		compose(composition, place, pass->buffer, pass->query + MESSAGE_HEADER);
	(void)composed; /* no target is asked, so the result is COMPOSED */
	explained = explainer_end(explainer, name, type, NULL, 0);
out:
	free(pass);
	return explained;
}

/* An explanation without a decision: the endpoint refuses the client. */
static json_t *explain_denied(const struct policy *policy, const struct explain_question *question,
			      struct place place)
{
	char name[NAME_TEXT_MAX], type[16];
	json_t *explained = json_make("{s:o, s:s, s:o, s:s, s:[], s:s, s:n}", "name",
				      json_text(name_to_text(&question->name, name)), "type",
				      record_type_print(question->type, type, sizeof type),
				      "network", json_text(policy->networks[place.network].name),
				      "role", "inbound", "hops", "rcode", "REFUSED", "loop");
	explain_question_add_asker(question, policy, explained);
	return explained;
}

json_t *explain_decide(const struct policy *policy, const struct explain_question *question,
		       int *err, char error[EXPLAIN_ERROR_MAX])
{
	struct place place;
	json_t *explained;
	*err = explain_question_place(question, policy, &place, error);
	if (*err != 0)
		return NULL;
	if (explain_question_is_denied(question, policy))
		return explain_denied(policy, question, place);
	explained = explain(policy, place, &question->name, question->type);
	explain_question_add_asker(question, policy, explained);
	return explained;
}

/* ---- really asked ---- */

struct explain_call {
	struct explainer *explainer;
	struct ask_question question;
	struct name name;
	json_t *asker;
	uint64_t began_us;
	void (*on_end)(void *context, json_t *explained, const char *trouble);
	void *context;
};

static uint64_t monotonic_us(void)
{
	return uv_hrtime() / 1000;
}

static void on_answer(void *context, const struct ask_answer *answer)
{
	struct explain_call *call = context;
	char text[ASK_TROUBLE_MAX];
	json_t *explained = NULL;
	const char *trouble = NULL;
	if (answer->end == ASK_END_ANSWERED) {
		explained = explainer_end(call->explainer, &call->name, call->question.type, answer,
					  monotonic_us() - call->began_us);
	} else {
		trouble = ask_answer_trouble(answer, text);
		explainer_free(call->explainer);
	}
	if (explained && json_object_update(explained, call->asker) != 0) {
		json_decref(explained);
		explained = NULL;
	}
	json_decref(call->asker);
	call->on_end(call->context, explained, trouble);
	free(call);
}

/* Answers for a client that the endpoint refuses. No worker is needed, because such a query is
 * refused before it is resolved (inbound_refuse_stranger). */
static json_t *refuse(const struct policy *policy, const struct explain_question *question,
		      struct place place)
{
	json_t *explained = explain_denied(policy, question, place);
	json_put(explained, "answer",
		 json_make("{s:s, s:[s, s, s], s:n, s:f, s:[], s:[]}", "rcode", "REFUSED", "flags",
			   "qr", "rd", "ra", "ede", "ms", 0.0, "records", "authority"));
	return json_whole(explained);
}

int explain_resolve(struct server *server, const struct explain_question *question,
		    void (*on_end)(void *context, json_t *explained, const char *trouble),
		    void *context, char error[EXPLAIN_ERROR_MAX])
{
	const struct policy *policy = server->current->policy;
	struct place place;
	int err = explain_question_place(question, policy, &place, error);
	if (err != 0)
		return err;
	if (explain_question_is_denied(question, policy)) {
		on_end(context, refuse(policy, question, place), NULL);
		return 0;
	}
	struct explain_call *call = calloc(1, sizeof *call);
	struct explainer *explainer = explainer_new(true);
	json_t *asker = json_object();
	explain_question_add_asker(question, policy, asker);
	asker = json_whole(asker);
	err = ERR_NOMEM;
	if (!call || !explainer || !asker)
		goto failed;
	name_copy(&call->name, &question->name);
	call->explainer = explainer;
	call->asker = asker;
	call->began_us = monotonic_us();
	call->on_end = on_end;
	call->context = context;
	call->question = (struct ask_question){
		.name = &call->name,
		.type = question->type,
		.vnet_resolver = place.vnet_resolver,
		.patience_us = PATIENCE_US,
		.watch = explainer_watch(explainer),
	};
	if (question->source.family && place.vnet_resolver)
		call->question.from = question->source;
	else
		call->question.network = policy->networks[place.network].name;
	err = server_ask(server, &call->question, on_answer, call);
	call->question.network = NULL; /* belongs to the policy, which may be freed */
	if (err == 0)
		return 0;
failed:
	snprintf(error, EXPLAIN_ERROR_MAX, "%s",
		 err == ERR_LIMIT ? "too many questions are under way; try again" : err_text(err));
	json_decref(asker);
	explainer_free(explainer);
	free(call);
	return err;
}

/* ---- from the status and the model ---- */

/* Calls back with every server that would be asked, in all blocks. */
static void each_server(json_t *explained, void (*on_server)(const void *context, json_t *item),
			const void *context)
{
	size_t h, r;
	json_t *hop, *item;
	json_array_foreach(json_object_get(explained, "hops"), h, hop)
	{
		json_array_foreach(json_object_get(hop, "route"), r, item)
		{
			each_server(json_object_get(item, "decision"), on_server, context);
			if (json_object_get(item, "host"))
				on_server(context, item);
		}
	}
}

static bool same_value(const json_t *a, const json_t *b, const char *key)
{
	const json_t *left = json_object_get(a, key), *right = json_object_get(b, key);
	return json_equal(left, right) || (!left && json_is_null(right)) ||
	       (!right && json_is_null(left));
}

static void add_health(const void *context, json_t *item)
{
	const json_t *targets = context;
	json_t *target;
	size_t i;
	json_array_foreach(targets, i, target)
	{
		if (same_value(item, target, "source") && same_value(item, target, "host") &&
		    same_value(item, target, "protocol"))
			json_object_set(item, "health", target);
	}
}

void explain_add_health(json_t *explained, const json_t *targets)
{
	each_server(explained, add_health, targets);
}

/* `endpoint`: an outbound endpoint's full name: "home/default", "dev/home/default". */
static bool is_made(const struct model *model, const char *endpoint)
{
	const char *slash = strrchr(endpoint, '/');
	char path[2 * NAME_TEXT_MAX];

	if (!slash)
		return false;
	snprintf(path, sizeof path, "resolvers[%.*s].outbound_endpoints[%s]",
		 (int)(slash - endpoint), endpoint, slash + 1);
	return model_made(model, path) != NULL;
}

static void add_made(const void *context, json_t *item)
{
	const char *endpoint = json_string_value(json_object_get(item, "endpoint"));
	if (endpoint && is_made(context, endpoint))
		json_put(item, "made", json_true());
}

void explain_add_made(json_t *explained, const struct model *model)
{
	each_server(explained, add_made, model);
}

/* ---- registered records ---- */

struct asked_machine {                   /* search for machines that registered a hop's records */
	const struct private_zone *zone; /* NULL: any zone, by address */
	const char *network;             /* with an address: the machine's network */
	char label[NAME_TEXT_MAX];
	struct address address; /* family 0: any address, by label */
};

/* Reads the zone and label of the hop's name. False: no registered record can have answered,
 * because the zone has no registrations, or has a record set of its own there. */
static bool read_label(const json_t *hop, const struct model *model, const struct policy *policy,
		       uint16_t type, struct asked_machine *asked)
{
	const char *object = json_text_of(hop, "object"), *text = json_text_of(hop, "name");
	const struct registered_zone *zone = registered_find(policy->registered, object);
	struct name name;

	if (!zone || strcmp(json_text_of(hop, "outcome"), "hit") != 0 ||
	    name_from_text(&name, &policy->key, text) != 0 ||
	    zone_find_exact(zone->layers.own, &name, type))
		return false;
	asked->zone = model_zone(model, NULL, object);
	snprintf(asked->label, sizeof asked->label, "%.*s", (int)strcspn(text, "."), text);
	return asked->zone;
}

/* Reads the address of the hop's reverse name. False: no registered PTR can have answered, because
 * the name is not an address's, or the PTR is that of an address or service. */
static bool read_address(const json_t *hop, const struct policy *policy,
			 struct asked_machine *asked)
{
	struct prefix prefix;
	struct name name;
	unsigned rest;

	if (name_from_text(&name, &policy->key, json_text_of(hop, "name")) != 0 ||
	    !reverse_parse(&name, &prefix, &rest) || rest > 0 ||
	    prefix.length != address_bits(&prefix.address) ||
	    owned_ptr(policy->owned, &prefix.address))
		return false;
	asked->address = prefix.address;
	return true;
}

static bool is_asked(const struct asked_machine *asked, const struct machine *machine)
{
	if (asked->address.family)
		return address_equal(&asked->address, &machine->address) &&
		       strcasecmp(full_name(&machine->network->named), asked->network) == 0;
	return machine->zone == asked->zone && strcasecmp(machine->label, asked->label) == 0;
}

static void add_machines(json_t *by, const struct asked_machine *asked,
			 const struct machine *machines, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (is_asked(asked, &machines[i]))
			json_add(by, json_sprintf("network interface %s",
						  full_name(&machines[i].interface->named)));
}

struct asked_client {    /* search for a client's registration */
	const char *key; /* of the stored row */
	json_t *by;
};

static int on_row(void *context, const struct registrar_row *row)
{
	const struct asked_client *asked = context;
	json_t *since = json_time(row->since_s);

	if (strcmp(row->key, asked->key) == 0)
		json_add(asked->by, json_sprintf("%s at %s", row->by, json_string_value(since)));
	json_decref(since);
	return 1;
}

static void add_client(json_t *by, struct source *source, const char *zone, const struct name *name,
		       uint16_t type)
{
	char key[REGISTRAR_KEY_MAX], error[SOURCE_ERROR_MAX];
	struct asked_client asked = {registrar_key(zone, name->wire, type, key), by};

	snprintf(error, sizeof error, "%s", err_text(ERR_NOMEM));
	if (registrar_each(source, key, on_row, &asked, error) < 0)
		json_add(by, json_sprintf("somebody whom the state does not tell: %s", error));
}

/* Adds the clients that registered the hop's records of this type, by the hop's name. */
static void add_clients(json_t *by, const json_t *hop, const struct explain_registry *registry,
			uint16_t type)
{
	const struct policy *policy = registry->policy;
	const char *object = json_text_of(hop, "object");
	const struct registered_zone *zone = registered_find(policy->registered, object);
	struct prefix prefix;
	struct name name;
	unsigned rest;

	if (!registry->source ||
	    name_from_text(&name, &policy->key, json_text_of(hop, "name")) != 0)
		return;
	if (!reverse_parse(&name, &prefix, &rest)) {
		if (zone && zone_find_exact(zone->updates, &name, type))
			add_client(by, registry->source, zone->name, &name, type);
		return;
	}
	for (size_t i = 0; i < policy->registered->count; i++) {
		zone = &policy->registered->zones[i];
		if (zone_find_exact(zone->reverse[prefix.address.family == 6], &name, type) &&
		    registrar_is_linked(registry->model, zone->name, object))
			add_client(by, registry->source, zone->name, &name, type);
	}
}

struct hop_search { /* the context of the search through hops */
	const struct explain_registry *registry;
	const struct machine *machines;
	size_t count;
	uint16_t type; /* of the question */
};

static void add_registered(const struct hop_search *search, const char *network, json_t *hop)
{
	const struct explain_registry *registry = search->registry;
	struct asked_machine asked = {.network = network};
	uint16_t type = search->type;
	json_t *by;

	if (json_array_size(json_object_get(hop, "records")) == 0 ||
	    !(type == TYPE_PTR ? read_address(hop, registry->policy, &asked)
			       : read_label(hop, registry->model, registry->policy, type, &asked)))
		return;
	by = json_array();
	add_machines(by, &asked, search->machines, search->count);
	if (json_array_size(by) == 0) /* machines' record sets hide clients' */
		add_clients(by, hop, registry, type);
	if (json_array_size(by) > 0)
		json_object_set(hop, "registered_by", by);
	json_decref(by);
}

/* Adds to the block, and to the blocks that its routes enter. */
static void add_to_block(const struct hop_search *search, json_t *block)
{
	size_t h, r;
	json_t *hop, *item;

	json_array_foreach(json_object_get(block, "hops"), h, hop)
	{
		add_registered(search, json_text_of(block, "network"), hop);
		json_array_foreach(json_object_get(hop, "route"), r, item)
			add_to_block(search, json_object_get(item, "decision"));
	}
}

void explain_add_registered(json_t *explained, const struct explain_registry *registry)
{
	struct hop_search search = {.registry = registry};
	struct machine *machines = NULL;

	if (registry->policy->registered->count == 0 ||
	    record_type_parse(&search.type, json_text_of(explained, "type")) != 0 ||
	    registered_machines(registry->model, &machines, &search.count) != 0)
		return;
	search.machines = machines;
	add_to_block(&search, explained);
	free(machines);
}
