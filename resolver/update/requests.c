/* One block of memory has a request with its copies, and the worker's data for the answer. The
 * query ends early if there is no answer within UPDATE_PATIENCE_US, or if the worker ends. The
 * block lives until the worker has it back from the control thread, or, if the worker has ended,
 * until the control thread ends the request.
 *
 *     |update_wait: |update_request| for the worker | packet | endpoint 0 | network 0 |
 *
 * Not here: the contents of a request, its rights, and the change itself. */
#include "resolver/update/requests.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "endpoints/socket.h"
#include "resolver/query_ring.h"
#include "resolver/transfer/table.h"
#include "rules/base.h"

enum update_end {
	UPDATE_ANSWERED, /* with the rcode */
	UPDATE_AGAIN,    /* with the rcode of the first request with the same bytes */
	UPDATE_DROPPED,
	UPDATE_REPEATED, /* the first of the same bytes is still under way */
	UPDATE_REPLAYED, /* by another sender */
};

struct update_wait {
	struct update_request request;
	struct stack_item item;  /* in the queue, then in the worker's answers */
	struct updates *updates; /* NULL: its worker has ended */
	enum update_end end;
	enum rcode rcode;
	/* For the worker: */
	struct update_wait *next, **link;
	struct query *query; /* NULL: the query has ended, and there is no hold */
	struct policy_hold *hold;
	struct endpoint_stats *stats;
	struct tsig_context tsig; /* signs the answer to a request that is signed */
	struct timer patience;
	char data[];
};

static struct update_wait *of_request(struct update_request *request)
{
	return container_of(request, struct update_wait, request);
}

static struct update_wait *of_item(struct stack_item *item)
{
	return container_of(item, struct update_wait, item);
}

/* ---- the control thread ---- */

void update_requests_init(struct update_requests *requests, const struct hash_key *hash,
			  uint64_t now_s)
{
	*requests = (struct update_requests){0};
	replays_init(&requests->replays, hash, REPLAYS_MAX, now_s);
}

void update_requests_release(struct update_requests *requests)
{
	update_requests_drop_all(requests);
	assert(requests->taken == 0);
	replays_release(&requests->replays);
}

static void end_request(struct update_wait *wait, enum update_end end, enum rcode rcode)
{
	struct updates *updates = wait->updates;

	if (!updates) {
		free(wait);
		return;
	}
	wait->end = end;
	wait->rcode = rcode;
	if (stack_push(&updates->answers, &wait->item))
		updates->wake_worker(updates->worker);
}

/* True: the request is new. */
static bool pass_replays(struct update_requests *requests, struct update_wait *wait, uint64_t now_s)
{
	const struct update_request *request = &wait->request;
	const struct replay_request seen = {.mac = request->mac,
					    .mac_length = request->mac_length,
					    .signed_s = request->signed_s,
					    .key = request->key,
					    .key_length = request->key_length,
					    .source = request->client,
					    .tcp = request->tcp};
	enum rcode rcode = RCODE_NOERROR;

	if (request->key_length == 0)
		return true;
	switch (replays_judge(&requests->replays, &seen, now_s, &rcode)) {
	case REPLAY_NEW: return true;
	case REPLAY_OLD: end_request(wait, UPDATE_ANSWERED, RCODE_BADTIME); break;
	case REPLAY_WAITING: end_request(wait, UPDATE_REPEATED, RCODE_NOERROR); break;
	case REPLAY_ANSWERED: end_request(wait, UPDATE_AGAIN, rcode); break;
	case REPLAY_FOREIGN: end_request(wait, UPDATE_REPLAYED, RCODE_NOERROR); break;
	case REPLAY_NO_MEMORY: end_request(wait, UPDATE_DROPPED, RCODE_NOERROR); break;
	}
	return false;
}

struct update_request *update_requests_take(struct update_requests *requests, uint64_t now_s)
{
	struct update_request *first = NULL, **end = &first;
	struct stack_item *next;

	for (struct stack_item *item = stack_take(&requests->arrived); item; item = next) {
		struct update_wait *wait = of_item(item);

		next = item->next;
		if (atomic_load(&requests->closed)) {
			end_request(wait, UPDATE_DROPPED, RCODE_NOERROR);
		} else if (pass_replays(requests, wait, now_s)) {
			requests->taken++;
			*end = &wait->request;
			end = &wait->request.next;
		}
	}
	*end = NULL;
	return first;
}

void update_request_answer(struct update_requests *requests, struct update_request *request,
			   enum rcode rcode)
{
	requests->taken--;
	if (request->key_length > 0)
		replays_answer(&requests->replays, request->mac, request->mac_length, rcode);
	end_request(of_request(request), UPDATE_ANSWERED, rcode);
}

void update_request_drop(struct update_requests *requests, struct update_request *request)
{
	requests->taken--;
	if (request->key_length > 0)
		replays_forget(&requests->replays, request->mac, request->mac_length);
	end_request(of_request(request), UPDATE_DROPPED, RCODE_NOERROR);
}

void update_requests_drop_all(struct update_requests *requests)
{
	struct stack_item *next;

	for (struct stack_item *item = stack_take(&requests->arrived); item; item = next) {
		next = item->next;
		end_request(of_item(item), UPDATE_DROPPED, RCODE_NOERROR);
	}
}

void update_requests_close(struct update_requests *requests)
{
	atomic_store(&requests->closed, true);
	update_requests_drop_all(requests);
}

/* ---- the worker: replies ---- */

static void reply(struct updates *updates, struct query *query, const struct policy_hold *hold,
		  struct tsig_context *tsig, enum rcode rcode, struct endpoint_stats *stats)
{
	if (tsig && rcode == RCODE_BADTIME) {
		tsig->error = TSIG_BADTIME;
		rcode = RCODE_NOTAUTH;
	}
	size_t room = tsig ? tsig_room(tsig) : 0;
	const struct message_end end = {.rcode = rcode,
					.ede = EDE_NONE,
					.payload = (uint16_t)hold->policy->udp_payload_max,
					.tcp = query->tcp,
					.limit = query->limit > room ? query->limit - room : 0};
	struct message message;

	COUNTER_ADD(stats->updates_answered[rcode], 1);
	message_begin(&message, updates->buffer, MESSAGE_MAX, query->question,
		      query->request.question_length);
	size_t length = message_finish(&message, &query->request, &end);
	if (tsig)
		length = tsig_sign(tsig, updates->buffer, length, query->limit,
				   updates->time_of_day_s());
	query_finish(query, updates->buffer, length);
}

/* Ends the query, independently of the request. rcode NULL: without a reply. */
static void end_query(struct update_wait *wait, const enum rcode *rcode)
{
	struct updates *updates = wait->updates;
	struct query *query = wait->query;

	wheel_cancel(updates->wheel, &wait->patience);
	wait->query = NULL;
	if (rcode)
		reply(updates, query, wait->hold, wait->request.key_length > 0 ? &wait->tsig : NULL,
		      *rcode, wait->stats);
	else
		query_finish(query, NULL, 0);
	policy_hold_give(wait->hold);
}

static void on_impatient(struct timer *timer, uint64_t now_us)
{
	struct update_wait *wait = container_of(timer, struct update_wait, patience);

	(void)now_us;
	COUNTER_ADD(wait->stats->updates_dropped, 1);
	end_query(wait, NULL);
}

static void unlink_wait(struct updates *updates, struct update_wait *wait)
{
	*wait->link = wait->next;
	if (wait->next)
		wait->next->link = wait->link;
	atomic_fetch_sub_explicit(&updates->requests->open, 1, memory_order_relaxed);
}

/* Replies to clients with a key are not limited like those to unknown sources, because a DHCP
 * server sends thousands of updates at a time. But the same bytes again prove nothing. */
static void finish(struct updates *updates, struct update_wait *wait)
{
	struct endpoint_stats *stats = wait->stats;
	bool answered = false;

	unlink_wait(updates, wait);
	if (!wait->query) {
		free(wait);
		return;
	}
	switch (wait->end) {
	case UPDATE_ANSWERED:
		wait->query->proven |= wait->request.key_length > 0 && wait->rcode != RCODE_BADTIME;
		answered = true;
		break;
	case UPDATE_AGAIN: answered = true; break;
	case UPDATE_DROPPED: COUNTER_ADD(stats->updates_dropped, 1); break;
	case UPDATE_REPEATED: COUNTER_ADD(stats->updates_repeated, 1); break;
	case UPDATE_REPLAYED: COUNTER_ADD(stats->updates_replayed, 1); break;
	}
	end_query(wait, answered ? &wait->rcode : NULL);
	free(wait);
}

void updates_work(struct updates *updates)
{
	struct stack_item *next;

	for (struct stack_item *item = stack_take(&updates->answers); item; item = next) {
		next = item->next;
		finish(updates, of_item(item));
	}
}

void updates_abandon(struct updates *updates)
{
	updates_work(updates);
	while (updates->waits) {
		struct update_wait *wait = updates->waits;

		unlink_wait(updates, wait);
		if (wait->query) {
			COUNTER_ADD(wait->stats->updates_dropped, 1);
			end_query(wait, NULL);
		}
		wait->updates = NULL; /* the block belongs to the control thread */
	}
}

/* ---- the worker: requests ---- */

static const char *network_name(const struct policy_hold *hold, struct place place)
{
	const struct policy *policy = hold->policy;

	return place.network < policy->network_count ? policy->networks[place.network].name : NULL;
}

static size_t text_size(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

static const char *put_text(char *at, const char *text)
{
	return text ? memcpy(at, text, strlen(text) + 1) : NULL;
}

/* Copies everything that the control thread needs of the query. NULL without memory. */
static struct update_wait *wait_new(const struct query *query, const struct policy_hold *hold,
				    struct place place, const struct tsig_context *tsig)
{
	const struct query_binding *binding = query->binding;
	const char *network = network_name(hold, place);
	size_t endpoint_size = text_size(binding->endpoint);
	struct update_wait *wait =
		calloc(1, sizeof *wait + query->packet_length + endpoint_size + text_size(network));

	if (!wait)
		return NULL;
	struct update_request *request = &wait->request;
	request->packet = memcpy(wait->data, query->packet, query->packet_length);
	request->packet_length = query->packet_length;
	request->tcp = query->tcp;
	if (query->tcp)
		request->client.address = query->client;
	else
		socket_host(&query->peer, &request->client);
	char *texts = wait->data + query->packet_length;
	request->endpoint = put_text(texts, binding->endpoint);
	request->network = put_text(texts + endpoint_size, network);
	request->local = *query_local(query);
	request->arrived_us = query->arrived_us;
	if (!tsig)
		return wait;
	request->key_length = tsig->key->name_length;
	memcpy(request->key, tsig->key->name, tsig->key->name_length);
	request->signed_s = tsig->signed_s;
	request->mac_length = tsig->mac_length;
	memcpy(request->mac, tsig->mac, tsig->mac_length);
	wait->tsig = *tsig;
	return wait;
}

/* Takes a place in the queue; false: it is full or closed. Unsigned requests, which anybody can
 * send, leave half of the places to signed ones. */
static bool take_place(struct update_requests *requests, bool is_signed)
{
	unsigned room = is_signed ? UPDATE_REQUESTS_MAX : UPDATE_REQUESTS_MAX / 2;

	if (atomic_load_explicit(&requests->closed, memory_order_relaxed))
		return false;
	if (atomic_fetch_add_explicit(&requests->open, 1, memory_order_relaxed) < room)
		return true;
	atomic_fetch_sub_explicit(&requests->open, 1, memory_order_relaxed);
	return false;
}

static void hand_over(struct updates *updates, struct query *query, struct policy_hold *hold,
		      struct place place, const struct tsig_context *tsig,
		      struct endpoint_stats *stats)
{
	struct update_requests *requests = updates->requests;
	struct update_wait *wait = NULL;

	if (take_place(requests, tsig)) {
		wait = wait_new(query, hold, place, tsig);
		if (!wait)
			atomic_fetch_sub_explicit(&requests->open, 1, memory_order_relaxed);
	}
	if (!wait) {
		COUNTER_ADD(stats->updates_overflowed, 1);
		query_finish(query, NULL, 0);
		return;
	}
	policy_hold_take(hold);
	wait->updates = updates;
	wait->query = query;
	wait->hold = hold;
	wait->stats = stats;
	wait->next = updates->waits;
	wait->link = &updates->waits;
	if (wait->next)
		wait->next->link = &wait->next;
	updates->waits = wait;
	timer_init(&wait->patience, on_impatient);
	wheel_arm(updates->wheel, &wait->patience, query->arrived_us + UPDATE_PATIENCE_US);
	if (stack_push(&requests->arrived, &wait->item))
		updates->wake(updates->context);
}

void updates_start(struct updates *updates, struct query *query, struct policy_hold *hold,
		   struct place place, struct endpoint_stats *stats)
{
	const struct transfer_acl *acl = hold->transfers ? hold->transfers->acl : NULL;
	uint16_t tsig_at = query->request.tsig_at;
	struct tsig_context tsig;
	enum tsig_error error = TSIG_FINE;

	COUNTER_ADD(stats->updates, 1);
	if (tsig_at)
		error = tsig_check(&tsig, acl ? acl->keys : NULL, acl ? acl->key_count : 0,
				   query->packet, query->packet_length, tsig_at,
				   updates->time_of_day_s());
	if (error != TSIG_FINE)
		COUNTER_ADD(stats->tsig_bad, 1);
	if (error == TSIG_FORMERR)
		reply(updates, query, hold, NULL, RCODE_FORMERR, stats);
	else if (error != TSIG_FINE)
		reply(updates, query, hold, &tsig, RCODE_NOTAUTH, stats);
	else if (query->packet_length > UPDATE_MESSAGE_MAX)
		reply(updates, query, hold, tsig_at ? &tsig : NULL, RCODE_REFUSED, stats);
	else
		hand_over(updates, query, hold, place, tsig_at ? &tsig : NULL, stats);
}
