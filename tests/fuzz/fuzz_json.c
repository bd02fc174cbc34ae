/* What a client of the management API sends: a body, as api.c reads it, made into the values of an
 * address, a service or a PTR; a path and a query with their percent signs. The first byte says
 * which. */
#include "resolver/control/api/path.h"
#include "resolver/control/resource/reverse_json.h"
#include "tests/fuzz/fuzz.h"

enum what { ADDRESS, SERVICE, PTR, PATH, QUERY, WHATS };

static void check_input(const struct owner_input *input)
{
	FUZZ_CHECK(input->count <= OWNER_VALUES_MAX);
	for (size_t i = 0; i < input->count; i++) {
		FUZZ_CHECK(input->values[i].key);
		if (input->values[i].text)
			FUZZ_CHECK(strlen(input->values[i].text) < SIZE_MAX);
	}
	if (input->has_fqdn && input->ptr.fqdn)
		FUZZ_CHECK(strlen(input->ptr.fqdn) < SIZE_MAX);
}

static void read_body(enum what what, const char *text, size_t length)
{
	json_error_t why;
	struct owner_input input;
	struct change_error error = {0};
	json_t *body = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);

	if (!body)
		return;
	int err = what == PTR ? owner_input_read_ptr(&input, body, &error)
			      : owner_input_read(&input,
						 what == SERVICE ? OWNER_SERVICE : OWNER_ADDRESS,
						 body, &error);
	if (err == 0) {
		check_input(&input);
		owner_input_release(&input);
	} else {
		FUZZ_CHECK(error.outcome != CHANGE_FINE && error.text[0] != '\0');
	}
	json_decref(body);
}

static void read_path(const char *text)
{
	static const char pattern[] = "/v1/addresses/{group}/{name}";
	struct api_path path;

	if (api_path_init(&path, text) == 0) {
		FUZZ_CHECK(path.count <= API_SEGMENTS_MAX);
		for (size_t i = 0; i < path.count; i++)
			FUZZ_CHECK(path.segments[i][0] != '\0');
		if (api_path_matches(&path, pattern)) {
			FUZZ_CHECK(path.count == 4);
			FUZZ_CHECK(api_path_parameter(&path, pattern, "name") == path.segments[3]);
		}
	}
	api_path_release(&path);
}

static void read_query(const char *text)
{
	struct api_fields fields;

	if (api_fields_init(&fields, text) == 0) {
		FUZZ_CHECK(fields.count <= API_FIELDS_MAX);
		for (size_t i = 0; i < fields.count; i++)
			FUZZ_CHECK(strlen(fields.items[i].name) + strlen(fields.items[i].value) <=
				   strlen(text));
	}
	api_fields_release(&fields);
}

const double fuzz_byte_us = 0.25;

int fuzz_one(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	char *text = malloc(size);
	FUZZ_CHECK(text);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	switch (data[0] % WHATS) {
	case PATH: read_path(text); break;
	case QUERY: read_query(text); break;
	default: read_body(data[0] % WHATS, text, size - 1); break;
	}
	free(text);
	return 0;
}
