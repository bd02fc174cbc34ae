/* Templates as people write them and Bicep compiles them: what comes out, and in which order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/base.h"
#include "tests/lib/template_fixture.h"

#define NETWORK "Microsoft.Network/virtualNetworks"
#define ZONE    "Microsoft.Network/privateDnsZones"
#define ID      TEMPLATE_RG "/providers/"

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

/* The text is as template_json has it. */
static void deploy(struct template_fixture *fixture, const char *source, const char *given)
{
	bool fine = template_fixture_deploy(fixture, template_json(source),
					    given ? template_json(given) : NULL);

	if (!fine)
		fprintf(stderr, "# at %s: %s\n", fixture->error.place, fixture->error.text);
	assert_true(fine);
}

static void assert_rounds(struct template_fixture *fixture, const char *source,
			  const char *expected)
{
	deploy(fixture, source, NULL);
	assert_string_equal(fixture->rounds, expected);
}

static void assert_json(const json_t *value, const char *expected)
{
	char *text = template_json_text(value);

	assert_string_equal(text ? text : "nothing", expected);
	free(text);
}

static void assert_body(struct template_fixture *fixture, const char *id, const char *expected)
{
	assert_json(json_object_get(fixture->bodies, id), expected);
}

static void assert_fails(struct template_fixture *fixture, const char *source, const char *given,
			 const char *place, const char *text)
{
	bool fine = template_fixture_deploy(fixture, template_json(source),
					    given ? template_json(given) : NULL);

	assert_false(fine);
	assert_string_equal(fixture->error.text, text);
	assert_string_equal(fixture->error.place, place);
	assert_int_equal(fixture->error.trouble, TEMPLATE_INVALID);
}

/* ---- a template ---- */

static void a_quickstart_is_deployed_in_the_order_of_its_dependencies(void **state)
{
	struct template_fixture *fixture = *state;

	deploy(fixture,
	       "{'$schema': 'x', 'contentVersion': '1.0.0.0', 'parameters': {"
	       "'name': {'type': 'string', 'defaultValue': 'hub'},"
	       "'location': {'type': 'string', 'defaultValue': '[resourceGroup().location]'},"
	       "'space': {'type': 'string'}},"
	       "'variables': {'resolver': '[concat(parameters(`name`), `-resolver`)]'},"
	       "'resources': ["
	       "{'type': 'Microsoft.Network/dnsResolvers/inboundEndpoints', 'apiVersion': "
	       "'2022-07-01',"
	       " 'name': '[format(`{0}/{1}`, variables(`resolver`), `in`)]',"
	       " 'dependsOn': ['[resourceId(`Microsoft.Network/dnsResolvers`, "
	       "variables(`resolver`))]']},"
	       "{'type': 'Microsoft.Network/dnsResolvers', 'apiVersion': '2022-07-01',"
	       " 'name': '[variables(`resolver`)]', 'location': '[parameters(`location`)]',"
	       " 'properties': {'virtualNetwork': {'id': '[resourceId(`" NETWORK
	       "`, parameters(`name`))]'}},"
	       " 'dependsOn': ['[resourceId(`" NETWORK "`, parameters(`name`))]']},"
	       "{'type': '" NETWORK "', 'apiVersion': '2023-01-01', 'name': '[parameters(`name`)]',"
	       " 'location': '[parameters(`location`)]', 'tags': {'[[a]': 'b'},"
	       " 'properties': {'addressSpace': {'addressPrefixes': ['[parameters(`space`)]']}}}],"
	       "'outputs': {'id': {'type': 'string', 'value': '[resourceId(`" NETWORK
	       "`, parameters(`name`))]'}}}",
	       "{'space': {'value': '10.0.0.0/16'}}");
	assert_string_equal(fixture->rounds, "hub; hub-resolver; hub-resolver/in");
	assert_body(fixture, ID NETWORK "/hub",
		    "{'location':'westeurope','tags':{'[a]':'b'},'properties':"
		    "{'addressSpace':{'addressPrefixes':['10.0.0.0/16']}}}");
	assert_body(fixture, ID "Microsoft.Network/dnsResolvers/hub-resolver",
		    "{'location':'westeurope','properties':{'virtualNetwork':{'id':'" ID NETWORK
		    "/hub'}}}");
	assert_int_equal(fixture->deployment_count, 1);
	assert_string_equal(fixture->deployments->name, "main");
	assert_string_equal(fixture->deployments->group, "rg");
	assert_json(fixture->deployments->parameters,
		    "{'name':{'type':'String','value':'hub'},'location':{'type':'String','value':"
		    "'westeurope'},'space':{'type':'String','value':'10.0.0.0/16'}}");
	assert_json(fixture->deployments->outputs,
		    "{'id':{'type':'String','value':'" ID NETWORK "/hub'}}");
}

static void a_template_of_nothing_is_deployed(void **state)
{
	struct template_fixture *fixture = *state;

	deploy(fixture, "{'resources': []}", NULL);
	assert_string_equal(fixture->rounds, "");
	assert_json(fixture->deployments->outputs, "{}");
}

static void dependencies_are_ids_names_types_and_copies(void **state)
{
	struct template_fixture *fixture = *state;

	assert_rounds(fixture,
		      "{'resources': ["
		      "{'type': 'A.B/c', 'name': 'last', 'dependsOn': ['loop']},"
		      "{'type': 'A.B/c', 'name': '[format(`n{0}`, copyIndex())]',"
		      " 'copy': {'name': 'loop', 'count': 2, 'mode': 'serial', 'batchSize': 1},"
		      " 'dependsOn': ['A.B/d/e/x/y']},"
		      "{'type': 'A.B/d/e', 'name': 'x/y', 'dependsOn': ['A.B/d/x']},"
		      "{'type': 'A.B/d', 'name': 'x', 'dependsOn': ['first']},"
		      "{'type': 'A.B/f', 'name': 'first'}]}",
		      "first; x; x/y; n0 n1; last");
	assert_rounds(fixture,
		      "{'resources': ["
		      "{'type': 'A.B/c', 'name': 'two', 'dependsOn': ["
		      "'[resourceId(`A.B/c`, `ONE`)]', '[concat(`A.B/c/d`, `/`, `one/x`)]']},"
		      "{'type': 'A.B/c/d', 'name': 'one/x'},"
		      "{'type': 'A.B/c', 'name': 'One'}]}",
		      "one/x One; two");
}

static void a_name_that_two_types_have_is_the_others(void **state)
{
	assert_rounds(*state,
		      "{'resources': [{'type': 'A.B/c', 'name': 'hub'},"
		      "{'type': 'A.B/d', 'name': 'hub', 'dependsOn': ['hub']}]}",
		      "hub; hub");
}

static void a_resource_whose_condition_is_false_is_not_made_nor_waited_for(void **state)
{
	assert_rounds(
		*state,
		"{'parameters': {'on': {'type': 'bool', 'defaultValue': false}}, 'resources': ["
		"{'type': 'A.B/c', 'name': 'off', 'condition': '[parameters(`on`)]',"
		" 'properties': {'x': '[fail(`not looked at`)]'},"
		" 'resources': [{'type': 'd', 'name': 'child'}]},"
		"{'type': 'A.B/c', 'name': 'on', 'condition': true, 'dependsOn': ['off']},"
		"{'type': 'A.B/c', 'name': 'on', 'condition': false}]}",
		"off/child on");
}

static void a_condition_may_be_a_text(void **state)
{
	assert_rounds(*state,
		      "{'resources': [{'type': 'A.B/c', 'name': 'on', 'condition': 'True'},"
		      "{'type': 'A.B/c', 'name': 'off', 'condition': '[toLower(`FALSE`)]'}]}",
		      "on");
}

static void a_resource_within_another_waits_for_it_and_has_its_name(void **state)
{
	struct template_fixture *fixture = *state;

	assert_rounds(fixture,
		      "{'resources': [{'type': '" ZONE "', 'name': 'corp', 'resources': ["
		      "{'type': 'virtualNetworkLinks', 'name': 'hub',"
		      " 'properties': {'virtualNetwork': {'id': '[resourceId(`" NETWORK
		      "`, `hub`)]'}},"
		      " 'dependsOn': ['hub']},"
		      "{'type': '" ZONE "/A', 'name': 'corp/www'}]},"
		      "{'type': '" NETWORK "', 'name': 'hub', 'dependsOn': ['corp']}]}",
		      "corp; corp/www hub; corp/hub");
	assert_body(fixture, ID ZONE "/corp/virtualNetworkLinks/hub",
		    "{'properties':{'virtualNetwork':{'id':'" ID NETWORK "/hub'}}}");
}

static void a_reference_is_waited_for(void **state)
{
	struct template_fixture *fixture = *state;

	assert_rounds(
		fixture,
		"{'resources': ["
		"{'type': 'A.B/c', 'name': 'c', 'properties': {"
		"'b': '[reference(`b`).from]', 'a': '[reference(resourceId(`A.B/c`, `a`), "
		"`1`).is]'}},"
		"{'type': 'A.B/c', 'name': 'b', 'properties': {"
		"'from': '[reference(`a`, `1`, `Full`).location]'}},"
		"{'type': 'A.B/c', 'name': 'a', 'location': 'here', 'properties': {'is': 1}}],"
		"'outputs': {'o': {'type': 'object', 'value': '[reference(`c`)]'}}}",
		"a; b; c");
	assert_json(fixture->deployments->outputs,
		    "{'o':{'type':'Object','value':{'b':'here','a':1}}}");
}

static void what_is_there_is_found_once_a_round(void **state)
{
	struct template_fixture *fixture = *state;

	template_fixture_put(fixture, ID "A.B/c/there", "{'properties': {'state': 'up'}}");
	deploy(fixture,
	       "{'resources': [{'type': 'A.B/c', 'name': '[format(`n{0}`, copyIndex())]',"
	       " 'copy': {'name': 'l', 'count': 50}, 'properties': {"
	       "'s': '[reference(resourceId(`A.B/c`, `there`), `1`).state]'}}]}",
	       NULL);
	assert_int_equal(fixture->finds, 1);
	assert_body(fixture, ID "A.B/c/n49", "{'properties':{'s':'up'}}");
}

/* ---- parameters and variables ---- */

static void parameters_have_given_values_and_defaults(void **state)
{
	struct template_fixture *fixture = *state;

	deploy(fixture,
	       "{'parameters': {"
	       "'a': {'type': 'String', 'defaultValue': '[concat(parameters(`B`), `!`)]'},"
	       "'b': {'type': 'string', 'allowedValues': ['x', 'y'], 'minLength': 1},"
	       "'c': {'type': 'int', 'minValue': 1, 'maxValue': 5, 'defaultValue': 3},"
	       "'d': {'type': 'object', 'nullable': true},"
	       "'e': {'type': 'array', 'allowedValues': ['p', 'q'], 'defaultValue': ['q']},"
	       "'f': {'type': 'securestring', 'defaultValue': '[newGuid()]'},"
	       "'g': {'type': 'string', 'defaultValue': '[utcNow(`yyyy-MM-dd`)]'},"
	       "'h': {'type': 'secureObject', 'defaultValue': {}},"
	       "'i': {'type': 'bool', 'defaultValue': true}},"
	       "'resources': []}",
	       "{'B': {'value': 'X'}, 'c': {'value': null}, 'i': {'value': false}}");
	assert_json(fixture->deployments->parameters,
		    "{'a':{'type':'String','value':'X!'},'b':{'type':'String','value':'X'},"
		    "'c':{'type':'Int','value':3},'d':{'type':'Object','value':null},"
		    "'e':{'type':'Array','value':['q']},'f':{'type':'SecureString'},"
		    "'g':{'type':'String','value':'2023-11-14'},'h':{'type':'SecureObject'},"
		    "'i':{'type':'Bool','value':false}}");
}

static void parameters_that_do_not_fit_are_refused(void **state)
{
#define DECLARED(what) "{'parameters': {'p': {" what "}}, 'resources': []}"
#define AHEAD          "The provided value for the template parameter 'p' is not valid. "
	struct template_fixture *fixture = *state;

	assert_fails(fixture, DECLARED("'type': 'string'"), NULL, "parameters.p",
		     "The value for the template parameter 'p' is not provided");
	assert_fails(fixture, DECLARED("'type': 'string'"), "{'q': {'value': 1}}", "parameters.q",
		     "The template parameters 'q' in the parameters file are not valid; they are "
		     "not present in the original template and can therefore not be provided at "
		     "deployment time. The only supported parameters for this template are 'p'");
	assert_fails(fixture, DECLARED("'type': 'int'"), "{'p': {'value': '1'}}", "parameters.p",
		     AHEAD "Expected a value of type 'Int', but received a value of type 'String'");
	assert_fails(
		fixture, DECLARED("'type': 'string'"), "{'p': {'value': null}}", "parameters.p",
		AHEAD "Expected a value of type 'String', but received a value of type 'Null'");
	assert_fails(fixture, DECLARED("'type': 'int', 'maxValue': 3"), "{'p': {'value': 4}}",
		     "parameters.p", AHEAD "The value should be less than or equal to '3'");
	assert_fails(fixture, DECLARED("'type': 'string', 'minLength': 3"),
		     "{'p': {'value': 'ab'}}", "parameters.p",
		     AHEAD "Length of the value should be greater than or equal to '3'");
	assert_fails(fixture, DECLARED("'type': 'array', 'maxLength': 0"), "{'p': {'value': [1]}}",
		     "parameters.p",
		     AHEAD "Length of the value should be less than or equal to '0'");
	assert_fails(
		fixture, DECLARED("'type': 'string', 'allowedValues': ['a', 'b']"),
		"{'p': {'value': 'c'}}", "parameters.p",
		"The provided value 'c' for the template parameter 'p' is not valid. The value "
		"is not part of the allowed value(s): '[\"a\",\"b\"]'");
	assert_fails(
		fixture, DECLARED("'type': 'text'"), NULL, "parameters.p",
		"'type' is string, securestring, int, bool, object, secureObject or array, not "
		"'text'");
	assert_fails(
		fixture, DECLARED("'type': 'string'"), "{'p': {'reference': {'secretName': 's'}}}",
		"parameters.p",
		"the value of the parameter 'p' is in a key vault, which is not supported here");
	assert_fails(fixture, DECLARED("'type': 'string'"), "{'p': 'x'}", "parameters.p",
		     "the parameter 'p' is given as {\"value\": ...}");
	assert_fails(fixture, DECLARED("'type': 'string', 'defaultValue': '[parameters(`p`)]'"),
		     NULL, "parameters.p",
		     "The default value of the template parameter 'p' refers to itself");
	assert_fails(fixture, DECLARED("'type': 'string', 'defaultValue': '[reference(`x`).y]'"),
		     NULL, "parameters.p.defaultValue",
		     "The template function 'reference' is not expected at this location: it "
		     "stands in 'properties' or 'outputs'");
}

static void types_are_defined_in_the_template(void **state)
{
	struct template_fixture *fixture = *state;

	deploy(fixture,
	       "{'languageVersion': '2.0', 'definitions': {"
	       "'lock': {'type': 'object', 'nullable': true},"
	       "'name': {'$ref': '#/definitions/text'}, 'text': {'type': 'string', 'maxLength': "
	       "3}},"
	       "'parameters': {'l': {'$ref': '#/definitions/lock'},"
	       " 'n': {'$ref': '#/definitions/name', 'defaultValue': 'abc'}}, 'resources': {},"
	       "'outputs': {'n': {'$ref': '#/definitions/name', 'value': '[parameters(`n`)]'},"
	       " 'l': {'$ref': '#/definitions/lock', 'value': '[parameters(`l`)]'}}}",
	       NULL);
	assert_json(fixture->deployments->outputs, "{'n':{'type':'String','value':'abc'},"
						   "'l':{'type':'Object','value':null}}");
	assert_fails(fixture,
		     "{'definitions': {'a': {'$ref': '#/definitions/b'}, 'b': {'$ref':"
		     " '#/definitions/a'}}, 'parameters': {'p': {'$ref': '#/definitions/a'}},"
		     " 'resources': []}",
		     NULL, "parameters.p", "its definition leads in a circle");
	assert_fails(fixture, "{'parameters': {'p': {'$ref': '#/definitions/a'}}, 'resources': []}",
		     NULL, "parameters.p",
		     "the reference '#/definitions/a' is to nothing in 'definitions': write "
		     "#/definitions/NAME");
}

static void variables_are_evaluated_when_they_are_needed(void **state)
{
	struct template_fixture *fixture = *state;

	deploy(fixture,
	       "{'variables': {'a': '[variables(`b`).x[1]]', 'b': {'x': [1, '[add(1, 1)]']},"
	       " 'bad': '[fail(`not looked at`)]', 'copy': ["
	       "{'name': 'names', 'count': 3, 'input': '[concat(`n`, copyIndex(`names`, 1))]'},"
	       "{'name': 'pairs', 'count': '[length(variables(`names`))]', 'input': {"
	       "'name': '[variables(`names`)[copyIndex(`pairs`)]]'}}],"
	       " 'inner': {'copy': [{'name': 'list', 'count': 2, 'input': '[copyIndex(`list`)]'}],"
	       " 'other': 1}},"
	       "'resources': [], 'outputs': {"
	       "'a': {'type': 'int', 'value': '[variables(`A`)]'},"
	       "'pairs': {'type': 'array', 'value': '[variables(`pairs`)]'},"
	       "'inner': {'type': 'object', 'value': '[variables(`inner`)]'}}}",
	       NULL);
	assert_json(fixture->deployments->outputs,
		    "{'a':{'type':'Int','value':2},'pairs':{'type':'Array','value':[{'name':'n1'},"
		    "{'name':'n2'},{'name':'n3'}]},'inner':{'type':'Object','value':"
		    "{'list':[0,1],'other':1}}}");
}

static void the_place_of_an_error_is_that_of_the_variable(void **state)
{
	struct template_fixture *fixture = *state;

	assert_fails(fixture,
		     "{'variables': {'a': {'x': [0, '[variables(`b`)]']}, 'b': '[int(`x`)]'},"
		     "'resources': [{'type': 'A.B/c', 'name': 'n', 'tags': {'t':"
		     " '[variables(`a`)]'}}]}",
		     NULL, "variables.b", "int() takes a string of an integer, not 'x'");
	assert_fails(fixture,
		     "{'variables': {'a': '[variables(`b`)]', 'b': '[variables(`a`)]'},"
		     "'resources': [{'type': 'A.B/c', 'name': '[variables(`a`)]'}]}",
		     NULL, "variables.a", "The template variable 'a' refers to itself");
	assert_fails(fixture,
		     "{'resources': [{'type': 'A.B/c', 'name': 'n', 'properties': {'copy': ["
		     "{'name': 'l', 'count': 2, 'input': {'x': [1, '[nonsense()]']}}]}}]}",
		     NULL, "resources[0].properties.copy[0].input.x[1]",
		     "The template function 'nonsense' is not valid");
}

static void a_template_has_functions_of_its_own(void **state)
{
	struct template_fixture *fixture = *state;
	const char *functions =
		"'functions': [{'namespace': 'contoso', 'members': {"
		"'unique': {'parameters': [{'name': 'prefix', 'type': 'string'}, {'name': 'n', "
		"'type':"
		" 'int'}], 'output': {'type': 'string', 'value': '[concat(toLower(parameters("
		"`prefix`)), parameters(`N`))]'}},"
		"'twice': {'parameters': [{'name': 'a', 'type': 'string'}], 'output': {'type':"
		" 'string', 'value': '[concat(contoso.unique(parameters(`a`), 1), `-`,"
		" contoso.unique(parameters(`a`), 2))]'}},"
		"'bad': {'parameters': [], 'output': {'type': 'string', 'value':"
		" '[variables(`v`)]'}}}}]";
	char source[2000];

	snprintf(source, sizeof source,
		 "{%s, 'variables': {'v': 1}, 'resources': [], 'outputs': {'o': {'type': 'string',"
		 " 'value': '[Contoso.Twice(`AB`)]'}}}",
		 functions);
	deploy(fixture, source, NULL);
	assert_json(fixture->deployments->outputs, "{'o':{'type':'String','value':'ab1-ab2'}}");
	snprintf(source, sizeof source,
		 "{%s, 'variables': {'v': 1}, 'resources': [], 'outputs': {'o': {'type': 'string',"
		 " 'value': '[contoso.bad()]'}}}",
		 functions);
	assert_fails(fixture, source, NULL, "functions[0].members.bad.value",
		     "The template variable 'v' is not found in a function, which sees its "
		     "parameters only");
	snprintf(source, sizeof source,
		 "{%s, 'resources': [], 'outputs': {'o': {'type': 'string',"
		 " 'value': '[contoso.twice()]'}}}",
		 functions);
	assert_fails(fixture, source, NULL, "outputs.o.value",
		     "contoso.twice() takes 1 arguments, not 0");
}

/* ---- copies ---- */

static void resources_are_copied(void **state)
{
	struct template_fixture *fixture = *state;

	deploy(fixture,
	       "{'parameters': {'names': {'type': 'array', 'defaultValue': ['a', 'b']}},"
	       "'resources': [{'type': 'A.B/c', 'copy': {'name': 'loop', 'count':"
	       " '[length(parameters(`names`))]'}, 'name': '[parameters(`names`)[copyIndex()]]',"
	       " 'condition': '[not(equals(copyIndex(), 5))]',"
	       " 'properties': {'n': '[copyIndex(`loop`, 10)]', 'copy': [{'name': 'list', 'count': "
	       "2,"
	       " 'input': {'outer': '[copyIndex()]', 'inner': '[copyIndex(`list`)]'}}]},"
	       " 'resources': [{'type': 'd', 'name': '[concat(`x`, copyIndex())]'}]},"
	       "{'type': 'A.B/c', 'name': 'none', 'copy': {'name': 'nothing', 'count': 0}},"
	       "{'type': 'A.B/c', 'name': 'after', 'dependsOn': ['nothing']}]}",
	       NULL);
	assert_string_equal(fixture->rounds, "a b after; a/x0 b/x1");
	assert_body(fixture, ID "A.B/c/b",
		    "{'properties':{'n':11,'list':[{'outer':1,'inner':0},{'outer':1,'inner':1}]}}");
}

static void outputs_have_conditions_copies_and_secrets(void **state)
{
	struct template_fixture *fixture = *state;

	deploy(fixture,
	       "{'resources': [], 'outputs': {"
	       "'off': {'condition': false, 'type': 'string', 'value': '[fail(`not looked at`)]'},"
	       "'on': {'condition': '[equals(1, 1)]', 'type': 'int', 'value': 1},"
	       "'many': {'type': 'array', 'copy': {'count': 2, 'input': '[copyIndex(5)]'}},"
	       "'secret': {'type': 'securestring', 'value': 'x'}}}",
	       NULL);
	assert_json(fixture->deployments->outputs,
		    "{'on':{'type':'Int','value':1},'many':{'type':'Array','value':[5,6]},"
		    "'secret':{'type':'SecureString'}}");
	assert_fails(fixture, "{'resources': [], 'outputs': {'o': {'type': 'string', 'value': 1}}}",
		     NULL, "outputs.o",
		     "Template output JToken type is not valid. Expected 'String'. Actual "
		     "'Integer'");
	assert_fails(fixture, "{'resources': [], 'outputs': {'o': {'type': 'string'}}}", NULL,
		     "outputs.o", "an output has a 'value', or a 'copy'");
}

/* ---- nested templates ---- */

#define DEPLOYMENT "'type': 'Microsoft.Resources/deployments'"
#define INNER      "'expressionEvaluationOptions': {'scope': 'inner'}"

static void a_module_has_parameters_and_outputs_of_its_own(void **state)
{
	struct template_fixture *fixture = *state;

	deploy(fixture,
	       "{'parameters': {'name': {'type': 'string', 'defaultValue': 'outer'}}, 'resources': "
	       "["
	       "{" DEPLOYMENT ", 'name': 'two', 'properties': {'mode': 'Incremental', " INNER ","
	       " 'parameters': {'name': {'value': '[reference(`one`).outputs.id.value]'}},"
	       " 'template': {'parameters': {'name': {'type': 'string'}}, 'resources': ["
	       "{'type': 'A.B/c', 'name': '[last(split(parameters(`name`), `/`))]'}]}}},"
	       "{" DEPLOYMENT ", 'name': 'one', 'properties': {'mode': 'Incremental', " INNER ","
	       " 'parameters': {'name': {'value': '[parameters(`name`)]'}},"
	       " 'template': {'parameters': {'name': {'type': 'string'}}, 'resources': ["
	       "{'type': 'A.B/d', 'name': '[parameters(`name`)]'}],"
	       " 'outputs': {'id': {'type': 'string', 'value':"
	       " '[resourceId(`A.B/d`, parameters(`name`))]'}}}}},"
	       "{'type': 'A.B/e', 'name': 'end', 'dependsOn': ['two']}]}",
	       NULL);
	assert_string_equal(fixture->rounds, "outer; outer; end");
	assert_string_equal(fixture->places, "outer 1; outer 2; end 0; ");
	assert_int_equal(fixture->deployment_count, 3);
	assert_string_equal(fixture->deployments[1].name, "one");
	assert_json(fixture->deployments[1].outputs,
		    "{'id':{'type':'String','value':'" ID "A.B/d/outer'}}");
	assert_json(fixture->deployments[2].parameters,
		    "{'name':{'type':'String','value':'" ID "A.B/d/outer'}}");
}

static void a_nested_template_of_outer_scope_sees_what_is_around_it(void **state)
{
	struct template_fixture *fixture = *state;

	deploy(fixture,
	       "{'variables': {'v': 'outer'}, 'resources': ["
	       "{" DEPLOYMENT ", 'name': '[format(`d{0}`, copyIndex())]', 'resourceGroup': 'other',"
	       " 'copy': {'name': 'loop', 'count': 2}, 'properties': {'mode': 'Incremental',"
	       " 'template': {'variables': {'v': 'inner'}, 'resources': [{'type': 'A.B/c',"
	       " 'name': '[concat(variables(`v`), copyIndex())]', 'properties': {"
	       "'group': '[resourceGroup().name]', 'deployment': '[deployment().name]'}},"
	       "{'type': 'A.B/c', 'name': 'next', 'dependsOn':"
	       " ['[concat(`A.B/c/outer`, copyIndex())]']}],"
	       " 'outputs': {'o': {'type': 'string', 'value': '[variables(`v`)]'}}}}}],"
	       "'outputs': {'o': {'type': 'string', 'value': "
	       "'[reference(`d1`).outputs.o.value]'}}}",
	       NULL);
	assert_string_equal(fixture->rounds, "outer0 outer1; next next");
	assert_body(fixture,
		    "/subscriptions/" TEMPLATE_SUB "/resourceGroups/other/providers/A.B/c/outer1",
		    "{'properties':{'group':'rg','deployment':'main'}}");
	assert_json(fixture->deployments[0].outputs, "{'o':{'type':'String','value':'outer'}}");
	assert_string_equal(fixture->deployments[1].group, "other");
}

static void a_module_in_another_group_is_deployed_there(void **state)
{
	struct template_fixture *fixture = *state;

	deploy(fixture,
	       "{'resources': [{" DEPLOYMENT ", 'name': 'd', 'subscriptionId': 'sub2',"
	       " 'resourceGroup': 'other', 'properties': {'mode': 'Incremental', " INNER ","
	       " 'template': {'resources': [{'type': 'A.B/c', 'name': 'x', 'properties': {"
	       "'group': '[resourceGroup().name]', 'id': '[resourceId(`A.B/c`, `y`)]',"
	       " 'deployment': '[deployment().name]'}}]}}}]}",
	       NULL);
	assert_string_equal(fixture->deployments[0].subscription, TEMPLATE_SUB);
	assert_string_equal(fixture->deployments[1].subscription, "sub2");
	assert_body(fixture, "/subscriptions/sub2/resourceGroups/other/providers/A.B/c/x",
		    "{'properties':{'group':'other','id':'/subscriptions/sub2/resourceGroups/other/"
		    "providers/A.B/c/y','deployment':'d'}}");
}

static void a_module_in_a_module_says_what_it_is_in(void **state)
{
	struct template_fixture *fixture = *state;

	deploy(fixture,
	       "{'resources': [{" DEPLOYMENT ", 'name': 'a', 'properties': {" INNER
	       ", 'template': {'resources': [{" DEPLOYMENT ", 'name': 'b', 'properties': {" INNER
	       ", 'template': {'resources': [{'type': 'A.B/c', 'name': 'x'}]}}}]}}},"
	       "{'type': 'A.B/c', 'name': 'y', 'condition': false}]}",
	       NULL);
	assert_int_equal(fixture->deployment_count, 3);
	assert_int_equal(fixture->deployments[1].outer, 0);
	assert_int_equal(fixture->deployments[2].outer, 1);
	assert_string_equal(fixture->places, "x 2; ");
	assert_true(template_has(fixture->template, ID "A.B/C/x"));
	assert_false(template_has(fixture->template, ID "A.B/c/y"));
	assert_false(template_has(fixture->template, "x"));
}

static void a_subscription_gets_groups_and_modules_in_them(void **state)
{
	struct template_fixture *fixture = *state;

	fixture->scope.group = NULL;
	deploy(fixture,
	       "{'resources': [{'type': 'Microsoft.Resources/resourceGroups', 'name': 'new',"
	       " 'location': '[deployment().location]'},"
	       "{" DEPLOYMENT ", 'name': 'd', 'resourceGroup': 'new', 'dependsOn':"
	       " ['[subscriptionResourceId(`Microsoft.Resources/resourceGroups`, `new`)]'],"
	       " 'properties': {'mode': 'Incremental', " INNER ", 'template': {'resources': ["
	       "{'type': 'A.B/c', 'name': 'x', 'location': '[resourceGroup().location]'}]}}}]}",
	       NULL);
	assert_string_equal(fixture->rounds, "new; x");
	assert_body(fixture, "/subscriptions/" TEMPLATE_SUB "/resourceGroups/new",
		    "{'location':'northeurope'}");
	assert_body(fixture, "/subscriptions/" TEMPLATE_SUB "/resourceGroups/new/providers/A.B/c/x",
		    "{'location':'westeurope'}");
	assert_null(fixture->deployments[0].group);
	assert_string_equal(fixture->deployments[1].group, "new");
	assert_fails(fixture,
		     "{'resources': [], 'outputs': {'o': {'type': 'object', 'value':"
		     " '[resourceGroup()]'}}}",
		     NULL, "outputs.o.value",
		     "The template function 'resourceGroup' is not expected at this location: the "
		     "deployment is to a subscription");
}

static void nested_templates_that_cannot_be_are_refused(void **state)
{
#define NESTED(properties)                                                                         \
	"{'resources': [{" DEPLOYMENT ", 'name': 'd', 'properties': " properties "}]}"
#define EMPTY ", 'template': {'resources': []}}"
	struct template_fixture *fixture = *state;

	assert_fails(fixture, NESTED("{'mode': 'Complete'" EMPTY), NULL,
		     "resources[0].properties.mode",
		     "a deployment within a template is 'Incremental': give the mode 'Complete' to "
		     "the outermost deployment, whose template has this one");
	assert_fails(fixture, NESTED("{'mode': '[toUpper(`all`)]'" EMPTY), NULL,
		     "resources[0].properties.mode",
		     "the mode is 'Incremental', or of the outermost deployment 'Complete', not "
		     "'ALL'");
	assert_fails(fixture, NESTED("{'mode': 1" EMPTY), NULL, "resources[0].properties.mode",
		     "it is a string, not an integer");
	assert_fails(fixture, NESTED("{" INNER ", 'parameters': 'x'" EMPTY), NULL,
		     "resources[0].properties.parameters",
		     "it is an object: {\"NAME\": {\"value\": ...}}, not a string");
	assert_fails(fixture, NESTED("{'parameters': []" EMPTY), NULL,
		     "resources[0].properties.parameters",
		     "it is an object: {\"NAME\": {\"value\": ...}}, not an array");
	assert_fails(fixture, NESTED("{'expressionEvaluationOptions': true" EMPTY), NULL,
		     "resources[0].properties.expressionEvaluationOptions",
		     "it is an object such as {\"scope\": \"inner\"}, not a boolean");
	assert_fails(fixture, NESTED("{'expressionEvaluationOptions': {'scope': 'within'}" EMPTY),
		     NULL, "resources[0].properties.expressionEvaluationOptions.scope",
		     "the scope of expressions is 'inner' or 'outer', not 'within'");
	assert_fails(fixture, NESTED("'x'"), NULL, "resources[0].properties",
		     "a deployment has 'properties', an object with a 'template', not a string");
	assert_fails(fixture, NESTED("{'template': 'x'}"), NULL, "resources[0].properties.template",
		     "a template is an object, not a string");

	assert_fails(fixture,
		     "{'resources': [{" DEPLOYMENT ", 'name': 'd', 'properties': {'mode':"
		     " 'Incremental', 'templateLink': {'uri': 'https://example.com'}}}]}",
		     NULL, "resources[0].properties",
		     "'templateLink' is not supported here: put what it leads to into the "
		     "deployment itself");
	assert_fails(fixture,
		     "{'resources': [{" DEPLOYMENT ", 'name': 'd', 'properties': {" INNER
		     ", 'template': {'parameters': {'p': {'type': 'int'}}, 'resources': []}}}]}",
		     NULL, "resources[0].properties.template.parameters.p",
		     "The value for the template parameter 'p' is not provided");
	assert_fails(fixture,
		     "{'resources': [{" DEPLOYMENT ", 'name': 'd', 'properties': {" INNER
		     ", 'template': {'resources': [{'type': 'A.B/c', 'name': '[foo()]'}]}}}]}",
		     NULL, "resources[0].properties.template.resources[0].name",
		     "The template function 'foo' is not valid");
}

static void a_telemetry_module_is_nothing(void **state)
{
	struct template_fixture *fixture = *state;

	deploy(fixture,
	       "{'parameters': {'enableTelemetry': {'type': 'bool', 'defaultValue': true}},"
	       "'resources': {'avmTelemetry': {'condition': "
	       "'[parameters(`enableTelemetry`)]'," DEPLOYMENT
	       ", 'apiVersion': '2024-03-01', 'name': '[format(`46d3xbcp.{0}`, `x`)]',"
	       "'properties': {'mode': 'Incremental', 'template': {'$schema': 'x',"
	       " 'contentVersion': '1.0.0.0', 'resources': [], 'outputs': {'telemetry': {'type':"
	       " 'String', 'value': 'For more information, see https://aka.ms/avm'}}}}}}}",
	       NULL);
	assert_string_equal(fixture->rounds, "");
	assert_int_equal(fixture->deployment_count, 2);
}

/* ---- symbolic names ---- */

static void symbols_name_resources_copies_and_what_exists(void **state)
{
	struct template_fixture *fixture = *state;

	template_fixture_put(fixture, ID NETWORK "/hub", "{'properties': {'space': '10.0.0.0/8'}}");
	deploy(fixture,
	       "{'languageVersion': '2.0', 'resources': {"
	       "'net': {'existing': true, 'type': '" NETWORK "', 'name': 'hub'},"
	       "'links': {'copy': {'name': 'links', 'count': '[length(range(0, 2))]'},"
	       " 'type': '" ZONE "/virtualNetworkLinks', 'name': '[format(`corp/l{0}`,"
	       " copyIndex())]', 'properties': {'n': '[copyIndex()]'}, 'dependsOn': ['net', "
	       "'zone']},"
	       "'zone': {'type': '" ZONE "', 'name': 'corp', 'properties': {"
	       "'space': '[reference(`net`).space]'}},"
	       "'after': {'type': 'A.B/c', 'name': 'zone', 'properties': {"
	       "'one': '[reference(`links[1]`).n]',"
	       " 'all': '[map(references(`links`), lambda(`l`, lambdaVariables(`l`).n))]',"
	       " 'id': '[reference(`links[0]`, `2020-06-01`, `full`).id]'}},"
	       "'lock': {'condition': false, 'scope': '[resourceId(`" ZONE "`, `corp`)]',"
	       " 'type': 'Microsoft.Authorization/locks', 'name': 'l', 'dependsOn': ['zone']},"
	       "'role': {'scope': '[format(`" ZONE "/{0}`, `corp`)]',"
	       " 'type': 'Microsoft.Authorization/roleAssignments', 'name': 'r', 'dependsOn':"
	       " ['zone']}}}",
	       NULL);
	assert_string_equal(fixture->rounds, "corp; corp/l0 corp/l1 r; zone");
	assert_body(fixture, ID "A.B/c/zone",
		    "{'properties':{'one':1,'all':[0,1],'id':'" ID ZONE
		    "/corp/virtualNetworkLinks/l0'}}");
	assert_body(fixture, ID ZONE "/corp", "{'properties':{'space':'10.0.0.0/8'}}");
	assert_non_null(
		json_object_get(fixture->bodies, ID ZONE
				"/corp/providers/Microsoft.Authorization/roleAssignments/r"));
}

static void a_null_argument_of_a_module_is_its_default(void **state)
{
	struct template_fixture *fixture = *state;

	deploy(fixture,
	       "{'parameters': {'tags': {'type': 'object', 'nullable': true}}, 'resources': {"
	       "'m': {" DEPLOYMENT ", 'name': 'm', 'properties': {'mode': 'Incremental', " INNER ","
	       " 'parameters': {'location': {'value': '[tryGet(createObject(), `location`)]'},"
	       " 'tags': {'value': '[coalesce(tryGet(parameters(`tags`), `x`), "
	       "parameters(`tags`))]'}},"
	       " 'template': {'parameters': {'location': {'type': 'string', 'defaultValue': "
	       "'here'},"
	       " 'tags': {'type': 'object', 'nullable': true}}, 'resources': {'r': {'type': "
	       "'A.B/c',"
	       " 'name': 'x', 'location': '[parameters(`location`)]', 'tags':"
	       " '[parameters(`tags`)]'}}}}}}}",
	       NULL);
	assert_body(fixture, ID "A.B/c/x", "{'location':'here','tags':null}");
}

static void a_resource_may_be_made_only_where_there_is_none(void **state)
{
	static const char each[] =
		"{'languageVersion': '2.0', 'resources': {'r': {'type': 'A.B/c', 'name': 'x',"
		" '@options': %s}}}";
	static const struct {
		const char *options;
		bool only_if_absent;
	} rows[] = {
		{"{'onlyIfNotExists': true}", true},
		{"{'onlyIfNotExists': []}", true},
		{"{'onlyIfNotExists': false}", false},
		{"{}", false},
		{"null", false},
	};
	struct template_fixture *fixture = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		char source[200];

		snprintf(source, sizeof source, each, rows[i].options);
		deploy(fixture, source, NULL);
		assert_int_equal(fixture->only_if_absent, rows[i].only_if_absent);
	}
}

/* ---- what cannot be ---- */

static void resources_that_cannot_be_are_refused(void **state)
{
#define ONE(what) "{'resources': [" what "]}"
	struct template_fixture *fixture = *state;

	assert_fails(fixture, ONE("{'type': '" NETWORK "', 'name': 'hub/in'}"), NULL,
		     "resources[0]",
		     "The template resource 'hub/in' for type '" NETWORK
		     "' has incorrect segment lengths. A nested resource type must have identical "
		     "number of segments as its resource name. A root resource type must have "
		     "segment length one greater than its resource name");
	assert_fails(fixture, ONE("{'type': 'A.B/c', 'name': ''}"), NULL, "resources[0]",
		     "The template resource '' of type 'A.B/c' has an invalid name: no part of it "
		     "is empty");
	assert_fails(fixture, ONE("{'type': 'c', 'name': 'x'}"), NULL, "resources[0]",
		     "The template resource 'x' has an invalid type 'c': it is such as "
		     "Microsoft.Network/virtualNetworks");
	assert_fails(fixture, ONE("{'type': 'A.B/c'}"), NULL, "resources[0]",
		     "a resource has a 'name'");
	assert_fails(fixture, ONE("1"), NULL, "resources[0]",
		     "a resource is an object, not an integer");
	assert_fails(fixture, ONE("{'type': 'A.B/c', 'name': 1}"), NULL, "resources[0].name",
		     "it is a string, not an integer");
	assert_fails(fixture, ONE("{'type': 'A.B/c', 'name': 'x'}, {'type': 'a.b/C', 'name': 'X'}"),
		     NULL, "resources[1]",
		     "The resource '" ID "a.b/C/X' is defined multiple times in a template");
	assert_fails(fixture, ONE("{'type': 'A.B/c', 'name': 'x', 'dependsOn': ['[concat(`y`)]']}"),
		     NULL, "resources[0].dependsOn[0]",
		     "The resource 'y' is not defined in the template");
	assert_fails(fixture, ONE("{'type': 'A.B/c', 'name': '[reference(`x`).y]'}"), NULL,
		     "resources[0].name",
		     "The template function 'reference' is not expected at this location: it "
		     "stands in 'properties' or 'outputs'");
	assert_fails(fixture, ONE("{'type': 'A.B/c', 'name': 'x', 'condition': 1}"), NULL,
		     "resources[0].condition", "a condition is a boolean, not an integer");
	assert_fails(fixture, ONE("{'type': 'A.B/c', 'name': 'x', 'condition': 'text'}"), NULL,
		     "resources[0].condition", "a condition is true or false, not 'text'");
	assert_fails(fixture, ONE("{'type': 'A.B/c', 'name': 'x', 'condition': null}"), NULL,
		     "resources[0].condition", "a condition is a boolean, not null");
	assert_fails(fixture, ONE("{'type': 'A.B/c', 'name': 'x', 'copy': true}"), NULL,
		     "resources[0].copy",
		     "a copy is an object with 'name' and 'count', not a boolean");
	assert_fails(fixture, ONE("{'type': 'A.B/c', 'name': 'x', 'resources': 'x'}"), NULL,
		     "resources[0].resources", "it is an array of resources, not a string");
	assert_fails(fixture, ONE("{'type': 'A.B/c', 'name': 'x', 'copy': {'name': 'l'}}"), NULL,
		     "resources[0].copy", "a copy has an integer of 0 to 10000 as its 'count'");
	assert_fails(fixture, ONE("{'type': 'A.B/c', 'name': 'x', '@options': true}"), NULL,
		     "resources[0].@options", "it is an object, not a boolean");
	assert_fails(fixture,
		     ONE("{'type': 'A.B/c', 'name': 'x', '@options': {'onlyIfNotExists': 'yes'}}"),
		     NULL, "resources[0].@options.onlyIfNotExists",
		     "it is true or false, not a string");
	assert_fails(fixture, ONE("{'type': 'A.B/c', 'name': 'x', '@options': {'retryOn': []}}"),
		     NULL, "resources[0].@options.retryOn",
		     "it is not supported here; a resource that is no deployment may have "
		     "onlyIfNotExists");
	assert_fails(fixture,
		     ONE("{'type': 'Microsoft.Resources/deployments', 'name': 'd', '@options':"
			 " {'onlyIfNotExists': true}}"),
		     NULL, "resources[0].@options.onlyIfNotExists",
		     "it is not supported here; a resource that is no deployment may have "
		     "onlyIfNotExists");
	assert_fails(fixture, "{}", NULL, "",
		     "a template has 'resources': an array, or with languageVersion 2.0 an object "
		     "of symbolic names");
	assert_fails(fixture, "[]", NULL, "", "a template is an object, not an array");
	assert_fails(fixture, "{'resources': [{'type': 'A.B/c', 'name': 'x'}], 'outputs': []}",
		     NULL, "", "'outputs' is an object, not an array");
	assert_fails(fixture, "{'resources': [], 'resource': []}", NULL, "",
		     "Could not find member 'resource' on object of type 'Template'");
}

static void circles_are_named(void **state)
{
	struct template_fixture *fixture = *state;

	assert_fails(fixture, "{'resources': [{'type': 'A.B/c', 'name': 'x', 'dependsOn': ['x']}]}",
		     NULL, "resources[0]",
		     "Circular dependency detected on resource: '" ID "A.B/c/x'");
	assert_fails(fixture,
		     "{'resources': [{'type': 'A.B/c', 'name': 'free'},"
		     "{'type': 'A.B/c', 'name': 'behind', 'dependsOn': ['a']},"
		     "{'type': 'A.B/c', 'name': 'a', 'dependsOn': ['free', 'b']},"
		     "{'type': 'A.B/c', 'name': 'b', 'properties': {'x': '[reference(`a`)]'}}]}",
		     NULL, "resources[2]",
		     "Circular dependency detected on resource: '" ID "A.B/c/a'; it leads over '" ID
		     "A.B/c/b'");
	assert_fails(fixture,
		     "{'resources': [{'type': 'A.B/c', 'name': '[format(`n{0}`, copyIndex())]',"
		     " 'copy': {'name': 'loop', 'count': 2}, 'dependsOn': ['loop']}]}",
		     NULL, "resources[0]",
		     "Circular dependency detected on resource: '" ID "A.B/c/n1'");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_quickstart_is_deployed_in_the_order_of_its_dependencies),
		TEST(a_template_of_nothing_is_deployed),
		TEST(dependencies_are_ids_names_types_and_copies),
		TEST(a_name_that_two_types_have_is_the_others),
		TEST(a_resource_whose_condition_is_false_is_not_made_nor_waited_for),
		TEST(a_condition_may_be_a_text),
		TEST(a_resource_within_another_waits_for_it_and_has_its_name),
		TEST(a_reference_is_waited_for),
		TEST(what_is_there_is_found_once_a_round),
		TEST(parameters_have_given_values_and_defaults),
		TEST(parameters_that_do_not_fit_are_refused),
		TEST(types_are_defined_in_the_template),
		TEST(variables_are_evaluated_when_they_are_needed),
		TEST(the_place_of_an_error_is_that_of_the_variable),
		TEST(a_template_has_functions_of_its_own),
		TEST(resources_are_copied),
		TEST(outputs_have_conditions_copies_and_secrets),
		TEST(a_module_has_parameters_and_outputs_of_its_own),
		TEST(a_nested_template_of_outer_scope_sees_what_is_around_it),
		TEST(a_module_in_another_group_is_deployed_there),
		TEST(a_subscription_gets_groups_and_modules_in_them),
		TEST(a_module_in_a_module_says_what_it_is_in),
		TEST(nested_templates_that_cannot_be_are_refused),
		TEST(a_telemetry_module_is_nothing),
		TEST(symbols_name_resources_copies_and_what_exists),
		TEST(a_null_argument_of_a_module_is_its_default),
		TEST(a_resource_may_be_made_only_where_there_is_none),
		TEST(resources_that_cannot_be_are_refused),
		TEST(circles_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
