/* Expressions that have no value, and what is said of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/base.h"
#include "tests/lib/template_fixture.h"

struct row {
	const char *expression, *text;
};

static void check(const struct row *rows, size_t count, enum template_trouble trouble)
{
	struct template_fixture fixture;
	unsigned wrong = 0;

	template_fixture_init(&fixture);
	for (size_t i = 0; i < count; i++) {
		json_t *source = template_json(
			"{'resources': [{'type': 'A.B/c', 'name': 'x', 'properties': {}}]}");
		json_t *properties = json_object_get(
			json_array_get(json_object_get(source, "resources"), 0), "properties");
		bool fine;

		json_object_set_new(properties, "value", json_sprintf("[%s]", rows[i].expression));
		fine = template_fixture_deploy(&fixture, source, NULL);
		if (!fine && fixture.error.trouble == trouble &&
		    strcmp(fixture.error.text, rows[i].text) == 0 &&
		    strcmp(fixture.error.place, "resources[0].properties.value") == 0)
			continue;
		fprintf(stderr, "# %s\n#   says %s\n#   not  %s\n", rows[i].expression,
			fine ? "nothing" : fixture.error.text, rows[i].text);
		wrong++;
	}
	template_fixture_release(&fixture);
	assert_int_equal(wrong, 0);
}

static void what_cannot_be_read(void **state)
{
	static const struct row rows[] = {
		{"", "the expression '[]' cannot be read: a function, a string or a number is "
		     "missing at character 2"},
		{"add(1, 2", "the expression '[add(1, 2]' cannot be read: ')' is missing at "
			     "character 10"},
		{"add(1 2)", "the expression '[add(1 2)]' cannot be read: ')' is missing at "
			     "character 8"},
		{"'abc", "the expression '['abc]' cannot be read: a string without its end at "
			 "character 7"},
		{"true", "the expression '[true]' cannot be read: a function, a string or a number "
			 "is missing at character 6"},
		{"null() null()", "the expression '[null() null()]' cannot be read: something that "
				  "does not belong there at character 9"},
		{"null().", "the expression '[null().]' cannot be read: a member's name is missing "
			    "at character 9"},
		{"null()[0", "the expression '[null()[0]' cannot be read: something that does not "
			     "belong there at character 11"},
		{"1.5", "the expression '[1.5]' cannot be read: a number with a fraction, as "
			"float('1.5') makes one, at character 3"},
		{"-", "the expression '[-]' cannot be read: a number without digits at character "
		      "2"},
		{"9223372036854775808", "the expression '[9223372036854775808]' cannot be read: a "
					"number that is no integer of 64 bits at character 2"},
		{"add(1,,2)", "the expression '[add(1,,2)]' cannot be read: a function, a string "
			      "or a number is missing at character 8"},
	};

	(void)state;
	check(rows, COUNT(rows), TEMPLATE_INVALID);
}

static void what_is_not_known(void **state)
{
	static const struct row rows[] = {
		{"foo()", "The template function 'foo' is not valid"},
		{"my.foo()", "The template function 'my.foo' is not valid"},
		{"listKeys('a', 'b')", "the function listKeys() is not supported here"},
		{"LISTSECRETS('a')", "the function LISTSECRETS() is not supported here"},
		{"pickZones('a', 'b', 'c')", "the provider 'a' is not known here"},
		{"pickZones('Microsoft.Network', 'b', 'c')",
		 "the provider 'Microsoft.Network' has no type 'b' here"},
		{"pickZones('Microsoft.Network', 'virtualNetworks', 'west', 'one')",
		 "pickZones() takes an integer as argument 4, not a string"},
		{"pickZones('Microsoft.Network', 'virtualNetworks', 1)",
		 "pickZones() takes a string as argument 3, not an integer"},
		{"providers('a')", "the provider 'a' is not known here"},
		{"providers('Microsoft.Network', 'dnsZones')",
		 "the provider 'Microsoft.Network' has no type 'dnsZones' here"},
		{"roleDefinition('Reader')", "the function roleDefinition() is not supported here"},
		{"externalInput('a')", "the function externalInput() is not supported here"},
		{"toPhysicalZones('a', 'b', 'c')",
		 "the function toPhysicalZones() is not supported here"},
		{"toLogicalZone('a', 'b', 'c')",
		 "the function toLogicalZone() is not supported here"},
		{"getSecret('a')", "the function getSecret() is not supported here"},
		{"managementGroup()", "the function managementGroup() is not supported here"},
		{"managementGroupResourceId('a', 'b')",
		 "the function managementGroupResourceId() is not supported here"},
		{"add(1)", "add() takes 2 arguments, not 1"},
		{"not()", "not() takes 1 argument, not 0"},
		{"concat()", "concat() takes 1 argument or more, not 0"},
		{"substring('a')", "substring() takes 2 to 3 arguments, not 1"},
		{"variables('v')", "The template variable 'v' is not found"},
		{"parameters('p')",
		 "The template parameter 'p' is not found: it is declared in 'parameters'"},
		{"lambdaVariables('x')", "there is no variable 'x' of a lambda here"},
		{"copyIndex('c')", "copyIndex() stands in no copy named 'c'"},
		{"copyIndex()", "The template function 'copyIndex' is not expected at this "
				"location: it stands in a copy, and takes its name where that "
				"copies a value"},
		{"utcNow()", "The template function 'utcNow' is not expected at this location: it "
			     "stands in the default value of a parameter only"},
		{"newGuid()",
		 "The template function 'newGuid' is not expected at this location: it "
		 "stands in the default value of a parameter only"},
		{"reference('x1')", "The resource 'x1' is not defined in the template: reference() "
				    "takes the name or symbol of one that is, or an id"},
		{"references('x')", "references() takes the name of a copy, not 'x'"},
	};

	(void)state;
	check(rows, COUNT(rows), TEMPLATE_INVALID);
}

static void what_is_of_another_type(void **state)
{
	static const struct row rows[] = {
		{"add(1, 'a')", "add() takes an integer as argument 2, not a string"},
		{"sub(null(), 1)", "sub() takes an integer as argument 1, not null"},
		{"mul(float('1.5'), 2)",
		 "mul() takes an integer as argument 1, not a number with a fraction"},
		{"toUpper(1)", "toUpper() takes a string as argument 1, not an integer"},
		{"length(1)",
		 "length() takes an array, an object or a string as argument 1, not an integer"},
		{"length(null())",
		 "length() takes an array, an object or a string as argument 1, not null"},
		{"first(createObject())",
		 "first() takes an array or a string as argument 1, not an object"},
		{"if(1, 2, 3)", "if() takes a boolean, not an integer"},
		{"and(true(), 'x')", "and() takes a boolean, not a string"},
		{"not('true')", "not() takes a boolean as argument 1, not a string"},
		{"concat('a', createArray())",
		 "concat() takes a string, as the first one, as argument 2, not an array"},
		{"concat(createArray(), 'a')",
		 "concat() takes an array as argument 2, not a string"},
		{"union(createArray(), createObject())",
		 "union() takes an array as argument 2, not an object"},
		{"union(createObject(), 1)",
		 "union() takes an object as argument 2, not an integer"},
		{"less(1, 'a')",
		 "less() takes two numbers or two strings, not an integer and a string"},
		{"join('a', ',')", "join() takes an array as argument 1, not a string"},
		{"min('a')", "min() takes integers, not a string"},
		{"items(createArray())", "items() takes an object as argument 1, not an array"},
		{"flatten(createArray(1))",
		 "flatten() takes an array of arrays, not of an integer"},
		{"map('a', lambda('x', 1))", "map() takes an array as argument 1, not a string"},
		{"map(createArray(), 1)", "map() takes a lambda with 1 to 2 names"},
		{"map(createArray(), null())", "map() takes a lambda with 1 to 2 names"},
		{"reduce(createArray(), 0, lambda('x', 1))",
		 "reduce() takes a lambda with 2 to 3 names"},
		{"lambda('x', 1)", "lambda() stands only where a function takes one, as in map()"},
		{"filter(range(0, 2), lambda('x', 1))",
		 "the lambda of filter() gives a boolean, not an integer"},
		{"sort(range(0, 2), lambda('a', 'b', 1))",
		 "the lambda of sort() gives a boolean, not an integer"},
		{"groupBy(range(0, 2), lambda('x', 1))",
		 "the first lambda of groupBy() gives a string, not an integer"},
		{"shallowMerge(createArray(1))",
		 "shallowMerge() takes an array of objects, not of an integer"},
		{"bool('maybe')", "bool() takes 'true', 'false' or an integer, not maybe"},
		{"contains(1, 'a')",
		 "contains() takes an array, an object or a string as argument 1, not an integer"},
		{"resourceId('x', 'y')", "resourceId() takes a type, such as "
					 "Microsoft.Network/virtualNetworks, and the resource's "
					 "names"},
		{"resourceId('A.B/c/d', 'x')",
		 "resourceId() of the type 'A.B/c/d' takes 2 names, not 1"},
	};

	(void)state;
	check(rows, COUNT(rows), TEMPLATE_INVALID);
}

static void what_has_no_such_value(void **state)
{
	static const struct row rows[] = {
		{"createArray(1, 2)[2]", "The language expression property array index '2' is out "
					 "of bounds: the array has 2"},
		{"createArray(1)[-1]", "The language expression property array index '-1' is out "
				       "of bounds: the array has 1"},
		{"createObject('a', 1, 'b', 2).c", "The language expression property 'c' doesn't "
						   "exist, available properties are 'a, b'"},
		{"null().a", "null has no member or element a: an object takes a string there, an "
			     "array an integer"},
		{"createArray(1)['a']", "an array has no member or element a: an object takes a "
					"string there, an array an integer"},
		{"div(1, 0)", "div() divides 1 by zero"},
		{"mod(1, 0)", "mod() divides 1 by zero"},
		{"add(9223372036854775807, 1)",
		 "add() of 9223372036854775807 and 1 does not fit into 64 bits"},
		{"sub(-9223372036854775808, 1)",
		 "sub() of -9223372036854775808 and 1 does not fit into 64 bits"},
		{"div(-9223372036854775808, -1)",
		 "div() of -9223372036854775808 and -1 does not fit into 64 bits"},
		{"int('4x')", "int() takes a string of an integer, not '4x'"},
		{"int('99999999999999999999')",
		 "int() takes a string of an integer, not '99999999999999999999'"},
		{"float('x')", "float() takes a string of a number, not 'x'"},
		{"range(0, -1)", "range() gives 0 to 10000 integers, not -1"},
		{"range(9223372036854775807, 2)",
		 "range() from 9223372036854775807 does not fit into 64 bits"},
		{"min(createArray())", "min() takes an array that is not empty"},
		{"substring('abc', 2, 2)",
		 "The index and length parameters of substring() must refer to a location within "
		 "the string: it has 3 characters"},
		{"substring('abc', -1)",
		 "The index and length parameters of substring() must refer to a location within "
		 "the string: it has 3 characters"},
		{"replace('a', '', 'b')",
		 "replace() takes a string that is not empty as argument 2"},
		{"padLeft('a', 3, 'xy')",
		 "padLeft() takes a width of 0 or more, and one character"},
		{"format('{1}', 'a')",
		 "format() has no argument for '{1}': they are counted from {0}"},
		{"format('{x}', 'a')", "format() cannot read '{x}': write {0}, {0:D3} or {0,5}, "
				       "and {{ or }} for a bracket"},
		{"format('{0', 'a')", "format() cannot read '{0': write {0}, {0:D3} or {0,5}, and "
				      "{{ or }} for a bracket"},
		{"format('{0:Q}', 1)",
		 "format() cannot write this number as 'Q': it writes integers as D or X and "
		 "numbers as F or N, with at most 99 digits and 399 characters"},
		{"format('{0:F99}', json('1e300'))",
		 "format() cannot write this number as 'F': it writes integers as D or X and "
		 "numbers as F or N, with at most 99 digits and 399 characters"},
		{"format('{0:D1001}', 1)",
		 "format() cannot write this number as 'D': it writes integers as D or X and "
		 "numbers as F or N, with at most 99 digits and 399 characters"},
		{"format('{0:D4294967297}', 1)",
		 "format() cannot write this number as 'D': it writes integers as D or X and "
		 "numbers as F or N, with at most 99 digits and 399 characters"},
		{"base64ToString('a')", "base64ToString() takes a string in base64"},
		{"base64ToString('_w==')", "base64ToString() takes a string in base64"},
		{"base64ToString('/w==')", "base64ToString() makes a string that is not UTF-8"},
		{"uriComponentToString('%00')",
		 "uriComponentToString() makes a string that is not UTF-8"},
		/* 256 bytes, of which the last one begins a character of three. A sanitizer sees a
		 * read behind them. */
		{"uriComponentToString(concat(padLeft('', 255, 'a'), '%E2'))",
		 "uriComponentToString() makes a string that is not UTF-8"},
		{"parseUri('example.com/a')",
		 "parseUri() takes a URI such as "
		 "https://example.com:8443/a?b=c, not 'example.com/a'"},
		{"parseUri('https://')",
		 "parseUri() takes a URI such as https://example.com:8443/a?b=c, not 'https://'"},
		{"parseUri('https://h:66000/')", "parseUri() takes a URI such as "
						 "https://example.com:8443/a?b=c, not "
						 "'https://h:66000/'"},
		{"parseUri('https://u@/')", "parseUri() takes a URI such as "
					    "https://example.com:8443/a?b=c, not 'https://u@/'"},
		{"buildUri('https://h')", "buildUri() takes an object as argument 1, not a string"},
		{"buildUri(createObject('scheme', 'https'))",
		 "buildUri() takes a string as 'host', not nothing"},
		{"buildUri(createObject('scheme', 'https', 'host', 'h', 'path', 1))",
		 "buildUri() takes a string as 'path', not an integer"},
		{"buildUri(createObject('scheme', '1', 'host', 'h'))",
		 "buildUri() takes a 'scheme' such as https, not '1'"},
		{"buildUri(createObject('scheme', 'https', 'host', 'h:1'))",
		 "buildUri() takes a 'host' such as example.com or [2001:db8::1], not 'h:1'"},
		{"buildUri(createObject('scheme', 'https', 'host', 'u@h'))",
		 "buildUri() takes a 'host' such as example.com or [2001:db8::1], not 'u@h'"},
		{"buildUri(createObject('scheme', 'https', 'host', 'h', 'port', '1'))",
		 "buildUri() takes an integer of 0 to 65535 as 'port', or null"},
		{"buildUri(createObject('scheme', 'https', 'host', 'h', 'fragment', 'x'))",
		 "buildUri() takes scheme, host, port, path and query, not 'fragment'"},
		{"dataUriToString('x')", "dataUriToString() takes a string such as "
					 "'data:text/plain;base64,SGVsbG8='"},
		{"json('{')", "json() is given a text that is not JSON: string or '}' expected "
			      "near end of file"},
		{"createObject('a')",
		 "createObject() takes names and values in turn, not 1 arguments"},
		{"indexFromEnd(createArray(1), 2)",
		 "indexFromEnd() takes 1, the last, to 1 in this array, not 2"},
		{"cidrSubnet('10.0.0.0/16', 8, 0)",
		 "cidrSubnet() of 10.0.0.0/16 takes a length of 16 to 32, not 8"},
		{"cidrSubnet('10.0.0.0/16', 24, 256)",
		 "10.0.0.0/16 has no subnet 256 of length 24"},
		{"cidrHost('10.0.0.0/24', 255)", "10.0.0.0/24 has no host 255"},
		{"parseCidr('10.0.0.0')",
		 "parseCidr() takes a prefix such as 10.0.0.0/16, not '10.0.0.0'"},
		{"parseCidr('10.0.0.0/33')",
		 "parseCidr() takes a prefix such as 10.0.0.0/16, not '10.0.0.0/33'"},
		{"dateTimeToEpoch('tomorrow')",
		 "dateTimeToEpoch() takes a time such as 2024-01-31T12:00:00Z, not 'tomorrow'"},
		{"dateTimeAdd('2020-01-01', '1D')",
		 "dateTimeAdd() takes a duration such as P1DT12H, not '1D'"},
		{"dateTimeAdd('2020-04-31', 'P1D')",
		 "dateTimeAdd() takes a time such as 2024-01-31T12:00:00Z, not '2020-04-31'"},
		{"dateTimeAdd('2020-04-30T00:00+01:99', 'P1D')",
		 "dateTimeAdd() takes a time such as 2024-01-31T12:00:00Z, not "
		 "'2020-04-30T00:00+01:99'"},
		{"dateTimeAdd('2020-01-01', 'P9000Y')",
		 "dateTimeAdd() makes a time outside of the years 1 to 9999"},
		{"dateTimeAdd('2020-01-01', '-P9000YT1S')",
		 "dateTimeAdd() makes a time outside of the years 1 to 9999"},
		{"dateTimeAdd('2020-01-01', concat('P', replace(replace(replace('aaaaaaaaaa', 'a', "
		 "'bbbbbbbbbb'), 'b', 'cccccccccc'), 'c', '21474836469W')))",
		 "dateTimeAdd() makes a time outside of the years 1 to 9999"},
		{"fail('too bad')", "too bad"},
		{"fail('')", "fail() says nothing"},
		{"if(true(), fail('at last'), 1)", "at last"},
	};

	(void)state;
	check(rows, COUNT(rows), TEMPLATE_INVALID);
}

/* Found by fuzz_template: what is shown of an expression ends within a character. */
static void an_error_is_whole_characters(void **state)
{
	char letters[2 * 150 + 1];

	(void)state;
	for (size_t i = 0; i < sizeof letters - 1; i++)
		letters[i] = i % 2 == 0 ? '\xc3' : '\xa4';
	letters[sizeof letters - 1] = '\0';
	for (int ahead = 0; ahead < 2; ahead++) {
		struct template_fixture fixture;
		json_t *source = json_pack("{s:[{s:s, s:o}]}", "resources", "type", "A.B/c", "name",
					   json_sprintf("[%.*s%s]", ahead, "a", letters)),
		       *text;

		template_fixture_init(&fixture);
		assert_false(template_fixture_deploy(&fixture, source, NULL));
		text = json_string(fixture.error.text);
		assert_non_null(text);
		json_decref(text);
		template_fixture_release(&fixture);
	}
}

static void what_is_not_there(void **state)
{
	static const struct row rows[] = {
		{"reference(resourceId('Microsoft.Network/virtualNetworks', 'hub'))",
		 "The Resource 'Microsoft.Network/virtualNetworks/hub' under resource group 'rg' "
		 "was not found"},
		{"reference(resourceId('s', 'g', 'A.B/c/d', 'x', 'y'), '2020-01-01').z",
		 "The Resource 'A.B/c/x/d/y' under resource group 'g' was not found"},
		{"reference(subscriptionResourceId('A.B/c', 'x'))",
		 "The Resource 'A.B/c/x' under resource group '<null>' was not found"},
	};

	(void)state;
	check(rows, COUNT(rows), TEMPLATE_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_cannot_be_read),
		cmocka_unit_test(what_is_not_known),
		cmocka_unit_test(what_is_of_another_type),
		cmocka_unit_test(what_has_no_such_value),
		cmocka_unit_test(an_error_is_whole_characters),
		cmocka_unit_test(what_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
