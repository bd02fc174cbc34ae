/* named.conf: what must not be more open or less encrypted than the original. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rules/base.h"
#include "tests/lib/import_case.h"

#define OPTIONS(more) "options { listen-on { 127.0.0.1; }; listen-on-v6 { none; }; " more " };\n"

static void what_is_forwarded_over_tls_is_not_forwarded_without(void **state)
{
	static const char *const texts[] = {
		OPTIONS("forwarders port 853 tls dot { 9.9.9.9; };"),
		OPTIONS("forwarders { 9.9.9.9 tls dot; };"),
		OPTIONS("forwarders { quad; };") "primaries quad tls dot { 9.9.9.9; };\n",
		OPTIONS("") "view all { match-clients { any; }; forwarders { 9.9.9.9 tls dot; }; "
			    "};\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		import_case_run("bind", texts[i]);
		assert_not_config("9.9.9.9");
		assert_config("uses_default_resolver = false;");
		assert_told("forwarders: closed: what no rule decides is refused, because its "
			    "servers are asked over TLS or HTTPS alone");
		assert_told("9.9.9.9: not carried over: targets are asked without TLS");
		assert_not_told("go where others go");
		assert_not_told("no server is left");
	}
	import_case_run("bind", OPTIONS("forwarders tls dot { 9.9.9.9; 10.0.0.1 tls none; };"));
	assert_config("targets = ( { address = \"10.0.0.1\"; } )");
	assert_not_told("closed: ");
}

#define VIEW(more) OPTIONS("") "view all { match-clients { any; }; " more " };\n"

static void the_forwarders_of_a_view_are_a_rule_if_one_is_left(void **state)
{
	(void)state;
	import_case_run("bind",
			VIEW("forwarders { 9.9.9.9 tls dot; both; };") "primaries both { 9.9.9.9 "
								       "tls dot; 10.0.0.1; };\n");
	assert_config("domain = \".\";");
	assert_config("targets = ( { address = \"10.0.0.1\"; } )");
	assert_not_told("closed: ");
	import_case_run("bind", VIEW("forwarders { dns.example; };"));
	assert_not_config("rulesets");
	assert_told("forwarders: not carried over: no server is left; what no zone and no rule "
		    "decides goes to default_resolver");
	assert_not_told("closed: ");
}

static void a_copy_of_the_root_is_no_rule(void **state)
{
	static const char *const types[] = {"slave", "secondary", "mirror", "stub"};
	char text[256];

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++) {
		snprintf(text, sizeof text,
			 OPTIONS("") "zone \".\" { type %s; primaries { 199.9.14.201; }; };\n",
			 types[i]);
		import_case_run("bind", text);
		assert_not_config("199.9.14.201");
		assert_told("original:2: zone: not carried over: ");
	}
}

static void a_list_of_servers_that_names_itself_is_a_fault(void **state)
{
	(void)state;
	import_case_run("bind",
			OPTIONS("") "primaries a { a; a; a; a; a; a; };\n"
				    "zone \"a.example\" { type slave; primaries { a; }; };\n");
	assert_told("original:2: a: the list is in a list that it names");
	assert_string_equal(import_case_config(), "");
	import_case_run("bind",
			OPTIONS("") "primaries a { b; b; b; };\nprimaries b { 10.0.0.1; };\n"
				    "zone \"a.example\" { type slave; primaries { a; b; }; };\n");
	assert_config("targets = ( { address = \"10.0.0.1\"; } )");
}

#define ZONE_OF(options, more)                                                                     \
	options "zone \"a.example\" { type primary; file \"a.zone\"; " more " };\n"
#define ZONE(more) ZONE_OF(OPTIONS(""), more)

static void a_closed_zone_says_at_its_place_how_it_was_open(void **state)
{
	static const char view[] = "view \"%s\" { match-clients { 10.%u.0.0/16; };\n"
				   "zone \"a.example\" { type primary; file \"a.zone\";"
				   " allow-query { 10.%u.1.0/24; }; };\n};\n";
	char text[1024];
	int length;

	(void)state;
	import_case_put("a.zone", "@ 60 IN A 192.0.2.5\n");
	length = snprintf(text, sizeof text, view, "one", 1U, 1U);
	snprintf(text + length, sizeof text - (size_t)length, view, "two", 2U, 2U);
	import_case_run("bind", text);
	assert_config("# links = ( { name = \"one\"; virtual_network = \"one\"; } );\n  }");
	assert_config("# links = ( { name = \"two\"; virtual_network = \"two\"; } );\n  }");
}

static void transfers_over_tls_or_at_a_port_are_left_out(void **state)
{
	(void)state;
	import_case_put("a.zone", "@ 60 IN A 192.0.2.5\n");
	import_case_run("bind", ZONE("allow-transfer port 853 transport tls { 10.1.0.9; };"));
	assert_not_config("transfers");
	assert_told("allow-transfer: not carried over: the zone is given over TLS alone");
	import_case_run("bind", ZONE("allow-transfer port 5353 { 10.1.0.9; };"));
	assert_not_config("transfers");
	assert_told("allow-transfer: not carried over: clients are told by their addresses");
	import_case_run(
		"bind",
		ZONE("allow-transfer transport tcp { 10.1.0.9; };"
		     "also-notify port 5353 { 10.1.0.9; 10.1.0.8 port 5354; 10.1.0.7 tls x; };"));
	assert_config("allow = [ \"10.1.0.9/32\" ]");
	assert_config("notify = [ \"10.1.0.9:5353\", \"10.1.0.8:5354\" ]");
	assert_told("10.1.0.7: not carried over: it is told over TLS");
	import_case_run("bind", ZONE("allow-transfer { 10.1.0.9; };"
				     "also-notify tls x { 10.1.0.9 tls none; 10.1.0.8; };"));
	assert_config("notify = [ \"10.1.0.9:53\" ]");
	assert_told("10.1.0.8: not carried over: it is told over TLS");
}

static void transfers_at_the_only_port_are_for_all(void **state)
{
	static const struct {
		const char *text;
		bool taken;
	} cases[] = {
		{ZONE("allow-transfer port 53 { 10.1.0.9; };"), true},
		{ZONE("allow-transfer port 53 transport tls { 10.1.0.9; };"), false},
		{ZONE_OF("options { port 5353; };", "allow-transfer port 5353 { 10.1.0.9; };"),
		 true},
		{ZONE_OF("options { port 5353; };", "allow-transfer port 53 { 10.1.0.9; };"),
		 false},
		{ZONE_OF("options { listen-on port 5353 { any; }; listen-on-v6 { none; };"
			 "listen-on port 853 tls x { any; }; };",
			 "allow-transfer port 5353 { 10.1.0.9; };"),
		 true},
		{ZONE_OF("options { listen-on port 5353 { any; }; listen-on { any; }; };",
			 "allow-transfer port 53 { 10.1.0.9; };"),
		 false},
		{ZONE_OF("options { listen-on port 5353 { any; }; };",
			 "allow-transfer port 5353 { 10.1.0.9; };"),
		 false},
	};

	(void)state;
	import_case_put("a.zone", "@ 60 IN A 192.0.2.5\n");
	for (size_t i = 0; i < COUNT(cases); i++) {
		import_case_run("bind", cases[i].text);
		if (cases[i].taken) {
			assert_config("allow = [ \"10.1.0.9/32\" ]");
			assert_not_told("allow-transfer");
		} else {
			assert_not_config("transfers");
			assert_told("allow-transfer: not carried over: ");
		}
	}
}

static void zones_without_a_list_of_copies_are_told_once(void **state)
{
	const char *told;

	(void)state;
	import_case_put("a.zone", "@ 60 IN A 192.0.2.5\n");
	import_case_run("bind",
			ZONE("") "zone \"b.example\" { type primary; file \"a.zone\"; };\n");
	assert_not_config("transfers");
	assert_told("original:2: zone: different: nobody may copy it");
	told = strstr(import_case_told(), "nobody may copy");
	assert_non_null(told);
	assert_null(strstr(told + 1, "nobody may copy"));
	import_case_run("bind", ZONE("allow-transfer { none; };"));
	assert_config("name = \"a.example\"");
	assert_not_told("nobody may copy");
}

/* In BIND the first element that fits decides, so addresses denied ahead of a key stay denied to
 * the clients that have the key. */
static void a_key_lets_in_nobody_that_is_kept_out_ahead_of_it(void **state)
{
	static const struct {
		const char *list, *item; /* NULL: there is none */
	} cases[] = {
		{"key k;", "zones = [ \"a.example\" ]; key = \"k\"; }"},
		{"10.0.0.5; key k;", "zones = [ \"a.example\" ]; key = \"k\"; }"},
		{"!{ !10.0.0.0/8; any; }; key k;", "allow = [ \"10.0.0.0/8\" ]; key = \"k\"; }"},
		{"!0.0.0.0/1; !::/0; key k;", "allow = [ \"128.0.0.0/1\" ]; key = \"k\"; }"},
		{"key k; !10.0.0.0/8;", "zones = [ \"a.example\" ]; key = \"k\"; }"},
		{"none; key k;", NULL},
	};
	char text[1024];

	(void)state;
	import_case_put("a.zone", "@ 60 IN A 192.0.2.5\n");
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(text, sizeof text,
			 "key k { algorithm hmac-sha256; secret \"c2x1aWNl\"; };\n" ZONE(
				 "allow-transfer { %s };"),
			 cases[i].list);
		import_case_run("bind", text);
		if (cases[i].item) {
			assert_config(cases[i].item);
			assert_not_told("key: not carried over");
		} else {
			assert_not_config("transfers");
			assert_told("original:3: key: not carried over: the list ahead of it keeps "
				    "out all clients");
		}
	}
}

/* A client with the key uses the view from any address that no view ahead takes. */
static void a_key_of_the_view_may_copy_its_zones(void **state)
{
	static const struct {
		const char *first, *second, *item; /* the views' clients; item NULL: none */
	} cases[] = {
		{"key k;", "any;", "key = \"k\"; }"},
		{"key k; 10.0.0.0/8;", "any;", "key = \"k\"; }"},
		{"10.0.0.0/8;", "any;", "allow = [ \"10.0.0.0/8\" ]; key = \"k\"; }"},
		{"key K.; 10.0.0.0/8;", "any;", "zones = [ \"a.example\" ]; key = \"k\"; }"},
		{"!0.0.0.0/1; !::/0; key k;", "any;",
		 "allow = [ \"128.0.0.0/1\" ]; key = \"k\"; }"},
		{"!0.0.0.0/1; key other; !::/0; key k; !128.0.0.0/1;", "any;",
		 "allow = [ \"128.0.0.0/1\" ]; key = \"k\"; }"},
		{"10.0.0.0/8; !key k; any;", "any;", "allow = [ \"10.0.0.0/8\" ]; key = \"k\"; }"},
		{"! key k; any;", "any;", NULL},
		{"key other;", "any;", NULL},
	};
	char text[1024];

	(void)state;
	import_case_put("a.zone", "@ 60 IN A 192.0.2.5\n");
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(text, sizeof text,
			 OPTIONS("") "key k { algorithm hmac-sha256; secret \"c2x1aWNl\"; };\n"
				     "view a { match-clients { %s };\n"
				     "zone \"a.example\" { type primary; file \"a.zone\";\n"
				     "allow-transfer { key k; }; }; };\n"
				     "view b { match-clients { %s }; };\n",
			 cases[i].first, cases[i].second);
		import_case_run("bind", text);
		if (cases[i].item) {
			assert_config(cases[i].item);
		} else {
			assert_not_config("transfers");
			assert_told("original:5: key: not carried over: no client with this key "
				    "uses the view");
		}
	}
	import_case_run("bind",
			OPTIONS("") "key k { algorithm hmac-sha256; secret \"c2x1aWNl\"; };\n"
				    "view b { match-clients { 10.0.0.0/8; }; };\n"
				    "view a { match-clients { key k; };\n"
				    "zone \"a.example\" { type primary; file \"a.zone\";\n"
				    "allow-transfer { key k; }; }; };\n");
	assert_config("key = \"k\"");
	assert_config("\"11.0.0.0/8\"");
	assert_not_config("\"0.0.0.0/0\"");
}

static void how_long_answers_are_stale_depends_on_no_order(void **state)
{
	static const struct {
		const char *text, *config;
	} cases[] = {
		{OPTIONS("stale-answer-enable no; max-stale-ttl 1h;"), "stale_max = 0;"},
		{OPTIONS("max-stale-ttl 1h; stale-answer-enable no;"), "stale_max = 0;"},
		{OPTIONS("max-stale-ttl 1h;"), "stale_max = 0;"},
		{OPTIONS("max-stale-ttl 1h; stale-answer-enable yes;"), "stale_max = 3600;"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		import_case_run("bind", cases[i].text);
		assert_config(cases[i].config);
	}
}

#define TWO(first, second)                                                                         \
	"view a { match-clients { 10.0.0.0/8; }; " first " };\n"                                   \
	"view b { match-clients { 192.168.0.0/16; }; " second " };\n"

static void of_views_the_first_says_how_long_answers_are_stale(void **state)
{
	static const char differs[] = "max-stale-ttl: different: in view b, answers may be stale "
				      "for 3600 seconds; all views have one cache here, and its "
				      "stale_max is ";
	const char *told;

	(void)state;
	import_case_run("bind", OPTIONS("stale-answer-enable yes; max-stale-ttl 1h;")
					TWO("max-stale-ttl 2h;", ""));
	assert_config("stale_max = 7200;");
	assert_told("original:1: ");
	assert_told(differs);
	import_case_run("bind", OPTIONS("") TWO("stale-answer-enable no;",
						"stale-answer-enable yes; max-stale-ttl 1h;"));
	assert_config("stale_max = 0;");
	assert_told("original:3: ");
	assert_told(differs);
	import_case_run("bind", OPTIONS("stale-answer-enable yes; max-stale-ttl 1h;")
					TWO("", "max-stale-ttl 60m;"));
	assert_config("stale_max = 3600;");
	assert_not_told("stale_max");
	import_case_run("bind",
			OPTIONS("stale-answer-enable yes; max-stale-ttl long;") TWO("", ""));
	assert_not_config("stale_max");
	told = strstr(import_case_told(), "\"long\" is no value");
	assert_non_null(told);
	assert_null(strstr(told + 1, "\"long\" is no value"));
}

static void of_views_the_first_says_what_is_for_all(void **state)
{
	const char *told;

	(void)state;
	import_case_run("bind", OPTIONS("max-cache-ttl 1h; max-ncache-ttl 60; min-cache-ttl 5;")
					TWO("max-cache-ttl 2h; min-cache-ttl 5s;",
					    "max-cache-ttl 3h; max-ncache-ttl 1m;"));
	assert_config("ttl_max = 7200;");
	assert_config("negative_ttl_max = 60;");
	assert_told("original:3: max-cache-ttl: different: in view b it is 3h; all views have one "
		    "cache here, and its ttl_max is that of the first view that has it: 2h");
	assert_not_told("max-ncache-ttl");
	assert_not_told("min-cache-ttl");
	import_case_run("bind", OPTIONS("") TWO("recursion no; max-cache-ttl 2h; version \"1\";",
						"max-cache-ttl 3h; version \"1\";"));
	assert_config("ttl_max = 10800;");
	assert_config("version = \"1\";");
	assert_not_told("max-cache-ttl");
	import_case_run("bind", OPTIONS("max-cache-ttl long;") TWO("", ""));
	assert_not_config("ttl_max");
	told = strstr(import_case_told(), "\"long\" is no value");
	assert_non_null(told);
	assert_null(strstr(told + 1, "\"long\" is no value"));
}

static void an_identity_is_a_text(void **state)
{
	(void)state;
	import_case_run("bind", OPTIONS("server-id hostname; version none;"));
	assert_not_config("identity");
	assert_told("server-id: not carried over: the host's name");
	assert_not_told("version");
	import_case_run("bind", OPTIONS("server-id \"hostname\"; version \"none\";"));
	assert_config("server = \"hostname\";");
	assert_config("version = \"none\";");
}

static void a_source_address_is_for_all_views(void **state)
{
	(void)state;
	import_case_run(
		"bind",
		OPTIONS("query-source 10.1.0.2 port 53;") "view a { match-clients { 10.0.0.0/8; }; "
							  "query-source 10.1.0.3; };\n"
							  "view b { match-clients { "
							  "192.168.0.0/16; }; };\n"
							  "view c { match-clients { any; }; };\n");
	assert_config("source = \"10.1.0.3\"");
	assert_config(
		"virtual_network = \"b\";\n    outbound_endpoints = ( { name = \"out-1\"; source = "
		"\"10.1.0.2\"; } );");
	assert_config(
		"virtual_network = \"c\";\n    outbound_endpoints = ( { name = \"out-1\"; source = "
		"\"10.1.0.2\"; } );");
	assert_told("original:1: query-source: not carried over: each question has a random source "
		    "port");
}

static void reports_name_the_network_of_a_view(void **state)
{
	(void)state;
	import_case_put("a.zone", "@ 60 IN A 192.0.2.5\n");
	import_case_run(
		"bind",
		OPTIONS("") TWO(
			"", "") "view B { match-clients { 172.16.0.0/12; };"
				"zone \"a.example\" { type primary; file \"a.zone\"; };"
				"zone \"x.a.example\" { type forward; forwarders { 10.0.0.1; }; };"
				"zone \"b.example\" { type forward; forwarders { 224.0.0.1; }; }; "
				"};\n");
	assert_config("{ name = \"b\"; client_prefixes = [ \"192.168.0.0/16\" ]; }");
	assert_config("{ name = \"B-2\"; client_prefixes = [ \"172.16.0.0/12\" ]; }");
	assert_told("original:4: zone: different: in view B-2, no server is asked for x.a.example");
	assert_told("in view B-2, 224.0.0.1 is a multicast address");
}

static void an_address_that_is_excluded_is_not_listened_at(void **state)
{
	static const struct {
		const char *text, *listen;
		bool closed;
	} cases[] = {
		{"listen-on { !203.0.113.5; any; }; listen-on-v6 { none; };",
		 "listen = [ \"127.0.0.1:53\" ];\n  # as open", true},
		{"listen-on { !127.0.0.1; any; }; listen-on-v6 { !2001:db8::5; any; };",
		 "listen = [ \"[::1]:53\" ];\n  # as open", true},
		{"listen-on { ! 127.0.0.0/8; any; };", "listen = [ \"[::]:53\" ];\n  # as open",
		 true},
		{"listen-on { !203.0.113.5; any; };", "# listen = [ \"0.0.0.0:53\", \"[::]:53\" ];",
		 true},
		{"listen-on { 10.0.0.1; !10.0.0.2; any; }; listen-on-v6 { none; };",
		 "listen = [ \"10.0.0.1:53\" ];\n  # as open", true},
		{"listen-on port 5353 { ! 203.0.113.5; any; }; listen-on-v6 { none; };",
		 "# listen = [ \"0.0.0.0:5353\" ];", true},
		{"listen-on { none; }; listen-on-v6 { !2001:db8::5; any; };",
		 "listen = [ \"[::1]:53\" ];\n  # as open", true},
		{"listen-on { none; }; listen-on-v6 { !2001:db8::5; any; };",
		 "# listen = [ \"[::]:53\" ];", true},
		{"listen-on { !203.0.113.5; any; }; listen-on-v6 { !2001:db8::5; any; };",
		 "a line of the same name:\n  # listen = [ \"0.0.0.0:53\", \"[::]:53\" ];\n}",
		 true},
		{"listen-on { any; !203.0.113.5; }; listen-on-v6 { none; };",
		 "listen = [ \"0.0.0.0:53\" ];", false},
		{"listen-on { !203.0.113.5; 203.0.113.6; }; listen-on-v6 { none; };",
		 "listen = [ \"203.0.113.6:53\" ];", false},
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(text, sizeof text, "options { %s };\n", cases[i].text);
		import_case_run("bind", text);
		assert_config(cases[i].listen);
		if (cases[i].closed)
			assert_told("closed: listen has no exceptions");
		else
			assert_not_told("listen");
	}
	import_case_run("bind", "options { listen-on { !203.0.113.5; any; }; };\n");
	assert_not_told("only loopback");
}

static void loopback_takes_the_place_of_an_any_only_where_bind_listens(void **state)
{
	static const struct {
		const char *text, *told;
	} cases[] = {
		{"listen-on { !127.0.0.1; any; }; listen-on-v6 { !::1; any; };",
		 "write the addresses that are meant by \"any\" in its place"},
		{"listen-on { !localhost; any; }; listen-on-v6 { none; };",
		 "write the addresses that are meant by \"any\" in its place"},
		{"listen-on { !inside; any; }; listen-on-v6 { none; };",
		 "write the addresses that are meant by \"any\" in its place"},
		{"listen-on port 99999 { !10.0.0.1; any; }; listen-on-v6 { none; };",
		 "its port is no number from 1 to 65535"},
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(text, sizeof text, "acl inside { 127.0.0.1; };\noptions { %s };\n",
			 cases[i].text);
		import_case_run("bind", text);
		assert_told(cases[i].told);
		assert_string_equal(import_case_config(), "");
	}
}

static void an_address_that_is_denied_and_allowed_is_a_fault(void **state)
{
	static const char *const lists[] = {
		"listen-on { !10.0.0.0/8; 10.0.0.1; 192.0.2.1; };",
		"listen-on { ! 127.0.0.1; localhost; };",
		"listen-on { !inside; 10.0.0.1; };",
		"listen-on-v6 { !2001:db8::/32; 2001:db8::1; any; };",
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < COUNT(lists); i++) {
		snprintf(text, sizeof text, "acl inside { 10.0.0.1; };\noptions { %s };\n",
			 lists[i]);
		import_case_run("bind", text);
		assert_told("denies it, or may; write the addresses that are meant");
		assert_string_equal(import_case_config(), "");
	}
	import_case_run("bind", "options { listen-on { !10.0.0.0/24; 10.0.0.0/8; 192.0.2.1; };"
				" listen-on-v6 { none; }; };\n");
	assert_config("listen = [ \"192.0.2.1:53\" ];");
	assert_told("\"10.0.0.0/8\" is no address; listen names each one");
}

static void a_view_of_another_class_takes_no_clients(void **state)
{
	static const char *const classes[] = {"CH", "chaos", "HS", "Hesiod"};
	char text[512];

	(void)state;
	for (size_t i = 0; i < COUNT(classes); i++) {
		snprintf(text, sizeof text,
			 OPTIONS("") "view \"other\" %s { match-clients { any; }; };\n"
				     "view \"a\" IN { match-clients { 10.0.0.0/8; }; };\n",
			 classes[i]);
		import_case_run("bind", text);
		assert_config("{ name = \"a\"; client_prefixes = [ \"10.0.0.0/8\" ]; }");
		assert_not_config("\"other\"");
		assert_told("original:2: view: not carried over: only class IN is served");
	}
	import_case_run("bind", OPTIONS("") "view \"other\" CH { match-clients { any; }; };\n");
	assert_string_equal(import_case_config(), "");
	assert_told("original:2: view: the file has no view of class IN");
}

static void words_that_are_not_read_are_told(void **state)
{
	(void)state;
	import_case_run("bind", OPTIONS("") "tls a 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18;\n");
	assert_told("original:2: tls: not carried over: its words behind the 16th are not read");
}

static void several_files_are_one_server(void **state)
{
	static const char zone[] =
		"zone \"corp.example\" { type forward; forwarders { 10.0.0.1; }; };\n";

	(void)state;
	import_case_run_two("bind", OPTIONS("allow-recursion { 10.0.0.0/8; };"), zone);
	assert_config("domain = \"corp.example.\"");
	assert_config("client_prefixes = [ \"10.0.0.0/8\" ];");
	assert_config("listen = [ \"127.0.0.1:53\" ];");
	import_case_run_two("bind", OPTIONS(""), OPTIONS("recursion no;"));
	assert_told("more:1: options: there are options at original:1 already");
	assert_string_equal(import_case_config(), "");
	import_case_run_two("bind", OPTIONS("") "view a { match-clients { any; }; };\n", zone);
	assert_told("more:1: zone: with views, each zone is in one of them");
	assert_string_equal(import_case_config(), "");
	import_case_run_two("bind", OPTIONS("") "view a { match-clients { any; }; };\n",
			    "view a { match-clients { 10.0.0.0/8; }; };\n");
	assert_told("there is a view a at original:");
	assert_string_equal(import_case_config(), "");
}

static void a_port_that_is_none_is_a_fault(void **state)
{
	(void)state;
	import_case_run("bind", "options { port 99999; };\n");
	assert_told("original:1: port: its port is no number from 1 to 65535");
	assert_string_equal(import_case_config(), "");
	import_case_run("bind", "options { port 5353; };\n");
	assert_config("listen = [ \"0.0.0.0:5353\", \"[::]:5353\" ];");
}

static void where_names_of_a_closed_zone_go_is_told(void **state)
{
	(void)state;
	import_case_put("a.zone", "@ 60 IN A 192.0.2.5\n");
	import_case_run("bind", ZONE("allow-query { 10.1.0.0/16; };"));
	assert_told("closed: the zone a.example is nobody's: ");
	assert_told("until it is open its names go where others go");
	import_case_run("bind", OPTIONS("") "zone \"s.example\" { type secondary; primaries { "
					    "10.0.0.1; }; allow-query { 10.1.0.0/16; }; };\n");
	assert_told("closed: the zone s.example is nobody's: ");
	assert_told("until it is open its names go where others go");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_forwarded_over_tls_is_not_forwarded_without),
		cmocka_unit_test(the_forwarders_of_a_view_are_a_rule_if_one_is_left),
		cmocka_unit_test(a_copy_of_the_root_is_no_rule),
		cmocka_unit_test(a_list_of_servers_that_names_itself_is_a_fault),
		cmocka_unit_test(a_closed_zone_says_at_its_place_how_it_was_open),
		cmocka_unit_test(transfers_over_tls_or_at_a_port_are_left_out),
		cmocka_unit_test(transfers_at_the_only_port_are_for_all),
		cmocka_unit_test(zones_without_a_list_of_copies_are_told_once),
		cmocka_unit_test(a_key_lets_in_nobody_that_is_kept_out_ahead_of_it),
		cmocka_unit_test(a_key_of_the_view_may_copy_its_zones),
		cmocka_unit_test(how_long_answers_are_stale_depends_on_no_order),
		cmocka_unit_test(of_views_the_first_says_how_long_answers_are_stale),
		cmocka_unit_test(of_views_the_first_says_what_is_for_all),
		cmocka_unit_test(an_identity_is_a_text),
		cmocka_unit_test(a_source_address_is_for_all_views),
		cmocka_unit_test(reports_name_the_network_of_a_view),
		cmocka_unit_test(an_address_that_is_excluded_is_not_listened_at),
		cmocka_unit_test(loopback_takes_the_place_of_an_any_only_where_bind_listens),
		cmocka_unit_test(an_address_that_is_denied_and_allowed_is_a_fault),
		cmocka_unit_test(a_view_of_another_class_takes_no_clients),
		cmocka_unit_test(words_that_are_not_read_are_told),
		cmocka_unit_test(several_files_are_one_server),
		cmocka_unit_test(a_port_that_is_none_is_a_fault),
		cmocka_unit_test(where_names_of_a_closed_zone_go_is_told),
	};

	return cmocka_run_group_tests(tests, import_case_setup, import_case_teardown);
}
