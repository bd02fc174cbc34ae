/* A master file: whatever it has, it is read to its end; and a zone that came of it, written and
 * read again, is the same. Every name that the zone has is found in it. */
#include "rules/zone/zonefile.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/zone_text.h"

enum { TEXT_MAX = 64 * 1024 };

static const struct hash_key key = {1, 2};

/* ldns_str2rdf_ipseckey forgets what it has allocated, whether it likes the text or not, and what
 * it gives to the RR; see tests/rules/zone/test_zonefile.c. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:ldns_str2rdf_ipseckey\nleak:ldns_rdf_new_frm_data\n";
}

const char *__lsan_default_options(void);
const char *__lsan_default_options(void)
{
	return "print_suppressions=0";
}

static struct zone *read_text(const void *text, size_t length, const struct name *apex,
			      struct faults *faults)
{
	FILE *in = length ? fmemopen((void *)(uintptr_t)text, length, "r") : NULL;
	struct zone *zone = in ? zonefile_read(in, "fuzz.zone", NULL, &key, apex, faults) : NULL;

	if (in)
		fclose(in);
	return zone;
}

static int find_again(void *context, const uint8_t *owner, const struct rrset *rrset)
{
	const struct zone *zone = context;
	struct name name;
	struct zone_answer answer;

	FUZZ_CHECK(name_from_wire(&name, &key, owner, name_wire_length(owner), 0, NULL) == 0);
	FUZZ_CHECK(zone_find_exact(zone, &name, rrset->type) == rrset);
	zone_find(zone, &name, rrset->type, &answer);
	FUZZ_CHECK(answer.outcome != ZONE_NXDOMAIN);
	return 0;
}

static void check_round(const struct zone *zone, const struct name *apex)
{
	struct faults faults;
	char *first = zone_text_write(zone);

	faults_init(&faults);
	struct zone *again = read_text(first, strlen(first), apex, &faults);
	if (!again)
		faults_print(&faults, stderr);
	FUZZ_CHECK(again);
	char *second = zone_text_write(again);
	FUZZ_CHECK(strcmp(first, second) == 0);
	FUZZ_CHECK(zone_records(zone) == zone_records(again));
	free(second);
	free(first);
	zone_unref(again);
	faults_release(&faults);
}

const double fuzz_byte_us = 2;

int fuzz_one(const uint8_t *data, size_t size)
{
	struct faults faults;
	struct name apex;

	if (size > TEXT_MAX)
		return 0;
	FUZZ_CHECK(name_from_text(&apex, &key, "corp.test") == 0);
	faults_init(&faults);
	struct zone *zone = read_text(data, size, &apex, &faults);
	if (zone) {
		FUZZ_CHECK(faults.errors == 0);
		zone_walk(zone, find_again, zone);
		check_round(zone, &apex);
	} else {
		FUZZ_CHECK(size == 0 || faults.errors > 0);
	}
	zone_unref(zone);
	faults_release(&faults);
	return 0;
}
