#include "resolver/control/service/registrar.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <uv.h>

#include "resolver/control/store/pairs.h"
#include "resolver/control/store/source.h"
#include "resolver/log.h"
#include "resolver/update/judge.h"
#include "rules/array.h"
#include "rules/base.h"
#include "rules/reverse.h"
#include "rules/schema/reference.h"
#include "rules/wire.h"

#define PREFIX "registered "

enum {
	LOOK_SETS = 2000,  /* that a portion of a look passes over, */
	LOOK_ROWS = 200,   /* writes, */
	LOOK_EXPIRED = 50, /* and removes: some milliseconds */
	LOOK_PAUSE_S = 60,
	LOOK_PAUSES = 64, /* at most, in the shortest `expire` */
	KEY_MAX = REGISTRAR_KEY_MAX + sizeof PREFIX,
	RDATA_BYTES_MAX = 65535,
};

static const struct origin nowhere;

/* ---- rows ---- */

/* A zone is the same in any case, so its rows have one: that of their keys. */
static void lower_zone(char *at)
{
	for (; *at != ' '; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
}

char *registrar_key(const char *zone, const uint8_t *owner, uint16_t type,
		    char key[REGISTRAR_KEY_MAX])
{
	char text[NAME_TEXT_MAX], type_text[16];

	snprintf(key, REGISTRAR_KEY_MAX, "%s %s %s", zone, name_wire_to_text(owner, text),
		 record_type_print(type, type_text, sizeof type_text));
	lower_zone(key);
	return key;
}

struct reading {
	int (*on_row)(void *context, const struct registrar_row *row);
	void *context;
	uint8_t *rdata; /* RDATA_BYTES_MAX */
};

static int digit_of(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Hexadecimal digits up to a blank or the end; NULL: there is something else. */
static const char *read_digits(const char *text, uint8_t *out, size_t room, size_t *length)
{
	for (*length = 0; *text && *text != ' '; text += 2) {
		int high = digit_of(text[0]), low = digit_of(text[1]);

		if (*length == room || high < 0 || low < 0)
			return NULL;
		out[(*length)++] = (uint8_t)(high << 4 | low);
	}
	return text;
}

/* False: it was not written by sluice. */
static bool read_records(const char *text, uint8_t *out, struct registrar_row *row)
{
	size_t length;

	row->rdata = out;
	while (text && *text == ' ' && row->rdata_length + 2 < RDATA_BYTES_MAX) {
		text = read_digits(text + 1, out + row->rdata_length + 2,
				   RDATA_BYTES_MAX - row->rdata_length - 2, &length);
		if (!text)
			return false;
		wire_put16(out + row->rdata_length, (uint16_t)length);
		row->rdata_length += 2 + length;
		row->count++;
	}
	return text && !*text && row->count > 0;
}

/* As it is stored, "key.NAME." has no blank. */
static void read_by(char by[REGISTRAR_BY_MAX])
{
	char *dot = strchr(by, '.');

	if (dot)
		*dot = ' ';
}

static bool read_row(struct reading *reading, const struct source_pair *pair, char key[KEY_MAX],
		     char by[REGISTRAR_BY_MAX], struct registrar_row *row)
{
	char *at = key, *zone, *owner;
	int used = 0;

	snprintf(key, KEY_MAX, "%s", pair->key + sizeof PREFIX - 1);
	zone = strsep(&at, " ");
	owner = strsep(&at, " ");
	*row = (struct registrar_row){
		.key = pair->key + sizeof PREFIX - 1, .zone = zone, .owner = owner, .by = by};
	if (!owner || !at || record_type_parse(&row->type, at) != 0 ||
	    sscanf(pair->value, "%" SCNd64 " %1039s %" SCNu32 "%n", &row->since_s, by, &row->ttl,
		   &used) != 3)
		return false;
	read_by(by);
	return read_records(pair->value + used, reading->rdata, row);
}

static int on_pair(void *context, const struct source_pair *pair)
{
	struct reading *reading = context;
	char key[KEY_MAX], by[REGISTRAR_BY_MAX];
	struct registrar_row row;

	if (read_row(reading, pair, key, by, &row))
		return reading->on_row(reading->context, &row);
	log_event(LOG_WARNING, "registration",
		  "the state's record \"%s\" was not written by sluice; it is passed over",
		  pair->key);
	return 0;
}

int registrar_each(struct source *source, const char *from,
		   int (*on_row)(void *context, const struct registrar_row *row), void *context,
		   char error[SOURCE_ERROR_MAX])
{
	struct reading reading = {
		.on_row = on_row, .context = context, .rdata = malloc(RDATA_BYTES_MAX)};
	int err = reading.rdata ? 0 : ERR_NOMEM;

	if (!err)
		err = pairs_each(source, PREFIX, from, on_pair, &reading, error);
	free(reading.rdata);
	return err;
}

struct rows { /* to be written, in one transaction */
	struct arena arena;
	struct source_pair *items;
	size_t count, room;
};

/* Without a value it goes. */
static bool add_pair(struct rows *rows, const char *word, const char *key, const char *value)
{
	struct source_pair *items =
		array_grow(rows->items, rows->count, &rows->room, sizeof *items);

	if (!items)
		return false;
	rows->items = items;
	items = &items[rows->count++];
	items->key = arena_printf(&rows->arena, "%s%s", word, key);
	items->value = value ? arena_strdup(&rows->arena, value) : NULL;
	return items->key && (items->value || !value);
}

/* A set that goes takes with it what is stored of its renewals. */
static bool add_row(struct rows *rows, const char *zone, const struct update_set *set,
		    const char *who, uint32_t ttl, int64_t now_s)
{
	char key[REGISTRAR_KEY_MAX], *value = NULL;
	size_t length;
	FILE *out;
	bool good;

	registrar_key(zone, set->owner, set->type, key);
	if (set->count == 0)
		return add_pair(rows, PREFIX, key, NULL) && add_pair(rows, RENEWAL_ROW, key, NULL);
	out = open_memstream(&value, &length);
	if (!out)
		return false;
	fprintf(out, "%" PRId64 " %s %" PRIu32, now_s, who, ttl);
	for (size_t i = 0; i < set->count; i++) {
		fputc(' ', out);
		for (size_t k = 0; k < set->records[i].length; k++)
			fprintf(out, "%02x", set->records[i].bytes[k]);
	}
	good = fclose(out) == 0 && add_pair(rows, PREFIX, key, value);
	free(value);
	return good;
}

static void rows_release(struct rows *rows)
{
	arena_release(&rows->arena);
	free(rows->items);
}

/* ---- the next version of what is registered ---- */

struct touched { /* a set that changes */
	uint64_t print;
	bool goes;
	uint32_t clock_s;
};

struct batch { /* messages that are judged together */
	struct registrar *registrar;
	struct registered *served; /* when the first was judged */
	struct registered *next;   /* a copy with what they have changed; NULL: nothing yet */
	struct rows rows;
	struct touched *touched;
	size_t touched_count, touched_room;
	int64_t now_s;
};

static struct batch batch_begin(struct registrar *registrar)
{
	struct batch batch = {.registrar = registrar,
			      .served = registrar->server->current->policy->registered,
			      .now_s = time(NULL)};

	arena_init(&batch.rows.arena);
	return batch;
}

static void batch_release(struct batch *batch)
{
	rows_release(&batch->rows);
	free(batch->touched);
	registered_unref(batch->next);
}

/* The zone with what the sets say; NULL without memory. */
static struct zone *apply(struct zone *zone, const struct update_set *sets, size_t count,
			  uint32_t ttl)
{
	struct zone_draft *draft = zone_edit(zone);
	struct faults unused; /* the judge has found nothing wrong */
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

static const struct registered *batch_table(const struct batch *batch)
{
	return batch->next ? batch->next : batch->served;
}

static size_t place_of(const struct registered *registered, const char *zone)
{
	const struct registered_zone *found = registered_find(registered, zone);

	return found ? (size_t)(found - registered->zones) : SIZE_MAX;
}

/* Which of the two trees the zone is in: 0, 1; else -1. */
static int tree_of(const struct name *zone)
{
	struct prefix prefix;
	unsigned rest;
	char text[NAME_TEXT_MAX];

	name_to_text(zone, text);
	if (strcasecmp(text, "in-addr.arpa.") == 0)
		return 0;
	if (strcasecmp(text, "ip6.arpa.") == 0)
		return 1;
	return reverse_parse(zone, &prefix, &rest) ? prefix.address.family == 6 : -1;
}

/* ---- one message ---- */

bool registrar_is_linked(const struct model *model, const char *zone_name, const char *network)
{
	const struct private_zone *zone = model_zone(model, NULL, zone_name);

	for (size_t i = 0; zone && network && i < zone->links.count; i++) {
		const struct virtual_network *linked = model_network(
			model, zone->resource_group, zone->links.items[i].virtual_network);

		if (linked && strcasecmp(full_name(&linked->named), network) == 0)
			return true;
	}
	return false;
}

static const struct registration *find_entry(const struct registrar *registrar,
					     const struct update *update, const char *network)
{
	const struct registration *entry = NULL;

	do {
		entry = registrations_next(registrar->entries, update, entry);
	} while (entry &&
		 !registrar_is_linked(registrar->server->model, entry->zone_name, network));
	return entry;
}

static const char *who_asks(const struct update_request *request, char who[NAME_TEXT_MAX + 16])
{
	char text[NAME_TEXT_MAX];

	if (request->key_length > 0)
		snprintf(who, NAME_TEXT_MAX + 16, "key.%s", name_wire_to_text(request->key, text));
	else
		snprintf(who, NAME_TEXT_MAX + 16, "address.%s",
			 address_print(&request->client.address, text));
	return who;
}

struct change { /* of a zone */
	size_t place;
	int tree; /* -1: of its names */
	const struct update_set *sets;
	size_t count;
	const char *who; /* NULL: sets go */
	uint32_t ttl;
};

static uint64_t monotonic_s(void)
{
	return uv_hrtime() / 1000000000;
}

static bool touch(struct batch *batch, const struct renewal_clock *clock,
		  const struct update_set *set)
{
	struct touched *touched = array_grow(batch->touched, batch->touched_count,
					     &batch->touched_room, sizeof *touched);

	if (!touched)
		return false;
	batch->touched = touched;
	touched[batch->touched_count++] = (struct touched){
		renewals_print(&batch->registrar->renewals, clock, set->owner, set->type),
		set->count == 0, renewal_clock_read(clock, monotonic_s())};
	return true;
}

/* Makes it so within the batch. False without memory: the batch is what it was. */
static bool take(struct batch *batch, const struct change *change)
{
	struct zone *reverse[2] = {NULL, NULL}, *made = NULL;
	size_t rows = batch->rows.count, touched = batch->touched_count;
	const struct renewal_clock *clock;
	const struct registered_zone *zone;
	int tree = change->tree;
	bool good;

	if (!batch->next)
		batch->next = registered_copy(batch->served);
	zone = &batch_table(batch)->zones[change->place];
	clock = renewals_clock(&batch->registrar->renewals, zone->name);
	good = batch->next && clock;
	for (size_t i = 0; good && i < change->count; i++)
		good = touch(batch, clock, &change->sets[i]) &&
		       add_row(&batch->rows, zone->name, &change->sets[i], change->who, change->ttl,
			       batch->now_s);
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
		batch->touched_count = touched;
	}
	return good;
}

/* What the batch has changed is stored. */
static void note_changes(const struct batch *batch)
{
	struct renewals *renewals = &batch->registrar->renewals;

	for (size_t i = 0; i < batch->touched_count; i++) {
		const struct touched *touched = &batch->touched[i];

		if (touched->goes)
			renewals_forget(renewals, touched->print);
		else
			renewals_note(renewals, touched->print, batch->now_s, touched->clock_s);
	}
}

/* What is not known is noted by the next look. */
static void note_renewals(const struct batch *batch, const char *zone,
			  const struct update_verdict *verdict)
{
	struct renewals *renewals = &batch->registrar->renewals;
	const struct renewal_clock *clock =
		verdict->renewed_count > 0 ? renewals_clock(renewals, zone) : NULL;

	for (size_t i = 0; clock && i < verdict->renewed_count; i++) {
		const struct update_set *set = &verdict->renewed[i];
		uint64_t print = renewals_print(renewals, clock, set->owner, set->type);

		if (renewals_find(renewals, print))
			renewals_note(renewals, print, batch->now_s,
				      renewal_clock_read(clock, monotonic_s()));
	}
}

/* What the message comes to; the batch is what it was where that is an error. */
static enum rcode judge(struct batch *batch, const struct update_request *request,
			struct arena *arena, const char **why)
{
	const struct registrar *registrar = batch->registrar;
	const struct update_client client = {.key = request->key_length ? request->key : NULL,
					     .address = request->client.address,
					     .tcp = request->tcp};
	const struct registration *entry;
	const struct registered_zone *zone;
	struct update_verdict verdict;
	struct update_view view;
	struct update update;
	enum rcode rcode = RCODE_FORMERR;
	char who[NAME_TEXT_MAX + 16];
	struct change change;
	size_t place;
	int tree;

	*why = "the message is malformed";
	if (update_read(&update, arena, &registrar->server->key, request->packet,
			request->packet_length, &rcode) != REQUEST_FINE)
		return rcode;
	*why = "the zone is none that machines register in here";
	entry = find_entry(registrar, &update, request->network);
	place = entry ? place_of(batch_table(batch), entry->zone_name) : SIZE_MAX;
	if (place == SIZE_MAX)
		return RCODE_NOTAUTH;
	zone = &batch_table(batch)->zones[place];
	tree = update_is_reverse(&update) ? tree_of(&update.zone) : -1;
	view.registered = tree < 0 ? zone->updates : zone->reverse[tree];
	view.served = tree < 0 ? zone->layers.served : zone->reverse[tree];
	view.names = zone->updates;
	view.owners = zone_owners(view.registered) - 1;
	view.server = &request->local;
	update_judge(&verdict, arena, &update, entry, &client, &view);
	*why = verdict.why;
	if (verdict.rcode != RCODE_NOERROR)
		return verdict.rcode;
	change = (struct change){.place = place,
				 .tree = tree,
				 .sets = verdict.changed,
				 .count = verdict.changed_count,
				 .who = who_asks(request, who),
				 .ttl = entry->ttl};
	if (change.count > 0 && !take(batch, &change))
		return RCODE_SERVFAIL;
	note_renewals(batch, batch_table(batch)->zones[place].name, &verdict);
	return RCODE_NOERROR;
}

/* ---- all that wait ---- */

struct judged {
	struct update_request *request;
	enum rcode rcode;
};

struct registrar_answers { /* of messages that were judged together */
	STAILQ_ENTRY(registrar_answers) next;
	uint64_t sequence; /* of the snapshot that they are about */
	size_t count;
	struct judged items[];
};

static void log_refusal(const struct update_request *request, enum rcode rcode, const char *why)
{
	static struct log_pace pace;
	char who[NAME_TEXT_MAX + 16];
	char more[LOG_MORE_MAX];

	if ((rcode == RCODE_REFUSED || rcode == RCODE_NOTAUTH) &&
	    log_pace(&pace, request->arrived_us, more))
		log_event(LOG_WARNING, "registration", "an update of %s was refused: %s%s",
			  who_asks(request, who), why ? why : "it is not allowed", more);
}

static bool refresh_entries(struct registrar *registrar)
{
	const struct server *server = registrar->server;

	if (registrar->entries && registrar->entries_of == server->generation)
		return true;
	registrations_free(registrar->entries);
	registrar->entries = registrations_new(server->model, &server->key);
	registrar->entries_of = server->generation;
	return registrar->entries;
}

/* Stores and serves. False: the log says why; then it is not served, although it is stored where
 * only the memory to serve it was missing, and the client's next try serves it. */
static bool make_so(struct batch *batch)
{
	static struct log_pace pace;
	struct registrar *registrar = batch->registrar;
	struct source *source = inventory_source(registrar->inventory);
	char error[SOURCE_ERROR_MAX] = "there is no state to keep it in; set management.state";
	char more[LOG_MORE_MAX];
	int err = ERR_NOT_FOUND;

	if (batch->rows.count == 0)
		return true;
	if (source)
		err = source->calls->put_pairs(source, batch->rows.items, batch->rows.count, true,
					       error);
	if (!err) {
		err = server_serve_registered(registrar->server, batch->next);
		snprintf(error, sizeof error, "%s", err ? err_text(err) : "");
	}
	if (err && log_pace(&pace, uv_hrtime() / 1000, more))
		log_event(LOG_ERROR, "registration", "what was registered cannot be stored: %s%s",
			  error, more);
	if (!err)
		note_changes(batch);
	return !err;
}

/* Whether what is served is all that is stored, as far as this process knows. */
static bool is_ready(const struct registrar *registrar)
{
	return !registrar->rests && !registrar->is_unread && !registrar->server->registered;
}

static void drop_all(struct registrar *registrar, struct update_request *request)
{
	struct update_request *next;

	for (; request; request = next) {
		next = request->next;
		update_request_drop(&registrar->server->updates, request);
	}
}

/* With the requests, and no rcodes yet; NULL without memory. */
static struct registrar_answers *begin_answers(struct update_request *requests)
{
	struct registrar_answers *answers;
	size_t count = 0;

	for (struct update_request *at = requests; at; at = at->next)
		count++;
	answers = calloc(1, sizeof *answers + count * sizeof answers->items[0]);
	for (struct update_request *at = requests; answers && at; at = at->next)
		answers->items[answers->count++].request = at;
	return answers;
}

static void send_answers(struct registrar *registrar, struct registrar_answers *answers)
{
	struct update_requests *updates = &registrar->server->updates;

	for (size_t i = 0; i < answers->count; i++) {
		const struct judged *judged = &answers->items[i];

		/* Clients take SERVFAIL for the last word; after silence they come again. */
		if (judged->rcode != RCODE_SERVFAIL)
			update_request_answer(updates, judged->request, judged->rcode);
		else
			update_request_drop(updates, judged->request);
	}
	free(answers);
}

void registrar_settle(struct registrar *registrar)
{
	struct registrar_answers *answers;

	while ((answers = STAILQ_FIRST(&registrar->answers)) &&
	       server_has_adopted(registrar->server, answers->sequence)) {
		STAILQ_REMOVE_HEAD(&registrar->answers, next);
		send_answers(registrar, answers);
	}
}

static void judge_all(struct batch *batch, struct registrar_answers *answers)
{
	for (size_t i = 0; i < answers->count; i++) {
		struct judged *judged = &answers->items[i];
		struct arena arena;
		const char *why;

		arena_init(&arena);
		judged->rcode = judge(batch, judged->request, &arena, &why);
		log_refusal(judged->request, judged->rcode, why);
		arena_release(&arena);
	}
}

static void work_off(struct registrar *registrar)
{
	struct batch batch = batch_begin(registrar);
	struct update_request *requests = registrar->waiting;
	struct registrar_answers *answers = begin_answers(requests);
	bool good = answers && is_ready(registrar) && refresh_entries(registrar);

	registrar->waiting = NULL;
	registrar->end = &registrar->waiting;
	if (good)
		judge_all(&batch, answers);
	good = good && make_so(&batch);
	batch_release(&batch);
	if (!good) {
		free(answers);
		drop_all(registrar, requests);
		return;
	}
	answers->sequence = registrar->server->sequence;
	STAILQ_INSERT_TAIL(&registrar->answers, answers, next);
	registrar_settle(registrar);
}

static void go_on(struct work_waiter *waiter)
{
	struct registrar *registrar = container_of(waiter, struct registrar, waiter);

	if (registrar->waiting && !work_wait(registrar->work, waiter, go_on))
		work_off(registrar);
}

static void on_requests(void *context, struct update_request *requests)
{
	struct registrar *registrar = context;
	bool waits = registrar->waiting;

	*registrar->end = requests;
	while (*registrar->end)
		registrar->end = &(*registrar->end)->next;
	if (!waits)
		go_on(&registrar->waiter);
}

/* ---- looks ---- */

static const struct registration *entry_of(const struct registrar *registrar, const char *zone)
{
	const struct registrations *entries = registrar->entries;

	for (size_t i = 0; entries && i < entries->count; i++)
		if (strcasecmp(entries->items[i].zone_name, zone) == 0)
			return &entries->items[i];
	return NULL;
}

struct portion { /* of a look, all in one version of a zone */
	struct registrar *registrar;
	struct registered *table; /* as it is served when the portion begins; a reference */
	const struct registered_zone *zone;
	const struct registration *entry; /* NULL: nobody registers there now */
	const struct renewal_clock *clock;
	uint64_t now_s;
	struct rows rows; /* renewals to be written, */
	uint64_t written[LOOK_ROWS];
	struct update_set expired[LOOK_EXPIRED]; /* and what goes */
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
	return add_pair(&portion->rows, RENEWAL_ROW,
			registrar_key(portion->zone->name, owner, type, key),
			renewal_print_value(renewal, value));
}

/* An age of whole seconds may be one too much. */
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
		return true; /* deleted since the look began, or as new as can be */
	if (portion->registrar->look.writes && renewal->unwritten &&
	    !write_later(portion, owner, renewal, type))
		return false;
	if (portion->entry && portion->entry->expire_s > 0 && !portion->registrar->rests)
		expire_or_wait(portion, owner, renewal, type);
	return true;
}

/* False: the look goes on with the next tree. */
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

/* Without a sync: a power cut leaves the clocks open as a kill does. */
static bool write_renewals(struct portion *portion)
{
	static struct log_pace pace;
	struct registrar *registrar = portion->registrar;
	struct source *source = inventory_source(registrar->inventory);
	char error[SOURCE_ERROR_MAX] = "there is no state", more[LOG_MORE_MAX];

	if (portion->rows.count == 0)
		return true;
	if (!source || source->calls->put_pairs(source, portion->rows.items, portion->rows.count,
						false, error) != 0) {
		if (log_pace(&pace, uv_hrtime() / 1000, more))
			log_event(LOG_WARNING, "registration",
				  "when machines have renewed their names cannot be stored: %s%s",
				  error, more);
		return false;
	}
	for (size_t i = 0; i < portion->rows.count; i++)
		renewals_written(&registrar->renewals, portion->written[i]);
	return true;
}

static bool remove_expired(struct portion *portion)
{
	struct registrar *registrar = portion->registrar;
	const struct change change = {.place = registrar->look.place,
				      .tree = (int)registrar->look.tree - 1,
				      .sets = portion->expired,
				      .count = portion->expired_count};
	struct registrar_look *look = &registrar->look;
	char text[NAME_TEXT_MAX], type[16];
	struct batch batch;
	bool good;

	if (portion->expired_count == 0)
		return true;
	batch = batch_begin(registrar);
	good = take(&batch, &change) && make_so(&batch);
	batch_release(&batch);
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
				    .now_s = monotonic_s()};
	arena_init(&portion->rows.arena);
	portion->entry =
		look->place < table->count ? entry_of(registrar, portion->zone->name) : NULL;
	portion->clock = renewals_clock(&registrar->renewals, portion->zone->name);
	return portion->clock;
}

static void portion_release(struct portion *portion)
{
	rows_release(&portion->rows);
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

/* False: there is none. */
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

/* False: the look is at its end, or has failed. */
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

static void end_look(struct registrar_look *look)
{
	zone_unref(look->zone);
	look->zone = NULL;
	look->is_under_way = false;
}

static void begin_look(struct registrar *registrar, bool writes)
{
	struct registrar_look *look = &registrar->look;
	uint64_t now_s = monotonic_s();

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

	if (!is_ready(registrar) || registrar->work->busy > 0 ||
	    registrar->look.generation != registrar->server->generation) {
		registrar->look.failed = true;
		return false;
	}
	return look_on(registrar);
}

static void on_timer(uv_timer_t *timer);

static void wait_for_look(struct registrar *registrar)
{
	uint64_t now_s = monotonic_s(), next_s = now_s + LOOK_PAUSE_S;

	if (registrar->look_s < next_s)
		next_s = registrar->look_s;
	if (registrar->renewals.unwritten > 0 && registrar->written_s + RENEWALS_WRITE_S < next_s)
		next_s = registrar->written_s + RENEWALS_WRITE_S;
	if (next_s <= now_s)
		next_s = now_s + 1;
	uv_timer_start(&registrar->timer, on_timer, (next_s - now_s) * 1000, 0);
}

/* Machines that are gone cost a look each, so that looks have pauses. */
static void on_looked(void *job)
{
	struct registrar *registrar = container_of(job, struct registrar, look.job);
	struct registrar_look *look = &registrar->look;
	uint64_t pause_s = registrar->shortest_s / LOOK_PAUSES + 1;

	end_look(look);
	log_expired(look);
	if (look->job.given_up)
		return;
	if (pause_s > LOOK_PAUSE_S)
		pause_s = LOOK_PAUSE_S;
	registrar->look_s = look->next_s;
	if (look->failed)
		registrar->look_s = look->now_s + 1; /* something else was under way, mostly */
	else if (look->next_s < look->now_s + pause_s)
		registrar->look_s = look->now_s + pause_s;
	if (look->writes && !look->failed)
		registrar->written_s = look->now_s;
	wait_for_look(registrar);
}

static void write_clocks(struct registrar *registrar, bool closed);

static void on_timer(uv_timer_t *timer)
{
	struct registrar *registrar = timer->data;
	struct registrar_look *look = &registrar->look;
	uint64_t now_s = monotonic_s();
	bool writes = registrar->renewals.unwritten > 0 &&
		      registrar->written_s + RENEWALS_WRITE_S <= now_s;

	if (look->is_under_way || !is_ready(registrar))
		return;
	write_clocks(registrar, false);
	if (writes || registrar->look_s <= now_s) {
		begin_look(registrar, writes);
		look->is_under_way =
			work_beside_in_portions(registrar->work, &look->job, on_portion, on_looked);
	}
	if (!look->is_under_way)
		wait_for_look(registrar);
}

/* ---- clocks ---- */

/* Those are closed that all is written of; opened are those that run. */
static void write_clocks(struct registrar *registrar, bool closed)
{
	struct source *source = inventory_source(registrar->inventory);
	char error[SOURCE_ERROR_MAX], value[RENEWAL_VALUE_MAX];
	struct rows rows = {.count = 0};
	struct renewal_clock *clock;
	bool good = source;

	arena_init(&rows.arena);
	for (clock = registrar->renewals.clocks; clock; clock = clock->next)
		if (good && (closed || (clock->runs && clock->closed)))
			good = add_pair(
				&rows, RENEWAL_CLOCK_ROW, clock->zone,
				renewal_clock_print_value(clock, closed, monotonic_s(), value));
	good = good && rows.count > 0 &&
	       source->calls->put_pairs(source, rows.items, rows.count, true, error) == 0;
	for (clock = registrar->renewals.clocks; clock; clock = clock->next)
		if (good)
			clock->closed = closed;
	rows_release(&rows);
}

/* Those run in whose zones clients may register. */
static void run_clocks(struct registrar *registrar)
{
	const struct registrations *entries = registrar->entries;
	struct renewal_clock *clock;

	for (size_t i = 0; i < entries->count; i++)
		(void)renewals_clock(&registrar->renewals, entries->items[i].zone_name);
	for (clock = registrar->renewals.clocks; clock; clock = clock->next)
		renewal_clock_run(clock, entry_of(registrar, clock->zone), monotonic_s());
	write_clocks(registrar, false);
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

	if (!is_ready(registrar) || !registrar->is_read || !refresh_entries(registrar))
		return;
	run_clocks(registrar);
	rules = hash_rules(registrar);
	if (rules != registrar->rules)
		registrar->look_s = monotonic_s();
	registrar->rules = rules;
	if (!registrar->look.is_under_way && registrar->renewals.clocks)
		wait_for_look(registrar);
}

struct registrar_times registrar_times(struct registrar *registrar, const struct registrar_row *row)
{
	struct registrar_times times = {.renewed_s = row->since_s};
	const struct renewal_clock *clock = renewals_clock(&registrar->renewals, row->zone);
	const struct registration *entry =
		refresh_entries(registrar) ? entry_of(registrar, row->zone) : NULL;
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
		age_s = renewal_clock_read(clock, monotonic_s()) - renewal->clock_s;
		times.expires_s = (int64_t)time(NULL) +
				  (age_s < entry->expire_s ? entry->expire_s - age_s : 0);
	}
	return times;
}

/* ---- rows of earlier processes ---- */

struct recalling {
	const struct hash_key *key;
	struct renewals *renewals;   /* NULL: they are not wanted */
	struct renewal_clock *clock; /* of the last zone; NULL: there is none yet */
	struct registered *made;
	size_t room;
	/* Of the last zone: its own, from its first row on, in-addr.arpa, ip6.arpa. */
	struct zone_draft *drafts[3];
};

static struct zone_draft *begin_draft(const struct recalling *recalling, const char *apex)
{
	struct name name;
	struct zone *empty = name_from_text(&name, recalling->key, apex) == 0
				     ? zone_new(recalling->key, &name, 1)
				     : NULL;
	struct zone_draft *draft = empty ? zone_edit(empty) : NULL;

	zone_unref(empty);
	return draft;
}

/* The zone's own name in its full one: "dev/corp.internal" is corp.internal in the group dev, or,
 * where an owner is below that, a zone in no group that is called so. */
static const char *apex_in(const struct recalling *recalling, const char *zone,
			   const struct name *owner)
{
	const char *slash = strchr(zone, '/');
	struct name whole;

	return !slash || (name_from_text(&whole, recalling->key, zone) == 0 &&
			  name_is_under(owner, &whole))
		       ? zone
		       : slash + 1;
}

/* No more rows of the zone come. */
static int end_zone(struct recalling *recalling)
{
	struct registered_zone *zone = recalling->made->count > 0
					       ? &recalling->made->zones[recalling->made->count - 1]
					       : NULL;
	struct zone *made[3] = {NULL, NULL, NULL};
	struct faults faults;
	int err = 0;

	if (zone && !recalling->drafts[0]) /* without a row of its own it is empty */
		recalling->drafts[0] = begin_draft(recalling, zone->name);
	faults_init(&faults);
	for (unsigned i = 0; i < 3; i++) {
		if (recalling->drafts[i])
			made[i] = zone_commit(recalling->drafts[i], 0, &faults);
		if (recalling->drafts[i] && !made[i])
			err = ERR_NOMEM;
		recalling->drafts[i] = NULL;
	}
	faults_release(&faults);
	if (zone) {
		zone->updates = made[0];
		zone->reverse[0] = made[1];
		zone->reverse[1] = made[2];
	}
	return err;
}

static int begin_zone(struct recalling *recalling, const char *zone)
{
	static const char *const trees[] = {"in-addr.arpa.", "ip6.arpa."};
	struct registered *made = recalling->made;
	int err = end_zone(recalling);

	if (made->count == recalling->room) {
		recalling->room *= 2;
		made = realloc(made, sizeof *made + recalling->room * sizeof made->zones[0]);
		if (!made)
			return ERR_NOMEM;
		recalling->made = made;
	}
	if (recalling->renewals) {
		recalling->clock = renewals_clock(recalling->renewals, zone);
		if (!recalling->clock)
			return ERR_NOMEM;
	}
	made->zones[made->count++] = (struct registered_zone){.name = strdup(zone)};
	for (unsigned i = 0; i < 2; i++)
		recalling->drafts[1 + i] = begin_draft(recalling, trees[i]);
	if (!err &&
	    (!made->zones[made->count - 1].name || !recalling->drafts[1] || !recalling->drafts[2]))
		err = ERR_NOMEM;
	return err;
}

static int on_row(void *context, const struct registrar_row *row)
{
	struct recalling *recalling = context;
	const struct registered *made = recalling->made;
	struct zone_draft *draft;
	struct faults unused;
	struct name name;
	int err = 0, tree;

	if (made->count == 0 || strcmp(made->zones[made->count - 1].name, row->zone) != 0)
		err = begin_zone(recalling, row->zone);
	if (err || name_from_text(&name, recalling->key, row->owner) != 0)
		return err;
	tree = tree_of(&name);
	if (tree < 0 && !recalling->drafts[0])
		recalling->drafts[0] = begin_draft(recalling, apex_in(recalling, row->zone, &name));
	draft = recalling->drafts[tree + 1];
	if (!draft)
		return ERR_NOMEM;
	faults_init(&unused);
	err = zone_draft_put(draft, &nowhere, name.wire, row->type, &unused);
	for (size_t at = 0; !err && at < row->rdata_length;) {
		size_t length = wire_u16(row->rdata + at);

		err = zone_draft_add(draft, row->ttl, row->rdata + at + 2, length);
		at += 2 + length;
	}
	faults_release(&unused);
	if (!err && recalling->renewals)
		renewals_note(
			recalling->renewals,
			renewals_print(recalling->renewals, recalling->clock, name.wire, row->type),
			row->since_s, recalling->clock->base_s);
	return err == ERR_FAULTS ? 0 : err;
}

static int on_clock(void *context, const struct source_pair *pair)
{
	struct recalling *recalling = context;
	struct renewal_clock *clock =
		renewals_clock(recalling->renewals, pair->key + sizeof RENEWAL_CLOCK_ROW - 1);

	if (clock)
		renewal_clock_recall(clock, pair->value);
	return clock ? 0 : ERR_NOMEM;
}

/* An older sluice may have removed the set and left the row. */
static int on_renewal(void *context, const struct source_pair *pair)
{
	struct recalling *recalling = context;
	char key[PAIRS_KEY_MAX], *at = key, *zone, *owner;
	struct name name;
	uint16_t type;

	snprintf(key, sizeof key, "%s", pair->key + sizeof RENEWAL_ROW - 1);
	zone = strsep(&at, " ");
	owner = strsep(&at, " ");
	if (!owner || !at || name_from_text(&name, recalling->key, owner) != 0 ||
	    record_type_parse(&type, at) != 0)
		return 0;
	if (strcmp(recalling->clock->zone, zone) != 0)
		recalling->clock = renewals_clock(recalling->renewals, zone);
	if (!recalling->clock)
		return ERR_NOMEM;
	renewals_recall(recalling->renewals, recalling->clock,
			renewals_print(recalling->renewals, recalling->clock, name.wire, type),
			pair->value);
	return 0;
}

int registrar_read(struct source *source, const struct hash_key *key, struct renewals *renewals,
		   struct registered **registered, char error[SOURCE_ERROR_MAX])
{
	struct recalling recalling = {.key = key, .renewals = renewals, .room = 8};
	int err;

	snprintf(error, SOURCE_ERROR_MAX, "%s", err_text(ERR_NOMEM));
	recalling.made = calloc(1, sizeof *recalling.made +
					   recalling.room * sizeof recalling.made->zones[0]);
	err = recalling.made ? 0 : ERR_NOMEM;
	if (!err)
		atomic_init(&recalling.made->references, 1);
	if (!err && renewals)
		err = pairs_each(source, RENEWAL_CLOCK_ROW, "", on_clock, &recalling, error);
	if (!err)
		err = registrar_each(source, "", on_row, &recalling, error);
	if (recalling.made && end_zone(&recalling) != 0)
		err = ERR_NOMEM;
	if (!err && recalling.clock)
		err = pairs_each(source, RENEWAL_ROW, "", on_renewal, &recalling, error);
	if (err)
		registered_unref(recalling.made);
	*registered = err ? NULL : recalling.made;
	return err;
}

void registrar_recall(struct registrar *registrar)
{
	struct source *source = inventory_source(registrar->inventory);
	struct registered *registered;
	char error[SOURCE_ERROR_MAX];

	if (registrar->is_read || !source)
		return;
	registrar->is_unread = true;
	renewals_release(&registrar->renewals);
	renewals_init(&registrar->renewals, &registrar->server->key);
	if (registrar_read(source, &registrar->server->key, &registrar->renewals, &registered,
			   error) != 0) {
		log_event(LOG_ERROR, "registration",
			  "what was registered before cannot be read: %s", error);
		return;
	}
	registrar->is_read = true;
	registrar->is_unread = false;
	registrar->rules = 0;
	registrar->written_s = monotonic_s();
	registered_unref(registrar->server->registered);
	registrar->server->registered = registered;
}

/* ---- opening and closing ---- */

int registrar_open(struct registrar *registrar, uv_loop_t *loop, struct server *server,
		   struct inventory *inventory, struct work *work)
{
	if (uv_timer_init(loop, &registrar->timer) != 0)
		return ERR_SYSTEM;
	registrar->timer.data = registrar;
	registrar->server = server;
	registrar->inventory = inventory;
	registrar->work = work;
	registrar->end = &registrar->waiting;
	STAILQ_INIT(&registrar->answers);
	renewals_init(&registrar->renewals, &server->key);
	server->registrar = (struct server_registrar){registrar, on_requests};
	return 0;
}

/* A look that is under way is this one, from its beginning. What cannot be written leaves the
 * clocks open. */
static void write_all(struct registrar *registrar)
{
	struct registrar_look *look = &registrar->look;

	begin_look(registrar, true);
	while (look_on(registrar))
		;
	if (!look->failed)
		write_clocks(registrar, true);
}

void registrar_rest(struct registrar *registrar)
{
	bool writes = is_ready(registrar) && registrar->is_read && registrar->server->current &&
		      !inventory_is_held(registrar->inventory);

	registrar->rests = true;
	uv_timer_stop(&registrar->timer);
	if (writes)
		write_all(registrar);
}

void registrar_take(struct registrar *registrar)
{
	registrar->rests = registrar->is_read = false;
}

void registrar_close(struct registrar *registrar)
{
	struct registrar_answers *answers;

	registrar->rests = true;
	drop_all(registrar, registrar->waiting);
	registrar->waiting = NULL;
	registrar->end = &registrar->waiting;
	while ((answers = STAILQ_FIRST(&registrar->answers))) {
		STAILQ_REMOVE_HEAD(&registrar->answers, next);
		for (size_t i = 0; i < answers->count; i++)
			update_request_drop(&registrar->server->updates, answers->items[i].request);
		free(answers);
	}
	registrations_free(registrar->entries);
	registrar->entries = NULL;
	end_look(&registrar->look);
	renewals_release(&registrar->renewals);
}
