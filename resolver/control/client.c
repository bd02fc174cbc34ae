/* The socket's path is read with libconfig alone: a file that is full of faults must not keep an
 * operator from asking the server that runs. */
#include "resolver/control/client.h"

#include <libconfig.h>

#include "resolver/control/control_socket.h"
#include "rules/schema.h"

static const char *default_path(void)
{
	const struct field *management = schema_field(&schema_model, "management");
	const struct field *socket = management ? schema_field(management->group, "socket") : NULL;
	return socket && socket->fallback ? socket->fallback : "";
}

/* management.socket as the file has it; false when it does not say. */
static bool read_path(const char *file, char path[CLIENT_PATH_MAX])
{
	const char *slash = strrchr(file, '/');
	int directory = slash ? (int)(slash - file) + 1 : 0;
	const char *found;
	config_t config;
	config_init(&config);
	char *include = strndup(file, (size_t)directory);
	if (include && directory > 0)
		config_set_include_dir(&config, include);
	free(include);
	bool given = config_read_file(&config, file) &&
		     config_lookup_string(&config, "management.socket", &found);
	if (given)
		snprintf(path, CLIENT_PATH_MAX, "%.*s%s", *found == '/' ? 0 : directory, file,
			 found);
	config_destroy(&config);
	return given;
}

char *client_socket_path(const struct command_line *line, char path[CLIENT_PATH_MAX])
{
	if (line->socket)
		snprintf(path, CLIENT_PATH_MAX, "%s", line->socket);
	else if (!read_path(line->config, path))
		snprintf(path, CLIENT_PATH_MAX, "%s", default_path());
	return path;
}

json_t *client_ask(const struct command_line *line, json_t *request, int timeout_ms)
{
	char path[CLIENT_PATH_MAX], error[CONTROL_ERROR_MAX];
	json_t *answer = control_call(client_socket_path(line, path), request, timeout_ms, error);
	json_decref(request);
	if (!answer) {
		command_fail("%s", error);
		return NULL;
	}
	const char *text = json_string_value(json_object_get(answer, "error"));
	if (!text)
		return answer;
	command_fail("%s", text);
	json_decref(answer);
	return NULL;
}
