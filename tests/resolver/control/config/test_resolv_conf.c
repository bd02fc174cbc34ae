/* resolv.conf: what is read from it, what is us, and what becomes of the model. Also the loader's
 * part: when it is wanted, and what a change of it does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "resolver/control/config/resolv_conf.h"
#include "resolver/control/service/load.h"
#include "tests/lib/config_text.h"

static const char network[] =
	"region = \"r\";\n"
	"virtual_networks = ( { name = \"hub\"; address_space = [ \"10.10.0.0/16\" ];\n"
	"  subnets = ( { name = \"in\"; prefix = \"10.10.0.0/28\";\n"
	"                delegation = \"Microsoft.Network/dnsResolvers\"; } ); } );\n"
	"resolvers = ( { name = \"r\"; virtual_network = \"hub\"; inbound_endpoints = (\n"
	"  { name = \"in\"; subnet = \"in\"; allocation = \"static\"; address = \"10.10.0.4\";\n"
	"    listen = \"127.0.0.1:53\"; } ); } );\n";

struct world {
	struct config_text files;
	char path[128];
	struct faults faults;
	struct resolv_conf conf;
};

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	config_text_init(&world->files);
	snprintf(world->path, sizeof world->path, "%s/resolv.conf", world->files.directory);
	faults_init(&world->faults);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	faults_release(&world->faults);
	config_text_release(&world->files);
	free(world);
	return 0;
}

static int read_text(struct world *world, const char *text)
{
	config_text_put(&world->files, "resolv.conf", text);
	return resolv_conf_read(&world->conf, world->path, &world->faults);
}

static void assert_server(const struct world *world, unsigned i, const char *expected)
{
	char text[ADDRESS_TEXT_MAX];
	assert_true(i < world->conf.count);
	assert_string_equal(address_print(&world->conf.servers[i].address, text), expected);
}

static void servers_are_read_in_their_order_with_their_lines(void **state)
{
	struct world *world = *state;
	assert_int_equal(read_text(world, "# nameserver 192.0.2.9\n"
					  "search a.test b.test\n"
					  "options edns0 trust-ad\n"
					  "nameserver 192.0.2.1\n"
					  ";nameserver 192.0.2.8\n"
					  "nameserver\t 2001:db8::1   # text\n"
					  "nameserver192.0.2.7\n"
					  " nameserver 192.0.2.6\n"
					  "nameserver 192.0.2.3"),
			 0);
	assert_int_equal(world->conf.count, 3);
	assert_server(world, 0, "192.0.2.1");
	assert_server(world, 1, "2001:db8::1");
	assert_server(world, 2, "192.0.2.3");
	assert_int_equal(world->conf.servers[1].line, 6);
	assert_int_equal(world->faults.count, 0);
}

static void what_cannot_be_used_is_a_warning_with_its_line(void **state)
{
	struct world *world = *state;
	assert_int_equal(read_text(world, "nameserver fe80::1%eth0\n"
					  "nameserver 2001:db8::1%eth0\n"
					  "nameserver resolver.test\n"
					  "nameserver \n"),
			 0);
	assert_int_equal(world->conf.count, 1);
	assert_server(world, 0, "2001:db8::1");
	assert_int_equal(world->faults.warnings, 3);
	assert_int_equal(world->faults.errors, 0);
	assert_int_equal(world->faults.items[0].origin.line, 1);
	assert_int_equal(world->faults.items[1].origin.line, 3);
	assert_int_equal(world->faults.items[2].origin.line, 4);
}

static void six_servers_are_used_and_the_seventh_is_passed_over(void **state)
{
	struct world *world = *state;
	assert_int_equal(read_text(world, "nameserver 192.0.2.1\nnameserver 192.0.2.2\n"
					  "nameserver 192.0.2.3\nnameserver 192.0.2.4\n"
					  "nameserver 192.0.2.5\nnameserver 192.0.2.6\n"),
			 0);
	assert_int_equal(world->conf.count, 6);
	assert_int_equal(world->faults.count, 0);
	assert_int_equal(read_text(world, "nameserver 192.0.2.1\nnameserver 192.0.2.2\n"
					  "nameserver 192.0.2.3\nnameserver 192.0.2.4\n"
					  "nameserver 192.0.2.5\nnameserver 192.0.2.6\n"
					  "nameserver 192.0.2.7\n"),
			 0);
	assert_int_equal(world->conf.count, 6);
	assert_int_equal(world->faults.warnings, 1);
	assert_int_equal(world->faults.items[0].origin.line, 7);
}

static void a_line_longer_than_the_buffer_is_one_line(void **state)
{
	struct world *world = *state;
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	fputs("search ", out);
	for (int i = 0; i < 1016; i++)
		fputc('x', out);
	/* without care, the rest of the line would be read as a line of its own */
	fputs("nameserver 192.0.2.9\nnameserver 192.0.2.1\n", out);
	fclose(out);
	assert_int_equal(read_text(world, text), 0);
	free(text);
	assert_int_equal(world->conf.count, 1);
	assert_server(world, 0, "192.0.2.1");
	assert_int_equal(world->conf.servers[0].line, 2);
}

static void a_server_that_is_there_twice_is_used_once(void **state)
{
	struct world *world = *state;
	assert_int_equal(read_text(world, "nameserver 192.0.2.1\nnameserver 192.0.2.2\n"
					  "nameserver 192.0.2.1\nnameserver 192.0.2.1%eth0\n"),
			 0);
	assert_int_equal(world->conf.count, 2);
	assert_server(world, 0, "192.0.2.1");
	assert_server(world, 1, "192.0.2.2");
	assert_int_equal(world->faults.errors, 0);
	assert_int_equal(world->faults.warnings, 2);
	assert_int_equal(world->faults.items[0].origin.line, 3);
	assert_non_null(strstr(world->faults.items[0].text, "192.0.2.1 is there twice"));
}

static void the_unspecified_address_is_this_machine(void **state)
{
	struct world *world = *state;
	assert_int_equal(read_text(world, "nameserver 0.0.0.0\nnameserver ::\n"
					  "nameserver 127.0.0.1\n"),
			 0);
	assert_int_equal(world->conf.count, 2);
	assert_server(world, 0, "127.0.0.1");
	assert_server(world, 1, "::1");
	assert_int_equal(world->faults.errors, 0);
	assert_int_equal(world->faults.warnings, 3); /* the third server is the first */
}

static void an_address_of_many_is_passed_over(void **state)
{
	struct world *world = *state;
	assert_int_equal(read_text(world, "nameserver 224.0.0.251\nnameserver 255.255.255.255\n"
					  "nameserver ff02::fb\nnameserver 192.0.2.1\n"),
			 0);
	assert_int_equal(world->conf.count, 1);
	assert_server(world, 0, "192.0.2.1");
	assert_int_equal(world->faults.errors, 0);
	assert_int_equal(world->faults.warnings, 3);
}

/* Opening a FIFO waits for a writer; the alarm ends a test that does. */
static void a_fifo_is_not_waited_for(void **state)
{
	struct world *world = *state;
	assert_int_equal(mkfifo(world->path, 0600), 0);
	alarm(60);
	assert_int_equal(resolv_conf_read(&world->conf, world->path, &world->faults), ERR_SYSTEM);
	alarm(0);
	assert_non_null(strstr(world->faults.items[0].text, "it is not a regular file"));
}

static void a_missing_file_is_a_fault(void **state)
{
	struct world *world = *state;
	assert_int_equal(resolv_conf_read(&world->conf, world->path, &world->faults), ERR_SYSTEM);
	assert_int_equal(world->faults.errors, 1);
	assert_non_null(strstr(world->faults.items[0].text, "default_resolver.targets"));
}

/* ---- the model ---- */

static void what_is_us_is_left_out_with_a_warning(void **state)
{
	struct world *world = *state;
	struct model *model = config_text_load(&world->files, network);
	assert_non_null(model);
	assert_true(resolv_conf_wanted(model));
	assert_int_equal(read_text(world, "nameserver 127.0.0.1\nnameserver 10.10.0.4\n"
					  "nameserver 192.0.2.1\nnameserver 127.0.0.2\n"),
			 0);
	assert_int_equal(resolv_conf_apply(&world->conf, world->path, model, &world->faults), 0);
	assert_int_equal(world->faults.warnings, 2);
	assert_int_equal(world->faults.items[0].origin.line, 1);
	assert_int_equal(world->faults.items[1].origin.line, 2);
	assert_int_equal(model->default_resolver.targets.count, 2);
	const struct target_server *target = &model->default_resolver.targets.items[0];
	char text[ADDRESS_TEXT_MAX];
	assert_string_equal(address_print(&target->address, text), "192.0.2.1");
	assert_int_equal(target->port, 53);
	assert_int_equal(target->protocol, PROTOCOL_UDP);
	assert_int_equal(target->origin.line, 3);
	model_free(model);
}

static void listening_on_another_port_is_not_us(void **state)
{
	struct world *world = *state;
	char text[1024];
	snprintf(text, sizeof text, "%s", network);
	memcpy(strstr(text, ":53\""), ":54", 3);
	struct model *model = config_text_load(&world->files, text);
	assert_non_null(model);
	assert_int_equal(read_text(world, "nameserver 127.0.0.1\n"), 0);
	assert_int_equal(resolv_conf_apply(&world->conf, world->path, model, &world->faults), 0);
	assert_int_equal(world->faults.count, 0);
	model_free(model);
}

static void listening_on_all_addresses_is_us_on_every_local_one(void **state)
{
	struct world *world = *state;
	char text[1200];
	snprintf(text, sizeof text, "%svnet_resolver = { listen = [ \"0.0.0.0:53\" ]; };\n",
		 network);
	memcpy(strstr(text, ":53\""), ":54", 3);
	struct model *model = config_text_load(&world->files, text);
	assert_non_null(model);
	assert_int_equal(read_text(world, "nameserver 127.9.9.9\nnameserver ::1\n"), 0);
	assert_int_equal(resolv_conf_apply(&world->conf, world->path, model, &world->faults), 0);
	assert_int_equal(world->faults.warnings, 1);
	assert_int_equal(model->default_resolver.targets.count, 1);
	assert_int_equal(model->default_resolver.targets.items[0].address.family, 6);
	model_free(model);
}

static void none_left_is_a_fault_and_the_model_is_as_it_was(void **state)
{
	struct world *world = *state;
	struct model *model = config_text_load(&world->files, network);
	assert_non_null(model);
	assert_int_equal(read_text(world, "nameserver 127.0.0.1\n"), 0);
	assert_int_equal(resolv_conf_apply(&world->conf, world->path, model, &world->faults),
			 ERR_FAULTS);
	assert_int_equal(world->faults.errors, 1);
	assert_int_equal(model->default_resolver.targets.count, 0);
	model_free(model);
}

/* ---- the loader ---- */

static struct model *load_text(struct world *world, struct load *load, const char *config)
{
	config_text_put(&world->files, "sluice.conf", config);
	load_init(load, world->files.main_file, world->path);
	struct model *model = load_model(load, NULL, &world->faults);

	if (model)
		load_adopt(load);
	return model;
}

static void resolv_conf_is_wanted_only_without_targets_and_with_a_network(void **state)
{
	struct world *world = *state;
	char text[1200];
	struct load load;
	struct model *model = load_text(world, &load, "region = \"r\";\n");
	assert_non_null(model); /* although there is no resolv.conf */
	assert_false(load.follows);
	model_free(model);
	snprintf(text, sizeof text,
		 "%sdefault_resolver = { targets = ( { address = \"192.0.2.53\"; } ); };\n",
		 network);
	model = load_text(world, &load, text);
	assert_non_null(model);
	assert_false(load.follows);
	model_free(model);
	assert_null(load_text(world, &load, network));
	assert_int_equal(world->faults.errors, 1);
}

static void a_change_is_taken_over_and_can_be_undone(void **state)
{
	struct world *world = *state;
	struct load load;
	struct load_targets before;
	config_text_put(&world->files, "resolv.conf", "nameserver 192.0.2.1\n");
	struct model *model = load_text(world, &load, network);
	assert_non_null(model);
	assert_true(load.follows);
	config_text_put(&world->files, "resolv.conf", "# text\nnameserver 192.0.2.1\n");
	assert_int_equal(load_resolv_conf(&load, model, &before, &world->faults), ERR_EXISTS);

	config_text_put(&world->files, "resolv.conf",
			"nameserver 192.0.2.2\nnameserver 192.0.2.1\n");
	assert_int_equal(load_resolv_conf(&load, model, &before, &world->faults), 0);
	assert_int_equal(model->default_resolver.targets.count, 2);
	load_restore(&load, model, &before);
	assert_int_equal(model->default_resolver.targets.count, 1);
	assert_int_equal(load_resolv_conf(&load, model, &before, &world->faults), 0);

	config_text_put(&world->files, "resolv.conf", "nameserver 127.0.0.1\n");
	assert_int_equal(load_resolv_conf(&load, model, &before, &world->faults), ERR_FAULTS);
	assert_int_equal(model->default_resolver.targets.count, 2);
	model_free(model);
}

/* A laptop that changes networks all day is served from one model. */
static void changes_take_no_more_memory(void **state)
{
	struct world *world = *state;
	struct load load;
	struct load_targets before;
	config_text_put(&world->files, "resolv.conf", "nameserver 192.0.2.1\n");
	struct model *model = load_text(world, &load, network);
	assert_non_null(model);
	size_t used_bytes = model->arena.used_bytes;
	for (int i = 0; i < 100; i++) {
		config_text_put(&world->files, "resolv.conf",
				i % 2 ? "nameserver 192.0.2.1\n"
				      : "nameserver 192.0.2.2\nnameserver 192.0.2.3\n"
					"nameserver 192.0.2.4\nnameserver 192.0.2.5\n"
					"nameserver 192.0.2.6\nnameserver 192.0.2.7\n");
		assert_int_equal(load_resolv_conf(&load, model, &before, &world->faults), 0);
		assert_int_equal(model->default_resolver.targets.count, i % 2 ? 1 : 6);
		load_restore(&load, model, &before);
		assert_int_equal(model->default_resolver.targets.count, i % 2 ? 6 : 1);
		assert_int_equal(load_resolv_conf(&load, model, &before, &world->faults), 0);
	}
	assert_int_equal(model->arena.used_bytes, used_bytes);
	assert_string_equal(model->default_resolver.targets.items[0].origin.file, world->path);
	model_free(model);
}

static void resolv_conf_s_faults_are_told_beside_the_file_s(void **state)
{
	struct world *world = *state;
	char text[1200];
	struct load load;
	snprintf(text, sizeof text, "%sworkers = \"many\";\n", network);
	assert_null(load_text(world, &load, text));
	assert_int_equal(world->faults.errors, 2); /* that, and no resolv.conf */
	bool told = false;
	for (size_t i = 0; i < world->faults.count; i++)
		told = told || strstr(world->faults.items[i].text, "no other default resolver");
	assert_true(told);
}

/* What glibc puts up with must not keep the server from starting. */
static void what_the_c_library_takes_is_no_error(void **state)
{
	struct world *world = *state;
	struct load load;
	config_text_put(&world->files, "resolv.conf",
			"nameserver 192.0.2.1\nnameserver 192.0.2.1\nnameserver 0.0.0.0\n"
			"nameserver ::\nnameserver 224.0.0.1\nnameserver 255.255.255.255\n");
	struct model *model = load_text(world, &load, network);
	assert_non_null(model);
	/* 0.0.0.0 is 127.0.0.1, and there we listen ourselves */
	assert_int_equal(model->default_resolver.targets.count, 2);
	model_free(model);
}

static void a_change_that_the_checks_refuse_is_undone(void **state)
{
	struct world *world = *state;
	struct load load;
	struct load_targets before;
	config_text_put(&world->files, "resolv.conf", "nameserver 192.0.2.1\n");
	struct model *model = load_text(world, &load, network);
	assert_non_null(model);
	config_text_put(&world->files, "resolv.conf", "nameserver 192.0.2.2\n");
	model->cache.ttl_min = model->cache.ttl_max + 1; /* which the checks refuse */
	assert_int_equal(load_resolv_conf(&load, model, &before, &world->faults), ERR_FAULTS);
	assert_true(world->faults.errors > 0);
	char text[ADDRESS_TEXT_MAX];
	assert_string_equal(address_print(&model->default_resolver.targets.items[0].address, text),
			    "192.0.2.1");
	model_free(model);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(servers_are_read_in_their_order_with_their_lines),
		TEST(what_cannot_be_used_is_a_warning_with_its_line),
		TEST(six_servers_are_used_and_the_seventh_is_passed_over),
		TEST(a_line_longer_than_the_buffer_is_one_line),
		TEST(a_server_that_is_there_twice_is_used_once),
		TEST(the_unspecified_address_is_this_machine),
		TEST(an_address_of_many_is_passed_over),
		TEST(a_fifo_is_not_waited_for),
		TEST(a_missing_file_is_a_fault),
		TEST(what_is_us_is_left_out_with_a_warning),
		TEST(listening_on_another_port_is_not_us),
		TEST(listening_on_all_addresses_is_us_on_every_local_one),
		TEST(none_left_is_a_fault_and_the_model_is_as_it_was),
		TEST(resolv_conf_is_wanted_only_without_targets_and_with_a_network),
		TEST(a_change_is_taken_over_and_can_be_undone),
		TEST(changes_take_no_more_memory),
		TEST(resolv_conf_s_faults_are_told_beside_the_file_s),
		TEST(what_the_c_library_takes_is_no_error),
		TEST(a_change_that_the_checks_refuse_is_undone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
