/* One set of handlers for resources of all types (type.h):
 *
 *     GET      shows one, or lists those of the subscription, of a group or of a parent, in pages
 *     HEAD     tells whether one exists
 *     PUT      creates it, or changes it to the body; values without a member in Azure stay
 *     PATCH    changes only the members in the body
 *     DELETE   removes it with all that is inside it, unless another resource needs it
 *     POST     is an action
 *
 * A change is complete when it is answered. */
#include <ctype.h>
#include <strings.h>

#include "resolver/control/api/azure/api_arm.h"
#include "resolver/control/api/azure/asked.h"
#include "resolver/control/api/azure/faults.h"
#include "resolver/control/api/azure/hooks.h"
#include "resolver/control/api/azure/page.h"
#include "resolver/control/api/azure/particular.h"
#include "resolver/control/api/azure/put.h"
#include "resolver/control/api/edit.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"
#include "resolver/control/resource/item.h"
#include "resolver/control/resource/ownership.h"
#include "resolver/control/resource/part.h"
#include "resolver/control/resource/resources.h"
#include "resolver/control/resource/values.h"
#include "rules/array.h"
#include "rules/base.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

/* ---- answers ---- */

static void answer_tags(struct api_request *request, const struct arm_shown *shown)
{
	json_t *tags = json_object_get(shown->values, "tags");
	char id[ARM_ID_MAX];

	api_arm_say_revision(request);
	arm_id(request, &shown->path, id);
	api_reply_json(request, 200,
		       json_make("{s:o, s:s, s:s, s:{s:o}}", "id",
				 json_sprintf("%s/providers/Microsoft.Resources/tags/default", id),
				 "name", "default", "type", "Microsoft.Resources/tags",
				 "properties", "tags", tags ? json_incref(tags) : json_object()),
		       NULL);
}

static void answer(struct api_request *request, unsigned status, const struct arm_shown *shown)
{
	const struct arm_family *family = shown->type->family;
	bool is_tag = family->etag != ARM_ETAG_BARE; /* in the form of RFC 9110 */
	/* The etag of an item of a model does not cover members computed from other resources, such
	 * as a subnet's ipConfigurations. A GET of such an item is never 304, because these members
	 * may have changed. */
	bool may_be_304 = is_tag && kind_is_beside(shown->path.kind);

	api_arm_say_revision(request);
	if (family->etag_header && !may_be_304)
		api_answer_header(request, "ETag", shown->etag);
	api_reply_json(request, status, arm_print(shown),
		       family->etag_header && may_be_304 ? shown->etag : NULL);
}

static void fail_read(struct api_request *request, const struct arm_asked *asked,
		      const struct change_error *error)
{
	if (error->outcome != CHANGE_FINE)
		api_fail_change(request, error);
	else
		arm_fail_missing(request, asked);
}

/* HEAD asks whether the resource exists; clients understand only 204 as yes. */
static void show(struct api_request *request, bool is_head)
{
	struct change_error error;
	struct arm_shown shown;
	struct arm_asked asked;

	if (!arm_asked_read(request, &asked))
		return;
	if (asked.is_list) {
		arm_list(request, &asked);
		return;
	}
	if (!arm_find_shown(request, asked.type, &asked.path, &shown, &error)) {
		fail_read(request, &asked, &error);
		return;
	}
	if (is_head)
		api_reply_empty(request, 204);
	else if (asked.is_tags)
		answer_tags(request, &shown);
	else
		answer(request, 200, &shown);
	arm_shown_release(&shown);
}

void arm_resource_get(struct api_request *request)
{
	show(request, false);
}

void arm_resource_exists(struct api_request *request)
{
	show(request, true);
}

/* ---- preconditions ---- */

/* An etag without W/ and quotes, because clients of private DNS send it like that. */
static const char *bare_tag(const char *text, size_t *length)
{
	if (*length > 1 && (text[0] == 'W' || text[0] == 'w') && text[1] == '/') {
		text += 2;
		*length -= 2;
	}
	while (*length > 0 && (*text == '"' || *text == '\\')) {
		text++;
		(*length)--;
	}
	while (*length > 0 && (text[*length - 1] == '"' || text[*length - 1] == '\\'))
		(*length)--;
	return text;
}

/* Does a header's list have the etag, or is it "*"? etag NULL: the resource does not exist. */
static bool has_tag(const char *list, const char *etag)
{
	size_t length, own_length = etag ? strlen(etag) : 0;
	const char *own = etag ? bare_tag(etag, &own_length) : NULL;

	for (; *list; list += *list == ',') {
		const char *tag;

		list += strspn(list, " \t");
		length = strcspn(list, ",");
		tag = list;
		list += length;
		while (length > 0 && isspace((unsigned char)tag[length - 1]))
			length--;
		if (length == 1 && *tag == '*')
			return etag;
		tag = bare_tag(tag, &length);
		if (own && length == own_length && strncmp(tag, own, length) == 0)
			return true;
	}
	return false;
}

/* False: a precondition of the headers is not met, and the request has been answered. */
static bool check_preconditions(struct api_request *request, const struct arm_asked *asked,
				const char *etag)
{
	const struct arm_type *type = asked->type;
	char name[NAME_TEXT_MAX];

	arm_name(&asked->path, name);
	if (request->if_none_match && has_tag(request->if_none_match, etag))
		api_fail(request, 412, "PreconditionFailed",
			 "The %s %s exists already and hence cannot be created again.", type->title,
			 name);
	else if (request->if_match && !etag)
		api_fail(request, 412, "PreconditionFailed",
			 "The %s %s does not exist, and If-Match asks for it.", type->title, name);
	else if (request->if_match && !has_tag(request->if_match, etag))
		api_fail(request, 412, "PreconditionFailed",
			 "The %s %s has been modified (etag mismatch).", type->title, name);
	else
		return true;
	return false;
}

/* ---- changes ---- */

struct arm_operation {
	struct api_edit edit; /* first */
	struct arm_asked asked;
	enum edit_method method;
	bool there; /* the resource existed before */
};

static struct arm_operation *operation_of(struct api_edit *edit)
{
	return container_of(edit, struct arm_operation, edit);
}

static void making_free(struct api_edit *edit)
{
	free(operation_of(edit));
}

/* The tags that are not in `given`; names are compared without regard to case. */
static json_t *other_tags(json_t *tags, json_t *given)
{
	json_t *others = json_object(), *value, *unused;
	const char *key, *name;
	bool is_given;

	json_object_foreach(tags, key, value)
	{
		is_given = false;
		json_object_foreach(given, name, unused)
		{
			is_given = is_given || strcasecmp(name, key) == 0;
		}
		if (!is_given)
			json_put(others, key, json_incref(value));
	}
	return others;
}

/* Makes a body with the tags that result from a request about tags alone. Wrong values add errors.
 */
static json_t *read_tags(const struct arm_operation *operation, const struct arm_shown *shown,
			 struct arm_errors *errors)
{
	const struct api_request *request = operation->edit.request;
	json_t *given = arm_get(request->body, "properties.tags");
	const char *tags_operation = json_string_value(arm_get(request->body, "operation"));
	bool is_patch = operation->method == EDIT_PATCH, replaces = !is_patch;
	json_t *tags;

	if (operation->method == EDIT_DELETE)
		return json_make("{s:{}}", "tags");
	if (!json_is_object(given))
		arm_misfit(errors, "properties.tags",
			   "must be an object of strings: {\"NAME\": \"VALUE\"}");
	if (is_patch) {
		replaces = tags_operation && strcasecmp(tags_operation, "Replace") == 0;
		if (!replaces && (!tags_operation || (strcasecmp(tags_operation, "Merge") != 0 &&
						      strcasecmp(tags_operation, "Delete") != 0)))
			arm_misfit(errors, "operation",
				   "must be \"Merge\", \"Replace\" or \"Delete\"");
	}
	tags = other_tags(replaces ? NULL : json_object_get(shown->values, "tags"), given);
	if (!is_patch || !tags_operation || strcasecmp(tags_operation, "Delete") != 0)
		json_object_update(tags, given);
	return json_make("{s:o}", "tags", tags);
}

/* Reads the body of a change. False: the body is wrong, and the request has been answered. */
static bool read_body(struct arm_operation *operation, const struct arm_shown *shown,
		      struct path *path, json_t **values)
{
	struct arm_errors errors = {.request = operation->edit.request};
	struct arm_putting putting = {.edit = &operation->edit,
				      .type = operation->asked.type,
				      .path = path,
				      .body = operation->edit.request->body,
				      .merges = operation->method == EDIT_PATCH,
				      .there = operation->there ? shown : NULL,
				      .errors = &errors};
	json_t *tags = NULL;
	bool good;

	if (operation->asked.is_tags) {
		putting.body = tags = read_tags(operation, shown, &errors);
		putting.merges = true;
	}
	good = arm_read_put(&putting);
	if (good)
		*values = putting.values;
	else
		arm_fail_all(&errors);
	json_decref(tags);
	arm_errors_release(&errors);
	return good;
}

/* Sets path->kind to NULL if there is nothing to remove. False: the resource must not be removed,
 * and the request has been answered. */
static bool read_removal(struct arm_operation *operation, const struct arm_shown *shown,
			 struct path *path)
{
	struct arm_errors errors = {.request = operation->edit.request};
	struct change_error error;
	bool held;

	if (!operation->there) {
		path->kind = NULL;
		return true;
	}
	held = arm_is_held(shown, &errors);
	if (!held && arm_hooks_of(shown->type)->remove) {
		arm_hooks_of(shown->type)->remove(shown, &operation->edit, &errors);
		held = errors.status != 0;
	}
	if (held)
		arm_fail_all(&errors);
	arm_errors_release(&errors);
	if (held)
		return false;
	if (item_may_change(api_model(operation->edit.request), &shown->path, shown->item, true,
			    &error))
		return true;
	operation->edit.editor->fail(&operation->edit, &error);
	return false;
}

static bool has_tags(const struct arm_type *type)
{
	const struct arm_member *member = type->members;

	while (member->path && strcmp(member->path, "/tags") != 0)
		member++;
	return member->path;
}

/* Is this a record set that a machine or a client has registered? This API cannot change or remove
 * it. GET shows it, so the answer "not found" would be wrong. */
static bool is_registered(struct api_request *request, const struct arm_asked *asked)
{
	struct change_error error;
	struct arm_shown shown;
	bool found = arm_find_shown(request, asked->type, &asked->path, &shown, &error);

	if (found)
		arm_shown_release(&shown);
	return found;
}

static void fail_registered(struct api_request *request, const struct arm_asked *asked)
{
	char name[NAME_TEXT_MAX];

	api_fail(
		request, 409, "Conflict",
		"The record set '%s' of type '%s' is registered automatically: it changes and goes "
		"with the machine or client that has registered it. A PUT makes a record set of "
		"the zone's own, which precedes it.",
		arm_name(&asked->path, name), asked->type->record_type);
}

static bool read_making(struct api_edit *edit, struct path *path, json_t **values)
{
	struct arm_operation *operation = operation_of(edit);
	const struct arm_asked *asked = &operation->asked;
	struct api_request *request = edit->request;
	struct arm_shown shown = {.values = NULL};
	struct change_error error;
	bool good = false;

	*path = asked->path;
	*values = json_null();
	operation->there = arm_find(request, asked->type, &asked->path, &shown, &error);
	if (operation->there)
		*path = shown.path;
	if (error.outcome != CHANGE_FINE)
		api_fail_change(request, &error);
	else if (!operation->there && operation->method != EDIT_PUT && asked->type->record_type &&
		 is_registered(request, asked))
		fail_registered(request, asked);
	else if (!check_preconditions(request, asked, operation->there ? shown.etag : NULL))
		; /* the request has been answered */
	else if (asked->is_tags && !operation->there)
		arm_fail_missing(request, asked);
	else if (asked->is_tags && !has_tags(asked->type))
		api_fail(request, 400, "ResourceTypeNotSupported",
			 "%s: resources of this type have no tags", asked->type->path);
	else if (asked->is_tags)
		good = read_body(operation, &shown, path, values);
	else if (operation->method == EDIT_DELETE)
		good = read_removal(operation, &shown, path);
	else if (!operation->there && operation->method == EDIT_PATCH)
		arm_fail_missing(request, asked);
	else if (operation->there || asked->type->kind == KIND_GROUP ||
		 arm_check_parent(request, asked, "write"))
		good = read_body(operation, &shown, path, values);
	arm_shown_release(&shown);
	return good;
}

static void answer_making(struct api_edit *edit, const struct api_made *made)
{
	struct arm_operation *operation = operation_of(edit);
	struct api_request *request = edit->request;
	struct arm_shown shown;
	struct change_error error;
	bool removes = operation->method == EDIT_DELETE && !operation->asked.is_tags;
	char text[ARM_ID_MAX];

	if (made->change->count > 0)
		api_log_change(request, removes ? "removed" : "set",
			       arm_id(request, &operation->asked.path, text));
	if (operation->method == EDIT_DELETE) {
		api_arm_say_revision(request);
		api_reply_empty(request, operation->there ? 200 : 204);
	} else if (operation->asked.is_tags && arm_find(request, operation->asked.type,
							&operation->asked.path, &shown, &error)) {
		answer_tags(request, &shown);
		arm_shown_release(&shown);
	} else if (arm_find(request, operation->asked.type, &operation->asked.path, &shown,
			    &error)) {
		answer(request, operation->there ? 200 : 201, &shown);
		arm_shown_release(&shown);
	} else {
		fail_read(request, &operation->asked, &error);
	}
}

/* Answers with the error, whose field becomes the path of the wrong member in the body. */
static void fail(struct api_edit *edit, const struct change_error *error)
{
	const struct arm_type *type = operation_of(edit)->asked.type;
	struct change_error told = *error;
	char target[ARM_TARGET_MAX];

	if (error->outcome == CHANGE_TAKEN && strcmp(error->field, "domain_name_label") == 0) {
		const struct model *model = api_model(edit->request);
		const char *region = model_region(
			model, json_string_value(json_object_get(edit->values, "region")));

		api_fail_at(edit->request, 400, "DnsRecordInUse",
			    "properties.dnsSettings.domainNameLabel",
			    "DNS record %s.%s.%s is already used by another public IP. %s.",
			    json_text_of(edit->values, "domain_name_label"), region ? region : "",
			    model->reverse.suffix, error->text);
		return;
	}
	if (*error->field)
		snprintf(told.field, sizeof told.field, "%s",
			 arm_target_of_key(type, error->field, target));
	api_fail_change(edit->request, &told);
}

static void fail_faults(struct api_edit *edit, const struct faults *faults)
{
	struct arm_errors errors = {.request = edit->request};

	arm_tell_faults(edit, operation_of(edit)->asked.type, faults, &errors);
	if (errors.status == 0)
		api_fail_memory(edit->request);
	else
		arm_fail_all(&errors);
	arm_errors_release(&errors);
}

/* The address that gets the reverse name. */
static const struct owned_resource *find_claimant(const struct api_request *request)
{
	const struct arm_operation *operation = request->state;

	return addresses_find(api_resources(request), &operation->asked.path);
}

static void change(struct api_request *request, enum edit_method method)
{
	static const struct api_editor editor = {.read = read_making,
						 .answer = answer_making,
						 .fail = fail,
						 .fail_faults = fail_faults,
						 .free = making_free,
						 .find = find_claimant,
						 .title = "PublicIPAddress",
						 .field = "properties.dnsSettings.reverseFqdn",
						 .also = ""};
	struct arm_operation *operation;
	struct arm_asked asked;

	if (!arm_asked_read(request, &asked))
		return;
	if (asked.is_list) {
		api_fail(request, 405, NULL, "this is a list; give the name of a resource");
		return;
	}
	operation = calloc(1, sizeof *operation);
	if (!operation) {
		api_fail_memory(request);
		return;
	}
	*operation = (struct arm_operation){
		.edit = {.editor = &editor, .request = request}, .asked = asked, .method = method};
	request->state = operation;
	api_edit(&operation->edit);
}

void arm_resource_put(struct api_request *request)
{
	change(request, EDIT_PUT);
}

void arm_resource_patch(struct api_request *request)
{
	change(request, EDIT_PATCH);
}

void arm_resource_delete(struct api_request *request)
{
	change(request, EDIT_DELETE);
}

/* ---- actions ---- */

void arm_resource_post(struct api_request *request)
{
	const struct arm_action *action;
	struct change_error error;
	struct arm_shown shown;
	struct arm_asked asked;

	if (!arm_asked_read(request, &asked))
		return;
	action = asked.action ? arm_hooks_of(asked.type)->actions : NULL;
	while (action && action->name && strcasecmp(action->name, asked.action) != 0)
		action++;
	if (!action || !action->name) {
		api_fail(request, 404, "InvalidResourceType", "%s has no action '%s'",
			 asked.type->path, asked.action ? asked.action : "");
	} else if (arm_find(request, asked.type, &asked.path, &shown, &error)) {
		action->handle(request, &shown);
		arm_shown_release(&shown);
	} else {
		fail_read(request, &asked, &error);
	}
}
