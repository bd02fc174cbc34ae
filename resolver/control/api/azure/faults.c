#include "resolver/control/api/azure/faults.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/api/azure/reading.h"
#include "resolver/control/api/azure/shown.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"
#include "resolver/control/resource/item.h"
#include "resolver/control/service/service.h"
#include "rules/schema/reference.h"
#include "rules/text.h"

/* A change may have many faults, many edits, and many resources in its body. So the edits and the
 * resources are found by a hash. */
struct telling {
	struct api_edit *edit;
	const struct arm_type *type; /* of the body; NULL: a deployment */
	json_t *edits;               /* path in lower case ─► the number of its first edit */
	json_t *children; /* places in the body, "properties.subnets[2]", by type and name */
};

static json_t *edits_by_path(const struct api_edit *edit)
{
	json_t *by_path = json_object();
	struct arena arena;

	arena_init(&arena);
	for (size_t i = 0; i < edit->count; i++) {
		const struct path *path = &edit->edits[i].path;
		const char *text = path->kind ? path_text(path, &arena) : NULL;
		char *key = text ? arena_strdup(&arena, text) : NULL;

		if (key && !json_object_get(by_path, text_lower(key)))
			json_put(by_path, key, json_integer((json_int_t)i));
	}
	arena_release(&arena);
	return by_path;
}

/* Makes "virtualNetworks/subnets NAME" in lower case; returns text. */
static char *child_key(const struct arm_type *type, const char *name, char text[ARM_ID_MAX])
{
	snprintf(text, ARM_ID_MAX, "%s %s", type->path, name);
	return text_lower(text);
}

static json_t *children_by_name(const struct api_request *request, const struct arm_type *type)
{
	json_t *by_name = json_object(), *item;
	char at[ARM_TARGET_MAX], key[ARM_ID_MAX];
	size_t i;

	for (const struct arm_member *member = type ? type->members : NULL; member && member->path;
	     member++) {
		if (member->form != ARM_CHILDREN)
			continue;
		snprintf(at, sizeof at, "properties.%s", member->path);
		json_array_foreach(arm_get(request->body, at), i, item)
		{
			const char *name = json_string_value(arm_get(item, "name"));

			if (name)
				json_put(by_name, child_key(arm_type_named(member->of), name, key),
					 json_sprintf("%s[%zu]", at, i));
		}
	}
	return by_name;
}

/* The edit that a fault is about; NULL: none. *rest: the fault's path after the resource's. */
static const struct resource_edit *edit_of(const struct telling *telling, const struct fault *fault,
					   const char **rest)
{
	const char *at = fault->origin.path ? fault->origin.path : "";
	char key[ARM_ID_MAX];
	const json_t *found = NULL;

	snprintf(key, sizeof key, "%s", at);
	text_lower(key);
	/* Finds the edit of the resource at the path, or else that of its parent. A refused name
	 * may itself contain "]", so each "]" is tried as the end of the resource's path. */
	for (size_t length = strlen(key); length > 0 && !found; length--) {
		if (at[length - 1] != ']' || (at[length] != '.' && at[length] != '\0'))
			continue;
		key[length] = '\0';
		found = json_object_get(telling->edits, key);
		if (found)
			*rest = at + length + (at[length] == '.');
	}
	return found ? &telling->edit->edits[json_integer_value(found)] : NULL;
}

size_t arm_read_place(struct arena *arena, const char *text, struct path *path)
{
	size_t used = 0;
	char *slash = NULL;

	*path = (struct path){.group = GROUP_NONE};
	for (size_t level = 0; level < 2 && (level == 0 || text[used] == '.'); level++) {
		const char *word = text + used + level, *collection;
		size_t length = strspn(word, "abcdefghijklmnopqrstuvwxyz_"), end;
		const struct kind *kind;

		if (length == 0 || word[length] != '[')
			break;
		end = length + strcspn(word + length, "]");
		collection = arena_printf(arena, "%.*s", (int)length, word);
		kind = collection ? kind_of_collection(path->kind, collection) : NULL;
		if (!kind || word[end] != ']')
			break;
		path->kind = kind;
		path->names[level] =
			arena_printf(arena, "%.*s", (int)(end - length - 1), word + length + 1);
		used = (size_t)(word - text) + end + 1;
		if (!path->names[level])
			return 0;
	}
	slash = used > 0 ? strchr(path->names[0], '/') : NULL;
	if (slash) {
		*slash = '\0';
		path->group = path->names[0];
		path->names[0] = slash + 1;
	}
	return used;
}

/* A fault's text with ids instead of paths; NULL without memory. A text may quote a value of
 * megabytes, and each word of it may be a path. So only its beginning is read: an error shows no
 * more. */
static const char *with_ids(struct api_request *request, const char *whole)
{
	const char *text = arena_printf(&request->arena, "%.*s", 2 * ARM_ID_MAX, whole);
	char *copy = NULL, id[ARM_ID_MAX];
	const char *kept = NULL;
	size_t length;
	FILE *out = text ? open_memstream(&copy, &length) : NULL;
	struct path path;
	bool in_word = false;

	while (out && *text) {
		size_t used = in_word ? 0 : arm_read_place(&request->arena, text, &path);

		in_word = isalnum((unsigned char)*text) || strchr("_.[", *text);
		if (used > 0 && arm_type_of(&path)) {
			fputs(arm_id(request, &path, id), out);
			text += used;
		} else {
			fputc(*text++, out);
		}
	}
	if (out && fclose(out) == 0)
		kept = arena_strdup(&request->arena, copy);
	free(copy);
	return kept;
}

/* Replaces an item's name by its index in the body: a fault names the item, Azure's target numbers
 * it. */
static void count_item(json_t *body, char target[ARM_TARGET_MAX])
{
	char *open = strchr(target, '['), *close = open ? strrchr(open, ']') : NULL;
	char rest[ARM_TARGET_MAX];
	json_t *array, *item;
	size_t i;

	if (!close)
		return;
	snprintf(rest, sizeof rest, "%s", close);
	*open = *close = '\0';
	array = arm_get(body, target);
	json_array_foreach(array, i, item)
	{
		const char *name = json_string_value(arm_get(item, "name"));

		if (name && strcasecmp(name, open + 1) == 0)
			break;
	}
	*open = '[';
	*close = ']';
	if (array && i < json_array_size(array))
		snprintf(open, ARM_TARGET_MAX - (size_t)(open - target), "[%zu%s", i, rest);
}

/* Finds the member and the resource that a fault is about. `subject` is the resource's id, or "" if
 * the request's body has it. False: Azure has no such resource. */
static bool read_fault(const struct telling *telling, const struct fault *fault,
		       char target[ARM_TARGET_MAX], char subject[ARM_ID_MAX])
{
	struct api_edit *edit = telling->edit;
	struct api_request *request = edit->request;
	const struct arm_type *type = telling->type;
	const char *rest = "", *at = fault->origin.path ? fault->origin.path : "", *place = "";
	const struct resource_edit *about = edit_of(telling, fault, &rest);
	char member[ARM_TARGET_MAX] = "", key[ARM_ID_MAX];
	struct path path, own = {0};
	size_t length = arm_read_place(&request->arena, at, &own);
	bool is_own;

	*subject = *target = '\0';
	/* The fault is about a child without an edit of its own, not about its parent. */
	if (about && !about->path.kind->parent && own.kind && own.kind->parent && arm_type_of(&own))
		about = NULL;
	is_own = type && about == edit->edits;
	path = about ? about->path : own;
	if (!about) {
		if (length == 0 || !arm_type_of(&path))
			return false;
		rest = at + length + (at[length] == '.');
	}
	if (!is_own && arm_type_of(&path) && path.kind->parent)
		place = json_text_of(telling->children,
				     child_key(arm_type_of(&path), path_name(&path), key));
	if (!is_own && !*place)
		arm_id(request, &path, subject);
	/* A PTR has no type in Azure, so `type` stays that of the request's address. */
	if (arm_type_of(&path))
		type = arm_type_of(&path);
	if (*rest && type)
		arm_target_of_key(type, rest, member);
	if (is_own)
		count_item(request->body, member);
	snprintf(target, ARM_TARGET_MAX, "%s%s%s", place, *place && *member ? "." : "", member);
	return true;
}

/* If the edit is of a link with registration: another zone in which the link's network registers.
 * NULL: there is none, or it is another edit. */
static const struct private_zone *registering_zone(const struct model *model,
						   const struct resource_edit *link)
{
	const struct path *path = &link->path;
	const json_t *named = json_object_get(link->values, "virtual_network");
	const struct virtual_network *network =
		model_network(model, path->group, json_string_value(named));

	if (path->kind->id != KIND_ZONE_LINK ||
	    !json_is_true(json_object_get(link->values, "registration")))
		return NULL;
	for (size_t i = 0; network && i < model->private_zones.count; i++) {
		const struct private_zone *zone = &model->private_zones.items[i];

		if (strcasecmp(zone->name, path->names[0]) == 0)
			continue;
		for (size_t k = 0; k < zone->links.count; k++)
			if (zone->links.items[k].registration &&
			    model_network(model, zone->resource_group,
					  zone->links.items[k].virtual_network) == network)
				return zone;
	}
	return NULL;
}

/* Adds the error with Azure's text, which clients search for. False: it is another fault, or no
 * other zone was found. */
static bool tell_registration(const struct telling *telling, const struct fault *fault,
			      struct arm_errors *errors)
{
	struct api_edit *edit = telling->edit;
	const struct model *model = api_model(edit->request);
	const struct resource_edit *link;
	const struct private_zone *zone;
	struct path own = {0};
	char subject[ARM_ID_MAX] = "";
	const char *rest;

	if (!fault->limit || strcmp(fault->limit, "registration_zones_per_virtual_network") != 0)
		return false;
	link = edit_of(telling, fault, &rest);
	zone = link ? registering_zone(model, link) : NULL;
	/* Two links conflict, and the fault is at the later one in the model. If no edit is of that
	 * link, look for the edit of the other one. */
	arm_read_place(&edit->request->arena, fault->origin.path ? fault->origin.path : "", &own);
	for (size_t i = 0; !link && own.kind && !zone && i < edit->count; i++) {
		zone = registering_zone(model, &edit->edits[i]);
		if (zone && strcasecmp(zone->name, own.names[0]) != 0)
			zone = NULL;
		if (zone)
			link = &edit->edits[i];
	}
	if (zone && (!telling->type || link != edit->edits))
		arm_id(edit->request, &link->path, subject);
	if (zone)
		arm_error(
			errors, 409, "Conflict", "properties.registrationEnabled",
			"%s%sA virtual network can only be linked to %" PRIu32
			" Private DNS zone(s) with auto-registration enabled; conflicting Private "
			"DNS zone is '%s'. Link it without registration, or raise limits.%s",
			subject, *subject ? ": " : "",
			model->limits.registration_zones_per_virtual_network, zone->name,
			fault->limit);
	return zone;
}

void arm_tell_faults(struct api_edit *edit, const struct arm_type *type,
		     const struct faults *faults, struct arm_errors *errors)
{
	struct telling telling = {edit, type, NULL, NULL};
	char target[ARM_TARGET_MAX], subject[ARM_ID_MAX];

	if (faults->errors == 0)
		return;
	telling.edits = edits_by_path(edit);
	telling.children = children_by_name(edit->request, type);
	for (size_t i = 0; i < faults->count; i++) {
		const struct fault *fault = &faults->items[i];
		const char *text, *at = fault->origin.path ? fault->origin.path : "";

		if (fault->severity != FAULT_ERROR)
			continue;
		if (arm_errors_is_full(errors)) {
			errors->more++;
			continue;
		}
		if (tell_registration(&telling, fault, errors))
			continue;
		text = with_ids(edit->request, fault->text);
		if (!text)
			continue;
		if (!read_fault(&telling, fault, target, subject))
			snprintf(target, sizeof target, "%s", at);
		arm_error(errors, 400, "BadRequest", target, "%s%s%s%s%s", subject,
			  *subject ? ": " : "", target, *target ? ": " : "", text);
	}
	json_decref(telling.edits);
	json_decref(telling.children);
}
