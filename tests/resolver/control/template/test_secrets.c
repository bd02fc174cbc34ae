/* What errors show of secure parameters, and of what functions make of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/base.h"
#include "tests/lib/template_fixture.h"

#define SECRET  "swordfish"
#define GIVEN   "{'p': {'value': '" SECRET "'}, 'o': {'value': {'a': ['s3cret-in-it']}}}"
#define DECLARE "'p': {'type': 'securestring'}, 'o': {'type': 'secureObject'}"

static int set_up(void **state)
{
	struct template_fixture *fixture = malloc(sizeof *fixture);

	if (fixture)
		template_fixture_init(fixture);
	*state = fixture;
	return fixture ? 0 : -1;
}

static int tear_down(void **state)
{
	template_fixture_release(*state);
	free(*state);
	return 0;
}

static const char *error_of(struct template_fixture *fixture, const char *source)
{
	assert_false(template_fixture_deploy(fixture, template_json(source), template_json(GIVEN)));
	return fixture->error.text;
}

/* int() says what it was given. */
static const char *shown(struct template_fixture *fixture, const char *expression)
{
	char source[1000];

	snprintf(source, sizeof source,
		 "{'parameters': {" DECLARE "},"
		 " 'functions': [{'namespace': 'my', 'members': {'code': {'parameters':"
		 " [{'name': 'x', 'type': 'string'}], 'output': {'type': 'string', 'value':"
		 " '[base64(parameters(`x`))]'}}}}],"
		 " 'variables': {'v': '[base64(parameters(`p`))]', 'list': ['[parameters(`p`)]',"
		 " 'plain']}, 'resources': [], 'outputs': {'n': {'type': 'int', 'value':"
		 " '[int(%s)]'}}}",
		 expression);
	return error_of(fixture, source);
}

static void what_is_made_of_a_secret_is_not_shown(void **state)
{
	static const char *const rows[] = {
		"parameters(`p`)",
		"toUpper(parameters(`p`))",
		"base64(parameters(`p`))",
		"uriComponent(concat(`#`, parameters(`p`)))",
		"base64(concat(`user:`, parameters(`p`)))",
		"parameters(`o`).a[0]",
		"base64(parameters(`o`).a[0])",
		"base64(string(parameters(`o`)))",
		"base64(string(createObject(`a`, createArray(parameters(`p`)))))",
		"variables(`v`)",
		"replace(variables(`v`), `=`, `-`)",
		"split(replace(parameters(`p`), `f`, `#`), `#`)[0]",
		"json(format(`[\\\"{0}\\\"]`, replace(parameters(`p`), `s`, `z`)))[0]",
		"map(variables(`list`), lambda(`x`, base64(lambdaVariables(`x`))))[0]",
		"base64(join(variables(`list`), `,`))",
		"base64(string(groupBy(variables(`list`), lambda(`x`, `k`))))",
		"base64(string(toObject(variables(`list`), lambda(`x`, lambdaVariables(`x`)), "
		"lambda(`x`, 1))))",
		"my.code(parameters(`p`))",
		"base64ToString(base64(parameters(`p`)))",
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (strcmp(shown(*state, rows[i]),
			   "int() takes a string of an integer, not '***'") != 0)
			fail_msg("%s: %s", rows[i],
				 ((struct template_fixture *)*state)->error.text);
}

static void other_parts_and_short_ones_are_shown(void **state)
{
	static const struct {
		const char *expression, *shown;
	} rows[] = {
		{"variables(`list`)[1]", "plain"},
		{"base64(variables(`list`)[1])", "cGxhaW4="},
		{"first(createArray(`east`, parameters(`p`)))", "east"},
		{"createObject(`a`, `west`, `b`, parameters(`p`)).a", "west"},
		{"if(equals(parameters(`p`), `x`), `basic`, `premium`)", "premium"},
		{"concat(`ab-`, parameters(`p`), `-cd`)", "***"},
		{"substring(parameters(`p`), 0, 3)", "swo"},
		{"concat(`i`, length(parameters(`p`)))", "i9"},
	};
	char text[200];

	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(text, sizeof text, "int() takes a string of an integer, not '%s'",
			 rows[i].shown);
		assert_string_equal(shown(*state, rows[i].expression), text);
	}
}

static void a_module_keeps_a_secret_that_it_is_given_as_a_plain_text(void **state)
{
	assert_string_equal(
		error_of(*state,
			 "{'parameters': {" DECLARE "}, 'resources': [{"
			 "'type': 'Microsoft.Resources/deployments', 'name': 'd', 'properties': {"
			 "'expressionEvaluationOptions': {'scope': 'inner'},"
			 " 'parameters': {'q': {'value': '[parameters(`p`)]'}},"
			 " 'template': {'parameters': {'q': {'type': 'string', 'allowedValues':"
			 " ['a']}}, 'resources': []}}}]}"),
		"The provided value '' for the template parameter 'q' is not valid. The value is "
		"not part of the allowed value(s): '[\"a\"]'");
	assert_string_equal(
		error_of(*state,
			 "{'parameters': {" DECLARE "}, 'resources': [{"
			 "'type': 'Microsoft.Resources/deployments', 'name': 'd', 'properties': {"
			 "'expressionEvaluationOptions': {'scope': 'inner'},"
			 " 'parameters': {'q': {'value': '[parameters(`p`)]'}},"
			 " 'template': {'parameters': {'q': {'type': 'string'}}, 'resources': [],"
			 " 'outputs': {'n': {'type': 'int', 'value':"
			 " '[int(base64(parameters(`q`)))]'}}}}}]}"),
		"int() takes a string of an integer, not '***'");
}

static void a_default_that_is_made_up_is_secret(void **state)
{
	struct template_fixture *fixture = *state;

	assert_false(template_fixture_deploy(
		fixture,
		template_json("{'parameters': {'p': {'type': 'securestring', 'defaultValue':"
			      " '[newGuid()]'}}, 'resources': [], 'outputs': {'n': {'type': 'int',"
			      " 'value': '[int(parameters(`p`))]'}}}"),
		NULL));
	assert_string_equal(fixture->error.text, "int() takes a string of an integer, not '***'");
}

static void the_beginning_of_a_long_secret_is_not_shown(void **state)
{
	struct template_fixture *fixture = *state;
	json_t *source = template_json(
		"{'parameters': {'p': {'type': 'securestring'}}, 'resources': [], 'outputs':"
		" {'n': {'type': 'string', 'value': '[concat(parameters(`p`), `!`)]'}}}");
	char secret[101] = "", text[300], *hidden;

	memset(secret, 'k', 100);
	assert_true(template_fixture_deploy(fixture, source,
					    json_pack("{s:{s:s}}", "p", "value", secret)));
	snprintf(text, sizeof text, "it is '%.90s', or %.31s, or %s!", secret, secret, secret);
	hidden = template_hide_secrets(fixture->template, text);
	assert_string_equal(hidden, "it is '***', or kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk, or ***");
	free(hidden);
}

static void with_too_many_secrets_nothing_is_shown(void **state)
{
	assert_string_equal(
		error_of(*state,
			 "{'parameters': {" DECLARE "}, 'variables': {'all': '[map(range(0, 301),"
			 " lambda(`i`, concat(parameters(`p`), lambdaVariables(`i`))))]'},"
			 " 'resources': [], 'outputs': {'n': {'type': 'int', 'value':"
			 " '[add(length(variables(`all`)), int(`x`))]'}}}"),
		"not shown, because more than 300 values are secret");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_made_of_a_secret_is_not_shown),
		TEST(other_parts_and_short_ones_are_shown),
		TEST(a_module_keeps_a_secret_that_it_is_given_as_a_plain_text),
		TEST(a_default_that_is_made_up_is_secret),
		TEST(the_beginning_of_a_long_secret_is_not_shown),
		TEST(with_too_many_secrets_nothing_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
