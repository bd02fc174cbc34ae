#include "resolver/control/api/v1/addresses.h"

#include "resolver/control/base/json.h"
#include "resolver/control/base/uuid.h"
#include "resolver/control/resource/addresses.h"
#include "rules/schema/model.h"

/* ---- paths ---- */

static struct path path_of(const struct api_request *request, const struct kind *kind)
{
	const char *group = api_parameter(request, "group");
	bool is_ptr = kind->id == KIND_PTR;

	return (struct path){kind,
			     *group ? group : GROUP_NONE,
			     {api_parameter(request, is_ptr ? "id" : "name"), NULL}};
}

static void fail_group(struct api_request *request, const struct kind *kind)
{
	api_fail(request, 404, "not_found", "%s; write \"-\", none, in place of \"%.80s\"",
		 kind->id == KIND_GROUP ? "a group is in no other"
					: "a service is in no resource group",
		 api_parameter(request, "group"));
}

bool api_addresses_read_path(struct api_request *request, const struct kind *kind,
			     struct path *path)
{
	*path = path_of(request, kind);
	if (strcmp(path->group, GROUP_NONE) == 0 || kind_has_groups(kind))
		return true;
	fail_group(request, kind);
	return false;
}

const struct owned_resource *api_addresses_asked(const struct api_request *request)
{
	const struct path path = path_of(request, kind_of_inventory(api_segment(request, 1)));

	return addresses_find(api_inventory(request), &path);
}

void api_addresses_fail_missing(struct api_request *request, const struct path *path)
{
	bool has_group = strcmp(path->group, GROUP_NONE) != 0;
	const char *name = path->names[0];

	switch (path->kind->id) {
	case KIND_PTR:
		api_fail(request, 404, "not_found",
			 "\"%.80s\" is not an address or id that we own; %s", name,
			 strcmp(request->method, "PUT") == 0 ||
					 strcmp(request->method, "PATCH") == 0
				 ? "add the address first, or give --make (HTTP: ?make=true) where "
				   "an address pool has it"
				 : "the list of PTRs has all");
		break;
	case KIND_SERVICE:
		api_fail(request, 404, "not_found",
			 "there is no cloud service \"%.80s\"; the list of services has all", name);
		break;
	case KIND_GROUP:
		api_fail(request, 404, "not_found", "there is no resource group \"%.90s\"", name);
		break;
	default:
		api_fail(request, 404, "not_found",
			 "there is no address \"%.80s\" %s%.90s%s; the list of addresses has "
			 "all, with their groups",
			 name,
			 has_group ? "in the resource group \"" : "outside the resource groups",
			 has_group ? path->group : "", has_group ? "\"" : "");
	}
}

/* ---- bodies ---- */

/* The members of a patch as those of a PTR; NULL: the patch has others as well. */
static json_t *ptr_alone(const struct owned_resource *resource, const json_t *patch)
{
	const char *description = owned_is_service(resource) ? "ptr_description" : "description";
	json_t *values = json_object();
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)patch, key, value)
	{
		bool describes = strcmp(key, description) == 0;

		if (!describes && strcmp(key, "reverse_fqdn") != 0 && strcmp(key, "ttl") != 0) {
			json_decref(values);
			return NULL;
		}
		json_put(values, describes ? "description" : key, json_incref(value));
	}
	return values;
}

/* Merges the patch into the present values; tags are replaced as a whole. A PATCH of an address or
 * service with no members but the PTR's becomes a PATCH of the PTR, because an address of the file
 * may have a PTR of the state. Takes ownership of the patch; NULL without memory. */
static json_t *merged(struct inventory *inventory, struct path *path, json_t *patch)
{
	const struct owned_resource *resource = addresses_find(inventory, path);
	json_t *alone = resource && path->kind->id != KIND_PTR ? ptr_alone(resource, patch) : NULL;
	json_t *values;

	if (alone) {
		*path = (struct path){kind_of_id(KIND_PTR), GROUP_NONE, {resource->item.id, NULL}};
		json_decref(patch);
		patch = alone;
	}
	values = addresses_values(inventory, path);
	if (json_object_update(values, patch) != 0) {
		json_decref(values);
		values = NULL;
	}
	json_decref(patch);
	return values;
}

/* Claims the reverse name of a cloud service (api/edit.h). False: it cannot have one, and the
 * request has been answered. */
static bool claim(struct api_edit *edit, const struct owned_resource *resource,
		  const json_t *values)
{
	const char *fqdn = json_string_value(json_object_get(values, "reverse_fqdn"));
	const char *text = json_string_value(json_object_get(values, "address"));
	struct address address = resource ? resource->item.address : (struct address){0};

	if (text && address_parse(&address, text) != 0)
		address.family = 0; /* the change refuses it */
	edit->claimed = fqdn && *fqdn ? fqdn : NULL;
	if (api_edit_allows(edit, resource, address.family, fqdn))
		return true;
	api_fail_at(edit->request, 400, API_NOT_FOR_IPV6, edit->editor->field,
		    API_NOT_FOR_IPV6_TEXT,
		    resource ? resource->item.name : api_parameter(edit->request, "name"));
	return false;
}

bool api_addresses_read(struct api_edit *edit, const struct path *asked, bool merges,
			struct path *path, json_t **values)
{
	struct api_request *request = edit->request;
	const struct owned_resource *resource = addresses_find(api_inventory(request), asked);
	bool is_service = resource ? owned_is_service(resource) : asked->kind->id == KIND_SERVICE;

	if (!json_is_object(request->body)) {
		api_fail(request, 400, "invalid", "the body must be a JSON object");
		return false;
	}
	*path = *asked;
	*values = json_copy(request->body);
	addresses_strip(path->kind, *values);
	if (merges && json_object_size(*values) == 0) {
		path->kind = *values ? NULL : path->kind; /* nothing to change */
		return true;
	}
	if (merges)
		*values = merged(api_inventory(request), path, *values);
	return !*values || !is_service || claim(edit, resource, *values);
}

/* ---- the answer ---- */

const char *api_addresses_title(struct api_request *request, const struct path *path)
{
	const struct owned_resource *resource = addresses_find(api_inventory(request), path);
	const char *text =
		resource ? api_address_title(request, resource)
			 : arena_printf(&request->arena, "resource group %s", path->names[0]);

	return text ? text : path->names[0];
}

/* An answer that waits until every worker serves the change. It shows the resource as this request
 * made it, even if another client changes it meanwhile. */
struct done {
	struct api_wait wait;
	struct api_request *request;
	unsigned status;
	const struct kind *kind;
	json_t *shown;    /* the resource as it was made */
	json_t *warnings; /* an array */
	char id[UUID_TEXT_MAX], etag[ETAG_MAX];
};

/* Shows the PTR's present status, unless the resource has changed since. */
static json_t *show_done(struct done *done)
{
	char etag[ETAG_MAX];
	const struct owned_resource *resource =
		inventory_by_id(api_inventory(done->request), done->id);

	if (!resource || !etag_same_version(done->etag, owned_etag(resource, etag)))
		return json_incref(done->shown);
	memcpy(done->etag, etag, sizeof etag);
	return owned_show(resource, done->kind->id);
}

static void on_served(struct api_wait *wait)
{
	struct done *done = container_of(wait, struct done, wait);
	json_t *body = show_done(done);

	json_put(body, "warnings", done->warnings);
	api_reply_json(done->request, done->status, body, done->etag);
	json_decref(done->shown);
	free(done);
}

static void on_forward_known(void *context, const char *warning)
{
	struct done *done = context;

	if (warning)
		json_add(done->warnings, json_text(warning));
	api_await_served(done->request, &done->wait);
}

static void answer_address(struct api_request *request, const struct kind *kind,
			   const struct owned_resource *resource, unsigned status)
{
	struct done *done = malloc(sizeof *done);

	if (!done) {
		api_fail_memory(request);
		return;
	}
	*done = (struct done){.wait.on_served = on_served,
			      .request = request,
			      .status = status,
			      .kind = kind,
			      .shown = owned_show(resource, kind->id),
			      .warnings = json_array()};
	snprintf(done->id, sizeof done->id, "%s", resource->item.id);
	owned_etag(resource, done->etag);
	if (json_object_get(request->body, "reverse_fqdn"))
		api_check_forward(request->service, resource, on_forward_known, done);
	else
		on_forward_known(done, NULL);
}

static void answer_group(struct api_request *request, const struct path *path, unsigned status)
{
	struct change_error error;
	char etag[ETAG_MAX];
	json_t *shown = addresses_show(api_inventory(request), path, etag, &error);

	if (shown)
		api_reply_json(request, status, shown, etag);
	else if (!api_could_not_read(request))
		api_fail_memory(request);
}

void api_addresses_answer(struct api_request *request, const struct path *path, bool was_there)
{
	const struct owned_resource *resource = addresses_find(api_inventory(request), path);
	char etag[ETAG_MAX];
	bool is_made = !was_there && addresses_etag(api_inventory(request), path, etag);

	api_log_change(request, is_made ? "made" : "changed", api_addresses_title(request, path));
	if (path->kind->id == KIND_GROUP)
		answer_group(request, path, is_made ? 201 : 200);
	else if (resource)
		answer_address(request, path->kind, resource, is_made ? 201 : 200);
	else if (!api_could_not_read(request))
		api_fail_memory(request);
}
