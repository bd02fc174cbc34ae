/* Removes registered sets. Sets are looked up in the state's rows instead of served zones, so that
 * rows of removed zones are found as well. Rows and served records are removed in one batch. The
 * API checks who may remove them. */
#include "resolver/control/service/registrar_batch.h"

#include <string.h>
#include <strings.h>

#include "resolver/update/judge.h"
#include "rules/base.h"
#include "rules/reverse.h"
#include "rules/wire.h"

/* ---- lookup ---- */

struct finding {
	struct registrar *registrar;
	struct registrar_removal *removal;
	const char *zone, *owner; /* what to look for; owner NULL: any */
	uint16_t type;            /* 0: any */
	size_t room;
	/* the addresses in the name's sets; their PTRs are looked up next */
	struct address addresses[2 * UPDATE_SET_MAX];
	size_t address_count;
	bool leads_back; /* the owner's PTR is the name */
};

static int keep(struct finding *finding, const struct registrar_row *row)
{
	struct registrar_removal *removal = finding->removal;
	struct registrar_set *sets = removal->sets;

	if (removal->count == finding->room) {
		finding->room = finding->room ? 2 * finding->room : 8;
		sets = arena_alloc_array(removal->arena, finding->room, sizeof *sets);
		if (!sets)
			return ERR_NOMEM;
		if (removal->count > 0)
			memcpy(sets, removal->sets, removal->count * sizeof *sets);
		removal->sets = sets;
	}
	sets = &sets[removal->count];
	*sets = (struct registrar_set){.key = arena_strdup(removal->arena, row->key),
				       .zone = arena_strdup(removal->arena, row->zone),
				       .owner = arena_strdup(removal->arena, row->owner),
				       .type = row->type,
				       .by = arena_strdup(removal->arena, row->by)};
	if (!sets->key || !sets->zone || !sets->owner || !sets->by)
		return ERR_NOMEM;
	removal->count++;
	return 0;
}

static void note_addresses(struct finding *finding, const struct registrar_row *row)
{
	size_t size = row->type == TYPE_A ? 4 : 16;

	for (size_t at = 0; at < row->rdata_length;) {
		size_t length = wire_u16(row->rdata + at);
		struct address *address = &finding->addresses[finding->address_count];

		if (length == size && finding->address_count < COUNT(finding->addresses)) {
			*address = (struct address){.family = size == 4 ? 4 : 6};
			memcpy(address->bytes, row->rdata + at + 2, size);
			finding->address_count++;
		}
		at += 2 + length;
	}
}

/* Whether the row's only PTR is this name. */
static bool leads_to(const struct finding *finding, const struct registrar_row *row)
{
	struct name target;

	return row->type == TYPE_PTR && row->count == 1 &&
	       name_from_wire(&target, &finding->registrar->server->key, row->rdata + 2,
			      row->rdata_length - 2, 0, NULL) == 0 &&
	       name_equal(&target, finding->removal->name);
}

static int on_row(void *context, const struct registrar_row *row)
{
	struct finding *finding = context;
	struct registrar_removal *removal = finding->removal;

	if (strcmp(row->zone, finding->zone) != 0 ||
	    (finding->owner && strcmp(row->owner, finding->owner) != 0))
		return 1; /* rows are sorted, so none follows */
	if (finding->type && row->type != finding->type)
		return 0;
	if (removal->count == REGISTRAR_REMOVE_MAX) {
		removal->more = true;
		return 1;
	}
	if (removal->name && (row->type == TYPE_A || row->type == TYPE_AAAA))
		note_addresses(finding, row);
	finding->leads_back |= removal->name && leads_to(finding, row);
	return keep(finding, row);
}

/* Finds the sets of finding->owner, or (NULL) all sets of the zone. */
static int find_at(struct finding *finding, char error[SOURCE_ERROR_MAX])
{
	char from[REGISTRAR_KEY_MAX];
	int err;

	snprintf(from, sizeof from, "%s %s%s", finding->zone, finding->owner ? finding->owner : "",
		 finding->owner ? " " : "");
	err = registrar_each(finding->registrar->store->source, from, on_row, finding, error);
	return err > 0 ? 0 : err;
}

static int find_ptrs(struct finding *finding, char error[SOURCE_ERROR_MAX])
{
	char text[NAME_TEXT_MAX];
	int err = 0;

	finding->type = 0;
	for (size_t i = 0; !err && i < finding->address_count; i++) {
		size_t before = finding->removal->count;

		finding->owner = reverse_text(&finding->addresses[i], text);
		finding->leads_back = false;
		err = find_at(finding, error);
		if (!finding->leads_back)
			finding->removal->count = before;
	}
	return err;
}

static int find_in_zone(struct finding *finding, const char *zone, char error[SOURCE_ERROR_MAX])
{
	const struct registrar_removal *removal = finding->removal;
	char owner[NAME_TEXT_MAX];
	int err;

	finding->zone = zone;
	finding->owner = removal->name ? name_to_text(removal->name, owner) : NULL;
	finding->type = removal->type;
	finding->address_count = 0;
	err = find_at(finding, error);
	return err ? err : find_ptrs(finding, error);
}

static int on_first(void *context, const struct registrar_row *row)
{
	snprintf(context, REGISTRAR_KEY_MAX, "%s", row->zone);
	return 1;
}

/* Searches each zone that has rows. Keys begin with "ZONE ", so "ZONE!" is the first key after
 * all rows of the zone. */
static int find_in_all(struct finding *finding, char error[SOURCE_ERROR_MAX])
{
	struct source *source = finding->registrar->store->source;
	char zone[REGISTRAR_KEY_MAX], from[REGISTRAR_KEY_MAX + 1] = "";
	int err;

	while ((err = registrar_each(source, from, on_first, zone, error)) > 0) {
		err = find_in_zone(finding, zone, error);
		if (err)
			return err;
		snprintf(from, sizeof from, "%s!", zone);
	}
	return err;
}

int registrar_find_sets(struct registrar *registrar, struct registrar_removal *removal,
			char error[SOURCE_ERROR_MAX])
{
	struct finding finding = {.registrar = registrar, .removal = removal};

	snprintf(error, SOURCE_ERROR_MAX, "%s", err_text(ERR_NOMEM));
	if (!registrar->store->source)
		return 0; /* without a state nothing can be registered */
	return removal->zone ? find_in_zone(&finding, removal->zone, error)
			     : find_in_all(&finding, error);
}

/* ---- removal ---- */

struct set_removal {
	struct registrar_batch batch;
	const struct registrar_removal *removal;
	struct update_set *served; /* room for all sets of the removal */
	bool *done;                /* for each set */
};

/* Removes the sets that this version of the zone has. False without memory. */
static bool remove_from(struct set_removal *removing, size_t place, int tree)
{
	const struct registrar_removal *removal = removing->removal;
	const struct registered_zone *zone = &registrar_batch_table(&removing->batch)->zones[place];
	const struct zone *from = tree < 0 ? zone->updates : zone->reverse[tree];
	struct registrar_change change = {.place = place, .tree = tree, .sets = removing->served};
	struct name name;
	uint8_t *owner;

	for (size_t i = 0; from && i < removal->count; i++) {
		const struct registrar_set *set = &removal->sets[i];

		if (removing->done[i] ||
		    name_from_text(&name, &removing->batch.registrar->server->key, set->owner) !=
			    0 ||
		    !name_is_under(&name, zone_apex(from)) ||
		    !zone_find_exact(from, &name, set->type))
			continue;
		owner = arena_alloc_bytes(removal->arena, name.length);
		if (!owner)
			return false;
		memcpy(owner, name.wire, name.length);
		removing->served[change.count++] =
			(struct update_set){.owner = owner, .type = set->type};
		removing->done[i] = true;
	}
	return change.count == 0 || registrar_batch_take(&removing->batch, &change);
}

/* Removes the sets from all versions of the zone: the table may have it twice, once as a resting
 * zone. Sets in no version have only a row, which is deleted. */
static bool remove_all(struct set_removal *removing)
{
	const struct registrar_removal *removal = removing->removal;
	const struct registered *table = removing->batch.served;
	bool good = true;

	for (size_t place = 0; place < table->count + table->resting; place++)
		if (strcasecmp(table->zones[place].name, removal->sets->zone) == 0)
			for (int tree = -1; good && tree < 2; tree++)
				good = remove_from(removing, place, tree);
	for (size_t i = 0; good && i < removal->count; i++)
		if (!removing->done[i])
			good = registrar_rows_remove(&removing->batch.rows, removal->sets[i].key);
	return good;
}

bool registrar_remove_sets(struct registrar *registrar, const struct registrar_removal *removal)
{
	struct set_removal removing = {.removal = removal};
	bool good;

	if (removal->count == 0)
		return true;
	removing.served =
		arena_alloc_array(removal->arena, removal->count, sizeof *removing.served);
	removing.done = arena_alloc_array(removal->arena, removal->count, sizeof *removing.done);
	if (!removing.served || !removing.done || !registrar_is_ready(registrar))
		return false;
	memset(removing.done, 0, removal->count * sizeof *removing.done);
	removing.batch = registrar_batch_begin(registrar);
	good = remove_all(&removing) && registrar_batch_store(&removing.batch);
	registrar_batch_release(&removing.batch);
	if (good)
		registrar->server->awaited = registrar->server->sequence;
	return good;
}
