/* Secrets in files: read without the blanks around them, and every way in which that fails is told
 * at the key, without a word of the secret. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "resolver/control/config/secret_files.h"
#include "rules/schema/tsig_secret.h"
#include "tests/lib/config_text.h"

struct fixture {
	struct config_text config;
	struct model *model;
	struct tsig_settings key;
	char path[128];
	struct faults faults;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	config_text_init(&f->config);
	faults_init(&f->faults);
	f->model = model_new();
	snprintf(f->path, sizeof f->path, "%s/secret", f->config.directory);
	f->key = (struct tsig_settings){.origin.path = "keys[k]", .secret_file = f->path};
	f->model->keys.items = &f->key;
	f->model->keys.count = 1;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	model_free(f->model);
	faults_release(&f->faults);
	config_text_release(&f->config);
	free(f);
	return 0;
}

static void read_file(struct fixture *f, const char *text, mode_t mode)
{
	if (text) {
		config_text_put(&f->config, "secret", text);
		assert_int_equal(chmod(f->path, mode), 0);
	}
	secret_files_read(f->model, &f->faults);
}

static void a_secret_is_read_without_the_blanks_behind_it(void **state)
{
	struct fixture *f = *state;

	read_file(f, "Zm9vYmFy\r\n\n", 0600);
	assert_int_equal(f->faults.count, 0);
	assert_string_equal(f->key.loaded, "Zm9vYmFy");
}

static void a_file_that_others_may_read_is_warned_of_and_read(void **state)
{
	struct fixture *f = *state;

	read_file(f, "Zm9vYmFy", 0640);
	assert_int_equal(f->faults.count, 1);
	assert_int_equal(f->faults.errors, 0);
	assert_non_null(strstr(f->faults.items[0].text, "chmod 600"));
	assert_string_equal(f->key.loaded, "Zm9vYmFy");
}

static void load_with_secret(struct fixture *f, const char *secret, mode_t mode)
{
	struct tsig_settings keys[] = {
		{.name = "a",
		 .secret = secret,
		 .origin = {.file = f->path, .line = 3, .path = "keys[a]"}},
		{.name = "b",
		 .secret = secret,
		 .origin = {.file = f->path, .line = 4, .path = "keys[b]"}},
	};

	config_text_put(&f->config, "secret", "");
	assert_int_equal(chmod(f->path, mode), 0);
	f->model->keys.items = keys;
	f->model->keys.count = 2;
	secret_files_read(f->model, &f->faults);
}

static void a_configuration_with_a_secret_that_everybody_may_read_is_warned_of_once(void **state)
{
	struct fixture *f = *state;

	load_with_secret(f, NULL, 0644);
	load_with_secret(f, "Zm9v", 0640);
	assert_int_equal(f->faults.count, 0);
	load_with_secret(f, "Zm9v", 0644);
	assert_int_equal(f->faults.count, 1);
	assert_int_equal(f->faults.errors, 0);
	assert_string_equal(f->faults.items[0].origin.path, "keys[a].secret");
	assert_non_null(strstr(f->faults.items[0].text,
			       "secret holds a secret and is open to other users; chmod o= it"));
}

static void a_file_that_is_not_there_is_an_error_at_its_key(void **state)
{
	struct fixture *f = *state;

	read_file(f, NULL, 0);
	assert_int_equal(f->faults.errors, 1);
	assert_string_equal(f->faults.items[0].origin.path, "keys[k].secret_file");
	assert_null(f->key.loaded);
}

static void a_file_holds_512_characters_and_not_513(void **state)
{
	struct fixture *f = *state;
	char text[2 * TSIG_SECRET_MAX + 2];

	memset(text, 'A', sizeof text);
	text[2 * TSIG_SECRET_MAX] = '\0';
	read_file(f, text, 0600);
	assert_int_equal(f->faults.count, 0);
	assert_int_equal(strlen(f->key.loaded), 2 * TSIG_SECRET_MAX);
	f->key.loaded = NULL;
	text[2 * TSIG_SECRET_MAX] = 'A';
	text[2 * TSIG_SECRET_MAX + 1] = '\0';
	read_file(f, text, 0600);
	assert_int_equal(f->faults.errors, 1);
	assert_null(f->key.loaded);
	assert_null(strstr(f->faults.items[0].text, "AAAA"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_secret_is_read_without_the_blanks_behind_it),
		TEST(a_file_that_others_may_read_is_warned_of_and_read),
		TEST(a_configuration_with_a_secret_that_everybody_may_read_is_warned_of_once),
		TEST(a_file_that_is_not_there_is_an_error_at_its_key),
		TEST(a_file_holds_512_characters_and_not_513),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
