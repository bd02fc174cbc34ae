/* GET /v1/registrations: records registered in private zones, first those of machines, then those
 * of clients (DNS UPDATE).
 *
 *     ?zone=GROUP/NAME   those of this zone
 *     ?q=TEXT            those with this text in the name, the data or `by`
 *     ?served=BOOL       those that are answered, or those that are hidden
 *     ?limit=N           at most N rows on a page (default 1000; N is at most 5000)
 *     ?marker=MARK       the rows after the previous page
 *
 *     {"registrations": [{"zone", "name", "type", "data", "address": of A and AAAA, "ttl", "by",
 *                         "since": when a client has registered it, else null,
 *                         "renewed": when the client registered or confirmed it last,
 *                         "expires": when it is removed unless renewed; null: it stays, "served",
 *                         "hidden_by": a word of api/registrations.h, null: it is served}],
 *      "next": the path and query of the next page, null: this is the last}
 *
 * If many rows do not match, a page ends early, perhaps empty, but with a next one. MARK is the
 * number of machines to skip; or "NUMBER KEY": KEY is the key of a row of the store, NUMBER the
 * number of that row's records to skip.
 *
 * DELETE removes records of clients, with the PTRs that lead back to them. A machine's record can
 * only be removed with its network interface.
 *
 *     ?name=NAME&type=TYPE       the set of that type, or all sets of the name
 *     ?zone=GROUP/NAME           in that zone, which may be gone from the configuration
 *     ?zone=GROUP/NAME&all=true  all sets of the zone, at most a thousand at once
 *     ?dry_run                   removes nothing
 *
 *     {"deleted": [{"zone", "name", "type", "by"}], "more": whether `all` has more,
 *      "dry_run"}
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/api/registrations.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/base/json.h"
#include "resolver/control/service/registrar.h"
#include "resolver/control/service/service.h"
#include "resolver/log.h"
#include "rules/reverse.h"
#include "rules/schema/reference.h"
#include "rules/text.h"
#include "rules/wire.h"
#include "rules/zone/rdata.h"

enum {
	MARK_MAX = REGISTRAR_KEY_MAX + 24,
	RECORDS_MAX = 500, /* clients' records in a page, read in some milliseconds */
	PASSED_MAX = 1000, /* rows without a match in a page, read in some milliseconds */
};

struct registration_page {
	struct api_request *request;
	const struct private_zone *zone; /* NULL: all zones */
	const char *part;                /* ?q; NULL: not given */
	bool of_one_state;               /* ?served was given */
	bool served;
	size_t limit;
	size_t behind;    /* machines to skip, or records of the first row */
	const char *from; /* the first row's key; NULL: begin with machines */
	json_t *rows, *next;
	size_t of_clients; /* rows of clients */
	size_t passed;
};

/* ---- selecting rows ---- */

static bool has_part(const struct registration_page *page, const char *name, const char *data,
		     const char *by)
{
	const char *part = page->part;

	return !part || strcasestr(name, part) || strcasestr(data, part) || strcasestr(by, part);
}

static bool has_state(const struct registration_page *page, const char *hidden_by)
{
	return !page->of_one_state || page->served == !hidden_by;
}

static bool is_full(const struct registration_page *page)
{
	return json_array_size(page->rows) == page->limit || page->of_clients == RECORDS_MAX ||
	       page->passed == PASSED_MAX;
}

/* ---- machines ---- */

static json_t *hidden_json(const char *hidden_by)
{
	return hidden_by ? json_text(hidden_by) : json_null();
}

/* Adds the machine's row if it matches. */
static void look_at_machine(struct registration_page *page, const struct machine *machine)
{
	char address[ADDRESS_TEXT_MAX], name[2 * NAME_TEXT_MAX], by[2 * NAME_TEXT_MAX];
	const char *hidden_by;

	address_print(&machine->address, address);
	snprintf(name, sizeof name, "%s.%s.", machine->label, machine->zone->name);
	snprintf(by, sizeof by, "network interface %s", full_name(&machine->interface->named));
	page->passed++;
	if (!has_part(page, name, address, by))
		return;
	hidden_by = registration_hidden_by(page->request, machine);
	if (!has_state(page, hidden_by))
		return;
	page->passed--;
	json_add(page->rows,
		 json_make("{s:o, s:o, s:s, s:s, s:s, s:i, s:o, s:n, s:n, s:n, s:b, s:o}", "zone",
			   json_text(full_name(&machine->zone->named)), "name", json_text(name),
			   "type", machine->address.family == 4 ? "A" : "AAAA", "data", address,
			   "address", address, "ttl", REGISTERED_TTL_S, "by", json_text(by),
			   "since", "renewed", "expires", "served", !hidden_by, "hidden_by",
			   hidden_json(hidden_by)));
}

static json_t *next_page(const struct registration_page *page, size_t behind, const char *key)
{
	char mark[MARK_MAX];

	snprintf(mark, sizeof mark, "%zu%s%s", behind, key ? " " : "", key ? key : "");
	return api_next_page(page->request, "marker", mark);
}

/* ERR_NOMEM. */
static int list_machines(struct registration_page *page)
{
	struct machine *machines = NULL;
	size_t count = 0, at = 0;

	if (registered_machines(api_model(page->request), &machines, &count) != 0)
		return ERR_NOMEM;
	for (size_t i = 0; i < count && !page->next; i++) {
		if ((page->zone && machines[i].zone != page->zone) || at++ < page->behind)
			continue;
		if (is_full(page))
			page->next = next_page(page, at - 1, NULL);
		else
			look_at_machine(page, &machines[i]);
	}
	free(machines);
	return 0;
}

/* ---- records of clients ---- */

/* The data as text, to be freed; NULL without memory. */
static char *data_of(uint16_t type, const uint8_t *rdata, size_t length)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	bool good = out && rdata_print(type, rdata, length, out) == 0;

	if (out && fclose(out) == 0 && good)
		return text;
	free(text);
	return NULL;
}

/* The zone's name as the configuration spells it, if it has the zone. */
static const char *zone_of(const struct api_request *request, const struct registrar_row *row)
{
	const struct registered_zone *zone =
		registered_find(request->service->server.current->policy->registered, row->zone);

	return zone ? zone->name : row->zone;
}

static json_t *record_row(const struct api_request *request, const struct registrar_row *row,
			  const char *data, const char *hidden_by)
{
	const struct registrar_times times = registrar_times(&request->service->registrar, row);
	char type[16];
	json_t *made = json_make("{s:o, s:o, s:s, s:o, s:I, s:o, s:o, s:o, s:o, s:b, s:o}", "zone",
				 json_text(zone_of(request, row)), "name", json_text(row->owner),
				 "type", record_type_print(row->type, type, sizeof type), "data",
				 data ? json_text(data) : json_null(), "ttl", (json_int_t)row->ttl,
				 "by", json_text(row->by), "since", json_time(row->since_s),
				 "renewed", json_time(times.renewed_s), "expires",
				 times.expires_s ? json_time(times.expires_s) : json_null(),
				 "served", !hidden_by, "hidden_by", hidden_json(hidden_by));

	if (data && (row->type == TYPE_A || row->type == TYPE_AAAA))
		json_put(made, "address", json_text(data));
	return made;
}

/* Adds the record's row if it matches. */
static void look_at_record(struct registration_page *page, const struct registrar_row *row,
			   const uint8_t *rdata, size_t length)
{
	char *data = data_of(row->type, rdata, length);
	const char *hidden_by;

	page->passed++;
	if (has_part(page, row->owner, data ? data : "", row->by)) {
		hidden_by = registration_row_hidden_by(page->request, row);
		if (has_state(page, hidden_by)) {
			page->passed--;
			page->of_clients++;
			json_add(page->rows, record_row(page->request, row, data, hidden_by));
		}
	}
	free(data);
}

/* Not 0: the page is full, or the zone has no more rows. */
static int on_row(void *context, const struct registrar_row *row)
{
	struct registration_page *page = context;
	size_t number = 0;

	if (page->zone && strcasecmp(row->zone, full_name(&page->zone->named)) != 0)
		return 1;
	for (size_t at = 0; at < row->rdata_length; number++) {
		size_t length = wire_u16(row->rdata + at);

		if (strcmp(row->key, page->from) != 0 || number >= page->behind) {
			if (is_full(page)) {
				page->next = next_page(page, number, row->key);
				return 1;
			}
			look_at_record(page, row, row->rdata + at + 2, length);
		}
		at += 2 + length;
	}
	return 0;
}

/* ERR_SYSTEM, ERR_NOMEM: `error` has the reason. */
static int list_rows(struct registration_page *page, char error[SOURCE_ERROR_MAX])
{
	struct source *source = resources_store(page->request->service->resources)->source;
	char from[REGISTRAR_KEY_MAX] = "";
	int err;

	if (!source)
		return 0;
	if (!page->from && page->zone)
		snprintf(from, sizeof from, "%s ", full_name(&page->zone->named));
	text_lower(from); /* rows have the zone in lower case */
	if (!page->from)
		page->from = from;
	snprintf(error, SOURCE_ERROR_MAX, "%s", err_text(ERR_NOMEM));
	err = registrar_each(source, page->from, on_row, page, error);
	return err > 0 ? 0 : err;
}

/* ---- the list ---- */

/* False: it is no mark, and the request has been answered. */
static bool read_mark(struct registration_page *page)
{
	const char *text = api_query(page->request, "marker");
	char *end = NULL;

	page->behind = text ? strtoul(text, &end, 10) : 0;
	if (!text || (*text >= '0' && *text <= '9' && !*end))
		return true;
	page->from = *text >= '0' && *text <= '9' && *end == ' ' ? end + 1 : NULL;
	if (page->from && strlen(page->from) < REGISTRAR_KEY_MAX)
		return true;
	api_fail_at(page->request, 400, "invalid", "marker",
		    "it is not from a \"next\"; follow the previous page's");
	return false;
}

/* False: a parameter is invalid, and the request has been answered. */
static bool read_query(struct registration_page *page)
{
	struct api_request *request = page->request;
	const char *text = api_query(request, "zone");
	char why[REFERENCE_TEXT_MAX];

	page->part = api_query(request, "q");
	page->of_one_state = api_query(request, "served");
	if (!api_query_flag(request, "served", &page->served))
		return false;
	page->zone = text ? model_zone(api_model(request), NULL, text) : NULL;
	if (text && !page->zone) {
		api_fail_at(request, 404, "not_found", "zone", "%s",
			    reference_refusal(api_model(request), REFERS_ZONE, NULL, text, why));
		return false;
	}
	return read_mark(page) && api_v1_limit(request, &page->limit);
}

void api_registrations(struct api_request *request)
{
	struct registration_page page = {.request = request, .rows = json_array()};
	char error[SOURCE_ERROR_MAX];
	int err = 0;

	if (!api_v1_is_serving(request) || !read_query(&page)) {
		json_decref(page.rows);
		return;
	}
	snprintf(error, sizeof error, "%s", err_text(ERR_NOMEM));
	if (!page.from)
		err = list_machines(&page);
	if (!err && !page.next)
		err = list_rows(&page, error);
	if (!err) {
		api_reply_json(request, 200,
			       json_make("{s:o, s:o}", "registrations", page.rows, "next",
					 page.next ? page.next : json_null()),
			       NULL);
		return;
	}
	json_decref(page.rows);
	json_decref(page.next);
	api_fail(request, 503, NULL, "%s", error);
}

/* ---- removing ---- */

static bool is_reverse_of(const struct name *name, const struct address *address)
{
	uint8_t wire[REVERSE_WIRE_MAX];

	return reverse_wire(address, wire) == name->length &&
	       memcmp(wire, name->wire, name->length) == 0;
}

static bool is_of_machine(const struct machine *machine, const struct name *name, uint16_t type)
{
	uint16_t own = machine->address.family == 4 ? TYPE_A : TYPE_AAAA;
	char text[NAME_TEXT_MAX], machine_name[2 * NAME_TEXT_MAX];

	if (is_reverse_of(name, &machine->address))
		return type == 0 || type == TYPE_PTR;
	snprintf(machine_name, sizeof machine_name, "%s.%s.", machine->label, machine->zone->name);
	return (type == 0 || type == own) &&
	       strcasecmp(machine_name, name_to_text(name, text)) == 0;
}

/* "vm1.corp.internal. A", or "vm1.corp.internal." for all types */
static const char *asked_text(const struct registrar_removal *removal,
			      char text[NAME_TEXT_MAX + 16])
{
	char type[16];

	name_to_text(removal->name, text);
	if (removal->type)
		text_append(text, NAME_TEXT_MAX + 16, " %s",
			    record_type_print(removal->type, type, sizeof type));
	return text;
}

static void refuse_none(struct api_request *request, const struct registrar_removal *removal)
{
	struct machine *machines = NULL;
	const struct machine *found = NULL;
	char asked[NAME_TEXT_MAX + 16];
	const char *zone = removal->zone;
	size_t count = 0;

	if (registered_machines(api_model(request), &machines, &count) != 0) {
		api_fail_memory(request);
		return;
	}
	for (size_t i = 0; i < count && !found; i++)
		if ((!zone || strcasecmp(full_name(&machines[i].zone->named), zone) == 0) &&
		    is_of_machine(&machines[i], removal->name, removal->type))
			found = &machines[i];
	asked_text(removal, asked);
	if (found)
		api_fail_at(request, 409, "read_only", "name",
			    "%s is registered by the network interface %s, and goes with it", asked,
			    full_name(&found->interface->named));
	else
		api_fail_at(request, 404, "not_found", "name",
			    "no client has registered %s%s%s; give a whole name, as in the list of "
			    "what is registered",
			    asked, zone ? " in " : "", zone ? zone : "");
	free(machines);
}

/* Refuses a name that was found in several zones. False: the request has been answered. */
static bool is_one_zone(struct api_request *request, const struct registrar_removal *removal)
{
	const char *first = removal->sets[0].zone, *last = removal->sets[removal->count - 1].zone;
	char asked[NAME_TEXT_MAX + 16];

	if (strcmp(first, last) == 0)
		return true;
	api_fail_at(request, 409, "ambiguous", "zone",
		    "%s is registered in several zones, %s and %s among them; name one of them",
		    asked_text(removal, asked), first, last);
	return false;
}

static void log_removed(const struct api_request *request, const struct registrar_removal *removal)
{
	const struct registrar_set *first = removal->sets;
	size_t others = removal->count - 1;
	char type[16], more[64] = "", shown[2 * NAME_TEXT_MAX];

	if (others)
		snprintf(more, sizeof more, " and %zu other record set%s", others,
			 text_plural(others, "", "s"));
	snprintf(shown, sizeof shown, "%s %s%s in %s, registered by %s, removed", first->owner,
		 record_type_print(first->type, type, sizeof type), more, first->zone, first->by);
	log_event_guarded(LOG_INFO, "registration", shown, "%s by %s", shown, request->who);
}

static json_t *removed_json(const struct registrar_removal *removal, bool dry_run)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < removal->count; i++) {
		const struct registrar_set *set = &removal->sets[i];
		char type[16];

		json_add(rows, json_make("{s:o, s:o, s:s, s:o}", "zone", json_text(set->zone),
					 "name", json_text(set->owner), "type",
					 record_type_print(set->type, type, sizeof type), "by",
					 json_text(set->by)));
	}
	return json_make("{s:o, s:b, s:b}", "deleted", rows, "more", removal->more, "dry_run",
			 dry_run);
}

/* Reads the zone's full name; the zone may be gone. False: the name is ambiguous, and the request
 * has been answered. */
static bool read_removal_zone(struct api_request *request, struct registrar_removal *removal)
{
	const struct model *model = api_model(request);
	const char *text = api_query(request, "zone");
	const struct private_zone *zone = text ? model_zone(model, NULL, text) : NULL;
	char why[REFERENCE_TEXT_MAX];
	char *lower;

	if (!text)
		return true;
	if (!zone && reference_is_ambiguous(model, REFERS_ZONE, NULL, text)) {
		api_fail_at(request, 409, "ambiguous", "zone", "%s",
			    reference_refusal(model, REFERS_ZONE, NULL, text, why));
		return false;
	}
	if (!zone && strncmp(text, "-/", 2) == 0)
		text += 2;
	lower = zone ? arena_strdup(&request->arena, full_name(&zone->named))
		     : arena_printf(&request->arena, "%.*s", (int)name_text_length(text), text);
	if (!lower) {
		api_fail_memory(request);
		return false;
	}
	removal->zone = text_lower(lower);
	return true;
}

/* False: a parameter is invalid, and the request has been answered. */
static bool read_removal_name(struct api_request *request, struct registrar_removal *removal,
			      struct name *name)
{
	static const uint16_t types[] = {0, TYPE_A, TYPE_AAAA, TYPE_PTR, TYPE_DHCID, TYPE_TXT};
	const char *text = api_query(request, "name"), *type = api_query(request, "type");
	size_t known = 0;

	if (name_from_text(name, &request->service->server.key, text) != 0) {
		api_fail_at(request, 400, "invalid", "name",
			    "must be a domain name, as in vm1.corp.internal");
		return false;
	}
	removal->name = name;
	if (type && record_type_parse(&removal->type, type) == 0)
		while (known < COUNT(types) && types[known] != removal->type)
			known++;
	if (!type || (removal->type && known < COUNT(types)))
		return true;
	api_fail_at(request, 400, "invalid", "type",
		    "must be one that clients register: A, AAAA, PTR, DHCID or TXT");
	return false;
}

/* False: a parameter is missing or invalid, or two contradict each other, and the request has been
 * answered. */
static bool read_removal(struct api_request *request, struct registrar_removal *removal,
			 struct name *name)
{
	bool is_all, has_name = api_query(request, "name");
	const char *why = NULL, *where = "all";

	if (!api_query_flag(request, "all", &is_all))
		return false;
	if (is_all && !*api_query(request, "all")) { /* perhaps a script's empty variable */
		why = "must be true or false";
	} else if (is_all && (has_name || api_query(request, "type"))) {
		why = "is all of a zone; leave it out, or name and type";
	} else if (is_all && !api_query(request, "zone")) {
		where = "zone";
		why = "is missing: all=true is all that clients have registered in one zone";
	} else if (!is_all && !has_name) {
		where = "name";
		why = "is missing: a name that a client has registered, or else zone and all=true";
	}
	if (why)
		api_fail_at(request, 400, "invalid", where, "%s", why);
	return !why && read_removal_zone(request, removal) &&
	       (is_all || read_removal_name(request, removal, name));
}

/* True: the name has no record set, or there is no such zone, and the request has been answered. An
 * existing zone without record sets is no error. */
static bool is_nothing(struct api_request *request, const struct registrar_removal *removal)
{
	if (removal->count > 0)
		return false;
	if (removal->name) {
		refuse_none(request, removal);
		return true;
	}
	if (model_zone(api_model(request), NULL, api_query(request, "zone")))
		return false;
	api_fail_at(request, 404, "not_found", "zone",
		    "there is no private zone \"%s\", and nothing that clients have registered in "
		    "one of that name; give a zone as in the list of what is registered",
		    removal->zone);
	return true;
}

void api_registrations_delete(struct api_request *request)
{
	struct registrar *registrar = &request->service->registrar;
	struct registrar_removal removal = {.arena = &request->arena};
	char error[SOURCE_ERROR_MAX];
	struct name name;
	bool dry_run;

	if (!api_v1_is_serving(request) || !api_query_flag(request, "dry_run", &dry_run) ||
	    !read_removal(request, &removal, &name))
		return;
	if (registrar_find_sets(registrar, &removal, error) != 0) {
		api_fail(request, 503, "store_failed", "%s", error);
		return;
	}
	if (is_nothing(request, &removal) || (removal.count > 0 && !is_one_zone(request, &removal)))
		return;
	if (!dry_run && !registrar_remove_sets(registrar, &removal)) {
		api_fail(request, 503, "store_failed",
			 "it cannot be removed now, and the log says why; try again");
		return;
	}
	if (!dry_run && removal.count > 0) {
		service_await(request->service);
		log_removed(request, &removal);
	}
	api_reply_json(request, 200, removed_json(&removal, dry_run), NULL);
}
