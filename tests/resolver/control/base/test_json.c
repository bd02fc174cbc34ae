/* JSON whose texts may be any bytes, and from which nothing is missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resolver/control/base/json.h"
#include "resolver/control/base/report.h"

static void assert_text(const char *text, const char *expected)
{
	json_t *value = json_text(text);
	assert_string_equal(json_string_value(value), expected);
	json_decref(value);
}

static void a_text_that_is_utf8_stays_as_it_is(void **state)
{
	(void)state;
	assert_text("a/b", "a/b");
	assert_text("", "");
	assert_text("h\xc3\xa9llo", "h\xc3\xa9llo");
}

static void of_another_text_each_byte_beyond_ascii_is_a_question_mark(void **state)
{
	(void)state;
	assert_text("\xfc.corp", "?.corp");
	assert_text("a\x7f\x80\xff", "a\x7f??");
	assert_text("h\xc3\xa9\xff", "h???");
}

static void no_text_is_null(void **state)
{
	(void)state;
	json_t *value = json_text(NULL);
	assert_true(json_is_null(value));
	json_decref(value);
}

static void a_member_s_text_is_empty_where_there_is_none(void **state)
{
	(void)state;
	json_t *object = json_make("{s:s, s:i, s:n}", "text", "a", "number", 1, "null");
	assert_string_equal(json_text_of(object, "text"), "a");
	assert_string_equal(json_text_of(object, "number"), "");
	assert_string_equal(json_text_of(object, "null"), "");
	assert_string_equal(json_text_of(object, "other"), "");
	assert_string_equal(json_text_of(NULL, "text"), "");
	json_decref(object);
}

static void what_could_be_made_is_whole(void **state)
{
	(void)state;
	json_t *array = json_array();
	json_add(array, json_make("{s:o}", "name", json_text("\xfc")));
	json_put(json_array_get(array, 0), "more", json_text("x"));
	array = json_whole(array);
	char *text = array ? json_dumps(array, JSON_COMPACT) : NULL;
	assert_non_null(text);
	assert_string_equal(text, "[{\"name\":\"?\",\"more\":\"x\"}]");
	free(text);
	json_decref(array);
}

/* Each of the three, once; and a failure is forgotten when it has been told. */
static void what_lacks_a_part_is_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		json_t *object = json_object(), *array = json_array();
		if (i == 0)
			json_add(array, json_make("{s:s}", "name", "\xfc"));
		else if (i == 1)
			json_add(array, NULL);
		else
			json_put(object, "name", NULL);
		json_put(object, "array", array);
		assert_null(json_whole(object));
		object = json_whole(json_object());
		assert_non_null(object);
		json_decref(object);
	}
	assert_null(json_whole(NULL));
}

static void an_own_member_is_found_in_any_case_and_in_its_own_first(void **state)
{
	json_t *object =
		json_pack("{s:i, s:i, s:n, s:i}", "Name", 1, "name", 2, "none", "names", 3);

	(void)state;
	assert_int_equal(json_integer_value(json_own_member(object, "name")), 2);
	assert_int_equal(json_integer_value(json_own_member(object, "Name")), 1);
	assert_int_equal(json_integer_value(json_own_member(object, "NAMES")), 3);
	assert_int_equal(json_integer_value(json_own_membern(object, "names[0]", 5)), 3);
	assert_null(json_own_member(object, "none"));
	assert_null(json_own_member(object, "nam"));
	assert_null(json_own_member(NULL, "name"));
	json_decref(object);
}

static void a_fault_of_any_bytes_is_told_and_read_back(void **state)
{
	const struct origin origin = {.file = "/tmp/\xfc.conf", .line = 7, .path = "a.\xe4"};
	struct faults faults, back;
	(void)state;
	faults_init(&faults);
	faults_init(&back);
	fault_add(&faults, FAULT_WARNING, &origin, NULL, "\"%s\" is odd", "\xf6");
	json_t *array = json_whole(report_faults(&faults));
	assert_int_equal(json_array_size(array), 1);
	report_read_faults(array, &back);
	assert_int_equal(back.warnings, 1);
	assert_string_equal(back.items[0].origin.file, "/tmp/?.conf");
	assert_string_equal(back.items[0].origin.path, "a.?");
	assert_string_equal(back.items[0].text, "\"?\" is odd");
	json_decref(array);
	faults_release(&back);
	faults_release(&faults);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_that_is_utf8_stays_as_it_is),
		cmocka_unit_test(of_another_text_each_byte_beyond_ascii_is_a_question_mark),
		cmocka_unit_test(no_text_is_null),
		cmocka_unit_test(a_member_s_text_is_empty_where_there_is_none),
		cmocka_unit_test(what_could_be_made_is_whole),
		cmocka_unit_test(what_lacks_a_part_is_nothing),
		cmocka_unit_test(an_own_member_is_found_in_any_case_and_in_its_own_first),
		cmocka_unit_test(a_fault_of_any_bytes_is_told_and_read_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
