/* `sluice names`: the names that the running server is asked for most, with their decisions.
 * `sluice plan FILE`: those of them that another configuration would decide differently.
 *
 *     GET /v1/names ─► questions, decided by the current policy ─┐
 *     FILE ─► model ─► policy ───────────────────────────────────┴─► plan_changes ─► printed */
#include "resolver/control/observe/plan.h"
#include "resolver/control/base/json.h"
#include "resolver/control/base/table.h"
#include "resolver/control/command/client.h"
#include "resolver/control/command/command.h"
#include "resolver/control/service/load.h"
#include "rules/base.h"
#include "rules/text.h"

enum { NAMES_MS = 60 * 1000 };

/* {"names": [...]}; NULL: the error has been printed. */
static json_t *fetch(const struct command_line *line)
{
	return client_ask(line, (struct client_call){.method = "GET", .timeout_ms = NAMES_MS},
			  client_path("/v1/names?limit=%", line->limit ? line->limit : "1000"));
}

/* ---- names ---- */

int command_names(const struct command_line *line)
{
	static const struct table_column columns[] = {
		{"COUNT", "count"},     {"NAME", "name"}, {"TYPE", "type"},
		{"NETWORK", "network"}, {"ROLE", "role"}, {"DECIDED BY", "decided"}};
	json_t *answer = fetch(line), *question;
	char text[PLAN_TEXT_MAX];
	int status = EXIT_SUCCESS;
	size_t i;

	if (!answer)
		return EXIT_FAILURE;
	if (line->json) {
		status = command_print_json(answer);
	} else {
		json_array_foreach(json_object_get(answer, "names"), i, question)
			json_put(question, "decided",
				 json_text(plan_text(json_object_get(question, "decided"), text)));
		table_print(stdout, NULL, json_object_get(answer, "names"), columns,
			    COUNT(columns));
	}
	json_decref(answer);
	return status;
}

/* ---- plan ---- */

static long long sum(const json_t *questions)
{
	long long all = 0;
	json_t *question;
	size_t i;

	json_array_foreach((json_t *)questions, i, question) all +=
		json_integer_value(json_object_get(question, "count"));
	return all;
}

static void print_text(const json_t *object, const char *key)
{
	text_print(stdout, json_text_of(object, key));
}

static void print_decision(const char *mark, const json_t *decision)
{
	char text[PLAN_TEXT_MAX];

	printf("    %s ", mark);
	text_print(stdout, plan_text(decision, text));
	putchar('\n');
}

static void print_change(const json_t *change)
{
	const char *role = json_string_value(json_object_get(change, "role"));
	long long count = json_integer_value(json_object_get(change, "count"));

	print_text(change, "name");
	putchar(' ');
	print_text(change, "type");
	printf(" in ");
	print_text(change, "network");
	printf("%s, asked for %lld time%s\n",
	       role && strcmp(role, "vnet_resolver") == 0 ? " (VNet resolver)" : "", count,
	       text_plural(count, "", "s"));
	print_decision("-", json_object_get(change, "before"));
	print_decision("+", json_object_get(change, "after"));
}

/* Takes over the changes. */
static int print_json(const json_t *questions, json_t *changes)
{
	json_t *told = NULL;
	int status;

	if (changes)
		told = json_make("{s:I, s:o}", "names", (json_int_t)json_array_size(questions),
				 "changes", changes);
	status = command_print_json(told);
	json_decref(told);
	return status;
}

/* Takes over the changes. */
static int print_changes(const struct command_line *line, const json_t *questions, json_t *changes)
{
	json_t *change;
	size_t i;

	if (line->json || !changes)
		return print_json(questions, changes);
	json_array_foreach(changes, i, change) print_change(change);
	size_t names = json_array_size(questions);
	printf("%zu of %zu name%s would be decided otherwise, %lld of %lld time%s that %s asked "
	       "for\n",
	       json_array_size(changes), names, text_plural(names, "", "s"), sum(changes),
	       sum(questions), text_plural(sum(questions), "", "s"),
	       text_plural(names, "it was", "they were"));
	json_decref(changes);
	return EXIT_SUCCESS;
}

int command_plan(const struct command_line *line)
{
	json_t *answer, *questions;
	struct policy *policy = NULL;
	struct model *model;
	struct load load;
	int status = EXIT_FAILURE;

	load_init(&load, line->arguments[0], line->resolv_conf);
	model = command_load(line, &load);
	if (model && !(policy = policy_compile(model, &load.key, NULL)))
		command_fail_at(line, "%s", err_text(ERR_NOMEM));
	answer = policy ? fetch(line) : NULL;
	if (answer) {
		questions = json_object_get(answer, "names");
		status = print_changes(line, questions, plan_changes(questions, policy));
	}
	json_decref(answer);
	policy_free(policy);
	model_free(model);
	return status;
}
