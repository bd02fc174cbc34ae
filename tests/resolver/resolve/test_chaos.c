#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "resolver/resolve/chaos.h"
#include "tests/lib/message_text.h"
#include "tests/lib/model_builder.h"

/* The records of the answer; "none" where there is none to give. */
static const char *answer(const struct policy *policy, const char *qname, uint16_t type)
{
	static char records[2000];
	uint8_t query[MESSAGE_UDP_MIN], wire[2000];
	struct name name = test_name(qname);
	const struct request request = {.flags = FLAG_RD};
	const struct message_end end = {.ede = EDE_NONE, .limit = sizeof wire};
	struct message message;
	struct message_text text;
	size_t length = request_write(query, 1, FLAG_RD, qname, type, CLASS_CH, 0, false);

	message_begin(&message, wire, sizeof wire, query + MESSAGE_HEADER,
		      (uint16_t)(length - MESSAGE_HEADER));
	if (!chaos_answer(&message, policy, &name, type))
		return "none";
	assert_true(message_read_text(&text, wire, message_finish(&message, &request, &end)));
	snprintf(records, sizeof records, "%s", text.records);
	message_text_release(&text);
	return records;
}

static void it_tells_what_the_configuration_says(void **state)
{
	const struct policy policy = {.version = "sluice 1", .server = "hub-1"};

	(void)state;
	assert_string_equal(answer(&policy, "version.bind.", TYPE_TXT),
			    "answer version.bind. 0 CH TXT \"sluice 1\"\n");
	assert_string_equal(answer(&policy, "VERSION.Server.", TYPE_TXT),
			    "answer VERSION.Server. 0 CH TXT \"sluice 1\"\n");
	assert_string_equal(answer(&policy, "id.server.", TYPE_ANY),
			    "answer id.server. 0 CH TXT \"hub-1\"\n");
	assert_string_equal(answer(&policy, "hostname.bind.", TYPE_TXT),
			    "answer hostname.bind. 0 CH TXT \"hub-1\"\n");
}

static void by_default_it_tells_nothing(void **state)
{
	const struct policy policy = {.server = "hub-1"}, silent = {.version = "sluice"};

	(void)state;
	assert_string_equal(answer(&policy, "version.bind.", TYPE_TXT), "none");
	assert_string_equal(answer(&silent, "id.server.", TYPE_TXT), "none");
}

static void no_other_name_or_type_has_an_answer(void **state)
{
	const struct policy policy = {.version = "sluice", .server = "hub-1"};

	(void)state;
	assert_string_equal(answer(&policy, "version.bind.", TYPE_A), "none");
	assert_string_equal(answer(&policy, "authors.bind.", TYPE_TXT), "none");
	assert_string_equal(answer(&policy, "x.version.bind.", TYPE_TXT), "none");
	assert_string_equal(answer(&policy, "version.bindx.", TYPE_TXT), "none");
	assert_string_equal(answer(&policy, ".", TYPE_TXT), "none");
}

static void a_long_text_is_cut_to_one_string(void **state)
{
	char text[301] = "", expected[300];
	const struct policy policy = {.version = text};

	(void)state;
	memset(text, 'x', 300);
	snprintf(expected, sizeof expected, "answer version.bind. 0 CH TXT \"%.255s\"\n", text);
	assert_string_equal(answer(&policy, "version.bind.", TYPE_TXT), expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_tells_what_the_configuration_says),
		cmocka_unit_test(by_default_it_tells_nothing),
		cmocka_unit_test(no_other_name_or_type_has_an_answer),
		cmocka_unit_test(a_long_text_is_cut_to_one_string),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
