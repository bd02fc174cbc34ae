/* `sluice list KIND`, show, create, set, delete, and `sluice address create` and the like:
 * resources of every kind (resource/kind.h), by the API's paths. The field table has the members,
 * and how each is written:
 *
 *     domain=contoso.corp.                  a text, a number, true or false
 *     address_space=10.0.0.0/16,10.1.0.0/16 an array
 *     targets=10.0.0.5,[2001:db8::5]:5353/tcp  servers
 *     tags=team=mail,env=prod               names with values
 *     targets='[{"address": "10.0.0.5"}]'   anything, as JSON
 *     region=                               removes the member
 *
 * A top-level resource is NAME, GROUP/NAME or -/NAME (client_top), a PTR its address or the
 * address's id. */
#include <assert.h>

#include "resolver/control/base/json.h"
#include "resolver/control/command/call.h"
#include "resolver/control/resource/kind.h"
#include "rules/base.h"
#include "rules/prefix.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

enum { PAGE_MAX = 5000 }; /* rows in an answer of the API */
#define PAGE_MAX_TEXT "5000"

struct named_resource { /* the resource that the arguments name, and the other arguments */
	const struct kind *kind;
	struct client_top top; /* itself, or its parent; name NULL: a list, in that group */
	const char *inside;    /* its name in the parent; NULL: no parent, or a list */
	char *const *rest;
	int rest_count;
};

static const char *article(const char *noun)
{
	return strchr("aeio", *noun) ? "an" : "a";
}

static int fail_kind(const struct command_line *line, const char *word)
{
	const char *near = command_kind_near(word);
	char known[512] = "";

	for (size_t i = 0; i < KINDS_ALL; i++)
		text_append(known, sizeof known, "%s%s", i == 0 ? "" : ", ", kinds[i].name);
	return command_misuse(line, "\"%s\" is no kind; %s%s%sthe kinds are %s", word,
			      near ? "did you mean \"" : "", near ? near : "", near ? "\"? " : "",
			      known);
}

/* The kind in the command's name ("address create"); NULL: the first argument names the kind. */
static const struct kind *kind_of_command(const struct command_line *line)
{
	const char *name = line->command->name;
	char first[32];

	snprintf(first, sizeof first, "%.*s", (int)strcspn(name, " "), name);
	return strchr(name, ' ') ? kind_named(first) : NULL;
}

/* The arguments after the kind and the parent. */
enum arguments { OF_LIST, OF_ONE, OF_ONE_WITH_MEMBERS };

int command_no_name(const struct command_line *line, const char *noun, const char *text)
{
	return command_misuse(line, "\"%s\" has no name of %s %s in it", text, article(noun), noun);
}

/* Reads the name of a top-level resource. Without a group an address is the one in no group,
 * because addresses of one name may be in many groups. */
static int read_top(const struct command_line *line, struct named_resource *named, const char *text)
{
	const struct kind *kind = named->kind->parent ? named->kind->parent : named->kind;
	struct client_top top = {GROUP_NONE, text};
	bool any;

	if (kind->id != KIND_PTR) /* a PTR has no group: a '/' in its text does not end a group */
		top = client_top(text);
	if (*top.name == '\0')
		return command_no_name(line, kind->name, text);
	named->top = top;
	any = strcmp(named->top.group, GROUP_ANY) == 0;
	if (line->group && !any && strcasecmp(named->top.group, line->group) != 0)
		return command_misuse(line, "\"%s\" is in another group than --group says", text);
	if (any && kind_is_beside(named->kind))
		snprintf(named->top.group, sizeof named->top.group, "%s",
			 line->group ? line->group : GROUP_NONE);
	return 0;
}

/* Reads the group of a list. */
static int read_group(const struct command_line *line, struct named_resource *named,
		      const char *text)
{
	if (*text == '\0')
		return command_misuse(line, "the group is empty; write -, for none");
	snprintf(named->top.group, sizeof named->top.group, "%s", text);
	return 0;
}

/* Whether the text is a member of the kind (domain=contoso.corp), so not a name. */
static bool is_member(const struct kind *kind, const char *text)
{
	size_t length = strcspn(text, "=");
	char key[64];

	snprintf(key, sizeof key, "%.*s", (int)length, text);
	return length < sizeof key && text[length] == '=' &&
	       schema_field(kind_field(kind)->group, key);
}

/* Returns 0, or an exit status; the error has been printed. */
static int read_names(const struct command_line *line, enum arguments wanted,
		      struct named_resource *named)
{
	const struct kind *kind = kind_of_command(line);
	int count = line->argument_count, at = kind ? 0 : 1, status = 0;

	if (!kind)
		kind = kind_named(line->arguments[0]);
	*named = (struct named_resource){.kind = kind};
	if (!kind)
		return fail_kind(line, line->arguments[0]);
	if (line->group && kind->id != KIND_ADDRESS)
		return command_misuse(line, "only an address has a --group; write GROUP/NAME");
	if (line->group && *line->group == '\0')
		return command_misuse(line, "--group is empty; write -, for none");
	if (kind->parent && at == count && wanted == OF_LIST)
		return 0; /* in all parents */
	if (kind->parent && at == count)
		return command_misuse(line, "the name of the %s is missing", kind->parent->name);
	if (kind->parent)
		status = read_top(line, named, line->arguments[at++]);
	if (status != 0)
		return status;
	if (wanted != OF_LIST && (at == count || (wanted == OF_ONE_WITH_MEMBERS &&
						  is_member(kind, line->arguments[at]))))
		return command_misuse(line, "the name of the %s is missing", kind->name);
	if (wanted != OF_LIST && kind->parent)
		named->inside = line->arguments[at++];
	else if (wanted != OF_LIST)
		status = read_top(line, named, line->arguments[at++]);
	else if (!kind->parent && kind_has_groups(kind) && at < count)
		status = read_group(line, named, line->arguments[at++]);
	if (status == 0 && named->inside && *named->inside == '\0')
		status = command_no_name(line, kind->name, named->inside);
	named->rest = line->arguments + at;
	named->rest_count = count - at;
	if (status == 0 && wanted != OF_ONE_WITH_MEMBERS && at < count)
		status = command_misuse(line, "\"%s\" is one argument too many", named->rest[0]);
	return status;
}

/* In GET /v1/addresses the group is a filter, not part of the path. */
static char *path_of(const struct command_line *line, const struct named_resource *named)
{
	const struct kind *kind = named->kind;
	const struct client_top *top = &named->top;
	char format[160], *path;

	if (kind->parent) {
		snprintf(format, sizeof format, "/v1/%s/%%/%%/%s%s", kind->parent->collection,
			 kind->collection, named->inside ? "/%" : "");
		path = client_path(format, top->group, top->name, named->inside);
	} else if (kind->id == KIND_PTR && top->name) {
		path = client_path("/v1/ptrs/%", top->name);
	} else {
		snprintf(format, sizeof format, "/v1/%s%s", kind->collection,
			 top->name                              ? "/%/%"
			 : *top->group && !kind_is_beside(kind) ? "/%"
								: "");
		path = client_path(format, top->group, top->name);
	}
	if (line->dry_run)
		path = client_add_query(path, "dry_run", "true");
	return line->make ? client_add_query(path, "make", "true") : path;
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
		json_put(server, "address", json_text(copy)); /* the server reports what is wrong */
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

/* Reads "team=mail,env=prod". NULL: a tag has no value. */
static json_t *read_tags(const char *text)
{
	json_t *tags = json_object();

	while (tags && *text != '\0') {
		size_t length = strcspn(text, ","), name = strcspn(text, "=,");
		char *key = strndup(text, name);
		char *value = name < length ? strndup(text + name + 1, length - name - 1) : NULL;

		if (key && value) {
			json_put(tags, key, json_text(value));
		} else {
			json_decref(tags);
			tags = NULL;
		}
		free(key);
		free(value);
		text += length;
		text += *text == ',';
	}
	return tags;
}

static bool is_number(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits > 0 && digits < 16 && text[digits] == '\0';
}

json_t *command_value(const struct field *field, const char *text)
{
	json_t *value = *text == '[' || *text == '{' ? json_loads(text, 0, NULL) : NULL;

	if (value)
		return value;
	if (*text == '\0') /* null removes a member of any type; {} would leave tags as they are */
		return json_null();
	switch (field->type) {
	case FIELD_TAGS: return read_tags(text);
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
	return json_text(text);
}

/* The member that may follow the name without its key; NULL: none. */
static const char *first_member(const struct kind *kind)
{
	switch (kind->id) {
	case KIND_ADDRESS:
	case KIND_SERVICE: return "address";
	case KIND_PTR: return "reverse_fqdn";
	default: return NULL;
	}
}

/* Puts KEY=VALUE into the body; returns 0, or an exit status; the error has been printed. */
static int read_member(const struct command_line *line, const struct kind *kind, const char *text,
		       json_t *body)
{
	size_t length = strcspn(text, "=");
	char key[64];
	const struct field *field;
	json_t *value;

	snprintf(key, sizeof key, "%.*s", (int)length, text);
	if (text[length] != '=')
		return command_misuse(line, "\"%s\" is no KEY=VALUE", text);
	field = schema_field(kind_field(kind)->group, key);
	if (!field) {
		const struct field *near = schema_suggest(kind_field(kind)->group, key);

		return command_misuse(line, "%s %s has no \"%s\"; %s%s%s", article(kind->name),
				      kind->name, key, near ? "did you mean \"" : "`sluice help ",
				      near ? near->key : kind->name,
				      near ? "\"?" : "` lists what it has");
	}
	if (json_object_get(body, field->key))
		return command_misuse(line, "%s is given twice; leave one out", field->key);
	value = command_value(field, text + length + 1);
	if (!value)
		return command_misuse(line, "\"%s\" does not fit; give %s=NAME=VALUE,NAME=VALUE",
				      text, key);
	json_put(body, field->key, value);
	return 0;
}

/* Reads all members of the command line, from arguments and options. */
static int read_members(const struct command_line *line, const struct named_resource *named,
			json_t *body)
{
	const char *first = first_member(named->kind);
	int status = 0;

	for (int i = 0; status == 0 && i < named->rest_count; i++) {
		if (i == 0 && first && !strchr(named->rest[i], '='))
			json_put(body, first, json_text(named->rest[i]));
		else
			status = read_member(line, named->kind, named->rest[i], body);
	}
	return status == 0 && !command_put_given(line, body) ? COMMAND_USAGE : status;
}

/* ---- rows for people ---- */

/* The server {"address", "port", "protocol"} in the form for input: "10.0.0.5",
 * "10.0.0.6:5353/tcp"; then its description, which is not input. */
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

json_t *command_shown(const json_t *value)
{
	json_t *shown, *item;
	size_t i;

	if (!json_is_array(value))
		return json_incref((json_t *)(uintptr_t)value);
	shown = json_array();
	json_array_foreach((json_t *)(uintptr_t)value, i, item) json_add(
		shown, json_object_get(item, "address") ? server_text(item) : json_incref(item));
	return shown;
}

static void prepare(json_t *row)
{
	const char *key, *why = json_string_value(json_object_get(row, "not_served"));
	json_t *value;
	char text[512];

	if (why) {
		snprintf(text, sizeof text, "not served: %s", why);
		json_put(row, "origin", json_text(text));
	}
	if (json_object_get(row, "made"))
		json_put(row, "origin", json_text("made"));

	json_object_foreach(row, key, value)
	{
		if (json_is_array(value))
			json_put(row, key, command_shown(value));
	}
}

/* ---- columns ---- */

/* Columns of the kinds beside the model, which include values that the server adds. */
static const struct {
	unsigned kind;
	const char *list[9], *show[TABLE_COLUMNS_MAX];
} address_columns[] = {
	{KIND_ADDRESS,
	 {"name", "resource_group", "region", "address", "allocation", "fqdn", "reverse_fqdn",
	  "origin"},
	 {"name", "resource_group", "region", "subscription", "id", "address", "allocation",
	  "domain_name_label", "fqdn", "reverse_fqdn", "description", "ttl_served", "status",
	  "tags", "azure", "origin"}},
	{KIND_SERVICE,
	 {"name", "address", "fqdn", "reverse_fqdn", "description", "origin"},
	 {"name", "id", "address", "fqdn", "description", "reverse_fqdn", "ttl_served", "status",
	  "tags", "origin"}},
	{KIND_PTR,
	 {"address", "reverse_fqdn", "status", "ttl_served", "description", "id"},
	 {"address", "reverse_fqdn", "description", "id", "ttl_served", "status", "action",
	  "reason", "origin"}},
	{KIND_GROUP, {"name", "region", "tags", "origin"}, {"name", "region", "tags", "origin"}},
};

/* Columns from the table above or, if it lacks the kind, from the field table. A list gets no tags
 * of the field table, because they are too long. */
static struct command_columns columns_of(const struct kind *kind, bool list,
					 struct table_column items[TABLE_COLUMNS_MAX])
{
	const struct group *group = kind_field(kind)->group;
	struct command_columns columns = {items, 0, prepare};

	for (size_t i = 0; i < COUNT(address_columns); i++) {
		const char *const *keys = list ? address_columns[i].list : address_columns[i].show;

		for (; address_columns[i].kind == kind->id && *keys; keys++)
			items[columns.count++] = (struct table_column){*keys, *keys};
	}
	if (columns.count > 0)
		return columns;
	for (size_t i = 0; i < group->count && columns.count < TABLE_COLUMNS_MAX - 1; i++)
		if (kind_has(kind, &group->fields[i]) &&
		    !(list && group->fields[i].type == FIELD_TAGS))
			items[columns.count++] =
				(struct table_column){group->fields[i].key, group->fields[i].key};
	items[columns.count++] = (struct table_column){"origin", "origin"};
	return columns;
}

/* ---- the commands ---- */

/* False: --limit is no number from 1; prints that. */
static bool check_limit(const struct command_line *line, int *status)
{
	if (!line->limit || (is_number(line->limit) && strtol(line->limit, NULL, 10) > 0))
		return true;
	*status = command_misuse(line, "--limit takes a number from 1");
	return false;
}

char *command_add_filters(const struct command_line *line, char *path, int *status)
{
	if (!check_limit(line, status)) {
		free(path);
		return NULL;
	}
	if (line->limit) /* at most a page; others follow */
		path = client_add_query(path, "limit",
					command_limit(line) > PAGE_MAX ? PAGE_MAX_TEXT
								       : line->limit);
	for (int i = 0; path && i < line->filters.count; i++) {
		const char *text = line->filters.items[i];
		char *key = strndup(text, strcspn(text, "="));

		if (key && text[strlen(key)] == '=') {
			path = client_add_query(path, key, text + strlen(key) + 1);
		} else {
			*status = command_misuse(line, "\"%s\" is no filter; give KEY=VALUE", text);
			free(path);
			path = NULL;
		}
		free(key);
	}
	return path;
}

/* The path of the wanted list, to be freed; NULL: status says why. */
static char *path_of_list(const struct command_line *line, const struct named_resource *named,
			  int *status)
{
	char *path = path_of(line, named);

	*status = EXIT_FAILURE;
	if (kind_is_beside(named->kind) && *named->top.group)
		path = client_add_query(
			path, "resource_group",
			strcmp(named->top.group, GROUP_NONE) == 0 ? "" : named->top.group);
	return command_add_filters(line, path, status);
}

/* ---- lists over all parents ---- */

/* The parent's kind as a member's key: "private_endpoint". */
static const char *parent_key(const struct kind *kind, char key[64])
{
	snprintf(key, 64, "%s", kind->parent->name);
	for (char *at = key; *at != '\0'; at++)
		if (*at == '-')
			*at = '_';
	return key;
}

/* [GROUP/]NAME, as on a command line; NULL: out of memory. */
static json_t *full_name_of(const struct kind *kind, const json_t *item)
{
	const char *group = json_string_value(json_object_get(item, "resource_group"));

	return json_sprintf("%s%s%s", group ? group : "", group ? "/" : "",
			    json_text_of(item, kind_name_key(kind)));
}

/* Adds the items of one parent; false: *status says why. */
static bool add_inside(const struct command_line *line, const struct kind *kind,
		       const json_t *parent, json_t *all, int *status)
{
	char *path = NULL, key[64];
	json_t *list, *row;
	size_t i;

	if (asprintf(&path, "/v1/%s/%s", json_text_of(parent, "path"), kind->collection) < 0)
		path = NULL;
	*status = EXIT_FAILURE;
	path = command_add_filters(line, path, status);
	if (!path)
		return false;
	list = command_ask_list(line, path, kind->collection);
	json_array_foreach(json_object_get(list, kind->collection), i, row)
	{
		json_put(row, parent_key(kind, key), full_name_of(kind->parent, parent));
		json_add(all, json_incref(row));
	}
	json_decref(list);
	return list;
}

/* All parents, or the one of that name. NULL: the error has been printed. */
static json_t *ask_parents(const struct command_line *line, const struct kind *kind,
			   const char *name)
{
	const char *collection = kind->parent->collection;
	const struct client_top top = client_top(name ? name : "");
	struct command_line plain = *line;
	json_t *one;

	plain.limit = NULL;
	if (!name)
		return command_ask_list(&plain, client_path("/v1/%", collection), collection);
	one = client_ask(line, (struct client_call){.method = "GET"},
			 client_path("/v1/%/%/%", collection, top.group, top.name));
	return one ? json_make("{s:[o]}", collection, one) : NULL;
}

json_t *command_ask_inside(const struct command_line *line, const struct kind *kind,
			   const char *parent_name, int *status)
{
	json_t *parents, *all = json_array(), *parent;
	const char *collection = kind->parent->collection;
	long limit = command_limit(line);
	bool fine;
	size_t i;

	if (!check_limit(line, status)) {
		json_decref(all);
		return NULL;
	}
	parents = ask_parents(line, kind, parent_name);
	fine = parents;
	*status = EXIT_FAILURE;
	json_array_foreach(json_object_get(parents, collection), i, parent) fine =
		fine && (long)json_array_size(all) < limit &&
		add_inside(line, kind, parent, all, status);
	/* Stopping at the limit is not a failure. */
	fine = fine || (parents && (long)json_array_size(all) >= limit);
	while ((long)json_array_size(all) > limit)
		json_array_remove(all, json_array_size(all) - 1);
	json_decref(parents);
	if (!fine) {
		json_decref(all);
		return NULL;
	}
	return json_whole(json_make("{s:o}", kind->collection, all));
}

static int list_everywhere(const struct command_line *line, const struct kind *kind)
{
	struct table_column items[TABLE_COLUMNS_MAX + 1];
	struct command_columns columns = columns_of(kind, true, items + 1);
	char key[64];
	int status;
	json_t *all = command_ask_inside(line, kind, NULL, &status);

	items[0].title = items[0].key = parent_key(kind, key);
	columns.items = items;
	columns.count += columns.count < TABLE_COLUMNS_MAX;
	return all ? command_print_list(line, all, kind->collection, columns) : status;
}

int command_resource_list(const struct command_line *line)
{
	struct table_column items[TABLE_COLUMNS_MAX];
	struct named_resource named;
	int status = read_names(line, OF_LIST, &named);
	char *path;

	if (status == 0 && named.kind->parent && !named.top.name)
		return list_everywhere(line, named.kind);
	path = status == 0 ? path_of_list(line, &named, &status) : NULL;
	return path ? command_show_list(line, path, named.kind->collection,
					columns_of(named.kind, true, items))
		    : status;
}

int command_resource_show(const struct command_line *line)
{
	struct table_column items[TABLE_COLUMNS_MAX];
	struct named_resource named;
	int status = read_names(line, OF_ONE, &named);

	if (status != 0)
		return status;
	return command_show_one(line, "GET", path_of(line, &named), NULL, NULL,
				columns_of(named.kind, false, items));
}

static int change(const struct command_line *line, const char *method, const char *if_none_match)
{
	struct table_column items[TABLE_COLUMNS_MAX];
	json_t *body = json_object();
	struct named_resource named;
	int status = read_names(line, OF_ONE_WITH_MEMBERS, &named);

	if (status == 0)
		status = read_members(line, &named, body);
	if (status == 0 && json_object_size(body) == 0 && !if_none_match)
		status = command_misuse(line, "nothing to set; name what should change");
	if (status != 0) {
		json_decref(body);
		return status;
	}
	return command_show_one(line, method, path_of(line, &named), body, if_none_match,
				columns_of(named.kind, false, items));
}

int command_resource_create(const struct command_line *line)
{
	return change(line, "PUT", "*");
}

int command_resource_set(const struct command_line *line)
{
	return change(line, "PATCH", NULL);
}

int command_resource_put(const struct command_line *line)
{
	return change(line, "PUT", NULL);
}

/* The length of the given name in the form of the server, which stores a zone without its final
 * dot. */
static int name_length(const struct named_resource *named)
{
	const char *name = named->inside ? named->inside : named->top.name;

	assert(name);
	return (int)(named->kind->id == KIND_ZONE ? name_text_length(name) : strlen(name));
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
	snprintf(done, sizeof done, "%s \"%.*s\" %s%s", named.kind->name, name_length(&named),
		 named.inside ? named.inside : named.top.name,
		 line->dry_run ? "can be deleted" : "is deleted",
		 has_inside(named.kind) ? ", with all inside it" : "");
	return command_delete(line, path_of(line, &named), done);
}
