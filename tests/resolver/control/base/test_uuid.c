/* Identities: their form, and that a name's is the one that RFC 4122 makes of it. */
#include "resolver/control/base/uuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_names_identity_is_the_one_of_the_rfc(void **state)
{
	char text[UUID_TEXT_MAX];

	(void)state;
	/* As Python's uuid.uuid5 has them. */
	assert_string_equal(uuid_of_name("address/group/full", text),
			    "4da4383e-0b6f-55d0-a168-2519700924b1");
	assert_string_equal(uuid_of_name("", text), "eea5594f-6b75-5e0b-9d5b-26856fe7b40f");
}

static void a_namespace_gives_identities_of_its_own(void **state)
{
	static const uint8_t dns[UUID_BYTES] = {0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1,
						0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8};
	char text[UUID_TEXT_MAX];

	(void)state;
	assert_string_equal(uuid_in_namespace(dns, "python.org", text),
			    "886313e1-3b8a-5372-9b90-0c9aee199e5d");
}

static void random_identities_are_of_version_4_and_differ(void **state)
{
	char one[UUID_TEXT_MAX], two[UUID_TEXT_MAX];

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		uuid_random(one);
		uuid_random(two);
		assert_int_equal(strlen(one), 36);
		assert_true(one[8] == '-' && one[13] == '-' && one[18] == '-' && one[23] == '-');
		assert_int_equal(one[14], '4');
		assert_non_null(strchr("89ab", one[19]));
		assert_string_not_equal(one, two);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_names_identity_is_the_one_of_the_rfc),
		cmocka_unit_test(a_namespace_gives_identities_of_its_own),
		cmocka_unit_test(random_identities_are_of_version_4_and_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
