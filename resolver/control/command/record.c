/* `sluice record set ZONE NAME TYPE RDATA...` and the like: record sets by owner and type, which
 * are the zone's resources "NAME:TYPE". */
#include <string.h>

#include "resolver/control/base/json.h"
#include "resolver/control/command/call.h"
#include "rules/zone/record.h"

static const struct table_column columns[] = {
	{"NAME", "name"},    {"TYPE", "type"},         {"TTL", "ttl"},
	{"DATA", "records"}, {"METADATA", "metadata"}, {"ORIGIN", "origin"},
};

/* Splits "www:A" into two columns. */
static void prepare(json_t *row)
{
	const char *name = json_string_value(json_object_get(row, "name"));
	const char *colon = name ? strrchr(name, ':') : NULL;
	char *owner = colon ? strndup(name, (size_t)(colon - name)) : NULL;

	if (!owner)
		return;
	json_put(row, "type", json_text(colon + 1));
	json_put(row, "name", json_text(owner)); /* frees the old name */
	free(owner);
}

/* The path of the set that the first three arguments name, to be freed. TYPE16 becomes TXT; an
 * unknown type is left for the server to refuse. */
static char *path_of(const struct command_line *line)
{
	const struct client_top zone = client_top(line->arguments[0]);
	const char *type = line->arguments[2];
	char *name = NULL, *path = NULL, printed[16];
	uint16_t number;

	if (record_type_parse(&number, type) == 0)
		type = record_type_print(number, printed, sizeof printed);
	if (asprintf(&name, "%s:%s", line->arguments[1], type) >= 0)
		path = client_path(line->dry_run ? "/v1/private_zones/%/%/record_sets/%?dry_run"
						 : "/v1/private_zones/%/%/record_sets/%",
				   zone.group, zone.name, name);
	else
		name = NULL;
	free(name);
	return path;
}

/* Returns 0, or an exit status; the error has been printed. */
static int check_zone(const struct command_line *line)
{
	const char *text = line->arguments[0];

	return *client_top(text).name == '\0' ? command_no_name(line, "zone", text) : 0;
}

int command_record_list(const struct command_line *line)
{
	const struct client_top zone = client_top(line->arguments[0]);
	int status = check_zone(line);

	if (status != 0)
		return status;
	return command_show_list(
		line,
		client_path("/v1/private_zones/%/%/record_sets?limit=1000", zone.group, zone.name),
		"record_sets",
		(struct command_columns){columns, sizeof columns / sizeof *columns, prepare});
}

int command_record_show(const struct command_line *line)
{
	int status = check_zone(line);

	if (status != 0)
		return status;
	return command_show_one(
		line, "GET", path_of(line), NULL, NULL,
		(struct command_columns){columns, sizeof columns / sizeof *columns, prepare});
}

/* Whether the set exists; *failed: not known, and the error has been printed. */
static bool is_there(const struct command_line *line, bool *failed)
{
	char socket[CLIENT_PATH_MAX], error[CLIENT_ERROR_MAX];
	struct command_line plain = *line;
	unsigned status = 0;
	json_t *answer = NULL;
	char *path;

	plain.dry_run = false;
	path = path_of(&plain);
	*failed = !client_socket_path(line, socket);
	if (!*failed && path)
		answer = client_call(socket, (struct client_call){.method = "GET", .path = path},
				     &status, error);
	if (!*failed && status != 200 && status != 404) {
		command_fail_at(line, "%s",
				client_error_text(answer) ? client_error_text(answer)
				: answer ? "the server's answer says nothing of the set"
				: path   ? error
					 : err_text(ERR_NOMEM));
		*failed = true;
	}
	json_decref(answer);
	free(path);
	return status == 200;
}

static bool is_text(const char *type)
{
	uint16_t number;

	return record_type_parse(&number, type) == 0 && (number == TYPE_TXT || number == TYPE_SPF);
}

/* Quotes one string for a master file, to be freed. Escapes in the text stay; quotes and a final
 * backslash are escaped. NULL: out of memory. */
static char *quote(const char *text)
{
	char *quoted = malloc(2 * strlen(text) + 3), *at = quoted;

	if (!quoted)
		return NULL;
	*at++ = '"';
	for (; *text != '\0'; text++) {
		bool is_escape = *text == '\\' && text[1] != '\0';

		if (is_escape)
			*at++ = *text++;
		else if (*text == '"' || *text == '\\')
			*at++ = '\\';
		*at++ = *text;
	}
	*at++ = '"';
	*at = '\0';
	return quoted;
}

/* The shell has removed the quotes of 'v=spf1 -all', which is one string of a TXT record: quotes it
 * again, unless it begins with a quote or with \#. Data of other types stays as it is. */
static json_t *data_of(const char *type, const char *data)
{
	bool is_written_out = *data == '"' || strncmp(data, "\\#", 2) == 0;
	char *quoted = NULL;
	json_t *text;

	if (!is_text(type) || is_written_out)
		return json_text(data);
	quoted = quote(data);
	text = quoted ? json_text(quoted) : NULL;
	free(quoted);
	return text;
}

/* The body for the command line; NULL: a fault; prints why. */
static json_t *read_body(const struct command_line *line)
{
	json_t *body, *records;

	body = json_object();
	records = json_array();
	for (int i = 3; i < line->argument_count; i++)
		json_add(records, data_of(line->arguments[2], line->arguments[i]));
	json_put(body, "records", records);
	if (command_put_given(line, body))
		return body;
	json_decref(body);
	return NULL;
}

int command_record_create(const struct command_line *line)
{
	int status = check_zone(line);
	json_t *body = status == 0 ? read_body(line) : NULL;

	if (!body)
		return status != 0 ? status : COMMAND_USAGE;
	return command_show_one(
		line, "PUT", path_of(line), body, "*",
		(struct command_columns){columns, sizeof columns / sizeof *columns, prepare});
}

/* Members that are not given stay as they are. */
int command_record_set(const struct command_line *line)
{
	int status = check_zone(line);
	json_t *body = status == 0 ? read_body(line) : NULL;
	bool failed, found;

	if (!body)
		return status != 0 ? status : COMMAND_USAGE;
	found = is_there(line, &failed);
	if (failed) {
		json_decref(body);
		return EXIT_FAILURE;
	}
	return command_show_one(
		line, found ? "PATCH" : "PUT", path_of(line), body, found ? NULL : "*",
		(struct command_columns){columns, sizeof columns / sizeof *columns, prepare});
}

int command_record_delete(const struct command_line *line)
{
	int status = check_zone(line);

	if (status != 0)
		return status;
	return command_delete(line, path_of(line),
			      line->dry_run ? "the record set can be removed"
					    : "the record set is removed");
}
