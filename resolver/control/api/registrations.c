#include "resolver/control/api/registrations.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/resource/kind.h"
#include "resolver/control/service/service.h"
#include "rules/schema/record_set.h"
#include "rules/schema/reference.h"

static uint16_t type_of(const struct machine *machine)
{
	return machine->address.family == 4 ? TYPE_A : TYPE_AAAA;
}

bool registration_is_served(const struct api_request *request, const struct machine *machine)
{
	const struct policy *policy = request->service->server.current->policy;
	const struct registered_zone *zone =
		registered_find(policy->registered, full_name(&machine->zone->named));
	char text[NAME_TEXT_MAX], apex[NAME_TEXT_MAX];
	struct name name;

	if (!zone)
		return false;
	snprintf(text, sizeof text, "%s.%s", machine->label,
		 name_to_text(zone_apex(zone->layers.own), apex));
	return name_from_text(&name, &policy->key, text) == 0 &&
	       !zone_find_exact(zone->layers.own, &name, type_of(machine)) &&
	       zone_find_exact(zone->layers.served, &name, type_of(machine));
}

static bool is_in_set(const struct machine *a, const struct machine *b)
{
	return strcasecmp(a->label, b->label) == 0 && a->address.family == b->address.family;
}

/* The set that the first machines are in; returns how many are. 0 without memory. */
static size_t make_set(const struct machine *machines, size_t count, struct arena *arena,
		       struct record_set *set)
{
	const char **records, *name;
	size_t end = 1;

	while (end < count && is_in_set(&machines[0], &machines[end]))
		end++;
	name = arena_printf(arena, "%s:%s", machines[0].label,
			    machines[0].address.family == 4 ? "A" : "AAAA");
	records = arena_alloc_array(arena, end, sizeof *records);
	for (size_t i = 0; name && records && i < end; i++) {
		char text[ADDRESS_TEXT_MAX];

		address_print(&machines[i].address, text);
		records[i] = arena_strdup(arena, text);
		if (!records[i])
			return 0;
	}
	*set = (struct record_set){.name = name, .ttl = REGISTERED_TTL_S, .is_registered = true};
	set->records.items = records;
	set->records.count = end;
	return name && records ? end : 0;
}

int registrations_compare(const char *left, const char *right)
{
	const struct path one = {kind_of_id(KIND_RECORD_SET), "", {"", left}};
	const struct path two = {kind_of_id(KIND_RECORD_SET), "", {"", right}};
	char first[PATH_MAX_BYTES], second[PATH_MAX_BYTES];

	return path_key(&one, first) == 0 && path_key(&two, second) == 0 ? strcmp(first, second)
									 : 0;
}

static int compare_sets(const void *left, const void *right)
{
	const struct record_set *a = left, *b = right;

	return registrations_compare(a->name, b->name);
}

/* Machines of one zone. */
static int add_sets(struct api_request *request, const struct machine *machines, size_t count,
		    struct record_set *sets, size_t *set_count)
{
	size_t in_set;

	for (size_t i = 0; i < count; i += in_set) {
		in_set = make_set(machines + i, count - i, &request->arena, &sets[*set_count]);
		if (in_set == 0)
			return ERR_NOMEM;
		*set_count += registration_is_served(request, &machines[i]);
	}
	return 0;
}

int registrations_as_sets(struct api_request *request, const struct private_zone *zone,
			  const struct record_set **sets, size_t *count)
{
	struct machine *machines = NULL;
	struct record_set *made = NULL;
	size_t machine_count = 0, first = 0, end;
	int err = 0;

	*count = 0;
	if (registered_in(request->service->server.model, zone))
		err = registered_machines(request->service->server.model, &machines,
					  &machine_count);
	while (first < machine_count && machines[first].zone != zone)
		first++;
	for (end = first; end < machine_count && machines[end].zone == zone;)
		end++;
	if (!err && end > first)
		made = arena_alloc_array(&request->arena, end - first, sizeof *made);
	if (made)
		err = add_sets(request, machines + first, end - first, made, count);
	else if (end > first)
		err = ERR_NOMEM;
	free(machines);
	if (!err && *count > 0)
		qsort(made, *count, sizeof *made, compare_sets);
	*sets = made;
	return err;
}

const struct record_set *registrations_find(struct api_request *request,
					    const struct private_zone *zone, const char *name)
{
	const struct record_set *sets;
	size_t count;

	if (registrations_as_sets(request, zone, &sets, &count) != 0)
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (strcasecmp(sets[i].name, name) == 0)
			return &sets[i];
	return NULL;
}
