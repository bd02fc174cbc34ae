/* Decides which packets become queries, and which answers leave. A packet must pass the endpoint's
 * access list, which needs only its client's address. Then it is read, and must pass the meter. An
 * answer by UDP must pass the limit of its client's prefix. Packets that do not pass are answered
 * here, or dropped:
 *
 *     allowed? ─► read ─► within the limit? ─► query ─► ... ─► answer ─► for this prefix, too? ─►
 *       │ no                │ no                                           │ no
 *       REFUSED             TC, REFUSED or dropped                         dropped, or TC
 *
 * Clients that have proven their address, by TCP or by a good cookie (RFC 7873 section 5.2.5), have
 * half of the endpoint's limit to themselves (meter.h), and their answers are not limited. TC makes
 * other clients come by TCP, and brings a cookie if they want one; without a cookie it is no longer
 * than the question, so forging gains nothing. A proven client gets REFUSED instead. A request to
 * update over the endpoint's limit is always dropped.
 *
 * A stranger takes no token of the meter, so it cannot use up the endpoint's limit. Its reply is no
 * longer than its packet, and reveals nothing about this server. Once the server is leaving, no
 * client is allowed, but a question is read as usual and gets SERVFAIL, so that its client asks
 * another server.
 *
 * Not here: the counting itself (meter.c, response_limit.c). */
#include "endpoints/inbound/internal.h"

void inbound_let_nobody_in(struct inbound *inbound)
{
	static const struct access nobody;

	inbound->admission = (struct inbound_admission){.access = &nobody};
}

void inbound_set_admission(struct inbound *inbound, const struct inbound_admission *admission)
{
	if (inbound->worker->leaves)
		inbound_let_nobody_in(inbound);
	else
		inbound->admission = *admission;
}

bool inbound_is_allowed(const struct inbound *inbound, const struct address *client)
{
	const struct access *access = inbound->admission.access;

	return !access || access_allows(access, client);
}

/* Answers from the header and the question only. So the reply has no OPT, against RFC 6891 section
 * 7, and no cookie, and inbound_limit_reply must not add them. */
size_t inbound_refuse_stranger(struct inbound *inbound, struct query *query,
			       uint8_t reply[INBOUND_ERROR_REPLY_MAX])
{
	static const struct inbound_error error = {.rcode = RCODE_REFUSED, .ede = EDE_NONE};
	struct request *request = &query->request;

	COUNTER_ADD(inbound->counters->prohibited, 1);
	inbound_count_turned_away(inbound, query);
	*request = (struct request){.id = request->id,
				    .flags = request->flags,
				    .question_length = request->question_length};
	return inbound_turn_away(inbound, query, &error, reply);
}

size_t inbound_answer_excess(struct inbound *inbound, const struct query *query,
			     uint8_t reply[INBOUND_ERROR_REPLY_MAX])
{
	static const struct inbound_error refused = {
		.rcode = RCODE_REFUSED, .ede = EDE_OTHER, .text = "over the endpoint's limit"};
	static const struct inbound_error truncated = {.ede = EDE_NONE, .truncated = true};
	struct inbound_counters *counters = inbound->counters;
	enum excess excess = inbound->admission.excess;

	COUNTER_ADD(counters->over_limit, 1);
	COUNTER_ADD(counters->over_limit_proven, query->proven);
	inbound_count_turned_away(inbound, query);
	/* An updater retries after silence, but gives up after an error. */
	if (excess == EXCESS_DROP || request_is_update(&query->request))
		return inbound_turn_away(inbound, query, NULL, reply);
	if (excess == EXCESS_TRUNCATE && !query->proven)
		return inbound_turn_away(inbound, query, &truncated, reply);
	COUNTER_ADD(counters->over_limit_refused, 1);
	return inbound_turn_away(inbound, query, &refused, reply);
}

static const struct inbound_error gone = {
	.rcode = RCODE_SERVFAIL, .ede = EDE_OTHER, .text = "this address is no longer served"};

size_t inbound_write_gone(struct inbound *inbound, const struct query *query,
			  uint8_t reply[INBOUND_ERROR_REPLY_MAX])
{
	COUNTER_ADD(inbound->counters->listener_gone, 1);
	return inbound_reply_error(inbound, query, &gone, reply);
}

size_t inbound_refuse_gone(struct inbound *inbound, const struct query *query,
			   uint8_t reply[INBOUND_ERROR_REPLY_MAX])
{
	COUNTER_ADD(inbound->counters->listener_gone, 1);
	return inbound_turn_away(inbound, query, &gone, reply);
}

const uint8_t *inbound_limit_reply(struct inbound *inbound, const struct query *query,
				   const uint8_t *reply, size_t *length,
				   uint8_t instead[INBOUND_ERROR_REPLY_MAX])
{
	static const struct inbound_error truncated = {.ede = EDE_NONE, .truncated = true};
	struct inbound_worker *worker = inbound->worker;
	const struct response_limit_settings *settings = &worker->response_limit;

	if (query->proven ||
	    response_limit_take(worker->responses, settings, &query->client, response_kind(reply),
				worker->now_us(worker->context)))
		return reply;
	COUNTER_ADD(inbound->counters->responses_limited, 1);
	if (settings->slip == 0 || ++worker->slipped % settings->slip != 0)
		return NULL;
	COUNTER_ADD(inbound->counters->responses_slipped, 1);
	*length = inbound_write_error(inbound, query, &truncated, instead);
	return instead;
}
