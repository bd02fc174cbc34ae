/* Servers that questions are sent to: what can be asked at all, and by rules what Azure allows. */
#include "rules/check/internal.h"
#include "rules/policy/ruleset.h"

static bool is_vnet_resolver(const struct model *model, const struct host *host)
{
	for (size_t i = 0; i < model->vnet_resolver.listen.count; i++) {
		const struct host *listen = &model->vnet_resolver.listen.items[i];
		if (host_equal(listen, host))
			return true;
	}
	return false;
}

void check_server(struct check *check, const struct host *host, const struct origin *origin,
		  const char *field)
{
	const struct address *address = &host->address;
	char text[ADDRESS_TEXT_MAX];

	address_print(address, text);
	if (address_is_unspecified(address))
		ERROR(check, origin, field, "%s is no server's address; give the server's own",
		      text);
	else if (address_is_multicast(address) || address_is_broadcast(address))
		ERROR(check, origin, field, "%s is a %s address; give the address of one server",
		      text, address_is_multicast(address) ? "multicast" : "broadcast");
	else if (is_vnet_resolver(check->model, host))
		ERROR(check, origin, field,
		      "%s is vnet_resolver.listen, our own VNet resolver; give another server",
		      text);
}

void check_targets(struct check *check, const struct target_server *targets, size_t count,
		   const struct origin *owner, const char *field)
{
	struct seen servers = {0};
	char text[HOST_TEXT_MAX];

	if (!targets)
		return;
	if (count == 0)
		ERROR(check, owner, field, "there are none; give at least one target");
	for (size_t i = 0; i < count; i++) {
		const struct target_server *target = &targets[i];
		struct host host = {target->address, (uint16_t)target->port};
		if (!host.address.family)
			continue;
		if (target->port < 1 || target->port > 65535)
			ERROR(check, &target->origin, "port", "%u is not a port; use 1 to 65535",
			      target->port);
		check_server(check, &host, &target->origin, "address");
		if (seen_put(check, &servers, host_print(&host, text), target))
			ERROR(check, &target->origin, "address",
			      "%s is there twice; keep one of them", text);
	}
}
