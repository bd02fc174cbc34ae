/* The way of a request to its handler and back, on two threads:
 *
 *     on_head      listener's thread   finds the route in a table, and the client and its rights by
 *                                      digests; refuses (400 401 403 404 405 429 503), or sets
 *                                      the limit of the body
 *     on_request   control thread      if the request needs an admin, waits for any large change
 *                                      (work.h); reads query, JSON or form (a thread parses long
 *                                      JSON); checks the rights again; refuses (400 401 403 409
 *                                      415 503), or calls the handler
 *     api_reply_*  control thread      held until every worker serves the last published change,
 *                                      except for a stream
 *
 * So a client without rights costs the control thread nothing: its body is discarded on the
 * listener's thread (http.c). */
#include "resolver/control/api/api.h"

#include <ctype.h>
#include <stdarg.h>
#include <strings.h>

#include "resolver/control/api/path.h"
#include "resolver/control/api/precondition.h"
#include "resolver/control/base/json.h"
#include "resolver/control/base/percent.h"
#include "resolver/control/base/relaxed_json.h"
#include "resolver/control/base/uuid.h"
#include "resolver/control/http/stream.h"
#include "resolver/control/service/service.h"
#include "rules/base.h"
#include "rules/text.h"

struct api_reading {         /* long JSON, which a thread parses and frees */
	struct work_job job; /* first */
	struct api_call *call;
	char error[API_TEXT_MAX];
};

struct api_call { /* a request with its private parts */
	struct api_request request;
	struct api *api;
	struct http_request *http;
	const struct api_route *route;
	struct api_path path;
	struct api_fields fields, form;
	const char *type;            /* of the answer's body; NULL: JSON */
	char *decoded;               /* request.path */
	char base[API_BASE_MAX];     /* api_base; "": none */
	struct api_reading *reading; /* NULL: the body is not long */
};

static struct api_call *call_of(const struct api_request *request)
{
	return container_of(request, struct api_call, request);
}

/* ---- dialects ---- */

const struct api_code api_codes[] = {
	{400, "bad_request"},
	{401, "unauthorized"},
	{403, "forbidden"},
	{404, "not_found"},
	{405, "method_not_allowed"},
	{409, "conflict"},
	{412, "precondition_failed"},
	{413, "request_entity_too_large"},
	{415, "unsupported_media_type"},
	{421, "misdirected_request"},
	{422, "unprocessable"},
	{429, "too_many_requests"},
	{500, "internal_error"},
	{503, "service_unavailable"},
	{0, NULL},
};

static const char *code_of(const struct api_code *codes, unsigned status)
{
	for (const struct api_code *code = codes; code->status; code++)
		if (code->status == status)
			return code->code;
	return code_of(codes, status < 500 ? 400 : 500);
}

static bool has_root(const struct api_dialect *dialect, const char *segment, size_t length)
{
	for (const char *const *root = dialect->roots; root && *root; root++)
		if (strlen(*root) == length && strncasecmp(segment, *root, length) == 0)
			return true;
	return false;
}

static const struct api_dialect *dialect_of(const struct api *api, const char *path)
{
	const struct api_dialect *const *dialect = api->dialects;

	path += strspn(path, "/");
	while (dialect[1] && !has_root(*dialect, path, strcspn(path, "/")))
		dialect++;
	return *dialect;
}

static void draw_id(char id[API_ID_MAX])
{
	char uuid[UUID_TEXT_MAX];

	snprintf(id, API_ID_MAX, "req-%s", uuid_random(uuid));
}

/* The error's body, to be freed; NULL without memory. An error without a code gets the dialect's.
 */
static char *error_text(const struct api_dialect *dialect, struct api_error error)
{
	if (!error.code)
		error.code = code_of(dialect->codes, error.status);
	json_t *json = json_whole(dialect->error(&error));
	char *body = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	return body;
}

/* The longest JSON that the control thread parses itself, which takes a fraction of a millisecond.
 */
enum { PARSED_HERE_MAX = 32 * 1024 };

/* Compares the media type without its parameters. */
static bool is_of_type(const struct http_request *request, const char *wanted)
{
	const char *type = http_request_header(request, "Content-Type");
	size_t length = strlen(wanted);
	return type && strncasecmp(type, wanted, length) == 0 &&
	       strchr("; \t", type[length]) != NULL; /* or the end */
}

static bool is_csv(const struct http_request *request)
{
	return is_of_type(request, "text/csv");
}

/* Types such as "application/merge-patch+json" are JSON as well (RFC 6839 section 3.1). */
static bool is_typed_json(const struct http_request *request)
{
	static const char application[] = "application/", suffix[] = "+json";
	const char *type = http_request_header(request, "Content-Type");
	size_t length = type ? strcspn(type, "; \t") : 0,
	       least = strlen(application) + strlen(suffix);
	return is_of_type(request, "application/json") ||
	       (length > least && strncasecmp(type, application, strlen(application)) == 0 &&
		strncasecmp(type + length - strlen(suffix), suffix, strlen(suffix)) == 0);
}

/* ---- on the listener's thread ---- */

static void allow_body(const struct api *api, const struct api_route *route,
		       struct http_request *request)
{
	if (route->body_max == API_UPLOAD && is_csv(request))
		request->body_max = atomic_load(&api->upload_max);
	else if (route->body_max > 0 && route->body_max != API_UPLOAD)
		request->body_max = route->body_max;
	else if (strcmp(route->method, "GET") == 0) /* nothing reads it (RFC 9110 section 9.3.1) */
		request->body_max = 0;
}

/* The body of an error in the dialect of the path. */
static char *error_body(const struct api *api, const struct http_request *request, unsigned status,
			const char *text)
{
	char id[API_ID_MAX];

	draw_id(id);
	return error_text(dialect_of(api, request->path),
			  (struct api_error){.status = status, .text = text, .id = id});
}

static void refuse(const struct api *api, struct http_request *request, unsigned status,
		   const char *text)
{
	char *body = error_body(api, request, status, text);
	http_reply(request, status, "application/json", body, body ? strlen(body) : 0);
}

static bool method_fits(const struct api_route *route, const char *method)
{
	return strcmp(route->method, method) == 0 ||
	       (strcmp(route->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

/* Finds the first row of any API with this path and method, among rows with parameters or among
 * those without. NULL: `allow` has the methods of the path, "" if there is no such path. */
static const struct api_route *find_among(const struct api *api, const struct api_path *path,
					  const char *method, bool parameters, char *allow,
					  size_t size)
{
	*allow = '\0';
	for (const struct api_dialect *const *dialect = api->dialects; *dialect; dialect++)
		for (const struct api_route *route = (*dialect)->routes; route->method; route++) {
			bool has_some = strchr(route->pattern, '{') != NULL;

			if (has_some != parameters || !api_path_matches(path, route->pattern))
				continue;
			if (method_fits(route, method))
				return route;
			if (!strstr(allow, route->method))
				text_append(allow, size, "%s%s", *allow ? ", " : "", route->method);
		}
	return NULL;
}

/* Rows without parameters come first, so that /v1/flush is not taken for a kind of resource. */
static const struct api_route *find_route(const struct api *api, const struct api_path *path,
					  const char *method, char *allow, size_t size)
{
	const struct api_route *route = find_among(api, path, method, false, allow, size);

	return route || *allow ? route : find_among(api, path, method, true, allow, size);
}

static void refuse_route(const struct api *api, struct http_request *request, const char *allow)
{
	char text[API_TEXT_MAX];

	if (!*allow) {
		refuse(api, request, 404, "there is nothing at this path");
		return;
	}
	http_header(request, "Allow", allow);
	snprintf(text, sizeof text, "this path takes only %s", allow);
	refuse(api, request, 405, text);
}

static void say_wait(const struct api *api, struct http_request *request, uint64_t now_us)
{
	char wait[16];
	snprintf(wait, sizeof wait, "%u", http_auth_wait_s(api->auth, request, now_us));
	http_header(request, "Retry-After", wait);
}

static void refuse_secret(const struct api *api, struct http_request *request)
{
	http_header(request, "WWW-Authenticate",
		    "Bearer realm=\"sluice\", error=\"invalid_token\"");
	refuse(api, request, 401,
	       "no client in management.clients has this secret, and it is not a valid token");
}

/* False: the client is not identified, and the request was refused. */
static bool is_known(const struct api *api, struct http_request *request)
{
	uint64_t now_us = uv_hrtime() / 1000;
	switch (http_auth_identify(api->auth, request, time(NULL), now_us)) {
	case HTTP_KNOWN: return true;
	case HTTP_WRONG_USER:
		refuse(api, request, 403,
		       "permission denied; only root and the server's own user may ask");
		return false;
	case HTTP_NO_CREDENTIALS:
		http_header(request, "WWW-Authenticate", "Bearer realm=\"sluice\"");
		refuse(api, request, 401,
		       "authentication required: send a client's secret, or a token, as "
		       "\"Authorization: Bearer "
		       "SECRET\" or as X-Auth-Token");
		return false;
	case HTTP_TOO_MANY:
		if (http_late(request)) {
			refuse_secret(api, request);
			return false;
		}
		say_wait(api, request, now_us);
		refuse(api, request, 429, HTTP_TOO_MANY_TEXT);
		return false;
	case HTTP_WRONG_CREDENTIALS: refuse_secret(api, request); return false;
	}
	return false;
}

/* Does the route need no login? */
static bool is_open(const struct api_route *route)
{
	return route->need == API_NOTHING || route->need == API_FORM;
}

static void on_head(void *context, struct http_request *request)
{
	const struct api *api = context;
	struct api_path path;
	char allow[64];
	int err = api_path_init(&path, request->path);
	const struct api_route *route =
		err == 0 ? find_route(api, &path, request->method, allow, sizeof allow) : NULL;
	api_path_release(&path);
	if (!(route && is_open(route)) && !is_known(api, request))
		return;
	if (err == ERR_INVALID)
		refuse(api, request, 400,
		       "the path is not UTF-8, or a '%' in it is not followed by two hexadecimal "
		       "digits");
	else if (err == ERR_NOMEM)
		refuse(api, request, 503, err_text(err));
	else if (err != 0)
		refuse(api, request, 404, "there is nothing at this path");
	else if (!route)
		refuse_route(api, request, allow);
	else if (route->need >= API_CHANGE && request->role != ROLE_ADMIN)
		refuse(api, request, 403, "this client is a reader; the request needs an admin");
	else
		allow_body(api, route, request);
	request->route = route;
}

/* ---- the request, on the control thread ---- */

/* Splits the path into segments, and decodes it as a whole. */
static int call_fill(struct api_call *call)
{
	const char *path = call->http->path;
	int err = api_path_init(&call->path, path);
	if (err != 0)
		return err;
	size_t length = 1;
	for (size_t i = 0; i < call->path.count; i++)
		length += strlen(call->path.segments[i]) + 1;
	char *to = call->decoded = malloc(length + 1);
	if (!to)
		return ERR_NOMEM;
	*to = '\0';
	for (size_t i = 0; i < call->path.count; i++)
		to += snprintf(to, length + 1 - (size_t)(to - call->decoded), "/%s",
			       call->path.segments[i]);
	call->request.path = call->decoded;
	return 0;
}

/* Is this a host, perhaps with a port? Only characters of names and addresses are allowed. */
static bool is_host(const char *text)
{
	size_t length = strlen(text);
	return length > 0 && length <= 255 &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			    ".-_~:[]") == length;
}

/* Is this a login name, such as "anna" or "EXAMPLE\\anna"? Brackets are refused, because they
 * enclose the name in `who`. */
static bool is_login(const char *text)
{
	size_t length = strlen(text);

	for (const char *at = text; *at != '\0'; at++)
		if (*at <= ' ' || *at > '~' || strchr("()", *at))
			return false;
	return length > 0 && length <= API_LOGIN_MAX;
}

/* Only a peer at the control socket may claim a login name. */
static const char *who_asks(struct http_request *http, struct arena *arena)
{
	const char *login = http_request_header(http, API_LOGIN_HEADER);
	const char *who = NULL;

	if (http->origin == HTTP_UNIX && login && is_login(login))
		who = arena_printf(arena, "%s" API_LOGIN_SAYS "%s)", http->client, login);
	return who ? who : http->client;
}

static struct api_call *call_new(struct api *api, struct http_request *http)
{
	struct api_call *call = calloc(1, sizeof *call);
	if (!call)
		return NULL;
	arena_init(&call->request.arena);
	call->api = api;
	call->http = http;
	call->route = http->route;
	const char *host = http_request_header(http, "Host");
	if (host && is_host(host))
		snprintf(call->base, sizeof call->base, "%s://%s",
			 http->origin == HTTP_TLS ? "https" : "http", host);
	struct api_request *request = &call->request;
	request->service = api->service;
	request->method = strcmp(http->method, "HEAD") == 0 ? "GET" : http->method;
	request->if_match = http_request_header(http, "If-Match");
	request->if_none_match = http_request_header(http, "If-None-Match");
	request->client = http->client;
	request->who = who_asks(http, &request->arena);
	request->role = http->role;
	request->dialect = dialect_of(api, http->path);
	draw_id(request->id);
	if (call_fill(call) == 0)
		return call;
	api_path_release(&call->path);
	arena_release(&call->request.arena);
	free(call->decoded);
	free(call);
	return NULL;
}

static void free_body(void *context) /* in any thread */
{
	const struct api_reading *reading = context;
	json_decref(reading->call->request.body);
}

static void free_call(void *context)
{
	struct api_reading *reading = context;
	free(reading->call);
	free(reading);
}

/* JSON that took long to parse takes long to free, so a thread does that as well. */
static void release(struct api_call *call)
{
	struct api_reading *reading = call->reading;
	api_path_release(&call->path);
	api_fields_release(&call->fields);
	api_fields_release(&call->form);
	arena_release(&call->request.arena);
	free(call->decoded);
	if (reading && work_beside_in_thread(&call->request.service->work, &reading->job, free_body,
					     free_call))
		return;
	json_decref(call->request.body);
	free(call);
	free(reading);
}

/* ---- reading the request ---- */

const char *api_parameter(const struct api_request *request, const char *name)
{
	const struct api_call *call = call_of(request);
	const char *value = api_path_parameter(&call->path, call->route->pattern, name);
	return value ? value : "";
}

const char *api_segment(const struct api_request *request, size_t at)
{
	const struct api_path *path = &call_of(request)->path;

	return at < path->count ? path->segments[at] : "";
}

/* False: there is no memory. */
static bool print_encoded(FILE *out, const char *before, const char *text)
{
	size_t size = 3 * strlen(text) + 5;
	char *encoded = malloc(size);

	if (!encoded)
		return false;
	fprintf(out, "%s%s", before, percent_encode(encoded, size, text));
	free(encoded);
	return true;
}

json_t *api_next_page(const struct api_request *request, const char *field, const char *value)
{
	const struct api_call *call = call_of(request);
	const char *separator = "?";
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	json_t *next = NULL;
	bool all = out;

	for (size_t i = 0; all && i < call->path.count; i++)
		all = print_encoded(out, "/", call->path.segments[i]);
	for (size_t i = 0; all && i < call->fields.count; i++) {
		if (strcmp(call->fields.items[i].name, field) == 0)
			continue;
		all = print_encoded(out, separator, call->fields.items[i].name) &&
		      print_encoded(out, "=", call->fields.items[i].value);
		separator = "&";
	}
	all = all && print_encoded(out, separator, field) && print_encoded(out, "=", value);
	if (out && fclose(out) == 0 && all)
		next = json_text(text);
	free(text);
	return next;
}

static const char *find_field(const struct api_fields *fields, const char *name)
{
	for (size_t i = 0; i < fields->count; i++)
		if (strcmp(fields->items[i].name, name) == 0)
			return fields->items[i].value;
	return NULL;
}

const char *api_query(const struct api_request *request, const char *name)
{
	return find_field(&call_of(request)->fields, name);
}

const char *api_query_other(const struct api_request *request, const char *const *known)
{
	const struct api_fields *fields = &call_of(request)->fields;
	for (size_t i = 0; i < fields->count; i++)
		if (!text_is_among(fields->items[i].name, known))
			return fields->items[i].name;
	return NULL;
}

bool api_query_flag(struct api_request *request, const char *name, bool *flag)
{
	static const char *const yes[] = {"", "true", "1", NULL}, *const no[] = {"false", "0",
										 NULL};
	const char *text = api_query(request, name);

	*flag = text && text_is_among(text, yes);
	if (!text || *flag || text_is_among(text, no))
		return true;
	api_fail_at(request, 400, "invalid", name, "must be true or false");
	return false;
}

const char *api_header(const struct api_request *request, const char *name)
{
	return http_request_header(call_of(request)->http, name);
}

/* "Accept" is a list, whose parameters (;q=0.9) are ignored. */
bool api_accepts(const struct api_request *request, const char *type)
{
	const char *at = api_header(request, "Accept");
	size_t length = strlen(type);

	while (at && *at) {
		at += strspn(at, " \t,");
		if (strncasecmp(at, type, length) == 0 && strchr(" \t,;", at[length]))
			return true;
		at += strcspn(at, ",");
	}
	return false;
}

const char *api_form(const struct api_request *request, const char *name)
{
	return find_field(&call_of(request)->form, name);
}

const struct api_dialect *const *api_dialects(const struct api_request *request)
{
	return call_of(request)->api->dialects;
}

bool api_is_local(const struct api_request *request)
{
	return call_of(request)->http->origin == HTTP_UNIX;
}

const char *api_base(const struct api_request *request)
{
	const struct api_call *call = call_of(request);

	return *call->base ? call->base : NULL;
}

const char *api_base_needed(struct api_request *request)
{
	const char *base = api_base(request);

	if (!base)
		api_fail(request, 400, NULL, "the Host header is missing, or is not a host name");
	return base;
}

/* ---- answers ---- */

struct waiting_answer {
	struct api_wait wait; /* first */
	struct http_request *http;
	unsigned status;
	const char *type;
	char *body;
	size_t length;
};

static void hold(struct api *api, struct api_wait *wait)
{
	wait->next = NULL;
	if (!api->held)
		api->held_end = &api->held;
	*api->held_end = wait;
	api->held_end = &wait->next;
}

void api_await_served(struct api_request *request, struct api_wait *wait)
{
	struct api *api = call_of(request)->api;

	if (service_all_adopted(api->service))
		wait->on_served(wait);
	else
		hold(api, wait);
}

void api_await_change(struct api_request *request, struct api_wait *wait)
{
	struct api *api = call_of(request)->api;

	wait->next = api->next_change;
	api->next_change = wait;
}

void api_await_no_more(struct api_request *request, struct api_wait *wait)
{
	struct api_wait **link = &call_of(request)->api->next_change;

	while (*link != wait)
		link = &(*link)->next;
	*link = wait->next;
}

void api_let_go(struct api *api)
{
	struct api_wait *wait;

	while ((wait = api->held)) {
		api->held = wait->next;
		wait->on_served(wait);
	}
	api_rest(api);
}

void api_rest(struct api *api)
{
	struct api_wait *wait = api->next_change, *next;

	api->next_change = NULL;
	for (; wait; wait = next) {
		next = wait->next;
		wait->on_served(wait); /* which may wait again */
	}
}

static void send_answer(const struct waiting_answer *answer)
{
	http_reply(answer->http, answer->status, answer->type, answer->body, answer->length);
}

static void on_answer_served(struct api_wait *wait)
{
	struct waiting_answer *answer = container_of(wait, struct waiting_answer, wait);

	send_answer(answer);
	free(answer);
}

/* Answers with the body, NULL: none; takes ownership of it. */
static void finish(struct api_request *request, unsigned status, char *body, size_t length)
{
	struct api_call *call = call_of(request);
	struct api *api = call->api;
	const struct waiting_answer answer = {.wait.on_served = on_answer_served,
					      .http = call->http,
					      .status = status,
					      .type = call->type ? call->type : "application/json",
					      .body = body,
					      .length = length};
	struct waiting_answer *held =
		service_all_adopted(api->service) ? NULL : malloc(sizeof *held);

	release(call);
	if (!held) { /* all serve the change, or no memory to wait */
		send_answer(&answer);
		return;
	}
	*held = answer;
	hold(api, &held->wait);
}

static void finish_text(struct api_request *request, unsigned status, char *text)
{
	finish(request, status, text, text ? strlen(text) : 0);
}

void api_answer_header(struct api_request *request, const char *name, const char *value)
{
	http_header(call_of(request)->http, name, value);
}

static void fail(struct api_request *request, unsigned status, const char *code, const char *field,
		 const char *format, va_list arguments)
{
	char text[API_TEXT_MAX];
	vsnprintf(text, sizeof text, format, arguments);
	finish_text(request, status,
		    error_text(request->dialect, (struct api_error){.status = status,
								    .code = code,
								    .field = field,
								    .text = text,
								    .id = request->id}));
}

void api_fail(struct api_request *request, unsigned status, const char *code, const char *format,
	      ...)
{
	va_list arguments;
	va_start(arguments, format);
	fail(request, status, code, NULL, format, arguments);
	va_end(arguments);
}

void api_fail_at(struct api_request *request, unsigned status, const char *code, const char *field,
		 const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fail(request, status, code, field, format, arguments);
	va_end(arguments);
}

void api_fail_faults(struct api_request *request, unsigned status, const char *code,
		     const struct faults *faults)
{
	struct api_error error = {
		.status = status, .code = code, .id = request->id, .faults = faults, .text = ""};
	const struct fault *first = faults_first(faults);
	char text[API_TEXT_MAX];

	if (first) {
		error.text = first->text;
		error.field = first->origin.path;
	}
	if (faults->errors > 1) {
		snprintf(text, sizeof text, "%s (and %zu more)", error.text, faults->errors - 1);
		error.text = text;
	}
	finish_text(request, status, error_text(request->dialect, error));
}

void api_fail_memory(struct api_request *request)
{
	api_fail(request, 503, NULL, "%s", err_text(ERR_NOMEM));
}

void api_fail_ending(struct api_request *request)
{
	api_fail(request, 503, NULL, "the server is about to end; try again");
}

bool api_not_modified(struct api_request *request, const char *etag)
{
	api_answer_header(request, "ETag", etag);
	if (!request->if_none_match || strcmp(request->method, "GET") != 0 ||
	    !precondition_lists(request->if_none_match, etag))
		return false;
	finish(request, 304, NULL, 0);
	return true;
}

void api_reply_json(struct api_request *request, unsigned status, json_t *body, const char *etag)
{
	body = json_whole(body);
	char *text = body ? json_dumps(body, JSON_COMPACT | JSON_DECIMAL | JSON_ENCODE_ANY) : NULL;
	json_decref(body);
	if (!text) {
		api_fail_memory(request);
		return;
	}
	if (etag && status == 200 && api_not_modified(request, etag)) {
		free(text);
		return;
	}
	if (etag && status != 200)
		api_answer_header(request, "ETag", etag);
	finish_text(request, status, text);
}

void api_reply_stream(struct api_request *request, const struct http_stream_source *source)
{
	struct api_call *call = call_of(request);

	if (http_reply_stream(call->http, "text/event-stream", source)) {
		release(call);
		return;
	}
	source->release(source->context);
	api_fail(request, 429, NULL,
		 "there are %d streams, as many as there may be; end one, or try again later",
		 HTTP_STREAMS_MAX);
}

void api_reply_text(struct api_request *request, unsigned status, const char *type, char *text,
		    size_t length)
{
	call_of(request)->type = type;
	finish(request, status, text, length);
}

void api_reply_json_text(struct api_request *request, unsigned status, char *text)
{
	finish_text(request, status, text);
}

void api_reply_empty(struct api_request *request, unsigned status)
{
	finish(request, status, NULL, 0);
}

/* ---- calling the handler ---- */

/* False: the body is no form, and the request has been answered. */
static bool read_form(struct api_call *call)
{
	static const char type[] = "application/x-www-form-urlencoded";
	const struct http_request *http = call->http;
	const char *body = http->body_length > 0 ? http->body : "";
	if (http_request_header(http, "Content-Type") && !is_of_type(http, type)) {
		api_fail(&call->request, 400, NULL, "the body must be a form: %s", type);
		return false;
	}
	int err = strlen(body) == http->body_length ? api_fields_init(&call->form, body)
						    : ERR_INVALID;
	if (err != 0)
		api_fail(&call->request, err == ERR_NOMEM ? 503 : 400, NULL, "the form is %s",
			 err_text(err));
	if (err != 0)
		return false;
	const char *twice = api_fields_twice(&call->form); /* RFC 6749 section 3.2 */
	if (twice)
		api_fail(&call->request, 400, NULL, "the form has \"%.64s\" twice", twice);
	return !twice;
}

json_t *api_parse(const struct api_dialect *dialect, const char *text, size_t length,
		  char error[API_TEXT_MAX])
{
	const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;
	json_error_t at;
	json_t *body = dialect->relaxed ? relaxed_json_load(text, length, flags, &at)
					: json_loadb(text, length, flags, &at);
	if (!body)
		snprintf(error, API_TEXT_MAX, "the body is not JSON: line %d, column %d: %s",
			 at.line, at.column, at.text);
	return body;
}

static bool is_text(const struct api_call *call)
{
	return call->route->need == API_CHANGE_TEXT ||
	       (call->route->body_max == API_UPLOAD && is_csv(call->http));
}

static bool is_json(const struct api_call *call)
{
	return call->http->body_length > 0 && call->route->need != API_FORM && !is_text(call);
}

/* Reads the query and any body but JSON. False: they are invalid, and the request has been
 * answered. JSON needs its content type: a web page in a browser may send a body of another type,
 * or of none, to any server without permission. */
static bool call_read(struct api_call *call)
{
	const struct http_request *http = call->http;
	int err = api_fields_init(&call->fields, http->query);
	if (err != 0) {
		api_fail(&call->request, err == ERR_NOMEM ? 503 : 400, NULL, "the query is %s",
			 err_text(err));
		return false;
	}
	const char *twice = api_fields_twice(&call->fields); /* it is not clear which counts */
	if (twice) {
		api_fail_at(&call->request, 400, NULL, twice,
			    "is in the query twice; give it once");
		return false;
	}
	if (call->route->need == API_FORM)
		return read_form(call);
	if (http->body_length > 0 && !is_typed_json(http) &&
	    !(call->route->body_max == API_UPLOAD && is_csv(http))) {
		api_fail(&call->request, 415, NULL,
			 "the body's type is not JSON; send it with \"Content-Type: "
			 "application/json\"%s",
			 call->route->body_max == API_UPLOAD ? ", or CSV as text/csv" : "");
		return false;
	}
	if (http->body_length > 0 && is_text(call)) {
		call->request.text = http->body;
		call->request.text_length = http->body_length;
	}
	return true;
}

bool api_may_change(struct api_request *request)
{
	char text[CONFIRMATION_TEXT_MAX];

	if (request->service->upgrading) {
		api_answer_header(request, "Retry-After", "1");
		api_fail(request, 503, NULL, "an upgrade is under way; try again once it is done");
		return false;
	}
	if (!confirmation_waits(&request->service->confirmation, request->role != ROLE_ADMIN, text))
		return true;
	api_fail(request, 409, NULL, "%s", text);
	return false;
}

bool api_query_confirm(struct api_request *request, unsigned *wait_s)
{
	const char *text = api_query(request, "confirm");
	char why[CONFIRMATION_TEXT_MAX], *end;

	*wait_s = 0;
	if (!text)
		return true;
	unsigned long seconds = isdigit((unsigned char)*text) ? strtoul(text, &end, 10) : 0;
	if (seconds < 1 || seconds > CONFIRMATION_MAX_S || *end != '\0') {
		api_fail_at(request, 400, NULL, "confirm",
			    "\"%.32s\" does not fit; give seconds, 1 to %d", text,
			    CONFIRMATION_MAX_S);
		return false;
	}
	if (confirmation_refusal(&request->service->confirmation, why)) {
		api_fail(request, 409, NULL, "%s", why);
		return false;
	}
	*wait_s = (unsigned)seconds;
	return true;
}

bool api_still_may(struct api_request *request)
{
	struct api_call *call = call_of(request);
	enum client_role role;

	if (is_open(call->route))
		return true;
	if (!http_auth_still_knows(call->api->auth, call->http, time(NULL), &role))
		api_fail(request, 401, NULL,
			 "this client's rights have ended since it sent the request; nothing has "
			 "been done");
	else if (call->route->need >= API_CHANGE && role != ROLE_ADMIN)
		api_fail(request, 403, NULL, "this client is a reader; the request needs an admin");
	else if (request->role == ROLE_ADMIN && role != ROLE_ADMIN)
		/* The answer may already have data that only an admin may see. */
		api_fail(request, 403, NULL,
			 "this client has become a reader since it sent the request; send it "
			 "again");
	else
		return true;
	return false;
}

/* False: the route does not know a field of the query, and the request has been answered. */
static bool check_query(struct api_request *request)
{
	const char *const *known = call_of(request)->route->fields;
	const char *other = known ? api_query_other(request, known) : NULL;
	char text[API_TEXT_MAX] = "";

	for (size_t i = 0; other && known[i]; i++)
		text_append(text, sizeof text, "%s%s", i > 0 ? ", " : "; give ", known[i]);
	if (other)
		api_fail_at(request, 400, "invalid", other, "is not known here%s", text);
	return !other;
}

static void handle(struct work_waiter *waiter)
{
	struct api_request *request = api_request_of(waiter);
	const struct api_route *route = call_of(request)->route;
	bool changes = route->need == API_CHANGE || route->need == API_CHANGE_TEXT;

	if (request->service->resources)
		resources_forget(request->service->resources);
	if (api_still_may(request) && check_query(request) && (!changes || api_may_change(request)))
		route->handle(request);
}

/* Does the request have to wait for a large change before its handler is called? */
static bool waits(struct api_call *call, void (*go_on)(struct work_waiter *waiter))
{
	return call->route->need >= API_CHANGE &&
	       work_wait(&call->request.service->work, &call->request.waiter, go_on);
}

static void parse(struct api_call *call, char error[API_TEXT_MAX])
{
	call->request.body =
		api_parse(call->request.dialect, call->http->body, call->http->body_length, error);
}

static void parse_in_thread(void *context)
{
	struct api_reading *reading = context;
	parse(reading->call, reading->error);
}

/* Another client's work may have begun while the body was parsed. */
static void on_parsed(void *context)
{
	struct api_reading *reading = context;
	struct api_call *call = reading->call;
	if (!call->request.body)
		api_fail(&call->request, 400, NULL, "%s", reading->error);
	else if (!waits(call, handle))
		handle(&call->request.waiter);
}

/* False: parse the body on this thread. */
static bool begin_reading(struct api_call *call)
{
	if (call->http->body_length <= PARSED_HERE_MAX)
		return false;
	call->reading = calloc(1, sizeof *call->reading);
	if (!call->reading)
		return false;
	call->reading->call = call;
	return work_beside_in_thread(&call->request.service->work, &call->reading->job,
				     parse_in_thread, on_parsed);
}

static void start(struct work_waiter *waiter)
{
	struct api_request *request = api_request_of(waiter);
	struct api_call *call = call_of(request);
	char error[API_TEXT_MAX];
	if (!call_read(call) || (is_json(call) && begin_reading(call)))
		return;
	if (is_json(call))
		parse(call, error);
	if (is_json(call) && !request->body)
		api_fail(request, 400, NULL, "%s", error);
	else
		handle(waiter);
}

static void on_request(void *context, struct http_request *request)
{
	struct api *api = context;
	struct api_call *call = call_new(api, request);
	if (!call)
		refuse(api, request, 503, err_text(ERR_NOMEM));
	else if (api->service->ending)
		api_fail_ending(&call->request);
	else if (!waits(call, start))
		start(&call->request.waiter);
}

/* Turns an error of http_auth into the error that api_login returns, and tells a client that
 * guesses secrets how long it has to wait. */
static int late_or_refused(const struct api_call *call, int err, uint64_t now_us)
{
	if (err == ERR_LIMIT && http_late(call->http))
		return ERR_NOT_FOUND;
	if (err == ERR_LIMIT)
		say_wait(call->api, call->http, now_us);
	return err;
}

int api_login(struct api_request *request, const struct http_login *login,
	      char token[TOKEN_TEXT_MAX], enum client_role *role)
{
	const struct api_call *call = call_of(request);
	uint64_t now_us = uv_hrtime() / 1000;
	int err = http_auth_login(call->api->auth, call->http, login, now_us, token, role);

	return late_or_refused(call, err, now_us);
}

int api_make_code(struct api_request *request, char code[LOGIN_CODE_MAX])
{
	return http_auth_make_code(call_of(request)->api->auth, request->who, uv_hrtime() / 1000,
				   code);
}

int api_login_by_code(struct api_request *request, const char *code, char token[TOKEN_TEXT_MAX],
		      char client[HTTP_CLIENT_MAX])
{
	const struct api_call *call = call_of(request);
	const struct http_code_login login = {code, uv_hrtime() / 1000, time(NULL) + TOKEN_LIFE_S};
	int err = http_auth_login_by_code(call->api->auth, call->http, &login, token, client);

	return late_or_refused(call, err, login.now_us);
}

bool api_is_from_loopback(const struct api_request *request)
{
	const struct http_request *http = call_of(request)->http;

	return http->origin != HTTP_UNIX && address_is_loopback(&http->from) &&
	       !http_request_header(http, "Forwarded") &&
	       !http_request_header(http, "X-Forwarded-For");
}

int api_log_out(struct api_request *request, const char *token, struct http_logout *logout)
{
	const struct api_call *call = call_of(request);
	int err = http_auth_log_out(call->api->auth, token, request->client, request->role,
				    time(NULL), logout);

	if (!err)
		http_end_streams_of(call->http, logout->client);
	return err;
}

const struct history *api_history(const struct api_request *request)
{
	return call_of(request)->api->history;
}

struct login_counts api_login_counts(const struct api_request *request)
{
	return http_auth_counts(call_of(request)->api->auth);
}

static char *on_error(void *context, const struct http_request *request, unsigned status,
		      const char *text)
{
	return error_body(context, request, status, text);
}

struct http_handler api_handler(struct api *api)
{
	return (struct http_handler){
		.on_head = on_head, .on_request = on_request, .on_error = on_error, .context = api};
}
