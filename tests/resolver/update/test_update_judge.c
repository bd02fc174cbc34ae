/* What messages come to: the stories of those who send them, each from an empty zone, and every
 * rule of permission at its edge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rules/base.h"
#include "tests/lib/update_world.h"

/* Base64 of what two clients' DHCIDs would be (RFC 4701): two bytes, a one, and a digest. */
#define ONE   "AAEBOSD+XR3Os/0LozeXVqcNc7FwCfQdWL3b/NaiUDlW2No="
#define TWO   "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA="
#define HASH1 "\"31a34ba67e5a3e3a1a9ed0eb6ea4b3f9e2\""
#define HASH2 "\"0014f5b5e5b35fd9cd9d9c94d3b4b8d6b1\""

#define MANUAL                                                                                     \
	"www 300 A 10.1.9.9\n"                                                                     \
	"alias 300 CNAME www\n"                                                                    \
	"*.wild 300 A 10.1.9.8\n"                                                                  \
	"deep.empty 300 A 10.1.9.7\n"                                                              \
	"both 300 A 10.1.9.1\nboth 300 A 10.1.9.2\n"

static int set_up(void **state)
{
	static struct update_world world;

	update_world_init(&world, MANUAL, 100);
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	update_world_release(*state);
	return 0;
}

/* Sends it and expects that rcode and, where it is NOERROR, what it comes to. */
static void expect_in(struct update_world *world, const char *zone, const char *records,
		      enum rcode rcode, const char *said)
{
	enum rcode got = update_world_send(world, zone, records);

	if (got != rcode || strcmp(world->said, said) != 0)
		fail_msg("%s\nrcode %d (%s), and\n%s", records, (int)got,
			 world->why ? world->why : "", world->said);
}

static void expect(struct update_world *world, const char *records, enum rcode rcode,
		   const char *said)
{
	expect_in(world, "corp.test.", records, rcode, said);
}

static void expect_reverse(struct update_world *world, const char *records, enum rcode rcode,
			   const char *said)
{
	expect_in(world, "1.10.in-addr.arpa.", records, rcode, said);
}

#define P "1.10.in-addr"

/* ---- Kea's D2 ---- */

#define D2_ADD(name, address, id)                                                                  \
	"? " name " NONE ANY\n! " name " IN A " address "\n! " name " IN DHCID " id "\n"
#define D2_REPLACE(name, address, id)                                                              \
	"? " name " ANY ANY\n? " name " IN DHCID " id "\n! " name " ANY A\n! " name                \
	" IN A " address "\n"
#define D2_PTR(octets, name, id)                                                                   \
	"! " octets " ANY PTR\n! " octets " ANY DHCID\n! " octets " IN PTR " name                  \
	".corp.test.\n! " octets " IN DHCID " id "\n"
#define D2_REMOVE_ADDRESS(name, address, id)                                                       \
	"? " name " IN DHCID " id "\n! " name " NONE A " address "\n"
#define D2_REMOVE_NAME(name, id)                                                                   \
	"? " name " IN DHCID " id "\n? " name " NONE A\n? " name " NONE AAAA\n! " name " ANY "     \
	"ANY\n"
#define D2_REMOVE_PTR(octets, name)                                                                \
	"? " octets " IN PTR " name ".corp.test.\n! " octets " ANY ANY\n"

static void keas_d2_registers_meets_a_conflict_renews_moves_and_removes(void **state)
{
	struct update_world *world = *state;

	expect(world, D2_ADD("pc", "10.1.0.5", ONE), RCODE_NOERROR,
	       "= pc A 10.1.0.5\n= pc DHCID " ONE "\n");
	expect_reverse(world, D2_PTR("5.0", "pc", ONE), RCODE_NOERROR,
		       "= 5.0." P " PTR pc.corp.test.\n= 5.0." P " DHCID " ONE "\n");

	/* Another machine of that name gives up. */
	expect(world, D2_ADD("pc", "10.1.0.6", TWO), RCODE_YXDOMAIN, "");
	expect(world, D2_REPLACE("pc", "10.1.0.6", TWO), RCODE_NXRRSET, "");

	/* The same one again, in one place and in another. */
	expect(world, D2_ADD("pc", "10.1.0.5", ONE), RCODE_YXDOMAIN, "");
	expect(world, D2_REPLACE("pc", "10.1.0.5", ONE), RCODE_NOERROR, "~ pc A\n~ pc DHCID\n");
	expect(world, D2_REPLACE("PC", "10.1.0.7", ONE), RCODE_NOERROR,
	       "= pc A 10.1.0.7\n~ pc DHCID\n");
	expect_reverse(world, D2_REMOVE_PTR("5.0", "pc"), RCODE_NOERROR,
		       "- 5.0." P " PTR\n- 5.0." P " DHCID\n");
	expect_reverse(world, D2_PTR("7.0", "pc", ONE), RCODE_NOERROR,
		       "= 7.0." P " PTR pc.corp.test.\n= 7.0." P " DHCID " ONE "\n");
	expect_reverse(world, D2_PTR("7.0", "pc", ONE), RCODE_NOERROR,
		       "~ 7.0." P " PTR\n~ 7.0." P " DHCID\n");

	/* Another one does not remove it; it does. */
	expect(world, D2_REMOVE_ADDRESS("pc", "10.1.0.7", TWO), RCODE_NXRRSET, "");
	expect(world, D2_REMOVE_NAME("pc", ONE), RCODE_YXRRSET, "");
	expect(world, D2_REMOVE_ADDRESS("pc", "10.1.0.7", ONE), RCODE_NOERROR,
	       "- pc A\n~ pc DHCID\n");
	expect(world, D2_REMOVE_NAME("pc", ONE), RCODE_NOERROR, "- pc DHCID\n");
	expect_reverse(world, D2_REMOVE_PTR("7.0", "pc"), RCODE_NOERROR,
		       "- 7.0." P " PTR\n- 7.0." P " DHCID\n");
	expect_reverse(world, D2_REMOVE_PTR("7.0", "pc"), RCODE_NXRRSET, "");
	expect(world, D2_ADD("pc", "10.1.0.6", TWO), RCODE_NOERROR,
	       "= pc A 10.1.0.6\n= pc DHCID " TWO "\n");
}

static void keas_d2_gives_a_machine_both_families_by_one_dhcid(void **state)
{
	struct update_world *world = *state;

	expect(world, D2_ADD("pc", "10.1.0.5", ONE), RCODE_NOERROR,
	       "= pc A 10.1.0.5\n= pc DHCID " ONE "\n");
	expect(world,
	       "? pc ANY ANY\n? pc IN DHCID " ONE "\n! pc ANY AAAA\n"
	       "! pc IN AAAA 2001:db8:1::5\n",
	       RCODE_NOERROR, "= pc AAAA 2001:db8:1::5\n~ pc DHCID\n");
	expect(world, D2_REMOVE_ADDRESS("pc", "10.1.0.5", ONE), RCODE_NOERROR,
	       "- pc A\n~ pc DHCID\n");
	expect(world, D2_REMOVE_NAME("pc", ONE), RCODE_YXRRSET, "");
	expect_in(world, "8.b.d.0.1.0.0.2.ip6.arpa.",
		  "! 5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0 IN PTR pc.corp.test.",
		  RCODE_NOERROR,
		  "= 5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6 PTR "
		  "pc.corp.test.\n");
}

static void keas_d2_without_conflict_resolution_takes_a_name(void **state)
{
	struct update_world *world = *state;

	expect(world, "! pc ANY A\n! pc ANY DHCID\n! pc IN A 10.1.0.5\n! pc IN DHCID " ONE,
	       RCODE_NOERROR, "= pc A 10.1.0.5\n= pc DHCID " ONE "\n");
	expect(world, "! pc ANY A\n! pc ANY DHCID\n! pc IN A 10.1.0.6\n! pc IN DHCID " TWO,
	       RCODE_NOERROR, "= pc A 10.1.0.6\n= pc DHCID " TWO "\n");
	expect(world, "! pc ANY A\n! pc ANY DHCID\n! pc IN A 10.1.0.6\n! pc IN DHCID " TWO,
	       RCODE_NOERROR, "~ pc A\n~ pc DHCID\n");
	expect(world, "! pc NONE A 10.1.0.6\n! pc NONE DHCID " TWO, RCODE_NOERROR,
	       "- pc A\n- pc DHCID\n");
}

/* ---- ISC dhcpd ---- */

static void dhcpd_story(struct update_world *world, const char *type, const char *id,
			const char *other)
{
	char sent[512], said[256];

	snprintf(sent, sizeof sent, "? pc NONE ANY\n! pc IN A 10.1.0.5\n! pc IN %s %s\n", type, id);
	snprintf(said, sizeof said, "= pc A 10.1.0.5\n= pc %s %s\n", type, id);
	expect(world, sent, RCODE_NOERROR, said);
	expect(world, sent, RCODE_YXDOMAIN, "");
	expect_reverse(world, "! 5.0 ANY PTR\n! 5.0 IN PTR pc.corp.test.\n", RCODE_NOERROR,
		       "= 5.0." P " PTR pc.corp.test.\n");

	snprintf(sent, sizeof sent, "? pc IN %s %s\n! pc ANY A\n! pc IN A 10.1.0.6\n", type, other);
	expect(world, sent, RCODE_NXRRSET, "");
	snprintf(sent, sizeof sent, "? pc IN %s %s\n! pc ANY A\n! pc IN A 10.1.0.5\n", type, id);
	snprintf(said, sizeof said, "~ pc A\n~ pc %s\n", type);
	expect(world, sent, RCODE_NOERROR, said);
	snprintf(sent, sizeof sent, "? pc IN %s %s\n! pc ANY A\n! pc IN A 10.1.0.6\n", type, id);
	snprintf(said, sizeof said, "= pc A 10.1.0.6\n~ pc %s\n", type);
	expect(world, sent, RCODE_NOERROR, said);

	snprintf(sent, sizeof sent, "? pc IN %s %s\n! pc NONE A 10.1.0.6\n", type, id);
	snprintf(said, sizeof said, "- pc A\n~ pc %s\n", type);
	expect(world, sent, RCODE_NOERROR, said);
	snprintf(sent, sizeof sent, "? pc NONE A\n? pc NONE AAAA\n! pc NONE %s %s\n", type, id);
	snprintf(said, sizeof said, "- pc %s\n", type);
	expect(world, sent, RCODE_NOERROR, said);
	expect_reverse(world, "? 5.0 IN PTR pc.corp.test.\n! 5.0 ANY PTR\n", RCODE_NOERROR,
		       "- 5.0." P " PTR\n");
}

static void dhcpd_in_its_standard_style(void **state)
{
	dhcpd_story(*state, "DHCID", ONE, TWO);
}

static void dhcpd_in_its_interim_style(void **state)
{
	dhcpd_story(*state, "TXT", HASH1, HASH2);
}

/* ---- clients ---- */

static void isc_dhcp_client_registers_and_takes_over(void **state)
{
	struct update_world *world = *state;

	expect(world, "? pc NONE A\n! pc IN A 10.1.0.5\n! pc IN TXT " HASH1, RCODE_NOERROR,
	       "= pc A 10.1.0.5\n= pc TXT " HASH1 "\n");
	expect(world, "? pc NONE A\n! pc IN A 10.1.0.6\n! pc IN TXT " HASH2, RCODE_YXRRSET, "");
	expect(world, "! pc ANY A\n! pc ANY TXT\n! pc IN A 10.1.0.6\n! pc IN TXT " HASH2,
	       RCODE_NOERROR, "= pc A 10.1.0.6\n= pc TXT " HASH2 "\n");
}

static void nsupdate_adds_and_deletes_as_it_is_told(void **state)
{
	struct update_world *world = *state;

	expect(world, "! pc IN A 10.1.0.5\n! pc IN A 10.1.0.6\n! nb IN AAAA 2001:db8:1::7",
	       RCODE_NOERROR, "= pc A 10.1.0.5 10.1.0.6\n= nb AAAA 2001:db8:1::7\n");
	expect(world, "! pc IN A 10.1.0.6", RCODE_NOERROR, "~ pc A\n");
	expect(world, "? pc IN A 10.1.0.6\n? pc IN A 10.1.0.5\n! pc NONE A 10.1.0.5", RCODE_NOERROR,
	       "= pc A 10.1.0.6\n");
	expect(world, "! pc NONE A 10.1.0.9", RCODE_NOERROR, "");
	expect(world, "! nobody ANY ANY\n! nobody ANY A", RCODE_NOERROR, "");
	expect(world, "! pc IN A 10.1.0.7\n! pc ANY A\n! pc IN A 10.1.0.6", RCODE_NOERROR,
	       "~ pc A\n");
	expect(world, "! pc ANY ANY\n! nb ANY ANY", RCODE_NOERROR, "- pc A\n- nb AAAA\n");
}

static void sssd_registers_its_own_address_by_tcp(void **state)
{
	struct update_world *world = *state;

	update_world_client(world, NULL, "10.1.0.5");
	expect(world, "! pc ANY A\n! pc IN A 10.1.0.5", RCODE_NOERROR, "= pc A 10.1.0.5\n");
	expect(world, "! pc ANY AAAA", RCODE_NOERROR, "");
	expect_in(world, "0.1.10.in-addr.arpa.", "! 5 ANY PTR\n! 5 IN PTR pc.corp.test.",
		  RCODE_NOERROR, "= 5.0." P " PTR pc.corp.test.\n");

	/* Another machine of that name. */
	update_world_client(world, NULL, "10.1.0.6");
	expect(world, "! pc ANY A\n! pc IN A 10.1.0.6", RCODE_REFUSED, "");
	expect(world, "! pc IN A 10.1.0.6", RCODE_REFUSED, "");
	expect(world, "! pc ANY AAAA", RCODE_NOERROR, "");
	expect_reverse(world, "! 5.0 ANY PTR", RCODE_REFUSED, "");
	expect_reverse(world, "! 6.0 IN PTR pc.corp.test.", RCODE_REFUSED, "");

	/* A day later, and under another name. */
	update_world_client(world, NULL, "10.1.0.5");
	expect(world, "! pc ANY A\n! pc IN A 10.1.0.5", RCODE_NOERROR, "~ pc A\n");
	expect_reverse(world, "! 5.0 ANY PTR\n! 5.0 IN PTR pc.corp.test.", RCODE_NOERROR,
		       "~ 5.0." P " PTR\n");
	expect(world, "! laptop ANY A\n! laptop IN A 10.1.0.5", RCODE_REFUSED, "");

	/* Its other family comes from the same source; and by a connection of that family. */
	expect(world, "! pc ANY AAAA\n! pc IN AAAA 2001:db8:1::5", RCODE_REFUSED, "");
	update_world_client(world, NULL, "2001:db8:1::5");
	expect(world, "! pc IN AAAA 2001:db8:1::5", RCODE_REFUSED, "");

	/* It leaves, and the name is free. */
	update_world_client(world, NULL, "10.1.0.5");
	expect_reverse(world, "! 5.0 ANY PTR", RCODE_NOERROR, "- 5.0." P " PTR\n");
	expect(world, "! pc ANY A", RCODE_NOERROR, "- pc A\n");
	update_world_client(world, NULL, "10.1.0.6");
	expect(world, "! pc ANY A\n! pc IN A 10.1.0.6", RCODE_NOERROR, "= pc A 10.1.0.6\n");
}

/* ---- without a key ---- */

static void refuse_all(struct update_world *world, const char *zone, const char *const *records,
		       size_t count)
{
	for (size_t i = 0; i < count; i++) {
		enum rcode rcode = update_world_send(world, zone, records[i]);

		if (rcode != RCODE_REFUSED)
			fail_msg("%s: rcode %d", records[i], (int)rcode);
	}
}

static void without_a_key_only_plain_free_names_and_ones_own_address_are_taken(void **state)
{
	static const char *const refused[] = {
		"! pc IN A 10.1.0.6",
		"! wpad IN A 10.1.0.5",
		"! isatap IN A 10.1.0.5",
		"! isatap.office IN A 10.1.0.5",
		"! _ldap IN A 10.1.0.5",
		"! pc._tcp IN A 10.1.0.5",
		"! * IN A 10.1.0.5",
		"! *.office IN A 10.1.0.5",
		"! @ IN A 10.1.0.5",
		"! ns IN A 10.1.0.5",
		"! www IN A 10.1.0.5",
		"! alias IN A 10.1.0.5",
		"! pc.wild IN A 10.1.0.5",
		"! pc.office.wild IN A 10.1.0.5",
		"! pc IN TXT " HASH1,
		"! pc IN DHCID " ONE,
		"! pc IN A 10.1.0.5\n! pc IN TXT " HASH1,
		"! pc IN A 10.1.0.5\n! nb IN A 10.1.0.5",
		"! pc IN A 10.1.0.5\n! nb ANY A",
		"? nb NONE ANY\n! pc IN A 10.1.0.5",
		"? pc NONE ANY",
		"",
		"! pc ANY TXT",
		"! pc IN AAAA ::ffff:10.1.0.5",
	};
	struct update_world *world = *state;

	update_world_client(world, NULL, "10.1.0.5");
	refuse_all(world, "corp.test.", refused, COUNT(refused));
	expect(world, "! wpadded IN A 10.1.0.5", RCODE_NOERROR, "= wpadded A 10.1.0.5\n");
}

static void without_a_key_it_takes_tcp_and_an_address_of_the_prefixes(void **state)
{
	struct update_world *world = *state;

	update_world_client(world, NULL, "10.1.0.5");
	world->client.tcp = false;
	expect(world, "! pc IN A 10.1.0.5", RCODE_REFUSED, "");
	update_world_client(world, NULL, "10.2.0.5");
	expect(world, "! pc IN A 10.2.0.5", RCODE_REFUSED, "");
	expect(world, "! pc ANY A", RCODE_REFUSED, "");
	update_world_client(world, NULL, "10.1.0.5");
	world->registrations->items[0].own_address = false;
	expect(world, "! pc IN A 10.1.0.5", RCODE_REFUSED, "");
}

static void without_a_key_nothing_of_a_dhcp_servers_is_deleted(void **state)
{
	static const char *const refused[] = {
		"! pc ANY ANY",         "! pc ANY DHCID", "! pc NONE DHCID " ONE,
		"! pc NONE A 10.1.0.5", "! pc ANY AAAA",  "! nb IN A 10.1.0.5",
	};
	struct update_world *world = *state;

	expect(world, D2_ADD("pc", "10.1.0.5", ONE) "! pc IN AAAA 2001:db8:1::5\n", RCODE_NOERROR,
	       "= pc A 10.1.0.5\n= pc DHCID " ONE "\n= pc AAAA 2001:db8:1::5\n");
	expect_reverse(world, D2_PTR("5.0", "pc", ONE), RCODE_NOERROR,
		       "= 5.0." P " PTR pc.corp.test.\n= 5.0." P " DHCID " ONE "\n");
	update_world_client(world, NULL, "10.1.0.6");
	refuse_all(world, "corp.test.", refused, COUNT(refused) - 1);
	update_world_client(world, NULL, "10.1.0.5");
	refuse_all(world, "corp.test.", refused, 3);
	expect(world, refused[5], RCODE_REFUSED, "");
	expect_reverse(world, "! 5.0 ANY ANY", RCODE_REFUSED, "");
	expect_reverse(world, "! 5.0 ANY DHCID", RCODE_REFUSED, "");
	expect_reverse(world, "! 5.0 ANY PTR\n! 5.0 IN PTR pc.corp.test.", RCODE_NOERROR,
		       "~ 5.0." P " PTR\n");

	/* A name that the server has freed, but for whose it was. */
	update_world_client(world, "dhcp", "10.1.0.2");
	expect(world, "! pc ANY A\n! pc ANY AAAA", RCODE_NOERROR, "- pc A\n- pc AAAA\n");
	update_world_client(world, NULL, "10.1.0.6");
	expect(world, "! pc IN A 10.1.0.6", RCODE_REFUSED, "");
}

/* ---- with a key ---- */

static void a_key_is_one_of_the_entrys(void **state)
{
	struct update_world *world = *state;

	update_world_client(world, "other", "10.1.0.5");
	expect(world, "! pc IN A 10.1.0.5", RCODE_REFUSED, "");
	expect(world, "? www ANY ANY", RCODE_REFUSED, "");
	expect(world, "? nobody ANY ANY", RCODE_REFUSED, "");
}

static void self_is_the_keys_own_name(void **state)
{
	static const char *const refused[] = {
		"! pc IN A 10.1.0.5",
		"! a.web IN A 10.1.0.5",
		"! @ IN A 10.1.0.5",
		"! web IN A 10.1.0.5\n! pc ANY A",
		"? pc ANY ANY\n! web IN A 10.1.0.5",
	};
	struct update_world *world = *state;

	update_world_client(world, "web.corp.test", "192.0.2.1");
	refuse_all(world, "corp.test.", refused, COUNT(refused));
	expect(world, "! web IN A 10.1.0.5\n! web IN DHCID " ONE, RCODE_NOERROR,
	       "= web A 10.1.0.5\n= web DHCID " ONE "\n");
}

static void subdomain_is_the_keys_name_and_those_below(void **state)
{
	struct update_world *world = *state;

	update_world_client(world, "lab.corp.test", "192.0.2.1");
	expect(world, "! lab IN A 10.1.0.5\n! a.b.lab IN A 10.1.0.6", RCODE_NOERROR,
	       "= lab A 10.1.0.5\n= a.b.lab A 10.1.0.6\n");
	expect(world, "! collab IN A 10.1.0.5", RCODE_REFUSED, "");
}

static void a_key_of_some_names_has_the_ptrs_that_lead_to_them(void **state)
{
	struct update_world *world = *state;

	expect(world, "! pc IN A 10.1.0.7", RCODE_NOERROR, "= pc A 10.1.0.7\n");
	expect_reverse(world, "! 7.0 IN PTR pc.corp.test.", RCODE_NOERROR,
		       "= 7.0." P " PTR pc.corp.test.\n");
	update_world_client(world, "web.corp.test", "192.0.2.1");
	expect_reverse(world, "! 5.0 IN PTR pc.corp.test.", RCODE_REFUSED, "");
	expect_reverse(world, "! 5.0 IN DHCID " ONE, RCODE_REFUSED, "");
	expect_reverse(world, "! 5.0 IN PTR web.corp.test.\n! 5.0 IN PTR pc.corp.test.",
		       RCODE_REFUSED, "");
	expect_reverse(world, "! 5.0 ANY PTR\n! 5.0 IN PTR web.corp.test.\n! 5.0 IN DHCID " ONE,
		       RCODE_NOERROR,
		       "= 5.0." P " PTR web.corp.test.\n= 5.0." P " DHCID " ONE "\n");
	expect_reverse(world, "! 5.0 IN DHCID " TWO, RCODE_NOERROR,
		       "= 5.0." P " DHCID " ONE " " TWO "\n");
	expect_reverse(world, "! 7.0 ANY PTR", RCODE_REFUSED, "");
	expect_reverse(world, "! 7.0 IN PTR web.corp.test.", RCODE_REFUSED, "");

	/* Its name has another address now. */
	update_world_client(world, "dhcp", "192.0.2.1");
	expect(world, "! pc ANY A\n! pc IN A 10.1.0.8", RCODE_NOERROR, "= pc A 10.1.0.8\n");
	update_world_client(world, "web.corp.test", "192.0.2.1");
	expect_reverse(world, "! 7.0 ANY PTR\n! 7.0 IN PTR web.corp.test.", RCODE_NOERROR,
		       "= 7.0." P " PTR web.corp.test.\n");
	expect_reverse(world, "! 7.0 ANY ANY", RCODE_NOERROR, "- 7.0." P " PTR\n");

	/* 10.1.9.9 is the address of the zone's own www, so its PTR is not to be taken away. */
	update_world_client(world, "dhcp", "192.0.2.1");
	expect_reverse(world, "! 9.9 IN PTR www.corp.test.", RCODE_NOERROR,
		       "= 9.9." P " PTR www.corp.test.\n");
	update_world_client(world, "web.corp.test", "192.0.2.1");
	expect_reverse(world, "! 9.9 ANY PTR\n! 9.9 IN PTR web.corp.test.", RCODE_REFUSED, "");
}

static void nothing_is_renewed_that_the_client_may_not_change(void **state)
{
	struct update_world *world = *state;

	expect(world, "! pc IN A 10.1.0.5\n! pc IN DHCID " ONE, RCODE_NOERROR,
	       "= pc A 10.1.0.5\n= pc DHCID " ONE "\n");
	expect_reverse(world, "! 5.0 IN PTR pc.corp.test.", RCODE_NOERROR,
		       "= 5.0." P " PTR pc.corp.test.\n");
	expect(world, "? pc IN A 10.1.0.5\n? pc IN DHCID " ONE, RCODE_NOERROR,
	       "~ pc A\n~ pc DHCID\n");
	update_world_client(world, NULL, "10.1.0.9");
	expect(world, "? pc IN A 10.1.0.5\n! pc NONE A 10.1.0.99", RCODE_NOERROR, "");
	update_world_client(world, NULL, "10.1.0.5");
	expect(world, "? pc IN A 10.1.0.5\n! pc NONE A 10.1.0.99", RCODE_NOERROR, "~ pc A\n");
	update_world_client(world, "dhcp", "192.0.2.1");
	expect(world, "! pc IN A 10.1.0.6", RCODE_NOERROR, "= pc A 10.1.0.5 10.1.0.6\n");
	update_world_client(world, NULL, "10.1.0.5"); /* pc has another address beside this one */
	expect(world, "? pc IN A 10.1.0.5\n? pc IN A 10.1.0.6\n! pc NONE A 10.1.0.99",
	       RCODE_NOERROR, "");
	update_world_client(world, "web.corp.test", "192.0.2.1");
	expect_reverse(world, "? 5.0 IN PTR pc.corp.test.", RCODE_NOERROR, "");
	expect(world, "! web IN A 10.1.0.5", RCODE_NOERROR, "= web A 10.1.0.5\n");
}

static void a_renewal_takes_the_entrys_ttl(void **state)
{
	struct update_world *world = *state;

	expect(world, "! pc IN A 10.1.0.5", RCODE_NOERROR, "= pc A 10.1.0.5\n");
	world->registrations->items[0].ttl++; /* as by a reload */
	expect(world, "! pc IN A 10.1.0.5", RCODE_NOERROR, "= pc A 10.1.0.5\n");
	expect(world, "? pc IN A 10.1.0.6", RCODE_NXRRSET, "");
}

/* ---- what can be registered ---- */

static void only_types_of_machines_are_registered(void **state)
{
	static const char *const refused[] = {
		"! pc IN CNAME www",
		"! pc IN MX 1 www",
		"! pc IN TXT \"hello\"",
		"! pc IN TXT \"31a34ba67e5a3e3a1a9ed0eb6ea4b3f9eg\"",
		"! pc IN TXT \"31a34ba67e5a3e3a1a9ed0eb6ea4b3f9e\"",
		"! pc IN TXT " HASH1 " " HASH2,
		"! pc IN PTR www",
		"! @ IN SOA ns host 1 2 3 4 5",
		"! @ IN NS ns",
		"! @ ANY NS",
		"! pc ANY CNAME",
		"! pc NONE MX 1 www",
		"! pc IN DHCID AAE=",
		"! * IN A 10.1.0.5",
		"! *.pc IN A 10.1.0.5",
		"! @ IN A 10.1.0.5",
		"! pc IN A 10.2.0.5",
		"! pc IN A 10.1.0.5\n! pc IN A 10.2.0.5",
		"! pc IN AAAA 2001:db8:2::5",
		"! pc IN AAAA ::ffff:10.1.0.5",
	};
	struct update_world *world = *state;

	refuse_all(world, "corp.test.", refused, COUNT(refused));
	expect(world, "! @ ANY ANY", RCODE_NOERROR, "");
}

static void nobody_registers_under_the_name_of_the_zones_name_server(void **state)
{
	static const char *const refused[] = {
		"! ns IN A 10.1.0.5",
		"! NS IN DHCID " ONE,
		"! pc IN A 10.1.0.5\n! ns IN A 10.1.0.5",
	};
	struct update_world *world = *state;

	refuse_all(world, "corp.test.", refused, COUNT(refused));
	expect(world, "! ns ANY ANY", RCODE_NOERROR, "");
	expect(world, "! ns.office IN A 10.1.0.5", RCODE_NOERROR, "= ns.office A 10.1.0.5\n");
}

static void only_addresses_of_the_prefixes_have_ptrs_and_to_names_of_the_zone(void **state)
{
	static const char *const refused[] = {
		"! 5.0 IN PTR pc.other.test.",
		"! 5.0 IN PTR test.",
		"! 5.0 IN A 10.1.0.5",
		"! 5 IN PTR pc.corp.test.",
		"! @ IN PTR pc.corp.test.",
		"! a.5.0 IN PTR pc.corp.test.",
		"! 05.0 IN PTR pc.corp.test.",
		"! 256.0 IN PTR pc.corp.test.",
		"? 5 ANY ANY\n! 5.0 IN PTR pc.corp.test.",
	};
	struct update_world *world = *state;

	refuse_all(world, "1.10.in-addr.arpa.", refused, COUNT(refused));
	expect_in(world, "10.in-addr.arpa.",
		  "! 5.0.1 IN PTR pc.corp.test.\n! 5.0.2 IN PTR pc.corp.test.", RCODE_REFUSED, "");
	expect_in(world, "10.in-addr.arpa.", "! 5.0.1 IN PTR pc.corp.test.", RCODE_NOERROR,
		  "= 5.0." P " PTR pc.corp.test.\n");
	expect_in(world, "5.0.1.10.in-addr.arpa.", "! @ IN PTR pc.corp.test.", RCODE_NOERROR,
		  "~ 5.0." P " PTR\n");
}

static void a_zone_that_nobody_registers_in_is_notauth(void **state)
{
	static const char *const zones[] = {
		"other.test.",       "sub.corp.test.",         "test.", ".", "2.10.in-addr.arpa.",
		"3.0.0.2.ip6.arpa.", "0-25.1.10.in-addr.arpa."};

	for (size_t i = 0; i < COUNT(zones); i++)
		expect_in(*state, zones[i], "", RCODE_NOTAUTH, "");
	expect_in(*state, "10.in-addr.arpa.", "! 5.0.2 IN PTR pc.corp.test.", RCODE_NOTAUTH, "");
}

static void a_name_out_of_the_zone_is_notzone_for_who_may_update(void **state)
{
	struct update_world *world = *state;

	expect(world, "! www.other.test. IN A 10.1.0.5", RCODE_NOTZONE, "");
	expect(world, "? www.other.test. ANY ANY", RCODE_NOTZONE, "");
	expect_reverse(world, "! 5.0.2.10.in-addr.arpa. IN PTR pc.corp.test.", RCODE_NOTZONE, "");
	update_world_client(world, "other", "10.1.0.5");
	expect(world, "! www.other.test. IN A 10.1.0.5", RCODE_REFUSED, "");
}

/* ---- prerequisites ---- */

static const struct {
	const char *records;
	enum rcode rcode;
} required[] = {
	{"? www ANY ANY", RCODE_NOERROR},
	{"? alias ANY ANY", RCODE_NOERROR},
	{"? @ ANY ANY", RCODE_NOERROR},
	{"? nobody ANY ANY", RCODE_NXDOMAIN},
	{"? empty ANY ANY", RCODE_NXDOMAIN},
	{"? a.wild ANY ANY", RCODE_NXDOMAIN},
	{"? *.wild ANY ANY", RCODE_NOERROR},
	{"? nobody NONE ANY", RCODE_NOERROR},
	{"? empty NONE ANY", RCODE_NOERROR},
	{"? a.wild NONE ANY", RCODE_NOERROR},
	{"? www NONE ANY", RCODE_YXDOMAIN},
	{"? www ANY A", RCODE_NOERROR},
	{"? WWW ANY A", RCODE_NOERROR},
	{"? www ANY AAAA", RCODE_NXRRSET},
	{"? alias ANY A", RCODE_NXRRSET},
	{"? a.wild ANY A", RCODE_NXRRSET},
	{"? @ ANY SOA", RCODE_NOERROR},
	{"? www NONE A", RCODE_YXRRSET},
	{"? www NONE AAAA", RCODE_NOERROR},
	{"? alias NONE CNAME", RCODE_YXRRSET},
	{"? www IN A 10.1.9.9", RCODE_NOERROR},
	{"? www IN A 10.1.9.9\n? www IN A 10.1.9.9", RCODE_NOERROR},
	{"? www IN A 10.1.9.8", RCODE_NXRRSET},
	{"? nobody IN A 10.1.9.9", RCODE_NXRRSET},
	{"? alias IN CNAME WWW.corp.test.", RCODE_NOERROR},
	{"? both IN A 10.1.9.1", RCODE_NXRRSET},
	{"? both IN A 10.1.9.2\n? both IN A 10.1.9.1", RCODE_NOERROR},
	{"? both IN A 10.1.9.2\n? both IN A 10.1.9.1\n? both IN A 10.1.9.3", RCODE_NXRRSET},
	{"? both IN A 10.1.9.2\n? www IN A 10.1.9.9\n? both IN A 10.1.9.1", RCODE_NOERROR},
	{"? www IN A 10.1.9.8\n? www NONE ANY", RCODE_YXDOMAIN},
	{"? www NONE A\n? nobody ANY ANY", RCODE_YXRRSET},
};

static void prerequisites_are_exact_and_of_whole_sets(void **state)
{
	for (size_t i = 0; i < COUNT(required); i++) {
		enum rcode rcode = update_world_send(*state, "corp.test.", required[i].records);

		if (rcode != required[i].rcode)
			fail_msg("%s: rcode %d", required[i].records, (int)rcode);
	}
}

static void a_message_whose_prerequisite_fails_changes_nothing(void **state)
{
	struct update_world *world = *state;

	expect(world, "? nobody ANY ANY\n! pc IN A 10.1.0.5", RCODE_NXDOMAIN, "");
	expect(world, "? pc NONE ANY", RCODE_NOERROR, "");
}

static void the_name_server_is_in_use_with_the_address_that_was_asked(void **state)
{
	static const struct {
		const char *record;
		enum rcode rcode;
	} asked[] = {
		{"? ns NONE ANY", RCODE_YXDOMAIN},
		{"? ns ANY ANY", RCODE_NOERROR},
		{"? NS ANY A", RCODE_NOERROR},
		{"? ns NONE A", RCODE_YXRRSET},
		{"? ns ANY AAAA", RCODE_NXRRSET},
		{"? ns NONE AAAA", RCODE_NOERROR},
		{"? ns IN A 10.1.0.53", RCODE_NOERROR},
		{"? ns IN A 10.1.0.54", RCODE_NXRRSET},
		{"? ns IN A 10.1.0.53\n? ns IN A 10.1.0.54", RCODE_NXRRSET},
		{"? ns IN AAAA 2001:db8:1::35", RCODE_NXRRSET},
		{"? ns.pc NONE ANY", RCODE_NOERROR},
	};
	struct update_world *world = *state;

	for (size_t i = 0; i < COUNT(asked); i++)
		expect(world, asked[i].record, asked[i].rcode, "");
	assert_int_equal(address_parse(&world->local, "2001:db8:1::35"), 0);
	expect(world, "? ns IN AAAA 2001:db8:1::35\n? ns NONE A", RCODE_NOERROR, "");
}

static void a_name_server_with_records_of_its_own_has_those(void **state)
{
	struct update_world *world = *state;

	update_world_release(world);
	update_world_init(world, "ns 300 TXT hello\n", 100);
	expect(world, "? ns ANY TXT\n? ns NONE A", RCODE_NOERROR, "");
	update_world_release(world);
	update_world_init(world, "@ 300 DNAME other.test.\n", 100);
	expect(world, "? ns NONE ANY", RCODE_NOERROR, "");
}

static void who_may_not_learns_nothing_from_prerequisites(void **state)
{
	struct update_world *world = *state;

	expect(world, "? www NONE ANY\n! pc IN A 10.2.0.5", RCODE_REFUSED, "");
	expect(world, "? www NONE ANY\n! pc IN MX 1 www", RCODE_REFUSED, "");
}

/* ---- what the zone has itself ---- */

static void what_the_zone_has_itself_is_neither_changed_nor_deleted(void **state)
{
	struct update_world *world = *state;

	expect(world, "! www ANY ANY\n! both NONE A 10.1.9.1\n! www ANY A", RCODE_NOERROR, "");
	expect(world, "? www IN A 10.1.9.9", RCODE_NOERROR, "");
	expect(world, D2_ADD("www", "10.1.0.5", ONE), RCODE_YXDOMAIN, "");
	expect(world, D2_REPLACE("www", "10.1.0.5", ONE), RCODE_NXRRSET, "");

	/* What is added without asking lies beneath. */
	expect(world, "! www IN A 10.1.0.5\n! alias IN A 10.1.0.5", RCODE_NOERROR,
	       "= www A 10.1.0.5\n= alias A 10.1.0.5\n");
	expect(world, "? www IN A 10.1.9.9\n? alias NONE A", RCODE_NOERROR, "");
	expect(world, "! www ANY ANY\n! alias ANY ANY", RCODE_NOERROR, "- www A\n- alias A\n");
}

/* ---- amounts ---- */

static void a_name_more_than_there_may_be_is_refused(void **state)
{
	struct update_world *world = *state;

	world->registrations->items[0].names_max = 2;
	expect(world, "! a IN A 10.1.0.1\n! b IN A 10.1.0.2\n! c IN A 10.1.0.3", RCODE_REFUSED, "");
	expect(world, "! a IN A 10.1.0.1\n! b IN A 10.1.0.2", RCODE_NOERROR,
	       "= a A 10.1.0.1\n= b A 10.1.0.2\n");
	expect(world, "! a IN DHCID " ONE, RCODE_NOERROR, "= a DHCID " ONE "\n");
	expect(world, "! c IN A 10.1.0.3", RCODE_REFUSED, "");
	expect(world, "! c IN A 10.1.0.3\n! a ANY A", RCODE_REFUSED, "");
	expect(world, "! c IN A 10.1.0.3\n! a ANY ANY", RCODE_NOERROR,
	       "= c A 10.1.0.3\n- a A\n- a DHCID\n");
	world->registrations->items[0].names_max = 1; /* as by a reload */
	expect(world, "! c IN A 10.1.0.4", RCODE_NOERROR, "= c A 10.1.0.3 10.1.0.4\n");
	expect(world, "! a ANY ANY\n! c ANY A\n! d IN A 10.1.0.5", RCODE_NOERROR,
	       "- c A\n= d A 10.1.0.5\n");
}

static void a_set_has_twenty_records_at_most(void **state)
{
	struct update_world *world = *state;
	char records[2048];
	size_t used = 0;

	for (unsigned i = 0; i < UPDATE_SET_MAX; i++)
		used += (size_t)snprintf(records + used, sizeof records - used,
					 "! pc IN A 10.1.0.%u\n", i);
	assert_int_equal(update_world_send(world, "corp.test.", records), RCODE_NOERROR);
	expect(world, "! pc IN A 10.1.1.1", RCODE_REFUSED, "");
	expect(world, "! pc IN A 10.1.0.3", RCODE_NOERROR, "~ pc A\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(keas_d2_registers_meets_a_conflict_renews_moves_and_removes),
		TEST(keas_d2_gives_a_machine_both_families_by_one_dhcid),
		TEST(keas_d2_without_conflict_resolution_takes_a_name),
		TEST(dhcpd_in_its_standard_style),
		TEST(dhcpd_in_its_interim_style),
		TEST(isc_dhcp_client_registers_and_takes_over),
		TEST(nsupdate_adds_and_deletes_as_it_is_told),
		TEST(sssd_registers_its_own_address_by_tcp),
		TEST(without_a_key_only_plain_free_names_and_ones_own_address_are_taken),
		TEST(without_a_key_it_takes_tcp_and_an_address_of_the_prefixes),
		TEST(without_a_key_nothing_of_a_dhcp_servers_is_deleted),
		TEST(a_key_is_one_of_the_entrys),
		TEST(self_is_the_keys_own_name),
		TEST(subdomain_is_the_keys_name_and_those_below),
		TEST(nothing_is_renewed_that_the_client_may_not_change),
		TEST(a_renewal_takes_the_entrys_ttl),
		TEST(a_key_of_some_names_has_the_ptrs_that_lead_to_them),
		TEST(only_types_of_machines_are_registered),
		TEST(nobody_registers_under_the_name_of_the_zones_name_server),
		TEST(only_addresses_of_the_prefixes_have_ptrs_and_to_names_of_the_zone),
		TEST(a_zone_that_nobody_registers_in_is_notauth),
		TEST(a_name_out_of_the_zone_is_notzone_for_who_may_update),
		TEST(prerequisites_are_exact_and_of_whole_sets),
		TEST(a_message_whose_prerequisite_fails_changes_nothing),
		TEST(the_name_server_is_in_use_with_the_address_that_was_asked),
		TEST(a_name_server_with_records_of_its_own_has_those),
		TEST(who_may_not_learns_nothing_from_prerequisites),
		TEST(what_the_zone_has_itself_is_neither_changed_nor_deleted),
		TEST(a_name_more_than_there_may_be_is_refused),
		TEST(a_set_has_twenty_records_at_most),
	};

	return cmocka_run_group_tests_name("update_judge", tests, NULL, NULL);
}
