/* The clients of a story: a question that arrives at an endpoint, and its whole answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rules/rcode.h"
#include "rules/text.h"
#include "tests/lib/message_text.h"
#include "tests/lib/scenario_internal.h"

/* ---- asking ---- */

struct asking {
	struct place place;
	struct address by; /* family 0: not given */
	uint16_t flags, type, class;
	unsigned payload;
	bool dnssec_ok, tcp;
};

static bool at_endpoint(struct scenario *s, struct asking *asking)
{
	const char *name = scenario_word(s);
	const struct policy_inbound *inbound =
		name ? policy_find_inbound(stage_policy(s->stage), name) : NULL;

	if (!inbound)
		return scenario_fail(s, "there is no inbound endpoint %s", name ? name : "");
	asking->place = (struct place){inbound->network, false};
	return true;
}

static bool by_address(struct scenario *s, struct asking *asking)
{
	const char *text = scenario_word(s);

	return (text && address_parse(&asking->by, text) == 0) || scenario_fail(s, "from where?");
}

static bool from_source(struct scenario *s, struct asking *asking)
{
	if (!by_address(s, asking))
		return false;
	asking->place = policy_place_of_client(stage_policy(s->stage), &asking->by);
	return true;
}

static bool with_size(struct scenario *s, struct asking *asking)
{
	const char *text = scenario_word(s);

	asking->payload = text ? (unsigned)strtoul(text, NULL, 10) : 0;
	return asking->payload || scenario_fail(s, "which size?");
}

static bool read_asking(struct scenario *s, struct asking *asking)
{
	while (s->used < s->word_count) {
		bool good = true;

		if (scenario_take(s, "at"))
			good = at_endpoint(s, asking);
		else if (scenario_take(s, "from"))
			good = from_source(s, asking);
		else if (scenario_take(s, "by"))
			good = by_address(s, asking);
		else if (scenario_take(s, "size"))
			good = with_size(s, asking);
		else if (scenario_take(s, "do"))
			asking->dnssec_ok = true;
		else if (scenario_take(s, "cd"))
			asking->flags |= FLAG_CD;
		else if (scenario_take(s, "rd0"))
			asking->flags &= (uint16_t)~FLAG_RD;
		else if (scenario_take(s, "ad"))
			asking->flags |= FLAG_AD;
		else if (scenario_take(s, "chaos"))
			asking->class = CLASS_CH;
		else if (scenario_take(s, "noedns"))
			asking->payload = 0;
		else if (scenario_take(s, "tcp"))
			asking->tcp = true;
		else
			return scenario_end_of_words(s);
		if (!good)
			return false;
	}
	return true;
}

bool client_asks(struct scenario *s, const char *actor)
{
	struct asking asking = {.flags = FLAG_RD, .class = CLASS_IN, .payload = 1232};
	uint8_t wire[MESSAGE_UDP_MIN];
	static uint16_t id;

	if (!s->stage->hold || !stage_policy(s->stage)->inbound_count)
		return scenario_fail(s, "there is no configuration with an inbound endpoint yet");
	asking.place.network = stage_policy(s->stage)->inbounds[0].network;
	const char *name = scenario_word(s), *type = scenario_word(s);
	if (!name || !type || record_type_parse(&asking.type, type) != 0)
		return scenario_fail(s, "asks what?");
	if (!read_asking(s, &asking))
		return false;
	size_t length = request_write(wire, ++id, asking.flags, name, asking.type, asking.class,
				      asking.payload, asking.dnssec_ok);
	s->stage->asker = asking.by;
	if (!length || !stage_ask(s->stage, actor, asking.place, wire, length, asking.tcp))
		return scenario_fail(s, "that is not a request");
	return true;
}

/* ---- getting ---- */

struct getting {
	char status[64];
	int ede;
	const char *ede_text, *nsid;
	const char *question;
};

static bool read_getting(struct scenario *s, struct getting *getting)
{
	const char *rcode = scenario_word(s);

	getting->ede = -1;
	if (!rcode || rcode_parse(rcode) < 0)
		return scenario_fail(s, "gets what?");
	snprintf(getting->status, sizeof getting->status, "%s", rcode);
	while (s->used < s->word_count) {
		const char *word = scenario_word(s);

		if (strcmp(word, "ede") == 0) {
			const char *code = scenario_word(s);

			getting->ede = code ? (int)strtol(code, NULL, 10) : -1;
			getting->ede_text = scenario_word(s);
		} else if (strcmp(word, "nsid") == 0) {
			getting->nsid = scenario_word(s);
		} else if (strcmp(word, "question") == 0) {
			getting->question = scenario_word(s);
		} else {
			text_append(getting->status, sizeof getting->status, " %s", word);
		}
	}
	return true;
}

/* Checks what is true for every answer. */
static bool check_always(struct scenario *s, const struct stage_client *client,
			 const struct message_text *got)
{
	const struct request *request = &client->query.request;

	if (client->answers != 1)
		return scenario_fail(s, "%s was answered %u times", client->name, client->answers);
	if (wire_u16(client->reply) != request->id)
		return scenario_fail(s, "the answer has another id");
	if (wire_u16(client->reply + 4) != 1 ||
	    memcmp(client->reply + MESSAGE_HEADER, client->query.question,
		   request->question_length) != 0)
		return scenario_fail(s, "the answer has another question: %s", got->question);
	if (client->reply_length > client->query.limit)
		return scenario_fail(s, "%zu bytes where %zu are allowed", client->reply_length,
				     client->query.limit);
	if (got->edns != request->edns || got->dnssec_ok != request->dnssec_ok)
		return scenario_fail(s, "EDNS or DO differ from the question's");
	return true;
}

/* Whether the text contains `want`, or ends with it if `want` has a '$' at its end. "": no text. */
static bool ede_text_is(const char *want, const char *got)
{
	size_t length = strlen(want), has = strlen(got);

	if (length == 0 || want[length - 1] != '$')
		return length ? strstr(got, want) != NULL : has == 0;
	length--;
	return has >= length && strncmp(got + has - length, want, length) == 0;
}

static bool check_ede(struct scenario *s, const struct getting *want,
		      const struct message_text *got)
{
	if (want->ede != got->ede)
		return scenario_fail(s, "expected EDE %d, got %d \"%s\"", want->ede, got->ede,
				     got->ede_text);
	if (want->ede_text && !ede_text_is(want->ede_text, got->ede_text))
		return scenario_fail(s, "expected EDE text with \"%s\", got \"%s\"", want->ede_text,
				     got->ede_text);
	return true;
}

static bool check_answer(struct scenario *s, const struct getting *want, const char *records,
			 const struct message_text *got)
{
	char question[NAME_TEXT_MAX];

	if (strcmp(want->status, got->status) != 0)
		return scenario_fail(s, "expected %s, got %s%s%s\n%s", want->status, got->status,
				     got->ede >= 0 ? ", EDE: " : "", got->ede_text, got->records);
	if (!check_ede(s, want, got))
		return false;
	snprintf(question, sizeof question, "%.*s", (int)strcspn(got->question, " "),
		 got->question);
	if (want->question && strcmp(want->question, question) != 0)
		return scenario_fail(s, "expected the question %s, got %s", want->question,
				     question);
	if (strcmp(want->nsid ? want->nsid : "", got->nsid) != 0)
		return scenario_fail(s, "expected NSID \"%s\", got \"%s\"",
				     want->nsid ? want->nsid : "", got->nsid);
	if (strcmp(records, got->records) != 0)
		return scenario_fail(s, "expected\n%sgot\n%s", records, got->records);
	return true;
}

bool client_gets(struct scenario *s, const char *actor)
{
	struct stage_client *client = stage_find_client(s->stage, actor);
	struct message_text got = {0};
	struct getting want = {0};

	if (!client)
		return scenario_fail(s, "%s has asked nothing", actor);
	if (scenario_take(s, "nothing yet"))
		return client->answers == 0 || scenario_fail(s, "%s was answered", actor);
	if (!read_getting(s, &want))
		return false;
	if (client->answers == 0)
		return scenario_fail(s, "%s was not answered", actor);
	client->seen = true;
	char *records = scenario_records(s);
	bool good = records && (message_read_text(&got, client->reply, client->reply_length) ||
				scenario_fail(s, "ldns cannot read the answer"));
	good = good && check_always(s, client, &got) && check_answer(s, &want, records, &got);
	message_text_release(&got);
	free(records);
	return good;
}

bool clients_are_told(struct scenario *s)
{
	for (const struct stage_client *c = s->stage->clients; c; c = c->next) {
		struct message_text got;

		if (c->seen || !c->answers)
			continue;
		message_read_text(&got, c->reply, c->reply_length);
		scenario_fail(s, "before this, %s got an answer that is not told: %s %s\n%s",
			      c->name, got.status, got.ede_text, got.records);
		message_text_release(&got);
		return false;
	}
	return true;
}
