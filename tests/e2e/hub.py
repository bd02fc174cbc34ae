"""The network that many tests are about, as parts of a configuration: "hub" with an inbound endpoint
and perhaps an outbound one, a private zone, and a rule."""


def hub(listen="10.10.0.4:53", source=None):
    """The network and its resolver. The inbound endpoint's address is 10.10.0.4, and it is bound to
    `listen`. Without a source there is no outbound endpoint."""
    outbound = source and """
    outbound_endpoints = ( { name = "outbound"; subnet = "dns-out"; source = "%s"; } );""" % source
    return """
virtual_networks = (
  { name = "hub"; address_space = [ "10.10.0.0/16" ];
    subnets = ( { name = "dns-in";  prefix = "10.10.0.0/28";  delegation = "Microsoft.Network/dnsResolvers"; },
                { name = "dns-out"; prefix = "10.10.0.16/28"; delegation = "Microsoft.Network/dnsResolvers"; } ); } );
resolvers = (
  { name = "hub-resolver"; virtual_network = "hub";
    inbound_endpoints = ( { name = "inbound"; subnet = "dns-in"; allocation = "static"; address = "10.10.0.4";
                            listen = "%s"; } );%s } );
""" % (listen, outbound or "")


def zone_and_rule(target):
    """corp.internal from corp.internal.zone, and contoso.corp from the target, both for the hub."""
    return """
private_zones = (
  { name = "corp.internal"; file = "corp.internal.zone"; links = ( { name = "hub"; virtual_network = "hub"; } ); } );
rulesets = (
  { name = "onprem"; outbound_endpoints = [ "hub-resolver/outbound" ];
    links = ( { name = "hub"; virtual_network = "hub"; } );
    rules = ( { name = "contoso"; domain = "contoso.corp."; targets = ( { %s } ); } ); } );
""" % target
