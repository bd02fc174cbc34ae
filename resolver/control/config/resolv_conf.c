/* Reads resolv.conf(5) as the C library does: a line counts if it begins with "nameserver" and
 * white space, and the next word is the address. A scope (fe80::1%eth0) is cut off, because
 * a target has none; link-local addresses, which need one, are ignored.
 *
 * The resolv.conf of a machine that runs a resolver often names that resolver. Forwarding to itself
 * would loop, so sluice's own addresses are left out. resolv.conf has no ports: the port is
 * always 53. */
#include "resolver/control/config/resolv_conf.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "endpoints/socket.h"
#include "resolver/control/base/regular_file.h"

enum { RESOLV_LINES_MAX = 10000 };

bool resolv_conf_wanted(const struct model *model)
{
	return model->virtual_networks.count > 0 && model->default_resolver.targets.count == 0;
}

static bool is_link_local(const struct address *address) /* RFC 4291 section 2.5.6 */
{
	return address->family == 6 && address->bytes[0] == 0xfe &&
	       (address->bytes[1] & 0xc0) == 0x80;
}

/* The address on a nameserver line, ended with NUL; NULL: the line is of another kind. */
static char *nameserver_word(char *line)
{
	static const char keyword[] = "nameserver";
	size_t length = sizeof keyword - 1;

	if (strncmp(line, keyword, length) != 0 || !isspace((unsigned char)line[length]))
		return NULL;
	char *word = line + length + strspn(line + length, " \t");
	word[strcspn(word, " \t\r\n")] = '\0';
	return word;
}

/* The kernel sends to this machine if the destination is the unspecified address, and the C library
 * relies on that. */
static void read_unspecified(struct address *address, const struct origin *origin,
			     struct faults *faults)
{
	char before[ADDRESS_TEXT_MAX], now[ADDRESS_TEXT_MAX];

	if (!address_is_unspecified(address))
		return;
	address_print(address, before);
	int err = address_parse(address, address->family == 4 ? "127.0.0.1" : "::1");
	assert(err == 0);
	(void)err;
	fault_add(faults, FAULT_WARNING, origin, NULL, "%s means this machine; %s is used", before,
		  address_print(address, now));
}

static bool is_listed(const struct resolv_conf *conf, const struct address *address)
{
	for (unsigned i = 0; i < conf->count; i++)
		if (address_equal(&conf->servers[i].address, address))
			return true;
	return false;
}

/* The reason to ignore a server; NULL: use it. The operator may not have written this file, so a
 * multicast or broadcast address, or a repeated one, is only ignored here, although it is a fault
 * in default_resolver.targets (check_targets). */
static const char *why_not(const struct resolv_conf *conf, const struct address *address)
{
	if (is_link_local(address))
		return "is a link-local address and is ignored; name a server by a global or "
		       "private address";
	if (address_is_multicast(address))
		return "is a multicast address and is ignored; name one server";
	if (address_is_broadcast(address))
		return "is the broadcast address and is ignored; name one server";
	if (is_listed(conf, address))
		return "is there twice; this one is ignored";
	return NULL;
}

static void add_server(struct resolv_conf *conf, const char *word, const struct origin *origin,
		       struct faults *faults)
{
	char text[ADDRESS_TEXT_MAX];
	struct address address;
	size_t length = strcspn(word, "%");

	snprintf(text, sizeof text, "%.*s", (int)length, word);
	if (length >= sizeof text || address_parse(&address, text) != 0) {
		fault_add(faults, FAULT_WARNING, origin, NULL,
			  "\"%s\" is not an address and is ignored", word);
		return;
	}
	read_unspecified(&address, origin, faults);
	const char *why = why_not(conf, &address);
	if (why)
		fault_add(faults, FAULT_WARNING, origin, NULL, "%s %s", word, why);
	else if (conf->count == RESOLV_CONF_SERVERS_MAX)
		fault_add(faults, FAULT_WARNING, origin, NULL,
			  "%s is ignored; only the first %d servers are used", word,
			  RESOLV_CONF_SERVERS_MAX);
	else
		conf->servers[conf->count++] =
			(struct resolv_server){.address = address, .line = origin->line};
}

int resolv_conf_read(struct resolv_conf *conf, const char *path, struct faults *faults)
{
	struct origin origin = {.file = path};

	memset(conf, 0, sizeof *conf);
	const char *why;
	FILE *in = regular_file_open(path, &why);
	if (!in) {
		fault_add(faults, FAULT_ERROR, &origin, NULL,
			  "cannot be read (%s), and there is no other default resolver; set "
			  "default_resolver.targets",
			  why);
		return ERR_SYSTEM;
	}
	char line[1024]; /* the rest of a longer line is skipped */
	while (origin.line < RESOLV_LINES_MAX && fgets(line, sizeof line, in)) {
		bool whole = strchr(line, '\n') != NULL;
		origin.line++;
		const char *word = nameserver_word(line);
		if (word)
			add_server(conf, word, &origin, faults);
		for (int c = 0; !whole && c != '\n' && c != EOF;)
			c = fgetc(in);
	}
	int err = ferror(in) ? ERR_SYSTEM : 0;
	if (err != 0)
		fault_add(faults, FAULT_ERROR, &origin, NULL, "cannot be read (%s)",
			  strerror(errno));
	fclose(in);
	return err;
}

/* ---- sluice's own addresses ---- */

/* Does this machine have the address? */
static bool is_local(const struct address *address)
{
	struct ifaddrs *list;
	bool found = address_is_loopback(address);

	if (found || getifaddrs(&list) != 0)
		return found;
	for (struct ifaddrs *at = list; at && !found; at = at->ifa_next) {
		struct sockaddr_storage storage = {0};
		struct host host;
		int family = at->ifa_addr ? at->ifa_addr->sa_family : 0;
		if (family != AF_INET && family != AF_INET6)
			continue;
		memcpy(&storage, at->ifa_addr,
		       family == AF_INET ? sizeof(struct sockaddr_in)
					 : sizeof(struct sockaddr_in6));
		socket_host(&storage, &host);
		found = address_equal(&host.address, address);
	}
	freeifaddrs(list);
	return found;
}

static bool covers(const struct host *listen, const struct address *address)
{
	if (listen->address.family != address->family || listen->port != DNS_PORT)
		return false;
	return address_equal(&listen->address, address) ||
	       (address_is_unspecified(&listen->address) && is_local(address));
}

struct looked_for {
	const struct address *address;
	bool found;
};

static void on_self(void *context, const struct model_self *self)
{
	struct looked_for *looked_for = context;

	looked_for->found = looked_for->found || covers(&self->host, looked_for->address);
}

static bool is_us(const struct model *model, const struct address *address)
{
	struct looked_for looked_for = {.address = address};

	for (size_t i = 0; i < model->vnet_resolver.listen.count; i++)
		if (covers(&model->vnet_resolver.listen.items[i], address))
			return true;
	model_each_self(model, on_self, &looked_for);
	return looked_for.found;
}

/* Reuses the memory of the first call: a model may be served for years, and its arena frees
 * nothing. */
static int set_targets(struct model *model, struct target_server *targets, size_t count,
		       struct faults *faults)
{
	struct default_resolver *resolver = &model->default_resolver;
	const char *file;

	if (resolver->targets.count > 0) {
		file = resolver->targets.items[0].origin.file;
	} else {
		struct target_server *items =
			arena_alloc_array(&model->arena, RESOLV_CONF_SERVERS_MAX, sizeof *items);
		file = arena_strdup(&model->arena, targets[0].origin.file);
		if (!file || !items) {
			fault_add(faults, FAULT_ERROR, &targets[0].origin, NULL, "%s",
				  err_text(ERR_NOMEM));
			return ERR_NOMEM;
		}
		resolver->targets.items = items;
	}
	for (size_t i = 0; i < count; i++) {
		targets[i].origin.file = file;
		resolver->targets.items[i] = targets[i];
	}
	resolver->targets.count = count;
	return 0;
}

int resolv_conf_apply(const struct resolv_conf *conf, const char *path, struct model *model,
		      struct faults *faults)
{
	struct origin origin = {.file = path};
	struct target_server targets[RESOLV_CONF_SERVERS_MAX];
	size_t count = 0;

	for (unsigned i = 0; i < conf->count; i++) {
		char text[ADDRESS_TEXT_MAX];
		if (!is_us(model, &conf->servers[i].address)) {
			targets[count++] = (struct target_server){
				.origin = {.file = path,
					   .line = conf->servers[i].line,
					   .path = "nameserver"},
				.address = conf->servers[i].address,
				.port = DNS_PORT,
				.protocol = PROTOCOL_UDP,
			};
			continue;
		}
		origin.line = conf->servers[i].line;
		fault_add(faults, FAULT_WARNING, &origin, NULL,
			  "%s is this resolver itself and is ignored",
			  address_print(&conf->servers[i].address, text));
	}
	if (count == 0) {
		origin.line = 0;
		fault_add(faults, FAULT_ERROR, &origin, NULL,
			  "names no server that can be used; set default_resolver.targets");
		return ERR_FAULTS;
	}
	return set_targets(model, targets, count, faults);
}

bool resolv_conf_equal(const struct resolv_conf *a, const struct resolv_conf *b)
{
	if (a->count != b->count)
		return false;
	for (unsigned i = 0; i < a->count; i++)
		if (!address_equal(&a->servers[i].address, &b->servers[i].address))
			return false;
	return true;
}
