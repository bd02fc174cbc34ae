/* Templates that would take for ever, or all memory: each ends with the limit that it exceeds. With
 * TIMES in the environment the time of each is printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "rules/base.h"
#include "tests/lib/template_fixture.h"

static const char steps[] =
	"it takes more than 1000000 steps to evaluate; make the template smaller",
		  bytes[] = "its values take more than 67108864 bytes; make the template smaller",
		  much[] = "steps or bytes",
		  recursion[] =
			  "its expressions and values lead to one another more than 400 deep; "
			  "look for one that leads back to itself",
		  value_depth[] = "a value is nested more than 64 deep; make it flatter",
		  brackets[] = "an expression has brackets more than 64 deep; use variables";

/* Whether the error says so; `much` is either of the two that bound what is made. */
static bool says(const struct template_error *error, const char *limit)
{
	if (limit == much)
		return strcmp(error->text, steps) == 0 || strcmp(error->text, bytes) == 0;
	return strcmp(error->text, limit) == 0;
}

/* `limit`: what the error says; NULL: it is deployed. */
static void check_source(const char *what, json_t *source, const char *limit)
{
	struct template_fixture fixture;
	clock_t began = clock();
	bool fine;

	template_fixture_init(&fixture);
	fine = template_fixture_deploy(&fixture, source, NULL);
	if (getenv("TIMES"))
		fprintf(stderr, "# %4ld ms %s\n", (clock() - began) / (CLOCKS_PER_SEC / 1000),
			what);
	if (limit && (fine || !says(&fixture.error, limit)))
		fprintf(stderr, "# %s says %s\n", what, fine ? "nothing" : fixture.error.text);
	if (!limit && !fine)
		fprintf(stderr, "# %s says %s\n", what, fixture.error.text);
	assert_true(fine == !limit);
	if (limit) {
		assert_true(says(&fixture.error, limit));
		assert_int_equal(fixture.error.trouble, TEMPLATE_LIMIT);
	}
	template_fixture_release(&fixture);
}

static void check_text(const char *text, const char *limit)
{
	check_source(text, template_json(text), limit);
}

static void check_expression(const char *expression, const char *limit)
{
	json_t *source =
		template_json("{'resources': [{'type': 'A.B/c', 'name': 'x', 'properties': {}}]}");
	json_t *properties = json_object_get(
		json_array_get(json_object_get(source, "resources"), 0), "properties");

	json_object_set_new(properties, "value", json_sprintf("[%s]", expression));
	check_source(expression, source, limit);
}

#define X_TIMES(count)       "padLeft('', " #count ", 'x')"
#define DOUBLED(first, body) "reduce(range(0, 40), " first ", lambda('a', 'i', " body "))"
#define A                    "lambdaVariables('a')"

static void texts_do_not_blow_up(void **state)
{
	(void)state;
	check_expression(DOUBLED("'x'", "concat(" A ", " A ")"), much);
	check_expression(DOUBLED("'x'", "format('{0}{0}{0}', " A ")"), much);
	check_expression(DOUBLED("'x'", "replace(" A ", 'x', 'xx')"), much);
	check_expression(DOUBLED("'x'", "join(createArray(" A ", " A "), '')"), much);
	check_expression("reduce(range(0, 100), 'x', lambda('a', 'i', base64(" A ")))", much);
	check_expression("reduce(range(0, 100), '%', lambda('a', 'i', uriComponent(concat(" A ", " A
			 "))))",
			 much);
	check_expression("reduce(range(0, 100), 'x', lambda('a', 'i', string(createArray(" A ", " A
			 "))))",
			 much);
	check_expression("padLeft('x', 9223372036854775807)", much);
	check_expression("padLeft('x', 100000000)", much);
	check_expression("format('{0,1000000}{0,1000000}', replace(" X_TIMES(
				 1000) ", 'x', padLeft('', 30000)))",
			 much);
	check_expression("replace(" X_TIMES(100000) ", 'x', " X_TIMES(100000) ")", much);
	check_expression("map(range(0, 10000), lambda('a', " X_TIMES(100000) "))", much);
	check_expression("map(range(0, 10000), lambda('a', toUpper(" X_TIMES(3000) ")))", much);
	check_expression("length(split(" X_TIMES(2000000) ", 'x'))", much);
	check_expression("lastIndexOf(" X_TIMES(400000) ", " X_TIMES(200000) ")", much);
	check_expression("like(" X_TIMES(400000) ", replace(" X_TIMES(100000) ", 'x', '*x'))",
			 NULL);
	check_expression("like(" X_TIMES(400000) ", concat('*', " X_TIMES(200000) ", 'y*'))", NULL);
	check_expression("parseUri(concat('http://h/', replace(" X_TIMES(
				 1000000) ", 'x', '[[[[[[[[[[[[[[[[[[[[[[[[')))",
			 much);
}

static void values_that_share_their_parts_are_not_written_out(void **state)
{
	(void)state;
	check_expression(DOUBLED("createArray(1)", "createArray(" A ", " A ")"), much);
	check_expression("string(" DOUBLED("createArray(1)", "createArray(" A ", " A ")") ")",
			 much);
	check_expression("equals(" DOUBLED("1", "createArray(" A ", " A ")") ", " DOUBLED(
				 "1", "createArray(" A ", " A ")") ")",
			 much);
	check_expression("length(union(" DOUBLED("createArray(1)",
						 "createArray(" A ", " A ")") ", createArray(1)))",
			 much);
	check_expression(DOUBLED("createObject('a', 1)", "createObject('l', " A ", 'r', " A ")"),
			 much);
	check_expression(
		DOUBLED("createObject()", "union(" A ", createObject(string(" A "), " A "))"),
		much);
	check_expression("length(" DOUBLED("createArray(1)", "concat(" A ", " A ")") ")", much);
	check_expression(
		"length(" DOUBLED("createArray(1)", "flatten(createArray(" A ", " A "))") ")",
		much);
}

static void deep_values_are_refused(void **state)
{
	static const char nested[] =
		"reduce(range(0, 10000), 1, lambda('a', 'i', createArray(" A ")))";
	char text[1000];

	(void)state;
	check_expression(nested, value_depth);
	snprintf(text, sizeof text, "string(%s)", nested);
	check_expression(text, value_depth);
	snprintf(text, sizeof text, "equals(%s, %s)", nested, nested);
	check_expression(text, value_depth);
	snprintf(text, sizeof text, "contains(createArray(%s), %s)", nested, nested);
	check_expression(text, value_depth);
	check_expression("json(concat(replace(padLeft('', 2000), ' ', '['), "
			 "replace(padLeft('', 2000), ' ', ']')))",
			 value_depth);
	check_expression("union(reduce(range(0, 100), 1, lambda('a', 'i', createObject('k', " A
			 "))), reduce(range(0, 100), 1, lambda('a', 'i', createObject('k', " A
			 "))))",
			 value_depth);
	check_expression("length("
			 "reduce(range(0, 10000), createArray(1), lambda('a', 'i', "
			 "createArray(" A ")))"
			 ")",
			 NULL);
}

static void defaults_take_steps(void **state)
{
#define DEFAULT(type, value)                                                                       \
	"{'parameters': {'p': {'type': '" type "', 'defaultValue': {'a': '[" value "]'}}},"        \
	"'resources': []}"
#define DEEP "reduce(range(0, 10000), 1, lambda(`a`, `i`, createArray(lambdaVariables(`a`))))"
#define WIDE                                                                                       \
	"reduce(range(0, 40), 1, lambda(`a`, `i`, createArray(lambdaVariables(`a`), "              \
	"lambdaVariables(`a`))))"
	(void)state;
	check_text(DEFAULT("secureObject", DEEP), value_depth);
	check_text(DEFAULT("secureObject", WIDE), steps);
	check_text(DEFAULT("object", DEEP), value_depth);
	check_text(DEFAULT("object", WIDE), steps);
}

static void lambdas_in_one_another_take_steps(void **state)
{
	(void)state;
	check_expression("map(range(0, 10000), lambda('a', map(range(0, 10000), lambda('b', 1))))",
			 steps);
	check_expression("filter(range(0, 10000), lambda('a', empty(filter(range(0, 10000), "
			 "lambda('b', true())))))",
			 steps);
	check_expression("reduce(range(0, 10000), 0, lambda('a', 'i', reduce(range(0, 10000), 0, "
			 "lambda('b', 'j', add(1, 1)))))",
			 steps);
	check_expression("length(sort(range(0, 10000), lambda('a', 'b', less(lambdaVariables('b'), "
			 "lambdaVariables('a')))))",
			 NULL);
	check_expression("length(map(range(0, 100), lambda('a', sort(range(0, 10000), lambda('b', "
			 "'c', true())))))",
			 steps);
	check_expression("max(map(range(0, 10000), lambda('a', indexOf(range(0, 10000), 9999))))",
			 steps);
	check_expression("length(intersection(range(0, 10000), range(5000, 10000)))", NULL);
	check_expression("length(union(range(0, 10000), range(5000, 10000), range(0, 10000)))",
			 NULL);
	check_expression("range(0, 10001)", "range() gives 0 to 10000 integers, not 10001");
}

/* "before" as often as `count` says, the middle, and "behind" as often. */
static char *repeated(const char *before, const char *middle, const char *behind, size_t count)
{
	size_t length = strlen(before) * count + strlen(middle) + strlen(behind) * count;
	char *text = malloc(length + 1), *at = text;

	assert_non_null(text);
	for (size_t i = 0; i < count; i++)
		at += snprintf(at, length + 1 - (size_t)(at - text), "%s", before);
	at += snprintf(at, length + 1 - (size_t)(at - text), "%s", middle);
	for (size_t i = 0; i < count; i++)
		at += snprintf(at, length + 1 - (size_t)(at - text), "%s", behind);
	return text;
}

static void check_repeated(const char *before, const char *middle, const char *behind, size_t count,
			   const char *limit)
{
	char *text = repeated(before, middle, behind, count);

	check_expression(text, limit);
	free(text);
}

static void brackets_are_not_deep(void **state)
{
	(void)state;
	check_repeated("createArray(", "1", ")", 60, NULL);
	check_repeated("createArray(", "1", ")", 64, brackets);
	check_repeated("not(", "true()", ")", 100000, brackets);
	check_repeated("createArray(1)[", "0", "]", 100000, brackets);
	check_repeated("if(true(),", "1", ",2)", 50000, brackets);
	check_repeated("", "null()", ".?a", 50000, NULL);
}

static void what_leads_to_itself_is_not_followed(void **state)
{
	(void)state;
	check_text("{'functions': [{'namespace': 'f', 'members': {"
		   "'a': {'parameters': [], 'output': {'value': '[f.b()]'}},"
		   "'b': {'parameters': [], 'output': {'value': '[f.a()]'}}}}],"
		   "'resources': [{'type': 'A.B/c', 'name': '[f.a()]'}]}",
		   recursion);
	check_text("{'functions': [{'namespace': 'f', 'members': {"
		   "'a': {'parameters': [{'name': 'n', 'type': 'int'}], 'output': {'value':"
		   " '[if(equals(parameters(`n`), 0), 1, add(f.a(sub(parameters(`n`), 1)),"
		   " f.a(sub(parameters(`n`), 1))))]'}}}}],"
		   "'resources': [{'type': 'A.B/c', 'name': '[string(f.a(40))]'}]}",
		   steps);
	check_text("{'functions': [{'namespace': 'f', 'members': {"
		   "'a': {'parameters': [{'name': 's', 'type': 'string'}], 'output': {'value':"
		   " '[f.a(concat(parameters(`s`), parameters(`s`)))]'}}}}],"
		   "'resources': [{'type': 'A.B/c', 'name': '[f.a(`xxxxxxxxxxxxxxxx`)]'}]}",
		   much);
}

/* Variables v0 to v39, each twice the one ahead. */
static void variables_that_double_take_bytes(void **state)
{
	json_t *source = template_json("{'variables': {'v0': 'xxxxxxxx'}, 'resources': [{'type':"
				       " 'A.B/c', 'name': '[variables(`v39`)]'}]}"),
	       *lists = template_json("{'variables': {'v0': [1]}, 'resources': [{'type':"
				      " 'A.B/c', 'name': 'x', 'tags': '[variables(`v39`)]'}]}");
	char name[8];

	(void)state;
	for (unsigned i = 1; i < 40; i++) {
		snprintf(name, sizeof name, "v%u", i);
		json_object_set_new(
			json_object_get(source, "variables"), name,
			json_sprintf("[concat(variables('v%u'), variables('v%u'))]", i - 1, i - 1));
		json_object_set_new(json_object_get(lists, "variables"), name,
				    json_pack("[o, o]", json_sprintf("[variables('v%u')]", i - 1),
					      json_sprintf("[variables('v%u')]", i - 1)));
	}
	check_source("strings that double", source, much);
	check_source("arrays that double", lists, steps);
}

static void copies_have_limits(void **state)
{
	(void)state;
	check_text("{'resources': [{'type': 'A.B/c', 'name': 'x', 'properties': {'copy': [{"
		   "'name': 'a', 'count': 10001, 'input': 1}]}}]}",
		   "a copy is made 10001 times; 10000 are the most");
	check_text("{'resources': [{'type': 'A.B/c', 'name': '[string(copyIndex())]', 'copy': {"
		   "'name': 'a', 'count': 10001}}]}",
		   "a copy is made 10001 times; 10000 are the most");
	check_text("{'resources': [{'type': 'A.B/c', 'name': 'x', 'properties': {'copy': [{"
		   "'name': 'a', 'count': 10000, 'input': {'copy': [{'name': 'b', 'count': 10000,"
		   "'input': {'copy': [{'name': 'c', 'count': 10000, 'input': 1}]}}]}}]}}]}",
		   steps);
	check_text("{'variables': {'copy': [{'name': 'a', 'count': 10000, 'input': {'copy': [{"
		   "'name': 'b', 'count': 10000, 'input': 'x'}]}}]},"
		   "'resources': [{'type': 'A.B/c', 'name': 'x', 'tags': '[variables(`a`)]'}]}",
		   steps);
	check_text("{'resources': [], 'outputs': {'o': {'type': 'array', 'copy': {'count': 10000,"
		   " 'input': '[range(0, 10000)]'}}}}",
		   steps);
	check_text(
		"{'resources': [{'type': 'A.B/c', 'name': 'x', 'properties': {'copy': [{"
		"'name': 'a', 'count': 10000, 'input': '[concat(`name-`, copyIndex(`a`))]'}]}}]}",
		NULL);
}

static void resources_have_a_limit(void **state)
{
#define COPIED(count)                                                                              \
	"{'resources': [{'type': 'A.B/c', 'name': '[concat(`n`, copyIndex())]', 'copy': {'name':"  \
	" 'a', 'count': " count "}, 'properties': {'i': '[copyIndex()]'}},"                        \
	"{'type': 'A.B/c', 'name': 'last', 'dependsOn': ['a']}]}"
	static const char most[] = "it has more than 800 resources; make several templates of it";

	(void)state;
	check_text(COPIED("799"), NULL);
	check_text(COPIED("800"), most);
	check_text("{'resources': [{'type': 'Microsoft.Resources/deployments', 'name':"
		   " '[concat(`d`, copyIndex())]', 'copy': {'name': 'a', 'count': 100},"
		   " 'properties': {'template': {'resources': [{'type': 'A.B/c', 'name':"
		   " '[concat(`n`, copyIndex())]', 'copy': {'name': 'b', 'count': 8}}]}}}]}",
		   most);
	check_text("{'resources': [{'type': 'A.B/c', 'name': '[concat(`n`, copyIndex())]', 'copy':"
		   " {'name': 'a', 'count': 10000}, 'condition': false}]}",
		   NULL);
	check_text("{'resources': [{'type': 'A.B/c', 'name': '[concat(`n`, copyIndex())]', 'copy':"
		   " {'name': 'a', 'count': 800}, 'properties': {"
		   "'x': '[if(equals(copyIndex(), 0), 0, add(1, reference(concat(`n`,"
		   " sub(copyIndex(), 1))).x))]'}}]}",
		   NULL);
}

static void ids_have_a_limit(void **state)
{
#define TEN           "xxxxxxxxxx"
#define NAMED(length) "{'resources': [{'type': 'A.B/c', 'name': '[padLeft(``, " length ", `x`)]'}]}"
	static const char longest[] =
		"The template resource '" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
		"' of type 'A.B/c' has an id of more than 4000 bytes: give it a shorter name";

	(void)state;
	check_text(NAMED("3000"), NULL);
	check_text(NAMED("4000"), longest);
}

/* All wait for all that are ahead of them. */
static void many_dependencies_take_steps(void **state)
{
	json_t *source = template_json("{'resources': []}"),
	       *resources = json_object_get(source, "resources");

	(void)state;
	for (unsigned i = 0; i < 800; i++) {
		json_t *names = json_array();

		for (unsigned j = 0; j < i; j++)
			json_array_append_new(names, json_sprintf("n%u", j));
		json_array_append_new(resources,
				      json_pack("{s:s, s:o, s:o}", "type", "A.B/c", "name",
						json_sprintf("n%u", i), "dependsOn", names));
	}
	check_source("800 resources that wait for all others", source, steps);
}

static void templates_are_not_deep(void **state)
{
	static const char before[] = "{'resources': [{'type': 'Microsoft.Resources/deployments',"
				     "'name': 'd', 'properties': {'template': ",
			  behind[] = "}}]}";
	char *text = repeated(before, "{'resources': []}", behind, 64);

	(void)state;
	check_source("64 templates in one another", template_json(text), NULL);
	free(text);
	text = repeated(before, "{'resources': []}", behind, 65);
	check_source("65 templates in one another", template_json(text),
		     "templates are nested more than 64 deep; make it flatter");
	free(text);
	text = repeated("[", "1", "]", 1000);
	check_source("a deep value",
		     json_pack("{s:[{s:s, s:s, s:o}]}", "resources", "type", "A.B/c", "name", "x",
			       "properties", template_json(text)),
		     recursion);
	free(text);
}

static void wide_templates_take_steps(void **state)
{
	json_t *source = template_json("{'resources': [{'type': 'A.B/c', 'name': 'x'}]}"),
	       *properties = json_object();
	char name[32];

	(void)state;
	for (unsigned i = 0; i < 1000000; i++) {
		snprintf(name, sizeof name, "m%u", i);
		json_object_set_new(properties, name, json_integer(1));
	}
	json_object_set_new(json_array_get(json_object_get(source, "resources"), 0), "properties",
			    properties);
	check_source("a million members", source, much);
}

/* Finding "Copy" among many members takes steps for each resource, and there are no copies of it.
 * So the limit is exceeded right behind the members of an earlier copy, at the next resource. */
static void a_limit_is_reported_at_its_resource(void **state)
{
	struct template_fixture fixture;
	json_t *wide = template_json("{'type': 'A.B/c', 'name': 'x', 'Copy': {'name': 'c',"
				     "'count': 0}}"),
	       *resources = json_array();
	unsigned number;
	int length = 0;
	char name[32];

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		snprintf(name, sizeof name, "m%u", i);
		json_object_set_new(wide, name, json_null());
	}
	for (unsigned i = 0; i < 50; i++)
		json_array_append(resources, wide);
	json_decref(wide);
	template_fixture_init(&fixture);
	assert_false(template_fixture_deploy(&fixture, json_pack("{s:o}", "resources", resources),
					     NULL));
	assert_true(says(&fixture.error, steps));
	assert_int_equal(sscanf(fixture.error.place, "resources[%u]%n", &number, &length), 1);
	assert_int_equal(length, strlen(fixture.error.place));
	assert_in_range(number, 1, 49);
	template_fixture_release(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_do_not_blow_up),
		cmocka_unit_test(values_that_share_their_parts_are_not_written_out),
		cmocka_unit_test(deep_values_are_refused),
		cmocka_unit_test(defaults_take_steps),
		cmocka_unit_test(lambdas_in_one_another_take_steps),
		cmocka_unit_test(brackets_are_not_deep),
		cmocka_unit_test(what_leads_to_itself_is_not_followed),
		cmocka_unit_test(variables_that_double_take_bytes),
		cmocka_unit_test(copies_have_limits),
		cmocka_unit_test(resources_have_a_limit),
		cmocka_unit_test(ids_have_a_limit),
		cmocka_unit_test(many_dependencies_take_steps),
		cmocka_unit_test(templates_are_not_deep),
		cmocka_unit_test(wide_templates_take_steps),
		cmocka_unit_test(a_limit_is_reported_at_its_resource),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
