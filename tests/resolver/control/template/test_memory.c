/* What a template says when there is no memory: that, and nothing else, wherever it was evaluated.
 * The linker puts our malloc in the place of the C library's (Makefile), and jansson is given it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/err.h"
#include "tests/lib/template_fixture.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

enum { ENOUGH = -1, TRIES_MAX = 100000 };
static int left = ENOUGH; /* so many more are had, and then one is not */

static bool is_out(void)
{
	return left >= 0 && left-- == 0;
}

void *__wrap_malloc(size_t size)
{
	return is_out() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return is_out() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return is_out() ? NULL : __real_realloc(memory, size);
}

static const char text[] =
	"{'parameters': {'p': {'type': 'array', 'defaultValue': ['a', 'b']}}, 'variables': {'v':"
	" {'x': '[concat(`a`, `b`)]'}, 'copy': [{'name': 'c', 'count': 2, 'input':"
	" '[copyIndex(`c`)]'}]},"
	"'functions': [{'namespace': 'f', 'members': {'g': {'parameters': [{'name': 'n'}],"
	" 'output': {'value': '[toUpper(parameters(`n`))]'}}}}],"
	"'resources': [{'type': 'A.B/c', 'name': '[parameters(`p`)[copyIndex()]]', 'copy': {'name':"
	" 'loop', 'count': 2}, 'properties': {'v': '[union(variables(`v`), createObject(`y`,"
	" string(variables(`c`))))]', 'j': '[json(`{}`)]', 's': '[sort(createArray(2, 1),"
	" lambda(`a`, `b`, less(lambdaVariables(`a`), lambdaVariables(`b`))))]',"
	" 'i': '[intersection(createArray(1), createArray(1))]',"
	" 'l': '[replace(padLeft(`x`, 300, `y`), `y`, `zz`)]'},"
	" 'resources': [{'type': 'd', 'name': 'e', 'properties': {'r': "
	"'[reference(`A.B/c/a`).j]'}}]},"
	"{'type': 'Microsoft.Resources/deployments', 'name': 'd', 'dependsOn': ['loop'],"
	" 'properties': {'expressionEvaluationOptions': {'scope': 'inner'}, 'parameters': {'q':"
	" {'value': '[f.g(`q`)]'}}, 'template': {'parameters': {'q': {'type': 'string'}},"
	" 'resources': [], 'outputs': {'o': {'type': 'string', 'value': '[parameters(`q`)]'}}}}}],"
	"'outputs': {'o': {'type': 'string', 'value': '[reference(`d`).outputs.o.value]'}}}";

/* Each allocation fails in turn, until there are not that many. */
static void a_template_without_memory_is_told_so(void **state)
{
	struct template_error error;
	const struct template_resource *const *resources;
	struct template_fixture fixture;
	json_t *source = template_json(text);
	int tries = 0, err;
	size_t count;

	(void)state;
	template_fixture_init(&fixture);
	template_fixture_put(&fixture, TEMPLATE_RG "/providers/A.B/c/a",
			     "{'properties': {'j': {}}}");
	for (bool fine = false; !fine && tries < TRIES_MAX; tries++) {
		left = tries;
		err = 0;
		struct template *template = template_new(source, NULL, &fixture.scope, &error);

		count = template ? 1 : 0;
		while (count > 0 && err == 0)
			err = template_round(template, &resources, &count, &error);
		fine = template && err == 0 && left >= 0;
		left = ENOUGH;
		if (!fine && (!template || err != 0)) {
			if (error.trouble != TEMPLATE_NO_MEMORY)
				fprintf(stderr, "# %d: %s at %s\n", tries, error.text, error.place);
			assert_int_equal(error.trouble, TEMPLATE_NO_MEMORY);
			assert_string_equal(error.text, "out of memory");
			assert_true(!template || err == ERR_NOMEM);
		}
		template_free(template);
	}
	assert_in_range(tries, 100, TRIES_MAX - 1);
	json_decref(source);
	template_fixture_release(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_template_without_memory_is_told_so),
	};

	json_set_alloc_funcs(malloc, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
