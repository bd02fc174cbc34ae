#include "resolver/control/api/azure/deployment_errors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/api/azure/api_arm.h"
#include "resolver/control/api/azure/faults.h"
#include "resolver/control/base/json.h"

/* Adds an error about a member of the resource. The error's target is a place in the template. All
 * copies of a resource share that place, so several errors may have one target. Takes ownership of
 * the message. */
static void add_error(struct deployment *deployment, const struct deployed *deployed,
		      unsigned status, const char *code, const char *member, json_t *message)
{
	struct arm_errors *errors = &deployment->errors;
	bool joins = *member && *member != '[';
	json_t *error;

	if (!errors->list)
		errors->list = json_array();
	if (errors->status == 0)
		errors->status = status;
	if (arm_errors_is_full(errors)) {
		errors->more++;
		json_decref(message);
		return;
	}
	error = json_make("{s:s, s:o, s:o}", "code", code, "message", message, "target",
			  json_sprintf("%s%s%s", deployed->place, joins ? "." : "", member));
	if (!deployment->failed)
		deployment->failed = json_array();
	json_add(deployment->failed, json_make("{s:s, s:O}", "id", deployed->id, "error", error));
	json_add(errors->list, error);
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

/* Finds the template's resource whose id, or a child's id, begins the message. NULL: none. */
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
	struct api_edit edit = {.request = deployment->asked.request,
				.edits = deployment->edits.edits,
				.count = deployment->edits.count};
	struct arm_errors errors = {.request = deployment->asked.request};
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

/* The template's resource with an edit of that path; NULL: none. */
static const struct deployed *find_edited(const struct deployment *deployment,
					  const struct path *path)
{
	for (size_t i = deployment->count; i > 0; i--) {
		const struct deployed *deployed = &deployment->resources[i - 1];

		if (deployed->path.kind == path->kind &&
		    strcasecmp(deployed->path.group, path->group) == 0 &&
		    strcasecmp(deployed->path.names[0], path->names[0]) == 0 &&
		    (!path->kind->parent ||
		     strcasecmp(deployed->path.names[1], path->names[1]) == 0))
			return deployed;
	}
	return NULL;
}

void deployment_tell_error(struct deployment *deployment, const struct change_error *error,
			   size_t failed)
{
	const struct deployed *deployed =
		failed < deployment->edits.count
			? find_edited(deployment, &deployment->edits.edits[failed].path)
			: NULL;
	const char *code = api_arm_change_code(error);
	unsigned status = error->outcome == CHANGE_BUSY || error->outcome == CHANGE_STORE ||
					  error->outcome == CHANGE_UNKNOWN ||
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

static void hide_secrets(const struct deployment *deployment, json_t *object, const char *key)
{
	char *shown = deployment_hide_secrets(deployment, json_text_of(object, key));

	json_put(object, key, json_text(shown ? shown : ""));
	free(shown);
}

void deployment_clear_errors(struct deployment *deployment)
{
	json_t *item;
	size_t i;

	json_array_foreach(deployment->errors.list, i, item)
	{
		hide_secrets(deployment, item, "message");
	}
	json_array_foreach(deployment->failed, i, item)
	{
		hide_secrets(deployment, item, "id");
	}
}
