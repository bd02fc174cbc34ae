/* A configuration as files of its own: what is read from them is what was served, whatever has
 * become of those that it came from. */
#include "resolver/control/config/copy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "resolver/control/config/file.h"
#include "resolver/control/config/write.h"
#include "rules/zone/zone.h"
#include "tests/lib/config_text.h"

static const char configuration[] =
	"region = \"here\";\n"
	"private_zones = ( { name = \"a.test\"; file = \"zone\"; },\n"
	"  { name = \"b.test\"; file = \"zone\"; } );\n"
	"keys = ( { name = \"k.\"; secret_file = \"k.secret\"; },\n"
	"  { name = \"l.\"; secret = \"bGwtbGwtbGwtbGwtbGwtbGw=\"; } );\n"
	"udp = { cookie_secret_file = \"cookies\"; };\n"
	"management = { socket = \"control.sock\"; certificate = \"c.pem\"; key = \"k.pem\";\n"
	"  clients = ( { id = \"ops\"; secret_file = \"ops.secret\"; } ); };\n";
static const char zone[] = "@ 60 IN SOA ns hostmaster 1 2 3 4 5\n"
			   "www A 192.0.2.1\nwww A 192.0.2.2\n*.Wild 7 TXT \"a;\\\"b\" \"\"\n"
			   "odd\\.dot\\032x CNAME www\n@ MX 10 Mail\nraw TYPE65280 \\# 2 0102\n"
			   "svc HTTPS 1 . alpn=h2 port=8443\n_x._tcp SRV 1 2 3 t.elsewhere.\n";

static int set_up(void **state)
{
	struct config_text *config = calloc(1, sizeof *config);

	config_text_init(config);
	config_text_put(config, "sluice.conf", configuration);
	config_text_put(config, "zone", zone);
	config_text_put(config, "k.secret", "a2sta2sta2sta2sta2sta2s=\n");
	config_text_put(config, "cookies",
			"000102030405060708090a0b0c0d0eff\n77777777777777777777777777777777\n");
	config_text_put(config, "ops.secret", "secret-secret-secret\n");
	config_text_put(config, "c.pem", "chain");
	config_text_put(config, "k.pem", "key\n");
	*state = config;
	return 0;
}

static int tear_down(void **state)
{
	config_text_release(*state);
	free(*state);
	return 0;
}

static struct model *read_fine(struct config_text *config)
{
	struct model *model = config_text_read(config, NULL);

	if (config->faults.errors > 0)
		faults_print(&config->faults, stderr);
	assert_int_equal(config->faults.errors, 0);
	assert_non_null(model);
	return model;
}

static void assert_zones_equal(const struct zone *a, const struct zone *b)
{
	struct zone_cursor of_a = {0}, of_b = {0};
	const uint8_t *owner_a, *owner_b;
	const struct rrset *set_a, *set_b;
	bool more;

	do {
		more = zone_next(a, &of_a, &owner_a, &set_a);
		assert_int_equal(zone_next(b, &of_b, &owner_b, &set_b), more);
		if (!more)
			return;
		assert_memory_equal(owner_a, owner_b, name_wire_length(owner_a));
		assert_int_equal(set_a->length, set_b->length);
		assert_memory_equal(set_a->wire, set_b->wire, set_a->length);
	} while (more);
}

/* The model as text, without the lines that have paths in them. */
static char *print(const struct model *model)
{
	char *text = NULL, *line, *rest, *kept = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	assert_int_equal(config_file_write(model, out), 0);
	fclose(out);
	out = open_memstream(&kept, &length);
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (!strstr(line, "\"/"))
			fprintf(out, "%s\n", line);
	fclose(out);
	free(text);
	return kept;
}

static void assert_file(const char *directory, const char *name, const char *expected)
{
	char path[256], text[256];
	struct stat stat;
	FILE *file;
	size_t length;

	snprintf(path, sizeof path, "%s/%s", directory, name);
	file = fopen(path, "r");
	assert_non_null(file);
	length = fread(text, 1, sizeof text - 1, file);
	text[length] = '\0';
	assert_string_equal(text, expected);
	assert_int_equal(fstat(fileno(file), &stat), 0);
	assert_int_equal(stat.st_mode & 07777, 0600);
	fclose(file);
}

/* In a copy, a made-up SOA would become the zone's own, which no registration replaces. */
static void a_made_up_soa_is_not_in_a_copy(void **state)
{
	struct config_text *config = *state;
	char directory[128], path[160], error[CONFIG_COPY_ERROR_MAX];
	static const struct hash_key key;
	struct model *before, *after;

	config_text_put(config, "zone", "www A 192.0.2.1\n");
	before = read_fine(config);
	snprintf(directory, sizeof directory, "%s/copy", config->directory);
	snprintf(path, sizeof path, "%s/" CONFIG_COPY_FILE, directory);
	assert_int_equal(config_copy_write(before, directory, error), 0);
	after = config_file_read(path, &key, NULL, &config->faults);
	assert_non_null(after);
	assert_false(zone_has_own_soa(after->private_zones.items[0].zone));
	assert_zones_equal(before->private_zones.items[0].zone, after->private_zones.items[0].zone);
	config_copy_remove(directory);
	model_free(before);
	model_free(after);
}

static void what_is_read_from_a_copy_is_what_it_was_made_of(void **state)
{
	struct config_text *config = *state;
	struct model *before = read_fine(config), *after;
	char directory[128], path[160], error[CONFIG_COPY_ERROR_MAX], *text, *copied;
	static const struct hash_key key;

	snprintf(directory, sizeof directory, "%s/copy", config->directory);
	snprintf(path, sizeof path, "%s/" CONFIG_COPY_FILE, directory);
	assert_int_equal(config_copy_write(before, directory, error), 0);
	config_text_put(config, "zone", "other A 192.0.2.9\n");
	config_text_put(config, "k.secret", "");
	config_text_put(config, "cookies", "");
	after = config_file_read(path, &key, NULL, &config->faults);
	assert_non_null(after);
	assert_int_equal(config->faults.errors, 0);
	for (size_t i = 0; i < 2; i++)
		assert_zones_equal(before->private_zones.items[i].zone,
				   after->private_zones.items[i].zone);
	assert_string_equal(before->keys.items[0].loaded, after->keys.items[0].loaded);
	assert_int_equal(after->udp.cookie_keys, 2);
	assert_memory_equal(before->udp.cookie_key, after->udp.cookie_key,
			    sizeof before->udp.cookie_key);
	text = print(before);
	copied = print(after);
	assert_string_equal(text, copied);
	assert_file(directory, "client-0", "secret-secret-secret\n");
	assert_file(directory, "certificate", "chain");
	assert_file(directory, "key", "key\n");
	assert_file(directory, "cookies",
		    "000102030405060708090a0b0c0d0eff\n77777777777777777777777777777777\n");
	free(text);
	free(copied);
	model_free(before);
	model_free(after);
	config_copy_remove(directory);
	assert_int_not_equal(access(directory, F_OK), 0);
}

static void what_cannot_be_read_or_written_is_named(void **state)
{
	struct config_text *config = *state;
	struct model *model = read_fine(config);
	char directory[128], path[160], error[CONFIG_COPY_ERROR_MAX];

	assert_int_equal(config_copy_write(model, "/proc/nowhere", error), ERR_SYSTEM);
	assert_string_equal(error, "/proc/nowhere cannot be made: No such file or directory");
	snprintf(directory, sizeof directory, "%s/copy", config->directory);
	snprintf(path, sizeof path, "%s/ops.secret", config->directory);
	unlink(path);
	assert_int_equal(config_copy_write(model, directory, error), ERR_SYSTEM);
	assert_non_null(strstr(error, "/ops.secret cannot be read: No such file or directory"));
	model_free(model);
	config_copy_remove(directory);
	config_copy_remove(directory); /* nothing is there: fine */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_read_from_a_copy_is_what_it_was_made_of,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_made_up_soa_is_not_in_a_copy, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_cannot_be_read_or_written_is_named, set_up,
						tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
