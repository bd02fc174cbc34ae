/* Checks private zones: names, sizes, and links. Data are counted as served, so a zone's SOA is a
 * record set (even a made-up one, as in Azure), and so are NS records at its apex. */
#include <strings.h>

#include "rules/base.h"
#include "rules/check/internal.h"
#include "rules/schema/reference.h"
#include "rules/text.h"
#include "rules/zone/zone.h"

enum { ZONE_LABELS_MAX = 34 };

/* Azure's reserved zone names: public, Government, and operated by 21Vianet. Subzones are free. */
static const char *const reserved_zones[] = {
	"azclient.ms",
	"azclient.us",
	"azclient.cn",
	"azure.com",
	"azure.us",
	"azure.cn",
	"cloudapp.net",
	"usgovcloudapp.net",
	"chinacloudapp.cn",
	"core.windows.net",
	"core.usgovcloudapi.net",
	"core.chinacloudapi.cn",
	"microsoft.com",
	"microsoft.us",
	"microsoft.cn",
	"msidentity.com",
	"msidentity.us",
	"msidentity.cn",
	"trafficmanager.net",
	"usgovtrafficmanager.net",
	"trafficmanager.cn",
	"windows.net",
	"usgovcloudapi.net",
	"chinacloudapi.cn",
};

static void check_zone_name(struct check *check, const struct private_zone *zone,
			    const struct name *name)
{
	const struct origin *origin = &zone->origin;
	uint32_t least = check->model->limits.zone_labels_min;
	size_t length = strlen(zone->name);

	if (name->labels > 0 && name->labels < least)
		LIMIT_ERROR(check, "zone_labels_min", name->labels, origin, "name",
			    "\"%s\" has %u label%s; a private zone has %u to %d, unless "
			    "limits.zone_labels_min allows fewer",
			    zone->name, name->labels, text_plural(name->labels, "", "s"), least,
			    ZONE_LABELS_MAX);
	else if (name->labels == 0 || name->labels > ZONE_LABELS_MAX)
		ERROR(check, origin, "name", "\"%s\" has %u label%s; a private zone has %u to %d",
		      zone->name, name->labels, text_plural(name->labels, "", "s"), least,
		      ZONE_LABELS_MAX);
	for (size_t i = 0; i < COUNT(reserved_zones); i++)
		if (strncasecmp(zone->name, reserved_zones[i], strlen(reserved_zones[i])) == 0 &&
		    length == strlen(reserved_zones[i]))
			ERROR(check, origin, "name",
			      "\"%s\" is reserved for Azure's own services; use a zone below it",
			      zone->name);
}

struct zone_check { /* a check of a zone's data */
	struct check *check;
	const struct private_zone *zone;
	const char *field;
};

static const char *data_name(const struct private_zone *zone)
{
	return zone->file ? zone->file : zone->name;
}

static void check_set(const struct zone_check *zc, const uint8_t *owner, const struct rrset *set)
{
	uint32_t limit = zc->check->model->limits.records_per_record_set;
	char text[NAME_TEXT_MAX], type[16];

	if (set->count > limit)
		LIMIT_ERROR(zc->check, "records_per_record_set", set->count, &zc->zone->origin,
			    zc->field,
			    "%s %s in %s has %u record%s, and at most %u %s allowed; remove "
			    "some, or raise limits.records_per_record_set",
			    name_wire_to_text(owner, text),
			    record_type_print(set->type, type, sizeof type), data_name(zc->zone),
			    set->count, text_plural(set->count, "", "s"), limit,
			    text_plural(limit, "is", "are"));
}

static int on_change(void *context, const uint8_t *owner, const struct rrset *was,
		     const struct rrset *is)
{
	(void)was;
	if (is)
		check_set(context, owner, is);
	return 0;
}

static bool is_same_zone(const struct private_zone *a, const struct private_zone *b)
{
	const char *one = full_name(&a->named), *two = full_name(&b->named);

	return one && two && strcasecmp(one, two) == 0;
}

/* The zone's former data, which are good; NULL: the zone is new. */
static const struct zone *data_before(const struct check *check, const struct private_zone *zone,
				      size_t index)
{
	const struct model *before = check->before;
	const struct private_zone *found;

	if (!before)
		return NULL;
	/* The zone usually has the same index as before. */
	if (index < before->private_zones.count &&
	    before->private_zones.items[index].zone == zone->zone)
		return zone->zone;
	found = model_zone(before, zone->resource_group, zone->name);
	return found && is_same_zone(found, zone) ? found->zone : NULL;
}

static void check_declared_sets(struct check *check, const struct private_zone *zone)
{
	struct seen names = {0};

	if (zone->file && zone->record_sets.count > 0)
		ERROR(check, &zone->origin, "record_sets",
		      "stand beside a file; a zone has the one or the other");
	for (size_t i = 0; i < zone->record_sets.count; i++) {
		const struct record_set *set = &zone->record_sets.items[i];

		check_unique(check, &names, set->name, &set->origin, "record set");
		limits_check_record_set(set, check->faults);
	}
}

static void check_zone_data(struct check *check, const struct private_zone *zone, size_t index)
{
	const struct limit_values *limits = &check->model->limits;
	struct zone_check zc = {check, zone, zone->file ? "file" : "record_sets"};
	const struct zone *before = data_before(check, zone, index);
	struct zone_cursor cursor = {0};
	const uint8_t *owner;
	const struct rrset *set;

	if (!check->before) /* otherwise the file's were checked before */
		check_declared_sets(check, zone);
	if (!zone->zone || zone->zone == before)
		return;
	if (zone_record_sets(zone->zone) > limits->record_sets_per_zone)
		LIMIT_ERROR(
			check, "record_sets_per_zone", zone_record_sets(zone->zone), &zone->origin,
			zc.field,
			"%s has %zu record set%s, and at most %u %s allowed; remove some, or raise "
			"limits.record_sets_per_zone",
			data_name(zone), zone_record_sets(zone->zone),
			text_plural(zone_record_sets(zone->zone), "", "s"),
			limits->record_sets_per_zone,
			text_plural(limits->record_sets_per_zone, "is", "are"));
	if (before) {
		(void)!zone_walk_changes(before, zone->zone, on_change, &zc);
		return;
	}
	while (zone_next(zone->zone, &cursor, &owner, &set))
		check_set(&zc, owner, set);
}

void limits_check_records(const struct model *model, const struct model *before,
			  struct faults *faults)
{
	struct check check = {.model = model, .before = before, .faults = faults};

	for (size_t i = 0; i < model->private_zones.count; i++)
		check_zone_data(&check, &model->private_zones.items[i], i);
}

void limits_check_record_set(const struct record_set *set, struct faults *faults)
{
	struct check check = {.faults = faults};

	check_metadata(&check, set->metadata.items, set->metadata.count, &set->origin, "metadata");
}

/* Whether the first label is "privatelink", as in privatelink.blob.core.windows.net. */
static bool is_privatelink(const struct name *name)
{
	static const uint8_t label[] = "\013privatelink";

	return name->labels > 1 && memcmp(name->wire, label, sizeof label - 1) == 0;
}

struct network_counts { /* counters by network, over all zones */
	struct seen zones, registrations;
};

static void count_link(struct check *check, const struct zone_link *link, const char *network,
		       struct seen *counters, uint32_t limit, const char *what, const char *key)
{
	uint32_t *count = seen_counter(check, counters, network);

	if (count && ++*count > limit)
		LIMIT_ERROR(
			check, key, *count, &link->origin, "virtual_network",
			"virtual network \"%s\" has %u zone%s linked%s, and at most %u %s allowed; "
			"remove some links, or raise limits.%s",
			network, *count, text_plural(*count, "", "s"), what, limit,
			text_plural(limit, "is", "are"), key);
}

static void check_zone_network(struct check *check, const struct private_zone *zone,
			       const char *name, const struct zone_link *link, const char *network)
{
	const char *key = seen_pair(check, name, network);
	const struct private_zone *before = seen_put(check, &check->zone_networks, key, zone);

	if (before == zone)
		ERROR(check, &link->origin, "virtual_network",
		      "virtual network \"%s\" is linked to this zone twice; keep one link",
		      network);
	else if (before)
		ERROR(check, &link->origin, "virtual_network",
		      "virtual network \"%s\" is linked to another zone \"%s\", at %s; two zones "
		      "of one name cannot be seen in one network",
		      network, full_name(&before->named), check_place(check, &before->origin));
	else if (link->resolution_policy == RESOLUTION_NXDOMAIN_FALLTHROUGH)
		seen_put(check, &check->zone_passes, key, zone);
}

bool check_zone_decides(struct check *check, const char *zone, const char *network)
{
	const char *key = seen_pair(check, zone, network);

	return seen_get(&check->zone_networks, key) && !seen_get(&check->zone_passes, key);
}

static void check_zone_link(struct check *check, const struct private_zone *zone,
			    const struct name *name, const char *name_text,
			    const struct zone_link *link, struct network_counts *counts)
{
	const struct limit_values *limits = &check->model->limits;
	const struct virtual_network *linked;
	const char *network;

	if (link->resolution_policy == RESOLUTION_NXDOMAIN_REDIRECT && !is_privatelink(name))
		ERROR(check, &link->origin, "resolution_policy",
		      "NxDomainRedirect is for zones named privatelink.*, which \"%s\" is not; use "
		      "\"Default\", or sluice's own \"NxDomainFallthrough\"",
		      zone->name);
	linked = check_network(check, zone->resource_group, link->virtual_network, &link->origin,
			       "virtual_network");
	if (!linked)
		return;
	network = full_name(&linked->named);
	check_zone_network(check, zone, name_text, link, network);
	count_link(check, link, network, &counts->zones, limits->zones_per_virtual_network, "",
		   "zones_per_virtual_network");
	if (link->registration)
		count_link(check, link, network, &counts->registrations,
			   limits->registration_zones_per_virtual_network, " with registration",
			   "registration_zones_per_virtual_network");
}

static void check_zone_links(struct check *check, const struct private_zone *zone,
			     const struct name *name, struct network_counts *counts)
{
	const struct limit_values *limits = &check->model->limits;
	size_t registrations = 0, room = 0;
	struct seen names = {0};
	char name_text[NAME_TEXT_MAX];

	for (size_t i = 0; i < zone->links.count; i++)
		registrations += zone->links.items[i].registration;

	name_to_text(name, name_text);
	for (size_t i = 0; i < zone->links.count; i++) {
		const struct zone_link *link = &zone->links.items[i];
		check_unique(check, &names, link->name, &link->origin, "link");
		check_zone_link(check, zone, name, name_text, link, counts);
		if (i == limits->links_per_zone)
			check_count(check, zone->links.count, limits->links_per_zone, &link->origin,
				    NULL, "links_per_zone");
		if (link->registration && room++ == limits->registration_links_per_zone)
			check_count(check, registrations, limits->registration_links_per_zone,
				    &link->origin, "registration", "registration_links_per_zone");
	}
}

void limits_check_zones(struct check *check)
{
	const struct model *model = check->model;
	uint32_t limit = model->limits.private_zones_per_subscription;
	struct network_counts counts = {{0}, {0}};
	char text[NAME_TEXT_MAX];
	struct seen names = {0};
	struct name name;

	for (size_t i = 0; i < model->private_zones.count; i++) {
		const struct private_zone *zone = &model->private_zones.items[i];
		if (i == limit)
			check_count(check, model->private_zones.count, limit, &zone->origin, NULL,
				    "private_zones_per_subscription");
		check_zone_data(check, zone, i);
		if (!check_name(&name, zone->name))
			continue;
		check_zone_name(check, zone, &name);
		check_top(check, &names, &zone->named, "private zone");
		seen_put(check, &check->zone_names, name_to_text(&name, text), zone);
		check_zone_links(check, zone, &name, &counts);
	}
}
