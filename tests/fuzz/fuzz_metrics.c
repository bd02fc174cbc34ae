/* What a reader of metrics sends, and what a configuration puts into them: a header Accept up to
 * the first line end, and after it the value of a label. Whatever they are, the text that comes
 * out is one sample in UTF-8. */
#include "resolver/control/observe/metrics_text.h"
#include "tests/fuzz/fuzz.h"

/* The value, taken from between its quotes again: bytes of it that were no UTF-8 come back as
 * U+FFFD. What is behind the closing quote. */
static const char *read_value(const char *at, const char *value)
{
	static const char replacement[] = "\xef\xbf\xbd";

	for (; *at != '"'; at++, value++) {
		FUZZ_CHECK(*at && *at != '\n');
		if (strncmp(at, replacement, 3) == 0 && strncmp(value, replacement, 3) != 0) {
			FUZZ_CHECK(*value & 0x80);
			at += 2;
		} else if (*at == '\\') {
			at++;
			FUZZ_CHECK(*at == (*value == '\n' ? 'n' : *value));
		} else {
			FUZZ_CHECK(*at == *value);
		}
	}
	FUZZ_CHECK(*value == '\0');
	return at + 1;
}

static void write_label(enum metrics_format format, const char *value)
{
	const struct metrics_labels labels = {{{"a", value}}};
	struct metrics_text text = {.format = format};
	char *bytes = NULL;
	size_t length;

	text.out = open_memstream(&bytes, &length);
	FUZZ_CHECK(text.out);
	metrics_family(&text, METRICS_GAUGE, "x", "X.");
	metrics_sample(&text, &labels, 1);
	FUZZ_CHECK(fclose(text.out) == 0 && strlen(bytes) == length);
	const char *at = strstr(bytes, "\nx");
	FUZZ_CHECK(at);
	if (*value) {
		FUZZ_CHECK(strncmp(at, "\nx{a=\"", 6) == 0);
		FUZZ_CHECK(strcmp(read_value(at + 6, value), "} 1\n") == 0);
	} else {
		FUZZ_CHECK(strcmp(at, "\nx 1\n") == 0);
	}
	free(bytes);
}

const double fuzz_byte_us = 0.5;

int fuzz_one(const uint8_t *data, size_t size)
{
	char *accept = malloc(size + 1), *value;

	FUZZ_CHECK(accept);
	memcpy(accept, data, size);
	accept[size] = '\0';
	value = strchr(accept, '\n');
	if (value)
		*value++ = '\0';
	write_label(metrics_negotiate(accept), value ? value : "");
	free(accept);
	return 0;
}
