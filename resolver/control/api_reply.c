/* Answers, and errors in the shape of the API that was asked. */
#include <stdarg.h>
#include <strings.h>

#include "resolver/control/api_internal.h"
#include "resolver/control/control.h"
#include "resolver/control/etag.h"
#include "resolver/control/json.h"
#include "resolver/control/uuid.h"
#include "rules/text.h"

static const struct {
	unsigned status;
	const char *code, *arm_code;
} codes[] = {
	{400, "bad_request", "InvalidRequestContent"},
	{401, "unauthorized", "AuthenticationFailed"},
	{403, "forbidden", "AuthorizationFailed"},
	{404, "not_found", "ResourceNotFound"},
	{405, "method_not_allowed", "MethodNotAllowed"},
	{409, "conflict", "Conflict"},
	{412, "precondition_failed", "PreconditionFailed"},
	{413, "request_entity_too_large", "RequestEntityTooLarge"},
	{415, "unsupported_media_type", "UnsupportedMediaType"},
	{421, "misdirected_request", "MisdirectedRequest"},
	{422, "unprocessable", "UnprocessableEntity"},
	{429, "too_many_requests", "TooManyRequests"},
	{500, "internal_error", "InternalServerError"},
	{503, "service_unavailable", "ServiceUnavailable"},
};

/* RFC 6749 section 5.2, and 4.1.2.1 for the last. */
static const char *oauth_code(unsigned status)
{
	if (status >= 500)
		return "temporarily_unavailable";
	return status == 401 ? "invalid_client" : "invalid_request";
}

const char *api_code(enum api_shape shape, unsigned status)
{
	size_t count = sizeof codes / sizeof *codes, i = 0;
	while (i < count && codes[i].status != status)
		i++;
	if (i == count)
		return api_code(shape, status < 500 ? 400 : 500);
	if (shape == API_OAUTH)
		return oauth_code(status);
	return shape == API_ARM ? codes[i].arm_code : codes[i].code;
}

enum api_shape api_shape_of(const char *path)
{
	static const struct {
		const char *first; /* segment */
		enum api_shape shape;
	} shapes[] = {{"v2", API_V2},         {"v3", API_V3},       {"subscriptions", API_ARM},
		      {"providers", API_ARM}, {"tenants", API_ARM}, {"metadata", API_ARM},
		      {"adfs", API_OAUTH}};
	path += strspn(path, "/");
	size_t length = strcspn(path, "/");
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
		if (strlen(shapes[i].first) == length &&
		    strncasecmp(path, shapes[i].first, length) == 0)
			return shapes[i].shape;
	return API_V1;
}

void api_draw_id(char id[API_ID_MAX])
{
	char uuid[UUID_TEXT_MAX];

	snprintf(id, API_ID_MAX, "req-%s", uuid_random(uuid));
}

static json_t *error_json(enum api_shape shape, unsigned status, const char *code,
			  const char *field, const char *text, const char *id)
{
	switch (shape) {
	case API_V1: break;
	case API_V2:
		return json_make("{s:i, s:o, s:o, s:o}", "code", (int)status, "type",
				 json_text(code), "message", json_text(text), "request_id",
				 json_text(id));
	case API_V3:
		return json_make("{s:{s:i, s:s, s:o}}", "error", "code", (int)status, "title",
				 http_status_text(status), "message", json_text(text));
	case API_ARM:
		return json_make("{s:{s:o, s:o, s:o, s:[]}}", "error", "code", json_text(code),
				 "message", json_text(text), "target", json_text(field), "details");
	case API_OAUTH:
		return json_make("{s:o, s:o}", "error", json_text(code), "error_description",
				 json_text(text));
	}
	return json_make("{s:{s:o, s:o, s:o}}", "error", "code", json_text(code), "message",
			 json_text(text), "path", json_text(field));
}

char *api_error_body(enum api_shape shape, unsigned status, const char *code, const char *field,
		     const char *text, const char *id)
{
	json_t *error = json_whole(error_json(shape, status, code, field, text, id));
	char *body = error ? json_dumps(error, JSON_COMPACT) : NULL;
	json_decref(error);
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
	if (reading && work_beside_in_thread(&call->request.control->work, &reading->job, free_body,
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
	struct control *control = call->request.control;
	const struct api_answer answer = {NULL, call->http, status, body, length};

	release(call);
	if (server_is_settled(&control->server) || !hold(&control->api, answer))
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
		api_fail(request, 400, NULL,
			 "the header Host says by which name the server is reached, and there is "
			 "none that could be one");
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
		   api_error_body(request->shape, status,
				  code ? code : api_code(request->shape, status), field, text,
				  request->id));
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
	    !etag_is_listed(request->if_none_match, etag, false))
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
