/* Azure's JSON as az prints it: a list of resources, or a single one.
 *
 * A template describes resources to be made, not existing ones, so it is no configuration to
 * import: `sluice deploy` evaluates it and makes its resources. A template, or a file with its
 * parameters, is a fault that says so. */
#include "resolver/control/base/exit.h"
#include "resolver/control/import/azure.h"
#include "resolver/control/import/dialect.h"
#include "resolver/control/import/json_file.h"
#include "rules/err.h"

struct arm {
	struct import *import;
	json_t *files; /* must live until azure_finish */
	bool refused;  /* one file was refused: nothing will be written */
};

static struct arm *arm_of(struct import *import)
{
	struct arm *arm = import_find(import, "arm");

	if (arm)
		return arm;
	arm = import_alloc(import, sizeof *arm);
	*arm = (struct arm){.import = import, .files = json_array()};
	if (!arm->files)
		exit(exit_fail("%s", err_text(ERR_NOMEM)));
	import_keep(import, "arm", arm);
	return arm;
}

static bool is_template(const json_t *value)
{
	return json_member(value, "resources") &&
	       (json_member(value, "$schema") || json_member(value, "contentVersion"));
}

/* Why the file is refused, and what to do instead: it belongs to a deployment, or is one page of a
 * list, whose other resources `sluice apply --prune` would delete. NULL: it is not refused. */
static const char *refusal(const json_t *value)
{
	const char *next = json_member_text(value, "nextLink");

	if (is_template(value))
		return "it is a template; `sluice deploy FILE --group GROUP` deploys it, and with "
		       "--what-if shows what it would do";
	if (is_template(json_member(value, "template")))
		return "its member \"template\" is a template; save that in a file of its own: "
		       "`sluice deploy FILE --group GROUP` deploys it, and with --what-if shows "
		       "what it would do";
	if (json_member(value, "parameters") && !json_member(value, "id"))
		return "it has the parameters of a template; `sluice deploy TEMPLATE --group GROUP "
		       "-p FILE` deploys the template with them, and with --what-if shows what it "
		       "would do";
	if (next && *next != '\0')
		return "it is one page of a longer list (nextLink); give the whole list, as `az "
		       "... list` prints it, or join the pages' \"value\"";
	return NULL;
}

static void take_resource(struct arm *arm, const char *file, json_t *value)
{
	struct origin at = json_file_at(arm->import, value, NULL);
	const char *id = json_member_text(value, "id"), *type = json_member_text(value, "type");

	at = at.line > 0 ? at : import_place(arm->import, file, 0, NULL);
	if (!id || !type) {
		import_lost(arm->import, &at,
			    "it has no \"id\" and \"type\", as what az prints with -o json has");
		return;
	}
	if (azure_carries(arm->import, type, &at))
		azure_take(arm->import, id, NULL, value);
}

static void take_file(struct arm *arm, const char *file, json_t *value)
{
	const json_t *list = json_is_array(value) ? value : json_member(value, "value");
	json_t *item;
	size_t i;

	if (!json_is_array(list))
		take_resource(arm, file, value);
	json_array_foreach((json_t *)list, i, item) take_resource(arm, file, item);
}

void arm_read(struct import *import, const char *path)
{
	struct arm *arm = arm_of(import);
	json_t *value = json_file_read(import, path);
	const char *refused = refusal(value);
	struct origin at = import_place(import, path, 0, NULL);

	if (value && json_array_append_new(arm->files, value) != 0)
		exit(exit_fail("%s", err_text(ERR_NOMEM)));
	if (refused)
		import_fault(import, &at, "%s", refused);
	else if (value)
		take_file(arm, path, value);
	arm->refused |= !value || refused;
}

void arm_finish(struct import *import)
{
	struct arm *arm = arm_of(import);

	if (!arm->refused)
		azure_finish(import);
	json_decref(arm->files);
}
