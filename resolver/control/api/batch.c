/* A row of either kind is the same few values, which v1/batch.c checks. */
#include "resolver/control/api/batch.h"

#include <strings.h>

#include "resolver/control/base/csv.h"
#include "resolver/control/resource/addresses.h"
#include "rules/base.h"
#include "rules/text.h"

enum batch_column { COLUMN_OWNER, COLUMN_FQDN, COLUMN_DESCRIPTION, COLUMN_TTL, COLUMN_COUNT };

static const struct {
	const char *name;
	enum batch_column column;
} column_names[] = {
	{"address", COLUMN_OWNER}, {"owner", COLUMN_OWNER},
	{"id", COLUMN_OWNER},      {"reverse_fqdn", COLUMN_FQDN},
	{"ptrdname", COLUMN_FQDN}, {"description", COLUMN_DESCRIPTION},
	{"ttl", COLUMN_TTL},
};
enum { COLUMN_NAMES = COUNT(column_names) };

struct batch_reader {
	size_t index;
	const json_t *list; /* NULL: it is CSV */
	struct csv csv;
	size_t csv_bytes;
	struct csv_row row;
	size_t fields;               /* of the first line */
	size_t places[COLUMN_COUNT]; /* of a column among them, from 1; 0: it has none */
	const char *keys[COLUMN_COUNT];
};

void batch_reader_free(struct batch_reader *reader)
{
	free(reader);
}

int batch_reader_percent(const struct batch_reader *reader)
{
	size_t all = reader->list ? json_array_size(reader->list) : reader->csv_bytes;
	size_t left = reader->list ? all - (reader->index < all ? reader->index : all)
				   : (size_t)(reader->csv.end - reader->csv.at);
	return all > 0 ? (int)((all - left) * 100 / all) : 100;
}

static struct batch_reader *reader_new(struct change_error *error)
{
	struct batch_reader *reader = calloc(1, sizeof *reader);
	*error = (struct change_error){.outcome = reader ? CHANGE_FINE : CHANGE_NO_MEMORY};
	return reader;
}

/* ---- CSV ---- */

static int find_column(const char *name)
{
	for (int i = 0; i < COLUMN_NAMES; i++)
		if (strcasecmp(column_names[i].name, name) == 0)
			return i;
	return -1;
}

static int read_header(struct batch_reader *reader, struct change_error *error)
{
	const char *why;
	int err = csv_next(&reader->csv, &reader->row, &why);
	if (err == ERR_NOT_FOUND)
		return change_refuse(error, "",
				     "it is empty; its first line must name the columns: "
				     "address,reverse_fqdn,description,ttl");
	if (err != 0)
		return change_refuse(error, "", "line %u: %s", reader->row.line, why);
	reader->fields = reader->row.count;
	for (size_t i = 0; i < reader->fields; i++) {
		int found = find_column(reader->row.fields[i]);
		if (found < 0)
			return change_refuse(
				error, "",
				"line %u: there is no column \"%.64s\"; the columns are address, "
				"reverse_fqdn, description and ttl, separated by commas",
				reader->row.line, reader->row.fields[i]);
		enum batch_column column = column_names[found].column;
		if (reader->places[column])
			return change_refuse(error, "",
					     "line %u: the columns \"%s\" and \"%s\" mean the "
					     "same; leave one of them out",
					     reader->row.line, reader->keys[column],
					     column_names[found].name);
		reader->places[column] = i + 1;
		reader->keys[column] = column_names[found].name;
	}
	if (!reader->places[COLUMN_OWNER] || !reader->places[COLUMN_FQDN])
		return change_refuse(
			error, "",
			"line %u: the column %s is missing; add it, separated by a comma",
			reader->row.line,
			reader->places[COLUMN_OWNER] ? "reverse_fqdn" : "address");
	return 0;
}

struct batch_reader *batch_reader_of_csv(const char *text, size_t length,
					 struct change_error *error)
{
	struct batch_reader *reader = reader_new(error);
	if (!reader)
		return NULL;
	csv_init(&reader->csv, text, length);
	reader->csv_bytes = length;
	if (read_header(reader, error) == 0)
		return reader;
	batch_reader_free(reader);
	return NULL;
}

/* The column's text; NULL where it is empty, or there is no such column. */
static const char *cell(const struct batch_reader *reader, enum batch_column column)
{
	size_t place = reader->places[column];
	const char *text = place ? reader->row.fields[place - 1] : "";
	return *text ? text : NULL;
}

static int read_ttl(const char *text, struct change_ptr *ptr, struct change_error *error)
{
	char *end;
	if (!text)
		return 0;
	ptr->ttl_given = true;
	ptr->ttl = strtoll(text, &end, 10);
	if (*end == '\0' && *text != ' ' && end - text <= 18)
		return 0;
	return change_refuse(
		error, "ttl",
		"\"%.32s\" is not a whole number of seconds; give one, or leave it empty", text);
}

static int next_of_csv(struct batch_reader *reader, struct batch_row *row,
		       struct change_error *error)
{
	const char *why;
	int err = csv_next(&reader->csv, &reader->row, &why);
	if (err == ERR_NOT_FOUND)
		return err;
	row->line = reader->row.line;
	if (err != 0)
		return change_refuse(error, "", "%s", why);
	if (reader->row.count != reader->fields)
		return change_refuse(
			error, "",
			"it has %zu field%s, and the first line has %zu; give as many, "
			"and quote a field that contains a comma",
			reader->row.count, text_plural(reader->row.count, "", "s"), reader->fields);
	row->owner = cell(reader, COLUMN_OWNER);
	row->owner_key = reader->keys[COLUMN_OWNER];
	row->ptr.fqdn = cell(reader, COLUMN_FQDN);
	row->ptr.description = cell(reader, COLUMN_DESCRIPTION);
	if (!row->owner)
		return change_refuse(error, row->owner_key, "it is empty; give an address");
	return read_ttl(cell(reader, COLUMN_TTL), &row->ptr, error);
}

/* ---- JSON ---- */

struct batch_reader *batch_reader_of_json(const json_t *body, struct change_error *error)
{
	const json_t *listed = json_object_get(body, "ptrs"); /* as GET /v1/ptrs gives it */
	struct batch_reader *reader = reader_new(error);
	if (!reader)
		return NULL;
	reader->list = listed ? listed : body;
	if (json_is_array(reader->list))
		return reader;
	(void)change_refuse(error, "",
			    "the body must be a list, [{\"address\": A, \"reverse_fqdn\": NAME}, "
			    "...], or the same as text/csv");
	batch_reader_free(reader);
	return NULL;
}

/* By the first of these keys that the row has; the others are passed over. */
static int read_owner(const json_t *object, struct batch_row *row, struct change_error *error)
{
	static const char *const keys[] = {"owner", "id", "address"};
	for (size_t i = 0; i < COUNT(keys); i++) {
		const json_t *value = json_object_get(object, keys[i]);
		if (!value)
			continue;
		row->owner_key = keys[i];
		row->owner = json_string_value(value);
		return row->owner ? 0 : change_refuse(error, keys[i], "must be a string");
	}
	return change_refuse(error, "address", "it is missing; give an address, or the owner's id");
}

static int next_of_json(struct batch_reader *reader, struct batch_row *row,
			struct change_error *error)
{
	const json_t *object = json_array_get(reader->list, row->index);
	if (!object)
		return ERR_NOT_FOUND;
	if (!json_is_object(object))
		return change_refuse(error, "", "must be an object");
	int err = read_owner(object, row, error);
	return err ? err : ptr_of_json(&row->ptr, object, error);
}

int batch_reader_next(struct batch_reader *reader, struct batch_row *row,
		      struct change_error *error)
{
	*row = (struct batch_row){.index = reader->index++};
	*error = (struct change_error){.outcome = CHANGE_FINE};
	return reader->list ? next_of_json(reader, row, error) : next_of_csv(reader, row, error);
}
