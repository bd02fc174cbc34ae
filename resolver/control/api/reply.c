/* Answers, and errors in the dialect of the API that was asked. */
#include <stdarg.h>
#include <strings.h>

#include "resolver/control/api/internal.h"
#include "resolver/control/api/precondition.h"
#include "resolver/control/base/json.h"
#include "resolver/control/base/uuid.h"
#include "resolver/control/service/service.h"
#include "rules/text.h"

const char *api_code_of(const struct api_code *codes, unsigned status)
{
	for (const struct api_code *code = codes; code->status; code++)
		if (code->status == status)
			return code->code;
	return api_code_of(codes, status < 500 ? 400 : 500);
}

const char *api_code(unsigned status)
{
	static const struct api_code codes[] = {
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

	return api_code_of(codes, status);
}

static bool has_root(const struct api_dialect *dialect, const char *segment, size_t length)
{
	for (const char *const *root = dialect->roots; root && *root; root++)
		if (strlen(*root) == length && strncasecmp(segment, *root, length) == 0)
			return true;
	return false;
}

const struct api_dialect *api_dialect_of(const struct api *api, const char *path)
{
	const struct api_dialect *const *dialect = api->dialects;

	path += strspn(path, "/");
	while (dialect[1] && !has_root(*dialect, path, strcspn(path, "/")))
		dialect++;
	return *dialect;
}

void api_draw_id(char id[API_ID_MAX])
{
	char uuid[UUID_TEXT_MAX];

	snprintf(id, API_ID_MAX, "req-%s", uuid_random(uuid));
}

char *api_error_body(const struct api_dialect *dialect, struct api_error error)
{
	if (!error.code)
		error.code = dialect->code(error.status);
	json_t *json = json_whole(dialect->error(&error));
	char *body = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	return body;
}

void api_finish(struct api_call *call, unsigned status, char *body)
{
	api_finish_text(call, status, body, body ? strlen(body) : 0);
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

/* What took a thread to read takes one to free. */
static void release(struct api_call *call)
{
	struct api_reading *reading = call->reading;
	api_path_release(&call->path);
	api_fields_release(&call->fields);
	api_fields_release(&call->form);
	free(call->decoded);
	if (reading && work_beside_in_thread(&call->request.service->work, &reading->job, free_body,
					     free_call))
		return;
	json_decref(call->request.body);
	free(call);
	free(reading);
}

struct api_answer {
	struct api_answer *next;
	struct http_request *http;
	unsigned status;
	char *body;
	size_t length;
};

/* False: there is no memory for it. */
static bool hold(struct api *api, struct api_answer answer)
{
	struct api_answer *held = malloc(sizeof *held);

	if (!held)
		return false;
	*held = answer;
	if (!api->held)
		api->held_end = &api->held;
	*api->held_end = held;
	api->held_end = &held->next;
	return true;
}

static void send_answer(const struct api_answer *answer)
{
	http_reply(answer->http, answer->status, "application/json", answer->body, answer->length);
}

void api_let_go(struct api *api)
{
	struct api_answer *answer;

	while ((answer = api->held)) {
		api->held = answer->next;
		send_answer(answer);
		free(answer);
	}
}

void api_finish_text(struct api_call *call, unsigned status, char *body, size_t length)
{
	const struct server *server = &call->request.service->server;
	struct api *api = call->api;
	const struct api_answer answer = {NULL, call->http, status, body, length};

	release(call);
	if (server_all_adopted(server) || !hold(api, answer))
		send_answer(&answer);
}

/* ---- what was asked ---- */

const char *api_parameter(const struct api_request *request, const char *name)
{
	const struct api_call *call = (const struct api_call *)request;
	const char *value = api_path_parameter(&call->path, call->route->pattern, name);
	return value ? value : "";
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
	return find_field(&((const struct api_call *)request)->fields, name);
}

const char *api_query_other(const struct api_request *request, const char *const *known)
{
	const struct api_fields *fields = &((const struct api_call *)request)->fields;
	for (size_t i = 0; i < fields->count; i++)
		if (!text_is_among(fields->items[i].name, known))
			return fields->items[i].name;
	return NULL;
}

const char *api_form(const struct api_request *request, const char *name)
{
	return find_field(&((const struct api_call *)request)->form, name);
}

bool api_is_local(const struct api_request *request)
{
	return ((const struct api_call *)request)->http->origin == HTTP_UNIX;
}

/* RFC 3986 section 3.2.2, without what is written with a '%' and without a user. */
static bool is_host(const char *text)
{
	size_t length = strlen(text);
	return length > 0 && length <= 255 &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			    ".-_~:[]") == length;
}

const char *api_base(const struct api_request *request, char text[API_BASE_MAX])
{
	const struct http_request *http = ((const struct api_call *)request)->http;
	const char *host = http_request_header(http, "Host");
	if (!host || !is_host(host))
		return NULL;
	snprintf(text, API_BASE_MAX, "%s://%s", http->origin == HTTP_TLS ? "https" : "http", host);
	return text;
}

const char *api_base_needed(struct api_request *request, char text[API_BASE_MAX])
{
	const char *base = api_base(request, text);
	if (!base)
		api_fail(request, 400, NULL, "the Host header is missing, or is not a host name");
	return base;
}

/* ---- answers ---- */

void api_answer_header(struct api_request *request, const char *name, const char *value)
{
	http_header(((struct api_call *)request)->http, name, value);
}

static void fail(struct api_request *request, unsigned status, const char *code, const char *field,
		 const char *format, va_list arguments)
{
	char text[API_TEXT_MAX];
	vsnprintf(text, sizeof text, format, arguments);
	api_finish((struct api_call *)request, status,
		   api_error_body(request->dialect,
				  (struct api_error){status, code, field, text, request->id}));
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
	api_finish((struct api_call *)request, 304, NULL);
	return true;
}

void api_reply_json(struct api_request *request, unsigned status, json_t *body, const char *etag)
{
	char *quoted = NULL;
	body = json_whole(body);
	char *text = body ? json_dumps(body, JSON_COMPACT | JSON_DECIMAL | JSON_ENCODE_ANY) : NULL;
	json_decref(body);
	if (!text || (etag && asprintf(&quoted, *etag == '"' ? "%s" : "\"%s\"", etag) < 0)) {
		free(text);
		api_fail_memory(request);
		return;
	}
	if (quoted && status != 200)
		api_answer_header(request, "ETag", quoted);
	if (quoted && status == 200 && api_not_modified(request, quoted))
		free(text);
	else
		api_finish((struct api_call *)request, status, text);
	free(quoted);
}

void api_reply_empty(struct api_request *request, unsigned status)
{
	api_finish((struct api_call *)request, status, NULL);
}
