/* What of a target's reply is kept, and for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "resolver/resolve/reply.h"
#include "tests/lib/message_text.h"
#include "tests/lib/model_builder.h"

enum { S = 1000 * 1000, BEGIN = 1000 * S };

static struct cache_settings settings;

static int setup(void **state)
{
	(void)state;
	settings = (struct cache_settings){.ttl_max = 86400, .negative_ttl_max = 900};
	return 0;
}

struct asked { /* a question, its reply and what became of it */
	uint8_t wire[MESSAGE_MAX];
	size_t length;
	struct cache_entry *entry;
	char *records; /* as ldns reads them */
};

static const struct leg leg = {.id = 7};

static void keep(struct asked *a, const char *qname, uint16_t type, bool dnssec_ok,
		 enum ask_outcome outcome)
{
	struct name name = test_name(qname);
	const struct lookup_key key = {&leg, &name, type, dnssec_ok, false, {0}, false};
	const struct ask_result result = {.outcome = outcome, .wire = a->wire, .length = a->length};
	struct message_text text;
	uint8_t wire[MESSAGE_MAX], buffer[MESSAGE_MAX];

	a->entry = reply_entry(&key, &result, &settings, &test_key, buffer, BEGIN);
	assert_non_null(a->entry);
	if (a->entry->failed)
		return;
	assert_true(a->entry->length <= sizeof wire);
	memcpy(wire, cache_entry_wire(a->entry), a->entry->length);
	wire_put16(wire + 4, 1); /* the counts are the entry's until somebody makes a reply */
	wire_put16(wire + 6, a->entry->answers);
	wire_put16(wire + 8, a->entry->authorities);
	wire_put16(wire + 10, 0);
	assert_true(message_read_text(&text, wire, a->entry->length));
	a->records = text.records;
}

static struct asked *ask_as(const char *qname, uint16_t type, bool dnssec_ok, unsigned rcode,
			    const char *records)
{
	struct asked *a = calloc(1, sizeof *a);
	uint8_t query[MESSAGE_UDP_MIN];
	size_t length = request_write(query, 1, FLAG_RD, qname, type, CLASS_IN, 0, false);

	assert_non_null(a);
	a->length = reply_write(a->wire, query, length, rcode, 0, records);
	assert_true(a->length > 0);
	keep(a, qname, type, dnssec_ok, ASK_ANSWERED);
	return a;
}

static struct asked *ask(const char *qname, uint16_t type, unsigned rcode, const char *records)
{
	return ask_as(qname, type, false, rcode, records);
}

static void done(struct asked *a)
{
	cache_entry_unref(a->entry);
	free(a->records);
	free(a);
}

static unsigned ttl_of(const struct asked *a)
{
	return (unsigned)((a->entry->expires_us - BEGIN) / S);
}

#define KEPT(a, text) assert_string_equal((a)->records, text)

/* ---- what belongs ---- */

static void the_asked_rrset_is_kept(void **state)
{
	(void)state;
	struct asked *a = ask("www.example.", TYPE_A, RCODE_NOERROR,
			      "answer www.example. 60 IN A 192.0.2.1\n"
			      "answer www.example. 60 IN A 192.0.2.2\n");
	KEPT(a, "answer www.example. 60 IN A 192.0.2.1\nanswer www.example. 60 IN A 192.0.2.2\n");
	assert_true(a->entry->has_data);
	assert_int_equal(a->entry->link_count, 1);
	assert_false(a->entry->has_soa || a->entry->failed);
	assert_int_equal(a->entry->ttl_count, 2);
	assert_int_equal(a->entry->leg, 7);
	assert_true(reply_may_be_cached(a->entry));
	done(a);
}

static void the_owner_may_be_in_any_case(void **state)
{
	(void)state;
	struct asked *a =
		ask("www.example.", TYPE_A, RCODE_NOERROR, "answer WWW.Example. 60 IN A 192.0.2.1");
	assert_true(a->entry->has_data);
	assert_int_equal(a->entry->answers, 1);
	done(a);
}

static void other_types_owners_and_classes_are_dropped(void **state)
{
	(void)state;
	struct asked *a = ask("www.example.", TYPE_A, RCODE_NOERROR,
			      "answer www.example. 60 IN TXT \"x\"\n"
			      "answer www.example. 60 IN A 192.0.2.1\n"
			      "answer www.example. 60 CH A 192.0.2.2\n"
			      "answer other.example. 60 IN A 192.0.2.3\n"
			      "answer www.example. 60 IN RRSIG A 8 2 60 20300101000000 "
			      "20200101000000 1 example. AAAA\n"
			      "authority example. 60 IN NS ns.example.\n"
			      "authority example. 60 IN SOA ns. admin. 1 2 3 4 5\n"
			      "additional ns.example. 60 IN A 192.0.2.4\n");
	KEPT(a, "answer www.example. 60 IN A 192.0.2.1\n");
	assert_int_equal(a->entry->authorities, 0);
	assert_false(a->entry->has_soa);
	done(a);
}

static void the_chain_is_put_in_order_and_nothing_off_it_is_kept(void **state)
{
	(void)state;
	struct asked *a = ask("www.example.", TYPE_A, RCODE_NOERROR,
			      "answer c.example. 60 IN A 192.0.2.1\n"
			      "answer b.example. 60 IN CNAME c.example.\n"
			      "answer x.example. 60 IN CNAME c.example.\n"
			      "answer www.example. 60 IN CNAME b.example.\n");
	KEPT(a, "answer www.example. 60 IN CNAME b.example.\n"
		"answer b.example. 60 IN CNAME c.example.\n"
		"answer c.example. 60 IN A 192.0.2.1\n");
	assert_true(a->entry->has_data);
	assert_int_equal(a->entry->link_count, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(cache_entry_links(a->entry)[i].count, 1);
	done(a);
}

static void a_cname_that_was_asked_for_is_data_and_no_chain(void **state)
{
	(void)state;
	struct asked *a = ask("www.example.", TYPE_CNAME, RCODE_NOERROR,
			      "answer www.example. 60 IN CNAME b.example.\n"
			      "answer b.example. 60 IN CNAME c.example.\n");
	KEPT(a, "answer www.example. 60 IN CNAME b.example.\n");
	assert_true(a->entry->has_data);
	assert_int_equal(a->entry->link_count, 1);
	done(a);
}

static void a_dname_above_the_chain_is_kept(void **state)
{
	(void)state;
	struct asked *a = ask("a.old.example.", TYPE_A, RCODE_NOERROR,
			      "answer old.example. 60 IN DNAME new.example.\n"
			      "answer a.old.example. 60 IN CNAME a.new.example.\n"
			      "answer a.new.example. 60 IN A 192.0.2.1\n"
			      "answer elsewhere.example. 60 IN DNAME new.example.\n");
	KEPT(a, "answer old.example. 60 IN DNAME new.example.\n"
		"answer a.old.example. 60 IN CNAME a.new.example.\n"
		"answer a.new.example. 60 IN A 192.0.2.1\n");
	assert_true(a->entry->link_count > 1);
	done(a);
}

static void a_yxdomain_keeps_the_dname_it_comes_from(void **state)
{
	(void)state;
	struct asked *a = ask("a.old.example.", TYPE_A, RCODE_YXDOMAIN,
			      "answer old.example. 60 IN DNAME new.example.\n");
	KEPT(a, "answer old.example. 60 IN DNAME new.example.\n");
	assert_int_equal(a->entry->rcode, RCODE_YXDOMAIN);
	assert_false(reply_may_be_cached(a->entry));
	done(a);
}

#define RRSIG_A     "RRSIG A 8 2 60 20300101000000 20200101000000 1 example. AAAA\n"
#define RRSIG_CNAME "RRSIG CNAME 8 2 60 20300101000000 20200101000000 1 example. AAAA\n"
#define RRSIG_DNAME "RRSIG DNAME 8 2 60 20300101000000 20200101000000 1 example. AAAA\n"

static void a_cname_that_was_asked_for_keeps_the_dname_it_follows_from(void **state)
{
	static const char records[] = "answer old.example. 60 IN DNAME new.example.\n"
				      "answer old.example. 60 IN " RRSIG_DNAME
				      "answer a.old.example. 60 IN CNAME a.new.example.\n"
				      "answer a.new.example. 60 IN CNAME b.example.\n";
	(void)state;
	struct asked *a = ask_as("a.old.example.", TYPE_CNAME, true, RCODE_NOERROR, records);
	KEPT(a, "answer old.example. 60 IN DNAME new.example.\n"
		"answer old.example. 60 IN " RRSIG_DNAME
		"answer a.old.example. 60 IN CNAME a.new.example.\n");
	assert_true(a->entry->has_data);
	assert_int_equal(a->entry->link_count, 1);
	done(a);
	/* That the name it leads to is missing is another question's answer. */
	a = ask("a.old.example.", TYPE_CNAME, RCODE_NXDOMAIN, records);
	KEPT(a, "answer old.example. 60 IN DNAME new.example.\n"
		"answer a.old.example. 60 IN CNAME a.new.example.\n");
	assert_int_equal(a->entry->rcode, RCODE_NOERROR);
	done(a);
}

static void a_dname_without_its_cname_is_followed(void **state)
{
	(void)state;
	struct asked *a = ask_as("a.b.old.example.", TYPE_A, true, RCODE_NOERROR,
				 "answer a.b.new.example. 30 IN A 192.0.2.1\n"
				 "answer old.example. 60 IN DNAME new.example.\n"
				 "answer old.example. 60 IN " RRSIG_DNAME);
	KEPT(a, "answer old.example. 60 IN DNAME new.example.\n"
		"answer old.example. 60 IN " RRSIG_DNAME
		"answer a.b.old.example. 60 IN CNAME a.b.new.example.\n"
		"answer a.b.new.example. 30 IN A 192.0.2.1\n");
	assert_true(a->entry->has_data);
	assert_int_equal(a->entry->link_count, 2);
	assert_int_equal(cache_entry_links(a->entry)[0].above, 2);
	assert_int_equal(cache_entry_links(a->entry)[0].count, 1);
	assert_int_equal(a->entry->ttl_count, 4);
	done(a);
	a = ask("a.old.example.", TYPE_CNAME, RCODE_NOERROR,
		"answer old.example. 60 IN DNAME new.example.\n");
	KEPT(a, "answer old.example. 60 IN DNAME new.example.\n"
		"answer a.old.example. 60 IN CNAME a.new.example.\n");
	assert_true(a->entry->has_data);
	done(a);
	/* Two in a row, the second with a CNAME ahead of it. */
	a = ask("a.old.example.", TYPE_A, RCODE_NXDOMAIN,
		"answer old.example. 60 IN DNAME new.example.\n"
		"answer a.new.example. 50 IN CNAME b.mid.example.\n"
		"answer mid.example. 40 IN DNAME .\n"
		"authority . 30 IN SOA ns. admin. 1 2 3 4 30\n");
	KEPT(a, "answer old.example. 60 IN DNAME new.example.\n"
		"answer a.old.example. 60 IN CNAME a.new.example.\n"
		"answer a.new.example. 50 IN CNAME b.mid.example.\n"
		"answer mid.example. 40 IN DNAME .\n"
		"answer b.mid.example. 40 IN CNAME b.\n"
		"authority . 30 IN SOA ns. admin. 1 2 3 4 30\n");
	assert_true(a->entry->has_soa);
	done(a);
}

/* RFC 6672 section 3.1: the CNAME is nothing but what follows from the DNAME. */
static void a_cname_that_contradicts_its_dname_is_written_anew(void **state)
{
	(void)state;
	for (int type = TYPE_A; type <= TYPE_CNAME; type += TYPE_CNAME - TYPE_A) {
		struct asked *a = ask_as("a.old.example.", (uint16_t)type, true, RCODE_NOERROR,
					 "answer old.example. 60 IN DNAME new.example.\n"
					 "answer a.old.example. 50 IN CNAME elsewhere.test.\n"
					 "answer a.old.example. 50 IN " RRSIG_CNAME
					 "answer elsewhere.test. 60 IN A 192.0.2.66\n");
		KEPT(a, "answer old.example. 60 IN DNAME new.example.\n"
			"answer a.old.example. 60 IN CNAME a.new.example.\n");
		assert_int_equal(a->entry->has_data, type == TYPE_CNAME);
		done(a);
	}
	/* One that agrees, in other letters, stays as it is. */
	struct asked *a = ask("a.old.example.", TYPE_A, RCODE_NOERROR,
			      "answer old.example. 60 IN DNAME new.example.\n"
			      "answer a.old.example. 0 IN CNAME A.New.example.\n"
			      "answer a.new.example. 60 IN A 192.0.2.1\n");
	KEPT(a, "answer old.example. 60 IN DNAME new.example.\n"
		"answer a.old.example. 0 IN CNAME A.New.example.\n"
		"answer A.New.example. 60 IN A 192.0.2.1\n");
	done(a);
}

/* RFC 6672 section 2.2: the name has no CNAME then, whatever the target says. */
static void a_yxdomain_has_no_cname_beside_its_dname(void **state)
{
	static const char evil[] = "answer old.example. 60 IN DNAME new.example.\n"
				   "answer a.old.example. 60 IN CNAME evil.test.\n"
				   "answer evil.test. 60 IN A 192.0.2.66\n";
	(void)state;
	for (int type = TYPE_A; type <= TYPE_CNAME; type += TYPE_CNAME - TYPE_A) {
		struct asked *a = ask("a.old.example.", (uint16_t)type, RCODE_YXDOMAIN, evil);
		KEPT(a, "answer old.example. 60 IN DNAME new.example.\n");
		assert_int_equal(a->entry->rcode, RCODE_YXDOMAIN);
		assert_false(a->entry->has_data);
		done(a);
	}
	/* The first step is right; it is the second that the target could not make. */
	struct asked *a = ask("a.old.example.", TYPE_A, RCODE_YXDOMAIN,
			      "answer old.example. 60 IN DNAME new.example.\n"
			      "answer a.old.example. 60 IN CNAME a.new.example.\n"
			      "answer new.example. 60 IN DNAME newer.example.\n"
			      "answer a.new.example. 60 IN CNAME evil.test.\n");
	KEPT(a, "answer old.example. 60 IN DNAME new.example.\n"
		"answer a.old.example. 60 IN CNAME a.new.example.\n"
		"answer new.example. 60 IN DNAME newer.example.\n");
	assert_int_equal(a->entry->rcode, RCODE_YXDOMAIN);
	done(a);
}

/* ---- RFC 2181 section 5 ---- */

static void a_record_that_comes_twice_is_kept_once(void **state)
{
	(void)state;
	struct asked *a = ask("www.example.", TYPE_A, RCODE_NOERROR,
			      "answer www.example. 60 IN A 192.0.2.1\n"
			      "answer www.example. 60 IN A 192.0.2.2\n"
			      "answer www.example. 30 IN A 192.0.2.1\n");
	KEPT(a, "answer www.example. 30 IN A 192.0.2.1\nanswer www.example. 30 IN A 192.0.2.2\n");
	done(a);
	/* Letters of names make no difference, those of numbers do: 65 and 97. */
	a = ask("www.example.", TYPE_MX, RCODE_NOERROR,
		"answer www.example. 60 IN MX 65 mail.example.\n"
		"answer www.example. 60 IN MX 97 mail.example.\n"
		"answer www.example. 60 IN MX 65 MAIL.example.\n");
	KEPT(a, "answer www.example. 60 IN MX 65 mail.example.\n"
		"answer www.example. 60 IN MX 97 mail.example.\n");
	done(a);
	/* Along a chain, with signatures; and what proves that there is nothing. */
	a = ask_as("www.example.", TYPE_A, true, RCODE_NOERROR,
		   "answer www.example. 60 IN CNAME cdn.example.\n"
		   "answer www.example. 60 IN CNAME cdn.example.\n"
		   "answer cdn.example. 60 IN A 192.0.2.1\n"
		   "answer cdn.example. 60 IN " RRSIG_A "answer cdn.example. 60 IN A 192.0.2.1\n"
		   "answer cdn.example. 60 IN " RRSIG_A);
	KEPT(a, "answer www.example. 60 IN CNAME cdn.example.\n"
		"answer cdn.example. 60 IN A 192.0.2.1\nanswer cdn.example. 60 IN " RRSIG_A);
	assert_int_equal(cache_entry_links(a->entry)[1].count, 2);
	done(a);
	a = ask_as("no.example.", TYPE_A, true, RCODE_NXDOMAIN,
		   "authority example. 60 IN SOA ns. admin. 1 2 3 4 60\n"
		   "authority a.example. 60 IN NSEC z.example. A\n"
		   "authority b.example. 60 IN NSEC z.example. A\n"
		   "authority A.example. 60 IN NSEC z.example. A\n");
	KEPT(a, "authority example. 60 IN SOA ns. admin. 1 2 3 4 60\n"
		"authority a.example. 60 IN NSEC z.example. A\n"
		"authority b.example. 60 IN NSEC z.example. A\n");
	done(a);
}

/* RFC 2181 section 5.2. */
static void a_record_that_comes_twice_has_the_lower_ttl(void **state)
{
	static const char *const ttls[][2] = {{"3600", "5"}, {"5", "3600"}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const char *first = ttls[i][0], *second = ttls[i][1];
		char records[1024];

		snprintf(records, sizeof records,
			 "answer www.example. %s IN A 192.0.2.1\n"
			 "answer www.example. %s IN A 192.0.2.1\n",
			 first, second);
		struct asked *a = ask("www.example.", TYPE_A, RCODE_NOERROR, records);
		KEPT(a, "answer www.example. 5 IN A 192.0.2.1\n");
		assert_int_equal(ttl_of(a), 5);
		done(a);
		/* Along a chain, where the second CNAME leads to the same name or to another. */
		snprintf(records, sizeof records,
			 "answer www.example. %s IN CNAME cdn.example.\n"
			 "answer www.example. %s IN CNAME cdn.example.\n"
			 "answer cdn.example. %s IN CNAME edge.example.\n"
			 "answer cdn.example. %s IN CNAME other.example.\n"
			 "answer edge.example. 300 IN A 192.0.2.1\n",
			 first, second, first, second);
		a = ask("www.example.", TYPE_A, RCODE_NOERROR, records);
		KEPT(a, "answer www.example. 5 IN CNAME cdn.example.\n"
			"answer cdn.example. 5 IN CNAME edge.example.\n"
			"answer edge.example. 300 IN A 192.0.2.1\n");
		assert_int_equal(ttl_of(a), 5);
		done(a);
		/* What follows from a DNAME has the DNAME's (RFC 6672 section 3.1). */
		snprintf(records, sizeof records,
			 "answer old.example. %s IN DNAME new.example.\n"
			 "answer old.example. %s IN DNAME new.example.\n"
			 "answer a.new.example. 300 IN A 192.0.2.1\n",
			 first, second);
		a = ask("a.old.example.", TYPE_A, RCODE_NOERROR, records);
		KEPT(a, "answer old.example. 5 IN DNAME new.example.\n"
			"answer a.old.example. 5 IN CNAME a.new.example.\n"
			"answer a.new.example. 300 IN A 192.0.2.1\n");
		done(a);
		/* And a negative answer, by its SOA and its proofs. */
		snprintf(records, sizeof records,
			 "authority example. %s IN SOA ns. admin. 1 2 3 4 60\n"
			 "authority example. %s IN SOA ns. admin. 1 2 3 4 60\n"
			 "authority a.example. %s IN NSEC z.example. A\n"
			 "authority a.example. %s IN NSEC z.example. A\n",
			 first, second, first, second);
		a = ask_as("no.example.", TYPE_A, true, RCODE_NXDOMAIN, records);
		KEPT(a, "authority example. 5 IN SOA ns. admin. 1 2 3 4 60\n"
			"authority a.example. 5 IN NSEC z.example. A\n");
		assert_int_equal(ttl_of(a), 5);
		done(a);
	}
}

/* More than are compared one by one, and more than have room on the stack. */
static void of_many_records_each_is_kept_once(void **state)
{
	static const unsigned counts[] = {2, 8, 9, 64, 65, 1000};

	(void)state;
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		char *text = NULL;
		size_t length;
		FILE *stream = open_memstream(&text, &length);

		for (unsigned n = 0; n < counts[i]; n++)
			fprintf(stream, "answer www.example. 60 IN A 10.0.%u.%u\n", n / 2 / 256,
				n / 2 % 256);
		fclose(stream);
		struct asked *a = ask("www.example.", TYPE_A, RCODE_NOERROR, text);
		assert_int_equal(a->entry->answers, (counts[i] + 1) / 2);
		assert_int_equal(cache_entry_links(a->entry)[0].count, (counts[i] + 1) / 2);
		done(a);
		free(text);
	}
}

static void a_dname_leads_on_from_what_is_below_it_and_nothing_else(void **state)
{
	(void)state;
	struct asked *a = ask("old.example.", TYPE_A, RCODE_NOERROR,
			      "answer old.example. 60 IN DNAME new.example.\n"
			      "answer new.example. 60 IN A 192.0.2.1\n");
	KEPT(a, "");
	done(a);
	a = ask("a.gold.example.", TYPE_A, RCODE_NOERROR,
		"answer old.example. 60 IN DNAME new.example.\n");
	KEPT(a, "");
	done(a);
	a = ask("a.old.example.", TYPE_A, RCODE_NOERROR,
		"answer old.example. 60 IN DNAME new.example.\n"
		"answer a.old.example. 60 IN A 192.0.2.1\n");
	KEPT(a, "answer a.old.example. 60 IN A 192.0.2.1\n");
	done(a);
}

static void a_dname_that_comes_back_or_grows_ends(void **state)
{
	(void)state;
	struct asked *a = ask("a.old.example.", TYPE_A, RCODE_NOERROR,
			      "answer old.example. 60 IN DNAME old.example.\n");
	KEPT(a, "answer old.example. 60 IN DNAME old.example.\n"
		"answer a.old.example. 60 IN CNAME a.old.example.\n");
	done(a);
	a = ask("a.old.example.", TYPE_A, RCODE_NXDOMAIN,
		"answer old.example. 60 IN DNAME x.old.example.\n"
		"authority example. 60 IN SOA ns. admin. 1 2 3 4 5\n");
	assert_int_equal(a->entry->link_count, 17);
	assert_int_equal(a->entry->answers, 18);
	done(a);
}

#define L62 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void a_dname_that_leads_to_an_overlong_name_is_yxdomain(void **state)
{
	static const char dname[] = "answer old. 60 IN DNAME " L62 "." L62 "." L62 ".\n";
	(void)state;
	/* 189 bytes and the root's; 65 more are the most that there is room for. */
	struct asked *a = ask(L62 ".b.old.", TYPE_A, RCODE_NOERROR, dname);
	assert_int_equal(a->entry->rcode, RCODE_NOERROR);
	assert_int_equal(a->entry->link_count, 2);
	done(a);
	a = ask(L62 ".bb.old.", TYPE_A, RCODE_NOERROR, dname);
	assert_int_equal(a->entry->rcode, RCODE_YXDOMAIN);
	assert_int_equal(a->entry->link_count, 1);
	KEPT(a, dname);
	assert_false(reply_may_be_cached(a->entry));
	done(a);
	/* A CNAME cannot follow from it. */
	for (int type = TYPE_A; type <= TYPE_CNAME; type += TYPE_CNAME - TYPE_A) {
		char records[512];

		snprintf(records, sizeof records,
			 "%sanswer " L62 ".bb.old. 60 IN CNAME evil.test.\n"
			 "answer evil.test. 60 IN A 192.0.2.66\n",
			 dname);
		a = ask(L62 ".bb.old.", (uint16_t)type, RCODE_NOERROR, records);
		assert_int_equal(a->entry->rcode, RCODE_YXDOMAIN);
		assert_false(a->entry->has_data);
		KEPT(a, dname);
		done(a);
	}
}

static void a_chain_that_loops_ends(void **state)
{
	(void)state;
	struct asked *a = ask("a.example.", TYPE_A, RCODE_NOERROR,
			      "answer a.example. 60 IN CNAME b.example.\n"
			      "answer b.example. 60 IN CNAME a.example.\n");
	assert_true(a->entry->link_count > 1);
	assert_false(a->entry->has_data);
	assert_int_equal(a->entry->answers, 2);
	assert_true(reply_may_be_cached(a->entry));
	done(a);
}

static void signatures_and_proofs_are_kept_with_do(void **state)
{
	static const char records[] =
		"answer www.example. 60 IN A 192.0.2.1\n"
		"answer www.example. 60 IN RRSIG A 8 2 60 20300101000000 20200101000000 1 "
		"example. AAAA\n"
		"answer www.example. 60 IN RRSIG TXT 8 2 60 20300101000000 20200101000000 1 "
		"example. AAAA\n"
		"authority a.example. 60 IN NSEC z.example. A RRSIG NSEC\n"
		"authority a.example. 60 IN RRSIG NSEC 8 2 60 20300101000000 20200101000000 1 "
		"example. AAAA\n"
		"authority example. 60 IN RRSIG NS 8 2 60 20300101000000 20200101000000 1 "
		"example. AAAA\n";
	(void)state;
	struct asked *a = ask_as("www.example.", TYPE_A, true, RCODE_NOERROR, records);
	KEPT(a, "answer www.example. 60 IN A 192.0.2.1\n"
		"answer www.example. 60 IN RRSIG A 8 2 60 20300101000000 20200101000000 1 "
		"example. AAAA\n"
		"authority a.example. 60 IN NSEC z.example. A RRSIG NSEC\n"
		"authority a.example. 60 IN RRSIG NSEC 8 2 60 20300101000000 20200101000000 1 "
		"example. AAAA\n");
	assert_true(a->entry->dnssec_ok);
	done(a);
	a = ask_as("www.example.", TYPE_A, false, RCODE_NOERROR, records);
	KEPT(a, "answer www.example. 60 IN A 192.0.2.1\n");
	done(a);
}

/* ---- negative answers ---- */

static void a_negative_answer_keeps_the_soa_that_covers_the_name(void **state)
{
	(void)state;
	struct asked *a = ask("gone.example.", TYPE_A, RCODE_NXDOMAIN,
			      "authority other. 60 IN SOA ns. admin. 1 2 3 4 50\n"
			      "authority example. 60 IN SOA ns. admin. 1 2 3 4 50\n"
			      "authority gone.example. 60 IN NS ns.example.\n");
	KEPT(a, "authority example. 50 IN SOA ns. admin. 1 2 3 4 50\n");
	assert_true(a->entry->has_soa);
	assert_int_equal(a->entry->rcode, RCODE_NXDOMAIN);
	assert_int_equal(ttl_of(a), 50);
	done(a);
}

static void a_negative_ttl_is_the_least_of_ttl_minimum_and_limit(void **state)
{
	static const struct {
		unsigned ttl, minimum, kept;
	} rows[] = {{300, 60, 60}, {60, 300, 60}, {4000, 4000, 900}, {900, 901, 900}, {7, 0, 0}};
	char record[100];
	(void)state;

	settings.ttl_min = 30; /* is for positive answers */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		snprintf(record, sizeof record,
			 "authority example. %u IN SOA ns. admin. 1 2 3 4 %u", rows[i].ttl,
			 rows[i].minimum);
		struct asked *a = ask("x.example.", TYPE_A, RCODE_NOERROR, record);
		assert_int_equal(ttl_of(a), rows[i].kept);
		assert_int_equal(reply_may_be_cached(a->entry), rows[i].kept > 0);
		done(a);
	}
}

static void without_data_and_soa_nothing_is_cached_but_what_leads_on(void **state)
{
	(void)state;
	struct asked *a = ask("gone.example.", TYPE_A, RCODE_NXDOMAIN, "");
	assert_false(reply_may_be_cached(a->entry));
	assert_int_equal(a->entry->rcode, RCODE_NXDOMAIN);
	done(a);
	a = ask("gone.example.", TYPE_A, RCODE_NOERROR,
		"answer gone.example. 60 IN CNAME far.example.");
	assert_true(a->entry->link_count > 1);
	assert_true(reply_may_be_cached(a->entry));
	assert_int_equal(ttl_of(a), 60);
	done(a);
	a = ask("gone.example.", TYPE_A, RCODE_NXDOMAIN,
		"answer gone.example. 60 IN CNAME far.example.");
	assert_false(reply_may_be_cached(a->entry));
	done(a);
}

static void the_soa_of_a_chain_is_that_of_its_end(void **state)
{
	(void)state;
	struct asked *a = ask("www.example.", TYPE_A, RCODE_NXDOMAIN,
			      "answer www.example. 60 IN CNAME gone.other.\n"
			      "authority example. 60 IN SOA ns. admin. 1 2 3 4 50\n"
			      "authority other. 60 IN SOA ns. admin. 1 2 3 4 40\n");
	KEPT(a, "answer www.example. 60 IN CNAME gone.other.\n"
		"authority other. 40 IN SOA ns. admin. 1 2 3 4 40\n");
	assert_int_equal(ttl_of(a), 40);
	done(a);
}

/* ---- TTLs ---- */

static void ttls_are_brought_into_their_bounds_and_the_least_counts(void **state)
{
	(void)state;
	settings.ttl_min = 10;
	settings.ttl_max = 100;
	struct asked *a = ask("www.example.", TYPE_A, RCODE_NOERROR,
			      "answer www.example. 5 IN CNAME b.example.\n"
			      "answer b.example. 101 IN CNAME c.example.\n"
			      "answer c.example. 100 IN A 192.0.2.1\n");
	KEPT(a, "answer www.example. 10 IN CNAME b.example.\n"
		"answer b.example. 100 IN CNAME c.example.\n"
		"answer c.example. 100 IN A 192.0.2.1\n");
	assert_int_equal(ttl_of(a), 10);
	done(a);
}

static void a_set_has_one_ttl_its_lowest(void **state)
{
	(void)state;
	struct asked *a = ask("www.example.", TYPE_A, RCODE_NOERROR,
			      "answer www.example. 300 IN A 192.0.2.1\n"
			      "answer www.example. 60 IN A 192.0.2.2\n"
			      "answer www.example. 90 IN A 192.0.2.3\n");
	KEPT(a, "answer www.example. 60 IN A 192.0.2.1\n"
		"answer www.example. 60 IN A 192.0.2.2\n"
		"answer www.example. 60 IN A 192.0.2.3\n");
	done(a);
	/* Each set of a chain for itself, though others stand in between. */
	a = ask("www.example.", TYPE_MX, RCODE_NOERROR,
		"answer b.example. 70 IN MX 1 c.example.\n"
		"answer www.example. 40 IN CNAME b.example.\n"
		"answer c.example. 10 IN A 192.0.2.1\n"
		"answer b.example. 50 IN MX 2 c.example.\n");
	KEPT(a, "answer www.example. 40 IN CNAME b.example.\n"
		"answer b.example. 50 IN MX 1 c.example.\n"
		"answer b.example. 50 IN MX 2 c.example.\n");
	done(a);
}

#define SIGNED(type) "RRSIG " type " 8 2 60 20300101000000 20200101000000 1 example. AAAA\n"

static void a_signature_has_the_ttl_of_what_it_signs(void **state)
{
	(void)state;
	struct asked *a =
		ask_as("www.example.", TYPE_A, true, RCODE_NOERROR,
		       "answer www.example. 300 IN A 192.0.2.1\n"
		       "answer www.example. 100 IN " SIGNED(
			       "A") "answer www.example. 200 IN A 192.0.2.2\n"
				    "authority a.example. 30 IN NSEC z.example. A RRSIG NSEC\n"
				    "authority a.example. 40 IN " SIGNED(
					    "NSEC") "authority b.example. 50 IN NSEC z.example. A "
						    "RRSIG NSEC\n");
	KEPT(a, "answer www.example. 100 IN A 192.0.2.1\n"
		"answer www.example. 100 IN " SIGNED(
			"A") "answer www.example. 100 IN A 192.0.2.2\n"
			     "authority a.example. 30 IN NSEC z.example. A RRSIG NSEC\n"
			     "authority a.example. 30 IN " SIGNED(
				     "NSEC") "authority b.example. 50 IN NSEC z.example. A RRSIG "
					     "NSEC\n");
	done(a);
	/* A negative answer's lives as its SOA does. */
	a = ask_as("www.example.", TYPE_A, true, RCODE_NXDOMAIN,
		   "authority example. 600 IN SOA ns. admin. 1 2 3 4 20\n"
		   "authority example. 600 IN " SIGNED("SOA"));
	KEPT(a, "authority example. 20 IN SOA ns. admin. 1 2 3 4 20\n"
		"authority example. 20 IN " SIGNED("SOA"));
	done(a);
	/* Signatures alone are no set: each is of another one (RFC 4034 section 3). */
	a = ask_as("www.example.", TYPE_RRSIG, true, RCODE_NOERROR,
		   "answer www.example. 100 IN " SIGNED("A") "answer www.example. 200 IN " SIGNED(
			   "TXT"));
	KEPT(a,
	     "answer www.example. 100 IN " SIGNED("A") "answer www.example. 200 IN " SIGNED("TXT"));
	done(a);
}

static void a_ttl_of_0_is_not_cached(void **state)
{
	(void)state;
	struct asked *a =
		ask("www.example.", TYPE_A, RCODE_NOERROR, "answer www.example. 0 IN A 192.0.2.1");
	assert_false(reply_may_be_cached(a->entry));
	done(a);
}

static void a_ttl_with_the_top_bit_reads_as_0(void **state)
{
	(void)state;
	struct asked *a = ask("www.example.", TYPE_A, RCODE_NOERROR,
			      "answer www.example. 2147483648 IN A 192.0.2.1");
	KEPT(a, "answer www.example. 0 IN A 192.0.2.1\n");
	done(a);
}

static void the_places_of_all_ttls_are_noted(void **state)
{
	(void)state;
	struct asked *a = ask("www.example.", TYPE_A, RCODE_NXDOMAIN,
			      "answer www.example. 61 IN CNAME gone.example.\n"
			      "authority example. 62 IN SOA ns. admin. 1 2 3 4 70\n");
	assert_int_equal(a->entry->ttl_count, 2);
	assert_int_equal(wire_u32(cache_entry_wire(a->entry) + cache_entry_ttls(a->entry)[0]), 61);
	assert_int_equal(wire_u32(cache_entry_wire(a->entry) + cache_entry_ttls(a->entry)[1]), 62);
	done(a);
}

/* ---- how it is copied ---- */

static void a_plain_answer_section_is_copied_byte_for_byte(void **state)
{
	(void)state;
	struct asked *a = ask("www.example.", TYPE_TXT, RCODE_NOERROR,
			      "answer www.example. 60 IN TXT \"v=1\"\n"
			      "answer www.example. 60 IN TXT \"v=2\"\n"
			      "additional mail.example. 60 IN A 192.0.2.1\n");
	size_t from = MESSAGE_HEADER + a->entry->question_length;
	assert_memory_equal(cache_entry_wire(a->entry) + from, a->wire + from,
			    a->entry->length - from);
	assert_true(a->entry->length < a->length); /* it is cut after the answer */
	done(a);
}

static void a_section_with_gaps_is_written_anew_without_dangling_compression(void **state)
{
	(void)state;
	/* The kept owner is compressed against the name of a record that goes. */
	struct asked *a = ask("www.example.", TYPE_A, RCODE_NOERROR,
			      "answer far.away.elsewhere. 60 IN TXT \"dropped\"\n"
			      "answer www.example. 60 IN CNAME b.far.away.elsewhere.\n"
			      "answer b.far.away.elsewhere. 60 IN A 192.0.2.1\n");
	KEPT(a, "answer www.example. 60 IN CNAME b.far.away.elsewhere.\n"
		"answer b.far.away.elsewhere. 60 IN A 192.0.2.1\n");
	done(a);
}

static void names_of_the_chain_point_to_where_they_stand(void **state)
{
	(void)state;
	struct asked *a = ask("www.example.", TYPE_A, RCODE_NOERROR,
			      "answer www.example. 60 IN CNAME b.example.\n"
			      "answer b.example. 60 IN CNAME c.example.\n"
			      "answer c.example. 60 IN A 192.0.2.1\n"
			      "answer c.example. 60 IN A 192.0.2.2\n");
	const uint8_t *wire = cache_entry_wire(a->entry);
	size_t first = MESSAGE_HEADER + a->entry->question_length;
	size_t b = first + RECORD_HEADER, second = b + 11, c = second + RECORD_HEADER;

	assert_int_equal(wire_u16(wire + first), 0xc00c);
	assert_memory_equal(wire + b, "\1b\7example", 11);
	assert_int_equal(wire_u16(wire + second), 0xc000 | b);
	assert_memory_equal(wire + c, "\1c\7example", 11);
	assert_int_equal(wire_u16(wire + c + 11), 0xc000 | c);
	assert_int_equal(wire_u16(wire + c + 11 + 16), 0xc000 | c);
	assert_int_equal(a->entry->length, c + 11 + 2 * 16);
	done(a);
}

/* A reply put together by hand: the question's header and then these bytes. */
static struct asked *ask_raw(uint16_t type, unsigned answers, const void *bytes, size_t length)
{
	struct asked *a = calloc(1, sizeof *a);
	size_t at;

	assert_non_null(a);
	at = request_write(a->wire, 1, FLAG_QR, "www.example.", type, CLASS_IN, 0, false);
	wire_put16(a->wire + 6, (uint16_t)answers);
	assert_true(length <= sizeof a->wire - at);
	memcpy(a->wire + at, bytes, length);
	a->length = at + length;
	keep(a, "www.example.", type, false, ASK_ANSWERED);
	return a;
}

/* The first TTL's bytes read as "a." until it is brought into its bounds. */
static void a_name_that_leads_through_a_ttl_stays_what_it_was(void **state)
{
	static const char records[] = "\xc0\x0c\0\5\0\1\1a\0\0\0\3\1a\0"
				      "\xc0\x23\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1";
	(void)state;
	struct asked *a = ask_raw(TYPE_A, 2, records, sizeof records - 1);

	KEPT(a, "answer www.example. 86400 IN CNAME a.\nanswer a. 60 IN A 192.0.2.1\n");
	assert_int_equal(a->entry->ttl_count, 2);
	assert_int_equal(ttl_of(a), 60);
	done(a);
}

static void a_name_that_leads_into_the_header_is_a_failure(void **state)
{
	static const uint8_t rdata[] = {0xc0, 0x0c, 0, 5, 0, 1, 0, 0, 0, 60, 0, 2, 0xc0, 4};
	uint8_t owner[] = {0xc0, 0x04, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1};
	(void)state;
	struct asked *a = ask_raw(TYPE_A, 1, rdata, sizeof rdata);

	assert_true(a->entry->failed);
	done(a);
	a = ask_raw(TYPE_A, 1, owner, sizeof owner);
	assert_true(a->entry->failed);
	done(a);
	owner[1] = 0x0c;
	a = ask_raw(TYPE_A, 1, owner, sizeof owner);
	assert_false(a->entry->failed);
	done(a);
}

/* 65,535 bytes hold 2,426 records when their exchanges are written out; compressed, many more. */
static void what_is_too_long_without_compression_counts_as_truncated(void **state)
{
	static const uint8_t record[] = {0xc0, 12, 0, TYPE_MX, 0, 1, 0,    0,
					 0,    60, 0, 4,       0, 1, 0xc0, 12};
	enum { FIT = (MESSAGE_MAX - 12 - 17) / 27 };
	static uint8_t records[(FIT + 1) * sizeof record];
	(void)state;

	for (size_t i = 0; i < FIT + 1; i++) {
		memcpy(records + i * sizeof record, record, sizeof record);
		wire_put16(records + i * sizeof record + 12, (uint16_t)i);
	}
	struct asked *a = ask_raw(TYPE_MX, FIT, records, FIT * sizeof record);
	assert_false(a->entry->truncated);
	assert_int_equal(a->entry->answers, FIT);
	assert_true(reply_may_be_cached(a->entry));
	done(a);
	a = ask_raw(TYPE_MX, FIT + 1, records, sizeof records);
	assert_true(a->entry->failed && a->entry->truncated);
	assert_non_null(strstr(cache_entry_text(a->entry), "is too long"));
	done(a);
}

/* ---- failures ---- */

static struct cache_entry *failure(const struct upstream *upstream, enum target_error error,
				   enum ask_outcome outcome)
{
	struct name name = test_name("www.example.");
	const struct lookup_key key = {&leg, &name, TYPE_A, false, false, {0}, false};
	const struct ask_result result = {.outcome = outcome, .upstream = upstream, .error = error};
	uint8_t buffer[MESSAGE_MAX];

	return reply_entry(&key, &result, &settings, &test_key, buffer, BEGIN);
}

static void a_failure_tells_who_was_asked_last_and_what_came_of_it(void **state)
{
	const struct upstream upstream = {.host = {{4, {192, 0, 2, 9}}, 5353}};
	(void)state;

	struct cache_entry *entry = failure(&upstream, TARGET_ERROR_REFUSED, ASK_FAILED);
	assert_true(entry->failed);
	assert_false(entry->unreachable);
	assert_int_equal(entry->rcode, RCODE_SERVFAIL);
	assert_string_equal(cache_entry_text(entry),
			    "no usable answer; last 192.0.2.9:5353: REFUSED");
	assert_true(reply_may_be_cached(entry));
	assert_true(entry->expires_us == BEGIN + FAILURE_TTL_US);
	cache_entry_unref(entry);

	entry = failure(&upstream, TARGET_ERROR_NETWORK, ASK_SILENT);
	assert_true(entry->failed && entry->unreachable);
	cache_entry_unref(entry);
	entry = failure(NULL, TARGET_ERROR_SOURCE, ASK_FAILED);
	assert_true(entry->failed && entry->unreachable);
	assert_string_equal(cache_entry_text(entry),
			    "no target could be asked: source address unusable");
	cache_entry_unref(entry);
	entry = failure(&upstream, TARGET_ERROR_SILENCE, ASK_SILENT);
	assert_string_equal(cache_entry_text(entry),
			    "no target answered; last 192.0.2.9:5353: no answer");
	assert_false(entry->unreachable);
	cache_entry_unref(entry);
}

static void a_truncated_answer_is_a_failure_that_says_so(void **state)
{
	const struct upstream upstream = {.host = {{4, {192, 0, 2, 9}}, 5353}};
	(void)state;

	struct cache_entry *entry = failure(&upstream, TARGET_ERROR_NETWORK, ASK_TRUNCATED);
	assert_true(entry->failed && entry->truncated);
	assert_false(entry->unreachable);
	assert_int_equal(entry->length + entry->answers, 0);
	assert_string_equal(cache_entry_text(entry),
			    "only a truncated answer, from 192.0.2.9:5353");
	assert_true(reply_may_be_cached(entry));
	assert_true(entry->expires_us == BEGIN + FAILURE_TTL_US);
	cache_entry_unref(entry);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		TEST(the_asked_rrset_is_kept),
		TEST(the_owner_may_be_in_any_case),
		TEST(other_types_owners_and_classes_are_dropped),
		TEST(the_chain_is_put_in_order_and_nothing_off_it_is_kept),
		TEST(a_cname_that_was_asked_for_is_data_and_no_chain),
		TEST(a_dname_above_the_chain_is_kept),
		TEST(a_yxdomain_keeps_the_dname_it_comes_from),
		TEST(a_cname_that_was_asked_for_keeps_the_dname_it_follows_from),
		TEST(a_dname_without_its_cname_is_followed),
		TEST(a_cname_that_contradicts_its_dname_is_written_anew),
		TEST(a_yxdomain_has_no_cname_beside_its_dname),
		TEST(a_record_that_comes_twice_is_kept_once),
		TEST(a_record_that_comes_twice_has_the_lower_ttl),
		TEST(of_many_records_each_is_kept_once),
		TEST(a_dname_leads_on_from_what_is_below_it_and_nothing_else),
		TEST(a_dname_that_comes_back_or_grows_ends),
		TEST(a_dname_that_leads_to_an_overlong_name_is_yxdomain),
		TEST(a_chain_that_loops_ends),
		TEST(signatures_and_proofs_are_kept_with_do),
		TEST(a_negative_answer_keeps_the_soa_that_covers_the_name),
		TEST(a_negative_ttl_is_the_least_of_ttl_minimum_and_limit),
		TEST(without_data_and_soa_nothing_is_cached_but_what_leads_on),
		TEST(the_soa_of_a_chain_is_that_of_its_end),
		TEST(ttls_are_brought_into_their_bounds_and_the_least_counts),
		TEST(a_set_has_one_ttl_its_lowest),
		TEST(a_signature_has_the_ttl_of_what_it_signs),
		TEST(a_ttl_of_0_is_not_cached),
		TEST(a_ttl_with_the_top_bit_reads_as_0),
		TEST(the_places_of_all_ttls_are_noted),
		TEST(a_plain_answer_section_is_copied_byte_for_byte),
		TEST(names_of_the_chain_point_to_where_they_stand),
		TEST(a_name_that_leads_through_a_ttl_stays_what_it_was),
		TEST(a_name_that_leads_into_the_header_is_a_failure),
		TEST(what_is_too_long_without_compression_counts_as_truncated),
		TEST(a_section_with_gaps_is_written_anew_without_dangling_compression),
		TEST(a_failure_tells_who_was_asked_last_and_what_came_of_it),
		TEST(a_truncated_answer_is_a_failure_that_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
