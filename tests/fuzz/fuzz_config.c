/* A configuration file, from its bytes to the policy: read as `sluice run` reads it, checked, and,
 * where nothing is wrong, compiled; and written and read again it is the same. The file is one in
 * memory, which has a path in /proc; what it includes or names as a zone is of this machine, so
 * that an input with either is passed over. */
#include <assert.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "resolver/control/config/file.h"
#include "resolver/control/config/write.h"
#include "rules/check/limits.h"
#include "rules/policy/policy.h"
#include "tests/fuzz/fuzz.h"

enum { TEXT_MAX = 64 * 1024 };

static const struct hash_key key = {1, 2};

/* libconfig's scanner forgets the string it was reading when the text ends in one. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig_strbuf_append\nleak:libconfig_yylex\nleak:libconfig_yyparse\n";
}

const char *__lsan_default_options(void);
const char *__lsan_default_options(void)
{
	return "print_suppressions=0";
}

static bool has(const uint8_t *data, size_t size, const char *word)
{
	return size > 0 && memmem(data, size, word, strlen(word)) != NULL;
}

struct memory_file {
	int fd;
	char path[64];
};

static struct memory_file *file_of(struct memory_file *file)
{
	if (file->path[0] == '\0') {
		file->fd = memfd_create("sluice.conf", MFD_CLOEXEC);
		FUZZ_CHECK(file->fd >= 0);
		snprintf(file->path, sizeof file->path, "/proc/self/fd/%d", file->fd);
	}
	return file;
}

/* What the bytes say; *served is the same with what nobody named, placed and checked. */
static struct model *read_bytes(struct memory_file *file, const void *bytes, size_t length,
				struct faults *faults, struct model **served)
{
	file_of(file);
	FUZZ_CHECK(ftruncate(file->fd, 0) == 0);
	FUZZ_CHECK(pwrite(file->fd, bytes, length, 0) == (ssize_t)length);
	struct model *model = config_file_read(file->path, &key, NULL, faults);
	FUZZ_CHECK(model || faults->errors > 0);
	*served = model ? model_compose(model, NULL, 0) : NULL;
	if (*served) {
		FUZZ_CHECK(model_make_unnamed(*served) == 0);
		model_place_endpoints(*served);
		limits_check(*served, faults);
	}
	return model;
}

static char *written(const struct model *model, size_t *length)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, length);

	FUZZ_CHECK(out);
	FUZZ_CHECK(config_file_write(model, out) == 0);
	fclose(out);
	return text;
}

static void check_round(const struct model *model)
{
	static struct memory_file file;
	struct faults faults;
	size_t first_length, second_length;
	char *first = written(model, &first_length);

	faults_init(&faults);
	struct model *served, *again = read_bytes(&file, first, first_length, &faults, &served);
	if (faults.errors > 0)
		faults_print(&faults, stderr);
	FUZZ_CHECK(faults.errors == 0);
	char *second = written(again, &second_length);
	FUZZ_CHECK(strcmp(first, second) == 0);
	free(second);
	free(first);
	model_free(served);
	model_free(again);
	faults_release(&faults);
}

const double fuzz_byte_us = 5;

int fuzz_one(const uint8_t *data, size_t size)
{
	static struct memory_file file;
	struct faults faults;

	if (size > TEXT_MAX || has(data, size, "@include") || has(data, size, "file"))
		return 0;
	faults_init(&faults);
	struct model *served, *model = read_bytes(&file, data, size, &faults, &served);
	if (faults.errors == 0) {
		struct policy *policy = policy_compile(served, &key, NULL);

		FUZZ_CHECK(policy);
		policy_free(policy);
		check_round(model);
	}
	model_free(served);
	model_free(model);
	faults_release(&faults);
	return 0;
}
