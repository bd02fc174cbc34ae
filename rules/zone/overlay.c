/* Finds the changed names from differences, and makes the sets of each name:
 *
 *     own before, own               ─┐
 *                                    ├─ names ─► the sets of each name ─► zone_draft_put
 *     registered before, registered ─┘
 *
 * A new or removed DNAME changes the sets of names below it, so then all registered names are
 * looked at. */
#include "rules/zone/overlay.h"

#include <string.h>

#include "rules/wire.h"
#include "rules/zone/layout.h"
#include "rules/zone/serial.h"

struct overlaying {
	const struct zone *own, *registered, *base; /* base: the zone that the draft begins with */
	struct zone_draft *draft;
	const uint8_t *latest; /* the last name done; NULL: none yet */
	bool all;              /* look at all registered names */
};

static const struct origin nowhere;

/* ---- one name ---- */

static int add_records(struct zone_draft *draft, const struct rrset *set)
{
	const uint8_t *record = set->wire;
	int err = 0;

	for (unsigned i = 0; !err && i < set->count; i++) {
		size_t length = wire_u16(record + RECORD_HEADER - 2);

		err = zone_draft_add(draft, set->ttl, record + RECORD_HEADER, length);
		record += RECORD_HEADER + length;
	}
	return err;
}

/* The name is in the zone, so the only error is ERR_NOMEM. */
static int put(struct overlaying *o, const uint8_t *owner, uint16_t type, const struct rrset *set)
{
	struct faults unused;
	int err;

	faults_init(&unused);
	err = zone_draft_put(o->draft, &nowhere, owner, type, &unused);
	faults_release(&unused);
	return err || !set ? err : add_records(o->draft, set);
}

/* The sets of a name in a zone, without wildcards. */
struct sets {
	const struct rrset *first;
	unsigned count;
};

static struct sets sets_of(const struct zone *zone, const struct name *name)
{
	const struct zone_node *node = zone_node_of(zone, name);

	return node ? (struct sets){zone_first_set(node), node->count} : (struct sets){NULL, 0};
}

static bool hides_registered(const struct zone *own, const struct name *name)
{
	struct zone_answer answer;

	zone_find(own, name, TYPE_A, &answer);
	return (answer.outcome == ZONE_CNAME && !answer.wildcard) || answer.outcome == ZONE_DNAME;
}

/* A made-up SOA does not count: the served zone gets its own if it needs one. */
static int put_soa(struct overlaying *o, const uint8_t *apex)
{
	const struct zone *of = zone_has_own_soa(o->own) ? o->own : o->registered;

	if (zone_has_own_soa(of))
		return put(o, apex, TYPE_SOA, zone_soa(of));
	return zone_has_own_soa(o->base) ? put(o, apex, TYPE_SOA, NULL) : 0;
}

/* Puts all sets except the SOA; `only`: puts only sets of this type, 0: all. */
static int put_sets(struct overlaying *o, const uint8_t *owner, const struct sets *sets,
		    uint16_t only)
{
	const struct rrset *set = sets->first;
	int err = 0;

	for (unsigned i = 0; !err && i < sets->count; i++, set = zone_next_set(set))
		if (set->type != TYPE_SOA && (!only || set->type == only))
			err = put(o, owner, set->type, set);
	return err;
}

static int lay(struct overlaying *o, const uint8_t *owner)
{
	const struct rrset *set;
	struct sets own, registered = {NULL, 0}, before;
	struct name name;
	bool is_apex;
	int err = name_from_wire(&name, &o->own->key, owner, name_wire_length(owner), 0, NULL);

	if (err)
		return err; /* cannot happen: a zone's owners are names */
	is_apex = name.length == zone_apex(o->own)->length;
	own = sets_of(o->own, &name);
	before = sets_of(o->base, &name);
	if (!hides_registered(o->own, &name))
		registered = sets_of(o->registered, &name);
	set = before.first;
	for (unsigned i = 0; !err && i < before.count; i++, set = zone_next_set(set))
		if (set->type != TYPE_SOA)
			err = put(o, owner, set->type, NULL);
	if (!err)
		err = put_sets(o, owner, &registered, is_apex ? TYPE_NS : 0);
	if (!err) /* own sets come last, because the last set of a type counts */
		err = put_sets(o, owner, &own, 0);
	if (!err && is_apex)
		err = put_soa(o, owner);
	return err;
}

/* ---- the names that changed ---- */

static int on_change(void *context, const uint8_t *owner, const struct rrset *was,
		     const struct rrset *is)
{
	struct overlaying *o = context;
	bool again = o->latest && name_wire_equal(o->latest, owner);

	o->all = o->all || (was ? was : is)->type == TYPE_DNAME;
	o->latest = owner;
	return again ? 0 : lay(o, owner);
}

static int on_set(void *context, const uint8_t *owner, const struct rrset *set)
{
	return on_change(context, owner, NULL, set);
}

static int lay_changes(struct overlaying *o, const struct zone *before, const struct zone *after)
{
	o->latest = NULL;
	if (before == after)
		return 0;
	return before ? zone_walk_changes(before, after, on_change, o)
		      : zone_walk(after, on_set, o);
}

static int lay_all(struct overlaying *o)
{
	o->latest = NULL;
	return o->all ? zone_walk(o->registered, on_set, o) : 0;
}

static struct zone *commit(struct zone_draft *draft, const struct zone *own)
{
	struct faults faults; /* unused: each zone gave its warnings when it was checked */
	struct zone *zone, *served = NULL;

	faults_init(&faults);
	/* Passes the serial as the time: the version gets it at once if the base's is older. */
	zone = zone_commit(draft, zone_serial(own), &faults);
	faults_release(&faults);
	if (zone && zone_serial(zone) == zone_serial(own))
		return zone;
	if (zone)
		served = zone_with_serial(zone, zone_serial(own));
	zone_unref(zone);
	return served;
}

/* The zone that the draft begins with: the served one, else the larger of the two, so that only the
 * names of the smaller one are added. An own zone from a file is not editable, so the draft then
 * begins with the registered one, whichever is larger. */
static struct zone *begin(const struct zone_layers *before, struct zone *own,
			  struct zone *registered)
{
	if (before->served)
		return zone_ref(before->served);
	return zone_ref(zone_is_editable(own) && zone_owners(own) >= zone_owners(registered)
				? own
				: registered);
}

struct zone *zone_overlay(const struct zone_layers *before, struct zone *own,
			  struct zone *registered)
{
	static const struct zone_layers none;
	struct zone *base = begin(before ? before : &none, own, registered);
	struct overlaying o = {.own = own, .registered = registered, .base = base};
	const struct zone *own_before = base == own ? own : NULL;
	const struct zone *registered_before = base == registered ? registered : NULL;
	int err = ERR_NOMEM;

	if (before && before->served) {
		own_before = before->own;
		registered_before = before->registered;
	}
	o.draft = zone_edit(base);
	zone_unref(base); /* the draft has its own reference */
	if (o.draft)
		err = lay_changes(&o, own_before, own);
	/* A SOA may have become the zone's own, or a made-up one, without a change of its data. */
	if (!err && own_before && zone_has_own_soa(own_before) != zone_has_own_soa(own))
		err = lay(&o, zone_apex(own)->wire);
	if (!err)
		err = lay_changes(&o, registered_before, registered);
	if (!err)
		err = lay_all(&o);
	if (!err)
		return commit(o.draft, own);
	zone_discard(o.draft);
	return NULL;
}

/* ---- references ---- */

static struct zone *ref(struct zone *zone)
{
	return zone ? zone_ref(zone) : NULL;
}

struct zone_layers zone_layers_ref(const struct zone_layers *layers)
{
	return (struct zone_layers){ref(layers->own), ref(layers->registered), ref(layers->served)};
}

void zone_layers_unref(struct zone_layers *layers)
{
	zone_unref(layers->own);
	zone_unref(layers->registered);
	zone_unref(layers->served);
	*layers = (struct zone_layers){NULL, NULL, NULL};
}
