/* Reads each value of a row by the field table; v1/batch.c checks rows beside one another. */
#include "resolver/control/api/batch.h"

#include <strings.h>

#include "resolver/control/base/csv.h"
#include "resolver/control/resource/addresses.h"
#include "rules/base.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

enum batch_column { COLUMN_ADDRESS, COLUMN_FQDN, COLUMN_DESCRIPTION, COLUMN_TTL, COLUMN_COUNT };

static const struct {
	const char *name;
	enum batch_column column;
} column_names[] = {
	{"address", COLUMN_ADDRESS}, {"owner", COLUMN_ADDRESS},
	{"id", COLUMN_ADDRESS},      {"reverse_fqdn", COLUMN_FQDN},
	{"ptrdname", COLUMN_FQDN},   {"description", COLUMN_DESCRIPTION},
	{"ttl", COLUMN_TTL},
};
enum { COLUMN_NAMES = COUNT(column_names) };

struct batch_reader {
	size_t index;
	const json_t *list; /* NULL: CSV */
	struct csv csv;
	size_t csv_bytes;
	struct csv_row row;
	size_t fields;               /* of the header */
	size_t places[COLUMN_COUNT]; /* each column's field, from 1; 0: it is missing */
	const char *keys[COLUMN_COUNT];
	struct arena arena; /* of the present row */
};

void batch_reader_free(struct batch_reader *reader)
{
	if (!reader)
		return;
	arena_release(&reader->arena);
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
	if (reader)
		arena_init(&reader->arena);
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
	if (!reader->places[COLUMN_ADDRESS] || !reader->places[COLUMN_FQDN])
		return change_refuse(
			error, "",
			"line %u: the column %s is missing; add it, separated by a comma",
			reader->row.line,
			reader->places[COLUMN_ADDRESS] ? "reverse_fqdn" : "address");
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

/* The row's text in that column; NULL if it is empty, or the column is missing. */
static const char *cell(const struct batch_reader *reader, enum batch_column column)
{
	size_t place = reader->places[column];
	const char *text = place ? reader->row.fields[place - 1] : "";
	return *text ? text : NULL;
}

/* Sets the PTR's member of that key to the cell, unless the cell is empty. */
static int read_cell(struct batch_reader *reader, enum batch_column column, const char *key,
		     struct owned_item *ptr, struct change_error *error)
{
	static const struct origin nowhere;
	const struct group *group = kind_field(kind_of_id(KIND_PTR))->group;
	const char *text = cell(reader, column);
	struct faults faults;
	int err = 0;

	if (!text)
		return 0;
	faults_init(&faults);
	if (schema_set_text(schema_field(group, key), ptr, text, &nowhere, &reader->arena,
			    &faults) != 0)
		err = change_refuse(error, key, "%s",
				    faults.count ? faults.items[0].text : err_text(ERR_NOMEM));
	faults_release(&faults);
	return err;
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
	row->address = cell(reader, COLUMN_ADDRESS);
	row->owned_key = reader->keys[COLUMN_ADDRESS];
	if (!row->address)
		return change_refuse(error, row->owned_key, "it is empty; give an address");
	err = read_cell(reader, COLUMN_TTL, "ttl", &row->ptr, error);
	if (!err)
		err = read_cell(reader, COLUMN_FQDN, "reverse_fqdn", &row->ptr, error);
	return err ? err : read_cell(reader, COLUMN_DESCRIPTION, "description", &row->ptr, error);
}

/* ---- JSON ---- */

struct batch_reader *batch_reader_of_json(const json_t *body, struct change_error *error)
{
	const json_t *listed = json_object_get(body, "ptrs"); /* as in the answer to GET /v1/ptrs */
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

/* Reads the first of these keys that the row has, and ignores the others. */
static int read_address(const json_t *object, struct batch_row *row, struct change_error *error)
{
	static const char *const keys[] = {"owner", "id", "address"};
	for (size_t i = 0; i < COUNT(keys); i++) {
		const json_t *value = json_object_get(object, keys[i]);
		if (!value)
			continue;
		row->owned_key = keys[i];
		row->address = json_string_value(value);
		return row->address ? 0 : change_refuse(error, keys[i], "must be a string");
	}
	return change_refuse(error, "address", "it is missing; give an address, or its id");
}

static int next_of_json(struct batch_reader *reader, struct batch_row *row,
			struct change_error *error)
{
	const json_t *object = json_array_get(reader->list, row->index);
	if (!object)
		return ERR_NOT_FOUND;
	if (!json_is_object(object))
		return change_refuse(error, "", "must be an object");
	int err = read_address(object, row, error);
	return err ? err
		   : addresses_read(kind_of_id(KIND_PTR), object, &row->ptr, &reader->arena, error);
}

int batch_reader_next(struct batch_reader *reader, struct batch_row *row,
		      struct change_error *error)
{
	arena_release(&reader->arena);
	arena_init(&reader->arena);
	*row = (struct batch_row){.index = reader->index++, .ptr.ttl = NOT_GIVEN};
	*error = (struct change_error){.outcome = CHANGE_FINE};
	return reader->list ? next_of_json(reader, row, error) : next_of_csv(reader, row, error);
}
