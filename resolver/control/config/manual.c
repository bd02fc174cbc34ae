/* Prints an introduction, then each group of the field table once, in the order of first use. The
 * table's texts are plain, so this file escapes them for roff. */
#include "resolver/control/config/manual.h"

#include "rules/schema/schema.h"

enum { GROUPS_MAX = 64 };

/* Escapes for roff. A dot or apostrophe at a line's start would be a request, a backslash an
 * escape, and a plain '-' may become a hyphen that a search does not find. */
static void text(FILE *out, const char *words)
{
	bool fresh = true;

	for (; *words; words++) {
		if (fresh && (*words == '.' || *words == '\''))
			fputs("\\&", out);
		if (*words == '\\')
			fputs("\\e", out);
		else if (*words == '-')
			fputs("\\-", out);
		else if (*words == '~')
			fputs("\\(ti", out);
		else if (*words == '^')
			fputs("\\(ha", out);
		else
			fputc(*words, out);
		fresh = *words == '\n';
	}
}

static void line(FILE *out, const char *words)
{
	text(out, words);
	fputc('\n', out);
}

static void section(FILE *out, const char *title)
{
	fprintf(out, ".SH %s\n", title);
}

static const char intro[] =
	"This file configures everything that\n"
	".BR sluice (8)\n"
	"serves: virtual networks and their subnets, resolvers with inbound and outbound\n"
	"endpoints, private zones, forwarding rulesets, links, and the addresses whose reverse\n"
	"names it manages.\n"
	".PP\n"
	"The syntax is that of libconfig: settings are\n"
	".IR \"key\" \" = \" \"value\" ;\n"
	"where a value is a string in quotes, an integer, true or false, a group in { },\n"
	"a list of groups in ( ), or an array of bare values in [ ]. Comments begin with # or //,\n"
	"or stand between /* and */. An integer above 2147483647 needs an L after it. Quotes are\n"
	"plain ones, and a string ends on the line on which it begins. Strings are UTF-8, and "
	"have\n"
	"no control characters and no format characters (Unicode\\(aqs Cc and Cf), which turn the\n"
	"direction of text or have no width; so U+200C and U+200D are not allowed either. Commas\n"
	"separate the items of a list or an array; none follows the last.\n"
	".PP\n"
	"A line\n"
	".B @include \\(dqFILE\\(dq\n"
	"includes another file; FILE is relative to the directory of the main file. Every other\n"
	"relative path is relative to the file that has it.\n"
	".PP\n"
	"A key that is not described here is a fault. sluice reports all faults at once, each "
	"with\n"
	"file, line and path; it reports a syntax error alone. It accepts a file that has only\n"
	"warnings.\n"
	".PP\n"
	"Names of networks, resolvers, zones, rulesets, network interfaces, private endpoints,\n"
	"address pools and transfers are unique in their\n"
	".BR resource_group .\n"
	"So two groups may each have a network\n"
	".IR hub ,\n"
	"or a zone of one domain for different networks. Names of keys and clients are unique "
	"over\n"
	"all groups.\n"
	"A reference to such an item gives its\n"
	".IR NAME ,\n"
	"which is the item in its own group, else the only one of that name;\n"
	".I GROUP/NAME\n"
	"always works, and\n"
	".I -/NAME\n"
	"is the item in no group. An endpoint is\n"
	".I RESOLVER/ENDPOINT\n"
	"and a subnet\n"
	".IR NETWORK/SUBNET ,\n"
	"or with the group ahead of it.\n"
	"If the group of the referring item does not have the\n"
	".IR NAME ,\n"
	"and several others do, that is a fault, whose text lists them. sluice compares names and\n"
	"references without regard to case.\n";

/* Keep this the same as rules/schema/made.c. */
static const char unnamed[] =
	"To forward a domain, a configuration needs a network, a ruleset and a rule. sluice makes\n"
	"all other items that these need and the file does not name:\n"
	".IP \\(bu 2\n"
	"A linked ruleset without\n"
	".B outbound_endpoints\n"
	"uses those of the first resolver in its networks that has any; as many as\n"
	"limits.outbound_endpoints_per_ruleset.\n"
	".IP \\(bu\n"
	"If none of its networks has a resolver, sluice makes one in the first network without\n"
	".BR encryption ,\n"
	"with the network\\(aqs name. If no resolver in its networks has an outbound endpoint,\n"
	"sluice makes one in the first resolver, named\n"
	".IR default .\n"
	"If there is no vnet_resolver and no inbound endpoint in any of these networks, it also\n"
	"makes an inbound endpoint of that name.\n"
	".IP \\(bu\n"
	"An endpoint without a subnet gets one, named\n"
	".IR ENDPOINT -inbound\n"
	"or\n"
	".IR ENDPOINT -outbound ,\n"
	"from 240.0.0.0/4, whose addresses no machine has; the network gets them as further "
	"address\n"
	"space. An inbound endpoint without\n"
	".B listen\n"
	"then listens at 127.0.0.1, port 53, or the next address of 127.0.0.0/8 that no other\n"
	"listener of the configuration has; an outbound one asks from any address that the "
	"system\n"
	"chooses.\n"
	".IP \\(bu\n"
	"With a vnet_resolver, the first network with neither address_space nor client_prefixes\n"
	"is that of loopback and of private networks.\n"
	".PP\n"
	".B sluice check -v\n"
	"prints the made items, and the reasons;\n"
	".B sluice export\n"
	"has them as comments, because sluice makes them again. Named items always come first: a\n"
	"resolver, endpoint or subnet that the file names later replaces the made item; if it "
	"only\n"
	"has the same name, the made item gets another.\n"
	".PP\n"
	"So these few lines are a complete configuration. It answers at 127.0.0.1, port 53:\n";

static const char smallest[] =
	"virtual_networks = ( { name = \"home\"; } );\n"
	"rulesets = (\n"
	"  { name = \"office\"; links = ( { name = \"home\"; virtual_network = \"home\"; } );\n"
	"    target_groups = (\n"
	"      { name = \"dc\"; targets = ( { address = \"10.1.0.53\"; description = "
	"\"Berlin\"; } ); } );\n"
	"    rules = (\n"
	"      { name = \"contoso\"; domain = \"contoso.corp.\"; target_group = \"dc\"; } ); } "
	");\n";

static const char example[] =
	"region = \"westeurope\";\n"
	"default_resolver = { targets = ( { address = \"192.0.2.53\"; } ); };\n"
	"virtual_networks = (\n"
	"  { name = \"hub\"; address_space = [ \"10.10.0.0/16\" ];\n"
	"    subnets = (\n"
	"      { name = \"dns-in\"; prefix = \"10.10.0.0/28\";\n"
	"        delegation = \"Microsoft.Network/dnsResolvers\"; },\n"
	"      { name = \"dns-out\"; prefix = \"10.10.0.16/28\";\n"
	"        delegation = \"Microsoft.Network/dnsResolvers\"; } ); } );\n"
	"resolvers = (\n"
	"  { name = \"hub-resolver\"; virtual_network = \"hub\";\n"
	"    inbound_endpoints = (\n"
	"      { name = \"inbound\"; subnet = \"dns-in\"; listen = \"127.0.0.1:5300\"; } );\n"
	"    outbound_endpoints = (\n"
	"      { name = \"outbound\"; subnet = \"dns-out\"; source = \"127.0.0.1\"; } ); } );\n"
	"private_zones = (\n"
	"  { name = \"corp.internal\"; file = \"corp.internal.zone\";\n"
	"    links = ( { name = \"hub-link\"; virtual_network = \"hub\"; } ); } );\n"
	"rulesets = (\n"
	"  { name = \"onprem\"; outbound_endpoints = [ \"hub-resolver/outbound\" ];\n"
	"    links = ( { name = \"hub-link\"; virtual_network = \"hub\"; } );\n"
	"    rules = (\n"
	"      { name = \"contoso\"; domain = \"contoso.corp.\";\n"
	"        targets = ( { address = \"127.0.0.1\"; port = 5301; } ); } ); } );\n";

/* "Takes an integer from 1 to 65535, in seconds. Default: 53." */
static void describe_type(FILE *out, const struct field *field)
{
	char expected[256];

	fputs("Takes ", out);
	text(out, schema_expected(field, expected, sizeof expected));
	if (field->unit) {
		fputs(", in ", out);
		text(out, field->unit);
	}
	if (field->required) {
		fputs(". Required", out);
	} else if (field->fallback) {
		fputs(". Default: ", out);
		text(out, field->fallback);
	}
	fputs(".\n", out);
}

static void describe_field(FILE *out, const struct field *field)
{
	fputs(".TP\n.B ", out);
	line(out, field->key);
	line(out, field->doc);
	describe_type(out, field);
	if (field->group)
		fprintf(out, "See\n.I %s\nbelow.\n", field->group->name);
}

static void describe_group(FILE *out, const struct group *group)
{
	fputs(".SS ", out);
	line(out, group->name);
	line(out, group->doc);
	for (size_t i = 0; i < group->count; i++)
		describe_field(out, &group->fields[i]);
}

/* Breadth first: describes each group once, after the first group with a field that leads to it.
 */
static void describe_groups(FILE *out)
{
	const struct group *found[GROUPS_MAX] = {&schema_model};
	size_t count = 1;

	for (size_t done = 0; done < count; done++) {
		const struct group *group = found[done];
		describe_group(out, group);
		for (size_t i = 0; i < group->count; i++) {
			bool known = !group->fields[i].group;
			for (size_t k = 0; k < count && !known; k++)
				known = found[k] == group->fields[i].group;
			if (!known && count < GROUPS_MAX)
				found[count++] = group->fields[i].group;
		}
	}
}

void manual_sluice_conf(FILE *out)
{
	fputs(".TH SLUICE.CONF 5 \"\" \"sluice " SLUICE_VERSION "\" \"File formats\"\n", out);
	section(out, "NAME");
	fputs("sluice.conf \\- configuration of the private DNS resolver sluice\n", out);
	section(out, "DESCRIPTION");
	fputs(intro, out);
	section(out, "EXAMPLE");
	fputs(".EX\n", out);
	text(out, example);
	fputs(".EE\n", out);
	section(out, "MADE ITEMS");
	fputs(unnamed, out);
	fputs(".PP\n.EX\n", out);
	text(out, smallest);
	fputs(".EE\n", out);
	section(out, "SETTINGS");
	describe_groups(out);
	section(out, "FILES");
	fputs(".TP\n.I /etc/sluice/sluice.conf\nThe default configuration file.\n"
	      ".TP\n.I /run/sluice/control.sock\nThe default control socket.\n"
	      ".TP\n.I /etc/resolv.conf\nThe default resolver's servers, if the file names "
	      "none.\n",
	      out);
	section(out, "SEE ALSO");
	fputs(".BR sluice (8),\n.BR sluice-api (7),\n.BR resolv.conf (5)\n", out);
}
