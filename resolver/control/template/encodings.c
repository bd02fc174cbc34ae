/* base64, URIs, and derived texts. Azure's hash for uniqueString() is not published; ours is
 * equally stable, but differs. */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/base/uuid.h"
#include "resolver/control/template/functions.h"
#include "resolver/control/template/value.h"
#include "rules/text.h"

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

/* Decodes the text. False: it is not base64. */
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

/* Encodes all but letters, digits, "-_.~" and the characters of `also`. */
static void add_component(struct builder *builder, const char *text, const char *also)
{
	char code[4];

	for (; *text != '\0' && !builder->failed; text++) {
		if (isalnum((unsigned char)*text) || strchr("-_.~", *text) || strchr(also, *text)) {
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

/* Keeps a '%' that is not followed by two hexadecimal digits. */
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
		add_component(&builder, text, "");
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

/* Replaces the text after the last '/' of the base; a base without a '/' after "://" gets one. */
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

/* The characters that a path and a query may contain (RFC 3986 sections 3.3 and 3.4). '%' is one of
 * them, so that escapes stay as they are. */
#define IN_PATH  "!$&'()*+,;=:@/%"
#define IN_QUERY IN_PATH "?"
enum { PORT_MAX = 65535 };

/* RFC 3986 section 3.1: the length of the text's scheme; 0: none. */
static size_t scheme_length(const char *text)
{
	size_t length = 0;

	if (!isalpha((unsigned char)*text))
		return 0;
	while (isalnum((unsigned char)text[length]) ||
	       (text[length] != '\0' && strchr("+-.", text[length])))
		length++;
	return length;
}

/* Reads a host (IPv6 in brackets) with an optional ":PORT". *port is -1 without one. False:
 * malformed. */
static bool read_host(const char *text, size_t length, size_t *host_length, int *port)
{
	const char *end = text + length, *at = memchr(text, ']', length);
	size_t digits;

	*host_length = at && *text == '[' ? (size_t)(at + 1 - text) : strcspn(text, ":/?#");
	*host_length = *host_length < length ? *host_length : length;
	*port = -1;
	at = text + *host_length;
	if (*host_length == 0 || at == end)
		return *host_length > 0;
	digits = strspn(at + 1, "0123456789");
	if (*at != ':' || at + 1 + digits != end || digits > 5)
		return false;
	*port = digits > 0 ? (int)strtol(at + 1, NULL, 10) : -1;
	return *port <= PORT_MAX;
}

static bool put_part(const struct scope *scope, json_t *object, const char *key, const char *part,
		     size_t length, const char *also)
{
	const char *text = budget_printf(scope->budget, "%.*s", (int)length, part);
	struct builder builder;

	if (!text)
		return false;
	builder_init(&builder, scope->budget);
	add_component(&builder, text, also);
	return value_put(scope->budget, object, key, builder_finish(&builder));
}

static bool put_lower(const struct scope *scope, json_t *object, const char *key, const char *part,
		      size_t length)
{
	char *text = budget_printf(scope->budget, "%.*s", (int)length, part);

	return text && value_put_text(scope->budget, object, key, text_lower(text));
}

/* Leaves user and fragment out. */
static json_t *on_parse_uri(const struct scope *scope, json_t **arguments, size_t count)
{
	const char *text = value_want_text(scope->budget, arguments, 0), *host, *path, *query,
		   *user;
	size_t scheme = text ? scheme_length(text) : 0, length, host_length;
	json_t *object = value_object(scope->budget);
	int port;

	(void)count;
	if (!text || !object)
		return NULL;
	host = text + scheme + 3;
	length = scheme > 0 && strncmp(text + scheme, "://", 3) == 0 ? strcspn(host, "/?#") : 0;
	user = length > 0 ? memrchr(host, '@', length) : NULL;
	if (user) {
		length -= (size_t)(user + 1 - host);
		host = user + 1;
	}
	if (length == 0 || !read_host(host, length, &host_length, &port))
		return budget_fail(scope->budget,
				   "parseUri() takes a URI such as https://example.com:8443/a?b=c, "
				   "not '%s'",
				   text);
	path = host + length;
	query = path + strcspn(path, "?#");
	return put_lower(scope, object, "scheme", text, scheme) &&
			       put_lower(scope, object, "host", host, host_length) &&
			       value_put(scope->budget, object, "port",
					 port < 0 ? json_null()
						  : value_integer(scope->budget, port)) &&
			       put_part(scope, object, "path", query > path ? path : "/",
					query > path ? (size_t)(query - path) : 1, IN_PATH) &&
			       put_part(scope, object, "query", query, strcspn(query, "#"),
					IN_QUERY)
		       ? object
		       : NULL;
}

/* A member that is a string; `otherwise` replaces a missing one, NULL: it is required. */
static const char *uri_part(const struct scope *scope, const json_t *object, const char *key,
			    const char *otherwise)
{
	const json_t *part = value_member(scope->budget, object, key);

	if (json_is_string(part))
		return json_string_value(part);
	if ((part && !json_is_null(part)) || !otherwise)
		return budget_fail(scope->budget, "buildUri() takes a string as '%s', not %s", key,
				   value_kind(part));
	return otherwise;
}

static bool has_only_uri_parts(const struct scope *scope, json_t *object)
{
	static const char *const parts[] = {"scheme", "host", "port", "path", "query", NULL};
	const char *key;
	json_t *part;

	json_object_foreach(object, key, part)
	{
		const char *const *at = parts;

		while (*at && strcasecmp(*at, key) != 0)
			at++;
		if (!*at)
			return budget_fail(scope->budget,
					   "buildUri() takes scheme, host, port, path and query, "
					   "not '%s'",
					   key);
	}
	return true;
}

/* Without a port, or with null, the scheme's default applies. */
static json_t *on_build_uri(const struct scope *scope, json_t **arguments, size_t count)
{
	json_t *object = arguments[0], *port;
	const char *scheme, *host, *path, *query;
	size_t host_length;
	int within_host;
	struct builder builder;

	(void)count;
	if (!value_want_object(scope->budget, arguments, 0) || !has_only_uri_parts(scope, object))
		return NULL;
	scheme = uri_part(scope, object, "scheme", NULL);
	host = scheme ? uri_part(scope, object, "host", NULL) : NULL;
	path = host ? uri_part(scope, object, "path", "") : NULL;
	query = path ? uri_part(scope, object, "query", "") : NULL;
	if (!query)
		return NULL;
	if (*scheme == '\0' || scheme_length(scheme) != strlen(scheme))
		return budget_fail(scope->budget,
				   "buildUri() takes a 'scheme' such as https, not '%s'", scheme);
	if (host[strcspn(host, "/?#@\\ ")] != '\0' ||
	    !read_host(host, strlen(host), &host_length, &within_host) ||
	    host_length != strlen(host))
		return budget_fail(
			scope->budget,
			"buildUri() takes a 'host' such as example.com or [2001:db8::1], "
			"not '%s'",
			host);
	port = value_member(scope->budget, object, "port");
	if (port && !json_is_null(port) &&
	    (!json_is_integer(port) || json_integer_value(port) < 0 ||
	     json_integer_value(port) > PORT_MAX))
		return budget_fail(scope->budget,
				   "buildUri() takes an integer of 0 to %d as 'port', or null",
				   PORT_MAX);
	builder_init(&builder, scope->budget);
	builder_add_text(&builder, scheme);
	builder_add_text(&builder, "://");
	builder_add_text(&builder, host);
	if (json_is_integer(port)) {
		builder_add_text(&builder, ":");
		builder_add_text(&builder, value_print(scope->budget, port));
	}
	builder_add_text(&builder, *path == '/' ? "" : "/");
	add_component(&builder, path, IN_PATH);
	builder_add_text(&builder, *query == '\0' || *query == '?' ? "" : "?");
	add_component(&builder, query, IN_QUERY);
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

/* Uses the namespace that Azure defines for guid(). */
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
	{"buildUri", 1, 1, .call = on_build_uri},
	{"dataUri", 1, 1, .call = on_data_uri},
	{"dataUriToString", 1, 1, .call = on_data_uri_to_string},
	{"guid", 1, FUNCTION_ANY, .call = on_guid},
	{"newGuid", 0, 0, .call = on_new_guid},
	{"parseUri", 1, 1, .call = on_parse_uri},
	{"uniqueString", 1, FUNCTION_ANY, .call = on_unique_string},
	{"uri", 2, 2, .call = on_uri},
	{"uriComponent", 1, 1, .call = on_uri_component},
	{"uriComponentToString", 1, 1, .call = on_uri_component_to_string},
	{.name = NULL},
};
