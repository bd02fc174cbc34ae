/* `sluice zone import ZONE FILE` puts a master file's records into a zone of the state, by one
 * change that is all made or not at all. `sluice zone export ZONE` prints any zone as a master
 * file.
 *
 *     FILE ─► zone ─► record sets ─────────────┐
 *                                              ├─► plan ─► POST /v1/changes
 *     GET .../record_sets ─► served sets ──────┘
 *
 * Metadata of existing sets stay. Data are compared in wire form, so neither spelling nor order
 * matters; nor does the serial of a SOA, which the server gives. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/base/json.h"
#include "resolver/control/base/regular_file.h"
#include "resolver/control/base/report.h"
#include "resolver/control/command/client.h"
#include "rules/schema/record_set.h"
#include "rules/text.h"
#include "rules/zone/rdata.h"
#include "rules/zone/zonefile.h"

static const struct hash_key any_key;

struct zone_import {
	const struct command_line *line;
	struct client_top zone;
	struct name apex;
	json_t *served; /* name in lower case -> values; without those in the file */
	json_t *edits;
	size_t creates, changes, deletes;
	bool is_new;  /* the zone */
	bool refused; /* a change is impossible from here; the reason was printed */
};

/* ---- the file ---- */

static struct zone *read_zone(const struct command_line *line, const struct name *apex)
{
	const char *path = line->arguments[1];
	bool is_input = strcmp(path, "-") == 0;
	FILE *in = is_input ? stdin : fopen(path, "r");
	struct zonefile_folder folder = {0};
	struct faults faults;
	struct zone *zone;
	int err;

	if (!in) {
		command_fail_at(line, "%s cannot be read: %s", path, strerror(errno));
		return NULL;
	}
	err = is_input ? 0 : zonefile_folder_init(&folder, path, regular_file_read_below);
	if (err) {
		command_fail_at(line, "%s", err_text(err));
		fclose(in);
		return NULL;
	}
	faults_init(&faults);
	zone = zonefile_read(in, is_input ? "standard input" : path, is_input ? NULL : &folder,
			     &any_key, apex, &faults);
	faults_sort(&faults);
	faults_print(&faults, stderr);
	faults_release(&faults);
	if (!is_input)
		fclose(in);
	zonefile_folder_release(&folder);
	return zone;
}

/* ---- served record sets ---- */

/* Adds a page; returns the path of the next one, to be freed, or NULL. */
static char *take_page(struct zone_import *import, const json_t *page)
{
	const char *next = json_string_value(json_object_get(page, "next"));
	json_t *item;
	size_t i;

	json_array_foreach(json_object_get(page, "record_sets"), i, item)
	{
		const char *name = json_string_value(json_object_get(item, "name"));
		char *key = name ? text_lower(strdup(name)) : NULL;

		if (key)
			json_put(import->served, key, json_incref(item));
		free(key);
	}
	return next ? strdup(next) : NULL;
}

static bool ask_sets(struct zone_import *import)
{
	char *path = client_path("/v1/private_zones/%/%/record_sets?limit=1000", import->zone.group,
				 import->zone.name);

	while (path) {
		json_t *page =
			client_ask(import->line, (struct client_call){.method = "GET"}, path);

		if (!page)
			return false;
		path = take_page(import, page);
		json_decref(page);
	}
	return true;
}

/* `etag`: the server refuses the change if the set has changed since; "": if the set exists; NULL:
 * never. */
static void add_edit(struct zone_import *import, const char *path_format, const char *name,
		     const char *etag, json_t *values)
{
	char *path = client_path(path_format, import->zone.group, import->zone.name, name);
	json_t *edit = json_make("{s:o, s:o}", "path", json_text(path), "values", values);

	if (etag)
		json_put(edit, "etag", json_text(etag));
	json_add(import->edits, edit);
	free(path);
}

static const char *etag_of(const struct zone_import *import, const json_t *served)
{
	return import->is_new ? NULL : json_text_of(served, "etag");
}

/* Asks for the zone's record sets; if the server lacks the zone, plans to create it. */
static bool ask_served(struct zone_import *import)
{
	char socket[CLIENT_PATH_MAX], error[CLIENT_ERROR_MAX];
	char *path = client_path("/v1/private_zones/%/%", import->zone.group, import->zone.name);
	unsigned status = 0;
	json_t *zone = NULL;
	const char *file;
	bool fine;

	if (client_socket_path(import->line, socket) && path) {
		zone = client_call(socket, (struct client_call){.method = "GET", .path = path},
				   &status, error);
		if (!zone)
			command_fail_at(import->line, "%s", error);
	}
	free(path);
	file = json_string_value(json_object_get(zone, "file"));
	fine = zone && !file && (status == 200 || status == 404);
	if (file)
		command_fail_at(import->line,
				"the records of %s are those of its file, %s; change them there, "
				"and reload",
				import->zone.name, file);
	else if (zone && !fine)
		command_fail_at(import->line, "%s", client_error_text(zone));
	json_decref(zone);
	if (!fine || status == 200)
		return fine && ask_sets(import);
	if (strcmp(import->zone.group, GROUP_ANY) == 0)
		snprintf(import->zone.group, sizeof import->zone.group, GROUP_NONE);
	printf("create private_zones/%s/%s\n", import->zone.group, import->zone.name);
	import->creates++;
	import->is_new = true;
	add_edit(import, "private_zones/%/%", NULL, NULL, json_object());
	return true;
}

/* ---- the plan ---- */

/* Reads a record's text as wire, a SOA without its serial; false: it is not of that type. */
static bool read_record(const struct zone_import *import, uint16_t type, const char *text,
			uint8_t rdata[RDATA_MAX], size_t *length)
{
	const char *why;

	if (!text || rdata_parse(type, text, import->apex.wire, rdata, length, &why) != 0)
		return false;
	if (type == TYPE_SOA && *length >= 20)
		memset(rdata + *length - 20, 0, 4);
	return true;
}

static bool has_record(const struct zone_import *import, uint16_t type, const json_t *records,
		       const uint8_t *wanted, size_t length)
{
	static uint8_t other[RDATA_MAX];
	size_t other_length, i;
	json_t *item;

	json_array_foreach((json_t *)records, i,
			   item) if (read_record(import, type, json_string_value(item), other,
						 &other_length) &&
				     other_length == length &&
				     memcmp(other, wanted, length) == 0) return true;
	return false;
}

static bool same_records(const struct zone_import *import, uint16_t type, const json_t *a,
			 const json_t *b)
{
	static uint8_t rdata[RDATA_MAX];
	size_t length, i;
	json_t *item;

	if (json_array_size(a) != json_array_size(b))
		return false;
	json_array_foreach(
		(json_t *)a, i,
		item) if (!read_record(import, type, json_string_value(item), rdata, &length) ||
			  !has_record(import, type, b, rdata, length)) return false;
	return true;
}

static void print_value(const char *key, const json_t *before, const json_t *after)
{
	char *old = json_dumps(before, JSON_COMPACT | JSON_ENCODE_ANY);
	char *new = json_dumps(after, JSON_COMPACT | JSON_ENCODE_ANY);

	printf("    %s: %s -> %s\n", key, old ? old : "", new ? new : "");
	free(old);
	free(new);
}

static void plan_set(struct zone_import *import, const char *name, uint16_t type, json_t *values)
{
	char *key = text_lower(strdup(name));
	json_t *served = key ? json_incref(json_object_get(import->served, key)) : NULL;
	const char *origin = json_string_value(json_object_get(served, "origin"));
	const json_t *records = json_object_get(values, "records"),
		     *ttl = json_object_get(values, "ttl");
	const json_t *old = json_object_get(served, "records"),
		     *old_ttl = json_object_get(served, "ttl");
	bool same = served && same_records(import, type, old, records);

	if (served)
		json_object_del(import->served, key);
	if (same && json_equal(ttl, old_ttl)) {
		json_decref(values);
	} else if (origin) {
		import->refused = true;
		command_fail_at(import->line, "%s is declared at %s; change it there, and reload",
				name, origin);
		json_decref(values);
	} else {
		printf("%s %s\n", served ? "change" : "create", name);
		if (served && !json_equal(ttl, old_ttl))
			print_value("ttl", old_ttl, ttl);
		if (served && !same)
			print_value("records", old, records);
		if (served)
			json_put(values, "metadata",
				 json_incref(json_object_get(served, "metadata")));
		import->changes += served != NULL;
		import->creates += !served;
		add_edit(import, "private_zones/%/%/record_sets/%", name, etag_of(import, served),
			 values);
	}
	json_decref(served);
	free(key);
}

static int on_set(void *context, const uint8_t *owner, const struct rrset *set)
{
	struct zone_import *import = context;
	char name[RECORD_SET_NAME_MAX];

	record_set_name(&import->apex, owner, set->type, name);
	plan_set(import, name, set->type,
		 json_make("{s:I, s:o}", "ttl", (json_int_t)set->ttl, "records",
			   report_records(set)));
	return 0;
}

/* Skips a SOA that was made for a file without one. */
static int on_own_set(void *context, const uint8_t *owner, const struct rrset *set)
{
	return set->type == TYPE_SOA ? 0 : on_set(context, owner, set);
}

static void plan_prune(struct zone_import *import)
{
	const char *key;
	json_t *served;

	json_object_foreach(import->served, key, served)
	{
		const char *name = json_string_value(json_object_get(served, "name"));

		if (json_string_value(json_object_get(served, "origin")))
			continue;
		printf("delete %s\n", name);
		import->deletes++;
		add_edit(import, "private_zones/%/%/record_sets/%", name, etag_of(import, served),
			 json_null());
	}
}

static int carry_out(struct zone_import *import)
{
	const struct command_line *line = import->line;
	json_t *answer;

	if (json_array_size(import->edits) == 0) {
		printf("nothing to change\n");
		return EXIT_SUCCESS;
	}
	answer = client_ask(line,
			    (struct client_call){.method = "POST",
						 .body = json_make("{s:O}", "edits", import->edits),
						 .timeout_ms = CLIENT_RELOAD_MS},
			    client_path(line->dry_run ? "/v1/changes?dry_run" : "/v1/changes"));
	if (!answer)
		return EXIT_FAILURE;
	command_print_warnings(line, answer);
	printf("%zu to create, %zu to change, %zu to delete%s\n", import->creates, import->changes,
	       import->deletes, line->dry_run ? ": not done" : ": done");
	json_decref(answer);
	return EXIT_SUCCESS;
}

/* ---- the commands ---- */

int command_zone_import(const struct command_line *line)
{
	struct zone_import import = {.line = line,
				     .zone = client_top(line->arguments[0]),
				     .served = json_object(),
				     .edits = json_array()};
	struct zone *zone = NULL;
	int status = EXIT_FAILURE;
	char *name = strndup(import.zone.name, name_text_length(import.zone.name));

	if (!name)
		return command_fail_at(line, "%s", err_text(ERR_NOMEM));
	import.zone.name = name;
	if (name_from_text(&import.apex, &any_key, import.zone.name) != 0)
		status = command_misuse(line, "\"%s\" is no zone's name", import.zone.name);
	else
		zone = read_zone(line, &import.apex);
	if (zone && ask_served(&import)) {
		zone_walk(zone, zone_has_own_soa(zone) ? on_set : on_own_set, &import);
		if (line->prune)
			plan_prune(&import);
		if (!import.refused)
			status = carry_out(&import);
	}
	zone_unref(zone);
	json_decref(import.served);
	json_decref(import.edits);
	free(name);
	return status;
}

int command_zone_export(const struct command_line *line)
{
	const struct client_top zone = client_top(line->arguments[0]);
	json_t *answer;

	if (*zone.name == '\0')
		return command_no_name(line, "zone", line->arguments[0]);
	answer =
		client_ask(line,
			   (struct client_call){.method = "GET",
						.out = stdout,
						.spool = true,
						.timeout_ms = CLIENT_RELOAD_MS},
			   client_path("/v1/private_zones/%/%/master_file", zone.group, zone.name));
	json_decref(answer);
	return answer ? EXIT_SUCCESS : EXIT_FAILURE;
}
