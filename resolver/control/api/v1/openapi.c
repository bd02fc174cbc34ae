/* GET /v1/openapi.json: an OpenAPI 3.1 document, made of the tables of kinds, fields and routes:
 *
 *     kinds (resource/kind.h) ─► the field table's schemas ─► components.schemas
 *                             └► their paths, each with the same operations, filters by member
 *     routes of every API below /v1, and those without a login ─► paths, each described
 *                                                                by a row here
 *
 * A new kind or route appears in the document automatically. A test demands that each of sluice's
 * own routes has a summary, from a row of `described` or from its kind; routes for all kinds need
 * none. Azure's and OpenStack's APIs have documents of their own. */
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/base/json.h"
#include "resolver/control/resource/kind.h"
#include "resolver/control/resource/values.h"
#include "resolver/control/service/confirmation.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

enum { TEXT_MAX = 512 };

/* Describes a route that belongs to no kind. `required`: the query field that must be given; NULL:
 * none. `body`, `answer`: names in components.schemas, NULL: any object, "": none. A GET has no
 * body; its `body` is another media type of its answer. */
struct described {
	const char *method, *pattern, *summary, *required, *body, *answer;
	unsigned status; /* 0: 200 */
};

static const struct described described[] = {
	{"GET", "/healthz", "Whether the server runs.", NULL, NULL, NULL, 0},
	{"GET", "/readyz",
	 "Whether it answers DNS, and every worker serves that generation or revision; 503 if not.",
	 NULL, NULL, NULL, 0},
	{"GET", "/v1/server", "What the server is called, and its version.", NULL, NULL, NULL, 0},
	{"POST", "/v1/login", "Logs in by the code of a link, once; from loopback alone.", NULL,
	 NULL, NULL, 201},
	{"POST", "/v1/login_links",
	 "A link to the dashboard that logs in once; at the control socket alone.", NULL, "", NULL,
	 201},
	{"GET", "/v1/status", "What the server does, and how it fares.", NULL, NULL, NULL, 0},
	{"GET", "/v1/explain",
	 "Who would answer a question, and why; with ask=1, what comes of it.", "name", NULL, NULL,
	 0},
	{"GET", "/v1/history",
	 "What was counted when: in the last minute by seconds, hour (as usual) by 10 s, or week "
	 "by 10 min.",
	 NULL, NULL, NULL, 0},
	{"GET", "/v1/names", "The names that are asked for most, and who decides them.", NULL, NULL,
	 NULL, 0},
	{"GET", "/v1/report",
	 "What to look at: what is not used, what leaves, what does not lead back, what is slow.",
	 NULL, NULL, NULL, 0},
	{"POST", "/v1/plan",
	 "For which of these names something else would be decided, were the edits made.", NULL,
	 NULL, NULL, 0},
	{"GET", "/v1/statistics/rules",
	 "What each rule has decided, and what decides in its place.", NULL, NULL, NULL, 0},
	{"GET", "/v1/registrations",
	 "What is registered in private zones, by machines and by clients.", NULL, NULL, NULL, 0},
	{"DELETE", "/v1/registrations",
	 "Removes what clients have registered by a name, or in a zone that need not be there.",
	 NULL, "", NULL, 0},
	{"POST", "/v1/flush", "Drops answers from the cache: all, or those of a name.", NULL, NULL,
	 NULL, 0},
	{"POST", "/v1/reload", "Reads the configuration again and serves it.", NULL, "", NULL, 0},
	{"POST", "/v1/confirm", "Keeps the change that waits to be confirmed, or takes it back.",
	 NULL, "", NULL, 0},
	{"POST", "/v1/upgrade", "Starts another program in this one's place (control socket only).",
	 NULL, NULL, NULL, 0},
	{"POST", "/v1/ptrs", "Sets many PTRs, all or none; also as text/csv.", NULL, "ptr_batch",
	 NULL, 0},
	{"GET", "/v1/check", "Whether a name or an address leads back to itself.", "subject", NULL,
	 NULL, 0},
	{"GET", "/v1/state", "All addresses, services, PTRs and resource groups.", NULL, NULL, NULL,
	 0},
	{"PUT", "/v1/state", "Makes all of these what the body says.", NULL, NULL, "", 204},
	{"GET", "/v1/export", "All resources, as edits or as a configuration file.", NULL, NULL,
	 "edits", 0},
	{"GET", "/v1/private_zones/{group}/{name}/master_file",
	 "The records of a zone as a master file (RFC 1035 section 5).", NULL, "text/dns", NULL, 0},
	{"POST", "/v1/private_zones/{group}/{name}/master_file",
	 "A master file as the record sets that it would be; nothing is changed.", NULL,
	 "master_file", "read_sets", 0},
	{"GET", "/v1/schema", "Every kind of resource, with its JSON Schema.", NULL, NULL, NULL, 0},
	{"GET", "/v1/openapi.json", "This document.", NULL, NULL, NULL, 0},
	{"GET", "/v1/events",
	 "What has happened, the oldest first; as text/event-stream what happens, as it does.",
	 NULL, "text/event-stream", "events", 0},
	{"GET", "/v1/changes",
	 "What was changed, the oldest first; as text/event-stream what is changed, as it happens.",
	 NULL, "text/event-stream", "changes", 0},
	{"GET", "/v1/queries",
	 "The latest queries with what decided them; as text/event-stream those that come.", NULL,
	 "text/event-stream", "queries", 0},
	{"POST", "/v1/changes", "Makes many edits of resources as one, all or none.", NULL, "edits",
	 "changed", 0},
	{.method = NULL},
};

/* ---- small pieces ---- */

static json_t *of_type(const char *type)
{
	return json_make("{s:s}", "type", type);
}

static json_t *or_null(json_t *schema)
{
	return json_make("{s:[o, o]}", "anyOf", schema, of_type("null"));
}

static json_t *reference(const char *section, const char *name)
{
	char text[TEXT_MAX];

	snprintf(text, sizeof text, "#/components/%s/%s", section, name);
	return json_make("{s:o}", "$ref", json_text(text));
}

static json_t *array_of(json_t *schema)
{
	return json_make("{s:s, s:o}", "type", "array", "items", schema);
}

static json_t *read_only(json_t *schema, const char *what)
{
	json_put(schema, "readOnly", json_true());
	json_put(schema, "description", json_text(what));
	return schema;
}

static json_t *content(const char *type, json_t *schema)
{
	return json_make("{s:{s:o}}", type, "schema", schema);
}

static json_t *parameter(const char *name, const char *in, bool required, json_t *schema,
			 const char *what)
{
	json_t *made = json_make("{s:o, s:s, s:b, s:o}", "name", json_text(name), "in", in,
				 "required", required, "schema", schema);

	if (what)
		json_put(made, "description", json_text(what));
	return made;
}

/* ---- schemas ---- */

struct known_member {
	const char *key, *what;
};

static void put_texts(json_t *properties, const struct known_member *members, size_t count)
{
	for (size_t i = 0; i < count; i++)
		json_put(properties, members[i].key,
			 read_only(or_null(of_type("string")), members[i].what));
}

/* Adds the read-only members of an address, a service or a PTR. */
static void put_known(json_t *properties, const struct kind *kind)
{
	static const struct known_member known[] =
		{
			{"status", "How the PTR fares: INACTIVE, PENDING, ACTIVE or ERROR."},
			{"action", "While it is PENDING: CREATE, UPDATE or DELETE."},
			{"reason", "Why the PTR is not served."},
		},
					 of_names[] =
						 {
							 {"fqdn", "Its forward name."},
							 {"subscription",
							  "The subscription that it belongs to."},
						 },
					 of_ptrs[] = {
						 {"id", "REGION:ID of what has the PTR."},
						 {"kind", "What has the PTR: address or service."},
						 {"name", "Of what has the PTR."},
						 {"resource_group", "Of what has the PTR."},
						 {"region", "Of what has the PTR."},
					 };
	size_t named = kind->id == KIND_ADDRESS ? 2 : kind->id == KIND_SERVICE ? 1 : 0;

	put_texts(properties, known, COUNT(known));
	put_texts(properties, of_names, named);
	put_texts(properties, of_ptrs, kind->id == KIND_PTR ? COUNT(of_ptrs) : 0);
	json_put(properties, "ttl_served",
		 read_only(or_null(of_type("integer")), "Of its PTR, in seconds."));
}

/* Adds members that are shown beside the values, and ignored in a body. */
static void put_shown(json_t *properties, const struct kind *kind)
{
	json_put(properties, "origin",
		 read_only(or_null(of_type("string")),
			   "Where the configuration file declares it; null: it is the state's."));
	json_put(properties, "etag", read_only(of_type("string"), "For If-Match."));
	json_put(properties, "warnings",
		 read_only(array_of(of_type("string")), "Of a change: what is doubtful in it."));
	if (kind_is_beside(kind) && kind->id != KIND_GROUP)
		put_known(properties, kind);
	if (kind_is_beside(kind))
		return;
	json_put(properties, "path", read_only(of_type("string"), "Where it is, after /v1/."));
	json_put(properties, "not_served",
		 read_only(of_type("string"), "Why it is not served; absent: it is."));
	if (kind->placed)
		json_put(properties, "placed",
			 read_only(of_type("object"),
				   "Addresses that it has without having been given them."));
}

/* Kinds beside the model show each member, which may be null. */
static json_t *kind_schema(const struct kind *kind)
{
	json_t *schema = values_schema(kind), *properties = json_object(), *value;
	const char *key;

	json_object_foreach(json_object_get(schema, "properties"), key, value)
		json_put(properties, key,
			 kind_is_beside(kind) ? or_null(json_incref(value)) : json_incref(value));
	put_shown(properties, kind);
	json_put(schema, "properties", properties);
	return schema;
}

/* The schema of a body. The name is not required, because the path has it. */
static json_t *sent_schema(const struct kind *kind)
{
	json_t *schema = kind_schema(kind), *required = json_array(), *name;
	size_t i;

	json_array_foreach(json_object_get(schema, "required"), i, name)
	{
		const char *key = json_string_value(name);

		/* A member that is left out stays, or is chosen. */
		if (!kind_is_beside(kind) && strcmp(key, kind_name_key(kind)) != 0)
			json_add(required, json_incref(name));
	}
	json_put(schema, "required", required);
	if (kind->id == KIND_ADDRESS)
		json_put(json_object_get(schema, "properties"), "family",
			 json_make("{s:[s, s], s:s}", "enum", "4", "6", "description",
				   "Of an address that is chosen."));
	if (kind->id == KIND_PTR)
		json_put(json_object_get(schema, "properties"), "owner", of_type("string"));
	return schema;
}

/* The schema of an answer. A resource that is not served may lack members or have others. */
static json_t *shown_schema(const struct kind *kind)
{
	json_t *schema = kind_schema(kind);

	json_object_del(schema, "additionalProperties");
	json_put(schema, "required", json_make("[s, s, s]", kind_name_key(kind), "origin", "etag"));
	return schema;
}

static json_t *list_schema(const char *collection, const char *item)
{
	return json_make("{s:s, s:{s:o, s:o}, s:[s, s]}", "type", "object", "properties",
			 collection, array_of(reference("schemas", item)), "next",
			 or_null(of_type("string")), "required", collection, "next");
}

static json_t *error_schema(void)
{
	json_t *error = json_make("{s:s, s:{s:o, s:o, s:o, s:o}, s:[s, s]}", "type", "object",
				  "properties", "code", of_type("string"), "message",
				  of_type("string"), "path", or_null(of_type("string")), "faults",
				  array_of(of_type("object")), "required", "code", "message");

	return json_make("{s:s, s:{s:o}, s:[s]}", "type", "object", "properties", "error", error,
			 "required", "error");
}

static json_t *change_schema(void)
{
	static const char *const texts[] = {"time", "verb", "subject"};
	static const char *const texts_or_null[] = {"who", "login", "path", "kind"};
	static const char *const values[] = {"before", "after"};
	json_t *properties = json_object(), *required = json_array(), *member;
	const char *key;

	json_put(properties, "revision", of_type("integer"));
	for (size_t i = 0; i < COUNT(texts); i++)
		json_put(properties, texts[i], of_type("string"));
	for (size_t i = 0; i < COUNT(texts_or_null); i++)
		json_put(properties, texts_or_null[i], or_null(of_type("string")));
	for (size_t i = 0; i < COUNT(values); i++)
		json_put(properties, values[i], or_null(of_type("object")));
	json_object_foreach(properties, key, member) json_add(required, json_text(key));
	return json_make("{s:s, s:o, s:o}", "type", "object", "properties", properties, "required",
			 required);
}

/* The body of a master file; read_sets_schema is the answer to it. */
static json_t *master_file_schema(void)
{
	return json_make("{s:s, s:{s:o}, s:[s]}", "type", "object", "properties", "text",
			 of_type("string"), "required", "text");
}

static json_t *read_sets_schema(void)
{
	json_t *set = json_make("{s:s, s:{s:o, s:o, s:o}}", "type", "object", "properties", "name",
				of_type("string"), "ttl", of_type("integer"), "records",
				array_of(of_type("string")));

	return json_make("{s:s, s:{s:o, s:o}, s:[s, s]}", "type", "object", "properties",
			 "record_sets", array_of(set), "warnings", array_of(of_type("string")),
			 "required", "record_sets", "warnings");
}

/* Keep this the same as query_log/query_entry.h. */
static json_t *query_schema(void)
{
	static const char *const texts[] = {"time", "client", "transport", "decided_by",
					    "answered_from"};
	static const char *const texts_or_null[] = {
		"network", "endpoint", "name",    "type",   "class",    "rcode",
		"text",    "object",   "ruleset", "target", "protocol", "outbound_endpoint"};
	static const char *const numbers[] = {"hops", "bytes", "microseconds"};
	json_t *properties = json_object();

	for (size_t i = 0; i < COUNT(texts); i++)
		json_put(properties, texts[i], of_type("string"));
	for (size_t i = 0; i < COUNT(texts_or_null); i++)
		json_put(properties, texts_or_null[i], or_null(of_type("string")));
	for (size_t i = 0; i < COUNT(numbers); i++)
		json_put(properties, numbers[i], of_type("integer"));
	json_put(properties, "port", or_null(of_type("integer")));
	json_put(properties, "ede", or_null(of_type("integer")));
	return json_make("{s:s, s:o}", "type", "object", "properties", properties);
}

static json_t *edits_schema(void)
{
	json_t *edit =
		json_make("{s:s, s:{s:o, s:o, s:o}, s:[s, s]}", "type", "object", "properties",
			  "path", of_type("string"), "values", or_null(of_type("object")), "etag",
			  of_type("string"), "required", "path", "values");

	return json_make("{s:s, s:{s:o, s:o, s:o}, s:[s]}", "type", "object", "properties", "edits",
			 array_of(edit), "revision", of_type("integer"), "undo", of_type("boolean"),
			 "required", "edits");
}

static json_t *changed_schema(void)
{
	return json_make("{s:s, s:{s:o, s:o, s:o, s:o, s:o}}", "type", "object", "properties",
			 "revision", or_null(of_type("integer")), "dry_run", of_type("boolean"),
			 "edits", of_type("integer"), "warnings", array_of(of_type("string")),
			 "unconfirmed", or_null(reference("schemas", "unconfirmed")));
}

static json_t *events_schema(void)
{
	json_t *event =
		json_make("{s:s, s:{s:o, s:o, s:o, s:o, s:o}}", "type", "object", "properties",
			  "id", of_type("integer"), "time", of_type("string"), "level",
			  of_type("string"), "event", of_type("string"), "text", of_type("string"));

	return json_make("{s:s, s:{s:o, s:o}, s:[s, s]}", "type", "object", "properties", "events",
			 array_of(event), "next", or_null(of_type("integer")), "required", "events",
			 "next");
}

/* Keep this the same as unconfirmed_json (service/confirmation.h). */
static json_t *unconfirmed_schema(void)
{
	return json_make("{s:s, s:{s:{s:s, s:[s, s]}, s:o, s:o, s:o, s:o, s:o, s:o}}", "type",
			 "object", "properties", "what", "type", "string", "enum", "reload",
			 "change", "who", or_null(of_type("string")), "at", of_type("string"),
			 "until", of_type("string"), "left_s", of_type("integer"), "revision",
			 or_null(of_type("integer")), "error", or_null(of_type("string")));
}

/* Adds three schemas: "rule" is a body, "rule-shown" an answer, "rule-list" a page. */
static void put_kind(json_t *schemas, const struct kind *kind)
{
	char shown[TEXT_MAX], list[TEXT_MAX];

	snprintf(shown, sizeof shown, "%s-shown", kind->name);
	snprintf(list, sizeof list, "%s-list", kind->name);
	json_put(schemas, kind->name, sent_schema(kind));
	json_put(schemas, shown, shown_schema(kind));
	json_put(schemas, list, list_schema(kind->collection, shown));
}

static json_t *schemas_json(void)
{
	json_t *schemas = json_object();

	for (size_t i = 0; i < KINDS_ALL; i++)
		put_kind(schemas, &kinds[i]);
	json_put(schemas, "ptr_batch", array_of(reference("schemas", "ptr")));
	json_put(schemas, "change", change_schema());
	json_put(schemas, "changes",
		 json_make("{s:s, s:{s:o, s:o}, s:[s, s]}", "type", "object", "properties",
			   "changes", array_of(reference("schemas", "change")), "next",
			   or_null(of_type("integer")), "required", "changes", "next"));
	json_put(schemas, "query", query_schema());
	json_put(schemas, "queries",
		 json_make("{s:s, s:{s:o, s:o}, s:[s, s]}", "type", "object", "properties", "on",
			   of_type("boolean"), "queries", array_of(reference("schemas", "query")),
			   "required", "on", "queries"));
	json_put(schemas, "events", events_schema());
	json_put(schemas, "master_file", master_file_schema());
	json_put(schemas, "read_sets", read_sets_schema());
	json_put(schemas, "edits", edits_schema());
	json_put(schemas, "changed", changed_schema());
	json_put(schemas, "unconfirmed", unconfirmed_schema());
	json_put(schemas, "error", error_schema());
	return schemas;
}

/* ---- parts of operations ---- */

static json_t *parameters_json(void)
{
	return json_make(
		"{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "limit",
		parameter("limit", "query", false,
			  json_make("{s:s, s:i, s:i, s:i}", "type", "integer", "minimum", 1,
				    "maximum", 5000, "default", 1000),
			  "So many of them; a stream ends after them."),
		"marker",
		parameter("marker", "query", false, of_type("string"),
			  "Those after this one; `next` has it."),
		"q",
		parameter("q", "query", false, of_type("string"), "Those whose names have this."),
		"dry_run",
		parameter("dry_run", "query", false, of_type("boolean"),
			  "Find out what the change would do, and change nothing."),
		"make",
		parameter("make", "query", false, of_type("boolean"),
			  "Make an address that is not there, if one of our pools has it."),
		"confirm",
		parameter("confirm", "query", false,
			  json_make("{s:s, s:i, s:i}", "type", "integer", "minimum", 1, "maximum",
				    CONFIRMATION_MAX_S),
			  "Goes back after so many seconds unless it is confirmed."),
		"back",
		parameter("back", "query", false, of_type("boolean"), "Take it back at once."),
		"after",
		parameter("after", "query", false,
			  json_make("{s:s, s:i}", "type", "integer", "minimum", 0),
			  "Begin after this revision; of events: after this id."),
		"Last-Event-ID",
		parameter("Last-Event-ID", "header", false, of_type("string"),
			  "Of a stream: the id of the event that was got last."),
		"If-Match",
		parameter("If-Match", "header", false, of_type("string"),
			  "Only if this is still its etag; else 412."),
		"If-None-Match",
		parameter("If-None-Match", "header", false, of_type("string"),
			  "Of a GET: 304 if this is still its etag. Of a change: * where there is "
			  "to be nothing yet; else 412."));
}

static json_t *is_shared(const json_t *shared, const char *name)
{
	return json_object_get(shared, name) ? reference("parameters", name) : NULL;
}

struct document {
	json_t *paths, *parameters;
};

static json_t *operation_new(const char *method, const char *pattern, const char *summary)
{
	char id[TEXT_MAX];
	size_t length = (size_t)snprintf(id, sizeof id, "%s", method);

	for (const char *at = pattern; *at && length + 1 < sizeof id; at++)
		if (*at != '{' && *at != '}')
			id[length++] = *at == '/' || *at == '-' ? '_' : *at;
	id[length] = '\0';
	return json_make("{s:o, s:o, s:o, s:{s:o}}", "operationId", json_text(id), "summary",
			 json_text(summary), "parameters", json_array(), "responses", "default",
			 reference("responses", "error"));
}

static void add_parameter(const struct document *document, json_t *operation, const char *name)
{
	json_t *shared = is_shared(document->parameters, name);

	json_add(json_object_get(operation, "parameters"),
		 shared ? shared : parameter(name, "query", false, of_type("string"), NULL));
}

static void put_answer(json_t *operation, unsigned status, const char *what, json_t *body)
{
	char code[16];
	json_t *answer = json_make("{s:s}", "description", what);

	snprintf(code, sizeof code, "%u", status);
	if (body)
		json_put(answer, "content", content("application/json", body));
	json_put(json_object_get(operation, "responses"), code, answer);
}

static void put_etag(json_t *operation, const char *status)
{
	json_t *answer = json_object_get(json_object_get(operation, "responses"), status);

	json_put(answer, "headers", json_make("{s:o}", "ETag", reference("headers", "ETag")));
}

static void put_body(json_t *operation, json_t *schema, bool merges)
{
	json_t *types = content("application/json", schema);

	if (merges)
		json_put(types, "application/merge-patch+json",
			 json_make("{s:o}", "schema", json_incref(schema)));
	json_put(operation, "requestBody",
		 json_make("{s:b, s:o}", "required", 1, "content", types));
}

static void put_operation(const struct document *document, const char *path, const char *method,
			  json_t *operation)
{
	char lower[16];
	json_t *item = json_object_get(document->paths, path);

	snprintf(lower, sizeof lower, "%s", method);
	text_lower(lower);
	if (!item) {
		item = json_object();
		json_put(document->paths, path, item);
	}
	json_put(item, lower, operation);
}

/* Adds a parameter for each {name} of the pattern. */
static void add_segments(json_t *operation, const char *pattern)
{
	char name[64];

	for (const char *at = strchr(pattern, '{'); at; at = strchr(at, '{')) {
		size_t length = strcspn(++at, "}");

		snprintf(name, sizeof name, "%.*s", (int)length, at);
		json_add(json_object_get(operation, "parameters"),
			 parameter(name, "path", true, of_type("string"),
				   strcmp(name, "group") == 0
					   ? "A resource group; -: none; *: whichever it is in."
					   : NULL));
	}
}

/* ---- kinds ---- */

static const char guarded_text[] = "For administrators.";

/* Members with a single value are filters. */
static void add_filters(const struct kind *kind, json_t *operation)
{
	json_t *values = values_schema(kind), *schema;
	const char *key;

	json_object_foreach(json_object_get(values, "properties"), key, schema)
	{
		const char *type = json_string_value(json_object_get(schema, "type"));

		if (!type || (strcmp(type, "array") != 0 && strcmp(type, "object") != 0))
			json_add(json_object_get(operation, "parameters"),
				 parameter(key, "query", false, json_incref(schema),
					   "Those of this value."));
	}
	json_decref(values);
}

/* For addresses, services and PTRs; a list of PTRs takes the members of addresses and services. */
static void add_owned_filters(const struct kind *kind, json_t *operation)
{
	static const char *const known[] = {"fqdn", "status"};

	if (kind->id == KIND_PTR)
		add_filters(kind_of_id(KIND_ADDRESS), operation);
	for (size_t i = 0; i < COUNT(known); i++)
		json_add(json_object_get(operation, "parameters"),
			 parameter(known[i], "query", false, of_type("string"),
				   "Those of this value."));
}

/* "a rule", "an address", "a PTR" */
static char *article(const struct kind *kind, char text[TEXT_MAX])
{
	const char *name = kind->id == KIND_PTR ? "PTR" : kind->name;

	snprintf(text, TEXT_MAX, "%s %s", strchr("aeio", *name) ? "an" : "a", name);
	return text;
}

static const char *removed_with(const struct kind *kind)
{
	switch (kind->id) {
	case KIND_ADDRESS:
	case KIND_SERVICE: return ", with its PTR";
	case KIND_PTR: return "; its address stays";
	case KIND_GROUP: return " in which there is nothing";
	default: return ", with all that is inside it";
	}
}

static void put_list(const struct document *document, const struct kind *kind, const char *path)
{
	static const char *const paging[] = {"limit", "marker", "q"};
	char summary[TEXT_MAX], name[TEXT_MAX];
	json_t *operation;

	bool is_owned = kind_is_beside(kind) && kind->id != KIND_GROUP;

	snprintf(summary, sizeof summary, "The %s%s%s, by %s.",
		 kind->id == KIND_PTR ? "PTRs" : kind->collection,
		 kind->parent              ? " of a "
		 : strstr(path, "{group}") ? " of a resource group"
					   : "",
		 kind->parent ? kind->parent->name : "",
		 is_owned && kind->id != KIND_SERVICE ? "address" : "name");
	snprintf(name, sizeof name, "%s-list", kind->name);
	operation = operation_new("GET", path, summary);
	add_segments(operation, path);
	for (size_t i = 0; i < COUNT(paging); i++)
		add_parameter(document, operation, paging[i]);
	if (kind->id != KIND_PTR)
		add_filters(kind, operation);
	if (is_owned) {
		add_owned_filters(kind, operation);
		add_parameter(document, operation, "If-None-Match");
	}
	put_answer(operation, 200, "A page of them.", reference("schemas", name));
	if (is_owned)
		put_etag(operation, "200");
	if (kind->guarded)
		json_put(operation, "description", json_text(guarded_text));
	put_operation(document, path, "GET", operation);
}

static void put_one(const struct document *document, const struct kind *kind, const char *path,
		    const char *method)
{
	bool reads = strcmp(method, "GET") == 0, removes = strcmp(method, "DELETE") == 0;
	bool makes = strcmp(method, "PUT") == 0, merges = strcmp(method, "PATCH") == 0;
	char summary[2 * TEXT_MAX], shown[TEXT_MAX], name[TEXT_MAX];
	json_t *operation;

	snprintf(summary, sizeof summary, "%s %s%s.",
		 reads     ? "Shows"
		 : makes   ? "Makes"
		 : removes ? "Removes"
			   : "Changes what the body names of",
		 article(kind, name),
		 makes     ? ", or makes it what the body says"
		 : removes ? removed_with(kind)
		 : merges  ? " (RFC 7396)"
			   : "");
	snprintf(shown, sizeof shown, "%s-shown", kind->name);
	operation = operation_new(method, path, summary);
	add_segments(operation, path);
	add_parameter(document, operation, "If-None-Match");
	if (!reads) {
		add_parameter(document, operation, "If-Match");
		add_parameter(document, operation, "dry_run");
	}
	if (kind->id == KIND_PTR && (makes || merges))
		add_parameter(document, operation, "make");
	if (!reads || kind->guarded)
		json_put(operation, "description", json_text(guarded_text));
	if (makes)
		put_body(operation, reference("schemas", kind->name), false);
	if (merges)
		put_body(operation,
			 kind_is_beside(kind) ? reference("schemas", kind->name)
					      : of_type("object"),
			 true);
	if (!removes) {
		put_answer(operation, 200, "It, as it is.", reference("schemas", shown));
		put_etag(operation, "200");
	}
	if (makes) {
		put_answer(operation, 201, "It was made.", reference("schemas", shown));
		put_etag(operation, "201");
	}
	if (removes && !kind_is_beside(kind))
		put_answer(operation, 200, "It is gone, or would be, and something is not served.",
			   json_make("{s:s, s:{s:o}}", "type", "object", "properties", "warnings",
				     array_of(of_type("string"))));
	if (removes)
		put_answer(operation, 204, "It is gone, or would be.", NULL);
	put_operation(document, path, method, operation);
}

static void put_methods(const struct document *document, const struct kind *kind, const char *path)
{
	static const char *const methods[] = {"GET", "PUT", "PATCH", "DELETE"};

	for (size_t i = 0; i < COUNT(methods); i++)
		put_one(document, kind, path, methods[i]);
}

static void put_paths(const struct document *document, const struct kind *kind)
{
	char all[TEXT_MAX], list[TEXT_MAX], one[TEXT_MAX];

	snprintf(all, sizeof all, "/v1/%s", kind->collection);
	if (kind->parent)
		snprintf(list, sizeof list, "/v1/%s/{group}/{name}/%s", kind->parent->collection,
			 kind->collection);
	else
		snprintf(list, sizeof list, "%s/{group}", all);
	snprintf(one, sizeof one, kind->parent ? "%s/{child_name}" : "%s/{name}", list);
	if (!kind->parent)
		put_list(document, kind, all);
	if (!kind_is_beside(kind))
		put_list(document, kind, list);
	if (kind->id != KIND_PTR)
		put_methods(document, kind, one);
	if (kind->id == KIND_PTR || kind->id == KIND_SERVICE) { /* these are in no group */
		snprintf(one, sizeof one, "%s/{%s}", all, kind->id == KIND_PTR ? "id" : "name");
		put_methods(document, kind, one);
	}
}

/* ---- routes ---- */

static const struct described *describe(const struct api_route *route)
{
	for (const struct described *at = described; at->method; at++)
		if (strcmp(at->method, route->method) == 0 &&
		    strcmp(at->pattern, route->pattern) == 0)
			return at;
	return NULL;
}

/* A client that reconnects to a stream sends Last-Event-ID, which then replaces `after`. */
static void add_query(const struct document *document, json_t *operation, const char *const *fields,
		      const char *required)
{
	for (; fields && *fields; fields++) {
		if (required && strcmp(*fields, required) == 0)
			json_add(json_object_get(operation, "parameters"),
				 parameter(*fields, "query", true, of_type("string"), NULL));
		else
			add_parameter(document, operation, *fields);
		if (strcmp(*fields, "after") == 0)
			add_parameter(document, operation, "Last-Event-ID");
	}
}

static json_t *schema_of(const char *name)
{
	return name ? reference("schemas", name) : of_type("object");
}

static void put_other_type(json_t *operation, const char *type)
{
	json_t *answer = json_object_get(json_object_get(operation, "responses"), "200");

	json_put(json_object_get(answer, "content"), type,
		 json_make("{s:o}", "schema", of_type("string")));
}

static void put_route(const struct document *document, const struct api_route *route)
{
	const struct described *row = describe(route);
	static const struct described undescribed;
	json_t *operation;
	bool reads = strcmp(route->method, "GET") == 0;
	unsigned status;

	row = row ? row : &undescribed;
	status = row->status ? row->status : 200;
	operation = operation_new(route->method, route->pattern, row->summary ? row->summary : "");
	add_segments(operation, route->pattern);
	add_query(document, operation, route->fields, row->required);
	if (!reads && route->need != API_NOTHING) {
		add_parameter(document, operation, "If-Match");
		add_parameter(document, operation, "If-None-Match");
		json_put(operation, "description", json_text(guarded_text));
	}
	if (!reads && strcmp(route->method, "DELETE") != 0 && !(row->body && !*row->body))
		put_body(operation, schema_of(row->body), strcmp(route->method, "PATCH") == 0);
	put_answer(operation, status, "It is done.",
		   row->answer && !*row->answer ? NULL : schema_of(row->answer));
	if (reads && row->body)
		put_other_type(operation, row->body);
	if (strcmp(route->method, "PUT") == 0 && status == 200)
		put_answer(operation, 201, "It was made.", schema_of(row->answer));
	if (route->need == API_NOTHING)
		json_put(operation, "security", json_array());
	put_operation(document, route->pattern, route->method, operation);
}

/* Whether the document describes the route. It describes sluice's own API, and routes of other APIs
 * below /v1. It leaves out routes for all kinds, because each kind gets its own. */
static bool is_ours(const struct api_dialect *dialect, const struct api_route *route)
{
	return (dialect == &api_v1 || strncmp(route->pattern, "/v1/", 4) == 0) &&
	       strncmp(route->pattern, "/v1/{", 5) != 0;
}

json_t *openapi_document(const struct api_dialect *const *dialects)
{
	struct document document = {json_object(), parameters_json()};

	for (; *dialects; dialects++)
		for (const struct api_route *at = (*dialects)->routes; at->method; at++)
			if (is_ours(*dialects, at))
				put_route(&document, at);
	for (size_t i = 0; i < KINDS_ALL; i++)
		put_paths(&document, &kinds[i]);
	return json_make(
		"{s:s, s:{s:s, s:s, s:s}, s:[{s:s}], s:[{s:[]}, {s:[]}], s:o, s:{s:o, s:o, "
		"s:{s:o}, "
		"s:{s:o}, s:{s:o, s:o}}}",
		"openapi", "3.1.0", "info", "title", "sluice", "version", SLUICE_VERSION, "summary",
		"A private DNS forwarding resolver: its resources, and the running server.",
		"servers", "url", "/", "security", "bearer", "token", "paths", document.paths,
		"components", "schemas", schemas_json(), "parameters", document.parameters,
		"responses", "error",
		json_make("{s:s, s:o}", "description",
			  "Why not: where, what, and what would be "
			  "right.",
			  "content", content("application/json", reference("schemas", "error"))),
		"headers", "ETag", json_make("{s:o}", "schema", of_type("string")),
		"securitySchemes", "bearer",
		json_make("{s:s, s:s}", "type", "http", "scheme", "bearer"), "token",
		json_make("{s:s, s:s, s:s}", "type", "apiKey", "in", "header", "name",
			  "X-Auth-Token"));
}

void api_openapi(struct api_request *request)
{
	api_reply_json(request, 200, openapi_document(api_dialects(request)), NULL);
}
