/* PTRs in OpenStack Designate's v2 API, for existing clients. An address is a floating IP with the
 * key REGION:UUID ("-" if it has no region).
 *
 *     GET     /v2/reverse/floatingips            all addresses, with or without a PTR
 *     GET     /v2/reverse/floatingips/{key}
 *     PATCH   {"ptrdname", "description", "ttl"} the whole PTR; 202, PENDING until workers have it
 *             {"ptrdname": null}                 removes the PTR; 202 and null
 *     DELETE  removes the PTR; 204. Designate itself has no DELETE here
 *
 * Like Designate, this API accepts any legal name and does not wait to check where the name leads;
 * if the name does not lead back, the log says so. Cloud services and zones are not shown here. */
#include <ctype.h>
#include <strings.h>

#include "resolver/control/api/edit.h"
#include "resolver/control/api/list.h"
#include "resolver/control/api/openstack/openstack.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"
#include "resolver/control/base/uuid.h"
#include "resolver/control/resource/change_error.h"
#include "rules/text.h"

enum {
	REGION_MAX = 100,
	KEY_MAX = REGION_MAX + 1 + UUID_TEXT_MAX,
};

static const char no_region[] = "-";

/* ---- showing ---- */

static json_t *links_json(const struct api_request *request, const char *key)
{
	char text[1024];
	const char *base = api_base(request); /* NULL: the link is a path */
	snprintf(text, sizeof text, "%s/v2/reverse/floatingips%s%s", base ? base : "",
		 key ? "/" : "", key ? key : "");
	return json_make("{s:o}", "self", json_text(text));
}

static json_t *floatingip_json(const struct api_request *request,
			       const struct owned_resource *resource)
{
	const struct owned_item *item = &resource->item;
	char key[KEY_MAX], address[ADDRESS_TEXT_MAX];
	json_t *object;

	snprintf(key, sizeof key, "%.*s:%s", REGION_MAX, item->region ? item->region : no_region,
		 item->id);
	object = json_make("{s:o, s:o, s:o, s:o, s:o}", "id", json_text(key), "address",
			   json_text(address_print(&item->address, address)), "ptrdname",
			   json_text(item->reverse_fqdn), "description",
			   json_text(item->reverse_fqdn ? item->ptr_description : NULL), "ttl",
			   item->reverse_fqdn && item->ttl != NOT_GIVEN ? json_integer(item->ttl)
									: json_null());
	json_put(object, "status", json_text(ptr_status_text(resource->status)));
	json_put(object, "action", json_text(ptr_action_text(resource->action)));
	json_put(object, "links", links_json(request, key));
	return object;
}

static json_t *list_links_json(const struct api_request *request, const char *last)
{
	(void)last;
	return links_json(request, NULL);
}

static json_t *list_row(struct api_request *request, const struct item *item)
{
	return floatingip_json(request, item->owned);
}

/* Lists all addresses on one page, as Designate's clients expect. */
static void list_floatingips(struct api_request *request)
{
	static const struct api_list list = {.key = "floatingips",
					     .row = list_row,
					     .tail = "links",
					     .tail_json = list_links_json};
	const struct item_list addresses = {.path.kind = kind_of_id(KIND_ADDRESS)};

	api_list_answer(request, &list, &addresses, API_LIST_ALL);
}

/* ---- keys ---- */

/* Returns the UUID of a key, ^[A-Za-z0-9.\-_]{1,100}:<uuid>$; NULL: it is no key. */
static const char *key_uuid(const char *key)
{
	const char *colon = strchr(key, ':');
	if (!colon || colon == key || colon - key > REGION_MAX || !text_is_uuid(colon + 1))
		return NULL;
	for (const char *at = key; at < colon; at++)
		if (!isalnum((unsigned char)*at) && !strchr(".-_", *at))
			return NULL;
	return colon + 1;
}

/* The address of the path's key; NULL: there is none, and the request has been answered. */
static const struct owned_resource *asked_address(struct api_request *request)
{
	const char *key = api_parameter(request, "key"), *uuid = key_uuid(key);
	struct resources *resources = api_resources(request);
	if (!uuid) {
		api_fail(request, 400, "bad_request",
			 "Floating IP %s is not in the format of <region>:<uuid>", key);
		return NULL;
	}
	const struct owned_resource *resource = addresses_by_id(resources, uuid);
	if (!resource && api_could_not_read(request))
		return NULL;
	size_t length = (size_t)(uuid - key) - 1;
	const char *region = resource && resource->item.region ? resource->item.region : no_region;
	if (resource && !owned_is_service(resource) && strlen(region) == length &&
	    strncasecmp(region, key, length) == 0)
		return resource;
	const char *project = resources_model(resources)->subscription;
	api_fail(request, 404, "not_found",
		 "FloatingIP %s in %.*s is not associated for project \"%s\"", uuid, (int)length,
		 key, project ? project : "default");
	return NULL;
}

static void show_floatingip(struct api_request *request)
{
	char etag[ETAG_MAX];
	const struct owned_resource *resource = asked_address(request);
	if (!resource)
		return;
	api_reply_json(request, 200, floatingip_json(request, resource),
		       owned_etag(resource, etag));
}

/* ---- changing ---- */

static bool fail_body(struct api_request *request, const char *field, const char *text)
{
	api_fail_at(request, 400, "invalid_object", field, "%s%s%s", field, *field ? ": " : "",
		    text);
	return false;
}

/* The first key that no PTR has; NULL: all are known. */
static const char *unknown_key(json_t *body)
{
	static const char *const known[] = {"ptrdname", "description", "ttl", NULL};
	void *at = json_object_iter(body);
	while (at && text_is_among(json_object_iter_key(at), known))
		at = json_object_iter_next(body, at);
	return at ? json_object_iter_key(at) : NULL;
}

/* Checks the form of the body; false: it is wrong, and the request has been answered. */
static bool check_body(struct api_request *request)
{
	const char *key, *text;
	const json_t *name = json_object_get(request->body, "ptrdname");
	const json_t *ttl = json_object_get(request->body, "ttl");
	const json_t *description = json_object_get(request->body, "description");

	if (!json_is_object(request->body))
		return fail_body(request, "", "the body is not a JSON object");
	if ((key = unknown_key(request->body)))
		return fail_body(request, key, "unknown; a PTR has ptrdname, description and ttl");
	text = json_string_value(name);
	if (!name)
		return fail_body(request, "ptrdname", "it is missing; null takes the PTR away");
	if (!text && !json_is_null(name))
		return fail_body(request, "ptrdname", "must be a name or null");
	if (text && (!*text || text[strlen(text) - 1] != '.'))
		return fail_body(request, "ptrdname",
				 "it does not end with a dot; give a name such as "
				 "\"mail.example.com.\"");
	if (description && !json_is_string(description) && !json_is_null(description))
		return fail_body(request, "description", "must be a string or null");
	if (ttl && !json_is_integer(ttl) && !json_is_null(ttl))
		return fail_body(request, "ttl", "must be a whole number or null");
	return true;
}

static bool is_delete(const struct api_request *request)
{
	return strcmp(request->method, "DELETE") == 0;
}

/* Does the request remove the PTR? Its body must have passed check_body. */
static bool removes(const struct api_request *request)
{
	return is_delete(request) || json_is_null(json_object_get(request->body, "ptrdname"));
}

/* The body with the PTR's members named as in the field table. */
static json_t *ptr_values(const json_t *body)
{
	json_t *values = json_copy((json_t *)(uintptr_t)body);

	json_put(values, "reverse_fqdn", json_incref(json_object_get(body, "ptrdname")));
	json_object_del(values, "ptrdname");
	return values;
}

static bool read_ptr(struct api_edit *edit, struct path *path, json_t **values)
{
	struct api_request *request = edit->request;
	const struct owned_resource *resource = asked_address(request);

	if (!resource || (!is_delete(request) && !check_body(request)) ||
	    !api_require_address(request, resource))
		return false;
	if (removes(request) && !resource->item.reverse_fqdn) {
		api_fail(request, 404, "not_found", "No such FloatingIP %s",
			 api_parameter(request, "key"));
		return false;
	}
	edit->was = api_address_title(request, resource);
	*path = (struct path){kind_of_id(KIND_PTR), GROUP_NONE, {resource->item.id, NULL}};
	*values = removes(request) ? json_null() : ptr_values(request->body);
	return true;
}

static void answer_set(struct api_request *request)
{
	const struct owned_resource *resource = asked_address(request);
	char etag[ETAG_MAX], text[API_OWNED_TEXT_MAX];

	if (!resource)
		return;
	api_log_change(request, "PTR set", api_owned_text(resource, text));
	api_check_forward(request->service, resource, NULL, NULL);
	api_reply_json(request, 202, floatingip_json(request, resource),
		       owned_etag(resource, etag));
}

static void answer_ptr(struct api_edit *edit, const struct api_made *made)
{
	struct api_request *request = edit->request;

	(void)made;
	if (!removes(request)) {
		answer_set(request);
		return;
	}
	api_log_change(request, "PTR removed", edit->was);
	if (is_delete(request))
		api_reply_empty(request, 204);
	else
		api_reply_json(request, 202, json_null(), NULL);
}

static void change_floatingip(struct api_request *request)
{
	static const struct api_editor editor = {.read = read_ptr, .answer = answer_ptr};

	api_edit_plain(request, &editor);
}

/* ---- the API ---- */

static json_t *error_json(const struct api_error *error)
{
	return json_make("{s:i, s:o, s:o, s:o}", "code", (int)error->status, "type",
			 json_text(error->code), "message", json_text(error->text), "request_id",
			 json_text(error->id));
}

/* The field is put into the message, because a Designate error has no member for it. */
static void fail_change(struct api_request *request, const struct change_error *error,
			unsigned status)
{
	static const char *const codes[] = {
		[CHANGE_INVALID] = "invalid_object",
		[CHANGE_NOT_FOUND] = "not_found",
		[CHANGE_TAKEN] = "conflict",
		[CHANGE_READ_ONLY] = "conflict",
		[CHANGE_EXHAUSTED] = "conflict",
		[CHANGE_STALE] = "precondition_failed",
		[CHANGE_NO_STATE] = "conflict",
		[CHANGE_BUSY] = "service_unavailable",
		[CHANGE_STORE] = "service_unavailable",
		[CHANGE_UNKNOWN] = "service_unavailable",
		[CHANGE_NO_MEMORY] = "service_unavailable",
	};
	const char *field = error->field;

	if (strcmp(field, "reverse_fqdn") == 0)
		field = "ptrdname";
	api_fail(request, status, codes[error->outcome], "%s%s%s", field, *field ? ": " : "",
		 error->text);
}

static const struct api_route routes[] = {
	{"GET", "/v2/reverse/floatingips", API_READ, list_floatingips, 0, NULL},
	{"GET", "/v2/reverse/floatingips/{key}", API_READ, show_floatingip, 0, NULL},
	{"PATCH", "/v2/reverse/floatingips/{key}", API_CHANGE, change_floatingip, 0, NULL},
	{"DELETE", "/v2/reverse/floatingips/{key}", API_CHANGE, change_floatingip, 0, NULL},
	{.method = NULL},
};
const struct api_dialect api_designate = {.roots = (const char *const[]){"v2", NULL},
					  .routes = routes,
					  .codes = api_codes,
					  .error = error_json,
					  .fail_change = fail_change};
