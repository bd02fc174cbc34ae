/* The functions of Azure's templates, each with values by its documented meaning. Expected values
 * are JSON with ' for " and ` for '. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/base.h"
#include "tests/lib/template_fixture.h"

struct row {
	const char *expression, *expected;
};

/* The value of an expression in a resource's properties, as text; NULL: the error says why. */
static char *evaluate(struct template_fixture *fixture, const char *expression)
{
	json_t *source =
		template_json("{'resources': [{'type': 'A.B/c', 'name': 'x', 'properties': {}}]}");
	json_t *properties = json_object_get(
		json_array_get(json_object_get(source, "resources"), 0), "properties");
	const char *id = TEMPLATE_RG "/providers/A.B/c/x";

	json_object_set_new(properties, "value", json_sprintf("[%s]", expression));
	if (!template_fixture_deploy(fixture, source, NULL))
		return NULL;
	return template_json_text(json_object_get(
		json_object_get(json_object_get(fixture->bodies, id), "properties"), "value"));
}

static void check(const struct row *rows, size_t count)
{
	struct template_fixture fixture;
	unsigned wrong = 0;

	template_fixture_init(&fixture);
	template_fixture_put(&fixture, TEMPLATE_RG "/providers/A.B/c/there",
			     "{'location': 'west', 'properties': {'state': 'up'}}");
	for (size_t i = 0; i < count; i++) {
		char *value = evaluate(&fixture, rows[i].expression);

		if (!value || strcmp(value, rows[i].expected) != 0) {
			fprintf(stderr, "# %s\n#   is %s\n#   not %s\n", rows[i].expression,
				value ? value : fixture.error.text, rows[i].expected);
			wrong++;
		}
		free(value);
	}
	template_fixture_release(&fixture);
	assert_int_equal(wrong, 0);
}

static void literals_and_members(void **state)
{
	static const struct row rows[] = {
		{"'it''s'", "'it`s'"},
		{"''", "''"},
		{"''''", "'`'"},
		{"'a]b'", "'a]b'"},
		{"'[x]'", "'[x]'"},
		{"5", "5"},
		{"-5", "-5"},
		{" 5 ", "5"},
		{"9223372036854775807", "9223372036854775807"},
		{"-9223372036854775808", "-9223372036854775808"},
		{"'\xc3\xa4'", "'\xc3\xa4'"},
		{"createObject('a', 1).a", "1"},
		{"createObject('a', 1).A", "1"},
		{"createObject('a', 1)['a']", "1"},
		{"createObject('a', createObject('b', createArray(7, 8))).a.b[1]", "8"},
		{"createObject('a-b', 1, 'a_b', 2, '$c', 3)['a-b']", "1"},
		{"createObject('a-b', 1).a-b", "1"},
		{"createArray('x', 'y')[0]", "'x'"},
		{"createArray('x', 'y')[add(0, 1)]", "'y'"},
		{"createObject('a', 1).?a", "1"},
		{"createObject('a', 1).?b", "null"},
		{"createObject('a', 1).?b.c.d", "null"},
		{"createArray(1)[?0]", "1"},
		{"createArray(1)[?1]", "null"},
		{"createObject('a', 1)[?'b']", "null"},
		{"null().?a", "null"},
		{"ADD(1, 2)", "3"},
		{"CreateArray(1,2)", "[1,2]"},
		{"concat( 'a' ,\n'b' )", "'ab'"},
		{"createObject('A', 1, 'a', 2).a", "2"},
	};

	(void)state;
	check(rows, COUNT(rows));
}

static void numbers(void **state)
{
	static const struct row rows[] = {
		{"add(5, 3)", "8"},
		{"add(-5, 3)", "-2"},
		{"sub(7, 3)", "4"},
		{"sub(3, 7)", "-4"},
		{"mul(5, 3)", "15"},
		{"mul(-4, 3)", "-12"},
		{"div(8, 3)", "2"},
		{"div(-8, 3)", "-2"},
		{"div(5, -1)", "-5"},
		{"mod(7, 3)", "1"},
		{"mod(-7, 3)", "-1"},
		{"mod(7, -1)", "0"},
		{"mod(-9223372036854775808, -1)", "0"},
		{"int('4')", "4"},
		{"int('-4')", "-4"},
		{"int(7)", "7"},
		{"int(float('7.9'))", "7"},
		{"float('3.5')", "3.5"},
		{"float(3)", "3.0"},
		{"min(0, 3, 2, 5, 4)", "0"},
		{"min(createArray(3, 1, 2))", "1"},
		{"min(9)", "9"},
		{"max(0, 3, 2, 5, 4)", "5"},
		{"max(createArray(-3, -1, -2))", "-1"},
		{"range(5, 3)", "[5,6,7]"},
		{"range(0, 0)", "[]"},
		{"range(-1, 3)", "[-1,0,1]"},
		{"bool('true')", "true"},
		{"bool('FALSE')", "false"},
		{"bool('True')", "true"},
		{"bool(1)", "true"},
		{"bool(0)", "false"},
		{"bool('1')", "true"},
		{"bool(true())", "true"},
	};

	(void)state;
	check(rows, COUNT(rows));
}

static void comparisons(void **state)
{
	static const struct row rows[] = {
		{"equals(1, 1)", "true"},
		{"equals(1, 2)", "false"},
		{"equals('a', 'a')", "true"},
		{"equals('a', 'A')", "false"},
		{"equals('1', 1)", "false"},
		{"equals(createArray(1, 2), createArray(1, 2))", "true"},
		{"equals(createArray(1, 2), createArray(2, 1))", "false"},
		{"equals(createArray(1), createArray(1, 2))", "false"},
		{"equals(createObject('a', 1, 'b', 2), createObject('b', 2, 'a', 1))", "true"},
		{"equals(createObject('a', 1), createObject('a', 2))", "false"},
		{"equals(createObject('a', 1), createObject('b', 1))", "false"},
		{"equals(null(), null())", "true"},
		{"equals(null(), '')", "false"},
		{"equals(true(), true())", "true"},
		{"equals(true(), false())", "false"},
		{"equals(float('1'), 1)", "true"},
		{"less(1, 2)", "true"},
		{"less(2, 2)", "false"},
		{"less('a', 'b')", "true"},
		{"less('banana', 'apple')", "false"},
		{"lessOrEquals(2, 2)", "true"},
		{"lessOrEquals(3, 2)", "false"},
		{"lessOrEquals('a', 'a')", "true"},
		{"greater(2, 1)", "true"},
		{"greater(1, 1)", "false"},
		{"greater('b', 'a')", "true"},
		{"greaterOrEquals(1, 1)", "true"},
		{"greaterOrEquals(0, 1)", "false"},
		{"less(float('1.5'), 2)", "true"},
		{"coalesce(null(), null(), 'c', 'd')", "'c'"},
		{"coalesce(null(), null())", "null"},
		{"coalesce('')", "''"},
		{"coalesce(1, fail('not looked at'))", "1"},
	};

	(void)state;
	check(rows, COUNT(rows));
}

static void logic(void **state)
{
	static const struct row rows[] = {
		{"and(true(), true())", "true"},
		{"and(true(), false())", "false"},
		{"and(false(), fail('not looked at'))", "false"},
		{"and(true(), true(), equals(1, 1))", "true"},
		{"or(false(), true())", "true"},
		{"or(true(), fail('not looked at'))", "true"},
		{"or(false(), false(), false())", "false"},
		{"not(true())", "false"},
		{"not(equals(1, 2))", "true"},
		{"xor(true(), false())", "true"},
		{"xor(true(), true())", "false"},
		{"if(true(), 'yes', 'no')", "'yes'"},
		{"if(false(), 'yes', 'no')", "'no'"},
		{"if(true(), 'yes', fail('not looked at'))", "'yes'"},
		{"if(false(), createArray(1)[9], null())", "null"},
		{"if(equals('a', 'a'), createObject('x', 1), json('null')).x", "1"},
		{"true()", "true"},
		{"false()", "false"},
		{"null()", "null"},
	};

	(void)state;
	check(rows, COUNT(rows));
}

static void strings(void **state)
{
	static const struct row rows[] = {
		{"concat('a', 'b', 'c')", "'abc'"},
		{"concat('a')", "'a'"},
		{"concat('a', 1, true())", "'a1True'"},
		{"concat('a', null(), 'b')", "'ab'"},
		{"concat(createArray(1, 2), createArray(2), createArray())", "[1,2,2]"},
		{"like('OneTwoThree', '*two*')", "true"},
		{"like('OneTwoThree', 'Two*')", "false"},
		{"like('OneTwoThree', 'onetwothree')", "true"},
		{"like('OneTwoThree', 'onetwothre')", "false"},
		{"like('a.log.log', '*.log')", "true"},
		{"like('a.b.log', 'a.*.l*g')", "true"},
		{"like('ab', 'ab*b')", "false"},
		{"like('ab', '*ab*ab')", "false"},
		{"like('', '*')", "true"},
		{"like('', '')", "true"},
		{"like('a', '')", "false"},
		{"like('a', '**')", "true"},
		{"like('a', '?')", "false"},
		{"endsWith('abcdef', 'ef')", "true"},
		{"endsWith('abcdef', 'F')", "true"},
		{"endsWith('abcdef', 'e')", "false"},
		{"endsWith('a', 'ba')", "false"},
		{"endsWith('a', '')", "true"},
		{"startsWith('abcdef', 'ab')", "true"},
		{"startsWith('abcdef', 'A')", "true"},
		{"startsWith('abcdef', 'e')", "false"},
		{"startsWith('a', 'ab')", "false"},
		{"format('{0}, {1}. Formatted number: {2:N0}', 'Hello', 'User', 8175133)",
		 "'Hello, User. Formatted number: 8,175,133'"},
		{"format('{0:D3}', 7)", "'007'"},
		{"format('{0:D3}', -7)", "'-007'"},
		{"format('{0:d}', 12)", "'12'"},
		{"format('{0:X}', 255)", "'FF'"},
		{"format('{0:x4}', 255)", "'00ff'"},
		{"format('{0:F2}', float('3.14159'))", "'3.14'"},
		{"format('{0:N}', 1234567)", "'1,234,567.00'"},
		{"format('{0:N0}', -1234)", "'-1,234'"},
		{"format('{0:N0}', -123)", "'-123'"},
		{"format('{0:N0}', 999)", "'999'"},
		{"format('{0,5}|{0,-5}|', 'ab')", "'   ab|ab   |'"},
		{"format('{0,2}', 'abc')", "'abc'"},
		{"format('{0,4:D2}', 7)", "'  07'"},
		{"format('{{{0}}}', 1)", "'{1}'"},
		{"format('{1}{0}{1}', 'a', 'b')", "'bab'"},
		{"format('none')", "'none'"},
		{"format('{0}', true())", "'True'"},
		{"format('{0}', createArray(1, 'a'))", "'[1,\\'a\\']'"},
		{"format('{0:D3}', 'text')", "'text'"},
		{"join(createArray('one', 'two', 'three'), ',')", "'one,two,three'"},
		{"join(createArray(1, 2), '; ')", "'1; 2'"},
		{"join(createArray(), ',')", "''"},
		{"padLeft('123', 10, '0')", "'0000000123'"},
		{"padLeft('abc', 5)", "'  abc'"},
		{"padLeft(7, 3, '0')", "'007'"},
		{"padLeft('abc', 2, 'x')", "'abc'"},
		{"replace('123-123-1234', '-', '')", "'1231231234'"},
		{"replace('123-123-1234', '1234', 'xxxx')", "'123-123-xxxx'"},
		{"replace('aaa', 'aa', 'b')", "'ba'"},
		{"replace('abc', 'B', 'x')", "'abc'"},
		{"split('one,two,three', ',')", "['one','two','three']"},
		{"split('one;two,three', createArray(',', ';'))", "['one','two','three']"},
		{"split('', ',')", "['']"},
		{"split(',a,', ',')", "['','a','']"},
		{"split('a::b:c', createArray(':', '::'))", "['a','b','c']"},
		{"split('abc', '')", "['abc']"},
		{"string(1)", "'1'"},
		{"string('a')", "'a'"},
		{"string(true())", "'True'"},
		{"string(false())", "'False'"},
		{"string(createArray('a', 1))", "'[\\'a\\',1]'"},
		{"string(createObject('a', createArray(null())))", "'{\\'a\\':[null]}'"},
		{"string(null())", "''"},
		{"substring('one two three', 4, 3)", "'two'"},
		{"substring('abc', 1)", "'bc'"},
		{"substring('abc', 3)", "''"},
		{"substring('abc', 0, 0)", "''"},
		{"substring('\xc3\xa4\xc3\xb6\xc3\xbc', 1, 1)", "'\xc3\xb6'"},
		{"toLower('One TWO')", "'one two'"},
		{"toUpper('One two')", "'ONE TWO'"},
		{"trim('    one two three   ')", "'one two three'"},
		{"trim('')", "''"},
		{"trim('   ')", "''"},
		{"uri('http://contoso.org/firstpath', 'myscript.sh')",
		 "'http://contoso.org/myscript.sh'"},
		{"uri('http://contoso.org/firstpath/', 'myscript.sh')",
		 "'http://contoso.org/firstpath/myscript.sh'"},
		{"uri('http://contoso.org/firstpath/', '/myscript.sh')",
		 "'http://contoso.org/firstpath/myscript.sh'"},
		{"uri('http://contoso.org/firstpath/azuredeploy.json', 'myscript.sh')",
		 "'http://contoso.org/firstpath/myscript.sh'"},
		{"uri('http://contoso.org', 'a/b')", "'http://contoso.org/a/b'"},
	};

	(void)state;
	check(rows, COUNT(rows));
}

static void strings_in_other_forms(void **state)
{
	static const struct row rows[] = {
		{"base64('one, two, three')", "'b25lLCB0d28sIHRocmVl'"},
		{"base64('')", "''"},
		{"base64('a')", "'YQ=='"},
		{"base64('ab')", "'YWI='"},
		{"base64ToString('b25lLCB0d28sIHRocmVl')", "'one, two, three'"},
		{"base64ToString('YQ==')", "'a'"},
		{"base64ToString('')", "''"},
		{"base64ToString(base64('\xc3\xa4'))", "'\xc3\xa4'"},
		{"base64ToJson('eydvbmUnOiAnYSd9')", "{'one':'a'}"},
		{"base64ToJson(base64('[1, 2]'))[1]", "2"},
		{"dataUri('Hello')", "'data:text/plain;charset=utf8;base64,SGVsbG8='"},
		{"dataUriToString('data:;base64,SGVsbG8sIFdvcmxkIQ==')", "'Hello, World!'"},
		{"dataUriToString('data:text/plain,a%20b')", "'a b'"},
		{"uriComponent('http://contoso.com/resources/nested/azuredeploy.json')",
		 "'http%3A%2F%2Fcontoso.com%2Fresources%2Fnested%2Fazuredeploy.json'"},
		{"uriComponent('a b-c_d.e~f')", "'a%20b-c_d.e~f'"},
		{"uriComponent('\xc3\xa4')", "'%C3%A4'"},
		{"parseUri('HTTPS://Example.com:8443/a/b%20c?d=e&f#g')",
		 "{'scheme':'https','host':'example.com','port':8443,'path':'/a/b%20c',"
		 "'query':'?d=e&f'}"},
		{"parseUri('https://user:p@example.com')",
		 "{'scheme':'https','host':'example.com','port':null,'path':'/','query':''}"},
		{"parseUri('http://[2001:DB8::1]:80?x').host", "'[2001:db8::1]'"},
		{"parseUri('http://[2001:DB8::1]:80?x').port", "80"},
		{"parseUri('http://[2001:DB8::1]:80?x').query", "'?x'"},
		{"parseUri('http://h/\xc3\xa4 b').path", "'/%C3%A4%20b'"},
		{"buildUri(createObject('scheme', 'https', 'host', 'h.example', 'port', 8080, "
		 "'path', "
		 "'/a/b.json', 'query', '?st=1'))",
		 "'https://h.example:8080/a/b.json?st=1'"},
		{"buildUri(createObject('scheme', 'https', 'host', '[::1]', 'port', null(), "
		 "'path', "
		 "'a b?#c', 'query', 'd=e#f'))",
		 "'https://[::1]/a%20b%3F%23c?d=e%23f'"},
		{"buildUri(createObject('scheme', 'ftp', 'host', 'h'))", "'ftp://h/'"},
		{"buildUri(parseUri('https://example.com:8443/a%2Fb?c=d'))",
		 "'https://example.com:8443/a%2Fb?c=d'"},
		{"uriComponentToString('http%3A%2F%2Fcontoso.com')", "'http://contoso.com'"},
		{"uriComponentToString('100%')", "'100%'"},
		{"uriComponentToString('%C3%A4%2f')", "'\xc3\xa4/'"},
		{"guid('a')", "'3703365d-5a9f-59b4-bca7-b9681389e4c1'"},
		{"guid('a', 'b')", "'2d796349-8c7e-55ec-9624-54ece82ed031'"},
		{"equals(guid('a', 'b'), guid('a-b'))", "true"},
		{"length(uniqueString('a'))", "13"},
		{"equals(uniqueString('a', 'b'), uniqueString('a', 'b'))", "true"},
		{"equals(uniqueString('a', 'b'), uniqueString('ab'))", "false"},
		{"equals(uniqueString('a'), toLower(uniqueString('a')))", "true"},
		{"json('{\"a\": [1, null, true]}')", "{'a':[1,null,true]}"},
		{"json('null')", "null"},
		{"json('{''a'': ''it\"s''}').a", "'it\\'s'"},
		{"json('1.5')", "1.5"},
		{"json('\"[concat(1)]\"')", "'[concat(1)]'"},
	};

	(void)state;
	check(rows, COUNT(rows));
}

static void arrays(void **state)
{
	static const struct row rows[] = {
		{"array('a')", "['a']"},
		{"array(1)", "[1]"},
		{"array(createArray(1, 2))", "[1,2]"},
		{"array(createObject('a', 1))", "[{'a':1}]"},
		{"createArray()", "[]"},
		{"createArray(1, 'a', true(), null(), createArray())", "[1,'a',true,null,[]]"},
		{"contains('OneTwoThree', 'e')", "true"},
		{"contains('OneTwoThree', 'z')", "false"},
		{"contains('OneTwoThree', 'one')", "false"},
		{"contains(createObject('one', 'a'), 'one')", "true"},
		{"contains(createObject('one', 'a'), 'ONE')", "true"},
		{"contains(createObject('one', 'a'), 'a')", "false"},
		{"contains(createArray('one', 'two'), 'two')", "true"},
		{"contains(createArray('one', 'two'), 'TWO')", "false"},
		{"contains(createArray(1, 2), 2)", "true"},
		{"contains(createArray(createArray(1)), createArray(1))", "true"},
		{"contains('a1b', 1)", "true"},
		{"empty(createArray())", "true"},
		{"empty(createObject())", "true"},
		{"empty('')", "true"},
		{"empty(null())", "true"},
		{"empty('a')", "false"},
		{"empty(createArray(null()))", "false"},
		{"first(createArray('one', 'two'))", "'one'"},
		{"first('One')", "'O'"},
		{"first('\xc3\xa4x')", "'\xc3\xa4'"},
		{"first('')", "''"},
		{"first(createArray())", "null"},
		{"last(createArray('one', 'two'))", "'two'"},
		{"last('One Two Three')", "'e'"},
		{"last('')", "''"},
		{"last(createArray())", "null"},
		{"flatten(createArray(createArray('one', 'two'), createArray('three'), "
		 "createArray()))",
		 "['one','two','three']"},
		{"flatten(createArray(createArray(createArray(1))))", "[[1]]"},
		{"flatten(createArray())", "[]"},
		{"indexOf('abcdef', 'CD')", "2"},
		{"indexOf('abcdef', 'z')", "-1"},
		{"indexOf('\xc3\xa4x', 'x')", "1"},
		{"indexOf('abc', '')", "0"},
		{"indexOf(createArray('one', 'two', 'one'), 'one')", "0"},
		{"indexOf(createArray('one', 'two'), 'TWO')", "-1"},
		{"indexOf(createArray(1, createArray(2)), createArray(2))", "1"},
		{"lastIndexOf('test', 't')", "3"},
		{"lastIndexOf('abcdef', 'AB')", "0"},
		{"lastIndexOf('abcdef', 'z')", "-1"},
		{"lastIndexOf('aaa', 'aa')", "1"},
		{"lastIndexOf('abc', '')", "3"},
		{"lastIndexOf(createArray('one', 'two', 'one'), 'one')", "2"},
		{"indexFromEnd(createArray('a', 'b', 'c'), 1)", "'c'"},
		{"indexFromEnd(createArray('a', 'b', 'c'), 3)", "'a'"},
		{"tryIndexFromEnd(createArray('a', 'b'), 2)", "'a'"},
		{"tryIndexFromEnd(createArray('a', 'b'), 3)", "null"},
		{"tryIndexFromEnd(createArray(), 1)", "null"},
		{"intersection(createArray('one', 'two', 'three'), createArray('two', 'three'))",
		 "['two','three']"},
		{"intersection(createArray(1, 2, 2), createArray(2, 3))", "[2]"},
		{"intersection(createArray(1, 2, 3), createArray(2, 3), createArray(3))", "[3]"},
		{"intersection(createArray(createObject('a', 1)), createArray(createObject('a', "
		 "1)))",
		 "[{'a':1}]"},
		{"intersection(createObject('one', 'a', 'two', 'b', 'three', 'c'), "
		 "createObject('one', 'a', 'two', 'z', 'three', 'c'))",
		 "{'one':'a','three':'c'}"},
		{"length(createArray('one', 'two', 'three'))", "3"},
		{"length('One Two Three')", "13"},
		{"length('\xc3\xa4\xf0\x9f\x98\x80')", "2"},
		{"length(createObject('a', 1, 'b', 2))", "2"},
		{"length('')", "0"},
		{"skip(createArray('one', 'two', 'three'), 2)", "['three']"},
		{"skip('one two three', 4)", "'two three'"},
		{"skip(createArray(1), 5)", "[]"},
		{"skip('abc', -1)", "'abc'"},
		{"take(createArray('one', 'two', 'three'), 2)", "['one','two']"},
		{"take('one two three', 2)", "'on'"},
		{"take(createArray(1), 5)", "[1]"},
		{"take(createArray(1), -5)", "[]"},
		{"take('abc', 0)", "''"},
		{"union(createArray('one', 'two'), createArray('two', 'three'))",
		 "['one','two','three']"},
		{"distinct(createArray(1, 'a', 1, 'A', 'a', createArray(1), createArray(1)))",
		 "[1,'a','A',[1]]"},
		{"distinct(createArray())", "[]"},
		{"union(createArray(1, 1), createArray())", "[1]"},
		{"union(createArray(1), createArray('1'))", "[1,'1']"},
		{"union(createArray(1))", "[1]"},
	};

	(void)state;
	check(rows, COUNT(rows));
}

static void objects(void **state)
{
	static const struct row rows[] = {
		{"createObject()", "{}"},
		{"createObject('a', 1, 'b', null())", "{'a':1,'b':null}"},
		{"createObject('a', 1, 'a', 2)", "{'a':2}"},
		{"union(createObject('one', 'a', 'two', 'b'), createObject('two', 'c'))",
		 "{'one':'a','two':'c'}"},
		{"union(createObject('p', createObject('a', 1, 'b', 2)), "
		 "createObject('p', createObject('b', 3, 'c', 4)))",
		 "{'p':{'a':1,'b':3,'c':4}}"},
		{"union(createObject('a', createArray(1)), createObject('a', createArray(2)))",
		 "{'a':[2]}"},
		{"union(createObject('a', 1), createObject('a', null()))", "{'a':null}"},
		{"shallowMerge(createArray(createObject('p', createObject('a', 1)), "
		 "createObject('p', createObject('b', 2), 'q', 3)))",
		 "{'p':{'b':2},'q':3}"},
		{"shallowMerge(createArray())", "{}"},
		{"items(createObject('b', 2, 'a', 1))",
		 "[{'key':'a','value':1},{'key':'b','value':2}]"},
		{"items(createObject())", "[]"},
		{"objectKeys(createObject('b', 1, 'a', 2))", "['a','b']"},
		{"tryGet(createObject('a', 1), 'a')", "1"},
		{"tryGet(createObject('a', 1), 'b')", "null"},
		{"tryGet(createObject('a', createArray(createObject('b', 7))), 'a', 0, 'b')", "7"},
		{"tryGet(createObject('a', 1), 'a', 'b')", "null"},
		{"tryGet(createArray(1, 2), 1)", "2"},
		{"tryGet(createArray(1, 2), 2)", "null"},
		{"tryGet(null(), 'a')", "null"},
	};

	(void)state;
	check(rows, COUNT(rows));
}

static void lambdas(void **state)
{
	static const struct row rows[] = {
		{"map(createArray('a', 'b'), lambda('x', toUpper(lambdaVariables('x'))))",
		 "['A','B']"},
		{"map(createArray('a', 'b'), lambda('x', 'i', format('{0}{1}', "
		 "lambdaVariables('x'), lambdaVariables('i'))))",
		 "['a0','b1']"},
		{"map(createArray(), lambda('x', fail('not looked at')))", "[]"},
		{"map(range(1, 2), lambda('x', map(range(1, 2), lambda('y', "
		 "mul(lambdaVariables('x'), lambdaVariables('y'))))))",
		 "[[1,2],[2,4]]"},
		{"map(range(1, 2), lambda('x', map(range(5, 1), lambda('x', "
		 "lambdaVariables('X')))))",
		 "[[5],[5]]"},
		{"filter(range(0, 6), lambda('n', greater(lambdaVariables('n'), 3)))", "[4,5]"},
		{"filter(createArray('a', 'b', 'c'), lambda('x', 'i', "
		 "equals(mod(lambdaVariables('i'), 2), 0)))",
		 "['a','c']"},
		{"reduce(createArray(5, 3, 2), 0, lambda('cur', 'next', "
		 "add(lambdaVariables('cur'), lambdaVariables('next'))))",
		 "10"},
		{"reduce(createArray('a', 'b'), '', lambda('cur', 'next', 'i', concat("
		 "lambdaVariables('cur'), lambdaVariables('next'), lambdaVariables('i'))))",
		 "'a0b1'"},
		{"reduce(createArray(), 'first', lambda('a', 'b', 1))", "'first'"},
		{"sort(createArray(8, 3, 10, -13, 5), lambda('l', 'r', "
		 "less(lambdaVariables('l'), lambdaVariables('r'))))",
		 "[-13,3,5,8,10]"},
		{"sort(createArray('b', 'c', 'a'), lambda('l', 'r', "
		 "greater(lambdaVariables('l'), lambdaVariables('r'))))",
		 "['c','b','a']"},
		{"sort(createArray('b1', 'a2', 'a1', 'b2'), lambda('l', 'r', less("
		 "first(lambdaVariables('l')), first(lambdaVariables('r')))))",
		 "['a2','a1','b1','b2']"},
		{"sort(createArray(), lambda('l', 'r', true()))", "[]"},
		{"sort(createArray(1), lambda('l', 'r', fail('not looked at')))", "[1]"},
		{"sort(createArray(3, 2, 1), lambda('l', 'r', true()))", "[1,2,3]"},
		{"groupBy(createArray('foo', 'bar', 'fish'), lambda('x', "
		 "substring(lambdaVariables('x'), 0, "
		 "1)), lambda('x', toUpper(lambdaVariables('x'))))",
		 "{'f':['FOO','FISH'],'b':['BAR']}"},
		{"groupBy(createArray('foo', 'bar', 'fish'), lambda('x', "
		 "first(lambdaVariables('x'))))",
		 "{'f':['foo','fish'],'b':['bar']}"},
		{"mapValues(createObject('a', 1, 'b', 2), lambda('v', add(lambdaVariables('v'), "
		 "1)))",
		 "{'a':2,'b':3}"},
		{"toObject(createArray('a', 'b'), lambda('x', lambdaVariables('x')))",
		 "{'a':'a','b':'b'}"},
		{"toObject(createArray('a', 'b'), lambda('x', lambdaVariables('x')), "
		 "lambda('x', length(lambdaVariables('x'))))",
		 "{'a':1,'b':1}"},
		{"map(items(createObject('k', 'v')), lambda('e', "
		 "concat(lambdaVariables('e').key, lambdaVariables('e').value)))",
		 "['kv']"},
	};

	(void)state;
	check(rows, COUNT(rows));
}

static void times(void **state)
{
	static const struct row rows[] = {
		{"dateTimeAdd('2020-04-07 14:53:14Z', 'P3Y')", "'2023-04-07T14:53:14Z'"},
		{"dateTimeAdd('2020-04-07 14:53:14Z', '-P9D')", "'2020-03-29T14:53:14Z'"},
		{"dateTimeAdd('2020-04-07 14:53:14Z', 'PT1H')", "'2020-04-07T15:53:14Z'"},
		{"dateTimeAdd('20200407T145314Z', 'PT1H30M5S')", "'2020-04-07T16:23:19Z'"},
		{"dateTimeAdd('2020-02-29', 'P1Y')", "'2021-02-28T00:00:00Z'"},
		{"dateTimeAdd('2020-01-31', 'P1M')", "'2020-02-29T00:00:00Z'"},
		{"dateTimeAdd('2020-12-31', 'P1D')", "'2021-01-01T00:00:00Z'"},
		{"dateTimeAdd('2020-12-31T09:00', 'P1D', 'HH\\h mm')", "'09h 00'"},
		{"dateTimeAdd('2020-12-31T09:00', 'P1D', '%H')", "'9'"},
		{"dateTimeAdd('2020-01-15', '-P1M')", "'2019-12-15T00:00:00Z'"},
		{"dateTimeAdd('2020-01-01', 'P1W')", "'2020-01-08T00:00:00Z'"},
		{"dateTimeAdd('2020-01-01T12:00:00+02:00', 'PT0S')", "'2020-01-01T10:00:00Z'"},
		{"dateTimeAdd('2020-01-01T00:00:00.123Z', 'PT0S')", "'2020-01-01T00:00:00Z'"},
		{"dateTimeAdd('2020-04-07', 'P0D', 'yyyy-MM-dd')", "'2020-04-07'"},
		{"dateTimeAdd('2020-04-07 14:53:14Z', 'P0D', 'u')", "'2020-04-07 14:53:14Z'"},
		{"dateTimeAdd('2020-04-07 14:53:14Z', 'P0D', 's')", "'2020-04-07T14:53:14'"},
		{"dateTimeAdd('2020-04-07 14:53:14Z', 'P0D', 'o')",
		 "'2020-04-07T14:53:14.0000000Z'"},
		{"dateTimeAdd('2020-04-07 14:53:14Z', 'P0D', 'd')", "'04/07/2020'"},
		{"dateTimeAdd('2020-04-07 14:53:14Z', 'P0D', 'R')",
		 "'Tue, 07 Apr 2020 14:53:14 GMT'"},
		{"dateTimeAdd('2020-04-07 04:03:14Z', 'P0D', 'M/d/yy H:m:s')", "'4/7/20 4:3:14'"},
		{"dateTimeAdd('2020-04-07 14:53:14Z', 'P0D', 'hh:mm tt')", "'02:53 PM'"},
		{"dateTimeAdd('2020-04-07 14:53:14Z', 'P0D', 'h:mm t')", "'2:53 P'"},
		{"dateTimeAdd('2020-04-07 14:53:14Z', 'P0D', 'ddd dddd MMM MMMM')",
		 "'Tue Tuesday Apr April'"},
		{"dateTimeAdd('2020-04-07 14:53:14Z', 'P0D', 'HH:mm:ss.fff')", "'14:53:14.000'"},
		{"dateTimeAdd('2020-04-07 14:53:14Z', 'P0D', 'yyyyMMddTHHmmssZ')",
		 "'20200407T145314Z'"},
		{"dateTimeAdd('2020-04-07 14:53:14Z', 'P0D', '''at'' HH')", "'at 14'"},
		{"dateTimeFromEpoch(1683040573)", "'2023-05-02T15:16:13Z'"},
		{"dateTimeFromEpoch(0)", "'1970-01-01T00:00:00Z'"},
		{"dateTimeFromEpoch(-1)", "'1969-12-31T23:59:59Z'"},
		{"dateTimeToEpoch('2023-05-02T15:16:13Z')", "1683040573"},
		{"dateTimeToEpoch(dateTimeAdd('1970-01-01T00:00:00Z', 'PT1M'))", "60"},
	};

	(void)state;
	check(rows, COUNT(rows));
}

static void addresses(void **state)
{
	static const struct row rows[] = {
		{"parseCidr('10.144.0.0/20')",
		 "{'network':'10.144.0.0','netmask':'255.255.240.0','broadcast':'10.144.15.255',"
		 "'firstUsable':'10.144.0.1','lastUsable':'10.144.15.254','cidr':20}"},
		{"parseCidr('10.144.3.7/20').network", "'10.144.0.0'"},
		{"parseCidr('10.0.0.0/32').lastUsable", "'10.0.0.0'"},
		{"parseCidr('10.0.0.0/31').firstUsable", "'10.0.0.0'"},
		{"parseCidr('fd00::/64').cidr", "64"},
		{"tryGet(parseCidr('fd00::/64'), 'broadcast')", "null"},
		{"cidrSubnet('10.144.0.0/20', 24, 0)", "'10.144.0.0/24'"},
		{"cidrSubnet('10.144.0.0/20', 24, 15)", "'10.144.15.0/24'"},
		{"cidrSubnet('10.144.0.0/20', 20, 0)", "'10.144.0.0/20'"},
		{"cidrSubnet('10.0.0.0/8', 32, 256)", "'10.0.1.0/32'"},
		{"cidrSubnet('fd00::/48', 64, 5)", "'fd00:0:0:5::/64'"},
		{"cidrHost('10.240.5.0/24', 0)", "'10.240.5.1'"},
		{"cidrHost('10.240.5.0/24', 9)", "'10.240.5.10'"},
		{"cidrHost('10.240.5.0/24', 254)", "'10.240.5.255'"},
		{"map(range(0, 3), lambda('i', cidrSubnet('10.0.0.0/16', 24, "
		 "lambdaVariables('i'))))",
		 "['10.0.0.0/24','10.0.1.0/24','10.0.2.0/24']"},
	};

	(void)state;
	check(rows, COUNT(rows));
}

#define NETWORK "Microsoft.Network/virtualNetworks"

static void the_deployment(void **state)
{
	static const struct row rows[] = {
		{"resourceId('" NETWORK "', 'hub')", "'" TEMPLATE_RG "/providers/" NETWORK "/hub'"},
		{"resourceId('" NETWORK "/subnets', 'hub', 'in')",
		 "'" TEMPLATE_RG "/providers/" NETWORK "/hub/subnets/in'"},
		{"resourceId('other', '" NETWORK "', 'hub')",
		 "'/subscriptions/" TEMPLATE_SUB "/resourceGroups/other/providers/" NETWORK
		 "/hub'"},
		{"resourceId('sub', 'other', '" NETWORK "', 'hub')",
		 "'/subscriptions/sub/resourceGroups/other/providers/" NETWORK "/hub'"},
		{"subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'x')",
		 "'/subscriptions/" TEMPLATE_SUB
		 "/providers/Microsoft.Authorization/roleDefinitions/x'"},
		{"subscriptionResourceId('sub', 'A.B/c', 'x')",
		 "'/subscriptions/sub/providers/A.B/c/x'"},
		{"tenantResourceId('A.B/c/d', 'x', 'y')", "'/providers/A.B/c/x/d/y'"},
		{"extensionResourceId('/a/b', 'Microsoft.Authorization/locks', 'l')",
		 "'/a/b/providers/Microsoft.Authorization/locks/l'"},
		{"resourceGroup().name", "'rg'"},
		{"resourceGroup().location", "'westeurope'"},
		{"resourceGroup().id", "'" TEMPLATE_RG "'"},
		{"resourceGroup().tags.team", "'dns'"},
		{"subscription().subscriptionId", "'" TEMPLATE_SUB "'"},
		{"subscription().id", "'/subscriptions/" TEMPLATE_SUB "'"},
		{"subscription().tenantId", "'00000000-0000-0000-0000-00000000000a'"},
		{"subscription().displayName", "'lab'"},
		{"tenant().displayName", "'lab'"},
		{"deployer().userPrincipalName", "'ops'"},
		{"providers('microsoft.network').namespace", "'Microsoft.Network'"},
		{"providers('Microsoft.Network', 'virtualnetworks').apiVersions[0]",
		 "'2022-07-01'"},
		{"pickZones('Microsoft.Network', 'virtualNetworks', 'westeurope')", "[]"},
		{"pickZones('Microsoft.Network', 'virtualNetworks', 'westeurope', 3, 0)", "[]"},
		{"tenant().tenantId", "'00000000-0000-0000-0000-00000000000a'"},
		{"deployment().name", "'main'"},
		{"length(deployment().properties.template.resources)", "1"},
		{"environment().name", "'AzureCloud'"},
		{"environment().suffixes.storage", "'core.windows.net'"},
		{"reference('" TEMPLATE_RG "/providers/A.B/c/there').state", "'up'"},
		{"reference('" TEMPLATE_RG "/providers/A.B/c/THERE', '2020-01-01').state", "'up'"},
		{"reference(resourceId('A.B/c', 'there'), '2020-01-01', 'Full').location",
		 "'west'"},
	};

	(void)state;
	check(rows, COUNT(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(literals_and_members),
		cmocka_unit_test(numbers),
		cmocka_unit_test(comparisons),
		cmocka_unit_test(logic),
		cmocka_unit_test(strings),
		cmocka_unit_test(strings_in_other_forms),
		cmocka_unit_test(arrays),
		cmocka_unit_test(objects),
		cmocka_unit_test(lambdas),
		cmocka_unit_test(times),
		cmocka_unit_test(addresses),
		cmocka_unit_test(the_deployment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
