/* Probes: our own questions, which find out whether a target lives. Nobody waits for their answers:
 * any matching reply is a sign of life. They are few, so they count towards no endpoint's limit and
 * take no token. Their answers go to no cache and no log.
 *
 *     in doubt         at once, with the known questions: silence makes the target suspect
 *     suspect, asked   the same, every 100 to 500 ms, when a client's question needs it
 *     suspect          every 5 to 50 s, by the timer below, so that status, alerts and readiness
 *                      become right even if no client asks for anything
 *
 * The timer runs only while there is a suspect, in the workers that found one. Every second, only
 * one of these workers takes the turn, and probes the served suspects whose last probe is the
 * oldest. A target that is no longer served is not probed.
 *
 * A target that has never answered has no known question. Its first probe repeats the last question
 * that it left unanswered; only once, because it may never answer that name. Later probes ask for
 * the SOA of its rule's domain. */
#include "endpoints/upstream/internal.h"

#include "rules/base.h"

/* A probe without an answer within silence_us counts as silence of the target; 0: never. ERR_NOMEM:
 * the table is full, or there is no memory, descriptor or port; ERR_SYSTEM: its source cannot be
 * used. */
static int send_probe(struct lookups *table, void *holder, const struct upstream *upstream,
		      const struct target_question *question, uint64_t silence_us, uint64_t now_us)
{
	struct flight *flight = flight_new(table, holder, upstream, &question->client);
	uint8_t wire[MESSAGE_QUERY_MAX];

	if (!flight)
		return ERR_NOMEM;
	flight->probe = true;
	flight->edns = !target_is_plain(flight->target, now_us);
	flight->tcp = upstream->protocol == PROTOCOL_TCP;
	size_t length = message_write_query(wire, flight->id, question->name, question->length,
					    question->type, question->checking_disabled,
					    question->dnssec_ok, flight->edns);
	int err = flight_depart(flight, wire, length, question->length, silence_us, now_us);
	if (err == 0)
		target_on_probe(upstream->target);
	return err;
}

unsigned lookup_probe(struct lookups *table, void *holder, const struct upstream *upstream,
		      uint64_t now_us)
{
	struct target_question known[TARGET_KNOWN];
	unsigned count = target_known(upstream->target, known), sent = 0;
	uint64_t wait_us = target_probe_wait_us(known, count);

	while (sent < count &&
	       send_probe(table, holder, upstream, &known[sent], wait_us, now_us) == 0)
		sent++;
	return sent;
}

/* ---- suspects that no question needs ---- */

/* Targets without known questions may be probed with this one later. That probe counts as one of
 * the question's packets, so that a dead name does not cost more packets than others. */
void lookup_miss(const struct lookup *lookup)
{
	struct target_question question = {.type = lookup->key.type,
					   .length = (uint8_t)lookup->name.length};

	if (lookup->packets >= LOOKUP_PACKETS)
		return;
	memcpy(question.name, lookup->name.wire, lookup->name.length);
	for (unsigned i = 0; i < lookup->key.leg->upstream_count; i++) {
		struct target *target = lookup->key.leg->upstreams[i].target;

		if (lookup->attempts[i].sends > 0 && target_knows_nothing(target))
			target_miss(target, &question);
	}
}

/* Asks for the SOA of the rule's domain, which every server of the domain has. rule NULL: for the
 * root's. */
static struct target_question apex_question(const struct lookups *table, const struct rule *rule)
{
	const char *domain = rule ? rule->domain : ".";
	struct target_question question = {.type = TYPE_SOA, .length = 1};
	struct name name;

	if (name_from_text(&name, &table->key, domain) == 0) {
		question.length = (uint8_t)name.length;
		memcpy(question.name, name.wire, name.length);
	}
	return question;
}

static void recheck(struct lookups *table, const struct served_target *served, uint64_t now_us)
{
	struct target *target = served->upstream->target;
	struct target_question question;

	if (!target_take_recheck(target, now_us) ||
	    lookup_probe(table, table->served_holder, served->upstream, now_us) > 0)
		return;
	if (!target_take_missed(target, &question))
		question = apex_question(table, served->rule);
	int err = send_probe(table, table->served_holder, served->upstream, &question, 0, now_us);
	if (err)
		target_on_error(target, err == ERR_NOMEM ? TARGET_ERROR_ROOM : TARGET_ERROR_SOURCE);
}

static uint64_t probed_us(const struct served_target *served)
{
	return target_probed_us(served->upstream->target);
}

/* Finds the suspects whose last probe is the oldest, the oldest first. Returns how many. */
static unsigned find_unprobed(const struct served_targets *served,
			      const struct served_target *found[TARGET_RECHECKS], uint64_t now_us)
{
	unsigned count = 0;

	for (size_t i = 0; i < served->count; i++) {
		const struct served_target *one = &served->items[i];
		unsigned at = count;

		if (!target_wants_recheck(one->upstream->target, now_us))
			continue;
		while (at > 0 && probed_us(found[at - 1]) > probed_us(one))
			at--;
		if (at == TARGET_RECHECKS)
			continue;
		count += count < TARGET_RECHECKS;
		memmove(&found[at + 1], &found[at],
			(count - at - 1) * sizeof(struct served_target *));
		found[at] = one;
	}
	return count;
}

void lookup_recheck(struct lookups *table, uint64_t now_us)
{
	if (table->registry && !timer_armed(&table->recheck_timer))
		wheel_arm(table->wheel, &table->recheck_timer, now_us + LOOKUP_RECHECK_US);
}

void lookup_on_recheck_timer(struct timer *timer, uint64_t now_us)
{
	struct lookups *table = container_of(timer, struct lookups, recheck_timer);
	const struct served_target *found[TARGET_RECHECKS];

	if (target_registry_suspects(table->registry) == 0)
		return; /* until the next one is found */
	lookup_recheck(table, now_us);
	if (!table->served || !target_registry_take_turn(table->registry, now_us))
		return;
	unsigned count = find_unprobed(table->served, found, now_us);
	for (unsigned i = 0; i < count; i++)
		recheck(table, found[i], now_us);
}
