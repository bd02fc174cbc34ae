/* A record as the query log shows it: JSON that others read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <string.h>

#include "resolver/control/observe/query_log/query_entry.h"
#include "tests/lib/query_case.h"

static json_t *printed(const struct query_entry *entry)
{
	char text[QUERY_ENTRY_TEXT_MAX];
	size_t length = query_entry_print(entry, text);
	json_t *json = json_loads(text, 0, NULL);

	assert_non_null(json);
	assert_int_equal(length, strlen(text));
	assert_null(strchr(text, '\n'));
	return json;
}

static const char *text_of(const json_t *json, const char *key)
{
	return json_string_value(json_object_get(json, key));
}

static void a_record_is_told_with_all_its_members(void **state)
{
	struct query_entry entry;
	json_t *json;

	(void)state;
	query_entry_init(&entry, query_case_record("it is \"so\"\n"), 5012345, 1700000000000000000);
	json = printed(&entry);
	assert_string_equal(text_of(json, "time"), "2023-11-14T22:13:25.000000Z");
	assert_string_equal(text_of(json, "client"), "10.10.1.207");
	assert_int_equal(json_integer_value(json_object_get(json, "port")), 4711);
	assert_string_equal(text_of(json, "network"), "hub");
	assert_string_equal(text_of(json, "endpoint"), "hub-resolver/in");
	assert_string_equal(text_of(json, "name"), "WwW.contoso.corp.");
	assert_string_equal(text_of(json, "type"), "AAAA");
	assert_string_equal(text_of(json, "rcode"), "SERVFAIL");
	assert_string_equal(text_of(json, "text"), "it is \"so\"\n");
	assert_string_equal(text_of(json, "decided_by"), "rule");
	assert_string_equal(text_of(json, "answered_from"), "none");
	assert_true(json_is_null(json_object_get(json, "target")));
	assert_int_equal(json_integer_value(json_object_get(json, "bytes")), 77);
	assert_int_equal(json_integer_value(json_object_get(json, "microseconds")), 12345);
	json_decref(json);
}

static void a_reply_in_the_record_has_the_question(void **state)
{
	struct query_record *made = query_case_record_with_reply(100, "why");
	struct query_entry entry;
	json_t *json;

	(void)state;
	query_entry_init(&entry, made, 0, 0);
	json = printed(&entry);
	assert_string_equal(text_of(json, "name"), "WwW.contoso.corp.");
	assert_string_equal(text_of(json, "text"), "why");
	json_decref(json);
}

static void what_was_dropped_has_no_code(void **state)
{
	struct query_record *made = query_case_record("");
	struct query_entry entry;
	json_t *json;

	(void)state;
	made->length = made->rcode = 0;
	made->turned_away = true;
	query_entry_init(&entry, made, 0, 0);
	json = printed(&entry);
	assert_true(json_is_null(json_object_get(json, "rcode")));
	assert_string_equal(text_of(json, "decided_by"), "admission");
	json_decref(json);
}

static void where_an_answer_is_from_is_said_in_the_metrics_words(void **state)
{
	static const char *const words[] = {"zone", "cache", "forwarded", "stale", "none"};
	struct query_record *made = query_case_record("");
	struct query_entry entry;

	(void)state;
	assert_int_equal(sizeof words / sizeof *words, RESPONSE_SOURCES);
	for (unsigned source = 0; source < RESPONSE_SOURCES; source++) {
		json_t *json;

		made->source = (uint8_t)source;
		query_entry_init(&entry, made, 0, 0);
		json = printed(&entry);
		assert_string_equal(text_of(json, "answered_from"), words[source]);
		assert_string_equal(response_source_text(source), words[source]);
		json_decref(json);
	}
}

static void texts_that_are_no_utf8_or_not_seen_are_escaped(void **state)
{
	struct query_entry entry;
	char text[QUERY_ENTRY_TEXT_MAX];
	json_t *json;

	(void)state;
	query_entry_init(&entry, query_case_record("\xff \xe2\x80\xae \xf0\x9f\x98\x80 \xc3\xa4"),
			 0, 0);
	query_entry_print(&entry, text);
	assert_null(strstr(text, "\xff"));
	assert_null(strstr(text, "\xe2\x80\xae"));
	json = printed(&entry);
	assert_non_null(strstr(text_of(json, "text"), "\xe2\x80\xae"));
	assert_non_null(strstr(text_of(json, "text"), "\xc3\xa4"));
	json_decref(json);
}

static void privacy_leaves_the_prefix_of_a_client(void **state)
{
	struct query_entry entry;
	char text[ADDRESS_TEXT_MAX];

	(void)state;
	query_entry_init(&entry, query_case_record(""), 0, 0);
	query_entry_hide_client(&entry);
	assert_string_equal(address_print(&entry.client, text), "10.10.1.0");
	assert_int_equal(entry.port, 0);
	assert_int_equal(address_parse(&entry.client, "2001:db8:1:2:3::4"), 0);
	query_entry_hide_client(&entry);
	assert_string_equal(address_print(&entry.client, text), "2001:db8:1::");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_told_with_all_its_members),
		cmocka_unit_test(a_reply_in_the_record_has_the_question),
		cmocka_unit_test(what_was_dropped_has_no_code),
		cmocka_unit_test(where_an_answer_is_from_is_said_in_the_metrics_words),
		cmocka_unit_test(texts_that_are_no_utf8_or_not_seen_are_escaped),
		cmocka_unit_test(privacy_leaves_the_prefix_of_a_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
