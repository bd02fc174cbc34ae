/* Incoming NOTIFY is not handled here; it is answered NOTIMP. */
#include "resolver/control/service/zone_notice.h"

#include "resolver/control/base/json.h"

const char *const notice_state_texts[NOTICE_STATES] = {"waiting", "answered", "given up"};

static void set_state(struct notice *notice, enum notice_state state, uint64_t now_s)
{
	notice->state = state;
	notice->at_s = now_s;
	if (state != NOTICE_WAITING)
		notice->due_ms = UINT64_MAX;
}

void notice_init(struct notice *notice)
{
	*notice = (struct notice){.due_ms = UINT64_MAX};
}

/* A notice that was not sent yet keeps its due time. */
void notice_tell(struct notice *notice, uint32_t serial, struct instant now)
{
	uint64_t due_ms = now.ms + NOTICE_LOOK_MS;
	bool at_hand = notice->due_ms != UINT64_MAX && notice->tries == 0;

	if (notice->sent_ms && due_ms < notice->sent_ms + NOTICE_APART_MS)
		due_ms = notice->sent_ms + NOTICE_APART_MS;
	notice->serial = serial;
	notice->tries = 0;
	exchange_close(&notice->exchange);
	if (!at_hand)
		notice->due_ms = due_ms;
	set_state(notice, NOTICE_WAITING, now.s);
}

bool notice_send(struct notice *notice, const struct name *zone, const struct rrset *soa,
		 const struct tsig_key *key, struct instant now, struct exchange_message *out)
{
	if (notice->tries == NOTICE_TRIES) {
		exchange_close(&notice->exchange);
		set_state(notice, NOTICE_GIVEN_UP, now.s);
		return false;
	}
	notice->due_ms = now.ms + ((uint64_t)NOTICE_FIRST_MS << notice->tries++);
	notice->sent_ms = now.ms;
	exchange_notify(&notice->exchange, zone, soa, key, now.s, out);
	return true;
}

bool notice_receive(struct notice *notice, const struct exchange_answer *answer, struct instant now)
{
	if (exchange_receive(&notice->exchange, answer, now.s) != EXCHANGE_ANSWERED)
		return false;
	set_state(notice, NOTICE_ANSWERED, now.s);
	notice->told = true;
	notice->told_serial = notice->serial;
	notice->rcode = answer->flags & FLAG_RCODE;
	return true;
}

void notice_put(const struct notice *notice, json_t *object)
{
	json_put(object, "serial", notice->told ? json_integer(notice->told_serial) : json_null());
	json_put(object, "state", json_text(notice_state_texts[notice->state]));
	json_put(object, "answer", notice->told ? json_integer(notice->rcode) : json_null());
	json_put(object, "at", json_time((int64_t)notice->at_s));
}
