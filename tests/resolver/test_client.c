/* Where a command looks for the server: the option, the file whatever state it is in, the default.
 * And what it says when nobody is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "resolver/control/client.h"
#include "tests/config_text.h"

struct world {
	struct config_text files;
	struct command_line line;
	char path[CLIENT_PATH_MAX];
};

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	config_text_init(&world->files);
	world->line.config = world->files.main_file;
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	config_text_release(&world->files);
	free(world);
	return 0;
}

static void assert_path(struct world *world, const char *config, const char *expected)
{
	char full[CLIENT_PATH_MAX];
	config_text_put(&world->files, "sluice.conf", config);
	snprintf(full, sizeof full, "%s%s%s", *expected == '/' ? "" : world->files.directory,
		 *expected == '/' ? "" : "/", expected);
	assert_string_equal(client_socket_path(&world->line, world->path), full);
}

static void the_option_comes_first(void **state)
{
	struct world *world = *state;
	world->line.socket = "/run/other.sock";
	assert_path(world, "management = { socket = \"/run/x.sock\"; };\n", "/run/other.sock");
}

static void the_file_s_path_is_relative_to_the_file(void **state)
{
	struct world *world = *state;
	assert_path(world, "management = { socket = \"/run/x.sock\"; };\n", "/run/x.sock");
	assert_path(world, "management = { socket = \"x.sock\"; };\n", "x.sock");
	config_text_put(&world->files, "more.conf", "management = { socket = \"y.sock\"; };\n");
	assert_path(world, "@include \"more.conf\"\n", "y.sock");
}

static void a_file_full_of_faults_still_says_where(void **state)
{
	struct world *world = *state;
	assert_path(world,
		    "workers = \"many\"; nonsense = 1;\nmanagement = { socket = \"x.sock\"; };\n",
		    "x.sock");
}

static void a_file_that_does_not_say_means_the_default(void **state)
{
	struct world *world = *state;
	assert_path(world, "region = \"r\";\n", "/run/sluice/control.sock");
	assert_path(world, "region = ;\n", "/run/sluice/control.sock");
	world->line.config = "/nonexistent/sluice.conf";
	assert_string_equal(client_socket_path(&world->line, world->path),
			    "/run/sluice/control.sock");
}

static void nobody_there_is_no_answer(void **state)
{
	struct world *world = *state;
	char said[512] = "";
	int before = dup(STDERR_FILENO);
	FILE *caught = tmpfile();
	config_text_put(&world->files, "sluice.conf", "management = { socket = \"x.sock\"; };\n");
	dup2(fileno(caught), STDERR_FILENO);
	json_t *answer = client_ask(&world->line, json_pack("{s:s}", "command", "status"), 1000);
	dup2(before, STDERR_FILENO);
	close(before);
	ssize_t length = pread(fileno(caught), said, sizeof said - 1, 0);
	fclose(caught);
	assert_null(answer);
	assert_true(length > 0);
	assert_non_null(strstr(said, "x.sock"));
	assert_ptr_equal(strchr(said, '\n'), said + length - 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_option_comes_first),
		TEST(the_file_s_path_is_relative_to_the_file),
		TEST(a_file_full_of_faults_still_says_where),
		TEST(a_file_that_does_not_say_means_the_default),
		TEST(nobody_there_is_no_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
