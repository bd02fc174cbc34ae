/* Shows, lists and removes records of deployments (azure/deployment_record.h). A deployment is
 * complete when it is answered, so there is nothing to cancel. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/api/azure/api_arm.h"
#include "resolver/control/api/azure/asked.h"
#include "resolver/control/api/azure/deployment_record.h"
#include "resolver/control/api/azure/page.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"

const char *arm_deployment_group(const struct api_request *request)
{
	const char *group = api_parameter(request, "group");

	return *group ? group : NULL;
}

bool arm_deployment_begin(struct api_request *request)
{
	return api_arm_begin(request) &&
	       (!arm_deployment_group(request) || arm_check_group(request));
}

/* False: there is no such deployment, and the request has been answered. */
static bool find(struct api_request *request, char state[DEPLOYMENT_STATE_MAX])
{
	const char *name = api_parameter(request, "name");
	struct change_error error;

	if (!arm_deployment_begin(request))
		return false;
	if (deployment_find(api_resources(request), arm_deployment_group(request), name, state,
			    &error) != 0)
		api_fail_change(request, &error);
	else if (*state == '\0')
		api_fail(request, 404, "DeploymentNotFound", "Deployment '%s' could not be found.",
			 name);
	else
		return true;
	return false;
}

/* False: the part cannot be read, and the request has been answered. *text: to be freed; NULL:
 * there is none. */
static bool read_part(struct api_request *request, enum deployment_part part, char **text)
{
	struct change_error error;

	if (deployment_read_part(api_resources(request), arm_deployment_group(request),
				 api_parameter(request, "name"), part, text, &error) == 0)
		return true;
	api_fail_change(request, &error);
	return false;
}

/* Answers with the part as it is stored. */
static void answer_part(struct api_request *request, enum deployment_part part)
{
	char state[DEPLOYMENT_STATE_MAX], *text;

	if (!find(request, state) || !read_part(request, part, &text))
		return;
	if (text)
		api_reply_text(request, 200, NULL, text, strlen(text));
	else
		api_fail_memory(request);
}

void arm_deployment_get(struct api_request *request)
{
	answer_part(request, DEPLOYMENT_RECORD);
}

void arm_deployment_operations(struct api_request *request)
{
	answer_part(request, DEPLOYMENT_OPERATIONS);
}

void arm_deployment_exists(struct api_request *request)
{
	char state[DEPLOYMENT_STATE_MAX];

	if (find(request, state))
		api_reply_empty(request, 204);
}

void arm_deployment_delete(struct api_request *request)
{
	struct deployment_pairs pairs = {.rows = NULL};
	struct resources *resources;
	struct change_error error;

	if (!arm_deployment_begin(request))
		return;
	resources = api_resources(request);
	if (deployment_pairs_drop(&pairs, resources, arm_deployment_group(request),
				  api_parameter(request, "name"), &error) != 0 ||
	    deployment_pairs_write(&pairs, resources, &error) != 0)
		api_fail_change(request, &error);
	else
		api_reply_empty(request, 204);
	deployment_pairs_release(&pairs);
}

void arm_deployment_cancel(struct api_request *request)
{
	char state[DEPLOYMENT_STATE_MAX];

	if (find(request, state))
		api_fail(request, 409, "DeploymentCannotBeCancelled",
			 "The deployment '%s' cannot be cancelled because its provisioning state "
			 "is '%s'.",
			 api_parameter(request, "name"), state);
}

void arm_deployment_export(struct api_request *request)
{
	char state[DEPLOYMENT_STATE_MAX], *template, *text = NULL;
	int length;

	if (!find(request, state) || !read_part(request, DEPLOYMENT_TEMPLATE, &template))
		return;
	length = asprintf(&text, "{\"template\":%s}", template ? template : "{}");
	free(template);
	if (length >= 0)
		api_reply_text(request, 200, NULL, text, (size_t)length);
	else
		api_fail_memory(request);
}

/* ---- a list ---- */

static bool takes(void *context, const char *state)
{
	const struct arm_page *page = context;
	json_t *like = json_make("{s:{s:s}}", "properties", "provisioningState", state);
	bool fits = arm_filter_takes(&page->filter, like, "");

	json_decref(like);
	return fits;
}

/* Like arm_page_answer, for records that are JSON already. */
static void answer_list(struct api_request *request, const struct deployment_page *listed)
{
	struct json_writer *rows = listed->rows;
	size_t length;
	char *text;

	fputs("]", rows->out);
	if (*listed->last) {
		fputs(",\"nextLink\":", rows->out);
		json_writer_value(rows, arm_next_link(request, listed->last));
	}
	fputs("}", rows->out);
	text = json_writer_end(rows, &length);
	if (!text) {
		api_fail_memory(request);
		return;
	}
	api_arm_say_revision(request);
	api_reply_text(request, 200, NULL, text, length);
}

void arm_deployments_list(struct api_request *request)
{
	enum { LISTED_MAX = 50 };
	static const char *const names[] = {"provisioningState", NULL};
	struct deployment_page listed;
	struct change_error error;
	struct json_writer rows;
	struct arm_page page;

	if (!arm_deployment_begin(request) || !arm_page_begin(&page, request, names))
		return;
	listed = (struct deployment_page){.group = arm_deployment_group(request),
					  .behind = page.behind,
					  .room = page.room < LISTED_MAX ? page.room : LISTED_MAX,
					  .takes = takes,
					  .context = &page,
					  .rows = &rows};
	if (!json_writer_begin(&rows, ",", JSON_COMPACT)) {
		api_fail_memory(request);
		return;
	}
	json_writer_list(&rows, "{\"value\":[");
	if (deployment_list(api_resources(request), &listed, &error) == 0) {
		answer_list(request, &listed);
		return;
	}
	json_writer_cancel(&rows);
	api_fail_change(request, &error);
}

/* ---- one operation ---- */

void arm_deployment_operation(struct api_request *request)
{
	const char *wanted = api_parameter(request, "operation");
	char state[DEPLOYMENT_STATE_MAX], *text;
	json_t *operations, *item, *found = NULL;
	size_t i;

	if (!find(request, state) || !read_part(request, DEPLOYMENT_OPERATIONS, &text))
		return;
	operations = text ? json_loads(text, 0, NULL) : NULL;
	free(text);
	json_array_foreach(json_object_get(operations, "value"), i, item)
	{
		if (strcasecmp(json_text_of(item, "operationId"), wanted) == 0)
			found = item;
	}
	if (found)
		api_reply_json(request, 200, json_incref(found), NULL);
	else
		api_fail(request, 404, "DeploymentOperationNotFound",
			 "The deployment operation '%s' could not be found.", wanted);
	json_decref(operations);
}
