#include "resolver/control/service/registrar.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <uv.h>

#include "resolver/control/store/source.h"
#include "resolver/log.h"
#include "resolver/update/judge.h"
#include "rules/base.h"
#include "rules/reverse.h"
#include "rules/schema/reference.h"
#include "rules/wire.h"

#define PREFIX "registered "

enum {
	ROWS_AT_ONCE = 1000,
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
	size_t count;
	bool over, is_behind; /* of the last one, which was read already */
	char last[KEY_MAX];
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

	if (strncmp(pair->key, PREFIX, sizeof PREFIX - 1) != 0) {
		reading->over = true;
		return 0;
	}
	if (reading->is_behind && strcmp(pair->key, reading->last) == 0)
		return 0; /* the last one of those before */
	reading->count++;
	snprintf(reading->last, sizeof reading->last, "%s", pair->key);
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

	snprintf(reading.last, sizeof reading.last, PREFIX "%s", from);
	do {
		reading.count = 0;
		if (!err)
			err = source->calls->pairs(source, reading.last, ROWS_AT_ONCE, on_pair,
						   &reading, error);
		reading.is_behind = true;
	} while (!err && !reading.over && reading.count > 0);
	free(reading.rdata);
	return err;
}

struct rows { /* to be written, in one transaction */
	struct arena arena;
	struct source_pair *items;
	size_t count, room;
};

static bool add_row(struct rows *rows, const char *zone, const struct update_set *set,
		    const char *who, uint32_t ttl, int64_t now_s)
{
	char key[REGISTRAR_KEY_MAX], *value = NULL;
	struct source_pair *items;
	size_t length;
	FILE *out;

	if (rows->count == rows->room) {
		rows->room = rows->room ? 2 * rows->room : 64;
		items = reallocarray(rows->items, rows->room, sizeof *items);
		if (!items)
			return false;
		rows->items = items;
	}
	if (set->count > 0) {
		out = open_memstream(&value, &length);
		if (!out)
			return false;
		fprintf(out, "%" PRId64 " %s %" PRIu32, now_s, who, ttl);
		for (size_t i = 0; i < set->count; i++) {
			fputc(' ', out);
			for (size_t k = 0; k < set->records[i].length; k++)
				fprintf(out, "%02x", set->records[i].bytes[k]);
		}
		if (fclose(out) != 0)
			return false;
	}
	items = &rows->items[rows->count++];
	items->key = arena_printf(&rows->arena, PREFIX "%s",
				  registrar_key(zone, set->owner, set->type, key));
	items->value = value ? arena_strdup(&rows->arena, value) : NULL;
	free(value);
	return items->key && (items->value || set->count == 0);
}

static void rows_release(struct rows *rows)
{
	arena_release(&rows->arena);
	free(rows->items);
}

/* ---- the next version of what is registered ---- */

struct batch { /* messages that are judged together */
	struct registrar *registrar;
	struct registered *served; /* when the first was judged */
	struct registered *next;   /* a copy with what they have changed; NULL: nothing yet */
	struct rows rows;
	int64_t now_s;
};

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

/* Makes it so within the batch. False without memory: the batch is what it was. */
static bool take(struct batch *batch, const struct registration *entry, size_t place, int tree,
		 const struct update_request *request, const struct update_verdict *verdict)
{
	struct zone *reverse[2] = {NULL, NULL}, *made = NULL;
	const struct registered_zone *zone;
	size_t rows = batch->rows.count;
	char who[NAME_TEXT_MAX + 16];
	bool good;

	if (!batch->next)
		batch->next = registered_copy(batch->served);
	good = batch->next;
	who_asks(request, who);
	zone = &batch_table(batch)->zones[place];
	for (size_t i = 0; good && i < verdict->changed_count; i++)
		good = add_row(&batch->rows, zone->name, &verdict->changed[i], who, entry->ttl,
			       batch->now_s);
	if (good)
		made = apply(tree < 0 ? zone->updates : zone->reverse[tree], verdict->changed,
			     verdict->changed_count, entry->ttl);
	if (tree >= 0)
		reverse[tree] = made;
	good = made && registered_put(batch->next, place, tree < 0 ? made : NULL, reverse) == 0;
	zone_unref(made);
	if (!good)
		batch->rows.count = rows;
	return good;
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
	update_judge(&verdict, arena, &update, entry, &client, &view);
	*why = verdict.why;
	if (verdict.rcode == RCODE_NOERROR && verdict.changed_count > 0 &&
	    !take(batch, entry, place, tree, request, &verdict))
		return RCODE_SERVFAIL;
	return verdict.rcode;
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
	struct batch batch = {.registrar = registrar,
			      .served = registrar->server->current->policy->registered,
			      .now_s = time(NULL)};
	struct update_request *requests = registrar->waiting;
	struct registrar_answers *answers = begin_answers(requests);
	bool good = answers && is_ready(registrar) && refresh_entries(registrar);

	registrar->waiting = NULL;
	registrar->end = &registrar->waiting;
	arena_init(&batch.rows.arena);
	if (good)
		judge_all(&batch, answers);
	good = good && make_so(&batch);
	rows_release(&batch.rows);
	registered_unref(batch.next);
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

/* ---- rows of earlier processes ---- */

struct recalling {
	const struct hash_key *key;
	struct registered *made;
	size_t room;
	struct zone_draft *drafts[3]; /* of the last zone: its own, in-addr.arpa, ip6.arpa */
};

/* No more rows of the zone come. */
static int end_zone(struct recalling *recalling)
{
	struct registered_zone *zone = recalling->made->count > 0
					       ? &recalling->made->zones[recalling->made->count - 1]
					       : NULL;
	struct zone *made[3] = {NULL, NULL, NULL};
	struct faults faults;
	int err = 0;

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

/* "dev/corp.internal": behind the last slash, but for a zone whose name has one. */
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

static int begin_zone(struct recalling *recalling, const char *zone)
{
	static const char *const trees[] = {"in-addr.arpa.", "ip6.arpa."};
	const char *slash = strchr(zone, '/');
	struct registered *made = recalling->made;
	int err = end_zone(recalling);

	if (made->count == recalling->room) {
		recalling->room *= 2;
		made = realloc(made, sizeof *made + recalling->room * sizeof made->zones[0]);
		if (!made)
			return ERR_NOMEM;
		recalling->made = made;
	}
	made->zones[made->count++] = (struct registered_zone){.name = strdup(zone)};
	recalling->drafts[0] = begin_draft(recalling, slash ? slash + 1 : zone);
	for (unsigned i = 0; i < 2; i++)
		recalling->drafts[1 + i] = begin_draft(recalling, trees[i]);
	if (!err && (!made->zones[made->count - 1].name || !recalling->drafts[0] ||
		     !recalling->drafts[1] || !recalling->drafts[2]))
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
	draft = recalling->drafts[tree + 1];
	faults_init(&unused);
	err = zone_draft_put(draft, &nowhere, name.wire, row->type, &unused);
	for (size_t at = 0; !err && at < row->rdata_length;) {
		size_t length = wire_u16(row->rdata + at);

		err = zone_draft_add(draft, row->ttl, row->rdata + at + 2, length);
		at += 2 + length;
	}
	faults_release(&unused);
	return err == ERR_FAULTS ? 0 : err;
}

int registrar_read(struct source *source, const struct hash_key *key,
		   struct registered **registered, char error[SOURCE_ERROR_MAX])
{
	struct recalling recalling = {.key = key, .room = 8};
	int err;

	snprintf(error, SOURCE_ERROR_MAX, "%s", err_text(ERR_NOMEM));
	recalling.made = calloc(1, sizeof *recalling.made +
					   recalling.room * sizeof recalling.made->zones[0]);
	err = recalling.made ? 0 : ERR_NOMEM;
	if (!err) {
		atomic_init(&recalling.made->references, 1);
		err = registrar_each(source, "", on_row, &recalling, error);
	}
	if (recalling.made && end_zone(&recalling) != 0)
		err = ERR_NOMEM;
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
	if (registrar_read(source, &registrar->server->key, &registered, error) != 0) {
		log_event(LOG_ERROR, "registration",
			  "what was registered before cannot be read: %s", error);
		return;
	}
	registrar->is_read = true;
	registrar->is_unread = false;
	registered_unref(registrar->server->registered);
	registrar->server->registered = registered;
}

/* ---- opening and closing ---- */

void registrar_open(struct registrar *registrar, struct server *server, struct inventory *inventory,
		    struct work *work)
{
	registrar->server = server;
	registrar->inventory = inventory;
	registrar->work = work;
	registrar->end = &registrar->waiting;
	STAILQ_INIT(&registrar->answers);
	server->registrar = (struct server_registrar){registrar, on_requests};
}

void registrar_rest(struct registrar *registrar)
{
	registrar->rests = true;
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
}
