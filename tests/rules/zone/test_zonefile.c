/* Master files: what is read, what is refused and on which line, and that what is written is read
 * back the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/zone/zonefile.h"
#include "tests/lib/random.h"
#include "tests/lib/zone_text.h"

/* ldns_str2rdf_ipseckey forgets strings and rdfs that it has allocated, whether it likes the text
 * or not. Rdfs that we forget would still be found: by the RR that holds them. */
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

static const char soa[] = "corp.test. 3600 IN SOA corp.test. hostmaster.corp.test. "
			  "1 3600 300 2419200 300\n";

/* The text, read and written again, is the made-up SOA and then `expected`. */
static void assert_reads_as(const char *text, const char *expected)
{
	struct zone *zone = zone_text_read("corp.test", text);
	char *written = zone_text_write(zone);

	if (strncmp(written, soa, strlen(soa)) != 0)
		fail_msg("%s", written);
	assert_string_equal(written + strlen(soa), expected);
	free(written);
	zone_unref(zone);
}

/* Exactly one error, on this line, whose text has this in it. */
static void assert_fault(const char *text, unsigned line, const char *part)
{
	struct faults faults;
	struct zone *zone;

	faults_init(&faults);
	zone = zone_text_read_bytes("corp.test", text, strlen(text), &faults);
	assert_null(zone);
	if (faults.count != 1 || faults.items[0].origin.line != line ||
	    !strstr(faults.items[0].text, part)) {
		faults_print(&faults, stderr);
		fail_msg("expected \"%s\" on line %u of:\n%s", part, line, text);
	}
	assert_int_equal(faults.items[0].severity, FAULT_ERROR);
	assert_string_equal(faults.items[0].origin.file, "test.zone");
	assert_null(faults.items[0].origin.path);
	faults_release(&faults);
}

/* ---- what is read ---- */

/* ldns prints such a quote as it is, and then the line's end is within a string. */
static void a_quote_in_a_name_of_the_data_is_written_so_that_it_is_read(void **state)
{
	(void)state;
	assert_reads_as("a NAPTR 1 2 \"u\" \"\" \"\" \\\"a.\n",
			"a.corp.test. 3600 IN NAPTR \\# 12 000100020175000002226100\n");
	assert_reads_as("a TYPE35 \\# 12 000100020175000002226100\n",
			"a.corp.test. 3600 IN NAPTR \\# 12 000100020175000002226100\n");
}

static void owners_are_relative_absolute_at_or_repeated(void **state)
{
	(void)state;
	assert_reads_as("www A 10.0.0.1\n"
			"    A 10.0.0.2\n"
			"\tTXT x\n"
			"@ A 10.0.0.3\n"
			"abs.corp.test. A 10.0.0.4\n",
			"corp.test. 3600 IN A 10.0.0.3\n"
			"abs.corp.test. 3600 IN A 10.0.0.4\n"
			"www.corp.test. 3600 IN A 10.0.0.1\n"
			"www.corp.test. 3600 IN A 10.0.0.2\n"
			"www.corp.test. 3600 IN TXT \"x\"\n");
}

static void ttl_and_class_come_in_either_order_or_not_at_all(void **state)
{
	(void)state;
	assert_reads_as("a 60 IN A 10.0.0.1\n"
			"b IN 60 A 10.0.0.1\n"
			"c 60 A 10.0.0.1\n"
			"d in a 10.0.0.1\n"
			"e A 10.0.0.1\n"
			"f 1h30M A 10.0.0.1\n"
			"g 0 CLASS1 TYPE1 10.0.0.1\n"
			"h 2147483647 A 10.0.0.1\n",
			"a.corp.test. 60 IN A 10.0.0.1\n"
			"b.corp.test. 60 IN A 10.0.0.1\n"
			"c.corp.test. 60 IN A 10.0.0.1\n"
			"d.corp.test. 60 IN A 10.0.0.1\n"
			"e.corp.test. 60 IN A 10.0.0.1\n"
			"f.corp.test. 5400 IN A 10.0.0.1\n"
			"g.corp.test. 0 IN A 10.0.0.1\n"
			"h.corp.test. 2147483647 IN A 10.0.0.1\n");
}

/* The text, read and written again; it has a SOA. */
static void assert_reads_whole(const char *text, const char *expected)
{
	struct zone *zone = zone_text_read("corp.test", text);
	char *written = zone_text_write(zone);

	assert_string_equal(written, expected);
	free(written);
	zone_unref(zone);
}

static void without_a_default_a_record_has_the_last_ttl_that_was_given(void **state)
{
	(void)state;
	assert_reads_whole("a A 10.0.0.1\n"
			   "b 60 A 10.0.0.1\n"
			   "@ SOA ns h 1 2 3 4 7\n"
			   "$TTL 90\n"
			   "c 30 A 10.0.0.1\n"
			   "d A 10.0.0.1\n",
			   "corp.test. 60 IN SOA ns.corp.test. h.corp.test. 1 2 3 4 7\n"
			   "a.corp.test. 3600 IN A 10.0.0.1\n"
			   "b.corp.test. 60 IN A 10.0.0.1\n"
			   "c.corp.test. 30 IN A 10.0.0.1\n"
			   "d.corp.test. 90 IN A 10.0.0.1\n");
}

static void without_any_ttl_the_minimum_of_the_first_soa_is_the_default(void **state)
{
	(void)state;
	assert_reads_whole("@ SOA ns h 1 2 3 4 7\n"
			   "a 60 A 10.0.0.1\n"
			   "b A 10.0.0.1\n",
			   "corp.test. 7 IN SOA ns.corp.test. h.corp.test. 1 2 3 4 7\n"
			   "a.corp.test. 60 IN A 10.0.0.1\n"
			   "b.corp.test. 7 IN A 10.0.0.1\n");
	assert_reads_whole("@ SOA ns h 1 2 3 4 4294967295\n",
			   "corp.test. 2147483647 IN SOA ns.corp.test. h.corp.test. 1 2 3 4 "
			   "4294967295\n");
}

static void directives_hold_from_their_line_on(void **state)
{
	(void)state;
	assert_reads_as("a MX 1 m\n"
			"$TTL 1w\n"
			"$ORIGIN sub\n"
			"a MX 1 m\n"
			"$origin x.corp.test.\n"
			"$ttl 5\n"
			"@ MX 1 @\n"
			"$ORIGIN @\n"
			"$ORIGIN .\n"
			"z.corp.test MX 1 m\n",
			"a.corp.test. 3600 IN MX 1 m.corp.test.\n"
			"a.sub.corp.test. 604800 IN MX 1 m.sub.corp.test.\n"
			"x.corp.test. 5 IN MX 1 x.corp.test.\n"
			"z.corp.test. 5 IN MX 1 m.\n");
}

static void parentheses_comments_quotes_and_escapes_are_understood(void **state)
{
	(void)state;
	assert_reads_as("; a comment\n"
			"\n"
			"a TXT ( \"one ; (two\" ; comment ) \"\n"
			"\t\"three\" )\n"
			"b TXT \"say \\\"hi\\\"\" back\\\\slash \\;semi \\(par \\065\n"
			"c\\.d A 10.0.0.1;comment\n"
			"(e) (A) 10.0.0.1\n"
			"f MX (\n\n10\n\nm)\n"
			"   \t  \n"
			"g TXT \"\"\n",
			"a.corp.test. 3600 IN TXT \"one ; (two\" \"three\"\n"
			"b.corp.test. 3600 IN TXT \"say \\\"hi\\\"\" \"back\\\\slash\" \";semi\" "
			"\"(par\" \"A\"\n"
			"c\\.d.corp.test. 3600 IN A 10.0.0.1\n"
			"e.corp.test. 3600 IN A 10.0.0.1\n"
			"f.corp.test. 3600 IN MX 10 m.corp.test.\n"
			"g.corp.test. 3600 IN TXT \"\"\n");
}

/* A blank in front of a parenthesis means the last owner, and one behind it does not. */
static void an_entry_may_begin_with_a_parenthesis(void **state)
{
	(void)state;
	assert_reads_as("( a A 10.0.0.1 )\n"
			"(\n  b A\n 10.0.0.1 )\n"
			"( ; comment\n\tc A 10.0.0.1 )\n"
			" ( A 10.0.0.2 )\n"
			"( ) d A 10.0.0.1\n",
			"a.corp.test. 3600 IN A 10.0.0.1\n"
			"b.corp.test. 3600 IN A 10.0.0.1\n"
			"c.corp.test. 3600 IN A 10.0.0.1\n"
			"c.corp.test. 3600 IN A 10.0.0.2\n"
			"d.corp.test. 3600 IN A 10.0.0.1\n");
}

static void files_of_other_systems_are_read(void **state)
{
	(void)state;
	assert_reads_as("\xef\xbb\xbf"
			"www A 10.0.0.1\r\n\r\nb TXT ( \"x\"\r\n y )\r\nc A 10.0.0.3",
			"b.corp.test. 3600 IN TXT \"x\" \"y\"\n"
			"c.corp.test. 3600 IN A 10.0.0.3\n"
			"www.corp.test. 3600 IN A 10.0.0.1\n");
}

static void unknown_types_are_data_like_any(void **state)
{
	(void)state;
	assert_reads_as("a TYPE65280 \\# 4 0a000001\n"
			"b TYPE1 \\# 4 0A 00 ( 00\n01 )\n"
			"c TYPE65281 \\# 0\n",
			"a.corp.test. 3600 IN TYPE65280 \\# 4 0a000001\n"
			"b.corp.test. 3600 IN A 10.0.0.1\n"
			"c.corp.test. 3600 IN TYPE65281 \\# 0\n");
}

static void the_case_of_owners_and_targets_is_kept(void **state)
{
	(void)state;
	assert_reads_as("WwW CNAME Host.Example.\n",
			"WwW.corp.test. 3600 IN CNAME Host.Example.\n");
}

static void an_empty_file_is_a_zone(void **state)
{
	(void)state;
	assert_reads_as("", "");
	assert_reads_as("\n\n  \n; nothing\n", "");
	assert_reads_as("$ORIGIN x", "");
}

static const char every_type[] =
	"@ SOA ns host 1 7200 3600 1209600 300\n"
	"@ NS ns\n"
	"@ DNSKEY 257 3 8 AwEAAcdefg==\n"
	"@ DNSKEY 256 3 13 AwEAAQ==\n"
	"@ NSEC3PARAM 1 0 10 aabbccdd\n"
	"@ CDS 12345 8 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
	"@ CDNSKEY 257 3 8 AwEAAQ==\n"
	"@ CSYNC 66 3 A NS AAAA\n"
	"@ ZONEMD 2018031500 1 1 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
	"00112233445566778899aabbccddeeff\n"
	"a A 192.0.2.1\n"
	"aaaa AAAA 2001:db8::1\n"
	"aaaa AAAA ::ffff:192.0.2.1\n"
	"afsdb AFSDB 1 host\n"
	"apl APL 1:192.168.32.0/21 !1:192.168.38.0/28 2:2001:db8::/32\n"
	"caa CAA 0 issue \"ca.example.net; account=1\"\n"
	"cert CERT PKIX 1 5 AQIDBA==\n"
	"cname CNAME a\n"
	"dhcid DHCID AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=\n"
	"dname DNAME a\n"
	"ds DS 12345 8 1 0123456789abcdef0123456789abcdef01234567\n"
	"eui48 EUI48 00-00-5e-00-53-2a\n"
	"eui64 EUI64 00-00-5e-ef-10-00-00-2a\n"
	"gpos GPOS -32.6882 116.8652 10.0\n"
	"hinfo HINFO \"PC-Intel-700mhz\" \"Redhat \\\"Linux\\\" 7.1\"\n"
	"hip HIP 2 200100107B1A74DF365639CC39F1D578 AwEAAbdxyhNuSutc5EMzxTs9LBPCIkOFH8cI "
	"rvs.example.\n"
	"https HTTPS 1 . alpn=h2,h3 ipv4hint=192.0.2.1 port=8443\n"
	"https0 HTTPS 0 a.corp.test.\n"
	"ipseckey IPSECKEY 10 3 2 gw.corp.test. AQ==\n"
	"ipseckey IPSECKEY 10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==\n"
	"isdn ISDN \"150862028003217\" \"004\"\n"
	"key KEY 256 3 5 AQPSKmynfzW4kyBv015MUG2DeIQ3\n"
	"kx KX 10 a\n"
	"l32 L32 10 10.1.2.0\n"
	"l64 L64 10 2001:0db8:1140:1000\n"
	"loc LOC 52 22 23.000 N 4 53 32.000 E -2.00m 1m 10000m 10m\n"
	"lp LP 10 l64\n"
	"minfo MINFO a b\n"
	"mx MX 10 a\n"
	"naptr NAPTR 100 50 \"s\" \"http+I2L+I2C+I2R\" \"!^.*$!x!\" _http._tcp\n"
	"nid NID 10 0014:4fff:ff20:ee64\n"
	"nsap-ptr NSAP-PTR a\n"
	"nsec NSEC b A MX RRSIG NSEC TYPE1234\n"
	"nsec3 NSEC3 1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr MX RRSIG\n"
	"openpgpkey OPENPGPKEY AQIDBAUGBwg=\n"
	"ptr PTR a\n"
	"px PX 65535 a b\n"
	"rp RP mbox txt\n"
	"rrsig RRSIG A 8 3 86400 20300102030405 20200102030405 2642 @ oJB1W6WNGv+ldvQ3WDG0MQ==\n"
	"rt RT 0 a\n"
	"smimea SMIMEA 3 0 0 aabbcc\n"
	"spf SPF \"v=spf1 -all\"\n"
	"srv SRV 0 5 5060 sip\n"
	"sshfp SSHFP 2 1 123456789abcdef67890123456789abcdef67890\n"
	"svcb SVCB 16 a.corp.test. mandatory=alpn alpn=h2\n"
	"talink TALINK a b\n"
	"tlsa TLSA 3 0 1 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
	"txt TXT \"several\" \"strings\" \"with \\001 \\255 bytes\"\n"
	"uri URI 10 1 \"ftp://ftp1.example.com/public\"\n"
	"wks WKS 10.0.0.1 6 25 80\n"
	"x25 X25 \"311061700956\"\n"
	"unknown TYPE731 \\# 6 abcdef012345\n"
	"empty TYPE732 \\# 0\n"
	"eid TYPE31 \\# 4 e32c6f78\n"
	"null TYPE10 \\# 3 010203\n"
	"amtrelay TYPE260 \\# 2 0a00\n";

static void every_type_survives_being_written_and_read(void **state)
{
	struct zone *zone = zone_text_read("corp.test", every_type);
	char *first = zone_text_write(zone), *second;
	struct zone *again = zone_text_read("corp.test", first);
	size_t lines = 0;

	(void)state;
	second = zone_text_write(again);
	assert_string_equal(first, second);
	for (const char *at = first; (at = strchr(at, '\n')); at++)
		lines++;
	assert_int_equal(lines, zone_records(zone));
	for (const char *at = every_type; (at = strchr(at, '\n')); at++)
		lines--;
	assert_int_equal(lines, 0);
	assert_int_equal(zone_bytes(zone), zone_bytes(again));
	free(first);
	free(second);
	zone_unref(zone);
	zone_unref(again);
}

/* ---- what is refused ---- */

static void faulty_records_are_refused_on_their_line(void **state)
{
	static const struct {
		const char *record, *part;
	} cases[] = {
		{"www A 10.0.0", "A record"},
		{"www A", "A record"},
		{"www AAAA 10.0.0.1", "AAAA record"},
		{"www MX mail", "MX record"},
		{"www FOO bar", "\"FOO\" is not a record type; one that has no name here"},
		{" www A 10.0.0.1", "\"www\" is not a record type; the line begins with a blank"},
		{"www TYPE65536 \\# 0", "not a record type"},
		{"www TYPE65280 0a000001", "RFC 3597"},
		{"www TYPE65280 \\# 4 0a0000", "fewer hex digits"},
		{"www", "without a type"},
		{"www 300 IN", "without a type"},
		{"www CH TXT x", "class CH"},
		{"www CLASS3 TXT x", "class CLASS3"},
		{"www 2147483648 A 10.0.0.1", "TTL \"2147483648\""},
		{"www 4294967297 A 10.0.0.1", "TTL"},
		{"www 99999999999999999999999 A 10.0.0.1", "TTL"},
		{"www 60x A 10.0.0.1", "TTL \"60x\""},
		{"www 1h30 60 A 10.0.0.1", "not a record type"},
		{"www 5000w A 10.0.0.1", "TTL"},
		{"www OPT \\# 0", "OPT cannot be data"},
		{"www ANY \\# 0", "ANY cannot be data"},
		{"www AXFR \\# 0", "AXFR cannot be data"},
		{"www TSIG \\# 0", "TSIG cannot be data"},
		{"www TYPE128 \\# 0", "TYPE128 cannot be data"},
		{"www.other.test. A 10.0.0.1", "outside the zone corp.test."},
		{"test. A 10.0.0.1", "outside the zone"},
		{"a..b A 10.0.0.1", "not a domain name"},
		{"@x.. A 10.0.0.1", "not a domain name"},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa A 10.0.0.1",
		 "not a domain name"},
		{"sub NS ns", "no delegations"},
		{"sub SOA a b 1 2 3 4 5", "at its apex"},
		{"@ CNAME www", "CNAME at the apex"},
		{"*.x DNAME y", "DNAME at the wildcard"},
		{"www A 10.0.0.1 )", ") without a ("},
		{"www TXT \"x", "\" that is not closed"},
		{"$INCLUDE other.zone", "$INCLUDE is for a zone that is a file"},
		{"$GENERATE 1-10 h$ A 10.0.0.$", "$GENERATE is not supported"},
		{"$FOO", "$FOO is not supported"},
		{"$TTL", "takes one value"},
		{"$TTL 1 2", "takes one value"},
		{"$TTL abc", "$TTL \"abc\""},
		{"$TTL 2147483648", "$TTL"},
		{"$ORIGIN a..b", "not a domain name"},
		{"www SRV 0 0 70000 a", "too large"},
		{"www MX -1 mail", "write its numbers without a sign"},
		{"www A 10.10.1.300", "A record, \"10.10.1.300\", is not right: give an IPv4"},
		{"www A", "A record, \"\", is not right: give an IPv4"},
		{"www AAAA 10.0.0.1", "AAAA record, \"10.0.0.1\", is not right: give an IPv6"},
		{"www MX mail", "MX record, \"mail\", is not right: give preference and name"},
		{"www SRV 0 5 web", "like 0 5 443 web"},
		{"www CNAME a b", "give one name"},
		{"www PTR", "give one name"},
		{"@ SOA a b 1 2 3 4", "serial, refresh, retry"},
		{"@ SOA a b 1 2 3 10000w 4", "a time is a number of seconds up to 4294967295"},
		{"@ SOA a b 1 2 3 1x 4", "a time is a number of seconds up to 4294967295"},
		{"www IPSECKEY 10 3 2 gw AQ==", "its gateway is an address, or a name with a "
						"final dot"},
		{"www HINFO a", "give two strings"},
		{"www CAA issue ca", "give flags, tag and value"},
		{"www SSHFP x", "SSHFP record, \"x\", is not right: "},
		{"www TXT \xff\xfe \"", "not closed"},
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(text, sizeof text,
			 "@ SOA a b 1 2 3 4 5\n\n; comment\nok A ( 10.0.0.1\n)\n\n%s\n\nok2 A "
			 "10.0.0.2\n",
			 cases[i].record);
		assert_fault(text, 7, cases[i].part);
	}
}

static void records_that_cannot_stand_together_are_refused_on_the_later_line(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *part;
	} cases[] = {
		{"www A 10.0.0.1\nwww CNAME a\n", 2, "CNAME beside A data (line 1)"},
		{"www CNAME a\nwww A 10.0.0.1\n", 2, "A data beside a CNAME (line 1)"},
		{"www CNAME a\nx A 10.0.0.1\nWWW CNAME b\n", 3,
		 "second CNAME, the first is on line 1"},
		{"www CNAME a\nwww DNAME b\n", 2, "DNAME data beside a CNAME"},
		{"@ SOA a b 1 2 3 4 5\n@ SOA a b 2 2 3 4 5\n", 2, "second SOA"},
		{"x DNAME a\nx DNAME b\n", 2, "second DNAME"},
		{"x DNAME a\n\ny.x A 10.0.0.1\n", 3, "below a DNAME (line 1)"},
		{"a.b.c.x A 10.0.0.1\nx DNAME a\n", 1, "below a DNAME (line 2)"},
		{"*.x A 10.0.0.1\nX DNAME a\n", 1, "below a DNAME (line 2)"},
		{"@ DNAME a\nwww A 10.0.0.1\n", 2, "below a DNAME (line 1)"},
		{"x DNAME a\ny.x DNAME b\n", 2, "below a DNAME (line 1)"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_fault(cases[i].text, cases[i].line, cases[i].part);
}

static void what_stands_beside_a_cname_by_rule_is_taken(void **state)
{
	struct zone *zone = zone_text_read("corp.test", "www CNAME a\nwww CNAME a\nwww NSEC x A\n");

	(void)state;
	assert_int_equal(zone_records(zone), 3);
	zone_unref(zone);
}

static void neighbours_of_a_dname_are_not_below_it(void **state)
{
	struct zone *zone = zone_text_read("corp.test", "x DNAME a\nx\\000 A 10.0.0.1\n"
							"xx A 10.0.0.1\nx.y A 10.0.0.1\n");

	(void)state;
	assert_int_equal(zone_records(zone), 5);
	zone_unref(zone);
}

/* The lines of all faults, in the order of the file. */
static void assert_fault_lines(const void *bytes, size_t length, const unsigned *lines,
			       size_t count)
{
	struct faults faults;

	faults_init(&faults);
	assert_null(zone_text_read_bytes("corp.test", bytes, length, &faults));
	faults_sort(&faults);
	if (faults.count != count)
		faults_print(&faults, stderr);
	assert_int_equal(faults.count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(faults.items[i].origin.line, lines[i]);
	faults_release(&faults);
}

static void every_fault_of_a_file_is_told_at_once(void **state)
{
	static const char text[] = "a A bad\n"
				   "b A 10.0.0.1\n"
				   "c..d A 10.0.0.1\n"
				   "     A alsobad\n"
				   "     A 10.0.0.2\n"
				   "e CNAME b\n"
				   "e TXT x\n"
				   "$TTL forever\n"
				   "f NS x\n";
	static const unsigned lines[] = {1, 3, 4, 7, 8, 9};

	(void)state;
	assert_fault_lines(text, strlen(text), lines, 6);
}

static void a_record_before_any_owner_is_refused(void **state)
{
	(void)state;
	assert_fault("  A 10.0.0.1\nwww A 10.0.0.1\n", 1, "no");
}

static void an_open_parenthesis_does_not_hide_what_follows(void **state)
{
	static const char text[] = "a TXT ( x\n"
				   "b A 10.0.0.1\n"
				   "c A bad\n"
				   "d TXT ( y\n"
				   "e A bad\n";
	static const unsigned lines[] = {1, 3, 4, 5};

	(void)state;
	assert_fault_lines(text, strlen(text), lines, 4);
}

/* With 255 bytes in it a string is read, with one more the reason is given. */
static void assert_longest(const char *before, const char *byte, const char *behind)
{
	char text[2048];
	size_t used = (size_t)snprintf(text, sizeof text, "www %s", before);

	for (int i = 0; i < 255; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s", byte);
	snprintf(text + used, sizeof text - used, "%s\n", behind);
	zone_unref(zone_text_read("corp.test", text));
	snprintf(text + used, sizeof text - used, "%s%s\n", byte, behind);
	assert_fault(text, 1, "a character-string has at most 255 bytes");
}

static void a_string_has_at_most_255_bytes(void **state)
{
	(void)state;
	assert_longest("TXT \"", "x", "\"");
	assert_longest("TXT ok \"a b\" ", "x", "");
	assert_longest("TXT \"", "\\120", "\"");
	assert_longest("TXT \"", "\\\"", "\" more");
	assert_longest("HINFO \"", " ", "\" linux");
	assert_longest("NAPTR 1 1 \"s\" \"", "x", "\" \"\" .");
	assert_fault("www MX ten mail\n", 1, "like 10 mail");
}

static void a_nul_byte_is_refused(void **state)
{
	static const char text[] = "a A 10.0.0.1\nb TXT x\0y\nc A 10.0.0.1\n";
	static const unsigned lines[] = {2};

	(void)state;
	assert_fault_lines(text, sizeof text - 1, lines, 1);
}

static void an_entry_may_be_long_and_not_endless(void **state)
{
	enum { LENGTH = 600 * 1024 };
	char *text = malloc(LENGTH + 64);
	static const unsigned lines[] = {1};
	struct zone *zone;
	size_t at;

	(void)state;
	assert_non_null(text);
	at = (size_t)snprintf(text, 64, "big TYPE65280 \\# 65000 ");
	memset(text + at, '0', 2 * 65000);
	text[at + 2 * 65000] = '\0';
	zone = zone_text_read("corp.test", text);
	assert_int_equal(zone_records(zone), 2);
	zone_unref(zone);
	memset(text, 'x', LENGTH);
	snprintf(text + LENGTH, 64, "\nwww A 10.0.0.1\n");
	assert_fault_lines(text, strlen(text), lines, 1);
	free(text);
}

static void a_file_of_open_parentheses_is_read_in_no_time(void **state)
{
	enum { LINES = 200000 };
	char *text = malloc(2 * LINES + 1);
	struct faults faults;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < LINES; i++)
		memcpy(text + 2 * i, "(\n", 2);
	faults_init(&faults);
	assert_null(zone_text_read_bytes("corp.test", text, 2 * LINES, &faults));
	assert_true(faults.errors > 0 && faults.errors < 100);
	faults_release(&faults);
	free(text);
}

static void a_file_that_cannot_be_read_is_a_fault(void **state)
{
	struct name apex = zone_text_name("corp.test");
	struct faults faults;
	FILE *in = fopen("/", "r");

	(void)state;
	assert_non_null(in);
	faults_init(&faults);
	assert_null(zonefile_read(in, "/", NULL, &zone_text_key, &apex, &faults));
	assert_int_equal(faults.errors, 1);
	assert_non_null(strstr(faults.items[0].text, "cannot be read"));
	faults_release(&faults);
	fclose(in);
}

static void a_text_that_a_semicolon_cuts_off_is_told(void **state)
{
	static const struct {
		const char *text;
		size_t warnings;
	} cases[] = {
		{"d TXT v=DMARC1; p=none\n", 1},   {"d TXT \"v=DMARC1; p=none\"\n", 0},
		{"d TXT v=DMARC1 ; said\n", 0},    {"d TXT \"v=DMARC1\"; said\n", 0},
		{"d TXT v=DMARC1\\; p=none\n", 0}, {"d A 10.0.0.1; said\n", 0},
		{"d TXT ( a;b\n c )\n", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct faults faults;

		faults_init(&faults);
		zone_unref(zone_text_read_bytes("corp.test", cases[i].text, strlen(cases[i].text),
						&faults));
		if (faults.count != cases[i].warnings || faults.errors > 0)
			fail_msg("%zu faults of %s", faults.count, cases[i].text);
		if (faults.count > 0)
			assert_non_null(strstr(faults.items[0].text, "behind the ; is a comment"));
		faults_release(&faults);
	}
}

static void faults_hold_printable_text_only(void **state)
{
	static const char text[] = "\001\033[31m..x A 10.0.0.1\nx \377\377 y\n";
	struct faults faults;

	(void)state;
	faults_init(&faults);
	assert_null(zone_text_read_bytes("corp.test", text, strlen(text), &faults));
	assert_int_equal(faults.count, 2);
	for (size_t i = 0; i < faults.count; i++) {
		for (const char *at = faults.items[i].text; *at != '\0'; at++)
			assert_in_range(*at, ' ', '~');
	}
	faults_release(&faults);
}

/* Whatever bytes a file has: it is a zone, or it has faults; never both, never neither; and a zone
 * can be written and read again. */
static void assert_digests(const char *bytes, size_t length)
{
	struct faults faults;
	struct zone *zone;

	faults_init(&faults);
	zone = zone_text_read_bytes("corp.test", bytes, length, &faults);
	assert_int_equal(zone == NULL, faults.errors > 0);
	if (zone) {
		char *text = zone_text_write(zone), *again;
		struct zone *second = zone_text_read("corp.test", text);

		again = zone_text_write(second);
		assert_string_equal(text, again);
		free(text);
		free(again);
		zone_unref(second);
	}
	zone_unref(zone);
	faults_release(&faults);
}

static void no_mutation_of_a_file_is_too_much(void **state)
{
	static const char interesting[] = "()\"\\;@$.*\n\t \0#0129aAzZ\377";
	char bytes[sizeof every_type + 64];
	uint64_t random = 7;

	(void)state;
	for (unsigned round = 0; round < 1500; round++) {
		size_t length = sizeof every_type - 1;

		memcpy(bytes, every_type, length);
		for (unsigned n = random_below(&random, 6) + 1; n > 0; n--) {
			size_t at = random_below(&random, (unsigned)length), size;

			switch (random_below(&random, 4)) {
			case 0:
				bytes[at] = interesting[random_below(&random, sizeof interesting)];
				break;
			case 1: bytes[at] = (char)random_u64(&random); break;
			case 2: /* a piece is missing */
				size = random_below(&random, 40);
				size = size < length - at ? size : length - at - 1;
				memmove(bytes + at, bytes + at + size, length - at - size);
				length -= size;
				break;
			default: /* a piece is somewhere else, too */
				size = random_below(&random, 40);
				size = size < length - at ? size : length - at - 1;
				memmove(bytes + random_below(&random, (unsigned)(length - size)),
					bytes + at, size);
			}
		}
		assert_digests(bytes, length);
	}
}

static void single_lines_are_mutated_until_they_are_zones_again(void **state)
{
	uint64_t random = 3;

	(void)state;
	for (unsigned round = 0; round < 60; round++) {
		for (const char *line = every_type; *line != '\0'; line = strchr(line, '\n') + 1) {
			char bytes[512];
			size_t length = (size_t)(strchr(line, '\n') + 1 - line);

			memcpy(bytes, line, length);
			bytes[random_below(&random, (unsigned)length)] =
				(char)(random_below(&random, 2) == 0
					       ? random_u64(&random)
					       : '0' + random_below(&random, 10));
			assert_digests(bytes, length);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quote_in_a_name_of_the_data_is_written_so_that_it_is_read),
		cmocka_unit_test(owners_are_relative_absolute_at_or_repeated),
		cmocka_unit_test(ttl_and_class_come_in_either_order_or_not_at_all),
		cmocka_unit_test(without_a_default_a_record_has_the_last_ttl_that_was_given),
		cmocka_unit_test(without_any_ttl_the_minimum_of_the_first_soa_is_the_default),
		cmocka_unit_test(directives_hold_from_their_line_on),
		cmocka_unit_test(parentheses_comments_quotes_and_escapes_are_understood),
		cmocka_unit_test(an_entry_may_begin_with_a_parenthesis),
		cmocka_unit_test(files_of_other_systems_are_read),
		cmocka_unit_test(unknown_types_are_data_like_any),
		cmocka_unit_test(the_case_of_owners_and_targets_is_kept),
		cmocka_unit_test(an_empty_file_is_a_zone),
		cmocka_unit_test(every_type_survives_being_written_and_read),
		cmocka_unit_test(faulty_records_are_refused_on_their_line),
		cmocka_unit_test(records_that_cannot_stand_together_are_refused_on_the_later_line),
		cmocka_unit_test(what_stands_beside_a_cname_by_rule_is_taken),
		cmocka_unit_test(neighbours_of_a_dname_are_not_below_it),
		cmocka_unit_test(every_fault_of_a_file_is_told_at_once),
		cmocka_unit_test(a_record_before_any_owner_is_refused),
		cmocka_unit_test(an_open_parenthesis_does_not_hide_what_follows),
		cmocka_unit_test(a_string_has_at_most_255_bytes),
		cmocka_unit_test(a_nul_byte_is_refused),
		cmocka_unit_test(an_entry_may_be_long_and_not_endless),
		cmocka_unit_test(a_file_of_open_parentheses_is_read_in_no_time),
		cmocka_unit_test(a_file_that_cannot_be_read_is_a_fault),
		cmocka_unit_test(a_text_that_a_semicolon_cuts_off_is_told),
		cmocka_unit_test(faults_hold_printable_text_only),
		cmocka_unit_test(no_mutation_of_a_file_is_too_much),
		cmocka_unit_test(single_lines_are_mutated_until_they_are_zones_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
