/* Checks that every listener has its own host, and that every source of the VNet resolver belongs
 * to one network. */
#include "rules/check/internal.h"

struct listeners {
	struct seen hosts;     /* "127.0.0.1:53" -> struct origin */
	struct seen ports;     /* "4:53" -> the first listener with that family and port */
	struct seen wildcards; /* "4:53" -> the listener on all addresses */
};

static void collides(struct check *check, const struct host *host, const struct origin *origin,
		     const char *field, const struct origin *before)
{
	char text[HOST_TEXT_MAX];

	ERROR(check, origin, field,
	      "%s is taken by the listener at %s; use another address or port",
	      host_print(host, text), check_place(check, before));
}

/* A listener on all addresses takes the port from every other listener of its family. */
static void check_listen(struct check *check, struct listeners *listeners, const struct host *host,
			 const struct origin *origin, const char *field)
{
	const struct origin *before;
	char text[HOST_TEXT_MAX], port[16];

	if (!host->address.family)
		return;
	snprintf(port, sizeof port, "%u:%u", host->address.family, host->port);
	if (address_is_multicast(&host->address) || address_is_broadcast(&host->address))
		ERROR(check, origin, field,
		      "%s cannot be listened at; give an address of this machine",
		      host_print(host, text));
	before = seen_put(check, &listeners->hosts, host_print(host, text), origin);
	if (!before)
		before = seen_get(&listeners->wildcards, port);
	if (!before && address_is_unspecified(&host->address))
		before = seen_get(&listeners->ports, port);
	if (before)
		collides(check, host, origin, field, before);
	seen_put(check, &listeners->ports, port, origin);
	if (address_is_unspecified(&host->address))
		seen_put(check, &listeners->wildcards, port, origin);
}

/* Refuses equal prefixes of different networks, because a source would belong to both. */
static void check_clients(struct check *check, const struct virtual_network *network,
			  const struct prefix *prefixes, size_t count, const char *key,
			  struct seen *clients)
{
	const struct virtual_network *before;
	char text[PREFIX_TEXT_MAX], field[64];

	for (size_t i = 0; i < count; i++) {
		if (!prefixes[i].address.family)
			continue;
		before = seen_put(check, clients, prefix_print(&prefixes[i], text), network);
		if (!before || before == network)
			continue;
		snprintf(field, sizeof field, "%s[%zu]", key, i);
		ERROR(check, &network->origin, field,
		      "%s is a prefix of virtual network \"%s\" too, and the VNet resolver could "
		      "not tell their machines apart; remove it from one of them",
		      text, before->name ? full_name(&before->named) : "?");
	}
}

void limits_check_listens(struct check *check)
{
	const struct model *model = check->model;
	const struct vnet_resolver *vnet = &model->vnet_resolver;
	struct listeners listeners = {0};
	struct seen clients = {0};
	char field[32];

	if (IS_EMPTY(vnet->listen))
		ERROR(check, &vnet->origin, "listen", "is empty; give at least one address");
	for (size_t i = 0; i < vnet->listen.count; i++) {
		snprintf(field, sizeof field, "listen[%zu]", i);
		check_listen(check, &listeners, &vnet->listen.items[i], &vnet->origin, field);
	}
	for (size_t i = 0; i < model->resolvers.count; i++)
		for (size_t k = 0; k < model->resolvers.items[i].inbound_endpoints.count; k++) {
			const struct inbound_endpoint *endpoint =
				&model->resolvers.items[i].inbound_endpoints.items[k];
			check_listen(check, &listeners, &endpoint->listen, &endpoint->origin,
				     "listen");
		}
	if (!vnet->given)
		return;
	for (size_t i = 0; i < model->virtual_networks.count; i++) {
		const struct virtual_network *network = &model->virtual_networks.items[i];
		check_clients(check, network, network->address_space.items,
			      network->address_space.count, "address_space", &clients);
		check_clients(check, network, network->client_prefixes.items,
			      network->client_prefixes.count, "client_prefixes", &clients);
	}
}
