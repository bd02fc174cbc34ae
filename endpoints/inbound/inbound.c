/* The part of inbound that UDP and TCP share: reads packets, answers those that are not fine, gives
 * the others to the resolver, and manages a listener's life.
 *
 *     udp ────────┐                    ┌─ not fine ─► a reply at once, or none: FORMERR, NOTIMP,
 *                 ├─► inbound_read ────┤              BADVERS, BADCOOKIE, SERVFAIL without room,
 *     connection ─┘                    │              and REFUSED to strangers
 *                                      └─ fine ─────► inbound_hand_over ──► on_query
 *
 * A listener's memory stays until its last loop handle is closed and its last query is back.
 *
 * Not here: which clients may ask and how often (inbound/admission.c), and what a question
 * means. */
#include "endpoints/inbound/connection.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "rules/base.h"

static void inbound_free_when_done(struct inbound *inbound)
{
	if (!inbound->stopped || inbound->handles > 0 || inbound->queries > 0)
		return;
	free(inbound);
}

void inbound_handle_closed(struct inbound *inbound)
{
	assert(inbound->handles > 0);
	inbound->handles--;
	inbound_free_when_done(inbound);
}

void inbound_hand_over(struct inbound *inbound, struct query **queries, unsigned count)
{
	struct inbound_worker *worker = inbound->worker;

	inbound->queries += count;
	for (unsigned pass = 0; pass < INBOUND_PASSES; pass++)
		for (unsigned i = 0; i < count; i++)
			worker->on_arrival(worker->context, queries[i], pass);
	for (unsigned i = 0; i < count; i++)
		worker->on_query(worker->context, queries[i]);
}

void inbound_take_back(struct inbound *inbound, struct query *query)
{
	assert(inbound->queries > 0);
	query_give(inbound->worker->pool, query);
	inbound->queries--;
	inbound_free_when_done(inbound);
}

static size_t query_limit(const struct inbound_worker *worker, const struct query *query)
{
	if (query->tcp)
		return MESSAGE_MAX;
	uint16_t payload = query->request.payload;
	return payload < worker->payload_max ? payload : worker->payload_max;
}

static struct message_end end_of(const struct inbound *inbound, const struct query *query,
				 const struct inbound_error *error)
{
	return (struct message_end){.rcode = error->rcode,
				    .truncated = error->truncated,
				    .ede = error->ede,
				    .ede_text = error->text,
				    .payload = inbound->worker->payload_max,
				    .tcp = query->tcp,
				    .limit = query->limit};
}

size_t inbound_write_error(const struct inbound *inbound, const struct query *query,
			   const struct inbound_error *error,
			   uint8_t reply[INBOUND_ERROR_REPLY_MAX])
{
	const struct message_end end = end_of(inbound, query, error);
	struct message message;

	message_begin(&message, reply, INBOUND_ERROR_REPLY_MAX, query->question,
		      query->request.question_length);
	return message_finish(&message, &query->request, &end);
}

size_t inbound_reply_error(const struct inbound *inbound, const struct query *query,
			   const struct inbound_error *error,
			   uint8_t reply[INBOUND_ERROR_REPLY_MAX])
{
	COUNTER_ADD(inbound->counters->replies[error->rcode], 1);
	return inbound_write_error(inbound, query, error, reply);
}

void inbound_count_turned_away(const struct inbound *inbound, const struct query *query)
{
	if (query->tcp)
		COUNTER_ADD(inbound->counters->turned_away_tcp, 1);
	else
		COUNTER_ADD(inbound->counters->turned_away_udp, 1);
}

size_t inbound_turn_away(const struct inbound *inbound, const struct query *query,
			 const struct inbound_error *error, uint8_t reply[INBOUND_ERROR_REPLY_MAX])
{
	const struct inbound_worker *worker = inbound->worker;
	size_t length = error ? inbound_reply_error(inbound, query, error, reply) : 0;
	struct message_end end;

	if (!worker->on_turned_away)
		return length;
	if (error)
		end = end_of(inbound, query, error);
	worker->on_turned_away(worker->context, query, error ? &end : NULL, reply, length);
	return length;
}

/* Whether the client's cookie is good. Good or not, the reply has a good one, unless this worker
 * gives no cookies. */
static bool check_cookie(struct inbound_worker *worker, struct query *query)
{
	struct request *request = &query->request;

	if (!worker->unix_s)
		return false;
	request->cookie_answered = true;
	return cookie_check(&worker->cookies, &query->client, worker->unix_s(worker->context),
			    request->cookie, request->cookie_length);
}

static void keep_question(const struct inbound_worker *worker, struct query *query,
			  const uint8_t *packet)
{
	query->limit = query_limit(worker, query);
	memcpy(query->question, packet + MESSAGE_HEADER, query->request.question_length);
}

/* Reads only the question of a stranger's packet, so that a long one costs no more. */
static size_t read_stranger(struct inbound *inbound, struct query *query, const uint8_t *packet,
			    size_t packet_length, uint8_t reply[INBOUND_ERROR_REPLY_MAX])
{
	struct inbound_worker *worker = inbound->worker;

	if (!message_read_question(&query->request, &query->name, worker->key, packet,
				   packet_length)) {
		COUNTER_ADD(inbound->counters->silent, 1);
		return 0;
	}
	keep_question(worker, query, packet);
	query->proven = query->tcp;
	return inbound_refuse_stranger(inbound, query, reply);
}

/* An updater retries after silence, but may give up after an error. So an update gets no answer if
 * there is no room for it, or if this server is leaving. */
static size_t leave_unanswered(struct inbound *inbound, const struct query *query,
			       uint8_t reply[INBOUND_ERROR_REPLY_MAX])
{
	COUNTER_ADD(inbound->counters->updates_ignored, 1);
	inbound_count_turned_away(inbound, query);
	return inbound_turn_away(inbound, query, NULL, reply);
}

bool inbound_read(struct inbound *inbound, struct query *query, const uint8_t *packet,
		  size_t packet_length, enum rcode refuse, uint8_t reply[INBOUND_ERROR_REPLY_MAX],
		  size_t *length)
{
	struct inbound_worker *worker = inbound->worker;
	enum rcode rcode = RCODE_NOERROR;
	bool allowed = inbound_is_allowed(inbound, &query->client);

	*length = 0;
	if (!allowed && !worker->leaves) {
		*length = read_stranger(inbound, query, packet, packet_length, reply);
		return false;
	}
	enum request_state state = message_read_request(&query->request, &query->name, worker->key,
							packet, packet_length, &rcode);
	if (state == REQUEST_SILENT) {
		COUNTER_ADD(inbound->counters->silent, 1);
		return false;
	}
	keep_question(worker, query, packet);
	bool vouched = query->request.cookie_length > 0 && check_cookie(worker, query);
	query->proven = query->tcp || vouched;
	query->packet = packet;
	query->packet_length = packet_length;
	if (state == REQUEST_FINE && refuse == RCODE_NOERROR) {
		if (!allowed)
			*length = inbound_refuse_gone(inbound, query, reply);
		return allowed;
	}
	if (request_is_update(&query->request)) {
		bool fine = state == REQUEST_UPDATE && refuse != RCODE_FORMERR;

		if (!worker->accepts_updates) {
			state = REQUEST_ERROR;
			rcode = RCODE_NOTIMP;
		} else if (fine && refuse == RCODE_NOERROR && allowed) {
			return true;
		} else if (fine) {
			*length = leave_unanswered(inbound, query, reply);
			return false;
		}
	}
	if (state != REQUEST_ERROR)
		rcode = refuse;
	else if (rcode == RCODE_NOERROR && query->request.cookie_answered && !vouched &&
		 query->request.cookie_length > MESSAGE_COOKIE_CLIENT)
		rcode = RCODE_BADCOOKIE; /* to a query for a cookie alone (RFC 7873 section 5.4) */
	struct inbound_error error = {.rcode = rcode, .ede = EDE_NONE};
	if (rcode == RCODE_SERVFAIL) {
		COUNTER_ADD(inbound->counters->overload, 1);
		inbound_count_turned_away(inbound, query);
		error.ede = EDE_OTHER;
		error.text = "too many queries under way";
	} else if (rcode != RCODE_NOERROR && rcode != RCODE_BADCOOKIE) {
		COUNTER_ADD(inbound->counters->malformed, 1);
	}
	*length = inbound_turn_away(inbound, query, &error, reply);
	return false;
}

/* ---- a listener's life ---- */

int inbound_worker_init(struct inbound_worker *worker)
{
	struct inbound_shared *shared = calloc(1, sizeof *shared);

	if (!shared)
		return ERR_NOMEM;
	shared->udp = udp_batch_new();
	shared->tcp = tcp_batch_new();
	worker->shared = shared;
	if (shared->udp && shared->tcp)
		return 0;
	inbound_worker_release(worker);
	return ERR_NOMEM;
}

void inbound_worker_release(struct inbound_worker *worker)
{
	assert(!worker->listeners && worker->tcp_connections == 0);
	if (!worker->shared)
		return;
	wheel_cancel(worker->wheel, &worker->drained);
	udp_batch_free(worker->shared->udp);
	tcp_batch_free(worker->shared->tcp);
	free(worker->shared);
	worker->shared = NULL;
}

/* ---- watching sockets ---- */

int inbound_watch(struct inbound *inbound, uv_poll_t *poll, int fd, uv_poll_cb on_ready,
		  struct timer *again)
{
	struct inbound_worker *worker = inbound->worker;
	bool made = poll->data || uv_poll_init(worker->loop, poll, fd) == 0;

	if (made && !poll->data) {
		poll->data = inbound;
		inbound->handles++;
	}
	if (made && uv_poll_start(poll, UV_READABLE, on_ready) == 0)
		return 0;
	COUNTER_ADD(inbound->counters->watch_failed, 1);
	wheel_arm(worker->wheel, again, worker->now_us(worker->context) + INBOUND_AGAIN_US);
	return ERR_SYSTEM;
}

void inbound_clear_error(int fd)
{
	int error;
	socklen_t length = sizeof error;

	(void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
}

static void on_poll_closed(uv_handle_t *handle)
{
	inbound_handle_closed(handle->data);
}

void inbound_unwatch(struct inbound *inbound, uv_poll_t *poll, struct timer *again)
{
	wheel_cancel(inbound->worker->wheel, again);
	if (poll->data)
		uv_close((uv_handle_t *)poll, on_poll_closed);
}

/* ---- beginning and ending ---- */

static void inbound_unlink(struct inbound *inbound)
{
	*inbound->link = inbound->next;
	if (inbound->next)
		inbound->next->link = inbound->link;
}

static void inbound_link(struct inbound_worker *worker, struct inbound *inbound)
{
	inbound->next = worker->listeners;
	inbound->link = &worker->listeners;
	if (inbound->next)
		inbound->next->link = &inbound->next;
	worker->listeners = inbound;
}

int inbound_start(struct inbound_worker *worker, struct listener *listener, unsigned index,
		  void *binding, struct inbound **result)
{
	assert(index < listener->workers && worker->shared);
	assert(worker->payload_max >= MESSAGE_UDP_MIN &&
	       worker->payload_max <= INBOUND_PAYLOAD_MAX);
	struct inbound *inbound = *result = listener_take(listener, index);
	if (!inbound)
		return ERR_NOT_FOUND;
	inbound->worker = worker;
	inbound->listener = listener;
	inbound->binding = binding;
	inbound->counters = &worker->counters;
	inbound->host = listener->host;
	inbound->wildcard = address_is_unspecified(&listener->host.address);
	inbound->udp = listener->shares[index].udp;
	inbound->twin = listener->shares[index].twin;
	inbound->tcp = listener->shares[index].tcp;
	inbound_link(worker, inbound);
	int udp = inbound_udp_start(inbound), tcp = inbound_tcp_start(inbound);
	return udp < 0 ? udp : tcp;
}

void inbound_rebind(struct inbound *inbound, void *binding)
{
	inbound->binding = binding;
}

void inbound_count_at(struct inbound *inbound, struct inbound_counters *counters)
{
	inbound->counters = counters;
}

void inbound_stop(struct inbound *inbound)
{
	assert(!inbound->stopped);
	if (inbound->worker->leaves)
		inbound_udp_turn(inbound->worker); /* answers packets that have come already */
	inbound->stopped = true;
	inbound_unlink(inbound);
	inbound_udp_stop(inbound); /* flushes gathered replies, also by TCP */
	inbound_tcp_stop(inbound);
	listener_gave_up_share(inbound->listener);
	inbound->listener = NULL;
	inbound_free_when_done(inbound);
}

/* Stops watching, and stops retrying to watch. */
static void inbound_rest(struct inbound *inbound, uv_poll_t *poll, struct timer *again)
{
	wheel_cancel(inbound->worker->wheel, again);
	if (poll->data)
		uv_poll_stop(poll);
}

static void inbound_shorten_idle(struct inbound_worker *worker)
{
	if (worker->tcp.idle_timeout_ms > INBOUND_DRAIN_MS)
		worker->tcp.idle_timeout_ms = INBOUND_DRAIN_MS;
}

static void on_drained(struct timer *timer, uint64_t now_us)
{
	struct inbound_worker *worker = container_of(timer, struct inbound_worker, drained);

	(void)now_us;
	for (struct inbound *at = worker->listeners; at; at = at->next)
		inbound_tcp_end(at);
}

void inbound_drain(struct inbound_worker *worker)
{
	worker->drains = true;
	inbound_shorten_idle(worker);
	for (struct inbound *at = worker->listeners; at; at = at->next) {
		inbound_rest(at, &at->udp_poll, &at->udp_again);
		inbound_rest(at, &at->tcp_poll, &at->tcp_again);
		inbound_tcp_hurry(at);
	}
	timer_init(&worker->drained, on_drained);
	wheel_arm(worker->wheel, &worker->drained,
		  worker->now_us(worker->context) + INBOUND_DRAIN_MS * 1000);
}

void inbound_leave(struct inbound_worker *worker)
{
	worker->leaves = true;
	inbound_shorten_idle(worker);
	for (struct inbound *at = worker->listeners; at; at = at->next) {
		inbound_let_nobody_in(at);
		if (worker->drains)
			(void)inbound_udp_watch(at); /* a failure is retried */
		inbound_tcp_refuse(at);
		inbound_tcp_end(at);
	}
	worker->drains = false;
}

void inbound_flush(struct inbound_worker *worker)
{
	if (!worker->shared)
		return;
	udp_batch_flush(worker->shared->udp);
	tcp_batch_flush(worker->shared->tcp);
}
