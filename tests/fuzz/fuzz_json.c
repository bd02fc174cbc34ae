/* What a client of the management API sends: a body, as api.c reads it, as an address, a service or
 * a PTR; a path and a query with their percent signs. The first byte says which. */
#include "resolver/control/api/path.h"
#include "resolver/control/resource/address_body.h"
#include "resolver/control/resource/values.h"
#include "rules/schema/schema.h"
#include "tests/fuzz/fuzz.h"

enum what { ADDRESS, SERVICE, PTR, PATH, QUERY, WHATS };

static void read_values(const struct kind *kind, const json_t *body)
{
	static const struct origin nowhere;
	void *item = malloc(kind_field(kind)->group->size);
	struct faults faults;
	struct arena arena;

	FUZZ_CHECK(item);
	arena_init(&arena);
	faults_init(&faults);
	values_read(kind, body, item, &nowhere, &arena, &faults);
	if (faults.errors == 0)
		json_decref(values_print(kind, NULL, item));
	faults_release(&faults);
	arena_release(&arena);
	free(item);
}

static void read_ptr(const json_t *body)
{
	struct owned_item ptr;
	struct change_error error = {0};
	struct arena arena;

	arena_init(&arena);
	if (address_body_read(kind_of_id(KIND_PTR), body, &ptr, &arena, &error) != 0)
		FUZZ_CHECK(error.outcome != CHANGE_FINE && error.text[0] != '\0');
	arena_release(&arena);
}

static void read_body(enum what what, const char *text, size_t length)
{
	json_error_t why;
	json_t *body = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);

	if (!body)
		return;
	if (what == PTR)
		read_ptr(body);
	else
		read_values(kind_of_id(what == SERVICE ? KIND_SERVICE : KIND_ADDRESS), body);
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
