#include "tests/lib/update_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/schema/model.h"
#include "rules/schema/schema.h"
#include "tests/lib/update_text.h"
#include "tests/lib/zone_text.h"

enum { NOW = 1700000000, TTL = 10 };

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* ---- making ---- */

static struct registrations *make_registrations(unsigned names_max)
{
	static struct registration_key keys[] = {
		{.key = "dhcp"},
		{.key = "Web.corp.test.", .names = REGISTER_SELF},
		{.key = "lab.corp.test", .names = REGISTER_SUBDOMAIN}};
	struct prefix prefixes[2];
	struct private_zone zone = {.name = "corp.test"};
	struct registration_settings entry = {.zone = "corp.test",
					      .prefixes = {prefixes, 2},
					      .keys = {keys, 3},
					      .own_address = true,
					      .ttl = TTL,
					      .names_max = names_max};
	struct model *model = model_new();
	struct registrations *made;

	must(model && prefix_parse(&prefixes[0], "10.1.0.0/16") == 0 &&
	     prefix_parse(&prefixes[1], "2001:db8:1::/48") == 0);
	model->private_zones.items = &zone;
	model->private_zones.count = 1;
	model->registration.items = &entry;
	model->registration.count = 1;
	made = registrations_new(model, &zone_text_key);
	model->private_zones.count = model->registration.count = 0;
	model_free(model);
	must(made);
	return made;
}

static struct zone *make_zone(const char *apex)
{
	struct name name = zone_text_name(apex);
	struct zone *zone = zone_new(&zone_text_key, &name, 1);

	must(zone);
	return zone;
}

/* ---- the served zone: own records, and registered ones that they do not hide ---- */

static void put_set(struct zone_draft *draft, const uint8_t *owner, const struct rrset *set,
		    struct faults *faults)
{
	static const struct origin origin = {.path = "test"};
	const uint8_t *at = set->wire;

	must(zone_draft_put(draft, &origin, owner, set->type, faults) == 0);
	for (unsigned i = 0; i < set->count; i++) {
		size_t length = wire_u16(at + RECORD_HEADER - 2);

		must(zone_draft_add(draft, set->ttl, at + RECORD_HEADER, length) == 0);
		at += RECORD_HEADER + length;
	}
}

static struct zone *commit(struct zone_draft *draft, struct faults *faults)
{
	struct zone *zone = zone_commit(draft, NOW, faults);

	faults_print(faults, stderr);
	must(zone);
	faults_release(faults);
	return zone;
}

static struct zone *overlay(const struct zone *manual, const struct zone *registered)
{
	struct zone *empty = make_zone("corp.test"), *served;
	struct zone_draft *draft = zone_edit(empty);
	struct zone_cursor cursor = {0};
	const struct rrset *set;
	const uint8_t *owner;
	struct faults faults;
	struct name name;

	must(draft);
	faults_init(&faults);
	while (zone_next(registered, &cursor, &owner, &set)) {
		must(name_from_wire(&name, &zone_text_key, owner, name_wire_length(owner), 0,
				    NULL) == 0);
		if (!zone_find_exact(manual, &name, set->type) &&
		    !zone_find_exact(manual, &name, TYPE_CNAME))
			put_set(draft, owner, set, &faults);
	}
	cursor = (struct zone_cursor){0};
	while (zone_next(manual, &cursor, &owner, &set))
		put_set(draft, owner, set, &faults);
	served = commit(draft, &faults);
	zone_unref(empty);
	return served;
}

void update_world_init(struct update_world *world, const char *manual, unsigned names_max)
{
	*world = (struct update_world){.registrations = make_registrations(names_max),
				       .manual = zone_text_read("corp.test", manual),
				       .registered = make_zone("corp.test"),
				       .reverse = make_zone("arpa")};
	world->served = overlay(world->manual, world->registered);
	world->reverse_served = zone_ref(world->reverse);
	must(address_parse(&world->local, "10.1.0.53") == 0);
	update_world_client(world, "dhcp", "10.1.0.2");
}

void update_world_release(struct update_world *world)
{
	free(world->said);
	registrations_free(world->registrations);
	zone_unref(world->manual);
	zone_unref(world->served);
	zone_unref(world->registered);
	zone_unref(world->reverse_served);
	zone_unref(world->reverse);
}

void update_world_client(struct update_world *world, const char *key, const char *address)
{
	static struct name name;

	if (key)
		name = zone_text_name(key);
	world->client = (struct update_client){.key = key ? name.wire : NULL, .tcp = !key};
	must(address_parse(&world->client.address, address) == 0);
}

/* ---- messages ---- */

/* "pc" of pc.corp.test. */
static void print_owner(FILE *out, const struct zone *zone, const uint8_t *owner)
{
	char text[NAME_TEXT_MAX], apex[NAME_TEXT_MAX];
	size_t length = strlen(name_wire_to_text(owner, text));
	size_t behind = strlen(name_to_text(zone_apex(zone), apex));

	if (length == behind)
		fputs("@", out);
	else
		fprintf(out, "%.*s", (int)(length - behind - 1), text);
}

static void say(FILE *out, const struct zone *zone, char what, const struct update_set *set)
{
	char type[16];

	fprintf(out, "%c ", what);
	print_owner(out, zone, set->owner);
	fprintf(out, " %s", record_type_print(set->type, type, sizeof type));
	for (size_t i = 0; what == '=' && i < set->count; i++) {
		fputc(' ', out);
		must(rdata_print(set->type, set->records[i].bytes, set->records[i].length, out) ==
		     0);
	}
	fputc('\n', out);
}

static FILE *start_saying(struct update_world *world, size_t *size)
{
	FILE *out;

	free(world->said);
	out = open_memstream(&world->said, size);
	must(out);
	return out;
}

static void say_all(struct update_world *world, const struct zone *zone,
		    const struct update_verdict *verdict)
{
	size_t size;
	FILE *out = start_saying(world, &size);

	for (size_t i = 0; i < verdict->changed_count; i++)
		say(out, zone, verdict->changed[i].count > 0 ? '=' : '-', &verdict->changed[i]);
	for (size_t i = 0; i < verdict->renewed_count; i++)
		say(out, zone, '~', &verdict->renewed[i]);
	fclose(out);
}

static struct zone *change(struct zone *zone, const struct update_verdict *verdict)
{
	static const struct origin origin = {.path = "test"};
	struct zone_draft *draft = zone_edit(zone);
	struct faults faults;

	must(draft);
	faults_init(&faults);
	for (size_t i = 0; i < verdict->changed_count; i++) {
		const struct update_set *set = &verdict->changed[i];

		must(zone_draft_put(draft, &origin, set->owner, set->type, &faults) == 0);
		for (size_t k = 0; k < set->count; k++)
			must(zone_draft_add(draft, TTL, set->records[k].bytes,
					    set->records[k].length) == 0);
	}
	zone_unref(zone);
	return commit(draft, &faults);
}

static void apply(struct update_world *world, bool reverse, const struct update_verdict *verdict)
{
	say_all(world, reverse ? world->reverse : world->registered, verdict);
	if (reverse) {
		world->reverse = change(world->reverse, verdict);
		zone_unref(world->reverse_served);
		world->reverse_served = zone_ref(world->reverse);
	} else {
		world->registered = change(world->registered, verdict);
		zone_unref(world->served);
		world->served = overlay(world->manual, world->registered);
	}
}

static enum rcode judge(struct update_world *world, struct arena *arena,
			const struct update *update)
{
	const struct registration *entry = registrations_next(world->registrations, update, NULL);
	bool reverse = update_is_reverse(update);
	struct update_view view = {world->served,
				   world->registered,
				   world->registered,
				   world->served,
				   zone_owners(world->registered) - 1,
				   &world->local};
	struct update_verdict verdict;

	if (!entry)
		return RCODE_NOTAUTH;
	if (reverse)
		view = (struct update_view){world->reverse_served,
					    world->reverse,
					    world->registered,
					    world->served,
					    zone_owners(world->reverse) - 1,
					    &world->local};
	update_judge(&verdict, arena, update, entry, &world->client, &view);
	world->why = verdict.why;
	must((verdict.rcode == RCODE_NOERROR) == !verdict.why);
	must(verdict.rcode == RCODE_NOERROR || verdict.changed_count + verdict.renewed_count == 0);
	if (verdict.rcode == RCODE_NOERROR)
		apply(world, reverse, &verdict);
	return verdict.rcode;
}

enum rcode update_world_give(struct update_world *world, const uint8_t *packet, size_t length)
{
	enum rcode rcode = RCODE_NOERROR;
	struct update update;
	struct arena arena;
	size_t size;

	fclose(start_saying(world, &size));
	world->why = NULL;
	arena_init(&arena);
	if (update_read(&update, &arena, &zone_text_key, packet, length, &rcode) == REQUEST_FINE)
		rcode = judge(world, &arena, &update);
	arena_release(&arena);
	return rcode;
}

enum rcode update_world_send(struct update_world *world, const char *zone, const char *records)
{
	static uint8_t packet[MESSAGE_MAX];

	return update_world_give(world, packet, update_write(packet, zone, records));
}
