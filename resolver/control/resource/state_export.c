/* Written as text at once, a row to a line: a million objects of a library would take a gigabyte on
 * their way. Addresses are gone through twice, page by page, because the PTRs stand in a list of
 * their own. */
#include <stdlib.h>
#include <string.h>

#include "resolver/control/base/json.h"
#include "resolver/control/resource/state_json.h"
#include "rules/schema/schema.h"

enum { PAGE_ROWS = 256 };

struct export
{
	struct inventory *inventory;
	FILE *out;
	bool any; /* a row of the present list */
	bool failed;
};

/* ---- a row ---- */

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text == '"' || *text == '\\' || *text == 0x7f)
			return false; /* bytes beyond ASCII are negative */
	return true;
}

static void write_string(struct export *export, const char *text)
{
	FILE *out = export->out;

	if (is_plain(text)) {
		putc('"', out);
		fputs(text, out);
		putc('"', out);
		return;
	}
	json_t *string = json_text(text);
	if (!string || json_dumpf(string, out, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) != 0)
		export->failed = true;
	json_decref(string);
}

static void write_member(struct export *export, const char *key, const char *text)
{
	if (!text)
		return;
	fprintf(export->out, ", \"%s\": ", key);
	write_string(export, text);
}

/* The beginning of a row with its first member. */
static void begin_row(struct export *export, const char *key, const char *text)
{
	fprintf(export->out, "%s\n{\"%s\": ", export->any ? "," : "", key);
	export->any = true;
	write_string(export, text);
}

static void write_owner(struct export *export, const struct owner *owner)
{
	char address[ADDRESS_TEXT_MAX];
	FILE *out = export->out;

	if (owner_is_read_only(owner))
		return;
	begin_row(export, "id", owner->id);
	write_member(export, "name", owner->name);
	write_member(export, "resource_group", owner->resource_group);
	write_member(export, "region", owner->region);
	write_member(export, "address", address_print(&owner->address, address));
	if (owner->kind == OWNER_ADDRESS)
		write_member(export, "allocation", schema_allocation_names[owner->allocation]);
	write_member(export, "domain_name_label", owner->label);
	write_member(export, "description", owner->description);
	if (owner->tags)
		fprintf(out, ", \"tags\": %s", owner->tags); /* JSON already */
	putc('}', out);
}

static void write_ptr(struct export *export, const struct owner *owner)
{
	const struct owner_ptr *ptr = &owner->ptr;

	if (!ptr->fqdn || ptr->read_only)
		return;
	begin_row(export, "owner", owner->id);
	write_member(export, "reverse_fqdn", ptr->fqdn);
	write_member(export, "description", ptr->description);
	if (ptr->ttl_given)
		fprintf(export->out, ", \"ttl\": %u", ptr->ttl);
	putc('}', export->out);
}

static void write_group(struct export *export, const struct resource_group *group)
{
	begin_row(export, "name", group->name);
	write_member(export, "region", group->region);
	if (group->tags)
		fprintf(export->out, ", \"tags\": %s", group->tags); /* JSON already */
	putc('}', export->out);
}

/* ---- a list ---- */

typedef void write_row(struct export *export, const struct owner *owner);

static void begin_list(struct export *export, const char *key)
{
	fprintf(export->out, ",\n\"%s\": [", key);
	export->any = false;
}

static void write_addresses(struct export *export, write_row *write)
{
	const struct owner *page[PAGE_ROWS];
	struct address after = {0};
	size_t count = PAGE_ROWS;

	while (count == PAGE_ROWS && !inventory_trouble(export->inventory)) {
		count = inventory_addresses_after(export->inventory, &after, page, PAGE_ROWS);
		for (size_t i = 0; i < count; i++)
			write(export, page[i]);
		if (count > 0)
			after = page[count - 1]->address;
		inventory_forget(export->inventory);
	}
}

static void write_services(struct export *export, write_row *write)
{
	const struct owner *page[PAGE_ROWS];
	char after[NAME_TEXT_MAX] = "";
	size_t count = PAGE_ROWS;

	while (count == PAGE_ROWS && !inventory_trouble(export->inventory)) {
		count = inventory_services_after(export->inventory, *after ? after : NULL, page,
						 PAGE_ROWS);
		for (size_t i = 0; i < count; i++)
			write(export, page[i]);
		if (count > 0)
			snprintf(after, sizeof after, "%s", page[count - 1]->name);
		inventory_forget(export->inventory);
	}
}

static void write_waiting(struct export *export)
{
	size_t count;
	const struct owner **list = inventory_waiting(export->inventory, &count);

	for (size_t i = 0; i < count; i++)
		write_ptr(export, list[i]);
	free(list);
}

/* Those that the state has. */
static int write_groups(struct export *export)
{
	size_t count;
	struct resource_group *list = inventory_groups(export->inventory, &count);

	for (size_t i = 0; list && i < count; i++)
		if (list[i].revision)
			write_group(export, &list[i]);
	free(list);
	return list ? 0 : ERR_NOMEM;
}

static int write_lists(struct export *export)
{
	begin_list(export, "groups");
	int err = write_groups(export);
	fputs("]", export->out);
	begin_list(export, "addresses");
	write_addresses(export, write_owner);
	fputs("]", export->out);
	begin_list(export, "services");
	write_services(export, write_owner);
	fputs("]", export->out);
	begin_list(export, "ptrs");
	write_addresses(export, write_ptr);
	write_services(export, write_ptr);
	fputs("]", export->out);
	begin_list(export, "waiting");
	write_waiting(export);
	fputs("]}\n", export->out);
	return inventory_trouble(export->inventory) ? ERR_SYSTEM : err;
}

char *state_export(struct inventory *inventory, size_t *length)
{
	char *text = NULL;
	struct export export = {.inventory = inventory, .out = open_memstream(&text, length)};

	if (!export.out)
		return NULL;
	fprintf(export.out, "{\"version\": %d", STATE_JSON_VERSION);
	int err = write_lists(&export);
	if (ferror(export.out) || export.failed)
		err = ERR_NOMEM;
	if (fclose(export.out) != 0)
		err = ERR_NOMEM;
	if (!err)
		return text;
	free(text);
	return NULL;
}
