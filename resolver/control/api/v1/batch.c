/* POST /v1/ptrs: many PTRs at once, all or none of them.
 *
 *     application/json   [{"address": A or "owner": ID, "reverse_fqdn": NAME or null, ...}, ...]
 *                        with "description" and "ttl"; at most 1 MiB (HTTP_BODY_MAX)
 *     text/csv           address,reverse_fqdn,description,ttl, as the first line names them, where
 *                        ptrdname means reverse_fqdn; at most management.upload_max
 *
 *     rows ─► read and made in one change, in a thread ─┬─ any error? 400 with the errors
 *                                                       └─ stored, published, served ─► 200
 *
 * ?make=true makes an address that does not exist, if a pool has it (addresses_make). ?dry_run=true
 * rolls the change back. A row gives the whole PTR; a row without a name removes the PTR, if there
 * is one. A PTR that already equals its row stays, so a row may repeat a PTR that the configuration
 * file declares. An error names the row, "[17].ttl", and for CSV the line. An address may get any
 * legal name, as with Designate; a cloud service only a name that is known to belong to its
 * subscription. Whether names lead back is not checked, because that takes DNS queries; GET
 * /v1/check does it for one. */
#include <strings.h>

#include "resolver/control/api/reverse.h"
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/base/csv.h"
#include "resolver/control/base/json.h"
#include "resolver/control/resource/address_body.h"
#include "resolver/control/resource/address_edits.h"
#include "resolver/control/resource/values.h"
#include "resolver/control/service/service.h"
#include "resolver/log.h"
#include "rules/base.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

enum { ERRORS_TOLD = 100, ROWS_AT_ONCE = 200 };

/* ---- reading rows, each value by the field table ---- */

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

struct batch_row {
	size_t index;          /* from 0; the header of CSV does not count */
	unsigned line;         /* in CSV; 0: JSON */
	const char *address;   /* an address, an id, or REGION:ID */
	const char *owned_key; /* the JSON member or CSV column that has `address` */
	struct owned_item ptr; /* texts are valid until the next page */
};

/* Reads one row at a time, because a million would take much memory. */
struct batch_reader {
	size_t index;
	const json_t *list; /* NULL: CSV */
	struct csv csv;
	size_t csv_bytes;
	struct csv_row row;
	size_t fields;               /* of the header */
	size_t places[COLUMN_COUNT]; /* each column's field, from 1; 0: it is missing */
	const char *keys[COLUMN_COUNT];
	struct arena arena; /* of the present page */
};

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

static int begin_csv(struct batch_reader *reader, const char *text, size_t length,
		     struct change_error *error)
{
	csv_init(&reader->csv, text, length);
	reader->csv_bytes = length;
	return read_header(reader, error);
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

static int begin_json(struct batch_reader *reader, const json_t *body, struct change_error *error)
{
	const json_t *listed = json_object_get(body, "ptrs"); /* as in the answer to GET /v1/ptrs */

	reader->list = listed ? listed : body;
	if (json_is_array(reader->list))
		return 0;
	return change_refuse(error, "",
			     "the body must be a list, [{\"address\": A, \"reverse_fqdn\": NAME}, "
			     "...], or the same as text/csv");
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
		   : address_body_read(kind_of_id(KIND_PTR), object, &row->ptr, &reader->arena,
				       error);
}

/* ERR_NOT_FOUND: there are no more rows. ERR_INVALID: the row is wrong, `error` has the reason, and
 * the next row can be read. */
static int next_row(struct batch_reader *reader, struct batch_row *row, struct change_error *error)
{
	*row = (struct batch_row){.index = reader->index++, .ptr.ttl = NOT_GIVEN};
	*error = (struct change_error){.outcome = CHANGE_FINE};
	return reader->list ? next_of_json(reader, row, error) : next_of_csv(reader, row, error);
}

static int percent_read(const struct batch_reader *reader)
{
	size_t all = reader->list ? json_array_size(reader->list) : reader->csv_bytes;
	size_t left = reader->list ? all - (reader->index < all ? reader->index : all)
				   : (size_t)(reader->csv.end - reader->csv.at);

	return all > 0 ? (int)((all - left) * 100 / all) : 100;
}

/* ---- the upload ---- */

struct row_place { /* of a row, for errors */
	size_t index;
	unsigned line; /* in CSV; 0: JSON */
};

struct upload {
	struct api_request *request;
	struct api_wait wait;
	bool dry_run, make;
	struct batch_reader reader;
	struct resource_edit edits[ROWS_AT_ONCE]; /* the present page */
	struct row_place places[ROWS_AT_ONCE];    /* of these edits */
	size_t count;
	json_t *seen; /* the addresses of earlier rows, as text */
	/* The error of the wrong row that ended the page. It is noted after the errors of the
	 * page's edits, whose rows come before it. CHANGE_FINE: none. */
	struct change_error wrong;
	struct row_place wrong_at;
	json_t *errors;
	size_t error_count;
	size_t set, removed, unchanged, made;
};

static void page_release(struct upload *upload)
{
	for (size_t i = 0; i < upload->count; i++)
		json_decref((json_t *)(uintptr_t)upload->edits[i].values);
	upload->count = 0;
	arena_release(&upload->reader.arena);
	arena_init(&upload->reader.arena);
}

static void upload_free(struct upload *upload)
{
	page_release(upload);
	arena_release(&upload->reader.arena);
	json_decref(upload->seen);
	json_decref(upload->errors);
	free(upload);
}

/* ---- errors ---- */

static void note_error(struct upload *upload, const struct row_place *place,
		       const struct change_error *error)
{
	char path[CHANGE_FIELD_MAX + 32];
	if (upload->error_count++ >= ERRORS_TOLD)
		return;
	snprintf(path, sizeof path, "[%zu]%s%s", place->index, *error->field ? "." : "",
		 error->field);
	json_t *told = json_make("{s:o, s:s, s:o, s:o, s:o}", "path", json_text(path), "code",
				 api_v1_change_code(error), "line",
				 place->line ? json_integer(place->line) : json_null(), "field",
				 *error->field ? json_text(error->field) : json_null(), "message",
				 json_text(error->text));
	json_add(upload->errors, told);
}

/* Notes the error of the row that ended the page, once the page's edits have been put. */
static void note_wrong(struct upload *upload)
{
	if (upload->wrong.outcome != CHANGE_FINE)
		note_error(upload, &upload->wrong_at, &upload->wrong);
	upload->wrong.outcome = CHANGE_FINE;
}

/* The `refuse` of a service_change. */
static void refuse_edit(void *context, size_t index, const struct change_error *error)
{
	struct upload *upload = context;

	note_error(upload, &upload->places[index], error);
}

/* Answers with the first error as the error, and a list of the first ERRORS_TOLD. */
static void answer_errors(struct upload *upload)
{
	const json_t *first = json_array_get(upload->errors, 0);
	const char *path = json_string_value(json_object_get(first, "path"));
	const char *message = json_string_value(json_object_get(first, "message"));
	char *text = NULL;
	if (asprintf(&text, "%zu %s, and nothing has changed; the first: %s", upload->error_count,
		     text_plural(upload->error_count, "row does not fit", "rows do not fit"),
		     message ? message : "") < 0)
		text = NULL;
	json_t *body = json_make("{s:{s:s, s:o, s:o}, s:O, s:I}", "error", "code", "invalid",
				 "message", json_text(text), "path", json_text(path), "errors",
				 upload->errors, "count", (json_int_t)upload->error_count);
	free(text);
	api_reply_json(upload->request, 400, body, NULL);
}

/* ---- a row ---- */

/* Notes that the address has a row. */
static int note_seen(struct upload *upload, const char *address, struct change_error *error)
{
	if (json_object_get(upload->seen, address))
		return change_say(error, CHANGE_TAKEN, NULL,
				  "another row before this one is for the same address; leave one "
				  "out");
	if (json_object_set_new(upload->seen, address, json_true()) != 0)
		return change_no_memory(error);
	return 0;
}

static json_t *values_of(const struct owned_item *ptr)
{
	return values_print(kind_of_id(KIND_PTR), NULL, ptr);
}

/* Adds an edit to the page; takes ownership of the values (NULL: removes the PTR). `found`: the
 * address or service of an edited PTR (struct resource_edit); NULL: none. */
static void add_edit(struct upload *upload, const struct batch_row *row, const struct path *path,
		     json_t *values, const struct owned_resource *found)
{
	upload->edits[upload->count] =
		(struct resource_edit){.path = *path, .values = values, .found = found};
	upload->places[upload->count++] = (struct row_place){row->index, row->line};
}

static int set_ptr(struct upload *upload, const struct batch_row *row, struct resources *resources,
		   const struct owned_resource *resource, struct change_error *error)
{
	const struct owned_item *ptr = &row->ptr;
	const struct path path = {kind_of_id(KIND_PTR), GROUP_NONE, {resource->item.id, NULL}};
	bool removes = !ptr->reverse_fqdn;
	char address[ADDRESS_TEXT_MAX];
	json_t *values = NULL;
	int err = note_seen(upload, address_print(&resource->item.address, address), error);

	if (err)
		return err;
	if (removes && (ptr->ptr_description || ptr->ttl != NOT_GIVEN))
		return change_refuse(
			error, ptr->ttl != NOT_GIVEN ? "ttl" : "description",
			"belongs to the PTR, and there is none; give reverse_fqdn as well");
	if (addresses_points(resources, resource, ptr)) {
		upload->unchanged++;
		return 0;
	}
	if (!removes) {
		values = json_whole(values_of(ptr));
		if (!values)
			return change_no_memory(error);
	}
	add_edit(upload, row, &path, values, resource);
	upload->set += !removes;
	upload->removed += removes;
	return 0;
}

/* Makes the address of a row, with the row's PTR. A row without a name changes nothing: there is no
 * PTR to remove. */
static int make_address(struct upload *upload, const struct batch_row *row,
			struct resources *resources, struct change_error *error)
{
	json_t *values = values_of(&row->ptr);
	char why[ADDRESSES_WHY_MAX];
	const char *address;
	struct path path;
	int err = addresses_make(resources, resources_model(resources), row->address, &path, values,
				 &upload->reader.arena, why);

	address = json_text_of(values, "address");
	if (err == ERR_NOMEM)
		err = change_say(error, CHANGE_NO_MEMORY, NULL, "%s", why);
	else if (err)
		err = change_refuse(error, row->owned_key, "%s", why);
	else if (row->ptr.reverse_fqdn || json_object_get(upload->seen, address))
		err = note_seen(upload, address, error);
	values = json_whole(values);
	if (!err && !values)
		err = change_no_memory(error);
	if (err || !row->ptr.reverse_fqdn) {
		upload->unchanged += !err;
		json_decref(values);
		return err;
	}
	add_edit(upload, row, &path, values, NULL);
	upload->set++;
	upload->made++;
	return 0;
}

/* Adds the row's edit to the page, unless nothing changes. */
static int take_row(struct upload *upload, const struct batch_row *row, struct resources *resources,
		    struct change_error *error)
{
	const struct owned_resource *resource = addresses_by_ptr(resources, row->address);

	if (resource)
		return set_ptr(upload, row, resources, resource, error);
	if (resources_check_reads(resources, error) != 0)
		return ERR_INVALID;
	if (upload->make)
		return make_address(upload, row, resources, error);
	return change_refuse(
		error, row->owned_key,
		"\"%.64s\" is not an address or id that we own; add the address first, "
		"or give --make (HTTP: ?make=true) where an address pool has it",
		row->address);
}

/* Reads some rows into the page, and stops at a wrong one. ERR_NOT_FOUND: there are no more rows.
 */
static int read_rows(struct upload *upload, struct resources *resources, struct change_error *error)
{
	struct batch_row row;
	int err = 0;

	for (size_t i = 0; !err && i < ROWS_AT_ONCE; i++) {
		err = next_row(&upload->reader, &row, error);
		if (!err)
			err = take_row(upload, &row, resources, error);
	}
	if (!err || err == ERR_NOT_FOUND || !change_error_is_of_edit(error))
		return err;
	upload->wrong = *error;
	upload->wrong_at = (struct row_place){row.index, row.line};
	return 0;
}

/* The `more` of a service_change. */
static int read_page(void *context, struct resources *resources, struct edit_page *page,
		     struct change_error *error)
{
	struct upload *upload = context;
	int err;

	note_wrong(upload);
	page_release(upload);
	err = read_rows(upload, resources, error);
	upload->request->service->work.percent = percent_read(&upload->reader);
	*page = (struct edit_page){upload->edits, upload->count, .more = !err || upload->count > 0};
	if (err == ERR_NOT_FOUND)
		err = !page->more && upload->error_count > 0
			      ? change_say(error, CHANGE_INVALID, NULL, "rows do not fit")
			      : 0;
	return err;
}

/* ---- the answer ---- */

static void log_uploaded(const struct upload *upload, const char *client)
{
	char shown[128];

	snprintf(shown, sizeof shown, "%zu PTRs set and %zu removed", upload->set, upload->removed);
	log_event_guarded(LOG_INFO, "change", shown, "%s by %s", shown, client);
}

/* Answers once every worker serves the change, so that a new PTR is ACTIVE. */
static void on_served(struct api_wait *wait)
{
	struct upload *upload = container_of(wait, struct upload, wait);
	char etag[ETAG_MAX];

	/* A dry run returns the etag of the state that it tried: with it as If-Match, the same rows
	 * have the same effect, or none. */
	api_reply_json(
		upload->request, 200,
		json_make("{s:I, s:I, s:I, s:I, s:b}", "set", (json_int_t)upload->set, "removed",
			  (json_int_t)upload->removed, "unchanged", (json_int_t)upload->unchanged,
			  "made", (json_int_t)upload->made, "dry_run", upload->dry_run),
		upload->dry_run ? addresses_etag(api_resources(upload->request), etag) : NULL);
	upload_free(upload);
}

static void answer(struct upload *upload)
{
	bool any = !upload->dry_run && upload->set + upload->removed > 0;

	upload->wait.on_served = on_served;
	if (any)
		log_uploaded(upload, upload->request->who);
	if (any)
		api_await_served(upload->request, &upload->wait);
	else
		on_served(&upload->wait);
}

static void on_change(void *context, int err, const struct service_change *change,
		      const struct faults *none)
{
	struct upload *upload = context;

	(void)none;
	if (!err) {
		answer(upload);
		return;
	}
	if (upload->error_count > 0 && change_error_is_of_edit(&change->error))
		answer_errors(upload);
	else
		api_fail_change(upload->request, &change->error);
	upload_free(upload);
}

/* ---- beginning ---- */

static int begin_reading(struct batch_reader *reader, const struct api_request *request,
			 struct change_error *error)
{
	return request->text ? begin_csv(reader, request->text, request->text_length, error)
			     : begin_json(reader, request->body, error);
}

static struct upload *upload_new(struct api_request *request, bool dry_run, bool make,
				 struct change_error *error)
{
	struct upload *upload = calloc(1, sizeof *upload);
	*error = (struct change_error){.outcome = CHANGE_NO_MEMORY};
	if (!upload)
		return NULL;
	upload->request = request;
	upload->dry_run = dry_run;
	upload->make = make;
	upload->errors = json_array();
	upload->seen = json_object();
	arena_init(&upload->reader.arena);
	if (upload->errors && upload->seen &&
	    change_source(resources_store(api_resources(request)), error) &&
	    begin_reading(&upload->reader, request, error) == 0)
		return upload;
	upload_free(upload);
	return NULL;
}

void api_ptrs_batch(struct api_request *request)
{
	struct change_error error;
	bool dry_run, make;
	if (!api_query_flag(request, "dry_run", &dry_run) ||
	    !api_query_flag(request, "make", &make) || !api_require_all(request))
		return;
	struct upload *upload = upload_new(request, dry_run, make, &error);
	struct service_change change = {.more = read_page,
					.refuse = refuse_edit,
					.large = true,
					.who = request->who,
					.rehearsal = dry_run,
					.context = upload};
	if (upload)
		service_commit(request->service, &change, on_change, upload);
	else
		api_fail_change(request, &error);
}
