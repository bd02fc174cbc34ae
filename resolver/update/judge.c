/* The verdict, in the steps of judge.h. A step returns the reason for a refusal, or NULL.
 *
 * Updates are applied to drafts. A draft is an RRset that begins with the registered records; in
 * the end it differs from them or not.
 *
 *     update          drafts
 *     del pc A        pc A      10.1.0.5  ->  -          ->  10.1.0.9     changed
 *     add pc A .9
 *     add pc DHCID v  pc DHCID  v         ->  v (named)                   renewed
 *
 * Deliberately not here: whether records may coexist (A beside CNAME). The zone of registered
 * records has no such types, and the policy combines it with the other records. */
#include "resolver/update/judge.h"

#include <ctype.h>
#include <string.h>

#include "rules/base.h"
#include "rules/policy/registered.h"
#include "rules/reverse.h"
#include "rules/wire.h"

/* The types that can be registered; deleting a whole name deletes all of them. */
static const uint16_t forward_types[] = {TYPE_A, TYPE_AAAA, TYPE_DHCID, TYPE_TXT};
static const uint16_t reverse_types[] = {TYPE_PTR, TYPE_DHCID, TYPE_TXT};

struct draft {
	const struct name *owner;
	uint16_t type;
	const struct rrset *before; /* the registered set; NULL: none */
	struct update_rdata *records;
	size_t count;
	bool named; /* the message adds or requires a record of this set */
};

struct judge {
	struct arena *arena;
	const struct update *update;
	const struct registration *entry;
	const struct update_client *client;
	const struct update_view *view;
	const struct registration_grant *grant; /* NULL: unsigned */
	bool reverse;
	const uint16_t *types;
	size_t type_count;
	struct draft *drafts;
	size_t draft_count;
	struct update_verdict *verdict;
};

/* ---- sets of a zone ---- */

/* NULL: there is none, or the name is outside the zone. */
static const struct rrset *find_set(const struct zone *zone, const struct name *owner,
				    uint16_t type)
{
	return name_is_under(owner, zone_apex(zone)) ? zone_find_exact(zone, owner, type) : NULL;
}

static bool is_in_use(const struct zone *zone, const struct name *owner)
{
	return name_is_under(owner, zone_apex(zone)) && zone_next_exact(zone, owner, NULL);
}

static struct update_rdata next_record(const uint8_t **at)
{
	const struct update_rdata data = {*at + RECORD_HEADER, wire_u16(*at + RECORD_HEADER - 2)};

	*at += RECORD_HEADER + data.length;
	return data;
}

static bool rdata_equal(uint16_t type, const struct update_rdata *a, const struct update_rdata *b)
{
	return a->length == b->length &&
	       (a->length == 0 || record_compare_rdata(type, a->bytes, b->bytes, a->length) == 0);
}

static bool set_has(const struct rrset *set, const struct update_rdata *data)
{
	const uint8_t *at = set ? set->wire : NULL;

	for (unsigned i = 0; set && i < set->count; i++) {
		struct update_rdata record = next_record(&at);

		if (rdata_equal(set->type, &record, data))
			return true;
	}
	return false;
}

/* Whether the set has other records than this one. */
static bool set_has_other(const struct rrset *set, const struct update_rdata *data)
{
	return set && !(set->count == 1 && set_has(set, data));
}

static uint16_t address_type(const struct address *address)
{
	return address->family == 4 ? TYPE_A : TYPE_AAAA;
}

static struct update_rdata address_data(const struct address *address)
{
	return (struct update_rdata){address->bytes, address_bits(address) / 8};
}

static bool has_address(const struct zone *zone, const struct name *owner,
			const struct address *address)
{
	const struct update_rdata data = address_data(address);

	return set_has(find_set(zone, owner, address_type(address)), &data);
}

/* ---- names ---- */

/* The address of a reverse name; false: the name is not that of an address. */
static bool address_of(const struct name *owner, struct address *address)
{
	struct prefix prefix;
	unsigned rest;

	if (!reverse_parse(owner, &prefix, &rest) || rest > 0 ||
	    prefix.length < address_bits(&prefix.address))
		return false;
	*address = prefix.address;
	return true;
}

static bool is_wildcard(const struct name *owner)
{
	return owner->wire[0] == 1 && owner->wire[1] == '*';
}

static bool label_is(const struct name *owner, const char *label)
{
	size_t length = strlen(label);

	return owner->wire[0] == length && memcmp(owner->wire + 1, label, length) == 0;
}

/* Whether the name has a special meaning: the apex, a wildcard, wpad and isatap, where clients look
 * for proxies and tunnels, and names with a label that begins with an underscore, where they look
 * for services. */
static bool is_special(const struct judge *judge, const struct name *owner)
{
	unsigned apex_labels = judge->entry->zone.labels;

	if (owner->labels <= apex_labels || is_wildcard(owner) || label_is(owner, "wpad") ||
	    label_is(owner, "isatap"))
		return true;
	for (unsigned i = 0; i < owner->labels; i++)
		if (owner->wire[owner->offset[i] + 1] == '_')
			return true;
	return false;
}

/* Reads the target of a PTR's well-formed data. */
static bool read_target(struct name *target, const struct update_rdata *data)
{
	static const struct hash_key any; /* the name's hash is not used */

	return name_from_wire(target, &any, data->bytes, data->length, 0, NULL) == 0;
}

/* ---- the client ---- */

static const char *judge_client(struct judge *judge)
{
	const struct update_client *client = judge->client;
	const struct registration *entry = judge->entry;

	if (client->key) {
		judge->grant = registration_grant_of(entry, client->key);
		return judge->grant ? NULL : "the key is none of the zone's";
	}
	if (!entry->own_address)
		return "the message is not signed";
	if (!client->tcp)
		return "the message is not signed, and came by UDP";
	return registration_has_address(entry, &client->address)
		       ? NULL
		       : "the message is not signed, and its source is in none of the prefixes";
}

/* ---- rights: any client ---- */

static bool is_registered_type(const struct judge *judge, uint16_t type)
{
	for (size_t i = 0; i < judge->type_count; i++)
		if (judge->types[i] == type)
			return true;
	return false;
}

/* A string of 34 hexadecimal digits: two for the kind of the hashed identifier, and its MD5. */
static bool is_dhcpd_hash(const struct update_rdata *data)
{
	enum { DIGITS = 34 };

	if (data->length != 1 + DIGITS || data->bytes[0] != DIGITS)
		return false;
	for (size_t i = 1; i <= DIGITS; i++)
		if (!isxdigit(data->bytes[i]))
			return false;
	return true;
}

static const char *judge_address(const struct judge *judge, const struct update_record *record)
{
	struct address address = {.family = record->type == TYPE_A ? 4 : 6};

	memcpy(address.bytes, record->data.bytes, record->data.length);
	return registration_has_address(judge->entry, &address)
		       ? NULL
		       : "the address is in none of the prefixes";
}

static const char *judge_target(const struct judge *judge, const struct update_record *record)
{
	struct name target;

	return read_target(&target, &record->data) && name_is_under(&target, &judge->entry->zone)
		       ? NULL
		       : "the PTR leads out of the zone";
}

static const char *judge_added(const struct judge *judge, const struct update_record *record)
{
	if (is_wildcard(&record->owner))
		return "a wildcard cannot be registered";
	if (registered_is_server(&record->owner, &judge->entry->zone))
		return "the name is that of the zone's name server";
	if (name_equal(&record->owner, &judge->entry->zone))
		return "the zone's own name cannot be registered";
	switch (record->type) {
	case TYPE_A:
	case TYPE_AAAA: return judge_address(judge, record);
	case TYPE_PTR: return judge_target(judge, record);
	case TYPE_TXT: return is_dhcpd_hash(&record->data) ? NULL : "the TXT is none of dhcpd's";
	default:
		return record->data.length >= 3 && record->data.length <= UPDATE_DHCID_MAX
			       ? NULL
			       : "the DHCID has a length that none has";
	}
}

static const char *judge_type(const struct judge *judge, const struct update_record *record)
{
	bool whole_name = record->class == CLASS_ANY && record->type == TYPE_ANY;

	if (!whole_name && !is_registered_type(judge, record->type))
		return "records of this type cannot be registered";
	return record->class == CLASS_IN ? judge_added(judge, record) : NULL;
}

static const char *judge_owner(const struct judge *judge, const struct name *owner)
{
	struct address address;

	if (!name_is_under(owner, zone_apex(judge->view->registered)))
		return "the name is in no zone of this entry";
	if (!judge->reverse)
		return NULL;
	return address_of(owner, &address) && registration_has_address(judge->entry, &address)
		       ? NULL
		       : "the name is that of no address in the prefixes";
}

/* ---- rights: a key for some names ---- */

static bool covers_target(const struct judge *judge, const struct update_rdata *data)
{
	struct name target;

	return read_target(&target, data) && registration_grant_covers(judge->grant, &target);
}

/* Whether the PTR leads to a name that has the address, registered or not. */
static bool is_alive(const struct judge *judge, const struct name *owner,
		     const struct update_rdata *data)
{
	struct address address;
	struct name target;

	return address_of(owner, &address) && read_target(&target, data) &&
	       has_address(judge->view->served_names, &target, &address);
}

/* Whether a PTR at this owner, added or registered, leads to a name of the key. */
static bool has_own_target(const struct judge *judge, const struct name *owner)
{
	const struct rrset *set = find_set(judge->view->registered, owner, TYPE_PTR);
	const uint8_t *at = set ? set->wire : NULL;

	for (unsigned i = 0; set && i < set->count; i++) {
		struct update_rdata data = next_record(&at);

		if (covers_target(judge, &data))
			return true;
	}
	for (size_t i = 0; i < judge->update->update_count; i++) {
		const struct update_record *record = &judge->update->updates[i];

		if (record->class == CLASS_IN && record->type == TYPE_PTR &&
		    name_equal(&record->owner, owner) && covers_target(judge, &record->data))
			return true;
	}
	return false;
}

/* Whether a registered PTR at this owner leads to a name that has the address and is not the
 * key's. */
static bool leads_elsewhere(const struct judge *judge, const struct name *owner)
{
	const struct rrset *set = find_set(judge->view->registered, owner, TYPE_PTR);
	const uint8_t *at = set ? set->wire : NULL;

	for (unsigned i = 0; set && i < set->count; i++) {
		struct update_rdata data = next_record(&at);

		if (!covers_target(judge, &data) && is_alive(judge, owner, &data))
			return true;
	}
	return false;
}

static const char *judge_reverse_update(const struct judge *judge,
					const struct update_record *record)
{
	if (leads_elsewhere(judge, &record->owner))
		return "the address has a PTR to a name that is not the key's";
	if (record->class != CLASS_IN)
		return NULL;
	if (record->type == TYPE_PTR && !covers_target(judge, &record->data))
		return "the PTR leads to a name that is not the key's";
	return has_own_target(judge, &record->owner) ? NULL
						     : "the address has no PTR to the key's name";
}

static const char *judge_granted(const struct judge *judge)
{
	const struct update *update = judge->update;
	const char *why = NULL;

	if (judge->grant->names == REGISTER_ANY)
		return NULL;
	if (judge->reverse) {
		for (size_t i = 0; !why && i < update->update_count; i++)
			why = judge_reverse_update(judge, &update->updates[i]);
		return why;
	}
	for (size_t i = 0; i < update->prerequisite_count; i++)
		if (!registration_grant_covers(judge->grant, &update->prerequisites[i].owner))
			return "the name is not the key's";
	for (size_t i = 0; i < update->update_count; i++)
		if (!registration_grant_covers(judge->grant, &update->updates[i].owner))
			return "the name is not the key's";
	return NULL;
}

/* ---- rights: a client's own address ---- */

/* Whether the set has a record that is not registered. */
static bool set_is_manual(const struct judge *judge, const struct name *owner,
			  const struct rrset *set)
{
	const struct rrset *registered = find_set(judge->view->registered, owner, set->type);
	const uint8_t *at = set->wire;

	for (unsigned i = 0; i < set->count; i++) {
		struct update_rdata data = next_record(&at);

		if (!set_has(registered, &data))
			return true;
	}
	return false;
}

/* Whether a wildcard of the zone answers for the name or a name above it. */
static bool is_of_wildcard(const struct judge *judge, const struct update_record *record)
{
	const struct zone *served = judge->view->served;
	struct zone_answer answer;

	if (!name_is_under(&record->owner, zone_apex(served)))
		return false;
	zone_find(served, &record->owner, record->type, &answer);
	return answer.wildcard;
}

/* Whether the name has served records that no client registered: the zone's own, or those of a
 * network interface. */
static bool is_manual(const struct judge *judge, const struct name *owner)
{
	const struct zone *served = judge->view->served;
	const struct rrset *set = NULL;

	if (!name_is_under(owner, zone_apex(served)))
		return false;
	while ((set = zone_next_exact(served, owner, set)))
		if (set_is_manual(judge, owner, set))
			return true;
	return false;
}

struct other_name_search {
	const struct name *owner;
	uint16_t type;
	struct update_rdata data;
};

static int on_registered(void *context, const uint8_t *owner, const struct rrset *set)
{
	const struct other_name_search *search = context;

	return set->type == search->type && set_has(set, &search->data) &&
	       !name_wire_equal(owner, search->owner->wire);
}

/* Whether a client without a key adds this name although its address has another one. This looks at
 * every name, so it comes last, and only once for a message, whose updates all have one name. */
static bool has_another_name(const struct judge *judge)
{
	const struct address *address = &judge->client->address;
	const struct name *owner = &judge->update->updates[0].owner;
	struct other_name_search search = {owner, address_type(address), address_data(address)};
	bool adds = false;

	for (size_t i = 0; !adds && i < judge->update->update_count; i++)
		adds = judge->update->updates[i].class == CLASS_IN;
	return adds && !has_address(judge->view->registered, owner, address) &&
	       zone_walk(judge->view->names, on_registered, &search) != 0;
}

static const char *judge_own_add(const struct judge *judge, const struct update_record *record)
{
	const struct address *address = &judge->client->address;
	const struct update_rdata own = address_data(address);
	const struct zone *registered = judge->view->registered;
	const struct name *owner = &record->owner;
	bool has = has_address(registered, owner, address);

	if (record->type != address_type(address) ||
	    !rdata_equal(record->type, &record->data, &own))
		return "only its own address can be registered without a key";
	if (is_special(judge, owner))
		return "the name takes a key to register";
	if (is_manual(judge, owner))
		return "the zone has records of its own at the name";
	if (is_of_wildcard(judge, record))
		return "the zone has a wildcard for the name";
	if (set_has_other(find_set(registered, owner, record->type), &own) ||
	    find_set(registered, owner, record->type == TYPE_A ? TYPE_AAAA : TYPE_A))
		return "another address is registered under the name";
	if (has)
		return NULL;
	return find_set(registered, owner, TYPE_DHCID) || find_set(registered, owner, TYPE_TXT)
		       ? "a DHCP server registered the name"
		       : NULL;
}

static const char *judge_own_delete(const struct judge *judge, const struct update_record *record)
{
	static const char why[] = "only its own address can be deleted without a key";
	const struct address *address = &judge->client->address;
	const struct update_rdata own = address_data(address);

	if (record->type != TYPE_A && record->type != TYPE_AAAA && record->type != TYPE_ANY)
		return why;
	for (size_t i = 0; i < judge->type_count; i++) {
		uint16_t type = judge->types[i];
		const struct rrset *set = find_set(judge->view->registered, &record->owner, type);

		if (record->type != TYPE_ANY && record->type != type)
			continue;
		if (record->class == CLASS_NONE
			    ? set_has(set, &record->data) &&
				      !(type == address_type(address) &&
					rdata_equal(type, &record->data, &own))
			    : set && (type != address_type(address) || set_has_other(set, &own)))
			return why;
	}
	return NULL;
}

static const char *judge_own_reverse(const struct judge *judge, const struct update_record *record)
{
	const struct address *address = &judge->client->address;
	const struct zone *registered = judge->view->registered;
	struct address owner;
	struct name target;

	if (!address_of(&record->owner, &owner) || !address_equal(&owner, address))
		return "only the PTR of its own address can be registered without a key";
	if (record->class != CLASS_IN) {
		bool spares_others = record->type == TYPE_PTR ||
				     (record->type == TYPE_ANY &&
				      !find_set(registered, &record->owner, TYPE_DHCID) &&
				      !find_set(registered, &record->owner, TYPE_TXT));

		return spares_others ? NULL : "what a DHCP server registered takes a key to delete";
	}
	if ((record->type != TYPE_PTR || !read_target(&target, &record->data) ||
	     !has_address(judge->view->names, &target, address)))
		return "the PTR leads to a name that the address is not registered with";
	return NULL;
}

/* All updates and prerequisites must have one name. */
static const char *judge_own(const struct judge *judge)
{
	const struct update *update = judge->update;
	const char *why = NULL;

	if (update->update_count == 0)
		return "nothing is updated, which takes a key";
	for (size_t i = 0; i < update->prerequisite_count; i++)
		if (!name_equal(&update->prerequisites[i].owner, &update->updates[0].owner))
			return "several names take a key";
	for (size_t i = 0; !why && i < update->update_count; i++) {
		const struct update_record *record = &update->updates[i];

		if (!name_equal(&record->owner, &update->updates[0].owner))
			why = "several names take a key";
		else if (judge->reverse)
			why = judge_own_reverse(judge, record);
		else if (record->class == CLASS_IN)
			why = judge_own_add(judge, record);
		else
			why = judge_own_delete(judge, record);
	}
	if (!why && !judge->reverse && has_another_name(judge))
		why = "the address is registered under another name";
	return why;
}

/* ---- rights ---- */

static const char *judge_content(const struct judge *judge)
{
	const struct update *update = judge->update;
	const char *why = NULL;

	for (size_t i = 0; !why && i < update->prerequisite_count; i++)
		why = judge_owner(judge, &update->prerequisites[i].owner);
	for (size_t i = 0; !why && i < update->update_count; i++) {
		why = judge_owner(judge, &update->updates[i].owner);
		if (!why)
			why = judge_type(judge, &update->updates[i]);
	}
	if (why)
		return why;
	return judge->grant ? judge_granted(judge) : judge_own(judge);
}

/* ---- prerequisites (RFC 2136 section 3.2) ---- */

/* The address that answers give for the name server's name. NULL: `owner` is another name, the
 * message is for a reverse zone, or the server has no address. */
static const struct address *server_address(const struct judge *judge, const struct name *owner)
{
	const struct update_view *view = judge->view;

	return !judge->reverse && view->server && view->server->family &&
			       registered_has_server(view->served, owner)
		       ? view->server
		       : NULL;
}

static enum rcode require(const struct judge *judge, const struct update_record *record)
{
	const struct zone *served = judge->view->served;
	const struct address *server = server_address(judge, &record->owner);
	bool there = server ? record->type == TYPE_ANY || record->type == address_type(server)
		     : record->type == TYPE_ANY
			     ? is_in_use(served, &record->owner)
			     : find_set(served, &record->owner, record->type) != NULL;

	if (record->class == CLASS_ANY && !there)
		return record->type == TYPE_ANY ? RCODE_NXDOMAIN : RCODE_NXRRSET;
	if (record->class == CLASS_NONE && there)
		return record->type == TYPE_ANY ? RCODE_YXDOMAIN : RCODE_YXRRSET;
	return RCODE_NOERROR;
}

static bool is_same_set(const struct update_record *a, const struct update_record *b)
{
	return a->class == b->class && a->type == b->type && name_equal(&a->owner, &b->owner);
}

/* Whether an earlier prerequisite has the same set: then the whole set was compared already. */
static bool is_compared(const struct judge *judge, const struct update_record *record)
{
	const struct update_record *before = judge->update->prerequisites;

	while (!is_same_set(before, record))
		before++;
	return before != record;
}

/* Requires that the record is in the served set, and that every record of that set is a
 * prerequisite. For all records of class IN together this means that the sets are equal (RFC 2136
 * section 3.2.3). */
static enum rcode require_value(const struct judge *judge, const struct update_record *record)
{
	const struct update *update = judge->update;
	const struct rrset *set = find_set(judge->view->served, &record->owner, record->type);
	const struct address *server = server_address(judge, &record->owner);
	const uint8_t *at = set ? set->wire : NULL;

	if (server && record->type == address_type(server)) { /* the set has one record */
		const struct update_rdata own = address_data(server);

		return rdata_equal(record->type, &record->data, &own) ? RCODE_NOERROR
								      : RCODE_NXRRSET;
	}
	if (!set || set->count > UPDATE_RECORDS_MAX || !set_has(set, &record->data))
		return RCODE_NXRRSET;
	for (unsigned i = 0; !is_compared(judge, record) && i < set->count; i++) {
		struct update_rdata data = next_record(&at);
		bool asked = false;

		for (size_t k = 0; !asked && k < update->prerequisite_count; k++)
			asked = is_same_set(&update->prerequisites[k], record) &&
				rdata_equal(record->type, &update->prerequisites[k].data, &data);
		if (!asked)
			return RCODE_NXRRSET;
	}
	return RCODE_NOERROR;
}

/* Checks in the order of RFC 2136 section 3.2: prerequisites without rdata first, then whole
 * RRsets. */
static enum rcode require_all(const struct judge *judge)
{
	const struct update *update = judge->update;
	enum rcode rcode = RCODE_NOERROR;

	for (size_t i = 0; rcode == RCODE_NOERROR && i < update->prerequisite_count; i++)
		if (update->prerequisites[i].class != CLASS_IN)
			rcode = require(judge, &update->prerequisites[i]);
	for (size_t i = 0; rcode == RCODE_NOERROR && i < update->prerequisite_count; i++)
		if (update->prerequisites[i].class == CLASS_IN)
			rcode = require_value(judge, &update->prerequisites[i]);
	return rcode;
}

/* ---- updates (RFC 2136 section 3.4.2) ---- */

static struct draft *find_draft(const struct judge *judge, const struct name *owner, uint16_t type)
{
	for (size_t i = 0; i < judge->draft_count; i++) {
		struct draft *draft = &judge->drafts[i];

		if (draft->type == type && name_equal(draft->owner, owner))
			return draft;
	}
	return NULL;
}

/* NULL without memory. */
static struct draft *draft_of(struct judge *judge, const struct name *owner, uint16_t type)
{
	struct draft *draft = find_draft(judge, owner, type);
	const struct rrset *before;
	const uint8_t *at;

	if (draft)
		return draft;
	before = find_set(judge->view->registered, owner, type);
	draft = &judge->drafts[judge->draft_count];
	*draft = (struct draft){.owner = owner, .type = type, .before = before};
	draft->records = arena_alloc_array(
		judge->arena, (before ? before->count : 0) + judge->update->update_count,
		sizeof *draft->records);
	if (!draft->records)
		return NULL;
	judge->draft_count++;
	at = before ? before->wire : NULL;
	for (; before && draft->count < before->count; draft->count++)
		draft->records[draft->count] = next_record(&at);
	return draft;
}

/* The record's index, or the count if the draft does not have it. */
static size_t draft_find(const struct draft *draft, const struct update_rdata *data)
{
	size_t i = 0;

	while (i < draft->count && !rdata_equal(draft->type, &draft->records[i], data))
		i++;
	return i;
}

static void draft_change(struct draft *draft, const struct update_record *record)
{
	size_t place = draft_find(draft, &record->data);

	if (record->class == CLASS_IN) {
		draft->named = true;
		if (place == draft->count)
			draft->records[draft->count++] = record->data;
	} else if (record->class == CLASS_ANY) {
		draft->count = 0;
	} else if (place < draft->count) {
		draft->count--;
		memmove(&draft->records[place], &draft->records[place + 1],
			(draft->count - place) * sizeof *draft->records);
	}
}

static int apply(struct judge *judge, const struct update_record *record)
{
	const uint16_t *types = record->type == TYPE_ANY ? judge->types : &record->type;
	size_t count = record->type == TYPE_ANY ? judge->type_count : 1;

	for (size_t i = 0; i < count; i++) {
		struct draft *draft = draft_of(judge, &record->owner, types[i]);

		if (!draft)
			return ERR_NOMEM;
		draft_change(draft, record);
	}
	return 0;
}

static int apply_all(struct judge *judge)
{
	const struct update *update = judge->update;
	int err = 0;

	judge->drafts = arena_alloc_array(judge->arena, update->update_count * judge->type_count,
					  sizeof *judge->drafts);
	if (!judge->drafts)
		return ERR_NOMEM;
	for (size_t i = 0; !err && i < update->update_count; i++)
		err = apply(judge, &update->updates[i]);
	return err;
}

/* ---- results ---- */

/* A named set takes the entry's TTL, so it changes if that TTL has changed. */
static bool is_changed(const struct judge *judge, const struct draft *draft)
{
	size_t before = draft->before ? draft->before->count : 0;

	if (draft->count != before)
		return true;
	if (draft->named && draft->before && draft->before->ttl != judge->entry->ttl)
		return true;
	for (size_t i = 0; i < draft->count; i++)
		if (!set_has(draft->before, &draft->records[i]))
			return true;
	return false;
}

/* Whether the owner will have registered records after the drafts are applied. */
static bool will_be_in_use(const struct judge *judge, const struct name *owner)
{
	for (size_t i = 0; i < judge->type_count; i++) {
		const struct draft *draft = find_draft(judge, owner, judge->types[i]);

		if (draft ? draft->count > 0
			  : find_set(judge->view->registered, owner, judge->types[i]) != NULL)
			return true;
	}
	return false;
}

static bool was_in_use(const struct judge *judge, const struct name *owner)
{
	for (size_t i = 0; i < judge->type_count; i++)
		if (find_set(judge->view->registered, owner, judge->types[i]))
			return true;
	return false;
}

static const char *judge_amounts(const struct judge *judge)
{
	size_t gained = 0, lost = 0;

	for (size_t i = 0; i < judge->draft_count; i++) {
		const struct draft *draft = &judge->drafts[i];
		size_t k = 0;

		if (draft->count > UPDATE_SET_MAX &&
		    (!draft->before || draft->count > draft->before->count))
			return "a name would have too many records of one type";
		while (!name_equal(judge->drafts[k].owner, draft->owner))
			k++;
		if (k < i || name_equal(draft->owner, zone_apex(judge->view->registered)))
			continue;
		bool was = was_in_use(judge, draft->owner),
		     will = will_be_in_use(judge, draft->owner);
		gained += will && !was;
		lost += was && !will;
	}
	return gained > lost && judge->view->owners + gained - lost > judge->entry->names_max
		       ? "names_max names are registered"
		       : NULL;
}

/* Whether the client may change the whole registered set of this prerequisite, and so renew it. */
static bool may_renew(const struct judge *judge, const struct update_record *record)
{
	const struct rrset *set = find_set(judge->view->registered, &record->owner, record->type);
	const struct update_rdata own = address_data(&judge->client->address);

	if (judge->grant && (judge->grant->names == REGISTER_ANY || !judge->reverse))
		return true;
	if (judge->grant)
		return has_own_target(judge, &record->owner) &&
		       !leads_elsewhere(judge, &record->owner);
	return judge->reverse ? record->type == TYPE_PTR
			      : record->type == address_type(&judge->client->address) &&
					!set_has_other(set, &own);
}

/* Marks each registered set as named that a prerequisite requires and that the client may renew. A
 * set without a draft gets one without changes. */
static int name_prerequisites(struct judge *judge)
{
	const struct update *update = judge->update;
	size_t room = judge->draft_count + update->prerequisite_count;
	struct draft *drafts = arena_alloc_array(judge->arena, room, sizeof *drafts);

	if (!drafts)
		return ERR_NOMEM;
	memcpy(drafts, judge->drafts, judge->draft_count * sizeof *drafts);
	judge->drafts = drafts;
	for (size_t i = 0; i < update->prerequisite_count; i++) {
		const struct update_record *record = &update->prerequisites[i];
		struct draft *draft;

		if (record->class != CLASS_IN || !is_registered_type(judge, record->type) ||
		    !may_renew(judge, record))
			continue;
		draft = draft_of(judge, &record->owner, record->type);
		if (!draft)
			return ERR_NOMEM;
		draft->named |= set_has(draft->before, &record->data);
	}
	return 0;
}

static int list_sets(struct judge *judge)
{
	struct update_verdict *verdict = judge->verdict;
	struct update_set *changed, *renewed;

	changed = arena_alloc_array(judge->arena, judge->draft_count, sizeof *changed);
	renewed = arena_alloc_array(judge->arena, judge->draft_count, sizeof *renewed);
	if (!changed || !renewed)
		return ERR_NOMEM;
	for (size_t i = 0; i < judge->draft_count; i++) {
		const struct draft *draft = &judge->drafts[i];
		const struct update_set set = {draft->owner->wire, draft->type, draft->records,
					       draft->count};

		if (is_changed(judge, draft))
			changed[verdict->changed_count++] = set;
		else if (draft->named && draft->count > 0)
			renewed[verdict->renewed_count++] = set;
	}
	verdict->changed = changed;
	verdict->renewed = renewed;
	return 0;
}

/* ---- the whole ---- */

static void end(struct update_verdict *verdict, enum rcode rcode, const char *why)
{
	*verdict = (struct update_verdict){.rcode = rcode, .why = why};
}

static void judge_updates(struct judge *judge)
{
	const char *why;

	if (apply_all(judge) != 0) {
		end(judge->verdict, RCODE_SERVFAIL, err_text(ERR_NOMEM));
		return;
	}
	why = judge_amounts(judge);
	if (why)
		end(judge->verdict, RCODE_REFUSED, why);
	else if (name_prerequisites(judge) != 0 || list_sets(judge) != 0)
		end(judge->verdict, RCODE_SERVFAIL, err_text(ERR_NOMEM));
}

void update_judge(struct update_verdict *verdict, struct arena *arena, const struct update *update,
		  const struct registration *entry, const struct update_client *client,
		  const struct update_view *view)
{
	struct judge judge = {.arena = arena,
			      .update = update,
			      .entry = entry,
			      .client = client,
			      .view = view,
			      .reverse = update_is_reverse(update),
			      .verdict = verdict};
	enum rcode rcode;
	const char *why;

	judge.types = judge.reverse ? reverse_types : forward_types;
	judge.type_count = judge.reverse ? COUNT(reverse_types) : COUNT(forward_types);
	end(verdict, RCODE_NOERROR, NULL);
	why = judge_client(&judge);
	if (why) {
		end(verdict, RCODE_REFUSED, why);
		return;
	}
	if (update->outside) {
		end(verdict, RCODE_NOTZONE, "a name is not in the message's zone");
		return;
	}
	why = judge_content(&judge);
	if (why) {
		end(verdict, RCODE_REFUSED, why);
		return;
	}
	rcode = require_all(&judge);
	if (rcode != RCODE_NOERROR) {
		end(verdict, rcode, "a prerequisite does not hold");
		return;
	}
	judge_updates(&judge);
}
