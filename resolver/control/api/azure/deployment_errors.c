#include "resolver/control/api/azure/deployment_errors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/api/azure/api_arm.h"
#include "resolver/control/api/azure/body.h"
#include "resolver/control/api/azure/faults.h"
#include "resolver/control/base/json.h"

/* Adds an error about a member of the resource, at its place in the template, which copies of a
 * resource have in common. Takes the message over. */
static void add_error(struct deployment *deployment, const struct deployed *deployed,
		      unsigned status, const char *code, const char *member, json_t *message)
{
	struct arm_errors *errors = &deployment->errors;
	bool joins = *member && *member != '[';

	if (!errors->list)
		errors->list = json_array();
	if (errors->status == 0)
		errors->status = status;
	if (arm_errors_is_full(errors)) {
		errors->more++;
		json_decref(message);
		return;
	}
	json_add(errors->list,
		 json_make("{s:s, s:o, s:o}", "code", code, "message", message, "target",
			   json_sprintf("%s%s%s", deployed->place, joins ? "." : "", member)));
}

void deployment_add_errors(struct deployment *deployment, const struct deployed *deployed,
			   struct arm_errors *errors)
{
	json_t *item;
	size_t i;

	json_array_foreach(errors->list, i, item)
	{
		add_error(deployment, deployed, errors->status, json_text_of(item, "code"),
			  json_text_of(item, "target"),
			  json_sprintf("%s: %s", deployed->name, json_text_of(item, "message")));
	}
	deployment->errors.more += errors->more;
	arm_errors_release(errors);
}

/* The resource of the template whose id the message begins with, or one that it is in; NULL: none.
 */
static const struct deployed *find_deployed(const struct deployment *deployment,
					    const char *message)
{
	const struct deployed *found = NULL;
	size_t longest = 0;

	for (size_t i = 0; i < deployment->count; i++) {
		const struct deployed *deployed = &deployment->resources[i];
		size_t length = strlen(deployed->id);

		if (length <= longest || strncasecmp(message, deployed->id, length) != 0 ||
		    !strchr(":/", message[length]))
			continue;
		found = deployed;
		longest = length;
	}
	return found;
}

void deployment_tell_faults(struct deployment *deployment, const struct faults *faults)
{
	struct api_edit edit = {.request = deployment->request,
				.edits = deployment->edits,
				.count = deployment->edit_count};
	struct arm_errors errors = {.request = deployment->request};
	json_t *item;
	size_t i;

	arm_tell_faults(&edit, NULL, faults, &errors);
	json_array_foreach(errors.list, i, item)
	{
		const char *message = json_text_of(item, "message");
		const struct deployed *deployed = find_deployed(deployment, message);

		if (deployed)
			add_error(deployment, deployed, errors.status, json_text_of(item, "code"),
				  json_text_of(item, "target"), json_text(message));
		else
			arm_error(&deployment->errors, errors.status, json_text_of(item, "code"),
				  NULL, "%s", message);
	}
	deployment->errors.more += errors.more;
	arm_errors_release(&errors);
}

/* The resource of the template that has made an edit of that path; NULL: none. */
static const struct deployed *find_edited(const struct deployment *deployment,
					  const struct path *path)
{
	for (size_t i = deployment->count; i > 0; i--) {
		const struct deployed *deployed = &deployment->resources[i - 1];

		if (deployed->path.kind == path->kind &&
		    strcasecmp(deployed->path.group, path->group) == 0 &&
		    strcasecmp(deployed->path.names[0], path->names[0]) == 0)
			return deployed;
	}
	return NULL;
}

void deployment_tell_error(struct deployment *deployment, const struct change_error *error,
			   size_t failed)
{
	const struct deployed *deployed =
		failed < deployment->edit_count
			? find_edited(deployment, &deployment->edits[failed].path)
			: NULL;
	const char *code = api_arm_change_code(error);
	unsigned status = error->outcome == CHANGE_BUSY || error->outcome == CHANGE_STORE ||
					  error->outcome == CHANGE_NO_MEMORY
				  ? 503
				  : 409;

	if (deployed)
		add_error(deployment, deployed, status, code, "",
			  json_sprintf("%s: %s", deployed->name, error->text));
	else
		arm_error(&deployment->errors, status, code, NULL, "%s", error->text);
}

/* ---- secrets ---- */

static void add_secrets(json_t *secrets, json_t *value)
{
	const char *key;
	json_t *item;
	size_t i;

	if (json_string_length(value) > 0)
		json_add(secrets, json_incref(value));
	json_object_foreach(value, key, item)
	{
		add_secrets(secrets, item);
	}
	json_array_foreach(value, i, item)
	{
		add_secrets(secrets, item);
	}
}

/* Whether a parameter is secure, by its own type or by that of a definition it refers to. */
static bool is_secure(const json_t *template, json_t *declared)
{
	static const char definitions[] = "#/definitions/";
	const char *type = NULL, *reference;

	for (unsigned depth = 0; declared && !type && depth < TEMPLATE_DEPTH_MAX; depth++) {
		type = json_string_value(arm_get(declared, "type"));
		reference = json_text_of(declared, "$ref");
		if (strncmp(reference, definitions, sizeof definitions - 1) != 0)
			break;
		reference += sizeof definitions - 1;
		declared = arm_own_member(arm_get((json_t *)(uintptr_t) template, "definitions"),
					  reference, strlen(reference));
	}
	return type && strncasecmp(type, "secure", strlen("secure")) == 0;
}

/* The texts of secure parameters. */
static json_t *find_secrets(const struct deployment *deployment)
{
	json_t *secrets = json_array(), *declared;
	const char *name;

	json_object_foreach(arm_get((json_t *)(uintptr_t)deployment->source, "parameters"), name,
			    declared)
	{
		json_t *given =
			arm_own_member((json_t *)(uintptr_t)deployment->given, name, strlen(name));

		if (is_secure(deployment->source, declared)) {
			add_secrets(secrets, arm_get(given, "value"));
			add_secrets(secrets, arm_get(declared, "defaultValue"));
		}
	}
	return secrets;
}

/* The text with "***" in place of each secret, in any case; to be freed, NULL without memory. */
static char *without_secrets(const char *text, const json_t *secrets)
{
	char *made = NULL;
	size_t length;
	FILE *out = open_memstream(&made, &length);

	while (out && *text) {
		const char *secret = NULL;

		for (size_t i = 0; !secret && i < json_array_size(secrets); i++) {
			const char *one = json_string_value(json_array_get(secrets, i));

			if (strncasecmp(text, one, strlen(one)) == 0)
				secret = one;
		}
		fputs(secret ? "***" : (char[]){*text, '\0'}, out);
		text += secret ? strlen(secret) : 1;
	}
	return out && fclose(out) == 0 ? made : NULL;
}

static void clear_text(char *text, size_t size, const json_t *secrets)
{
	char *cleared = without_secrets(text, secrets);

	snprintf(text, size, "%s", cleared ? cleared : "");
	free(cleared);
}

void deployment_clear_errors(struct deployment *deployment)
{
	json_t *secrets = find_secrets(deployment), *item;
	size_t i;

	if (json_array_size(secrets) > 0) {
		clear_text(deployment->error.text, sizeof deployment->error.text, secrets);
		json_array_foreach(deployment->errors.list, i, item)
		{
			char *cleared = without_secrets(json_text_of(item, "message"), secrets);

			json_put(item, "message", json_text(cleared ? cleared : ""));
			free(cleared);
		}
	}
	json_decref(secrets);
}
