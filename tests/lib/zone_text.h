/* Zones out of text, for tests. */
#ifndef SLUICE_TESTS_ZONE_TEXT_H
#define SLUICE_TESTS_ZONE_TEXT_H

#include <stddef.h>
#include <stdio.h>

#include "rules/name.h"
#include "rules/wire.h"
#include "rules/zone/rdata.h"
#include "rules/zone/zonefile.h"

static const struct hash_key zone_text_key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

static inline struct name zone_text_name(const char *text)
{
	struct name name;

	if (name_from_text(&name, &zone_text_key, text) != 0)
		abort();
	return name;
}

/* Reads a zone from bytes as from a file named "test.zone". */
static inline struct zone *zone_text_read_bytes(const char *apex, const void *bytes, size_t length,
						struct faults *faults)
{
	struct name name = zone_text_name(apex);
	FILE *in = length > 0 ? fmemopen((void *)bytes, length, "r") : fopen("/dev/null", "r");
	struct zone *zone;

	if (!in)
		abort();
	zone = zonefile_read(in, "test.zone", NULL, &zone_text_key, &name, faults);
	fclose(in);
	return zone;
}

/* Reads a zone that must be right. */
static inline struct zone *zone_text_read(const char *apex, const char *text)
{
	struct faults faults;
	struct zone *zone;

	faults_init(&faults);
	zone = zone_text_read_bytes(apex, text, strlen(text), &faults);
	faults_print(&faults, stderr);
	if (!zone)
		abort();
	faults_release(&faults);
	return zone;
}

/* The zone as a master file that reads back to an equal zone; to be freed. */
static inline char *zone_text_write(const struct zone *zone)
{
	struct zone_cursor cursor = {0};
	char *text = NULL, owner_text[NAME_TEXT_MAX], type[16];
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	const uint8_t *resource;
	const struct rrset *set;

	if (!out)
		abort();
	while (zone_next(zone, &cursor, &resource, &set)) {
		const uint8_t *at = set->wire;

		name_wire_to_text(resource, owner_text);
		record_type_print(set->type, type, sizeof type);
		for (unsigned i = 0; i < set->count; i++) {
			size_t length = wire_u16(at + RECORD_HEADER - 2);

			fprintf(out, "%s %u IN %s ", owner_text, set->ttl, type);
			if (rdata_print(set->type, at + RECORD_HEADER, length, out) != 0)
				abort();
			fputc('\n', out);
			at += RECORD_HEADER + length;
		}
	}
	fclose(out);
	return text;
}

#endif
