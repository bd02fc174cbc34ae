/* `sluice explain`: the running server says what it would do with a question, by the configuration
 * and the state that it serves. With --ask the server resolves the question, or the command fails.
 * Without --ask, if there is no server to ask (--offline, nobody listens, or -c names another file
 * than the server's), this process reads the file and the state, decides by the same code, and says
 * so. If the server exists but cannot be asked, the command fails, because the server might decide
 * otherwise than this process. */
#include "resolver/control/observe/explain.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "resolver/control/base/json.h"
#include "resolver/control/base/regular_file.h"
#include "resolver/control/command/client.h"
#include "resolver/control/command/print.h"
#include "resolver/control/resource/resources.h"
#include "resolver/control/service/load.h"
#include "resolver/control/service/registrar.h"
#include "rules/base.h"
#include "rules/text.h"

enum { TIMEOUT_MS = 5000, WHY_MAX = 2 * CLIENT_PATH_MAX + 64 };

/* Takes over `explained`; NULL: out of memory. */
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

/* ---- decided by this process ---- */

struct explain_input {
	struct load load;
	struct model *model;
	struct resources *resources;   /* addresses and PTRs of the state; NULL: no state */
	struct registered *registered; /* clients' registrations; NULL: not known */
	struct policy *policy;
	char unread[SOURCE_ERROR_MAX]; /* why the state could not be read; "": read, or none */
};

/* Adds the state's addresses and PTRs to the model. False: faults, or out of memory; prints why. */
static bool read_owned(const struct command_line *line, struct explain_input *input)
{
	struct model *model = input->model;
	struct addresses_about about;
	struct resources *whole;
	struct faults faults;
	bool is_read = true;

	const char *file = source_file(model->management.state);

	if (!model->management.state || (file && access(file, F_OK) != 0 && errno != EACCES))
		return true;
	input->resources = resources_new(&input->load.key);
	if (!input->resources)
		return command_fail_at(line, "%s", err_text(ERR_NOMEM)), false;
	resources_store(input->resources)->mode = SOURCE_READ_APART;
	faults_init(&faults);
	whole = resources_prepare(input->resources, model, &faults);
	addresses_about(input->resources, &about);
	if (whole) {
		owned_unref(model->owned);
		model->owned = addresses_table(whole);
	} else if (about.error) { /* only the addresses and PTRs of the file remain */
		snprintf(input->unread, sizeof input->unread, "%s", about.error);
	} else {
		faults_print(&faults, stderr);
		command_fail_at(line, "%s and its state do not fit together", line->config);
		is_read = false;
	}
	resources_prepared_free(whole);
	faults_release(&faults);
	return is_read;
}

static struct source *state_of(const struct explain_input *input)
{
	return input->resources && !*input->unread ? resources_store(input->resources)->source
						   : NULL;
}

static void read_registered(struct explain_input *input)
{
	struct source *source = state_of(input);
	char error[SOURCE_ERROR_MAX];

	if (source &&
	    registrar_read(source, &input->load.key, NULL, &input->registered, error) != 0)
		snprintf(input->unread, sizeof input->unread, "%s", error);
}

static bool input_init(const struct command_line *line, struct explain_input *input)
{
	input->load.mode = SOURCE_READ_APART;
	input->model = command_load(line, &input->load);
	if (!input->model || !read_owned(line, input))
		return false;
	read_registered(input);
	input->policy =
		policy_compile_with(input->model, &input->load.key, NULL, input->registered);
	if (!input->policy)
		command_fail_at(line, "%s", err_text(ERR_NOMEM));
	return input->policy;
}

static void input_release(struct explain_input *input)
{
	policy_free(input->policy);
	registered_unref(input->registered);
	model_free(input->model);
	resources_free(input->resources);
}

static void add_source(json_t *explained, const struct command_line *line,
		       const struct explain_input *input, const char *why)
{
	char *config = regular_file_absolute(line->config);

	json_put(explained, "source",
		 json_make("{s:s, s:o, s:o, s:o, s:o}", "from", "file", "config",
			   json_text(config ? config : line->config), "state",
			   input->resources ? json_text(input->model->management.state)
					    : json_null(),
			   "why", json_text(why), "unread",
			   *input->unread ? json_text(input->unread) : json_null()));
	free(config);
}

/* why: the reason for not asking a server. */
static int explain_offline(const struct command_line *line, const char *why)
{
	struct explain_input input = {.model = NULL};
	struct explain_question question;
	const struct explain_texts texts = texts_of(line);
	char error[EXPLAIN_ERROR_MAX];
	int status = EXIT_FAILURE, err = 0;

	load_init(&input.load, line->config, line->resolv_conf);
	if (explain_question_read(&question, &texts, &input.load.key, error) != 0)
		return command_misuse(line, "%s", error);
	if (input_init(line, &input)) {
		json_t *explained = explain_decide(input.policy, &question, &err, error);

		if (err == 0) {
			explain_add_made(explained, input.model);
			explain_add_registered(explained,
					       &(struct explain_registry){input.model, input.policy,
									  state_of(&input)});
			add_source(explained, line, &input, why);
			status = print_explained(line, json_whole(explained));
		} else if (err == ERR_NOT_FOUND) {
			status = command_fail_at(line, "%s", error);
		} else {
			status = command_misuse(line, "%s", error);
		}
	}
	input_release(&input);
	return status;
}

/* ---- decided by the server ---- */

/* The path of the request, to be freed; NULL: out of memory. */
static char *path_of(const struct explain_texts *texts, bool ask)
{
	const char *const keys[] = {"type", "vnet", "endpoint", "from"};
	const char *const values[] = {texts->type, texts->vnet, texts->endpoint, texts->from};
	const char *given[COUNT(keys)] = {NULL};
	char format[128] = "";
	unsigned count = 0;

	text_append(format, sizeof format, "/v1/explain?ask=%d&name=%%", ask);
	for (size_t i = 0; i < COUNT(keys); i++) {
		if (!values[i])
			continue;
		text_append(format, sizeof format, "&%s=%%", keys[i]);
		given[count++] = values[i];
	}
	return client_path(format, texts->name, given[0], given[1], given[2], given[3]);
}

/* The path of the server's file, from its answer or its status. To be freed; NULL: not known. */
static char *config_of_server(const char *socket, const json_t *explained)
{
	char error[CLIENT_ERROR_MAX];
	unsigned status;
	const char *path =
		json_string_value(json_object_get(json_object_get(explained, "source"), "config"));
	json_t *about = path ? NULL
			     : client_call(socket,
					   (struct client_call){.method = "GET",
								.path = "/v1/status",
								.timeout_ms = TIMEOUT_MS},
					   &status, error);

	if (about)
		path = json_string_value(json_object_get(about, "config"));
	char *copy = path ? strdup(path) : NULL;
	json_decref(about);
	return copy;
}

static bool is_same_file(const char *left, const char *right)
{
	char a[PATH_MAX], b[PATH_MAX];

	return strcmp(realpath(left, a) ? a : left, realpath(right, b) ? b : right) == 0;
}

/* Whether -c names a file other than the server's; *why says so. */
static bool is_of_another_file(const struct command_line *line, const char *socket,
			       const json_t *explained, char why[WHY_MAX])
{
	char *config = NULL;
	bool another = false;

	if (line->given & OPTION_CONFIG)
		config = config_of_server(socket, explained);
	if (config && !is_same_file(line->config, config)) {
		snprintf(why, WHY_MAX, "the server at %s has loaded another file, %s", socket,
			 config);
		another = true;
	}
	free(config);
	return another;
}

static int fail_unasked(const struct command_line *line, const char *error)
{
	bool reads = access(line->config, R_OK) == 0 || errno != EACCES;

	return command_fail_at(line, "%s; run it as root (sudo)%s", error,
			       reads ? ", or give --offline to read the file and the state instead"
				     : "");
}

static int explain_by(const struct command_line *line, const char *socket)
{
	const struct explain_texts texts = texts_of(line);
	char error[CLIENT_ERROR_MAX], why[WHY_MAX];
	char *path = path_of(&texts, false);
	bool absent = false;
	unsigned status = 0;

	if (!path)
		return command_fail_at(line, "%s", err_text(ERR_NOMEM));
	json_t *explained = client_call(
		socket,
		(struct client_call){
			.method = "GET", .path = path, .timeout_ms = TIMEOUT_MS, .absent = &absent},
		&status, error);
	free(path);
	if (!explained && !absent)
		return fail_unasked(line, error);
	if (!explained) {
		snprintf(why, sizeof why, "no server listens at %s", socket);
		return explain_offline(line, why);
	}
	if (is_of_another_file(line, socket, explained, why)) {
		json_decref(explained);
		return explain_offline(line, why);
	}
	if (status < 400)
		return print_explained(line, explained);
	const char *text = client_error_text(explained);
	int result;
	if (status == 404 && text) {
		result = command_fail_at(line, "%s", text);
	} else if (status == 400 && text) {
		result = command_misuse(line, "%s", text);
	} else {
		snprintf(error, sizeof error, "the server answers with HTTP status %u%s%.160s",
			 status, text ? ": " : "", text ? text : "");
		result = fail_unasked(line, error);
	}
	json_decref(explained);
	return result;
}

static int ask_server(const struct command_line *line, const char *socket)
{
	const struct explain_texts texts = texts_of(line);
	struct command_line found = *line;

	found.socket = socket;
	json_t *explained =
		client_ask(&found, (struct client_call){.method = "GET"}, path_of(&texts, true));

	return explained ? print_explained(line, explained) : EXIT_FAILURE;
}

/* Checks the arguments before it looks for a server. The key is not used for look-ups. */
int command_explain(const struct command_line *line)
{
	static const struct hash_key key;
	char error[EXPLAIN_ERROR_MAX], socket[CLIENT_PATH_MAX];
	struct explain_question question;
	const struct explain_texts texts = texts_of(line);

	if (explain_question_read(&question, &texts, &key, error) != 0)
		return command_misuse(line, "%s", error);
	if (line->ask && line->offline)
		return command_misuse(line, "--ask needs the server, and --offline asks none");
	if (line->offline)
		return explain_offline(line, "--offline was given");
	if (!client_socket_find(line, socket))
		return EXIT_FAILURE;
	return line->ask ? ask_server(line, socket) : explain_by(line, socket);
}
