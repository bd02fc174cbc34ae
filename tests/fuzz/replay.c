/* A fuzz target without libFuzzer: feeds it every file of its corpus, tests/fuzz/corpus/NAME for
 * the program NAME, or the files named on the command line. Speaks TAP; a crash names its file. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

static char path[1024]; /* of the input at hand */

static void tell(void)
{
	static const char before[] = "# while it was given ";

	(void)!write(STDERR_FILENO, before, sizeof before - 1);
	(void)!write(STDERR_FILENO, path, strlen(path));
	(void)!write(STDERR_FILENO, "\n", 1);
}

static void on_abort(int number)
{
	(void)number;
	tell();
}

/* AddressSanitizer's, before it reports. */
void __asan_on_error(void);
void __asan_on_error(void)
{
	tell();
}

static int feed(void)
{
	uint8_t *bytes = NULL;
	size_t length = 0, part;
	uint8_t buffer[4096];
	FILE *in = fopen(path, "rb");

	if (!in) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	while ((part = fread(buffer, 1, sizeof buffer, in)) > 0) {
		bytes = realloc(bytes, length + part);
		if (!bytes)
			abort();
		memcpy(bytes + length, buffer, part);
		length += part;
	}
	fclose(in);
	LLVMFuzzerTestOneInput(bytes, length);
	free(bytes);
	return 0;
}

static unsigned feed_corpus(const char *program)
{
	const char *slash = strrchr(program, '/');
	const char *name = slash ? slash + 1 : program;
	char directory[256];
	struct dirent **entries;
	unsigned fed = 0;

	snprintf(directory, sizeof directory, "tests/fuzz/corpus/%s", name);
	int count = scandir(directory, &entries, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.' && feed() == 0)
			fed++;
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return fed;
}

int main(int argc, char **argv)
{
	unsigned fed = 0;

	signal(SIGABRT, on_abort);
	printf("1..1\n");
	fflush(stdout);
	for (int i = 1; i < argc; i++) {
		snprintf(path, sizeof path, "%s", argv[i]);
		fed += feed() == 0;
	}
	if (argc < 2)
		fed = feed_corpus(argv[0]);
	printf("%s 1 - %u inputs\n", fed ? "ok" : "not ok", fed);
	return fed ? 0 : 1;
}
