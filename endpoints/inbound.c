/* What inbound does whatever carries the packet: it reads it, answers what is wrong with it, gives
 * what is right to the resolver, and keeps the books of a listener's life.
 *
 *     inbound_udp ─┐                                      ┌─► reply at once: FORMERR, NOTIMP,
 * BADVERS ├─► inbound_read ──► fine, or not? ────┤ inbound_tcp ─┘ └─► inbound_hand_over ──►
 * on_query
 *
 * A listener's memory is kept by its open loop handles and by its queries under way, and goes with
 * the last of them.
 *
 * Not here: any idea of what a question means, access lists, rate limits. */
#include "endpoints/inbound_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void inbound_free_when_done(struct inbound *inbound)
{
	if (!inbound->stopped || inbound->handles > 0 || inbound->queries > 0)
		return;
	struct inbound_worker *worker = inbound->worker;
	assert(worker->shared->users > 0);
	if (--worker->shared->users == 0) {
		udp_batch_free(worker->shared->udp);
		free(worker->shared);
		worker->shared = NULL;
	}
	free(inbound);
}

void inbound_handle_closed(struct inbound *inbound)
{
	assert(inbound->handles > 0);
	inbound->handles--;
	inbound_free_when_done(inbound);
}

void inbound_hand_over(struct inbound *inbound, struct query *query)
{
	inbound->queries++;
	if (query->tcp)
		inbound->worker->counters.tcp_queries++;
	else
		inbound->worker->counters.udp_queries++;
	inbound->worker->on_query(inbound->worker->context, query);
}

void inbound_take_back(struct inbound *inbound, struct query *query)
{
	assert(inbound->queries > 0);
	query_give(inbound->worker->pool, query);
	inbound->queries--;
	inbound_free_when_done(inbound);
}

void inbound_count_reply(struct inbound *inbound, const uint8_t *reply)
{
	inbound->worker->counters.replies++;
	if (message_flags(reply) & FLAG_TC)
		inbound->worker->counters.truncated++;
}

static size_t query_limit(const struct inbound_worker *worker, const struct query *query)
{
	if (query->tcp)
		return MESSAGE_MAX;
	uint16_t payload = query->request.payload;
	return payload < worker->payload_max ? payload : worker->payload_max;
}

bool inbound_read(struct inbound *inbound, struct query *query, const uint8_t *packet,
		  size_t packet_length, enum rcode refuse, uint8_t reply[INBOUND_ERROR_REPLY_MAX],
		  size_t *length)
{
	struct inbound_worker *worker = inbound->worker;
	struct message_end end = {.ede = EDE_NONE, .payload = worker->payload_max};
	*length = 0;
	enum request_state state = message_read_request(&query->request, &query->name, worker->key,
							packet, packet_length, &end.rcode);
	if (state == REQUEST_SILENT) {
		worker->counters.silent++;
		return false;
	}
	query->limit = query_limit(worker, query);
	if (state == REQUEST_FINE && refuse == RCODE_NOERROR) {
		memcpy(query->question, packet + MESSAGE_HEADER, query->request.question_length);
		return true;
	}
	if (state == REQUEST_FINE)
		end.rcode = refuse;
	if (end.rcode == RCODE_SERVFAIL) {
		worker->counters.overload++;
		end.ede = EDE_OTHER;
		end.ede_text = "too many queries under way";
	} else {
		worker->counters.malformed++;
	}
	end.limit = query->limit;
	struct message message;
	message_begin(&message, reply, INBOUND_ERROR_REPLY_MAX, packet + MESSAGE_HEADER,
		      query->request.question_length);
	*length = message_finish(&message, &query->request, &end);
	return false;
}

/* ---- a listener's life ---- */

static int shared_ref(struct inbound_worker *worker)
{
	if (!worker->shared) {
		struct inbound_shared *shared = calloc(1, sizeof *shared);
		if (!shared)
			return ERR_NOMEM;
		shared->udp = udp_batch_new();
		if (!shared->udp) {
			free(shared);
			return ERR_NOMEM;
		}
		worker->shared = shared;
	}
	worker->shared->users++;
	return 0;
}

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
	assert(index < listener->workers);
	assert(worker->payload_max >= MESSAGE_UDP_MIN &&
	       worker->payload_max <= INBOUND_PAYLOAD_MAX);
	struct listener_sockets *sockets = &listener->sockets[index];
	assert(sockets->udp >= 0 && sockets->twin >= 0 && sockets->tcp >= 0);
	struct inbound *inbound = calloc(1, sizeof *inbound);
	if (!inbound || shared_ref(worker) < 0) {
		free(inbound);
		return ERR_NOMEM;
	}
	inbound->worker = worker;
	inbound->binding = binding;
	inbound->host = listener->host;
	inbound->wildcard = address_is_unspecified(&listener->host.address);
	inbound->udp = sockets->udp;
	inbound->twin = sockets->twin;
	inbound->tcp = sockets->tcp;
	inbound_link(worker, inbound);
	if (inbound_udp_start(inbound) < 0 || inbound_tcp_start(inbound) < 0) {
		inbound->udp = inbound->twin = inbound->tcp = -1;
		inbound_stop(inbound);
		return ERR_SYSTEM;
	}
	*sockets = (struct listener_sockets){.udp = -1, .twin = -1, .tcp = -1};
	*result = inbound;
	return 0;
}

void inbound_rebind(struct inbound *inbound, void *binding)
{
	inbound->binding = binding;
}

const struct host *inbound_host(const struct inbound *inbound)
{
	return &inbound->host;
}

void inbound_stop(struct inbound *inbound)
{
	assert(!inbound->stopped);
	inbound_flush(inbound->worker);
	inbound->stopped = true;
	inbound_unlink(inbound);
	inbound_udp_stop(inbound);
	inbound_tcp_stop(inbound);
	inbound_free_when_done(inbound);
}

void inbound_flush(struct inbound_worker *worker)
{
	if (worker->shared)
		udp_batch_flush(worker->shared->udp);
}
