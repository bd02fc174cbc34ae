#include "resolver/control/service/registrar.h"

#include <assert.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "resolver/control/service/registrar_batch.h"
#include "resolver/log.h"
#include "resolver/update/judge.h"
#include "rules/base.h"
#include "rules/reverse.h"
#include "rules/schema/reference.h"

enum { TURN_MS = 20 }; /* for judging, in one turn of the loop */

static size_t place_of(const struct registered *registered, const char *zone)
{
	const struct registered_zone *found = registered_find(registered, zone);

	return found ? (size_t)(found - registered->zones) : SIZE_MAX;
}

/* ---- a single message ---- */

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

/* Prints the sender in its stored form. */
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

/* Whether the same key signed a later message for a set that this message would change. If so,
 * this message was delayed or replayed. */
static bool is_outdated(const struct registrar_batch *batch, const struct renewal_clock *clock,
			const struct update_verdict *verdict,
			const struct renewal_signature *signature)
{
	struct renewals *renewals = &batch->registrar->renewals;

	for (size_t i = 0; i < verdict->changed_count; i++) {
		const struct update_set *set = &verdict->changed[i];

		if (renewals_are_newer(renewals,
				       renewals_print(renewals, clock, set->owner, set->type),
				       signature, batch->now_s))
			return true;
	}
	return false;
}

/* Skips sets without a known renewal: the next look over all sets (registrar_looks.c) notes one for
 * them. */
static void note_renewals(const struct registrar_batch *batch, const struct renewal_clock *clock,
			  const struct update_verdict *verdict,
			  const struct renewal_signature *signature)
{
	struct renewals *renewals = &batch->registrar->renewals;

	for (size_t i = 0; i < verdict->renewed_count; i++) {
		const struct update_set *set = &verdict->renewed[i];
		uint64_t print = renewals_print(renewals, clock, set->owner, set->type);

		if (!renewals_find(renewals, print))
			continue;
		renewals_note(renewals, print, batch->now_s,
			      renewal_clock_read(clock, registrar_now_s()));
		renewals_sign_again(renewals, print, signature, batch->now_s);
	}
}

/* Judges the message and adds its change to the batch; on an error the batch is unchanged. */
static enum rcode judge(struct registrar_batch *batch, const struct update_request *request,
			struct arena *arena, const char **why)
{
	struct registrar *registrar = batch->registrar;
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
	struct registrar_author author = {who_asks(request, who), 0};
	const struct renewal_clock *clock;
	struct renewal_signature signature;
	struct registrar_change change;
	size_t place;
	int tree;

	*why = "the message is malformed";
	if (update_read(&update, arena, &registrar->server->key, request->packet,
			request->packet_length, &rcode) != REQUEST_FINE)
		return rcode;
	*why = "the zone is none that machines register in here";
	entry = find_entry(registrar, &update, request->network);
	place = entry ? place_of(registrar_batch_table(batch), entry->zone_name) : SIZE_MAX;
	if (place == SIZE_MAX)
		return RCODE_NOTAUTH;
	zone = &registrar_batch_table(batch)->zones[place];
	tree = update_is_reverse(&update) ? registrar_tree(&update.zone) : -1;
	view.registered = tree < 0 ? zone->updates : zone->reverse[tree];
	view.served = tree < 0 ? zone->layers.served : zone->reverse[tree];
	view.names = zone->updates;
	view.served_names = zone->layers.served;
	view.owners = zone_owners(view.registered) - 1;
	view.server = &request->local;
	update_judge(&verdict, arena, &update, entry, &client, &view);
	*why = verdict.why;
	if (verdict.rcode != RCODE_NOERROR)
		return verdict.rcode;
	clock = renewals_clock(&registrar->renewals, zone->name);
	if (!clock)
		return RCODE_SERVFAIL;
	if (request->key_length > 0)
		author.signed_s = (uint32_t)request->signed_s;
	signature = registrar_signature(&registrar->renewals, &author);
	*why = "it was signed before the message that the records are from";
	if (is_outdated(batch, clock, &verdict, &signature))
		return RCODE_BADTIME;
	change = (struct registrar_change){.place = place,
					   .tree = tree,
					   .sets = verdict.changed,
					   .count = verdict.changed_count,
					   .author = &author,
					   .ttl = entry->ttl};
	if (change.count > 0 && !registrar_batch_take(batch, &change))
		return RCODE_SERVFAIL;
	note_renewals(batch, clock, &verdict, &signature);
	return RCODE_NOERROR;
}

/* ---- all waiting messages ---- */

struct judged {
	struct update_request *request;
	enum rcode rcode;
};

struct registrar_answers { /* to messages that were judged together */
	STAILQ_ENTRY(registrar_answers) next;
	uint64_t sequence; /* of the snapshot that has their changes */
	size_t count;
	struct judged items[];
};

static void log_refusal(const struct update_request *request, enum rcode rcode, const char *why)
{
	static struct log_pace pace;
	char who[NAME_TEXT_MAX + 16];
	char more[LOG_MORE_MAX];

	if ((rcode != RCODE_REFUSED && rcode != RCODE_NOTAUTH && rcode != RCODE_BADTIME) ||
	    !log_pace(&pace, request->arrived_us, more))
		return;
	who_asks(request, who);
	registrar_show_by(who);
	log_event(LOG_WARNING, "registration", "an update of %s was refused: %s%s", who,
		  why ? why : "it is not allowed", more);
}

static void drop_all(struct registrar *registrar, struct update_request *request)
{
	struct update_request *next;

	for (; request; request = next) {
		next = request->next;
		update_request_drop(&registrar->server->updates, request);
	}
}

/* Makes the answers for the requests, without rcodes; NULL without memory. */
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

		/* Clients take SERVFAIL as final, but retry after silence. */
		if (judged->rcode != RCODE_SERVFAIL)
			update_request_answer(updates, judged->request, judged->rcode);
		else
			update_request_drop(updates, judged->request);
	}
	free(answers);
}

void registrar_send_answers(struct registrar *registrar)
{
	struct registrar_answers *answers;

	while ((answers = STAILQ_FIRST(&registrar->answers)) &&
	       server_has_adopted(registrar->server, answers->sequence)) {
		STAILQ_REMOVE_HEAD(&registrar->answers, next);
		send_answers(registrar, answers);
	}
}

/* Judges as many requests as fit into a turn of the loop; `answers` keeps only these. */
static void judge_some(struct registrar_batch *batch, struct registrar_answers *answers)
{
	const uint64_t end_ns = uv_hrtime() + batch->registrar->turn_ns;
	size_t i;

	for (i = 0; i < answers->count && (i == 0 || uv_hrtime() < end_ns); i++) {
		struct judged *judged = &answers->items[i];
		struct arena arena;
		const char *why;

		arena_init(&arena);
		judged->rcode = judge(batch, judged->request, &arena, &why);
		log_refusal(judged->request, judged->rcode, why);
		arena_release(&arena);
	}
	answers->count = i;
}

static void go_on(struct work_waiter *waiter);

static void on_turn(uv_timer_t *turn)
{
	struct registrar *registrar = container_of(turn, struct registrar, turn);

	if (registrar->waiting)
		go_on(&registrar->waiter);
}

/* Keeps the requests after the last judged one for the next turn. */
static void keep_rest(struct registrar *registrar, const struct registrar_answers *answers)
{
	struct update_request *last = answers->items[answers->count - 1].request;

	assert(last); /* at least one was judged */
	if (!last->next)
		return;
	registrar->waiting = last->next;
	while (*registrar->end)
		registrar->end = &(*registrar->end)->next;
	last->next = NULL;
	uv_timer_start(&registrar->turn, on_turn, 1, 0); /* 0 would be the same turn */
}

/* Puts the signed requests before the others, and keeps the order within both. Judging an unsigned
 * request that adds a name may look at all registered names (update/judge.c), and a DHCP server,
 * which signs, does not wait long for an answer. */
static struct update_request *signed_first(struct update_request *requests)
{
	struct update_request *first, *others, **first_end = &first, **others_end = &others;

	for (; requests; requests = requests->next)
		if (requests->key_length > 0) {
			*first_end = requests;
			first_end = &requests->next;
		} else {
			*others_end = requests;
			others_end = &requests->next;
		}
	*others_end = NULL;
	*first_end = others;
	return first;
}

static void work_off(struct registrar *registrar)
{
	struct registrar_batch batch = registrar_batch_begin(registrar);
	struct update_request *requests = signed_first(registrar->waiting);
	struct registrar_answers *answers = begin_answers(requests);
	bool good = answers && registrar_is_ready(registrar) &&
		    registrar_refresh_entries(registrar) && registrar_looks_open(registrar);

	registrar->waiting = NULL;
	registrar->end = &registrar->waiting;
	if (good) {
		judge_some(&batch, answers);
		keep_rest(registrar, answers);
	}
	good = good && registrar_batch_store(&batch);
	registrar_batch_release(&batch);
	if (!good) {
		free(answers);
		drop_all(registrar, requests);
		return;
	}
	answers->sequence = registrar->server->sequence;
	STAILQ_INSERT_TAIL(&registrar->answers, answers, next);
	registrar_send_answers(registrar);
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

void registrar_recall(struct registrar *registrar)
{
	struct source *source = registrar->store->source;
	struct registered *registered;
	char error[SOURCE_ERROR_MAX];

	if (registrar->is_read || !source)
		return;
	renewals_release(&registrar->renewals);
	renewals_init(&registrar->renewals, &registrar->server->key);
	if (registrar_read(source, &registrar->server->key, &registrar->renewals, &registered,
			   error) != 0) {
		log_event(LOG_ERROR, "registration",
			  "what was registered before cannot be read: %s", error);
		return;
	}
	registrar->is_read = true;
	registrar->rules = 0;
	registrar->written_s = registrar_now_s();
	registered_unref(registrar->server->registered);
	registrar->server->registered = registered;
}

/* ---- opening and closing ---- */

int registrar_open(struct registrar *registrar, uv_loop_t *loop, struct server *server,
		   struct store *store, struct work *work)
{
	if (uv_timer_init(loop, &registrar->timer) != 0 ||
	    uv_timer_init(loop, &registrar->turn) != 0)
		return ERR_SYSTEM;
	registrar->timer.data = registrar;
	registrar->turn_ns = TURN_MS * 1000000;
	registrar->server = server;
	registrar->store = store;
	registrar->work = work;
	registrar->end = &registrar->waiting;
	STAILQ_INIT(&registrar->answers);
	renewals_init(&registrar->renewals, &server->key);
	server->registrar = (struct server_registrar){registrar, on_requests};
	return 0;
}

void registrar_rest(struct registrar *registrar)
{
	bool writes = registrar_is_ready(registrar) && registrar->is_read &&
		      registrar->server->current && !registrar->store->held;

	registrar->rests = true;
	uv_timer_stop(&registrar->timer);
	if (writes)
		registrar_looks_write(registrar);
}

void registrar_take(struct registrar *registrar)
{
	registrar->rests = registrar->is_read = false;
}

void registrar_close(struct registrar *registrar)
{
	struct registrar_answers *answers;

	registrar->rests = true;
	uv_timer_stop(&registrar->turn);
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
	registrar_looks_end(&registrar->look);
	renewals_release(&registrar->renewals);
}
