/* A file or a socket of the query log: what is put in comes out whole and in order, what fails is
 * told, tried again and, where there is no room for it, lost and counted. */
#include "resolver/control/observe/query_log/query_output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "resolver/log.h"

enum { PATIENCE_MS = 10000, FILE_MAX = 64 * 1024 };

struct world {
	char directory[32], path[64];
	struct query_output *output;
	struct query_output_status status; /* the latest that was read */
	uint8_t bytes[FILE_MAX];           /* the latest that was read */
	size_t length;
};

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof *world);

	log_configure(LOG_ERROR, LOG_TEXT);
	snprintf(world->directory, sizeof world->directory, "/tmp/sluice-output-XXXXXX");
	assert_non_null(mkdtemp(world->directory));
	snprintf(world->path, sizeof world->path, "%s/queries", world->directory);
	*state = world;
	return 0;
}

/* Name of a file there that begins so and is another one; "": there is none. */
static void find_other(const struct world *world, const char *name, char path[512])
{
	DIR *directory = opendir(world->directory);
	const struct dirent *entry;

	*path = '\0';
	while ((entry = readdir(directory)))
		if (strncmp(entry->d_name, name, strlen(name)) == 0 &&
		    strcmp(entry->d_name, name) != 0)
			snprintf(path, 512, "%s/%s", world->directory, entry->d_name);
	closedir(directory);
}

static int tear_down(void **state)
{
	struct world *world = *state;
	char other[512];

	query_output_free(world->output);
	unlink(world->path);
	do {
		find_other(world, "queries", other);
	} while (*other && remove(other) == 0);
	rmdir(world->directory);
	free(world);
	return 0;
}

static void begin(struct world *world, enum query_output_kind kind)
{
	world->output = query_output_new(kind, world->path, 0);
	assert_non_null(world->output);
}

static void put(struct world *world, const char *entry)
{
	query_output_put(world->output, entry, strlen(entry));
	query_output_wake(world->output);
}

/* Its end. A thread that is slow to write is not waited for: what is to be in the file must have
 * been written before. */
static void end(struct world *world)
{
	query_output_free(world->output);
	world->output = NULL;
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void read_path(struct world *world, const char *path)
{
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	world->length = fread(world->bytes, 1, sizeof world->bytes - 1, file);
	world->bytes[world->length] = '\0';
	fclose(file);
}

static void assert_file(struct world *world, const char *path, const char *text)
{
	read_path(world, path);
	assert_string_equal((const char *)world->bytes, text);
}

static bool has_error(const struct query_output_status *status)
{
	return *status->error;
}

static bool has_written(const struct query_output_status *status)
{
	return status->written > 0;
}

static bool has_written_two(const struct query_output_status *status)
{
	return status->written == 2;
}

/* Until its status is so. */
static void await(struct world *world, bool (*is_so)(const struct query_output_status *status))
{
	for (unsigned i = 0; i < PATIENCE_MS; i++) {
		query_output_read_status(world->output, &world->status);
		if (is_so(&world->status))
			return;
		usleep(1000);
	}
	fail_msg("waited in vain");
}

static void lines_are_appended_to_what_is_there(void **state)
{
	struct world *world = *state;

	write_file(world->path, "{\"earlier\":1}\n");
	begin(world, QUERY_OUTPUT_FILE);
	put(world, "{\"a\":1}\n");
	put(world, "{\"b\":2}\n");
	await(world, has_written_two);
	assert_true(world->status.open);
	assert_string_equal(world->status.error, "");
	assert_true(query_output_is(world->output, world->path));
	assert_false(query_output_is(world->output, NULL));
	end(world);
	assert_file(world, world->path, "{\"earlier\":1}\n{\"a\":1}\n{\"b\":2}\n");
}

static void check_line_is_begun(struct world *world, const char *before, const char *kept)
{
	char expected[80];

	write_file(world->path, before);
	begin(world, QUERY_OUTPUT_FILE);
	put(world, "{\"a\":1}\n");
	await(world, has_written);
	end(world);
	snprintf(expected, sizeof expected, "%s{\"a\":1}\n", kept);
	assert_file(world, world->path, expected);
}

static void half_a_line_of_ours_is_cut_off(void **state)
{
	check_line_is_begun(*state, "{\"whole\":1}\n{\"ha", "{\"whole\":1}\n");
}

static void half_a_line_of_somebody_else_is_ended(void **state)
{
	check_line_is_begun(*state, "not ours", "not ours\n");
}

static void what_is_put_last_is_written_at_the_end(void **state)
{
	struct world *world = *state;

	for (unsigned i = 0; i < 10; i++) { /* the end does not wait for a slow thread */
		write_file(world->path, "");
		begin(world, QUERY_OUTPUT_FILE);
		put(world, "{\"a\":1}\n");
		end(world);
		read_path(world, world->path);
		if (strcmp((const char *)world->bytes, "{\"a\":1}\n") == 0)
			return;
	}
	fail_msg("each time it was lost");
}

static void a_file_that_is_moved_away_is_opened_anew(void **state)
{
	struct world *world = *state;
	char moved[80];

	snprintf(moved, sizeof moved, "%s.moved", world->path);
	begin(world, QUERY_OUTPUT_FILE);
	put(world, "{\"a\":1}\n");
	await(world, has_written);
	assert_int_equal(rename(world->path, moved), 0);
	query_output_look(world->output);
	for (unsigned i = 0; i < PATIENCE_MS && access(world->path, F_OK) != 0; i++)
		usleep(1000);
	put(world, "{\"b\":2}\n");
	await(world, has_written_two);
	end(world);
	assert_file(world, moved, "{\"a\":1}\n");
	assert_file(world, world->path, "{\"b\":2}\n");
}

static void one_that_leaves_its_path_writes_on_and_opens_nothing(void **state)
{
	struct world *world = *state;
	char moved[80];

	snprintf(moved, sizeof moved, "%s.moved", world->path);
	begin(world, QUERY_OUTPUT_FILE);
	put(world, "{\"a\":1}\n");
	await(world, has_written);
	query_output_leave(world->output);
	assert_int_equal(rename(world->path, moved), 0);
	query_output_look(world->output);
	put(world, "{\"b\":2}\n");
	await(world, has_written_two);
	end(world);
	assert_file(world, moved, "{\"a\":1}\n{\"b\":2}\n");
	assert_int_not_equal(access(world->path, F_OK), 0);
}

/* The output counts the entry first, and clears the error a moment later. */
static bool has_recovered(const struct query_output_status *status)
{
	return status->written > 0 && !*status->error;
}

static void what_cannot_be_opened_waits_until_it_can(void **state)
{
	struct world *world = *state;

	snprintf(world->path, sizeof world->path, "%s/queries.d/file", world->directory);
	begin(world, QUERY_OUTPUT_FILE);
	put(world, "{\"a\":1}\n");
	await(world, has_error);
	assert_string_equal(world->status.error, "cannot be opened: No such file or directory");
	assert_false(world->status.open);
	snprintf(world->path, sizeof world->path, "%s/queries.d", world->directory);
	assert_int_equal(mkdir(world->path, 0700), 0);
	await(world, has_recovered);
	assert_string_equal(world->status.error, "");
	assert_int_equal(world->status.lost, 0);
	end(world);
	snprintf(world->path, sizeof world->path, "%s/queries.d/file", world->directory);
	assert_file(world, world->path, "{\"a\":1}\n");
	unlink(world->path);
	snprintf(world->path, sizeof world->path, "%s/queries.d", world->directory);
	assert_int_equal(rmdir(world->path), 0);
}

static void a_full_disk_is_told_and_what_has_no_room_is_lost(void **state)
{
	enum { ENTRIES = 5000, LENGTH = 1000 };
	struct world *world = *state;
	char entry[LENGTH + 1];

	world->output = query_output_new(QUERY_OUTPUT_FILE, "/dev/full", 0);
	assert_non_null(world->output);
	put(world, "{\"a\":1}\n");
	await(world, has_error);
	assert_string_equal(world->status.error, "cannot be written: No space left on device");
	memset(entry, 'x', LENGTH);
	entry[LENGTH] = '\0';
	for (unsigned i = 0; i < ENTRIES; i++)
		query_output_put(world->output, entry, LENGTH);
	query_output_read_status(world->output, &world->status);
	assert_int_equal(world->status.written, 0);
	assert_in_range(world->status.lost, 1, ENTRIES - QUERY_OUTPUT_QUEUE_BYTES / 2 / LENGTH);
	end(world);
}

/* Frame Streams: a control frame is a length of 0, its own length, its type. */
static void frames_stand_between_a_start_and_a_stop(void **state)
{
	static const uint8_t first[] = {0, 0, 0, 3, 'o', 'n', 'e', 0, 0, 0, 5},
			     stop[] = {0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 3};
	struct world *world = *state;
	char kept[512];
	const uint8_t *frames;
	unsigned patience = PATIENCE_MS;

	write_file(world->path, "what was there");
	begin(world, QUERY_OUTPUT_DNSTAP_FILE);
	put(world, "one");
	put(world, "other");
	await(world, has_written_two);
	end(world);
	do { /* until a slow thread has ended the file */
		usleep(1000);
		read_path(world, world->path);
	} while (memmem(world->bytes, world->length, stop, sizeof stop) == NULL && patience-- > 0);
	assert_memory_equal(world->bytes, "\0\0\0\0", 4);
	assert_non_null(memmem(world->bytes, world->length, "protobuf:dnstap.Dnstap", 22));
	frames = memmem(world->bytes, world->length, first, sizeof first);
	assert_non_null(frames);
	assert_memory_equal(frames + sizeof first, "other", 5);
	assert_memory_equal(world->bytes + world->length - sizeof stop, stop, sizeof stop);
	find_other(world, "queries", kept);
	assert_file(world, kept, "what was there");
}

/* As by a server that crashes at its start, again and again. */
static void of_small_files_the_latest_are_kept(void **state)
{
	enum { KEPT = 20, MORE = 7 };
	struct world *world = *state;
	unsigned count = 0, large = 0, others = 0;
	const struct dirent *entry;
	char path[512];

	snprintf(path, sizeof path, "%s.20200101T000000Z", world->path); /* the oldest, but large */
	write_file(path, "x");
	assert_int_equal(truncate(path, 1 << 20), 0);
	snprintf(path, sizeof path, "%s.1.gz", world->path); /* logrotate's */
	write_file(path, "x");
	for (unsigned i = 0; i < KEPT + MORE; i++) {
		char text[16];

		snprintf(text, sizeof text, "%u", i);
		write_file(world->path, text);
		begin(world, QUERY_OUTPUT_DNSTAP_FILE);
		put(world, "one");
		await(world, has_written);
		end(world);
	}
	DIR *directory = opendir(world->directory);
	while ((entry = readdir(directory))) {
		large += strcmp(entry->d_name, "queries.20200101T000000Z") == 0;
		others += strcmp(entry->d_name, "queries.1.gz") == 0;
		count += strncmp(entry->d_name, "queries.", 8) == 0;
	}
	closedir(directory);
	assert_int_equal(large, 1);
	assert_int_equal(others, 1);
	assert_int_equal(count, KEPT + 2);
}

static void a_socket_where_nobody_listens_is_told(void **state)
{
	struct world *world = *state;

	begin(world, QUERY_OUTPUT_DNSTAP_SOCKET);
	await(world, has_error);
	assert_string_equal(world->status.error, "cannot be opened: No such file or directory");
	assert_false(world->status.open);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(lines_are_appended_to_what_is_there),
		TEST(half_a_line_of_ours_is_cut_off),
		TEST(half_a_line_of_somebody_else_is_ended),
		TEST(what_is_put_last_is_written_at_the_end),
		TEST(a_file_that_is_moved_away_is_opened_anew),
		TEST(one_that_leaves_its_path_writes_on_and_opens_nothing),
		TEST(what_cannot_be_opened_waits_until_it_can),
		TEST(a_full_disk_is_told_and_what_has_no_room_is_lost),
		TEST(frames_stand_between_a_start_and_a_stop),
		TEST(of_small_files_the_latest_are_kept),
		TEST(a_socket_where_nobody_listens_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
