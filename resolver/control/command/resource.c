/* `sluice list KIND`, show, create, set, delete: the resources of every kind (resource/kind.h), by
 * the API's own paths. Which members there are, and how each is written, is the field table's:
 *
 *     domain=contoso.corp.                  a text, a number, true or false
 *     address_space=10.0.0.0/16,10.1.0.0/16 an array
 *     targets=10.0.0.5,[2001:db8::5]:5353/tcp  servers
 *     targets='[{"address": "10.0.0.5"}]'   anything, as JSON
 *     region=                               not given any more */
#include <ctype.h>

#include "resolver/control/base/json.h"
#include "resolver/control/command/reverse.h"
#include "resolver/control/resource/kind.h"
#include "rules/base.h"
#include "rules/prefix.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

struct named_resource { /* what the arguments name, and those that are left */
	const struct kind *kind;
	const char *parent, *name; /* NULL: not of this kind, or not named; the parent of what is at
				    * the top and listed is a resource group */
	char *const *rest;
	int rest_count;
};

static int fail_kind(const struct command_line *line, const char *word)
{
	char known[512];
	size_t used = 0;

	for (size_t i = 0; i < KIND_COUNT; i++)
		used += (size_t)snprintf(known + used, sizeof known - used, "%s%s",
					 i == 0 ? "" : ", ", kinds[i].name);
	return command_misuse(line, "\"%s\" is no kind; the kinds are %s", word, known);
}

/* What the arguments are, behind the kind and what it is in. */
enum arguments { OF_LIST, OF_ONE, OF_ONE_WITH_MEMBERS };

/* 0, or an exit status, which has been explained. */
static int read_names(const struct command_line *line, enum arguments wanted,
		      struct named_resource *named)
{
	const struct kind *kind = kind_named(line->arguments[0]);
	int count = line->argument_count, at = 1;

	*named = (struct named_resource){.kind = kind};
	if (!kind)
		return fail_kind(line, line->arguments[0]);
	if (kind->parent && at == count)
		return command_misuse(line, "the name of the %s is missing", kind->parent->name);
	if (kind->parent || (wanted == OF_LIST && at < count))
		named->parent = line->arguments[at++];
	if (wanted != OF_LIST && at == count)
		return command_misuse(line, "the name of the %s is missing", kind->name);
	if (wanted != OF_LIST)
		named->name = line->arguments[at++];
	named->rest = line->arguments + at;
	named->rest_count = count - at;
	if (wanted != OF_ONE_WITH_MEMBERS && at < count)
		return command_misuse(line, "\"%s\" is one argument too many", named->rest[0]);
	return 0;
}

static char *path_of(const struct command_line *line, const struct named_resource *named)
{
	const struct kind *kind = named->kind;
	const char *dry = line->dry_run ? "?dry_run" : "";
	struct client_top top;
	char format[160];

	top = client_top(kind->parent ? named->parent : named->name ? named->name : "");
	if (kind->parent)
		snprintf(format, sizeof format, "/v1/%s/%%/%%/%s%s%s", kind->parent->collection,
			 kind->collection, named->name ? "/%" : "", dry);
	else if (named->name)
		snprintf(format, sizeof format, "/v1/%s/%%/%%%s", kind->collection, dry);
	else
		snprintf(format, sizeof format, "/v1/%s%s", kind->collection,
			 named->parent ? "/%" : "");
	return kind->parent || named->name ? client_path(format, top.group, top.name, named->name)
					   : client_path(format, named->parent);
}

/* ---- members from the command line ---- */

/* "10.0.0.5:5353/tcp" */
static json_t *read_server(const char *text, size_t length)
{
	char *copy = strndup(text, length), *slash = copy ? strrchr(copy, '/') : NULL;
	char address[ADDRESS_TEXT_MAX];
	json_t *server = json_object();
	struct host host;

	if (slash)
		*slash = '\0';
	if (copy && host_parse(&host, copy, 0) == 0) {
		json_put(server, "address", json_text(address_print(&host.address, address)));
		if (host.port)
			json_put(server, "port", json_integer(host.port));
	} else {
		json_put(server, "address", json_text(copy)); /* the server says what is wrong */
	}
	if (slash)
		json_put(server, "protocol", json_text(slash + 1));
	free(copy);
	return server;
}

static json_t *read_item(const struct field *field, const char *text, size_t length)
{
	char *copy;
	json_t *item;

	if (field->type == FIELD_LIST)
		return read_server(text, length);
	copy = strndup(text, length);
	item = json_text(copy);
	free(copy);
	return item;
}

static json_t *read_items(const struct field *field, const char *text)
{
	json_t *array = json_array();

	while (*text != '\0') {
		size_t length = strcspn(text, ",");

		json_add(array, read_item(field, text, length));
		text += length;
		text += *text == ',';
	}
	return array;
}

static bool is_number(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits > 0 && digits < 16 && text[digits] == '\0';
}

static json_t *read_value(const struct field *field, const char *text)
{
	json_t *value = *text == '[' || *text == '{' ? json_loads(text, 0, NULL) : NULL;

	if (value)
		return value;
	switch (field->type) {
	case FIELD_LIST:
	case FIELD_STRINGS:
	case FIELD_DOMAINS:
	case FIELD_HOSTS:
	case FIELD_PREFIXES: return read_items(field, text);
	case FIELD_UINT:
	case FIELD_UINT64:
		if (is_number(text))
			return json_integer(strtoll(text, NULL, 10));
		break;
	case FIELD_BOOL:
		if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
			return json_boolean(*text == 't');
		break;
	default: break;
	}
	return *text != '\0' ? json_text(text) : json_null();
}

/* KEY=VALUE into the body; 0, or an exit status, which has been explained. */
static int read_member(const struct command_line *line, const struct kind *kind, const char *text,
		       json_t *body)
{
	const struct group *group = kind_field(kind)->group;
	size_t length = strcspn(text, "=");
	char key[64];
	const struct field *field;

	snprintf(key, sizeof key, "%.*s", (int)length, text);
	if (text[length] != '=')
		return command_misuse(line, "\"%s\" is no KEY=VALUE", text);
	field = schema_field(group, key);
	if (!field) {
		const struct field *near = schema_suggest(group, key);

		return command_misuse(line, "a %s has no \"%s\"; %s%s%s", kind->name, key,
				      near ? "did you mean \"" : "`sluice help ",
				      near ? near->key : kind->name,
				      near ? "\"?" : "` lists what it has");
	}
	json_put(body, field->key, read_value(field, text + length + 1));
	return 0;
}

/* ---- rows for people ---- */

/* {"address", "port", "protocol"} as it may be given: "10.0.0.5", "10.0.0.6:5353/tcp"; with its
 * description, which may not. */
static json_t *server_text(const json_t *server)
{
	const char *protocol = json_string_value(json_object_get(server, "protocol"));
	const char *address = json_string_value(json_object_get(server, "address"));
	json_int_t port = json_integer_value(json_object_get(server, "port"));
	bool tcp = protocol && strcmp(protocol, "tcp") == 0;
	const char *description = json_string_value(json_object_get(server, "description"));
	char text[TABLE_CELL_MAX], printed[HOST_TEXT_MAX];
	struct host host;

	if (!address || host_parse(&host, address, 0) != 0)
		return json_deep_copy(server);
	host.port = (uint16_t)port;
	snprintf(text, sizeof text, "%s%s%s%s%s",
		 port == 0 || port == DNS_PORT ? address : host_print(&host, printed),
		 tcp ? "/tcp" : "", description ? " (" : "", description ? description : "",
		 description ? ")" : "");
	return json_text(text);
}

static void prepare(json_t *row)
{
	const char *key, *why = json_string_value(json_object_get(row, "not_served"));
	json_t *value, *item;
	char text[512];
	size_t i;

	if (why) {
		snprintf(text, sizeof text, "not served: %s", why);
		json_put(row, "origin", json_text(text));
	}
	if (json_object_get(row, "made"))
		json_put(row, "origin", json_text("made"));

	json_object_foreach(row, key, value)
	{
		json_array_foreach(value, i, item)
		{
			if (json_object_get(item, "address"))
				json_array_set_new(value, i, server_text(item));
		}
	}
}

/* ---- columns from the field table ---- */

static struct command_columns columns_of(const struct kind *kind,
					 struct table_column items[TABLE_COLUMNS_MAX])
{
	const struct group *group = kind_field(kind)->group;
	struct command_columns columns = {items, 0, prepare};

	for (size_t i = 0; i < group->count && columns.count < TABLE_COLUMNS_MAX - 1; i++) {
		const char *key = group->fields[i].key;

		if (!kind_of_field(kind, &group->fields[i]) && !group->fields[i].secret &&
		    group->fields[i].type != FIELD_GONE)
			items[columns.count++] = (struct table_column){key, key};
	}
	items[columns.count++] = (struct table_column){"origin", "origin"};
	return columns;
}

/* ---- the commands ---- */

int command_resource_list(const struct command_line *line)
{
	struct table_column items[TABLE_COLUMNS_MAX];
	struct named_resource named;
	int status = read_names(line, OF_LIST, &named);

	if (status != 0)
		return status;
	return command_show_list(line, path_of(line, &named), named.kind->collection,
				 columns_of(named.kind, items));
}

int command_resource_show(const struct command_line *line)
{
	struct table_column items[TABLE_COLUMNS_MAX];
	struct named_resource named;
	int status = read_names(line, OF_ONE, &named);

	if (status != 0)
		return status;
	return command_show_one(line, "GET", path_of(line, &named), NULL, NULL,
				columns_of(named.kind, items));
}

static int change(const struct command_line *line, const char *method, const char *if_none_match)
{
	struct table_column items[TABLE_COLUMNS_MAX];
	json_t *body = json_object();
	struct named_resource named;
	int status = read_names(line, OF_ONE_WITH_MEMBERS, &named);

	for (int i = 0; status == 0 && i < named.rest_count; i++)
		status = read_member(line, named.kind, named.rest[i], body);
	if (status == 0 && named.rest_count == 0 && !if_none_match)
		status = command_misuse(line, "nothing to set; give KEY=VALUE");
	if (status != 0) {
		json_decref(body);
		return status;
	}
	return command_show_one(line, method, path_of(line, &named), body, if_none_match,
				columns_of(named.kind, items));
}

int command_resource_create(const struct command_line *line)
{
	return change(line, "PUT", "*");
}

int command_resource_set(const struct command_line *line)
{
	return change(line, "PATCH", NULL);
}

static bool has_inside(const struct kind *kind)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (kinds[i].parent == kind)
			return true;
	return false;
}

int command_resource_delete(const struct command_line *line)
{
	struct named_resource named;
	char done[400];
	int status = read_names(line, OF_ONE, &named);

	if (status != 0)
		return status;
	snprintf(done, sizeof done, "%s \"%.300s\" %s%s", named.kind->name, named.name,
		 line->dry_run ? "can be deleted" : "is deleted",
		 has_inside(named.kind) ? ", with all inside it" : "");
	return command_delete(line, path_of(line, &named), done);
}

void command_resource_swap(char **words, int count)
{
	static const char *const verbs[] = {"list", "show", "create", "set", "delete", NULL};
	char *kind = words[0];

	if (count < 2 || !text_is_among(words[1], verbs) || !kind_named(kind))
		return;
	words[0] = words[1];
	words[1] = kind;
}

/* ---- help ---- */

enum { MEMBER_TEXT_MAX = 512 };

/* What a member takes, as it is written here. */
static const char *member_takes(const struct field *field, char text[MEMBER_TEXT_MAX])
{
	switch (field->type) {
	case FIELD_LIST:
		return schema_field(field->group, "protocol")
			       ? "servers: 10.0.0.5,10.0.0.6:5353/tcp"
			       : "a list, as JSON";
	case FIELD_HOSTS: return "addresses: 10.0.0.5,10.0.0.6:5353";
	case FIELD_PREFIXES: return "prefixes: 10.0.0.0/16,10.1.0.0/16";
	case FIELD_DOMAINS: return "names, with commas between them";
	case FIELD_STRINGS: return "texts, with commas between them";
	default: return schema_expected(field, text, MEMBER_TEXT_MAX);
	}
}

static void print_member(const struct field *field, FILE *out)
{
	char text[MEMBER_TEXT_MAX];

	fprintf(out, "  %-20s %s%s\n", field->key, member_takes(field, text),
		field->required ? "; required" : "");
}

bool command_resource_help(const char *word, FILE *out)
{
	static const char *const verbs[][2] = {{"list", ""},
					       {"show", " NAME"},
					       {"create", " NAME [KEY=VALUE...]"},
					       {"set", " NAME KEY=VALUE..."},
					       {"delete", " NAME"}};
	const struct kind *kind = kind_named(word);
	const struct group *group = kind ? kind_field(kind)->group : NULL;
	char parent[32] = "";
	size_t length = 0;

	if (!kind)
		return false;
	for (const char *at = kind->parent ? kind->parent->name : "";
	     *at && length < sizeof parent - 1; at++)
		parent[length++] = (char)toupper((unsigned char)*at);
	for (size_t i = 0; i < COUNT(verbs); i++)
		fprintf(out, "%s sluice %s %s%s%s%s\n", i == 0 ? "usage:" : "      ", kind->name,
			verbs[i][0], length > 0 ? " " : "", parent, verbs[i][1]);
	fputs("\nKEY is one of these; KEY= takes one away. sluice.conf(5) says what they mean,\n"
	      "`sluice help set` which options there are.\n\n",
	      out);
	for (size_t i = 0; i < group->count; i++) {
		const struct field *field = &group->fields[i];

		if (!kind_of_field(kind, field) && !field->secret && field->type != FIELD_GONE &&
		    strcmp(field->key, kind_name_key(kind)) != 0)
			print_member(field, out);
	}
	return true;
}
