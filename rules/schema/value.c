/* Converts a single value of the field table: from text or number into a struct's member, and back.
 *
 *     file, API ──► text or number ──► schema_set_text, schema_set_number ──┐
 *                                                  struct member at field->offset
 *     file, API ◄── text ◄── schema_get_text ◄──────────────────────────────┘
 *
 * Checks only the form of the value; limits.h checks whether it fits the rest of the model. */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <strings.h>

#include "rules/name.h"
#include "rules/prefix.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

_Static_assert(sizeof(enum protocol) == sizeof(unsigned), "enums are stored as unsigned");

static void *slot(const struct field *field, void *item)
{
	return (char *)item + field->offset;
}

static const void *const_slot(const struct field *field, const void *item)
{
	return (const char *)item + field->offset;
}

/* Parsers: each stores a value, or fails and leaves the member unchanged. */

static int store_string(void *at, const char *text, struct arena *arena)
{
	const char *copy = arena_strdup(arena, text);

	if (!copy)
		return ERR_NOMEM;
	memcpy(at, &copy, sizeof copy);
	return 0;
}

const char *schema_domain(const struct field *field, const char *text, struct arena *arena)
{
	size_t length = name_text_length(text);
	bool is_root = strcmp(text, ".") == 0, has_dot = text[length] != '\0';

	if (field->dot == DOT_AS_WRITTEN || *text == '\0' || is_root ||
	    has_dot == (field->dot == DOT_FINAL))
		return text;
	return arena_printf(arena, "%.*s%s", (int)length, text, has_dot ? "" : ".");
}

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_resource_name(const char *text, bool dots)
{
	size_t length = strlen(text);

	if (length < 1 || length > 80 || !is_alphanumeric(text[0]))
		return false;
	for (size_t i = 0; i < length; i++)
		if (!is_alphanumeric(text[i]) && text[i] != '_' && text[i] != '-' &&
		    !(dots && text[i] == '.'))
			return false;
	return is_alphanumeric(text[length - 1]) || (dots && text[length - 1] == '_');
}

static bool is_ascii(const char *text)
{
	while (*text != '\0' && (unsigned char)*text < 0x80)
		text++;
	return *text == '\0';
}

/* The wire allows any byte, but programs disagree about the meaning of bytes beyond ASCII. */
static bool is_domain(const char *text)
{
	struct name name;

	return is_ascii(text) && name_from_text(&name, NULL, text) == 0;
}

static bool is_of_length(const struct field *field, const char *text)
{
	size_t length = strlen(text);

	return field->max == 0 || (length >= field->min && length <= field->max);
}

static bool string_fits(const struct field *field, const char *text)
{
	char why[TEXT_FLAW_MAX];

	if (!text_is_plain(text, why))
		return false;
	switch (field->type) {
	case FIELD_NAME: return is_resource_name(text, false);
	case FIELD_NAME_DOTS: return is_resource_name(text, true);
	case FIELD_DOMAIN: return is_domain(text);
	case FIELD_UUID: return text_is_uuid(text);
	case FIELD_PATH: return text[0] != '\0' && is_of_length(field, text);
	default: return is_of_length(field, text);
	}
}

static int store_number(const struct field *field, void *at, uint64_t number)
{
	if (number < field->min || number > field->max)
		return ERR_INVALID;
	if (field->type == FIELD_UINT64) {
		memcpy(at, &number, sizeof number);
	} else {
		uint32_t narrow = (uint32_t)number;
		memcpy(at, &narrow, sizeof narrow);
	}
	return 0;
}

static int parse_number(const struct field *field, void *at, const char *text)
{
	char *end;
	unsigned long long number;

	if (!isdigit((unsigned char)text[0]))
		return ERR_INVALID;
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno != 0 || *end != '\0')
		return ERR_INVALID;
	return store_number(field, at, number);
}

static int parse_bool(void *at, const char *text)
{
	bool value = strcasecmp(text, "true") == 0;

	if (!value && strcasecmp(text, "false") != 0)
		return ERR_INVALID;
	memcpy(at, &value, sizeof value);
	return 0;
}

static int parse_enum(const struct field *field, void *at, const char *text)
{
	for (unsigned i = 0; field->names[i]; i++)
		if (strcasecmp(field->names[i], text) == 0) {
			memcpy(at, &i, sizeof i);
			return 0;
		}
	return ERR_INVALID;
}

static int parse_value(const struct field *field, void *item, const char *text, struct arena *arena)
{
	struct address address;
	struct prefix prefix;
	struct host host;
	void *at = slot(field, item);
	int err;

	switch (field->type) {
	case FIELD_UINT:
	case FIELD_UINT64: return parse_number(field, at, text);
	case FIELD_BOOL: return parse_bool(at, text);
	case FIELD_ENUM: return parse_enum(field, at, text);
	case FIELD_ADDRESS:
		err = address_parse(&address, text);
		if (err == 0)
			memcpy(at, &address, sizeof address);
		return err;
	case FIELD_PREFIX:
		err = prefix_parse(&prefix, text);
		if (err == 0)
			memcpy(at, &prefix, sizeof prefix);
		return err;
	case FIELD_HOST:
		err = host_parse(&host, text, DNS_PORT);
		if (err == 0 && host.port == 0)
			err = ERR_INVALID;
		if (err == 0)
			memcpy(at, &host, sizeof host);
		return err;
	case FIELD_STRING:
	case FIELD_NAME:
	case FIELD_NAME_DOTS:
	case FIELD_PATH:
	case FIELD_UUID:
		return string_fits(field, text) ? store_string(at, text, arena) : ERR_INVALID;
	case FIELD_DOMAIN:
		if (!string_fits(field, text))
			return ERR_INVALID;
		text = schema_domain(field, text, arena);
		return text ? store_string(at, text, arena) : ERR_NOMEM;
	default: assert(!"lists and groups have no text"); return ERR_INVALID;
	}
}

int schema_set_stored_text(const struct field *field, void *item, const char *text,
			   struct arena *arena)
{
	switch (field->type) {
	case FIELD_STRING:
	case FIELD_NAME:
	case FIELD_NAME_DOTS:
	case FIELD_PATH:
	case FIELD_UUID: return store_string(slot(field, item), text, arena);
	case FIELD_DOMAIN:
		text = schema_domain(field, text, arena);
		return text ? store_string(slot(field, item), text, arena) : ERR_NOMEM;
	default: return parse_value(field, item, text, arena);
	}
}

/* Adds a fault for an address with brackets, a port or a prefix length, where only an address is
 * allowed; false: another error. */
static bool complain_of_more(const struct field *field, const char *text,
			     const struct origin *origin, struct faults *faults)
{
	char meant[ADDRESS_TEXT_MAX];
	struct prefix prefix;
	struct host host;

	if (host_parse(&host, text, DNS_PORT) == 0 && text[strlen(text) - 1] == ']') {
		fault_add(faults, FAULT_ERROR, origin, field->key,
			  "\"%s\" has brackets; write %s = \"%s\"", text, field->key,
			  address_print(&host.address, meant));
		return true;
	}
	if (host_parse(&host, text, DNS_PORT) == 0) {
		fault_add(faults, FAULT_ERROR, origin, field->key,
			  "\"%s\" includes a port; write %s = \"%s\", and for a target port = %u "
			  "beside it",
			  text, field->key, address_print(&host.address, meant), host.port);
		return true;
	}
	if (prefix_parse_lenient(&prefix, text) == 0) {
		fault_add(faults, FAULT_ERROR, origin, field->key,
			  "\"%s\" is a prefix; give an address alone", text);
		return true;
	}
	return false;
}

/* Adds a fault for "10.0.0.1:99999", a correct address with a wrong port; false: another error. */
static bool complain_of_port(const struct field *field, const char *text,
			     const struct origin *origin, struct faults *faults)
{
	const char *colon = strrchr(text, ':');
	char with_port[HOST_TEXT_MAX];
	struct host host;

	if (*text != '[' && strchr(text, ':') != colon)
		return false; /* an IPv6 address without a port */
	if (!colon || colon[1] == '\0' || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
	    (size_t)(colon - text) >= sizeof with_port - 2)
		return false;
	snprintf(with_port, sizeof with_port, "%.*s:1", (int)(colon - text), text);
	if (host_parse(&host, with_port, DNS_PORT) != 0)
		return false;
	fault_add(faults, FAULT_ERROR, origin, field->key,
		  "\"%s\" has the port %s; a port is from 1 to 65535", text, colon + 1);
	return true;
}

static void complain(const struct field *field, const char *text, const struct origin *origin,
		     struct faults *faults)
{
	char expected[256], meant[PREFIX_TEXT_MAX], why[TEXT_FLAW_MAX];
	struct prefix prefix;

	if (field->type == FIELD_ADDRESS && complain_of_more(field, text, origin, faults))
		return;
	if ((field->type == FIELD_ADDRESS || field->type == FIELD_HOST) &&
	    complain_of_port(field, text, origin, faults))
		return;
	if (field->type == FIELD_PREFIX && prefix_parse_lenient(&prefix, text) == 0) {
		fault_add(faults, FAULT_ERROR, origin, field->key,
			  "\"%s\" has bits set behind the prefix; write \"%s\"", text,
			  prefix_print(&prefix, meant));
		return;
	}
	if (field->type == FIELD_DOMAIN && !is_ascii(text)) {
		fault_add(faults, FAULT_ERROR, origin, field->key,
			  "\"%s\" is not ASCII; write an international name as \"xn--...\" "
			  "(punycode), or a byte as \\DDD",
			  text);
		return;
	}
	if (!text_is_plain(text, why)) {
		fault_add(faults, FAULT_ERROR, origin, field->key, "%s", why);
		return;
	}
	if (field->secret) {
		fault_add(faults, FAULT_ERROR, origin, field->key,
			  "the value, which is secret, does not fit; give %s",
			  schema_expected(field, expected, sizeof expected));
		return;
	}
	if (*text != '\0' && field->type != FIELD_STRING && field->type != FIELD_PATH &&
	    strchr(text, ' ')) {
		fault_add(faults, FAULT_ERROR, origin, field->key,
			  "\"%s\" has a space in it; give %s", text,
			  schema_expected(field, expected, sizeof expected));
		return;
	}
	fault_add(faults, FAULT_ERROR, origin, field->key, "\"%s\" does not fit; give %s", text,
		  schema_expected(field, expected, sizeof expected));
}

/* Only a warning, because a name may have any character (RFC 2181 section 11), and RFC 2317's names
 * have a '/'. */
static void warn_domain(const struct field *field, const char *text, const struct origin *origin,
			struct faults *faults)
{
	const char *odd = strpbrk(text, ":/");

	if (odd && !(*odd == '/' && strcasestr(text, ".arpa")))
		fault_add(faults, FAULT_WARNING, origin, field->key,
			  "\"%s\" has a '%c' in it, which no host's name has; give the domain "
			  "alone, such as \"corp.example\"",
			  text, *odd);
}

int schema_set_text(const struct field *field, void *item, const char *text,
		    const struct origin *origin, struct arena *arena, struct faults *faults)
{
	int err = parse_value(field, item, text, arena);

	if (err == 0 && field->type == FIELD_DOMAIN)
		warn_domain(field, text, origin, faults);
	if (err == 0)
		return 0;
	if (err == ERR_NOMEM)
		fault_add(faults, FAULT_ERROR, origin, field->key, "%s", err_text(err));
	else
		complain(field, text, origin, faults);
	return ERR_FAULTS;
}

int schema_set_number(const struct field *field, void *item, long long number,
		      const struct origin *origin, struct faults *faults)
{
	char expected[256];

	if (field->type == FIELD_BOOL && (number == 0 || number == 1)) {
		bool value = number == 1;
		memcpy(slot(field, item), &value, sizeof value);
		return 0;
	}
	if ((field->type == FIELD_UINT || field->type == FIELD_UINT64) && number >= 0 &&
	    store_number(field, slot(field, item), (uint64_t)number) == 0)
		return 0;
	fault_add(faults, FAULT_ERROR, origin, field->key, "%lld does not fit; give %s", number,
		  schema_expected(field, expected, sizeof expected));
	return ERR_FAULTS;
}

/* Printing. */

static const char *get_number(const struct field *field, const void *at, char *text, size_t size)
{
	uint64_t wide = 0;
	uint32_t narrow = 0;

	if (field->type == FIELD_UINT64) {
		memcpy(&wide, at, sizeof wide);
	} else {
		memcpy(&narrow, at, sizeof narrow);
		if (narrow == NOT_GIVEN)
			return NULL;
		wide = narrow;
	}
	snprintf(text, size, "%" PRIu64, wide);
	return text;
}

static const char *get_enum(const struct field *field, const void *at)
{
	unsigned value;

	memcpy(&value, at, sizeof value);
	for (unsigned i = 0; field->names[i]; i++)
		if (i == value)
			return field->names[i];
	assert(!"an enum's value without a name");
	return NULL;
}

static const char *get_place(const struct field *field, const void *at, char *text, size_t size)
{
	char print[HOST_TEXT_MAX];
	struct address address;
	struct prefix prefix;
	struct host host;

	if (field->type == FIELD_ADDRESS) {
		memcpy(&address, at, sizeof address);
		address.family ? (void)address_print(&address, print) : (void)(print[0] = '\0');
	} else if (field->type == FIELD_PREFIX) {
		memcpy(&prefix, at, sizeof prefix);
		prefix.address.family ? (void)prefix_print(&prefix, print)
				      : (void)(print[0] = '\0');
	} else {
		memcpy(&host, at, sizeof host);
		host.address.family ? (void)host_print(&host, print) : (void)(print[0] = '\0');
	}
	snprintf(text, size, "%s", print);
	return print[0] ? text : NULL;
}

const char *schema_get_text(const struct field *field, const void *item, char *text, size_t size)
{
	const void *at = const_slot(field, item);
	const char *string;
	bool value;

	switch (field->type) {
	case FIELD_UINT:
	case FIELD_UINT64: return get_number(field, at, text, size);
	case FIELD_BOOL: memcpy(&value, at, sizeof value); return value ? "true" : "false";
	case FIELD_ENUM: return get_enum(field, at);
	case FIELD_ADDRESS:
	case FIELD_PREFIX:
	case FIELD_HOST: return get_place(field, at, text, size);
	case FIELD_STRINGS:
	case FIELD_DOMAINS:
	case FIELD_HOSTS:
	case FIELD_PREFIXES:
	case FIELD_TAGS:
	case FIELD_LIST:
	case FIELD_GROUP: assert(!"lists and groups have no text"); return NULL;
	case FIELD_GONE: return NULL;
	default: memcpy(&string, at, sizeof string); return string;
	}
}

/* Defaults are in the table, so one that does not parse is our own error. */
int schema_defaults(const struct group *group, void *item, struct arena *arena)
{
	static const uint32_t not_given = NOT_GIVEN;
	int err = 0;

	for (size_t i = 0; i < group->count && !err; i++) {
		const struct field *field = &group->fields[i];

		if (field->type == FIELD_GROUP)
			err = schema_defaults(field->group, slot(field, item), arena);
		else if (field->fallback)
			err = parse_value(field, item, field->fallback, arena);
		else if (field->type == FIELD_UINT)
			memcpy(slot(field, item), &not_given, sizeof not_given);
		assert(err != ERR_INVALID);
	}
	return err;
}
