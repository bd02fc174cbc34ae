/* A record as the query log shows it: JSON that others read, a frame of dnstap, and which filters
 * it fits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <jansson.h>
#include <string.h>

#include "resolver/control/observe/dnstap.h"
#include "resolver/control/observe/query_entry.h"

static struct {
	_Alignas(struct query_record) uint8_t bytes[2048];
} memory;
static const uint8_t question[] = "\3WwW\7contoso\4corp\0\0\34\0\1"; /* AAAA IN */
static struct policy_network networks[] = {{.name = "hub"}};
static struct policy policy = {.networks = networks, .network_count = 1};
static const struct query_binding binding = {
	.endpoint = "hub-resolver/in", .policy = &policy, .network = 0};

/* Of a SERVFAIL that a text explains. */
static struct query_record *record(const char *text)
{
	struct query_record *made = (struct query_record *)(void *)memory.bytes;

	memset(&memory, 0, sizeof memory);
	made->arrived_us = 5000000;
	made->binding = &binding;
	made->object = "contoso";
	made->decided = DECIDED_RULE;
	assert_int_equal(address_parse(&made->client, "10.10.1.207"), 0);
	made->port = htons(4711);
	made->rcode = RCODE_SERVFAIL;
	made->ede = EDE_OTHER;
	made->length = 77;
	made->question_length = sizeof question - 1;
	made->text_length = (uint16_t)strlen(text);
	memcpy(made->data, question, made->question_length);
	memcpy(made->data + made->question_length, text, strlen(text));
	return made;
}

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
	query_entry_init(&entry, record("it is \"so\"\n"), 5012345, 1700000000000000000);
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
	assert_string_equal(text_of(json, "answered_from"), "nobody");
	assert_true(json_is_null(json_object_get(json, "target")));
	assert_int_equal(json_integer_value(json_object_get(json, "bytes")), 77);
	assert_int_equal(json_integer_value(json_object_get(json, "microseconds")), 12345);
	json_decref(json);
}

static void a_reply_in_the_record_has_the_question(void **state)
{
	struct query_record *made = record("");
	struct query_entry entry;
	json_t *json;

	(void)state;
	memset(made->data, 0, MESSAGE_HEADER);
	memcpy(made->data + MESSAGE_HEADER, question, sizeof question - 1);
	made->message_length = MESSAGE_HEADER + sizeof question - 1;
	memcpy(made->data + made->message_length, "why", made->text_length = 3);
	query_entry_init(&entry, made, 0, 0);
	json = printed(&entry);
	assert_string_equal(text_of(json, "name"), "WwW.contoso.corp.");
	assert_string_equal(text_of(json, "text"), "why");
	json_decref(json);
}

static void what_was_dropped_has_no_code(void **state)
{
	struct query_record *made = record("");
	struct query_filter filter = {.suffixes = NULL};
	struct query_entry entry;
	char error[QUERY_FILTER_ERROR_MAX];
	json_t *json;

	(void)state;
	made->length = made->rcode = 0;
	made->turned_away = true;
	query_entry_init(&entry, made, 0, 0);
	json = printed(&entry);
	assert_true(json_is_null(json_object_get(json, "rcode")));
	assert_string_equal(text_of(json, "decided_by"), "admission");
	assert_int_equal(query_filter_add(&filter, "rcode", "NOERROR", error), 0);
	assert_false(query_filter_fits(&filter, &entry));
	query_filter_release(&filter);
	json_decref(json);
}

static void texts_that_are_no_utf8_or_not_seen_are_escaped(void **state)
{
	struct query_entry entry;
	char text[QUERY_ENTRY_TEXT_MAX];
	json_t *json;

	(void)state;
	query_entry_init(&entry, record("\xff \xe2\x80\xae \xf0\x9f\x98\x80 \xc3\xa4"), 0, 0);
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
	query_entry_init(&entry, record(""), 0, 0);
	query_entry_hide_client(&entry);
	assert_string_equal(address_print(&entry.client, text), "10.10.1.0");
	assert_int_equal(entry.port, 0);
	assert_int_equal(address_parse(&entry.client, "2001:db8:1:2:3::4"), 0);
	query_entry_hide_client(&entry);
	assert_string_equal(address_print(&entry.client, text), "2001:db8:1::");
}

static void all_of_a_filter_must_fit_and_one_of_its_values(void **state)
{
	static const struct {
		const char *key, *value;
		bool fits;
	} cases[] = {
		{"suffix", "corp", true},
		{"suffix", "CONTOSO.corp.", true},
		{"suffix", "www.contoso.corp", true},
		{"suffix", "a.www.contoso.corp", false},
		{"suffix", "toso.corp", false},
		{"suffix", "example,corp", true},
		{"suffix", ".", true},
		{"client", "10.10.1.207", true},
		{"client", "10.0.0.0/8", true},
		{"client", "::/0", false},
		{"network", "HUB", true},
		{"network", "spoke", false},
		{"rcode", "NXDOMAIN,servfail", true},
		{"rcode", "NOERROR", false},
		{"slower_than_ms", "12", true},
		{"slower_than_ms", "13", false},
	};
	struct query_entry entry;
	char error[QUERY_FILTER_ERROR_MAX];

	(void)state;
	query_entry_init(&entry, record(""), 5012345, 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct query_filter filter = {.suffixes = NULL};

		assert_int_equal(query_filter_add(&filter, "suffix", "contoso.corp", error), 0);
		if (strcmp(cases[i].key, "suffix") == 0)
			query_filter_release(&filter);
		assert_int_equal(query_filter_add(&filter, cases[i].key, cases[i].value, error), 0);
		assert_int_equal(query_filter_fits(&filter, &entry), cases[i].fits);
		query_filter_release(&filter);
	}
}

static void a_filter_that_is_none_is_told(void **state)
{
	static const char *const wrong[][2] = {
		{"suffix", "a..b"},       {"client", "10.0.0.0/33"},   {"rcode", "OOPS"},
		{"slower_than_ms", "-1"}, {"slower_than_ms", "60001"}, {"slower_than_ms", ""}};
	struct query_filter filter = {.suffixes = NULL};
	char error[QUERY_FILTER_ERROR_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		*error = '\0';
		assert_int_equal(query_filter_add(&filter, wrong[i][0], wrong[i][1], error),
				 ERR_INVALID);
		assert_true(*error);
	}
	assert_int_equal(query_filter_add(&filter, "what", "1", error), ERR_NOT_FOUND);
	query_filter_release(&filter);
}

static void a_frame_has_the_json_and_the_decision(void **state)
{
	static uint8_t frame[DNSTAP_MAX];
	struct query_entry entry;
	char json[QUERY_ENTRY_TEXT_MAX];
	size_t length;

	(void)state;
	query_entry_init(&entry, record("why"), 5012345, 0);
	length = dnstap_write(&entry, json, query_entry_print(&entry, json), "here", frame);
	assert_true(length > strlen(json));
	assert_non_null(memmem(frame, length, json, strlen(json)));
	assert_non_null(memmem(frame, length,
			       "\x12\x07"
			       "contoso",
			       9)); /* policy's rule */
	assert_non_null(memmem(frame, length, question, sizeof question - 1));
	assert_non_null(memmem(frame, length, "here", 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_told_with_all_its_members),
		cmocka_unit_test(a_reply_in_the_record_has_the_question),
		cmocka_unit_test(what_was_dropped_has_no_code),
		cmocka_unit_test(texts_that_are_no_utf8_or_not_seen_are_escaped),
		cmocka_unit_test(privacy_leaves_the_prefix_of_a_client),
		cmocka_unit_test(all_of_a_filter_must_fit_and_one_of_its_values),
		cmocka_unit_test(a_filter_that_is_none_is_told),
		cmocka_unit_test(a_frame_has_the_json_and_the_decision),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
