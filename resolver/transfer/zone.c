/* Each version has its own copy of small members, and references to zones, deltas and the meter. */
#include "resolver/transfer/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rules/owned/owned.h"
#include "rules/reverse.h"
#include "rules/zone/serial.h"

/* ---- life ---- */

static struct transfer_meter *meter_new(void)
{
	struct transfer_meter *meter = calloc(1, sizeof *meter);

	if (meter)
		meter->references = 1;
	return meter;
}

struct transfer_meter *transfer_meter_ref(struct transfer_meter *meter)
{
	meter->references++;
	return meter;
}

void transfer_meter_unref(struct transfer_meter *meter)
{
	if (meter && --meter->references == 0)
		free(meter);
}

struct transfer_zone *transfer_zone_ref(struct transfer_zone *zone)
{
	zone->references++;
	return zone;
}

void transfer_zone_unref(struct transfer_zone *zone)
{
	if (!zone || --zone->references > 0)
		return;
	for (size_t i = 0; i < zone->past_count; i++)
		transfer_delta_unref(zone->past[i]);
	zone_unref(zone->apex);
	zone_unref(zone->zone);
	transfer_meter_unref(zone->meter);
	free(zone->text);
	free(zone);
}

struct transfer_zone *transfer_zone_new(struct zone *apex, const char *group)
{
	struct transfer_zone *zone = calloc(1, sizeof *zone);
	char text[NAME_TEXT_MAX];

	if (!zone)
		return NULL;
	zone->references = 1;
	name_copy(&zone->name, zone_apex(apex));
	if (asprintf(&zone->text, "%s%s%s", group ? group : "", group ? "/" : "",
		     name_to_text(&zone->name, text)) < 0)
		zone->text = NULL;
	zone->apex = zone_ref(apex);
	zone->zone = zone_ref(apex);
	zone->meter = meter_new();
	zone->editable = zone_is_editable(apex);
	if (zone->text && zone->meter)
		return zone;
	transfer_zone_unref(zone);
	return NULL;
}

void transfer_zone_take_meter(struct transfer_zone *zone, const struct transfer_zone *before)
{
	transfer_meter_unref(zone->meter);
	zone->meter = transfer_meter_ref(before->meter);
}

int transfer_zone_set_serial(struct transfer_zone *zone, uint32_t serial)
{
	struct zone *stamped = zone_with_serial(zone->apex, serial);

	if (!stamped)
		return ERR_NOMEM;
	zone_unref(zone->zone);
	zone->zone = stamped;
	zone->serial = serial;
	return 0;
}

/* ---- the past ---- */

/* The first of its deltas that fits together with `held` bytes and `count` others. */
static size_t first_kept(const struct transfer_zone *zone, size_t held, size_t count,
			 size_t past_max)
{
	size_t first = zone->past_count;

	while (first > 0 && zone->past_count - first + count < TRANSFER_PAST) {
		held += transfer_delta_bytes(zone->past[first - 1]);
		if (held > past_max)
			break;
		first--;
	}
	return first;
}

static void add_past(struct transfer_zone *zone, struct transfer_delta *delta)
{
	zone->past[zone->past_count++] = transfer_delta_ref(delta);
	zone->past_bytes += transfer_delta_bytes(delta);
}

struct transfer_zone *transfer_zone_with_past(const struct transfer_zone *zone,
					      const struct transfer_zone *before,
					      struct transfer_delta *latest, size_t past_max)
{
	size_t held = latest ? transfer_delta_bytes(latest) : 0;
	size_t first = held > past_max ? before->past_count
				       : first_kept(before, held, latest ? 1 : 0, past_max);
	size_t room = before->past_count - first + 1;
	struct transfer_zone *again = calloc(1, sizeof *again + room * sizeof again->past[0]);

	if (!again)
		return NULL;
	*again = *zone;
	again->references = 1;
	again->past_count = again->past_bytes = 0;
	again->text = strdup(zone->text);
	zone_ref(again->apex);
	zone_ref(again->zone);
	transfer_meter_ref(again->meter);
	for (; first < before->past_count; first++)
		add_past(again, before->past[first]);
	if (latest && held <= past_max)
		add_past(again, latest);
	if (again->text)
		return again;
	transfer_zone_unref(again);
	return NULL;
}

/* ---- content ---- */

/* Estimates an address's name as the apex's name plus one label. */
static size_t ptr_bytes(const struct transfer_zone *zone, const struct rrset *ptr)
{
	return ptr->length + (size_t)ptr->count * (zone->name.length + 4U);
}

struct zone_content transfer_zone_content(const struct transfer_zone *zone,
					  const struct policy *policy)
{
	struct zone_content content = zone_content(zone->apex);
	struct owned_cursor cursor;
	struct address address;
	const struct rrset *ptr;

	if (!zone->reverse)
		return content;
	owned_cursor_begin(&cursor, &zone->prefix);
	while ((ptr = owned_cursor_ptr(&cursor, policy->owned, &address))) {
		content.digest += digest_of_ptr(&address, ptr);
		content.bytes += ptr_bytes(zone, ptr);
	}
	return content;
}

bool transfer_zone_content_after(const struct transfer_zone *zone, const struct owned *before,
				 const struct owned *after, struct zone_content *content)
{
	struct owned_cursor cursor;
	struct address address;
	const struct rrset *was, *is;
	bool changed = false;

	*content = zone->content;
	owned_cursor_begin(&cursor, &zone->prefix);
	while (owned_cursor_change(&cursor, before, after, &address, &was, &is)) {
		changed = true;
		content->digest -= was ? digest_of_ptr(&address, was) : 0;
		content->digest += is ? digest_of_ptr(&address, is) : 0;
		content->bytes -= was ? ptr_bytes(zone, was) : 0;
		content->bytes += is ? ptr_bytes(zone, is) : 0;
	}
	return changed;
}

/* ---- names ---- */

size_t transfer_zone_owner(const struct transfer_zone *zone, const struct address *address,
			   uint8_t owner[TRANSFER_OWNER_MAX])
{
	_Static_assert((int)TRANSFER_OWNER_MAX >= (int)REVERSE_WIRE_MAX,
		       "it has room for a reverse name");
	size_t length = reverse_wire(address, owner);

	if (!zone->classless)
		return length;
	memcpy(owner + 1 + owner[0], zone->name.wire, zone->name.length);
	return 1U + owner[0] + zone->name.length;
}
