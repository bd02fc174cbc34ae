/* `sluice explain`. With --ask the running server resolves the question and says what came of it;
 * nothing is read here. Else this loads the file as `run` would, compiles it, and explains. When a
 * server runs, its targets' health is put next to the route; that it may not be the same
 * configuration is why they are matched by source, host and protocol, and why a server that serves
 * what was before the file is told of. */
#include "resolver/control/observe/explain.h"
#include "resolver/control/base/json.h"
#include "resolver/control/command/client.h"
#include "resolver/control/service/load.h"
#include "rules/text.h"

enum { HEALTH_TIMEOUT_MS = 2000 };

/* Nothing is said when no server can be asked: explain does not need one. */
static void fetch_health(const struct command_line *line, json_t *explained)
{
	char path[CLIENT_PATH_MAX], error[CLIENT_ERROR_MAX];
	unsigned http_status;
	struct client_call call = {
		.method = "GET", .path = "/v1/status", .timeout_ms = HEALTH_TIMEOUT_MS};
	if (!client_socket_path(line, path))
		return;
	json_t *status = client_call(path, call, &http_status, error);
	const char *text =
		json_string_value(json_object_get(json_object_get(status, "went_back"), "text"));
	if (text)
		command_fail_at(line, "this is of the file: %s", text);
	explain_add_health(explained, json_object_get(status, "targets"));
	json_decref(status);
}

/* Takes it over; NULL is what there was no memory for. */
static int print_explained(const struct command_line *line, json_t *explained)
{
	int status = EXIT_SUCCESS;
	if (line->json || !explained)
		status = command_print_json(explained);
	else
		explain_print(explained, stdout);
	json_decref(explained);
	return status;
}

static struct explain_texts texts_of(const struct command_line *line)
{
	return (struct explain_texts){.dash = "--",
				      .name = line->arguments[0],
				      .type = line->argument_count > 1 ? line->arguments[1] : NULL,
				      .vnet = line->vnet,
				      .endpoint = line->endpoint,
				      .from = line->from};
}

static int explain_in(const struct command_line *line, const struct model *model,
		      const struct policy *policy, const struct explain_question *question)
{
	char error[EXPLAIN_ERROR_MAX];
	int err;
	json_t *explained = explain_decide(policy, question, &err, error);
	if (err == ERR_NOT_FOUND)
		return command_fail_at(line, "%s", error);
	if (err != 0)
		return command_misuse(line, "%s", error);
	fetch_health(line, explained);
	explain_add_made(explained, model);
	return print_explained(line, json_whole(explained));
}

static int load_and_explain(const struct command_line *line, struct load *load,
			    const struct explain_question *question)
{
	struct model *model = command_load(line, load);
	struct policy *policy = model ? policy_compile(model, &load->key, NULL) : NULL;
	int status = policy ? explain_in(line, model, policy, question) : EXIT_FAILURE;
	if (model && !policy)
		command_fail_at(line, "%s", err_text(ERR_NOMEM));
	policy_free(policy);
	model_free(model);
	return status;
}

/* To be freed; NULL without memory. */
static char *path_of(const struct explain_texts *texts)
{
	const char *const keys[] = {"vnet", "endpoint", "from"};
	const char *const values[] = {texts->vnet, texts->endpoint, texts->from};
	const char *given[3] = {NULL};
	char format[128] = "/v1/explain?ask=1&name=%&type=%";
	unsigned count = 0;

	for (size_t i = 0; i < 3; i++) {
		if (!values[i])
			continue;
		text_append(format, sizeof format, "&%s=%%", keys[i]);
		given[count++] = values[i];
	}
	return client_path(format, texts->name, texts->type ? texts->type : "A", given[0], given[1],
			   given[2]);
}

/* What can be refused without a server is. Names are not looked up by this key. */
static int ask_server(const struct command_line *line)
{
	static const struct hash_key key;
	char error[EXPLAIN_ERROR_MAX];
	struct explain_question question;
	const struct explain_texts texts = texts_of(line);

	if (explain_question_read(&question, &texts, &key, error) != 0)
		return command_misuse(line, "%s", error);
	json_t *explained =
		client_ask(line, (struct client_call){.method = "GET"}, path_of(&texts));
	return explained ? print_explained(line, explained) : EXIT_FAILURE;
}

int command_explain(const struct command_line *line)
{
	char error[EXPLAIN_ERROR_MAX];
	struct explain_question question;
	if (line->ask)
		return ask_server(line);
	const struct explain_texts texts = texts_of(line);
	struct load load;
	int status;
	load_init(&load, line->config, line->resolv_conf);
	if (explain_question_read(&question, &texts, &load.key, error) != 0)
		status = command_misuse(line, "%s", error);
	else
		status = load_and_explain(line, &load, &question);
	return status;
}
