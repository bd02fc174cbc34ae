#include "rules/policy/registered.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rules/array.h"
#include "rules/reverse.h"
#include "rules/schema/reference.h"
#include "rules/text.h"
#include "rules/zone/serial.h"

enum { SERVER_TTL_S = 3600 }; /* of SOA and NS, as in a made-up SOA */

struct pair { /* a zone and a link with registration */
	const struct virtual_network *network;
	const struct private_zone *zone;
};

struct pairs {
	struct pair *items;
	size_t count;
};

struct machine_list {
	struct pairs pairs;
	struct machine *machines;
	size_t count, room;
};

struct registered_build {
	const struct model *model;
	const struct hash_key *key;
	struct registered *before; /* NULL: there is none */
	struct registered *made;
};

static const uint8_t server_label[] = {2, 'n', 's'};

bool registered_is_server(const struct name *name, const struct name *apex)
{
	return name->labels == apex->labels + 1 &&
	       memcmp(name->wire, server_label, sizeof server_label) == 0 &&
	       name_is_under(name, apex);
}

bool registered_has_server(const struct zone *served, const struct name *name)
{
	struct zone_answer answer;

	if (!registered_is_server(name, zone_apex(served)) || zone_next_exact(served, name, NULL))
		return false;
	zone_find(served, name, TYPE_A, &answer);
	return answer.outcome != ZONE_DNAME;
}

/* ---- machines ---- */

const char *registered_label(const struct network_interface *interface)
{
	const char *label = interface->label ? interface->label : interface->name;

	return interface->private_endpoint || !interface->primary || !label ||
			       !text_is_host_label(label)
		       ? NULL
		       : label;
}

/* A machine's address of this family: the primary configuration's, else the first. */
static const struct ip_configuration *first_address(const struct network_interface *interface,
						    uint8_t family)
{
	const struct ip_configuration *first = NULL;

	for (size_t i = 0; i < interface->ip_configurations.count; i++) {
		const struct ip_configuration *own = &interface->ip_configurations.items[i];

		if (own->address.family != family)
			continue;
		if (own->primary)
			return own;
		first = first ? first : own;
	}
	return first;
}

const struct virtual_network *registered_network(const struct model *model,
						 const struct network_interface *interface)
{
	const char *subnet = interface->ip_configurations.count > 0
				     ? interface->ip_configurations.items[0].subnet
				     : NULL;
	const char *slash = subnet ? strrchr(subnet, '/') : NULL;
	char network[NAME_TEXT_MAX];

	if (!slash || (size_t)(slash - subnet) >= sizeof network)
		return NULL;
	snprintf(network, sizeof network, "%.*s", (int)(slash - subnet), subnet);
	return model_network(model, interface->resource_group, network);
}

static bool has_link(const struct private_zone *zone)
{
	for (size_t i = 0; i < zone->links.count; i++)
		if (zone->links.items[i].registration)
			return true;
	return false;
}

/* The zone's settings; NULL: no client may register in it. */
static const struct registration_settings *settings_of(const struct model *model,
						       const struct private_zone *zone)
{
	for (size_t i = 0; i < model->registration.count; i++)
		if (model_zone(model, NULL, model->registration.items[i].zone) == zone)
			return &model->registration.items[i];
	return NULL;
}

bool registered_in(const struct model *model, const struct private_zone *zone)
{
	return has_link(zone) || settings_of(model, zone);
}

/* ERR_NOMEM. */
static int find_pairs(const struct model *model, struct pairs *pairs)
{
	size_t room = 1;

	for (size_t i = 0; i < model->private_zones.count; i++)
		room += model->private_zones.items[i].links.count;
	*pairs = (struct pairs){.items = calloc(room, sizeof *pairs->items)};
	for (size_t i = 0; pairs->items && i < model->private_zones.count; i++) {
		const struct private_zone *zone = &model->private_zones.items[i];

		for (size_t k = 0; k < zone->links.count; k++)
			if (zone->links.items[k].registration)
				pairs->items[pairs->count++] = (struct pair){
					model_network(model, zone->resource_group,
						      zone->links.items[k].virtual_network),
					zone};
	}
	return pairs->items ? 0 : ERR_NOMEM;
}

static int add_machine(struct machine_list *list, const struct machine *machine,
		       const struct ip_configuration *configuration)
{
	struct machine *machines;

	if (!configuration)
		return 0;
	machines = array_grow(list->machines, list->count, &list->room, sizeof *machines);
	if (!machines)
		return ERR_NOMEM;
	list->machines = machines;
	machines[list->count] = *machine;
	machines[list->count++].address = configuration->address;
	return 0;
}

static int add_interface(struct machine_list *list, const struct model *model,
			 const struct network_interface *interface)
{
	struct machine machine = {.label = registered_label(interface), .interface = interface};
	const struct virtual_network *network =
		machine.label ? registered_network(model, interface) : NULL;
	int err = 0;

	for (size_t i = 0; !err && network && i < list->pairs.count; i++) {
		if (list->pairs.items[i].network != network)
			continue;
		machine.zone = list->pairs.items[i].zone;
		machine.network = network;
		err = add_machine(list, &machine, first_address(interface, 4));
		if (!err)
			err = add_machine(list, &machine, first_address(interface, 6));
	}
	return err;
}

static int compare_machines(const void *left, const void *right)
{
	const struct machine *a = left, *b = right;
	int order = (a->zone > b->zone) - (a->zone < b->zone);

	if (order == 0)
		order = strcasecmp(a->label, b->label);
	return order != 0 ? order : address_compare(&a->address, &b->address);
}

int registered_machines(const struct model *model, struct machine **machines, size_t *count)
{
	struct machine_list list = {.machines = NULL};
	int err = find_pairs(model, &list.pairs);

	for (size_t i = 0; !err && list.pairs.count > 0 && i < model->network_interfaces.count; i++)
		err = add_interface(&list, model, &model->network_interfaces.items[i]);
	free(list.pairs.items);
	if (err) {
		free(list.machines);
		list = (struct machine_list){.machines = NULL};
	} else if (list.count > 0) {
		qsort(list.machines, list.count, sizeof *list.machines, compare_machines);
	}
	*machines = list.machines;
	*count = list.count;
	return err;
}

/* ---- name servers ---- */

/* The name server of a zone. */
struct serving {
	uint8_t name[sizeof server_label + NAME_WIRE_MAX];
	size_t length; /* 0: the name would be too long */
};

static struct serving server_of(const struct name *apex)
{
	struct serving server = {.length = 0};

	if (sizeof server_label + apex->length > NAME_WIRE_MAX)
		return server;
	memcpy(server.name, server_label, sizeof server_label);
	memcpy(server.name + sizeof server_label, apex->wire, apex->length);
	server.length = sizeof server_label + apex->length;
	return server;
}

/* The name is in the zone, so the only error is ERR_NOMEM. */
static int put_at_apex(struct zone_draft *draft, const struct name *apex, uint16_t type,
		       const uint8_t *rdata, size_t length)
{
	static const struct origin nowhere;
	struct faults unused;
	int err;

	faults_init(&unused);
	err = zone_draft_put(draft, &nowhere, apex->wire, type, &unused);
	faults_release(&unused);
	return err ? err : zone_draft_add(draft, SERVER_TTL_S, rdata, length);
}

static int put_ns(struct zone_draft *draft, const struct name *apex)
{
	const struct serving server = server_of(apex);

	return server.length ? put_at_apex(draft, apex, TYPE_NS, server.name, server.length) : 0;
}

/* Puts the made-up SOA with the name server as its MNAME, which was the apex. */
static int put_soa(struct zone_draft *draft, const struct name *apex, const struct rrset *made_up)
{
	const struct serving server = server_of(apex);
	size_t length, rest;
	const uint8_t *rdata = rrset_rdata(made_up, &length);
	uint8_t soa[3 * NAME_WIRE_MAX];

	if (!server.length)
		return 0;
	rest = length - apex->length;
	memcpy(soa, server.name, server.length);
	memcpy(soa + server.length, rdata + apex->length, rest);
	return put_at_apex(draft, apex, TYPE_SOA, soa, server.length + rest);
}

/* Makes a zone with only a SOA that names the name server, and NS if has_ns; NULL: no memory. */
static struct zone *make_apex(const struct hash_key *key, const struct name *apex, bool has_ns)
{
	struct zone *empty = zone_new(key, apex, 0), *made = NULL;
	struct zone_draft *draft = empty ? zone_edit(empty) : NULL;
	struct faults unused;

	faults_init(&unused);
	if (draft && put_soa(draft, apex, zone_soa(empty)) == 0 &&
	    (!has_ns || put_ns(draft, apex) == 0))
		made = zone_commit(draft, 0, &unused);
	else
		zone_discard(draft);
	faults_release(&unused);
	zone_unref(empty);
	return made;
}

uint64_t registered_digest(const struct model *model, const struct private_zone *zone)
{
	static const struct hash_key any_key; /* nothing is looked up in this zone */
	const struct name *apex = zone_apex(zone->zone);
	uint64_t digest = zone_content(zone->zone).digest;
	struct zone *made;

	if (zone_has_own_soa(zone->zone) || !settings_of(model, zone))
		return digest;
	made = make_apex(&any_key, apex, false);
	if (!made)
		return 0; /* the zone seems changed, which costs secondaries a transfer */
	digest += digest_of_set(apex->wire, zone_soa(made)) -
		  digest_of_set(apex->wire, zone_soa(zone->zone));
	zone_unref(made);
	return digest;
}

/* Makes the layers that are transferred, on which the others are built: the zone's own records,
 * with a SOA that names the name server. False without memory. */
static bool make_base(const struct registered_build *build, struct registered_zone *zone,
		      const struct registered_zone *before)
{
	const struct zone_layers *was = before ? &before->base : NULL;
	struct zone_layers *base = &zone->base;

	base->own = zone->layers.own;
	zone->layers.own = NULL;
	base->registered = was && was->registered
				   ? zone_ref(was->registered)
				   : make_apex(build->key, zone_apex(base->own), false);
	if (was && was->served && was->own == base->own)
		base->served = zone_ref(was->served);
	else if (base->registered)
		base->served = zone_overlay(was, base->own, base->registered);
	if (!base->served)
		return false;
	zone->layers.own = zone_ref(base->served);
	return true;
}

/* ---- a zone of machines ---- */

/* A merge of a zone's served machines with its new ones. Both are in the order of labels and
 * families, so that one pass finds the sets that differ. */
struct zone_merge {
	const struct registered_build *build;
	struct zone_draft *draft;
	const struct zone *before; /* the draft's former zone */
	struct zone_cursor cursor; /* in `before`, after `set` */
	const uint8_t *owner;
	const struct rrset *set; /* the next one of `before`; NULL: there is none */
};

static void next_set(struct zone_merge *r)
{
	do
		if (!zone_next(r->before, &r->cursor, &r->owner, &r->set))
			r->set = NULL;
	while (r->set && r->set->type != TYPE_A && r->set->type != TYPE_AAAA);
}

/* The address in record `at` of the set. */
static struct address set_address(const struct rrset *set, size_t at)
{
	struct address address = {.family = set->type == TYPE_A ? 4 : 6};
	size_t length = address_bits(&address) / 8;

	memcpy(address.bytes, set->wire + at * (RECORD_HEADER + length) + RECORD_HEADER, length);
	return address;
}

/* Compares the place of the former set with that of the machine's set. */
static int compare_set(const struct zone_merge *r, const struct machine *machine)
{
	size_t length = strlen(machine->label), own = r->owner[0];
	uint8_t family = r->set->type == TYPE_A ? 4 : 6;
	int order = strncasecmp((const char *)r->owner + 1, machine->label,
				own < length ? own : length);

	if (order == 0)
		order = (own > length) - (own < length);
	return order != 0 ? order
			  : (family > machine->address.family) - (family < machine->address.family);
}

static bool is_same_set(const struct machine *a, const struct machine *b)
{
	return strcasecmp(a->label, b->label) == 0 && a->address.family == b->address.family;
}

/* Whether the former set has exactly the addresses of these sorted machines. */
static bool has_addresses(const struct rrset *set, const struct machine *machines, size_t count)
{
	size_t at = 0;

	for (size_t i = 0; i < count; i++) {
		struct address address;

		if (i > 0 && address_equal(&machines[i].address, &machines[i - 1].address))
			continue;
		if (at == set->count)
			return false;
		address = set_address(set, at++);
		if (!address_equal(&address, &machines[i].address))
			return false;
	}
	return at == set->count;
}

/* Removes the former set, which may be replaced. */
static int take_set(struct zone_merge *r)
{
	static const struct origin nowhere;
	struct faults unused; /* the name is in the zone */
	int err;

	faults_init(&unused);
	err = zone_draft_put(r->draft, &nowhere, r->owner, r->set->type, &unused);
	faults_release(&unused);
	return err;
}

/* False: the name would be too long. */
static bool name_machine(const struct registered_build *build, const struct machine *machine,
			 struct name *name)
{
	char text[2 * NAME_TEXT_MAX], end[NAME_TEXT_MAX];

	snprintf(text, sizeof text, "%s.%s", machine->label,
		 name_to_text(zone_apex(machine->zone->zone), end));
	return name_from_text(name, build->key, text) == 0;
}

/* Puts the set of machines with one name, unless the name is too long. */
static int put_set(struct zone_merge *r, const struct machine *machines, size_t count)
{
	static const struct origin nowhere;
	uint16_t type = machines[0].address.family == 4 ? TYPE_A : TYPE_AAAA;
	struct faults unused; /* the name is in the zone */
	struct name name;
	int err;

	if (!name_machine(r->build, machines, &name))
		return 0;
	faults_init(&unused);
	err = zone_draft_put(r->draft, &nowhere, name.wire, type, &unused);
	faults_release(&unused);
	for (size_t i = 0; !err && i < count; i++) {
		const struct address *address = &machines[i].address;

		err = zone_draft_add(r->draft, REGISTERED_TTL_S, address->bytes,
				     address_bits(address) / 8);
	}
	return err;
}

static int change_sets(struct zone_merge *r, const struct machine *machines, size_t count)
{
	size_t end;
	int err = 0;

	next_set(r);
	for (size_t i = 0; !err && i < count; i = end) {
		for (end = i + 1; end < count && is_same_set(&machines[i], &machines[end]);)
			end++;
		for (; !err && r->set && compare_set(r, &machines[i]) < 0; next_set(r))
			err = take_set(r);
		if (!err && r->set && compare_set(r, &machines[i]) == 0) {
			bool same = has_addresses(r->set, machines + i, end - i);

			if (!same)
				err = take_set(r);
			next_set(r);
			if (same)
				continue;
		}
		if (!err)
			err = put_set(r, machines + i, end - i);
	}
	for (; !err && r->set; next_set(r))
		err = take_set(r);
	return err;
}

static struct zone *commit_machines(struct zone_draft *draft)
{
	struct faults unused; /* always empty */
	struct zone *zone;

	faults_init(&unused);
	zone = zone_commit(draft, 0, &unused);
	faults_release(&unused);
	return zone;
}

/* Looks at each machine, and changes only the differences. False without memory. */
static bool register_machines(const struct registered_build *build, struct registered_zone *zone,
			      const struct registered_zone *before, const struct machine *machines,
			      size_t count)
{
	const struct name *apex = zone_apex(zone->layers.own);
	bool goes_on = before && !before->base.served == !zone->base.served;
	struct zone *from = goes_on ? zone_ref(before->machines) : zone_new(build->key, apex, 0);
	struct zone_merge r = {
		.build = build, .draft = from ? zone_edit(from) : NULL, .before = from};
	bool good = r.draft && change_sets(&r, machines, count) == 0 &&
		    (goes_on || !zone->base.served || put_ns(r.draft, apex) == 0);

	if (good)
		zone->machines = commit_machines(r.draft);
	else
		zone_discard(r.draft);
	zone_unref(from);
	return good && zone->machines;
}

/* ---- PTRs of machines ---- */

/* Adds the machine's PTR to *draft, and makes the draft first if it is NULL. Skips a machine whose
 * name would be too long. False without memory. */
static bool add_ptr(const struct registered_build *build, const struct machine *machine,
		    struct owned_draft **draft)
{
	struct name name;

	if (!name_machine(build, machine, &name))
		return true;
	if (!*draft)
		*draft = owned_edit(NULL);
	return *draft && owned_set_ptr(*draft, &machine->address, &name, REGISTERED_TTL_S) == 0;
}

/* Networks may overlap, so each one has a table of its own. If a network's machine is in several
 * zones, its PTR has the name in the first zone: the loop goes backward, and a later PTR replaces
 * an earlier one. False without memory. */
static bool make_ptrs(const struct registered_build *build, const struct machine *machines,
		      size_t count)
{
	struct registered *made = build->made;
	struct owned_draft **drafts = calloc(made->network_count + 1, sizeof(struct owned_draft *));
	bool good = drafts;

	for (size_t i = count; good && i-- > 0;)
		good = add_ptr(build, &machines[i],
			       &drafts[machines[i].network - build->model->virtual_networks.items]);
	for (size_t i = 0; drafts && i < made->network_count; i++)
		made->ptrs[i] = drafts[i] ? owned_commit(drafts[i]) : NULL;
	free(drafts);
	return good;
}

/* Shares the PTRs of a table with the same machines. One of the tables may have more networks, but
 * the additional networks have no machines. */
static void share_ptrs(struct registered *to, const struct registered *from)
{
	size_t count =
		to->network_count < from->network_count ? to->network_count : from->network_count;

	for (size_t i = 0; i < count; i++)
		to->ptrs[i] = owned_ref(from->ptrs[i]);
}

/* ---- the table ---- */

static uint64_t print_text(const struct registered_build *build, uint64_t print, const char *text)
{
	return hash_bytes(build->key, print, text ? text : "", text ? strlen(text) + 1 : 0);
}

static uint64_t print_interface(const struct registered_build *build,
				const struct network_interface *interface)
{
	/* Hashes the network's full name and not the reference: after a reload the same reference
	 * can lead to another network, because one in the interface's own group comes first. */
	const struct virtual_network *network = registered_network(build->model, interface);
	uint64_t print = print_text(build, interface->primary, registered_label(interface));

	print = print_text(build, print, interface->resource_group);
	print = print_text(build, print, network ? full_name(&network->named) : NULL);
	for (size_t i = 0; i < interface->ip_configurations.count; i++) {
		const struct ip_configuration *own = &interface->ip_configurations.items[i];

		print = hash_bytes(build->key, print + own->primary, own->address.bytes,
				   sizeof own->address.bytes);
	}
	return print;
}

/* Hash of all input of the machines' records and NS, except the zones' own records. It is a sum,
 * because the order of interfaces and links does not matter. The indexes of network and zone are
 * hashed with each pair, because PTRs are kept by the network's index, and a machine's PTR has the
 * name in the first zone. */
static uint64_t print_all(const struct registered_build *build, const struct pairs *pairs)
{
	const struct model *model = build->model;
	uint64_t print = 1;

	for (size_t i = 0; pairs->count > 0 && i < model->network_interfaces.count; i++)
		print += print_interface(build, &model->network_interfaces.items[i]);
	for (size_t i = 0; i < pairs->count; i++) {
		const struct pair *pair = &pairs->items[i];
		uint64_t network = (uint64_t)(pair->network - model->virtual_networks.items);
		uint64_t zone = (uint64_t)(pair->zone - model->private_zones.items);

		print += print_text(
			build,
			print_text(build, network << 32 | zone, full_name(&pair->zone->named)),
			full_name(&pair->network->named));
	}
	for (size_t i = 0; i < model->registration.count; i++) {
		/* Hashes the zone's full name and not the setting's text: after a reload the same
		 * text can lead to another zone. */
		const struct private_zone *zone =
			model_zone(model, NULL, model->registration.items[i].zone);

		print += print_text(build, 0, zone ? full_name(&zone->named) : NULL);
	}
	return print ? print : 1;
}

static bool add_zone(struct registered_build *build, const struct private_zone *zone)
{
	struct registered_zone *made = &build->made->zones[build->made->count++];

	*made = (struct registered_zone){.name = strdup(full_name(&zone->named)),
					 .layers.own = zone_ref(zone->zone)};
	return made->name;
}

static struct registered *new_table(size_t zones, size_t networks)
{
	struct registered *made = calloc(1, sizeof *made + zones * sizeof made->zones[0]);

	if (!made)
		return NULL;
	atomic_init(&made->references, 1);
	made->network_count = networks;
	made->ptrs = calloc(networks + 1, sizeof(struct owned *));
	if (made->ptrs)
		return made;
	free(made);
	return NULL;
}

/* ERR_NOMEM. */
static int begin(struct registered_build *build)
{
	const struct model *model = build->model;
	struct pairs pairs;
	size_t count = build->before ? build->before->count + build->before->resting : 0;
	bool good = find_pairs(model, &pairs) == 0;

	for (size_t i = 0; i < model->private_zones.count; i++)
		count += registered_in(model, &model->private_zones.items[i]);
	build->made = new_table(count, model->virtual_networks.count);
	good = good && build->made;
	if (good)
		build->made->print = print_all(build, &pairs);
	free(pairs.items);
	for (size_t i = 0; good && i < model->private_zones.count; i++)
		if (registered_in(model, &model->private_zones.items[i]))
			good = add_zone(build, &model->private_zones.items[i]);
	return good ? 0 : ERR_NOMEM;
}

/* Combines registered records with the zone's own. */
static bool serve(struct registered_zone *zone, const struct registered_zone *before)
{
	const struct zone_layers *was = before ? &before->layers : NULL;
	struct zone_layers *layers = &zone->layers, under = {NULL, NULL, NULL};
	bool known = before && was->served, same;

	if (known && before->machines == zone->machines && before->updates == zone->updates) {
		layers->registered = zone_ref(was->registered);
	} else if (known) {
		under = (struct zone_layers){before->machines, before->updates, was->registered};
		layers->registered = zone_overlay(&under, zone->machines, zone->updates);
	} else {
		layers->registered = zone_overlay(NULL, zone->machines, zone->updates);
	}
	same = known && was->own == layers->own && was->registered == layers->registered;
	if (layers->registered)
		layers->served = same ? zone_ref(was->served)
				      : zone_overlay(was, layers->own, layers->registered);
	return layers->served;
}

/* The zone of this name, which usually has the same index as before. */
static const struct registered_zone *find_near(const struct registered *before, const char *name,
					       size_t place)
{
	if (before && place < before->count && strcasecmp(before->zones[place].name, name) == 0)
		return &before->zones[place];
	return registered_find(before, name);
}

/* ---- records of clients ---- */

static const char *const trees[] = {"in-addr.arpa.", "ip6.arpa."};

static struct zone *new_zone(const struct registered_build *build, const char *text)
{
	struct name name;

	return name_from_text(&name, build->key, text) == 0 ? zone_new(build->key, &name, 1) : NULL;
}

/* Makes the zone of a prefix's cut, at its last whole octet or nibble. */
static struct zone *make_cut(const struct registered_build *build, const struct prefix *prefix)
{
	unsigned step = prefix->address.family == 4 ? 8 : 4;
	struct prefix whole = *prefix;
	char text[NAME_TEXT_MAX];
	const char *apex;
	struct name name;

	whole.length = (uint8_t)(whole.length / step * step);
	apex = whole.length == 0 ? trees[prefix->address.family == 6]
				 : reverse_zone_text(&whole, text);
	return name_from_text(&name, build->key, apex) == 0 ? make_apex(build->key, &name, true)
							    : NULL;
}

static bool make_cuts(const struct registered_build *build, struct registered_zone *zone,
		      const struct registration_settings *settings)
{
	size_t count = settings ? settings->prefixes.count : 0;

	zone->cuts = calloc(count + 1, sizeof *zone->cuts);
	for (size_t i = 0; zone->cuts && i < count; i++) {
		zone->cuts[i].prefix = settings->prefixes.items[i];
		zone->cuts[i].apex = make_cut(build, &settings->prefixes.items[i]);
		if (!zone->cuts[i].apex)
			return false;
		zone->cut_count++;
	}
	return zone->cuts;
}

/* The table's zone with clients' records of this name; NULL: none. */
static const struct registered_zone *find_updates(const struct registered *registered,
						  const char *name)
{
	size_t count = registered ? registered->count + registered->resting : 0;

	for (size_t i = count; i-- > 0;) /* resting zones, at the end, take precedence */
		if (registered->zones[i].updates &&
		    strcasecmp(registered->zones[i].name, name) == 0)
			return &registered->zones[i];
	return NULL;
}

static bool keep_updates(const struct registered_build *build, struct registered_zone *zone,
			 const struct registered_zone *near)
{
	const struct name *apex = zone_apex(zone->layers.own);
	const struct registered_zone *before = NULL;
	bool same;

	if (zone->base.served)
		before = near && near->base.served ? near : find_updates(build->before, zone->name);
	same = before && name_equal(zone_apex(before->updates), apex);
	if (before && !same && zone_owners(before->updates) > 1)
		before = NULL;
	zone->updates = same ? zone_ref(before->updates) : zone_new(build->key, apex, 0);
	for (unsigned i = 0; i < 2; i++)
		zone->reverse[i] =
			before ? zone_ref(before->reverse[i]) : new_zone(build, trees[i]);
	return zone->updates && zone->reverse[0] && zone->reverse[1];
}

static bool has_updates(const struct registered_zone *zone)
{
	return zone->updates &&
	       (zone_owners(zone->updates) > 1 || zone_owners(zone->reverse[0]) > 1 ||
		zone_owners(zone->reverse[1]) > 1);
}

static bool rest(struct registered_zone *to, const struct registered_zone *from)
{
	*to = (struct registered_zone){
		.name = strdup(from->name),
		.updates = zone_ref(from->updates),
		.reverse = {zone_ref(from->reverse[0]), zone_ref(from->reverse[1])}};
	return to->name;
}

/* Keeps records that no zone of the model has taken over. False without memory. */
static bool keep_resting(const struct registered_build *build)
{
	const struct registered *before = build->before;
	struct registered *made = build->made;
	size_t count = before ? before->count + before->resting : 0;

	for (size_t i = 0; i < count; i++) {
		const struct registered_zone *zone = &before->zones[i];
		const struct registered_zone *taker =
			has_updates(zone) ? find_near(made, zone->name, i) : NULL;

		if (!has_updates(zone) || (taker && taker->base.served))
			continue;
		if (!rest(&made->zones[made->count + made->resting++], zone))
			return false;
	}
	return true;
}

/* Makes registered and served records; the zones' own records are set already. */
static bool make_zone(const struct registered_build *build, struct registered_zone *zone,
		      const struct private_zone *of, const struct registered_zone *before,
		      const struct machine *machines, size_t count)
{
	const struct registration_settings *settings = settings_of(build->model, of);
	bool same = before && build->before->print == build->made->print;

	if (!make_cuts(build, zone, settings) || (settings && !make_base(build, zone, before)) ||
	    !keep_updates(build, zone, before))
		return false;
	if (!same)
		return register_machines(build, zone, before, machines, count) &&
		       serve(zone, before);
	zone->machines = zone_ref(before->machines);
	return serve(zone, before);
}

static bool make_zones(struct registered_build *build)
{
	const struct model *model = build->model;
	struct registered *made = build->made, *before = build->before;
	struct registered_zone *at = made->zones;
	struct machine *machines = NULL;
	size_t count = 0, first = 0, end = 0;
	bool good = before && before->print == made->print;

	if (good)
		share_ptrs(made, before);
	else
		good = registered_machines(model, &machines, &count) == 0 &&
		       make_ptrs(build, machines, count);
	for (size_t i = 0; good && i < model->private_zones.count; i++) {
		const struct private_zone *zone = &model->private_zones.items[i];
		const struct registered_zone *was;

		if (!registered_in(model, zone))
			continue;
		for (first = end; end < count && machines[end].zone == zone;)
			end++;
		was = find_near(before, at->name, (size_t)(at - made->zones));
		if (was && (!was->layers.own ||
			    !name_equal(zone_apex(was->layers.own), zone_apex(at->layers.own))))
			was = NULL; /* read from the state, or another zone of this name */
		good = make_zone(build, at, zone, was, machines ? machines + first : NULL,
				 end - first);
		at++;
	}
	free(machines);
	return good && keep_resting(build);
}

struct registered *registered_make(const struct model *model, const struct hash_key *key,
				   struct registered *before)
{
	struct registered_build build = {.model = model, .key = key, .before = before};

	if (begin(&build) == 0 && make_zones(&build))
		return build.made;
	registered_unref(build.made);
	return NULL;
}

static bool copy_zone(struct registered_zone *to, const struct registered_zone *from)
{
	*to = (struct registered_zone){
		.name = strdup(from->name),
		.base = zone_layers_ref(&from->base),
		.layers = zone_layers_ref(&from->layers),
		.machines = zone_ref(from->machines),
		.updates = zone_ref(from->updates),
		.reverse = {zone_ref(from->reverse[0]), zone_ref(from->reverse[1])},
		.cuts = calloc(from->cut_count + 1, sizeof *to->cuts)};
	for (size_t i = 0; to->cuts && i < from->cut_count; i++) {
		to->cuts[i] = from->cuts[i];
		zone_ref(to->cuts[i].apex);
		to->cut_count++;
	}
	return to->name && to->cuts;
}

struct registered *registered_copy(const struct registered *registered)
{
	size_t count = registered->count + registered->resting;
	struct registered *made = new_table(count, registered->network_count);
	bool good = made;

	if (!made)
		return NULL;
	made->print = registered->print;
	share_ptrs(made, registered);
	for (size_t i = 0; good && i < registered->count; i++)
		good = copy_zone(&made->zones[made->count++], &registered->zones[i]);
	for (size_t i = registered->count; good && i < count; i++)
		good = rest(&made->zones[made->count + made->resting++], &registered->zones[i]);
	if (good)
		return made;
	registered_unref(made);
	return NULL;
}

static void replace(struct zone **place, struct zone *zone)
{
	if (!zone)
		return;
	zone_ref(zone);
	zone_unref(*place);
	*place = zone;
}

int registered_put(struct registered *copy, size_t place, struct zone *updates,
		   struct zone *const reverse[2])
{
	struct registered_zone *zone = &copy->zones[place], next = *zone;

	if (updates && zone->layers.own) { /* otherwise the zone rests and answers nothing */
		next.updates = updates;
		next.layers = (struct zone_layers){.own = zone->layers.own};
		if (!serve(&next, zone)) {
			zone_unref(next.layers.registered);
			return ERR_NOMEM;
		}
		zone_unref(zone->layers.registered);
		zone_unref(zone->layers.served);
		zone->layers = next.layers;
	}
	replace(&zone->updates, updates);
	replace(&zone->reverse[0], reverse[0]);
	replace(&zone->reverse[1], reverse[1]);
	return 0;
}

struct registered *registered_ref(struct registered *registered)
{
	atomic_fetch_add_explicit(&registered->references, 1, memory_order_relaxed);
	return registered;
}

void registered_unref(struct registered *registered)
{
	if (!registered ||
	    atomic_fetch_sub_explicit(&registered->references, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < registered->count + registered->resting; i++) {
		struct registered_zone *zone = &registered->zones[i];

		zone_layers_unref(&zone->base);
		zone_layers_unref(&zone->layers);
		zone_unref(zone->machines);
		zone_unref(zone->updates);
		zone_unref(zone->reverse[0]);
		zone_unref(zone->reverse[1]);
		for (size_t k = 0; k < zone->cut_count; k++)
			zone_unref(zone->cuts[k].apex);
		free(zone->cuts);
		free((char *)(uintptr_t)zone->name);
	}
	for (size_t i = 0; i < registered->network_count; i++)
		owned_unref(registered->ptrs[i]);
	free(registered->ptrs);
	free(registered);
}

const struct registered_zone *registered_find(const struct registered *registered, const char *name)
{
	for (size_t i = 0; registered && i < registered->count; i++)
		if (strcasecmp(registered->zones[i].name, name) == 0)
			return &registered->zones[i];
	return NULL;
}
