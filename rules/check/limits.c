/* The order of the checks, and their common parts. Each kind of item has a file:
 *
 *     check/network.c   networks, address spaces, subnets
 *     check/endpoint.c  resolvers and their endpoints
 *     check/listen.c    listeners, and the VNet resolver's clients
 *     check/zone.c      private zones and their links
 *     check/ruleset.c   rulesets, links, rules
 *     check/interface.c network interfaces, private endpoints
 *     check/address.c   pools, addresses, cloud services, reverse names
 *     check/transfer.c  TSIG keys, and transferred zones
 *     check/registration.c  zones in which machines register
 *     check/tags.c      tags, and metadata
 *     check/settings.c  single settings that depend on each other
 *     check/warn.c      warnings; check/loop.c: forwarding loops
 *
 * A missing or malformed value has a fault from the reader and is skipped here, so that one mistake
 * is reported once. No check compares all items with all others: it sorts them or uses an index
 * (check/seen.c). */
#include "rules/check/limits.h"

#include <stdlib.h>
#include <strings.h>

#include "rules/check/internal.h"
#include "rules/text.h"

const char *check_place(struct check *check, const struct origin *origin)
{
	const char *text =
		origin->file ? arena_printf(&check->arena, "%s:%u", origin->file, origin->line)
			     : origin->path;

	return text ? text : "elsewhere";
}

void check_unique(struct check *check, struct seen *seen, const char *name,
		  const struct origin *origin, const char *what)
{
	const struct origin *before = name ? seen_put(check, seen, name, origin) : NULL;

	if (before)
		ERROR(check, origin, "name",
		      "\"%s\" is already the name of the %s at %s; choose another", name, what,
		      check_place(check, before));
}

const char *group_name_refusal(const char *name)
{
	size_t length = strlen(name);

	for (const char *c = name; *c; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
		      (*c >= '0' && *c <= '9') || (unsigned char)*c >= 0x80 || strchr("_().-", *c)))
			return "give letters, digits and any of _().-";
	if (strcmp(name, GROUP_NONE) == 0)
		return "it stands for no group; give another";
	return length > 0 && name[length - 1] == '.' ? "give one that does not end in a dot" : NULL;
}

void check_group(struct check *check, const char *group, const struct origin *origin)
{
	const char *advice = group ? group_name_refusal(group) : NULL;

	if (advice)
		ERROR(check, origin, "resource_group", "\"%s\" does not fit; %s", group, advice);
}

struct grouped {
	const struct origin *origin;
	const char *group, *field; /* the name's group and field */
	const char *advice;
};

/* Adds a fault for two items of one name; `before` was seen first. */
static void check_same_name(struct check *check, const struct grouped *before,
			    const struct grouped *item, const char *name, const char *what)
{
	const char *group;

	/* Of two items of the state the later one gets the fault, in any order. */
	if (before->origin->revision > item->origin->revision) {
		const struct grouped *later = before;

		before = item;
		item = later;
	}
	group = before->group ? before->group : "";
	if (strcasecmp(group, item->group ? item->group : "") == 0)
		ERROR(check, item->origin, item->field,
		      "\"%s\" is already the name of the %s at %s; %s", name, what,
		      check_place(check, before->origin), item->advice);
	else
		ERROR(check, item->origin, item->field,
		      "\"%s\" is already the name of the %s in %s%s%s, at %s; these names are "
		      "unique over all resource groups: %s",
		      name, what, *group ? "the resource group \"" : "no resource group", group,
		      *group ? "\"" : "", check_place(check, before->origin), item->advice);
}

/* Adds a fault if another item has the same key. */
static void check_key(struct check *check, struct seen *seen, const char *key, const char *name,
		      const struct grouped *own, const char *what)
{
	struct grouped *item = arena_alloc(&check->arena, sizeof *item);
	const struct grouped *before;

	check_group(check, own->group, own->origin);
	check->out_of_memory |= !item;
	if (!item || !key)
		return;
	*item = *own;
	before = seen_put(check, seen, key, item);
	if (before)
		check_same_name(check, before, item, name, what);
}

void check_top(struct check *check, struct seen *seen, const struct named *item, const char *what)
{
	const struct grouped own = {&item->origin, item->resource_group, "name",
				    "choose another, or another resource_group"};

	check_key(check, seen,
		  item->name ? seen_pair(check, item->resource_group ? item->resource_group : "",
					 item->name)
			     : NULL,
		  item->name, &own, what);
}

void check_overall(struct check *check, struct seen *seen, const char *name, const char *group,
		   const struct origin *origin, const char *field, const char *what)
{
	const struct grouped own = {origin, group, field, "choose another"};

	check_key(check, seen, name, name, &own, what);
}

void check_count(struct check *check, size_t count, uint32_t limit, const struct origin *over,
		 const char *field, const char *key)
{
	if (count > limit)
		LIMIT_ERROR(check, key, count, over, field,
			    "there %s %zu, and at most %u %s allowed; remove some, or raise "
			    "limits.%s",
			    text_plural(count, "is", "are"), count, limit,
			    text_plural(limit, "is", "are"), key);
}

bool limits_lets_more(const char *key, uint64_t value, uint64_t than)
{
	static const char least[] = "_min";
	size_t length = strlen(key), end = sizeof least - 1;

	return length > end && strcmp(key + length - end, least) == 0 ? value < than : value > than;
}

const struct virtual_network *check_network(struct check *check, const char *group,
					    const char *text, const struct origin *origin,
					    const char *field)
{
	const struct virtual_network *network = model_network(check->model, group, text);
	char why[REFERENCE_TEXT_MAX];

	if (text && !network)
		ERROR(check, origin, field, "%s",
		      reference_refusal(check->model, REFERS_NETWORK, group, text, why));
	return network;
}

const char *check_region_text(const struct check *check, const char *own)
{
	const char *region = model_region(check->model, own);

	return region ? region : "(none)";
}

bool check_same_region(const struct check *check, const char *a, const char *b)
{
	return strcasecmp(check_region_text(check, a), check_region_text(check, b)) == 0;
}

bool check_name(struct name *name, const char *text)
{
	return text && name_from_text(name, NULL, text) == 0;
}

static int compare_hosts(const void *left, const void *right)
{
	const struct host *a = &((const struct self *)left)->host;
	const struct host *b = &((const struct self *)right)->host;
	int order = address_compare(&a->address, &b->address);

	return order ? order : a->port - b->port;
}

const char *check_normal_name(struct check *check, const char *text)
{
	struct name name;
	char normal[NAME_TEXT_MAX];
	const char *kept = check_name(&name, text)
				   ? arena_strdup(&check->arena, name_to_text(&name, normal))
				   : text;

	check->out_of_memory |= text && !kept;
	return kept ? kept : text;
}

const struct self *check_self(const struct check *check, const struct target_server *target)
{
	const struct self key = {.host = {target->address, (uint16_t)target->port}};

	return target->address.family && check->self_count > 0
		       ? bsearch(&key, check->selves, check->self_count, sizeof key, compare_hosts)
		       : NULL;
}

static int compare_selves(const void *left, const void *right)
{
	const struct self *a = left, *b = right;
	int order = compare_hosts(a, b);

	return order ? order : a->order < b->order ? -1 : a->order > b->order;
}

/* Indexes the hosts of inbound endpoints: a target with such a host is entered, not asked. */
static void add_self(void *context, const struct model_self *ours)
{
	const struct dns_resolver *resolver = ours->resolver;
	struct check *check = context;
	const struct virtual_network *network =
		model_network(check->model, resolver->resource_group, resolver->virtual_network);
	const char *path;

	if (!resolver->name || !ours->endpoint->name || !network)
		return;
	path = arena_printf(&check->arena, "%s/%s", full_name(&resolver->named),
			    ours->endpoint->name);
	check->out_of_memory |= !path;
	if (path)
		check->selves[check->self_count] = (struct self){
			ours->host, path, full_name(&network->named), check->self_count};
	check->self_count += path != NULL;
}

void check_index_selves(struct check *check)
{
	const struct model *model = check->model;
	size_t room = 0, kept = 0;

	for (size_t i = 0; i < model->resolvers.count; i++)
		room += 2 * model->resolvers.items[i].inbound_endpoints.count;
	check->selves = arena_alloc_array(&check->arena, room, sizeof *check->selves);
	check->out_of_memory |= !check->selves;
	if (!check->selves)
		return;
	model_each_self(model, add_self, check);
	qsort(check->selves, check->self_count, sizeof *check->selves, compare_selves);
	for (size_t i = 0; i < check->self_count; i++)
		if (kept == 0 || compare_hosts(&check->selves[kept - 1], &check->selves[i]) != 0)
			check->selves[kept++] = check->selves[i];
	check->self_count = kept;
}

const char *check_parent(const char *suffix)
{
	const char *dot = suffix;

	if (strcmp(suffix, ".") == 0)
		return NULL;
	while (*dot != '.')
		dot += *dot == '\\' && dot[1] ? 2 : 1;
	return dot[1] ? dot + 1 : dot;
}

/* Puts an outer prefix before the prefixes inside it, so that each one need be compared only with
 * the latest outer one. */
static int compare_placed(const void *left, const void *right)
{
	const struct placed_prefix *a = left, *b = right;

	return prefix_compare(&a->prefix, &b->prefix);
}

void check_overlaps(struct check *check, struct placed_prefix *items, size_t count)
{
	const struct placed_prefix *outer = NULL;
	char text[PREFIX_TEXT_MAX], other_text[PREFIX_TEXT_MAX];

	if (count > 0)
		qsort(items, count, sizeof *items, compare_placed);
	for (size_t i = 0; i < count; i++) {
		if (!outer || !prefix_overlaps(&outer->prefix, &items[i].prefix)) {
			outer = &items[i];
			continue;
		}
		bool swap = items[i].origin->line < outer->origin->line;
		const struct placed_prefix *later = swap ? outer : &items[i];
		const struct placed_prefix *earlier = swap ? &items[i] : outer;
		ERROR(check, later->origin, later->field,
		      "%s overlaps %s (%s); prefixes here must not overlap",
		      prefix_print(&later->prefix, text),
		      prefix_print(&earlier->prefix, other_text), earlier->what);
	}
}

static int compare_versions(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

/* Without memory for the list everything is checked. */
static void list_known(struct check *check, const struct model *before)
{
	size_t count = before->rulesets.count;

	check->known = arena_alloc_array(&check->arena, count, sizeof *check->known);
	for (size_t i = 0; check->known && i < count; i++)
		check->known[check->known_count++] = before->rulesets.items[i].version;
	if (check->known && count > 0)
		qsort(check->known, count, sizeof *check->known, compare_versions);
}

bool check_is_known(const struct check *check, const struct forwarding_ruleset *ruleset)
{
	return ruleset->version != 0 && check->known_count > 0 &&
	       bsearch(&ruleset->version, check->known, check->known_count, sizeof *check->known,
		       compare_versions);
}

/* An unspecified `listen` also covers the loopback addresses. Which other addresses it covers
 * depends on the machine, so they are not recognized here. */
static bool is_vnet_resolver(const struct model *model, const struct host *host)
{
	for (size_t i = 0; i < model->vnet_resolver.listen.count; i++) {
		const struct host *listen = &model->vnet_resolver.listen.items[i];

		if (host_equal(listen, host) ||
		    (host_overlaps(listen, host) && address_is_loopback(&host->address)))
			return true;
	}
	return false;
}

void check_server(struct check *check, const struct host *host, const struct origin *origin,
		  const char *field)
{
	const struct address *address = &host->address;
	char text[ADDRESS_TEXT_MAX];

	if (address_is_unspecified(address))
		ERROR(check, origin, field,
		      "%s is not the address of a server; give the server's own",
		      address_print(address, text));
	else if (address_is_multicast(address) || address_is_broadcast(address))
		ERROR(check, origin, field, "%s is a %s address; give the address of one server",
		      address_print(address, text),
		      address_is_multicast(address) ? "multicast" : "broadcast");
	else if (is_vnet_resolver(check->model, host))
		ERROR(check, origin, field,
		      "%s is in vnet_resolver.listen, our own VNet resolver; give another server",
		      address_print(address, text));
}

/* Whether one of the first `count` targets is at the host. Only LEG_UPSTREAMS_MAX are compared,
 * because more are refused anyway. */
static bool is_listed(const struct target_server *targets, size_t count, const struct host *host)
{
	for (size_t i = 0; i < count && i < LEG_UPSTREAMS_MAX; i++) {
		const struct host other = {targets[i].address, (uint16_t)targets[i].port};

		if (host_equal(&other, host))
			return true;
	}
	return false;
}

void check_targets(struct check *check, const struct target_server *targets, size_t count,
		   const struct origin *owner, const char *field)
{
	char text[HOST_TEXT_MAX];

	if (!targets)
		return;
	if (count == 0)
		ERROR(check, owner, field, "is empty; give at least one target");
	for (size_t i = 0; i < count; i++) {
		const struct target_server *target = &targets[i];
		struct host host = {target->address, (uint16_t)target->port};
		if (!host.address.family)
			continue;
		if (target->port < 1 || target->port > 65535)
			ERROR(check, &target->origin, "port", "%u is not a port; use 1 to 65535",
			      target->port);
		check_server(check, &host, &target->origin, "address");
		if (is_listed(targets, i, &host))
			ERROR(check, &target->origin, "address",
			      "%s is listed twice; keep one of them", host_print(&host, text));
	}
}

void limits_check(const struct model *model, struct faults *faults)
{
	limits_check_change(model, NULL, faults);
}

void limits_check_change(const struct model *model, const struct model *before,
			 struct faults *faults)
{
	struct check check = {.model = model, .faults = faults};
	bool is_change = before && before->declared && before->declared == model->declared;

	arena_init(&check.arena);
	if (is_change) {
		check.before = before;
		list_known(&check, before);
	}
	limits_check_networks(&check);
	limits_check_endpoints(&check);
	limits_check_listens(&check);
	limits_check_zones(&check);
	limits_check_rulesets(&check);
	limits_check_interfaces(&check);
	limits_check_addresses(&check);
	limits_check_transfers(&check);
	limits_check_registration(&check);
	limits_check_tags(&check);
	limits_check_settings(&check);
	if (faults->errors == 0) {
		limits_warn(&check);
		if (!is_change)
			limits_warn_loops(&check);
	}
	if (check.out_of_memory)
		ERROR(&check, &model->origin, NULL, "not checked to the end: %s",
		      err_text(ERR_NOMEM));
	arena_release(&check.arena);
}
