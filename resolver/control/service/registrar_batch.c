#include "resolver/control/service/registrar_batch.h"

#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "resolver/log.h"
#include "rules/array.h"

static const struct origin nowhere;

struct registrar_batch registrar_batch_begin(struct registrar *registrar)
{
	struct registrar_batch batch = {.registrar = registrar,
					.served = registrar->server->current->policy->registered,
					.now_s = time(NULL)};

	arena_init(&batch.rows.arena);
	return batch;
}

void registrar_batch_release(struct registrar_batch *batch)
{
	registrar_rows_release(&batch->rows);
	free(batch->touched);
	registered_unref(batch->next);
}

/* A copy of the zone with the sets applied; NULL without memory. */
static struct zone *apply(struct zone *zone, const struct update_set *sets, size_t count,
			  uint32_t ttl)
{
	struct zone_draft *draft = zone_edit(zone);
	struct faults unused; /* the messages were judged good */
	struct zone *made;
	int err = draft ? 0 : ERR_NOMEM;

	faults_init(&unused);
	for (size_t i = 0; !err && i < count; i++) {
		err = zone_draft_put(draft, &nowhere, sets[i].owner, sets[i].type, &unused);
		for (size_t k = 0; !err && k < sets[i].count; k++)
			err = zone_draft_add(draft, ttl, sets[i].records[k].bytes,
					     sets[i].records[k].length);
	}
	if (err)
		zone_discard(draft);
	made = err ? NULL : zone_commit(draft, 0, &unused);
	faults_release(&unused);
	return made;
}

const struct registered *registrar_batch_table(const struct registrar_batch *batch)
{
	return batch->next ? batch->next : batch->served;
}

static bool touch(struct registrar_batch *batch, const struct renewal_clock *clock,
		  const struct update_set *set, const struct registrar_author *author)
{
	struct renewals *renewals = &batch->registrar->renewals;
	uint64_t print = renewals_print(renewals, clock, set->owner, set->type);
	const struct renewal *before = renewals_find(renewals, print);
	struct registrar_touched *touched = array_grow(batch->touched, batch->touched_count,
						       &batch->touched_room, sizeof *touched);
	struct renewal_signature signature;

	if (!touched)
		return false;
	batch->touched = touched;
	touched = &touched[batch->touched_count++];
	*touched = (struct registrar_touched){.print = print, .was_known = before};
	if (before)
		touched->before = *before;
	if (set->count == 0) {
		renewals_forget(renewals, print);
		return true;
	}
	signature = registrar_signature(renewals, author);
	renewals_note(renewals, print, batch->now_s, renewal_clock_read(clock, registrar_now_s()));
	renewals_sign(renewals, print, &signature);
	return true;
}

/* Restores the renewals that the batch touched after the first `count`. */
static void untouch(struct registrar_batch *batch, size_t count)
{
	while (batch->touched_count > count) {
		const struct registrar_touched *touched = &batch->touched[--batch->touched_count];

		renewals_put_back(&batch->registrar->renewals, touched->print,
				  touched->was_known ? &touched->before : NULL);
	}
}

bool registrar_batch_take(struct registrar_batch *batch, const struct registrar_change *change)
{
	struct zone *reverse[2] = {NULL, NULL}, *made = NULL;
	size_t rows = batch->rows.count, touched = batch->touched_count;
	const struct renewal_clock *clock;
	const struct registered_zone *zone;
	int tree = change->tree;
	bool good;

	if (!batch->next)
		batch->next = registered_copy(batch->served);
	zone = &registrar_batch_table(batch)->zones[change->place];
	clock = renewals_clock(&batch->registrar->renewals, zone->name);
	good = batch->next && clock;
	for (size_t i = 0; good && i < change->count; i++)
		good = touch(batch, clock, &change->sets[i], change->author) &&
		       registrar_rows_add_set(&batch->rows, zone->name, &change->sets[i],
					      change->author, change->ttl, batch->now_s);
	if (good)
		made = apply(tree < 0 ? zone->updates : zone->reverse[tree], change->sets,
			     change->count, change->ttl);
	if (tree >= 0)
		reverse[tree] = made;
	good = made &&
	       registered_put(batch->next, change->place, tree < 0 ? made : NULL, reverse) == 0;
	zone_unref(made);
	if (!good) {
		batch->rows.count = rows;
		untouch(batch, touched);
	}
	return good;
}

bool registrar_batch_store(struct registrar_batch *batch)
{
	static struct log_pace pace;
	struct registrar *registrar = batch->registrar;
	struct source *source = registrar->store->source;
	struct snapshot *snapshot = NULL;
	char error[SOURCE_ERROR_MAX] = "there is no state to keep it in; set management.state";
	char more[LOG_MORE_MAX];
	int err = source ? 0 : ERR_NOT_FOUND;

	if (batch->rows.count == 0)
		return true;
	if (!err && batch->next) {
		snapshot = server_prepare_registered(registrar->server, batch->next);
		err = snapshot ? 0 : ERR_NOMEM;
		snprintf(error, sizeof error, "%s", err ? err_text(err) : "");
	}
	if (!err)
		err = source->calls->put_pairs(source, batch->rows.items, batch->rows.count, true,
					       error);
	if (!err && snapshot)
		server_publish_registered(registrar->server, snapshot);
	else
		snapshot_free(snapshot);
	if (err && log_pace(&pace, uv_hrtime() / 1000, more))
		log_event(LOG_ERROR, "registration", "what was registered cannot be stored: %s%s",
			  error, more);
	if (err)
		untouch(batch, 0);
	return !err;
}

bool registrar_refresh_entries(struct registrar *registrar)
{
	const struct server *server = registrar->server;

	if (registrar->entries && registrar->entries_of == server->generation)
		return true;
	registrations_free(registrar->entries);
	registrar->entries = registrations_new(server->model, &server->key);
	registrar->entries_of = server->generation;
	return registrar->entries;
}

bool registrar_is_ready(const struct registrar *registrar)
{
	return !registrar->rests && !registrar->server->registered &&
	       (registrar->is_read || !*registrar->store->url);
}

const struct registration *registrar_entry(const struct registrar *registrar, const char *zone)
{
	const struct registrations *entries = registrar->entries;

	for (size_t i = 0; entries && i < entries->count; i++)
		if (strcasecmp(entries->items[i].zone_name, zone) == 0)
			return &entries->items[i];
	return NULL;
}
