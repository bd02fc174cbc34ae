/* With --json the whole answer is printed, including its warnings. */
#include "resolver/control/command/call.h"

#include <limits.h>

#include "resolver/control/base/json.h"
#include "rules/err.h"

/* Appends the next page's rows to the first's. False: `page` is NULL, or there is no memory. */
static bool join_pages(json_t *first, const json_t *page, const char *key)
{
	return page &&
	       json_array_extend(json_object_get(first, key), json_object_get(page, key)) == 0 &&
	       json_object_set(first, "next", json_object_get(page, "next")) == 0;
}

long command_limit(const struct command_line *line)
{
	long limit = line->limit ? strtol(line->limit, NULL, 10) : LONG_MAX;

	return limit > 0 ? limit : LONG_MAX;
}

json_t *command_ask_list(const struct command_line *line, char *path, const char *key)
{
	const struct client_call get = {.method = "GET"};
	json_t *all = client_ask(line, get, path);
	const char *next;
	long limit = command_limit(line);
	while ((long)json_array_size(json_object_get(all, key)) < limit &&
	       (next = json_string_value(json_object_get(all, "next")))) {
		json_t *page = client_ask(line, get, strdup(next));
		bool fine = join_pages(all, page, key);
		if (page && !fine)
			command_fail_at(line, "%s", err_text(ERR_NOMEM));
		json_decref(page);
		if (!fine) {
			json_decref(all);
			return NULL;
		}
	}
	while ((long)json_array_size(json_object_get(all, key)) > limit)
		json_array_remove(json_object_get(all, key),
				  json_array_size(json_object_get(all, key)) - 1);
	json_object_del(all, "next");
	return all;
}

int command_print_list(const struct command_line *line, json_t *answer, const char *key,
		       struct command_columns columns)
{
	const json_t *rows = json_object_get(answer, key);
	int status = EXIT_SUCCESS;

	if (!answer)
		return EXIT_FAILURE;
	for (size_t i = 0; !line->json && columns.prepare && i < json_array_size(rows); i++)
		columns.prepare(json_array_get(rows, i));
	if (line->json)
		status = command_print_json(answer);
	else
		table_print(stdout, NULL, rows, columns.items, columns.count);
	json_decref(answer);
	return status;
}

int command_show_list(const struct command_line *line, char *path, const char *key,
		      struct command_columns columns)
{
	return command_print_list(line, command_ask_list(line, path, key), key, columns);
}

int command_show_one(const struct command_line *line, const char *method, char *path, json_t *body,
		     const char *if_none_match, struct command_columns columns)
{
	int status = EXIT_SUCCESS;
	json_t *answer =
		client_ask(line,
			   (struct client_call){
				   .method = method, .body = body, .if_none_match = if_none_match},
			   path);
	if (!answer)
		return EXIT_FAILURE;
	if (!line->json && columns.prepare)
		columns.prepare(answer);
	if (line->json)
		status = command_print_json(answer);
	else
		table_print_one(stdout, answer, columns.items, columns.count);
	if (!line->json)
		command_print_warnings(line, answer);
	if (!line->json && line->dry_run)
		printf("this is what it would be" COMMAND_NOT_DONE "\n");
	json_decref(answer);
	return status;
}

int command_delete(const struct command_line *line, char *path, const char *done)
{
	json_t *answer = client_ask(line, (struct client_call){.method = "DELETE"}, path);
	if (!answer)
		return EXIT_FAILURE;
	command_print_warnings(line, answer);
	printf("%s%s\n", done, line->dry_run ? COMMAND_NOT_DONE : "");
	json_decref(answer);
	return EXIT_SUCCESS;
}

/* False: a tag has the wrong form; prints why. */
static bool put_tags(const struct command_line *line, json_t *body)
{
	json_t *tags = json_object();
	for (int i = 0; i < line->tags.count; i++) {
		const char *text = line->tags.items[i], *value = strchr(text, '=');
		char *name = value && value > text ? strndup(text, (size_t)(value - text)) : NULL;
		if (!name) {
			command_misuse(line, "\"%s\" is not a tag; give NAME=VALUE", text);
			json_decref(tags);
			return false;
		}
		json_put(tags, name, json_text(value + 1));
		free(name);
	}
	json_put(body, "tags", tags);
	return true;
}

static bool put_ttl(const struct command_line *line, json_t *body)
{
	char *end;
	long long ttl = strtoll(line->ttl, &end, 10);

	if (end == line->ttl || *end != '\0') {
		command_misuse(line, "\"%s\" is not a number of seconds", line->ttl);
		return false;
	}
	json_put(body, "ttl", json_integer(ttl));
	return true;
}

bool command_put_given(const struct command_line *line, json_t *body)
{
	json_put_text(body, "reverse_fqdn", line->reverse_fqdn);
	json_put_text(body, "description", line->description);
	json_put_text(body, "region", line->region);
	json_put_text(body, "domain_name_label", line->label);
	json_put_text(body, "address", line->address);
	json_put_text(body, "allocation", line->is_static ? "static" : NULL);
	return (line->tags.count == 0 || put_tags(line, body)) &&
	       (!line->ttl || put_ttl(line, body));
}
