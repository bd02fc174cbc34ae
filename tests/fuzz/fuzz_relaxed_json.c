/* A body of a client whose JSON may be relaxed. Every strict text is a relaxed one and means the
 * same; what is read can be written, and is then strict; and reading gets at least as far as that
 * of strict JSON, and not beyond the end. */
#include "resolver/control/base/relaxed_json.h"
#include "tests/fuzz/fuzz.h"

enum { FLAGS = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY };

static void check_error(const char *text, size_t length, const json_error_t *error)
{
	const char *at = text + error->position;
	int lines = 1;

	FUZZ_CHECK(error->text[0] != '\0');
	FUZZ_CHECK(error->position >= 0 && (size_t)error->position <= length);
	for (const char *c = text; c < at; c++)
		lines += *c == '\n';
	FUZZ_CHECK(error->line == lines);
	FUZZ_CHECK(error->column >= 0 && error->column <= error->position);
}

static void check_value(const json_t *value)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY);
	json_t *strict, *relaxed;

	FUZZ_CHECK(text);
	strict = json_loads(text, FLAGS, NULL);
	relaxed = relaxed_json_load(text, strlen(text), FLAGS, &(json_error_t){0});
	FUZZ_CHECK(json_equal(strict, value) && json_equal(relaxed, value));
	json_decref(strict);
	json_decref(relaxed);
	free(text);
}

const double fuzz_byte_us = 2;

int fuzz_one(const uint8_t *data, size_t size)
{
	json_error_t why_strict, why_relaxed;
	char *text = malloc(size + 1); /* never NULL, and without a byte to spare at the end */

	FUZZ_CHECK(text);
	text++;
	memcpy(text, data, size);
	json_t *strict = json_loadb(text, size, FLAGS, &why_strict);
	json_t *relaxed = relaxed_json_load(text, size, FLAGS, &why_relaxed);
	if (relaxed)
		check_value(relaxed);
	else
		check_error(text, size, &why_relaxed);
	if (memchr(text, '\0', size)) /* which jansson overlooks after a number */
		FUZZ_CHECK(!relaxed);
	else if (strict)
		FUZZ_CHECK(relaxed && json_equal(strict, relaxed));
	else if (!relaxed)
		FUZZ_CHECK(why_relaxed.position >= why_strict.position);
	json_decref(strict);
	json_decref(relaxed);
	free(text - 1);
	return 0;
}
