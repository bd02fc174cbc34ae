/* The looks over all registered sets (registrar.h), and the clocks by which sets expire
 * (renewals.h). */
#include <string.h>
#include <time.h>

#include "resolver/control/service/registrar_batch.h"
#include "resolver/log.h"
#include "rules/base.h"

enum {
	/* Limits of a portion, so that it takes some milliseconds: */
	LOOK_SETS = 2000,  /* sets that it checks */
	LOOK_ROWS = 200,   /* renewals that it writes */
	LOOK_EXPIRED = 50, /* sets that it removes */
	/* A due look waits after the last one: for LOOK_PAUSE_S, or for the shortest `expire`
	 * divided by LOOK_PAUSES if that is less. */
	LOOK_PAUSE_S = 60,
	LOOK_PAUSES = 64,
};

static void on_timer(uv_timer_t *timer);

struct portion { /* of a look, in one version of a zone */
	struct registrar *registrar;
	struct registered *table; /* served when the portion begins; a reference */
	const struct registered_zone *zone;
	const struct registration *entry; /* NULL: clients may no longer register there */
	const struct renewal_clock *clock;
	uint64_t now_s;
	struct registrar_rows rows; /* renewals to be written */
	uint64_t written[LOOK_ROWS];
	struct update_set expired[LOOK_EXPIRED]; /* sets to be removed */
	size_t expired_count;
};

static struct zone *tree_at(const struct registered_zone *zone, unsigned tree)
{
	return tree == 0 ? zone->updates : zone->reverse[tree - 1];
}

static bool is_registered(const struct portion *portion, const uint8_t *owner, uint16_t type)
{
	const struct registrar *registrar = portion->registrar;
	struct name name;

	return name_from_wire(&name, &registrar->server->key, owner, NAME_WIRE_MAX, 0, NULL) == 0 &&
	       zone_find_exact(tree_at(portion->zone, registrar->look.tree), &name, type);
}

static bool write_later(struct portion *portion, const uint8_t *owner,
			const struct renewal *renewal, uint16_t type)
{
	char key[REGISTRAR_KEY_MAX], value[RENEWAL_VALUE_MAX];

	portion->written[portion->rows.count] = renewal->print;
	return registrar_rows_add(&portion->rows, RENEWAL_ROW,
				  registrar_key(portion->zone->name, owner, type, key),
				  renewal_print_value(renewal, value));
}

/* Both times are whole seconds, so the age may be one second too high: a set expires only when its
 * age exceeds `expire`. */
static void expire_or_wait(struct portion *portion, const uint8_t *owner,
			   const struct renewal *renewal, uint16_t type)
{
	struct registrar_look *look = &portion->registrar->look;
	uint32_t age_s = renewal_clock_read(portion->clock, portion->now_s) - renewal->clock_s;
	uint64_t due_s;

	if (age_s > portion->entry->expire_s) {
		portion->expired[portion->expired_count++] =
			(struct update_set){.owner = owner, .type = type};
		return;
	}
	due_s = portion->now_s + portion->entry->expire_s - age_s + 1;
	look->next_s = due_s < look->next_s ? due_s : look->next_s;
}

/* False without memory. */
static bool look_at(struct portion *portion, const uint8_t *owner, uint16_t type)
{
	struct renewals *renewals = &portion->registrar->renewals;
	uint64_t print = renewals_print(renewals, portion->clock, owner, type);
	const struct renewal *renewal = renewals_find(renewals, print);

	if (!renewal && is_registered(portion, owner, type))
		renewals_note(renewals, print, time(NULL),
			      renewal_clock_read(portion->clock, portion->now_s));
	if (!renewal)
		return true; /* deleted since the look began, or noted just now */
	if (portion->registrar->look.writes && renewal->unwritten &&
	    !write_later(portion, owner, renewal, type))
		return false;
	if (portion->entry && portion->entry->expire_s > 0 && !portion->registrar->rests)
		expire_or_wait(portion, owner, renewal, type);
	return true;
}

/* False: the tree is complete. */
static bool look_on_in_tree(struct portion *portion)
{
	struct registrar_look *look = &portion->registrar->look;
	const struct rrset *set;
	const uint8_t *owner;

	for (unsigned i = 0; i < LOOK_SETS && portion->rows.count < LOOK_ROWS &&
			     portion->expired_count < LOOK_EXPIRED && !look->failed;
	     i++) {
		if (!zone_next(look->zone, &look->cursor, &owner, &set))
			return false;
		if (set->type != TYPE_SOA)
			look->failed = !look_at(portion, owner, set->type);
	}
	return true;
}

/* Renewals need no sync (`durable`): after a power cut, as after a kill, the clocks are open, so
 * all sets count as renewed. */
static bool store_renewals(struct registrar *registrar, const struct registrar_rows *rows,
			   bool durable)
{
	static struct log_pace pace;
	struct source *source = registrar->store->source;
	char error[SOURCE_ERROR_MAX] = "there is no state", more[LOG_MORE_MAX];

	if (source &&
	    source->calls->put_pairs(source, rows->items, rows->count, durable, error) == 0)
		return true;
	if (log_pace(&pace, uv_hrtime() / 1000, more))
		log_event(LOG_WARNING, "registration",
			  "when machines have renewed their names cannot be stored: %s%s", error,
			  more);
	return false;
}

static bool write_renewals(struct portion *portion)
{
	struct registrar *registrar = portion->registrar;

	if (portion->rows.count == 0)
		return true;
	if (!store_renewals(registrar, &portion->rows, false))
		return false;
	for (size_t i = 0; i < portion->rows.count; i++)
		renewals_written(&registrar->renewals, portion->written[i]);
	return true;
}

static bool remove_expired(struct portion *portion)
{
	struct registrar *registrar = portion->registrar;
	const struct registrar_change change = {.place = registrar->look.place,
						.tree = (int)registrar->look.tree - 1,
						.sets = portion->expired,
						.count = portion->expired_count};
	struct registrar_look *look = &registrar->look;
	char text[NAME_TEXT_MAX], type[16];
	struct registrar_batch batch;
	bool good;

	if (portion->expired_count == 0)
		return true;
	batch = registrar_batch_begin(registrar);
	good = registrar_batch_take(&batch, &change) && registrar_batch_store(&batch);
	registrar_batch_release(&batch);
	if (!good)
		return false;
	if (look->expired == 0)
		snprintf(look->first, sizeof look->first, "%s %s",
			 name_wire_to_text(portion->expired[0].owner, text),
			 record_type_print(portion->expired[0].type, type, sizeof type));
	look->expired += portion->expired_count;
	registrar->expired += portion->expired_count;
	return true;
}

/* False without memory. */
static bool portion_begin(struct portion *portion, struct registrar *registrar)
{
	struct registered *table = registrar->server->current->policy->registered;
	const struct registrar_look *look = &registrar->look;

	*portion = (struct portion){.registrar = registrar,
				    .table = registered_ref(table),
				    .zone = &table->zones[look->place],
				    .now_s = registrar_now_s()};
	arena_init(&portion->rows.arena);
	portion->entry =
		look->place < table->count ? registrar_entry(registrar, portion->zone->name) : NULL;
	portion->clock = renewals_clock(&registrar->renewals, portion->zone->name);
	return portion->clock;
}

static void portion_release(struct portion *portion)
{
	registrar_rows_release(&portion->rows);
	registered_unref(portion->table);
}

static void end_tree(struct registrar_look *look)
{
	zone_unref(look->zone);
	look->zone = NULL;
	look->cursor = (struct zone_cursor){0};
	look->place += look->tree == 2;
	look->tree = (look->tree + 1) % 3;
}

/* False: no tree is left. */
static bool begin_tree(struct registrar_look *look, const struct registered *table)
{
	while (!look->zone && look->place < table->count + table->resting) {
		struct zone *zone = tree_at(&table->zones[look->place], look->tree);

		if (zone)
			look->zone = zone_ref(zone);
		else
			end_tree(look);
	}
	return look->zone;
}

/* False: the look is complete, or has failed. */
static bool look_on(struct registrar *registrar)
{
	struct registrar_look *look = &registrar->look;
	struct portion portion;
	bool more;

	if (!begin_tree(look, registrar->server->current->policy->registered))
		return false;
	look->failed = !portion_begin(&portion, registrar);
	more = !look->failed && look_on_in_tree(&portion);
	look->failed = look->failed || !write_renewals(&portion) || !remove_expired(&portion);
	portion_release(&portion);
	if (!more && !look->failed)
		end_tree(look);
	return !look->failed;
}

static void log_expired(const struct registrar_look *look)
{
	if (look->expired == 1)
		log_event(LOG_INFO, "registration", "%s has expired", look->first);
	else if (look->expired > 1)
		log_event(LOG_INFO, "registration", "%s and %zu other record sets have expired",
			  look->first, look->expired - 1);
}

void registrar_looks_end(struct registrar_look *look)
{
	zone_unref(look->zone);
	look->zone = NULL;
	look->is_under_way = false;
}

static void begin_look(struct registrar *registrar, bool writes)
{
	struct registrar_look *look = &registrar->look;
	uint64_t now_s = registrar_now_s();

	look->writes = writes;
	look->failed = false;
	look->expired = 0;
	look->generation = registrar->server->generation;
	look->now_s = now_s;
	look->next_s = registrar->shortest_s > 0 ? now_s + registrar->shortest_s + 1 : UINT64_MAX;
	look->place = 0;
	look->tree = 0;
	zone_unref(look->zone);
	look->zone = NULL;
	look->cursor = (struct zone_cursor){0};
}

static bool on_portion(void *job)
{
	struct registrar *registrar = container_of(job, struct registrar, look.job);

	if (!registrar_is_ready(registrar) || registrar->work->busy > 0 ||
	    registrar->look.generation != registrar->server->generation) {
		registrar->look.failed = true;
		return false;
	}
	return look_on(registrar);
}

/* closed: marks every clock as closed, once all renewals are written. Otherwise marks running
 * clocks as open if the state has them as closed. False: nothing was written. */
static bool write_clocks(struct registrar *registrar, bool closed)
{
	struct registrar_rows rows = {.count = 0};
	char value[RENEWAL_VALUE_MAX];
	struct renewal_clock *clock;
	bool good = true;

	arena_init(&rows.arena);
	for (clock = registrar->renewals.clocks; clock; clock = clock->next)
		if (good && (closed || (clock->runs && clock->closed)))
			good = registrar_rows_add(
				&rows, RENEWAL_CLOCK_ROW, clock->zone,
				renewal_clock_print_value(clock, closed, registrar_now_s(), value));
	good = good && (rows.count == 0 || store_renewals(registrar, &rows, true));
	for (clock = registrar->renewals.clocks; clock; clock = clock->next)
		if (good && (closed || clock->runs))
			clock->closed = closed;
	registrar_rows_release(&rows);
	return good;
}

bool registrar_looks_open(struct registrar *registrar)
{
	return write_clocks(registrar, false);
}

static void wait_for_look(struct registrar *registrar)
{
	uint64_t now_s = registrar_now_s(), next_s = now_s + LOOK_PAUSE_S;

	if (registrar->look_s < next_s)
		next_s = registrar->look_s;
	if (registrar->renewals.unwritten > 0 && registrar->written_s + RENEWALS_WRITE_S < next_s)
		next_s = registrar->written_s + RENEWALS_WRITE_S;
	if (next_s <= now_s)
		next_s = now_s + 1;
	uv_timer_start(&registrar->timer, on_timer, (next_s - now_s) * 1000, 0);
}

/* Each expiring set makes a look due, and each look goes over all sets, so a pause between two
 * looks is needed. */
static void on_looked(void *job)
{
	struct registrar *registrar = container_of(job, struct registrar, look.job);
	struct registrar_look *look = &registrar->look;
	uint64_t pause_s = registrar->shortest_s / LOOK_PAUSES + 1;

	registrar_looks_end(look);
	log_expired(look);
	if (look->job.given_up)
		return;
	if (pause_s > LOOK_PAUSE_S)
		pause_s = LOOK_PAUSE_S;
	registrar->look_s = look->next_s;
	if (look->failed)
		registrar->look_s = look->now_s + 1; /* usually other work made the look fail */
	else if (look->next_s < look->now_s + pause_s)
		registrar->look_s = look->now_s + pause_s;
	if (look->writes && !look->failed)
		registrar->written_s = look->now_s;
	wait_for_look(registrar);
}

static void on_timer(uv_timer_t *timer)
{
	struct registrar *registrar = timer->data;
	struct registrar_look *look = &registrar->look;
	uint64_t now_s = registrar_now_s();
	bool writes = registrar->renewals.unwritten > 0 &&
		      registrar->written_s + RENEWALS_WRITE_S <= now_s;

	if (look->is_under_way || !registrar_is_ready(registrar))
		return;
	(void)write_clocks(registrar, false);
	if (writes || registrar->look_s <= now_s) {
		begin_look(registrar, writes);
		look->is_under_way =
			work_beside_in_portions(registrar->work, &look->job, on_portion, on_looked);
	}
	if (!look->is_under_way)
		wait_for_look(registrar);
}

/* Runs the clocks of zones in which clients may register, and stops the others. */
static void run_clocks(struct registrar *registrar)
{
	const struct registrations *entries = registrar->entries;
	struct renewal_clock *clock;

	for (size_t i = 0; i < entries->count; i++)
		(void)renewals_clock(&registrar->renewals, entries->items[i].zone_name);
	for (clock = registrar->renewals.clocks; clock; clock = clock->next)
		renewal_clock_run(clock, registrar_entry(registrar, clock->zone),
				  registrar_now_s());
	(void)write_clocks(registrar, false); /* after a failure the next update tries again */
}

static uint64_t hash_rules(struct registrar *registrar)
{
	const struct registrations *entries = registrar->entries;
	uint64_t rules = 0;

	registrar->shortest_s = 0;
	for (size_t i = 0; i < entries->count; i++) {
		const struct registration *entry = &entries->items[i];

		rules = hash_bytes(&registrar->server->key, rules + entry->expire_s,
				   entry->zone_name, strlen(entry->zone_name));
		if (entry->expire_s > 0 &&
		    (registrar->shortest_s == 0 || entry->expire_s < registrar->shortest_s))
			registrar->shortest_s = entry->expire_s;
	}
	return rules;
}

void registrar_published(struct registrar *registrar)
{
	uint64_t rules;

	if (!registrar_is_ready(registrar) || !registrar->is_read ||
	    !registrar_refresh_entries(registrar))
		return;
	run_clocks(registrar);
	rules = hash_rules(registrar);
	if (rules != registrar->rules)
		registrar->look_s = registrar_now_s();
	registrar->rules = rules;
	if (!registrar->look.is_under_way && registrar->renewals.clocks)
		wait_for_look(registrar);
}

struct registrar_times registrar_times(struct registrar *registrar, const struct registrar_row *row)
{
	struct registrar_times times = {.renewed_s = row->since_s};
	const struct renewal_clock *clock = renewals_clock(&registrar->renewals, row->zone);
	const struct registration *entry =
		registrar_refresh_entries(registrar) ? registrar_entry(registrar, row->zone) : NULL;
	const struct renewal *renewal = NULL;
	struct name name;
	uint32_t age_s;

	if (clock && name_from_text(&name, &registrar->server->key, row->owner) == 0)
		renewal = renewals_find(
			&registrar->renewals,
			renewals_print(&registrar->renewals, clock, name.wire, row->type));
	if (!renewal)
		return times;
	if (renewal->at_s > times.renewed_s)
		times.renewed_s = renewal->at_s;
	if (entry && entry->expire_s > 0) {
		age_s = renewal_clock_read(clock, registrar_now_s()) - renewal->clock_s;
		times.expires_s = (int64_t)time(NULL) +
				  (age_s < entry->expire_s ? entry->expire_s - age_s : 0);
	}
	return times;
}

/* Begins a new look, in place of one under way, and goes on until all renewals are written. */
void registrar_looks_write(struct registrar *registrar)
{
	struct registrar_look *look = &registrar->look;

	begin_look(registrar, true);
	while (registrar->renewals.unwritten > 0 && look_on(registrar))
		;
	if (!look->failed)
		(void)write_clocks(registrar, true);
}
