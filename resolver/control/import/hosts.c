/* hosts(5): each line has an address and its names, and the address gets a PTR to the first name. A
 * block list has 0.0.0.0 or :: in place of an address; names keep that address here, and no PTR
 * leads to them. */
#include <ctype.h>
#include <string.h>

#include "resolver/control/import/dialect.h"
#include "resolver/control/import/forward.h"
#include "rules/prefix.h"
#include "rules/reverse.h"

enum { USUAL_TTL_S = 3600 };

static const char blanks[] = " \t\r\v\f";

/* Cuts the next word off and ends it with a NUL; NULL: none. */
static char *next_word(char **at)
{
	char *word = *at + strspn(*at, blanks);
	size_t length = strcspn(word, blanks);

	*at = word + length + (word[length] != '\0');
	word[length] = '\0';
	return length > 0 ? word : NULL;
}

/* Whether it is a name that systems put into their hosts files, for the machine itself or for
 * groups of addresses such as ip6-allnodes; it needs no record here. */
static bool is_own(const char *name)
{
	static const char *const names[] = {"localhost",     "localhost.localdomain",
					    "ip6-localhost", "ip6-loopback",
					    "ip6-localnet",  "ip6-mcastprefix",
					    "ip6-allnodes",  "ip6-allrouters",
					    "ip6-allhosts",  "broadcasthost",
					    "localhost6",    "localhost6.localdomain6",
					    "localhost4",    "localhost4.localdomain4"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcasecmp(names[i], name) == 0)
			return true;
	return false;
}

void hosts_take(struct import *import, struct forward_view *view, const struct origin *at,
		const char *name, const char *address, long ttl_s, bool leads_back,
		const struct hosts_zones *zones)
{
	struct address parsed;
	char reverse[NAME_TEXT_MAX];

	if (zones && !zones->fits(zones->context, name)) {
		import_lost(import, at, "%s is in no zone that the hosts are for", name);
		return;
	}
	leads_back = leads_back && address_parse(&parsed, address) == 0 &&
		     (!zones || zones->fits(zones->context, reverse_text(&parsed, reverse)));
	forward_host(import, view, at, name, address, ttl_s, leads_back);
}

static void take_line(struct import *import, struct forward_view *view, const struct origin *at,
		      char *line, const struct hosts_style *style)
{
	const char *address = next_word(&line), *name;
	struct address parsed;
	bool first = true;

	if (!address)
		return;
	if (address_parse(&parsed, address) != 0) {
		import_lost(import, at, "\"%s\" is no address", address);
		return;
	}
	while ((name = next_word(&line))) {
		bool leads_back = first && !address_is_unspecified(&parsed);

		first = false;
		if (is_own(name)) {
			import_lost(import, at,
				    "%s is answered by itself, or means the machine "
				    "that the file is on",
				    name);
			continue;
		}
		leads_back = leads_back && !style->without_ptrs && !address_is_loopback(&parsed);
		/* The long name comes first, because only the first one gets a PTR. */
		if (style->domain && !strchr(name, '.'))
			hosts_take(import, view, at,
				   import_printf(import, "%s.%s", name, style->domain), address,
				   style->ttl_s, leads_back, style->zones);
		hosts_take(import, view, at, name, address, style->ttl_s, leads_back, style->zones);
	}
}

void hosts_read_into(struct import *import, struct forward_view *view, const struct origin *at,
		     const char *path, const struct hosts_style *style)
{
	size_t length;
	char *line, *next, *hash;
	unsigned number = 1;

	if (strcmp(path, "/dev/null") == 0)
		return;
	line = import_read(import, path, at, &length);
	for (; line && *line != '\0'; number++, line = next) {
		struct origin here = import_place(import, path, number, NULL);

		next = strchrnul(line, '\n');
		if (*next == '\n')
			*next++ = '\0';
		hash = strchr(line, '#');
		if (hash)
			*hash++ = '\0';
		if (hash)
			import_comment_ahead(import, hash + (*hash == ' '));
		if (line[strspn(line, blanks)] == '\0')
			continue;
		import_comments_to(import, path, number);
		take_line(import, view, &here, line, style);
	}
	import_comments_to(import, path, number);
}

void hosts_read(struct import *import, const char *path)
{
	struct origin at = import_place(import, path, 0, NULL);
	struct forward_view *view = forward_main_view(import, &at);

	if (!import_is_for_server(import))
		forward_listen(import, &at, "127.0.0.1", 0);
	hosts_read_into(import, view, &at, path, &(struct hosts_style){.ttl_s = USUAL_TTL_S});
}
