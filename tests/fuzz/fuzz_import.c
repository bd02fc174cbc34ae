/* Another program's configuration: what comes of it is refused with a fault, or is one of ours that
 * is read again without a fault. The first byte says whose it is. A line "%%" ends a file: they are
 * called a, b, c and d, in a folder that is the current one, and may include each other. An input
 * that could name other files of this machine is passed over. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "resolver/control/config/file.h"
#include "resolver/control/import/dialect.h"
#include "resolver/control/import/forward.h"
#include "rules/err.h"
#include "tests/fuzz/fuzz.h"

enum { TEXT_MAX = 1024 * 1024 };

static const struct hash_key key = {1, 2};

/* libconfig's scanner forgets the string it was reading when the text ends in one; for ldns see
 * fuzz_zonefile.c. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig_strbuf_append\nleak:libconfig_yylex\nleak:libconfig_yyparse\n"
	       "leak:ldns_str2rdf_ipseckey\nleak:ldns_rdf_new_frm_data\n";
}

const char *__lsan_default_options(void);
const char *__lsan_default_options(void)
{
	return "print_suppressions=0";
}

enum { FILES = 4, AHEAD = 200 };

static const char *const file_names[FILES] = {"a", "b", "c", "d"};

/* Whether a '/' stands soon after a word that a file's name may follow. */
static bool names_a_file(const uint8_t *data, size_t size)
{
	static const char *const words[] = {"include", "conf-", "file", "hosts",
					    "import",  "auto",  "dir",  "root"};
	static const char *const others[] = {"..", "/proc", "/dev/", "/etc/", "/tmp"};

	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (size > 0 && memmem(data, size, others[i], strlen(others[i])))
			return true;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		const uint8_t *at = data, *end = data + size;

		while (at < end &&
		       (at = memmem(at, (size_t)(end - at), words[i], strlen(words[i])))) {
			size_t left = (size_t)(end - at);

			if (memchr(at, '/', left < AHEAD ? left : AHEAD))
				return true;
			at++;
		}
	}
	return false;
}

static void put_file(const char *name, const char *ahead, const uint8_t *bytes, size_t size)
{
	FILE *file = fopen(name, "w");

	FUZZ_CHECK(file);
	fputs(ahead, file);
	fwrite(bytes, 1, size, file);
	FUZZ_CHECK(fclose(file) == 0);
}

/* Those that the input does not have are empty. */
static void put_files(const char *ahead, const uint8_t *data, size_t size)
{
	static const char mark[] = "\n%%\n";

	for (size_t i = 0; i < FILES; i++) {
		const uint8_t *end = i + 1 < FILES && size > 0
					     ? memmem(data, size, mark, sizeof mark - 1)
					     : NULL;
		size_t length = end ? (size_t)(end - data) : size;

		put_file(file_names[i], i == 0 ? ahead : "", data, length);
		data = end ? end + sizeof mark - 1 : data + length;
		size -= end ? length + sizeof mark - 1 : length;
	}
}

static char folder[] = "/tmp/sluice-fuzz-XXXXXX";

static void remove_folder(void)
{
	for (size_t i = 0; chdir(folder) == 0 && i < FILES; i++)
		unlink(file_names[i]);
	rmdir(folder);
}

/* The folder of the files, and back. */
static void change_folder(bool enter)
{
	static int before = -1;

	if (before < 0) {
		before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		FUZZ_CHECK(before >= 0 && mkdtemp(folder) && atexit(remove_folder) == 0);
	}
	FUZZ_CHECK(enter ? chdir(folder) == 0 : fchdir(before) == 0);
}

/* A path of the bytes. */
static const char *put(int fd, const char *ahead, const void *bytes, size_t size, char path[64])
{
	FUZZ_CHECK(ftruncate(fd, 0) == 0);
	FUZZ_CHECK(pwrite(fd, ahead, strlen(ahead), 0) == (ssize_t)strlen(ahead));
	FUZZ_CHECK(pwrite(fd, bytes, size, (off_t)strlen(ahead)) == (ssize_t)size);
	snprintf(path, 64, "/proc/self/fd/%d", fd);
	return path;
}

static void check_written(struct import *import, int fd)
{
	char *text = NULL, path[64];
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	struct faults faults;

	FUZZ_CHECK(out && import_write(import, "fuzz", out, NULL) == 0);
	fclose(out);
	faults_init(&faults);
	struct model *model =
		config_file_read(put(fd, "", text, length, path), &key, NULL, &faults);
	if (!model || faults.errors > 0) {
		fputs(text, stderr);
		faults_print(&faults, stderr);
	}
	FUZZ_CHECK(model && faults.errors == 0);
	model_free(model);
	faults_release(&faults);
	free(text);
}

const double fuzz_byte_us = 500;

int fuzz_one(const uint8_t *data, size_t size)
{
	static int fd = -1;
	size_t count = 0;

	if (size < 1 || size > TEXT_MAX || names_a_file(data + 1, size - 1))
		return 0;
	if (fd < 0)
		fd = memfd_create("import", MFD_CLOEXEC);
	FUZZ_CHECK(fd >= 0);
	change_folder(true);
	while (dialects[count].name)
		count++;
	const struct dialect *dialect = &dialects[data[0] % count];
	struct import *import = import_new(false);
	/* dnsmasq reads the machine's own names unless it is told not to. */
	put_files(strcmp(dialect->name, "dnsmasq") == 0 ? "no-hosts\nno-resolv\n" : "", data + 1,
		  size - 1);
	if (dialect->from == IMPORT_FORWARDER && data[0] & 0x80) {
		FUZZ_CHECK(forward_whole(import, "lan"));
		FUZZ_CHECK(forward_whole(import, "10.0.0.0/8"));
	}
	dialect->read(import, "a");
	if (dialect_finish(dialect, import))
		check_written(import, fd);
	import_free(import);
	change_folder(false);
	return 0;
}
