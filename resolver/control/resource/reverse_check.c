/* Each question is a leg. The outbound legs are asked at once, then a leg back from each place that
 * they led to, also at once; when all are answered, the report is made. Places are compared as
 * text, which is unique for each address and, in lower case, for each name. */
#include "resolver/control/resource/reverse_check.h"

#include <assert.h>
#include <uv.h>

#include "resolver/control/base/json.h"
#include "rules/reverse.h"

enum { LEGS_THERE = 2, ERROR_MAX = ASK_TROUBLE_MAX };

struct check_leg {
	struct forward_check *check;
	uint16_t type;  /* of the records that it asks for */
	json_t *places; /* the texts of these records */
	char error[ERROR_MAX];
};

struct forward_check {
	struct server *server;
	void (*on_end)(void *context, enum reverse_result result, json_t *report);
	void *context;
	char *network;
	struct address address; /* the subject; family 0: the name is the subject */
	char subject[NAME_TEXT_MAX];
	struct check_leg there[LEGS_THERE], back[REVERSE_CHECK_PATHS_MAX];
	unsigned there_count, back_count;
	unsigned waiting; /* legs under way */
	bool on_the_way_back;
	uint64_t end_us;
};

const char *reverse_result_text(enum reverse_result result)
{
	static const char *const texts[] = {
#define X(name, text) text,
		REVERSE_RESULT_MAP(X)
#undef X
	};
	return texts[result];
}

static void legs_done(struct forward_check *check);

/* ---- one question ---- */

/* Prints the data of a record of the leg's type; false for any other record. */
static bool read_place(const struct check_leg *leg, const struct ask_answer *answer,
		       const struct record_view *record, char text[NAME_TEXT_MAX])
{
	struct address address;
	struct name name;
	if (record->type != leg->type)
		return false;
	if (record->type == TYPE_PTR) {
		int err = name_from_wire(&name, &leg->check->server->key, answer->wire,
					 answer->length, record->rdata, NULL);
		return err == 0 && name_to_text(&name, text);
	}
	return ask_record_address(answer, record, &address) && address_print(&address, text);
}

static void read_answer(struct check_leg *leg, const struct ask_answer *answer)
{
	char text[NAME_TEXT_MAX];
	struct ask_records records = ask_answer_records(answer);
	struct record_view record;
	while (ask_records_next(&records, &record))
		if (json_array_size(leg->places) < REVERSE_CHECK_PATHS_MAX &&
		    read_place(leg, answer, &record, text))
			json_add(leg->places, json_text(text));
}

static void on_answer(void *context, const struct ask_answer *answer)
{
	struct check_leg *leg = context;
	char text[ASK_TROUBLE_MAX];
	const char *trouble = ask_answer_trouble(answer, text);
	if (trouble)
		snprintf(leg->error, sizeof leg->error, "%s", trouble);
	else if (answer->rcode == RCODE_NOERROR)
		read_answer(leg, answer);
	if (--leg->check->waiting == 0)
		legs_done(leg->check);
}

static void ask_leg(struct forward_check *check, struct check_leg *leg, const struct name *name,
		    uint16_t type)
{
	uint64_t now_us = uv_hrtime() / 1000;
	const struct ask_question question = {
		.name = name,
		.type = type,
		.network = check->network,
		.patience_us = check->end_us > now_us ? check->end_us - now_us : 1,
	};
	*leg = (struct check_leg){.check = check, .type = type, .places = json_array()};
	int err = server_ask(check->server, &question, on_answer, leg);
	if (err == 0)
		check->waiting++;
	else
		snprintf(leg->error, sizeof leg->error, "it could not be asked: %s", err_text(err));
}

static void ask_pointer(struct forward_check *check, struct check_leg *leg,
			const struct address *address)
{
	char text[NAME_TEXT_MAX];
	struct name name;
	int err = name_from_text(&name, &check->server->key, reverse_text(address, text));
	assert(err == 0);
	(void)err;
	ask_leg(check, leg, &name, TYPE_PTR);
}

static uint16_t type_of(const struct address *address)
{
	return address->family == 4 ? TYPE_A : TYPE_AAAA;
}

/* ---- legs back ---- */

static void ask_back(struct forward_check *check, const char *place)
{
	struct check_leg *leg = &check->back[check->back_count];
	struct address address;
	struct name name;
	if (!check->address.family && address_parse(&address, place) == 0) {
		check->back_count++;
		ask_pointer(check, leg, &address);
	} else if (name_from_text(&name, &check->server->key, place) == 0) {
		check->back_count++;
		ask_leg(check, leg, &name, type_of(&check->address));
	}
}

/* The n-th place that the outbound legs led to. */
static const char *place_at(const struct forward_check *check, unsigned n)
{
	for (unsigned i = 0; i < check->there_count; i++) {
		size_t count = json_array_size(check->there[i].places);
		if (n < count)
			return json_string_value(json_array_get(check->there[i].places, n));
		n -= (unsigned)count;
	}
	return NULL;
}

static void start_back(struct forward_check *check)
{
	const char *place;
	check->on_the_way_back = true;
	check->waiting++; /* held until all legs are asked */
	for (unsigned i = 0; i < REVERSE_CHECK_PATHS_MAX && (place = place_at(check, i)); i++)
		ask_back(check, place);
	if (--check->waiting == 0)
		legs_done(check);
}

/* ---- the report ---- */

static bool leads_back(const struct forward_check *check, const struct check_leg *leg)
{
	for (size_t i = 0; i < json_array_size(leg->places); i++)
		if (strcmp(json_string_value(json_array_get(leg->places, i)), check->subject) == 0)
			return true;
	return false;
}

struct path_tally {
	unsigned confirmed, elsewhere, nowhere, failed;
	unsigned confirmed_at; /* the first path that leads back */
	const struct check_leg
		*worst; /* a path that does not lead back, preferably one that leads elsewhere */
	unsigned worst_at;
};

static struct path_tally count_paths(const struct forward_check *check)
{
	struct path_tally tally = {0};
	for (unsigned i = 0; i < check->back_count; i++) {
		const struct check_leg *leg = &check->back[i];
		bool confirmed = leads_back(check, leg),
		     elsewhere = json_array_size(leg->places) > 0;
		if (!confirmed && (!tally.worst || (elsewhere && tally.elsewhere == 0))) {
			tally.worst = leg;
			tally.worst_at = i;
		}
		if (confirmed && tally.confirmed == 0)
			tally.confirmed_at = i;
		if (confirmed)
			tally.confirmed++;
		else if (*leg->error)
			tally.failed++;
		else if (elsewhere)
			tally.elsewhere++;
		else
			tally.nowhere++;
	}
	return tally;
}

static const char *first_error(const struct forward_check *check)
{
	for (unsigned i = 0; i < check->there_count; i++)
		if (*check->there[i].error)
			return check->there[i].error;
	for (unsigned i = 0; i < check->back_count; i++)
		if (*check->back[i].error)
			return check->back[i].error;
	return NULL;
}

/* An address is confirmed if one of its names leads back, a name only if all its addresses do. A
 * failed question counts only if its answer could have changed the result. */
static enum reverse_result judge(const struct forward_check *check, const struct path_tally *tally)
{
	bool address = check->address.family, failed = first_error(check);
	if (address && tally->confirmed > 0)
		return REVERSE_CONFIRMED;
	if (!address && tally->elsewhere > 0)
		return REVERSE_MISMATCH;
	if (failed)
		return REVERSE_FAILED;
	if (check->back_count == 0 || (!address && tally->nowhere > 0))
		return REVERSE_MISSING;
	return address ? REVERSE_MISMATCH : REVERSE_CONFIRMED;
}

static json_t *describe(const struct forward_check *check, const struct path_tally *tally,
			enum reverse_result result)
{
	const char *subject = check->subject, *what = check->address.family ? "name" : "address";
	const char *other = check->address.family ? "address" : "name";
	const char *place = place_at(check, tally->worst ? tally->worst_at : 0);
	const char *elsewhere =
		tally->worst ? json_string_value(json_array_get(tally->worst->places, 0)) : NULL;
	char text[4 * NAME_TEXT_MAX];
	if (result == REVERSE_FAILED)
		snprintf(text, sizeof text, "%s could not be checked: %s", subject,
			 first_error(check));
	else if (!place)
		snprintf(text, sizeof text, "%s has no %s", subject, what);
	else if (result == REVERSE_CONFIRMED)
		snprintf(text, sizeof text, "%s leads to %s and back", subject,
			 place_at(check, tally->confirmed_at));
	else if (!elsewhere)
		snprintf(text, sizeof text, "%s leads to %s, which has no %s", subject, place,
			 other);
	else
		snprintf(text, sizeof text, "%s leads to %s, which leads to %s and not back",
			 subject, place, elsewhere);
	return json_text(text);
}

static json_t *report_of(const struct forward_check *check, const struct path_tally *tally,
			 enum reverse_result result)
{
	json_t *paths = json_array();
	for (unsigned i = 0; i < check->back_count; i++) {
		const struct check_leg *leg = &check->back[i];
		json_add(paths,
			 json_make("{s:s, s:O, s:b, s:o}", "leads_to", place_at(check, i),
				   "back_to", leg->places, "confirmed", leads_back(check, leg),
				   "error", json_text(*leg->error ? leg->error : NULL)));
	}
	return json_make("{s:s, s:s, s:o, s:o}", "subject", check->subject, "result",
			 reverse_result_text(result), "text", describe(check, tally, result),
			 "paths", paths);
}

static void check_free(struct forward_check *check)
{
	for (unsigned i = 0; i < check->there_count; i++)
		json_decref(check->there[i].places);
	for (unsigned i = 0; i < check->back_count; i++)
		json_decref(check->back[i].places);
	free(check->network);
	free(check);
}

static void legs_done(struct forward_check *check)
{
	if (!check->on_the_way_back) {
		start_back(check);
		return;
	}
	struct path_tally tally = count_paths(check);
	enum reverse_result result = judge(check, &tally);
	json_t *report = json_whole(report_of(check, &tally, result));
	void (*on_end)(void *context, enum reverse_result result, json_t *report) = check->on_end;
	void *context = check->context;
	check_free(check);
	on_end(context, result, report);
}

/* ---- outbound legs ---- */

/* If a name was given with the address, it is used instead of asking for the address's PTR. */
static void start_there(struct forward_check *check, const struct name *name)
{
	char text[NAME_TEXT_MAX];
	check->waiting = 1; /* held until all legs are asked */
	if (check->address.family && name->length > 0) {
		check->there[check->there_count++] = (struct check_leg){
			.check = check, .places = json_make("[s]", name_to_text(name, text))};
	} else if (check->address.family) {
		ask_pointer(check, &check->there[check->there_count++], &check->address);
	} else {
		ask_leg(check, &check->there[check->there_count++], name, TYPE_A);
		ask_leg(check, &check->there[check->there_count++], name, TYPE_AAAA);
	}
	if (--check->waiting == 0)
		legs_done(check);
}

int reverse_check(struct server *server, const struct reverse_question *question,
		  void (*on_end)(void *context, enum reverse_result result, json_t *report),
		  void *context)
{
	struct name name = {.length = 0};
	assert(question->address.family || question->name);
	if (question->name && name_from_text(&name, &server->key, question->name) != 0)
		return ERR_INVALID;
	struct forward_check *check = calloc(1, sizeof *check);
	char *network = question->network ? strdup(question->network) : NULL;
	if (!check || (question->network && !network)) {
		free(network);
		free(check);
		return ERR_NOMEM;
	}
	check->server = server;
	check->on_end = on_end;
	check->context = context;
	check->network = network;
	check->address = question->address;
	check->end_us = uv_hrtime() / 1000 + (uint64_t)REVERSE_CHECK_MS * 1000;
	if (check->address.family)
		address_print(&check->address, check->subject);
	else
		name_to_text(&name, check->subject);
	start_there(check, &name);
	return 0;
}
