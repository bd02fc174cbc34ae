/* base64, URIs, and texts that are derived from others. Azure's own hash of uniqueString() is not
 * published: ours is as stable, and differs. */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/base/uuid.h"
#include "resolver/control/template/functions.h"
#include "resolver/control/template/value.h"

/* ---- base64 ---- */

static const char digits64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void add_base64(struct builder *builder, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t left = strlen(text), many;
	char four[4];

	for (; left > 0 && !builder->failed; at += many, left -= many) {
		many = left < 3 ? left : 3;
		uint32_t bits = (uint32_t)at[0] << 16 | (many > 1 ? (uint32_t)at[1] << 8 : 0) |
				(many > 2 ? at[2] : 0);

		for (unsigned i = 0; i < 4; i++)
			four[i] = i <= many ? digits64[bits >> (18 - 6 * i) & 63] : '=';
		builder_add(builder, four, sizeof four);
	}
}

/* False: it is not base64. */
static bool add_decoded(struct builder *builder, const char *text)
{
	size_t length = strlen(text), padding;
	uint32_t bits = 0;
	char three[3];

	padding = length >= 2 && text[length - 1] == '=' ? 1 + (text[length - 2] == '=') : 0;
	if (length % 4 != 0)
		return false;
	for (size_t i = 0; i < length; i++) {
		const char *digit = i < length - padding ? strchr(digits64, text[i]) : digits64;

		if (!digit)
			return false;
		bits = bits << 6 | (uint32_t)(digit - digits64);
		if (i % 4 != 3)
			continue;
		three[0] = (char)(bits >> 16 & 0xff);
		three[1] = (char)(bits >> 8 & 0xff);
		three[2] = (char)(bits & 0xff);
		builder_add(builder, three, i + 1 == length ? 3 - padding : 3);
	}
	return true;
}

static json_t *on_base64(const struct scope *scope, json_t **arguments, size_t count)
{
	const char *text = value_want_text(scope->budget, arguments, 0);
	struct builder builder;

	(void)count;
	builder_init(&builder, scope->budget);
	if (text)
		add_base64(&builder, text);
	return text ? builder_finish(&builder) : NULL;
}

static json_t *on_base64_to_string(const struct scope *scope, json_t **arguments, size_t count)
{
	const char *text = value_want_text(scope->budget, arguments, 0);
	struct builder builder;

	(void)count;
	builder_init(&builder, scope->budget);
	if (text && !add_decoded(&builder, text)) {
		budget_fail(scope->budget, "%s() takes a string in base64",
			    scope->budget->function);
		builder.failed = true;
	}
	builder.failed = builder.failed || !text;
	return builder_finish(&builder);
}

static json_t *on_base64_to_json(const struct scope *scope, json_t **arguments, size_t count)
{
	const json_t *text = on_base64_to_string(scope, arguments, count);

	return text ? value_parse(scope->budget, json_string_value(text), "base64ToJson()") : NULL;
}

/* ---- URIs ---- */

static void add_component(struct builder *builder, const char *text)
{
	char code[4];

	for (; *text != '\0' && !builder->failed; text++) {
		if (isalnum((unsigned char)*text) || strchr("-_.~", *text)) {
			builder_add(builder, text, 1);
			continue;
		}
		snprintf(code, sizeof code, "%%%02X", (unsigned)(unsigned char)*text);
		builder_add(builder, code, 3);
	}
}

static int digit16(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A '%' without two digits behind it stays. */
static void add_component_decoded(struct builder *builder, const char *text)
{
	for (; *text != '\0' && !builder->failed; text++) {
		char c = *text;

		if (c == '%' && digit16(text[1]) >= 0 && digit16(text[2]) >= 0) {
			c = (char)(digit16(text[1]) * 16 + digit16(text[2]));
			text += 2;
		}
		builder_add(builder, &c, 1);
	}
}

static json_t *on_uri_component(const struct scope *scope, json_t **arguments, size_t count)
{
	const char *text = value_want_text(scope->budget, arguments, 0);
	struct builder builder;

	(void)count;
	builder_init(&builder, scope->budget);
	if (text)
		add_component(&builder, text);
	return text ? builder_finish(&builder) : NULL;
}

static json_t *on_uri_component_to_string(const struct scope *scope, json_t **arguments,
					  size_t count)
{
	const char *text = value_want_text(scope->budget, arguments, 0);
	struct builder builder;

	(void)count;
	builder_init(&builder, scope->budget);
	if (text)
		add_component_decoded(&builder, text);
	return text ? builder_finish(&builder) : NULL;
}

/* What stands behind the last '/' of the base is replaced, where it has one behind "https://". */
static json_t *on_uri(const struct scope *scope, json_t **arguments, size_t count)
{
	const char *base = value_want_text(scope->budget, arguments, 0),
		   *relative = value_want_text(scope->budget, arguments, 1), *path, *slash;
	struct builder builder;

	(void)count;
	if (!base || !relative)
		return NULL;
	path = strstr(base, "://");
	path = path ? path + 3 : base;
	slash = strrchr(path, '/');
	builder_init(&builder, scope->budget);
	builder_add(&builder, base, slash ? (size_t)(slash - base) : strlen(base));
	builder_add(&builder, "/", 1);
	builder_add_text(&builder, relative + (*relative == '/'));
	return builder_finish(&builder);
}

static json_t *on_data_uri(const struct scope *scope, json_t **arguments, size_t count)
{
	const char *text = value_print(scope->budget, arguments[0]);
	struct builder builder;

	(void)count;
	builder_init(&builder, scope->budget);
	builder_add_text(&builder, "data:text/plain;charset=utf8;base64,");
	if (text)
		add_base64(&builder, text);
	builder.failed = builder.failed || !text;
	return builder_finish(&builder);
}

static json_t *on_data_uri_to_string(const struct scope *scope, json_t **arguments, size_t count)
{
	const char *text = value_want_text(scope->budget, arguments, 0),
		   *comma = text ? strchr(text, ',') : NULL;
	bool is_base64 = comma && comma - text >= 7 && strncasecmp(comma - 7, ";base64", 7) == 0;
	struct builder builder;
	bool fine = comma && strncasecmp(text, "data:", 5) == 0;

	(void)count;
	builder_init(&builder, scope->budget);
	if (fine && is_base64)
		fine = add_decoded(&builder, comma + 1);
	else if (fine)
		add_component_decoded(&builder, comma + 1);
	if (!fine) {
		budget_fail(scope->budget, "dataUriToString() takes a string such as "
					   "'data:text/plain;base64,SGVsbG8='");
		builder.failed = true;
	}
	return builder_finish(&builder);
}

/* ---- derived texts ---- */

static json_t *on_unique_string(const struct scope *scope, json_t **arguments, size_t count)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	const char *text;
	char unique[14] = "";

	for (size_t i = 0; i < count; i++) {
		text = value_want_text(scope->budget, arguments, i);
		if (!text)
			return NULL;
		for (; *text != '\0'; text++)
			hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
		hash = (hash ^ 0xff) * UINT64_C(0x100000001b3);
	}
	for (size_t i = 0; i < sizeof unique - 1; i++, hash >>= 5)
		unique[i] = digits[hash & 31];
	return value_text(scope->budget, unique);
}

/* In the namespace that Azure has for it. */
static json_t *on_guid(const struct scope *scope, json_t **arguments, size_t count)
{
	static const uint8_t space[UUID_BYTES] = {0x11, 0xfb, 0x06, 0xfb, 0x71, 0x2d, 0x4d, 0xdd,
						  0x98, 0xc7, 0xe7, 0x1b, 0xbd, 0x58, 0x88, 0x30};
	char text[UUID_TEXT_MAX];
	const json_t *joined;
	struct builder builder;

	builder_init(&builder, scope->budget);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			builder_add(&builder, "-", 1);
		builder_add_text(&builder, value_want_text(scope->budget, arguments, i));
	}
	joined = builder_finish(&builder);
	return joined ? value_text(scope->budget,
				   uuid_in_namespace(space, json_string_value(joined), text))
		      : NULL;
}

static json_t *on_new_guid(const struct scope *scope, json_t **arguments, size_t count)
{
	char text[UUID_TEXT_MAX];

	(void)arguments;
	(void)count;
	if (!scope->is_default)
		return budget_fail(scope->budget,
				   "The template function 'newGuid' is not expected at this "
				   "location: it stands in the default value of a parameter only");
	return value_text(scope->budget, uuid_random(text));
}

const struct function encoding_functions[] = {
	{"base64", 1, 1, .call = on_base64},
	{"base64ToJson", 1, 1, .call = on_base64_to_json},
	{"base64ToString", 1, 1, .call = on_base64_to_string},
	{"dataUri", 1, 1, .call = on_data_uri},
	{"dataUriToString", 1, 1, .call = on_data_uri_to_string},
	{"guid", 1, FUNCTION_ANY, .call = on_guid},
	{"newGuid", 0, 0, .call = on_new_guid},
	{"uniqueString", 1, FUNCTION_ANY, .call = on_unique_string},
	{"uri", 2, 2, .call = on_uri},
	{"uriComponent", 1, 1, .call = on_uri_component},
	{"uriComponentToString", 1, 1, .call = on_uri_component_to_string},
	{.name = NULL},
};
