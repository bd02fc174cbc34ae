/* Asks for A, and for AAAA if reverse.ipv6 lets IPv6 addresses prove a name. Only records on the
 * CNAME chain that begins at the name count; anybody could have added others. The addresses are
 * searched when the answer arrives, so an address that was removed in the meantime proves nothing.
 *
 * SERVFAIL, REFUSED and other errors count as no answer. NXDOMAIN is an answer: the name, or the
 * end of its CNAMEs, does not exist. */
#include "resolver/control/resource/ownership.h"

#include <strings.h>

#include "endpoints/message.h"
#include "rules/name.h"

enum { CHAIN_MAX = 16 };

static const char no_subscription[] = "00000000-0000-0000-0000-000000000000";

struct ownership_case {
	struct resources *resources;
	struct server *server;
	void (*on_known)(void *context, enum ownership ownership, const char *reason);
	void *context;
	struct name name;
	struct name self_fqdn; /* length 0: none */
	struct address self_address;
	char *subscription, *id, *network; /* id and network may be NULL */
	unsigned waiting;                  /* questions under way */
	bool owned;
	char reason[OWNERSHIP_REASON_MAX]; /* "": every question was answered */
};

/* ---- subscriptions ---- */

const char *ownership_subscription(const struct resources *resources,
				   const struct owned_resource *resource)
{
	const char *ours = resources_model(resources)->subscription;
	if (resource && resource->subscription)
		return resource->subscription;
	return ours ? ours : no_subscription;
}

bool ownership_is_of(const struct resources *resources, const struct owned_resource *resource,
		     const char *subscription)
{
	return strcasecmp(ownership_subscription(resources, resource), subscription) == 0;
}

bool ownership_is_forward(struct resources *resources, const char *subscription, const char *name)
{
	char text[NAME_TEXT_MAX];
	const struct owned_resource *resource = NULL;
	struct name wire;

	if (name_from_text(&wire, NULL, name) == 0)
		resource = addresses_by_fqdn(resources, name_to_text(&wire, text));
	return resource && ownership_is_of(resources, resource, subscription);
}

/* Whether the resource belongs to the subscription and is not the one about to change. */
static bool counts(const struct ownership_case *it, const struct owned_resource *resource)
{
	return resource && (!it->id || strcasecmp(resource->item.id, it->id) != 0) &&
	       ownership_is_of(it->resources, resource, it->subscription);
}

static bool is_own_name(const struct ownership_case *it, const struct name *name)
{
	char text[NAME_TEXT_MAX];
	if (it->self_fqdn.length > 0 && name_equal(&it->self_fqdn, name))
		return true;
	return counts(it, addresses_by_fqdn(it->resources, name_to_text(name, text)));
}

static bool is_own_address(const struct ownership_case *it, const struct address *address)
{
	if (it->self_address.family == address->family &&
	    memcmp(it->self_address.bytes, address->bytes, address_bits(address) / 8) == 0)
		return true;
	const struct owned_resource *resource = addresses_by_address(it->resources, address);
	return counts(it, resource) && resource->item.allocation == ALLOCATION_STATIC;
}

/* ---- answers ---- */

/* Whether a record at the name `here` proves ownership; *next is where a CNAME there leads. */
static bool record_proves(const struct ownership_case *it, const struct ask_answer *answer,
			  const struct record_view *record, const struct name *here,
			  struct name *next)
{
	const struct hash_key *key = &it->server->key;
	struct address address;
	struct name owner;
	if (name_from_wire(&owner, key, answer->wire, answer->length, record->owner, NULL) != 0 ||
	    !name_equal(&owner, here))
		return false;
	if (record->type == TYPE_CNAME)
		return name_from_wire(next, key, answer->wire, answer->length, record->rdata,
				      NULL) == 0 &&
		       is_own_name(it, next);
	return ask_record_address(answer, record, &address) && is_own_address(it, &address);
}

static bool answer_proves(const struct ownership_case *it, const struct ask_answer *answer)
{
	struct name here, next;
	name_copy(&here, &it->name);
	for (unsigned hop = 0; hop <= CHAIN_MAX; hop++) {
		struct ask_records records = ask_answer_records(answer);
		struct record_view record;
		next.length = 0;
		while (ask_records_next(&records, &record))
			if (record_proves(it, answer, &record, &here, &next))
				return true;
		if (next.length == 0)
			return false;
		name_copy(&here, &next);
	}
	return false;
}

static void case_free(struct ownership_case *it)
{
	if (!it)
		return;
	free(it->subscription);
	free(it->id);
	free(it->network);
	free(it);
}

/* Notes a failed read. Call it after a search, because a search whose read fails finds nothing. */
static void note_trouble(struct ownership_case *it)
{
	const char *trouble = resources_trouble(it->resources);

	if (trouble && !*it->reason)
		snprintf(it->reason, sizeof it->reason, "%s", trouble);
}

static void case_end(struct ownership_case *it)
{
	if (it->owned)
		it->on_known(it->context, OWNERSHIP_OWNED, NULL);
	else if (*it->reason)
		it->on_known(it->context, OWNERSHIP_UNRESOLVED, it->reason);
	else
		it->on_known(it->context, OWNERSHIP_FOREIGN, NULL);
	case_free(it);
}

static void on_answer(void *context, const struct ask_answer *answer)
{
	struct ownership_case *it = context;
	char text[ASK_TROUBLE_MAX];
	const char *trouble = ask_answer_trouble(answer, text);

	resources_forget(it->resources); /* clears failed reads of other requests */
	if (trouble)
		snprintf(it->reason, sizeof it->reason, "%s", trouble);
	else if (answer_proves(it, answer))
		it->owned = true;
	note_trouble(it);
	if (--it->waiting == 0)
		case_end(it);
}

/* ---- the questions ---- */

static void ask(struct ownership_case *it, uint16_t type)
{
	const struct ask_question question = {
		.name = &it->name,
		.type = type,
		.network = it->network,
		.patience_us = (uint64_t)OWNERSHIP_MS * 1000,
	};
	int err = server_ask(it->server, &question, on_answer, it);
	if (err == 0)
		it->waiting++;
	else
		snprintf(it->reason, sizeof it->reason, "it could not be asked: %s", err_text(err));
}

/* False: out of memory. */
static bool copy(char **to, const char *text)
{
	*to = text ? strdup(text) : NULL;
	return *to || !text;
}

static struct ownership_case *case_new(struct resources *resources, struct server *server,
				       const struct ownership_question *question)
{
	struct ownership_case *it = calloc(1, sizeof *it);
	if (!it)
		return NULL;
	it->resources = resources;
	it->server = server;
	it->self_address = question->address;
	if (question->fqdn && name_from_text(&it->self_fqdn, &server->key, question->fqdn) != 0)
		it->self_fqdn.length = 0;
	if (copy(&it->subscription, question->subscription) && copy(&it->id, question->id) &&
	    copy(&it->network, resources_model(resources)->reverse.resolve_in))
		return it;
	case_free(it);
	return NULL;
}

int ownership_check(struct resources *resources, struct server *server,
		    const struct ownership_question *question,
		    void (*on_known)(void *context, enum ownership ownership, const char *reason),
		    void *context)
{
	struct name name;
	if (name_from_text(&name, &server->key, question->name) != 0)
		return ERR_INVALID;
	struct ownership_case *it = case_new(resources, server, question);
	if (!it)
		return ERR_NOMEM;
	name_copy(&it->name, &name);
	it->on_known = on_known;
	it->context = context;
	it->owned = is_own_name(it, &it->name);
	note_trouble(it);
	it->waiting = 1; /* held until all questions are asked */
	if (!it->owned)
		ask(it, TYPE_A);
	if (!it->owned && resources_model(resources)->reverse.ipv6)
		ask(it, TYPE_AAAA);
	if (--it->waiting == 0)
		case_end(it);
	return 0;
}
