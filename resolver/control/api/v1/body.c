/* Bodies of changes of a resource: the values that a PUT or PATCH gives it. The change reads these
 * by the field table. */
#include <strings.h>

#include "resolver/control/api/reverse.h"
#include "resolver/control/api/v1/resource.h"
#include "resolver/control/base/json.h"
#include "resolver/control/resource/address_body.h"
#include "resolver/control/resource/home.h"

/* Members that are shown beside the values, and ignored in a body. */
static const char *const shown_members[] = {"path",   "origin", "etag",       "warnings",
					    "placed", "made",   "not_served", NULL};

/* ---- kinds of models ---- */

/* Is a member that repeats a part of the path equal to it, or left out? */
static bool is_paths(const json_t *value, const char *text)
{
	return !value || (json_is_string(value) && strcasecmp(json_string_value(value), text) == 0);
}

/* Adds a part of the path as a member, if the body left it out; values NULL: no memory. */
static json_t *put_paths(json_t *values, const char *key, const char *text)
{
	if (!values || json_object_get(values, key) ||
	    json_object_set_new(values, key, json_string(text)) == 0)
		return values;
	json_decref(values);
	return NULL;
}

json_t *resource_values(const struct path *path, const json_t *body, const char **member,
			const char **why)
{
	const char *key = kind_name_key(path->kind);
	bool grouped = !path->kind->parent, in_none = strcmp(path->group, GROUP_NONE) == 0;
	const json_t *group = grouped ? json_object_get(body, "resource_group") : NULL;
	json_t *values;

	*member = key;
	*why = "the path has another; a resource keeps its name: leave it out, or make another one";
	if (!is_paths(json_object_get(body, key), path_name(path)))
		return NULL;
	*member = "resource_group";
	*why = "the path has another; a resource stays in its group: leave it out, or delete it "
	       "and "
	       "make it at KIND/GROUP/NAME (\"-\" is no group), in one change (/v1/changes)";
	if (in_none ? group && !json_is_null(group) : !is_paths(group, path->group))
		return NULL;
	*member = NULL;
	values = json_copy((json_t *)body);
	for (size_t i = 0; values && shown_members[i]; i++)
		json_object_del(values, shown_members[i]);
	if (values && grouped && in_none)
		json_object_del(values, "resource_group");
	else if (grouped)
		values = put_paths(values, "resource_group", path->group);
	values = put_paths(values, key, path_name(path));
	if (values && path->kind->home)
		path->kind->home->tidy(path, values);
	return values;
}

/* NULL: the request has been answered. */
static json_t *read_whole(struct api_request *request, const struct path *path)
{
	const char *member, *why;
	json_t *values = resource_values(path, request->body, &member, &why);

	if (!values && member)
		api_fail_at(request, 400, "invalid", member, "%s", why);
	else if (!values)
		api_fail_memory(request);
	return values;
}

/* RFC 7396 section 2; the target must be an object, and is changed. */
static int merge(json_t *target, const json_t *patch)
{
	const char *key;
	json_t *value, *old;
	int err = 0;

	json_object_foreach((json_t *)patch, key, value)
	{
		old = json_object_get(target, key);
		if (json_is_null(value))
			json_object_del(target, key);
		else if (!json_is_object(value))
			err |= json_object_set(target, key, value);
		else if (json_is_object(old))
			err |= merge(old, value);
		else if (!json_object_set_new(target, key, json_object()))
			err |= merge(json_object_get(target, key), value);
		else
			err = -1;
	}
	return err ? ERR_NOMEM : 0;
}

/* Drops a part of the path that read_whole has added to the patch, so that the stored spelling
 * stays. */
static void forget_paths(const struct api_request *request, json_t *patch, const char *key)
{
	if (!json_object_get(request->body, key))
		json_object_del(patch, key);
}

/* Changes the stored values by the patch, which it frees. `deep`: by RFC 7396, else each member is
 * replaced. NULL: it is not possible, and the request has been answered. */
static json_t *change_stored(struct api_request *request, const struct path *path, json_t *patch,
			     bool deep)
{
	struct change_error error;
	json_t *values = items_of(path->kind)->stored(api_resources(request), path, &error);

	if (!values) {
		api_fail_change(request, &error);
	} else if ((deep ? merge(values, patch) : json_object_update(values, patch)) != 0) {
		json_decref(values);
		values = NULL;
		api_fail_memory(request);
	}
	json_decref(patch);
	return values;
}

static json_t *read_patch(struct api_request *request, const struct path *path)
{
	json_t *patch = read_whole(request, path);

	if (!patch)
		return NULL;
	forget_paths(request, patch, kind_name_key(path->kind));
	forget_paths(request, patch, "resource_group");
	return change_stored(request, path, patch, true);
}

/* ---- kinds beside the model: their changes check members that repeat the path ---- */

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

static bool read_owned(struct api_edit *edit, bool merges, struct path *path, json_t **values)
{
	struct resources *resources = api_resources(edit->request);
	const struct owned_resource *resource = addresses_find(resources, path);
	bool is_service = resource ? owned_is_service(resource) : path->kind->id == KIND_SERVICE;

	*values = json_copy(edit->request->body);
	address_body_strip(path->kind, *values);
	if (merges && json_object_size(*values) == 0) {
		path->kind = *values ? NULL : path->kind; /* nothing to change */
		return true;
	}
	if (merges) {
		/* Tags are replaced as a whole, and null removes a PTR. */
		*values = change_stored(edit->request, path, *values, false);
		if (!*values)
			return false;
	}
	return !*values || !is_service || claim(edit, resource, *values);
}

bool resource_read_body(struct api_edit *edit, bool merges, struct path *path, json_t **values)
{
	struct api_request *request = edit->request;

	if (!json_is_object(request->body)) {
		api_fail(request, 400, "invalid", "the body must be a JSON object");
		return false;
	}
	if (kind_is_beside(path->kind))
		return read_owned(edit, merges, path, values);
	*values = merges ? read_patch(request, path) : read_whole(request, path);
	return *values;
}
