/* `sluice deploy FILE`: deploys one of Azure's templates by the PUT that `az deployment group
 * create` sends or, if its schema is that for a subscription, `az deployment sub create`. --what-if
 * shows what it would change. Errors are printed with the template's line. */
#include <ctype.h>
#include <strings.h>

#include "resolver/control/base/json.h"
#include "resolver/control/base/json_place.h"
#include "resolver/control/base/regular_file.h"
#include "resolver/control/base/relaxed_json.h"
#include "resolver/control/command/client.h"
#include "rules/text.h"

enum { FILE_MAX = 4 * 1024 * 1024, DEPLOY_MS = 300 * 1000, NAME_MAX_BYTES = 64 };

#define API_VERSION "?api-version=2022-09-01"

struct deploy {
	const struct command_line *line;
	const char *file;
	char *text; /* of the template */
	size_t length;
	json_t *template, *parameters;
	char socket[CLIENT_PATH_MAX];
	bool to_subscription;
	int status; /* the exit status after a failure */
};

/* ---- template and parameters ---- */

/* Reads the file's JSON; NULL: it has none; prints why. Free *text. */
static json_t *read_json(const struct command_line *line, const char *file, char **text,
			 size_t *length)
{
	const char *why = "";
	json_error_t at;
	json_t *value;

	*text = regular_file_read(file, FILE_MAX, NULL, length, &why);
	if (!*text) {
		command_fail_at(line, "%s: %s", file, why);
		return NULL;
	}
	value = relaxed_json_load(*text, *length, JSON_REJECT_DUPLICATES, &at);
	if (!value)
		command_fail_at(line, "%s:%d: it is not JSON: %s", file, at.line, at.text);
	return value;
}

/* A parameter's value by its type: the text itself for a string; else JSON, or the text if it is
 * not JSON. */
static json_t *value_of(const json_t *declared, const char *text)
{
	const char *type = json_string_value(json_own_member(declared, "type"));
	json_t *value = NULL;

	if (!type || (strcasecmp(type, "string") != 0 && strcasecmp(type, "securestring") != 0))
		value = json_loads(text, JSON_DECODE_ANY, NULL);
	return value ? value : json_text(text);
}

/* False: the file has no parameters; prints why. */
static bool read_parameter_file(struct deploy *deploy, const char *file)
{
	char *text;
	size_t length;
	json_t *value = read_json(deploy->line, file, &text, &length);
	json_t *parameters = json_own_member(value, "parameters");
	bool found = json_is_object(parameters);

	free(text);
	if (found)
		json_object_update(deploy->parameters, parameters);
	else if (value)
		command_fail_at(deploy->line,
				"%s: it has no \"parameters\": {\"NAME\": {\"value\": ...}}", file);
	json_decref(value);
	return found;
}

/* `word`: NAME=VALUE, or a file of parameters. */
static bool read_parameter(struct deploy *deploy, const char *word)
{
	const char *equals = strchr(word, '=');
	char name[256];

	if (!equals)
		return read_parameter_file(deploy, word);
	snprintf(name, sizeof name, "%.*s", (int)(equals - word), word);
	json_put(deploy->parameters, name,
		 json_make("{s:o}", "value",
			   value_of(json_own_member(json_own_member(deploy->template, "parameters"),
						    name),
				    equals + 1)));
	return true;
}

static bool read_template(struct deploy *deploy)
{
	const struct command_line *line = deploy->line;
	const char *schema;

	deploy->template = read_json(line, deploy->file, &deploy->text, &deploy->length);
	deploy->parameters = json_object();
	if (!deploy->template)
		return false;
	if (!json_own_member(deploy->template, "resources")) {
		command_fail_at(line, "%s: it is no template, which has \"resources\"%s",
				deploy->file,
				json_own_member(deploy->template, "parameters")
					? "; a file of parameters is given with -p"
					: "");
		return false;
	}
	schema = json_string_value(json_own_member(deploy->template, "$schema"));
	deploy->to_subscription =
		schema && strcasestr(schema, "subscriptionDeploymentTemplate") != NULL;
	if (!deploy->to_subscription && !line->group) {
		deploy->status =
			command_misuse(line, "the template is for a resource group; give --group");
		return false;
	}
	for (int i = 0; i < line->parameters.count; i++)
		if (!read_parameter(deploy, line->parameters.items[i]))
			return false;
	return true;
}

/* ---- requests ---- */

/* The deployment's name: the file's, without folder and ending. */
static void name_of(const char *file, char name[NAME_MAX_BYTES + 1])
{
	const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file;
	const char *dot = strrchr(base, '.');
	size_t length = dot && dot > base ? (size_t)(dot - base) : strlen(base);

	snprintf(name, NAME_MAX_BYTES + 1, "%.*s", (int)length, base);
	for (char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("-_.()", *c))
			*c = '-';
}

/* A member of the first item in the server's list, to be freed; takes over the path. NULL: the list
 * is empty, or there is no answer. */
static char *ask_first(const struct deploy *deploy, char *path, const char *key)
{
	json_t *answer = client_ask(deploy->line, (struct client_call){.method = "GET"}, path);
	const json_t *first = json_array_get(json_object_get(answer, "value"), 0);
	char *text = first ? strdup(json_text_of(first, key)) : NULL;

	json_decref(answer);
	return text;
}

/* The location of a deployment to the subscription: --region, or else the server's. */
static void put_location(const struct deploy *deploy, const char *subscription, json_t *body)
{
	char *region = deploy->line->region
			       ? strdup(deploy->line->region)
			       : ask_first(deploy,
					   client_path("/subscriptions/%/locations" API_VERSION,
						       subscription),
					   "name");

	json_put(body, "location", json_text(region ? region : "global"));
	free(region);
}

/* The answer with its status; NULL: none; prints why. */
static json_t *ask(struct deploy *deploy, const char *subscription, unsigned *status)
{
	const struct command_line *line = deploy->line;
	char name[NAME_MAX_BYTES + 1], error[CLIENT_ERROR_MAX] = "";
	json_t *body = json_make("{s:{s:s, s:O, s:O}}", "properties", "mode",
				 line->complete ? "Complete" : "Incremental", "template",
				 deploy->template, "parameters", deploy->parameters);
	const char *verb = line->what_if ? "/whatIf" : "";
	char *path = NULL, *start, *scope;
	json_t *answer = NULL;

	name_of(deploy->file, name);
	if (deploy->to_subscription) {
		put_location(deploy, subscription, body);
		scope = strdup("");
	} else {
		scope = client_path("/resourceGroups/%", line->group);
	}
	start = client_path("/subscriptions/%", subscription);
	if (start && scope &&
	    asprintf(&path, "%s%s/providers/Microsoft.Resources/deployments/%s%s" API_VERSION,
		     start, scope, name, verb) < 0)
		path = NULL;
	if (path && client_socket_path(line, deploy->socket))
		answer = client_call(deploy->socket,
				     (struct client_call){.method = line->what_if ? "POST" : "PUT",
							  .path = path,
							  .body = body,
							  .timeout_ms = DEPLOY_MS},
				     status, error);
	else
		json_decref(body);
	if (!answer && *error)
		command_fail_at(line, "%s", error);
	free(path);
	free(start);
	free(scope);
	return answer;
}

/* ---- printing ---- */

static void print_error(const struct deploy *deploy, const json_t *error)
{
	const char *target = json_string_value(json_object_get(error, "target"));

	if (target)
		fprintf(stderr, "%s:%u: %s\n", deploy->file,
			json_place_line(deploy->text, deploy->length, target),
			json_text_of(error, "message"));
	else
		fprintf(stderr, "%s: %s\n", deploy->file, json_text_of(error, "message"));
}

static int print_refusal(const struct deploy *deploy, const json_t *answer)
{
	const json_t *error = json_object_get(answer, "error");
	const json_t *details = json_object_get(error, "details");

	for (size_t i = 0; i < json_array_size(details); i++)
		print_error(deploy, json_array_get(details, i));
	if (json_array_size(details) == 0)
		print_error(deploy, error);
	return command_fail_at(deploy->line, "nothing has changed");
}

static const char *short_id(const char *id)
{
	const char *providers = strstr(id, "/providers/");
	const char *group = strstr(id, "/resourceGroups/");

	return providers ? providers + strlen("/providers/") : group ? group + 1 : id;
}

static void print_json_value(const json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	fputs(text ? text : "", stdout);
	free(text);
}

static void print_delta(const json_t *delta)
{
	for (size_t i = 0; i < json_array_size(delta); i++) {
		const json_t *one = json_array_get(delta, i);

		printf("    %s: ", json_text_of(one, "path"));
		print_json_value(json_object_get(one, "before"));
		printf(" -> ");
		print_json_value(json_object_get(one, "after"));
		printf("\n");
	}
}

/* Prints the changes like az. */
static int print_changes(const json_t *answer)
{
	static const struct {
		const char *type, *sign, *said;
	} types[] = {{"Create", "+", "to create"},
		     {"Modify", "~", "to change"},
		     {"Delete", "-", "to delete"},
		     {"NoChange", "=", "unchanged"},
		     {"Ignore", "*", "not in the template"}};
	enum { TYPES = sizeof types / sizeof *types };
	const json_t *changes = json_object_get(json_object_get(answer, "properties"), "changes");
	size_t counts[TYPES] = {0};

	for (size_t i = 0; i < json_array_size(changes); i++) {
		const json_t *change = json_array_get(changes, i);
		const char *type = json_text_of(change, "changeType");

		for (size_t k = 0; k < TYPES; k++) {
			if (strcmp(types[k].type, type) != 0)
				continue;
			counts[k]++;
			printf("%s %s\n", types[k].sign,
			       short_id(json_text_of(change, "resourceId")));
		}
		print_delta(json_object_get(change, "delta"));
	}
	for (size_t k = 0; k < TYPES; k++)
		printf("%s%zu %s", k > 0 ? ", " : "", counts[k], types[k].said);
	printf("\n");
	return EXIT_SUCCESS;
}

static int print_made(const json_t *answer)
{
	const json_t *properties = json_object_get(answer, "properties");
	json_t *outputs = json_object_get(properties, "outputs"), *output;
	size_t count = json_array_size(json_object_get(properties, "outputResources"));
	const char *name;

	printf("%s: %zu resource%s deployed\n", json_text_of(answer, "name"), count,
	       text_plural(count, "", "s"));
	json_object_foreach(outputs, name, output)
	{
		const json_t *value = json_object_get(output, "value");

		if (!value)
			continue;
		printf("%s = ", name);
		if (json_is_string(value))
			fputs(json_string_value(value), stdout);
		else
			print_json_value(value);
		printf("\n");
	}
	return EXIT_SUCCESS;
}

static int print_answer(const struct deploy *deploy, const json_t *answer, unsigned status)
{
	if (status >= 400)
		return print_refusal(deploy, answer);
	if (deploy->line->json)
		return command_print_json(answer);
	return deploy->line->what_if ? print_changes(answer) : print_made(answer);
}

int command_deploy(const struct command_line *line)
{
	struct deploy deploy = {.line = line, .file = line->arguments[0], .status = EXIT_FAILURE};
	char *subscription = NULL;
	json_t *answer = NULL;
	unsigned status = 0;

	if (read_template(&deploy))
		subscription = ask_first(&deploy, client_path("/subscriptions" API_VERSION),
					 "subscriptionId");
	if (subscription)
		answer = ask(&deploy, subscription, &status);
	if (answer)
		deploy.status = print_answer(&deploy, answer, status);
	json_decref(answer);
	json_decref(deploy.template);
	json_decref(deploy.parameters);
	free(deploy.text);
	free(subscription);
	return deploy.status;
}
