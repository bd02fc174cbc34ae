"""Azure Resource Manager's API: public IP addresses and whose their reverse names may be, asked by
HTTP, with an upstream that says what the name tells it to."""

import json

import harness
import test_reverse

S = test_reverse.SUBSCRIPTION
OTHER = "22222222-2222-3333-4444-555555555555"
GROUPS = "/subscriptions/%s/resourceGroups" % S
NETWORK = "/providers/Microsoft.Network/publicIPAddresses"
SUFFIX = "westeurope.cloudapp.azure.com"
TRAILER = """
addresses = (
  { name = "filed"; resource_group = "office"; address = "198.51.100.10"; allocation = "static";
    domain_name_label = "contosoapp1"; reverse_fqdn = "app1.contoso.com."; },
  { name = "open"; resource_group = "office"; address = "198.51.100.11"; allocation = "static";
    domain_name_label = "contosoopen"; },
  { name = "moving"; address = "198.51.100.12"; domain_name_label = "moving"; } );
cloud_services = ( { name = "filedsvc"; address = "198.51.100.20"; } );
private_zones = ( { name = "claim.test"; file = "claim.zone";
                    links = ( { name = "l"; virtual_network = "hub"; } ); } );
reverse = { %s };
"""
ELSEWHERE, STATIC, DYNAMIC, SERVICE = ("192.0.2.99", "198.51.100.11", "198.51.100.12",
                                       "198.51.100.20")
NOT_OURS = ("ReverseFqdn %s that PublicIPAddress %s is trying to use does not belong to subscription "
            "%s. One of the following conditions need to be met to establish ownership: 1) ReverseFqdn "
            "matches fqdn of any public ip resource under the subscription; 2) ReverseFqdn resolves to "
            "the fqdn (through CName records chain) of any public ip resource under the subscription; "
            "3) It resolves to the ip address (through CName and A records chain) of a static public ip "
            "resource under the subscription.")


def path(name="web", group="rg", subscription=S, query="?api-version=2022-07-01"):
    return "/subscriptions/%s/resourceGroups/%s%s%s%s" % (
        subscription, group, NETWORK, "/" + name if name else "", query)


def body(dns_settings=None, method="Static", **more):
    properties = {"publicIPAllocationMethod": method, "publicIPAddressVersion": "IPv4",
                  "idleTimeoutInMinutes": 4}
    if dns_settings is not None:
        properties["dnsSettings"] = dns_settings
    properties.update(more)
    return {"location": "westeurope", "properties": properties}


def named(reverse, label="web"):
    return body({"domainNameLabel": label, "reverseFqdn": reverse})


class Arm(test_reverse.Reverse):
    points_to = ELSEWHERE  # where every A record outside leads
    settings = ""

    def build(self, world):
        world.write("claim.zone", "www 60 IN A 198.51.100.11\n")
        super().build(world)

    def start(self):
        self.upstream.stop()
        self.upstream = harness.Upstream(self.host, "127.0.0.3", self.points_to)
        head = test_reverse.CONFIG.split("addresses = (")[0] % (S, self.state)
        self.sluice = harness.Sluice(self.host, head + TRAILER % self.settings, (test_reverse.HERE, 53))
        if self.state:
            self.call("PUT", GROUPS + "/rg?api-version=2021-04-01", {"location": "westeurope"})

    def bad(self, answer, status, code, text="", target=None):
        self.assertEqual(status, answer.status, answer)
        self.assertEqual(["error"], list(answer.body), answer)
        error = answer.body["error"]
        self.assertEqual({"code", "message", "target", "details"}, set(error), answer)
        self.assertEqual((code, []), (error["code"], error["details"]), answer)
        self.assertIn(text, error["message"])
        if target:
            self.assertEqual(target, error["target"])

    def reverse_of(self, name="web", group="rg"):
        shown = self.good("GET", path(name, group)).body["properties"]
        return shown.get("dnsSettings", {}).get("reverseFqdn")

    def owned(self, fqdn):
        answer = self.call("PUT", path(), named(fqdn))
        self.assertIn(answer.status, (200, 201), answer)
        self.assertEqual(fqdn.rstrip(".") + ".", self.reverse_of())
        self.ptr_is(answer.body["properties"]["ipAddress"], fqdn.rstrip(".").lower() + ".")

    def foreign(self, fqdn):
        before = self.call("GET", path())
        answer = self.call("PUT", path(), named(fqdn))
        self.bad(answer, 400, "ReverseFqdnDoesNotBelongToSubscription")
        self.assertEqual(NOT_OURS % (fqdn, "web", S), answer.body["error"]["message"])
        self.assertEqual(before.text, self.call("GET", path()).text)


class Ownership(Arm):
    def test_the_forward_name_of_an_address_or_service_is_owned_and_not_asked(self):
        for fqdn in ("contosoopen." + SUFFIX, "ContosoApp1.%s." % SUFFIX, "filedsvc.cloudapp.net.",
                     "moving." + SUFFIX):
            self.owned(fqdn)
        self.assertEqual({"ready.test."}, {each["name"] for each in self.upstream.questions()})

    def test_the_name_that_comes_with_it_is_owned_and_one_that_goes_is_not(self):
        self.owned("web." + SUFFIX)
        self.good("PUT", path(), named("other." + SUFFIX, "other"))
        self.bad(self.call("PUT", path(), named("other." + SUFFIX + "x", "third")), 400,
                 "ReverseFqdnDoesNotBelongToSubscription")
        self.good("PUT", path(), body({"domainNameLabel": "other"}))
        gone = {"domainNameLabel": "third", "reverseFqdn": "other." + SUFFIX}
        self.bad(self.call("PUT", path(), body(gone, "Dynamic")), 400,
                 "ReverseFqdnDoesNotBelongToSubscription")

    def test_cnames_that_lead_to_a_forward_name_are_owned_be_its_address_dynamic(self):
        self.owned("alias--contosoopen-%s.example." % SUFFIX.replace(".", "-"))
        self.owned("alias--moving-%s.example" % SUFFIX.replace(".", "-"))
        self.owned("alias--filedsvc-cloudapp-net.example")

    def test_a_name_that_leads_elsewhere_or_nowhere_is_not(self):
        for fqdn in ("www.example.com", "www.example.com.", "nx.example.", "empty.example.",
                     "alias--www-example-com.example."):
            self.foreign(fqdn)
        self.owned("web." + SUFFIX)
        self.foreign("www.example.com.")

    def test_what_cannot_be_resolved_is_refused_and_says_so(self):
        for fqdn in ("servfail.example.", "refused.example.", "silent.example."):
            answer = self.call("PUT", path(), named(fqdn))
            self.bad(answer, 400, "ReverseFqdnCouldNotBeResolved", "could not be resolved",
                     "properties.dnsSettings.reverseFqdn")
            self.assertIn(fqdn, answer.body["error"]["message"])
        self.bad(self.call("GET", path()), 404, "ResourceNotFound")

    def test_a_networks_zones_prove_nothing(self):
        self.foreign("www.claim.test.")

    def test_it_is_checked_when_it_is_set_and_not_again(self):
        key = self.key_of("open")
        self.good("PATCH", test_reverse.fip(key), {"ptrdname": "www.example.com."}, 202)
        shown = self.good("GET", path("open", "office")).body
        self.assertEqual("www.example.com.", shown["properties"]["dnsSettings"]["reverseFqdn"])
        self.good("PUT", path("open", "office"), shown)
        shown["properties"]["dnsSettings"]["reverseFqdn"] = "WWW.Example.com"
        self.good("PUT", path("open", "office"), shown)
        shown["properties"]["dnsSettings"]["reverseFqdn"] = "ftp.example.com."
        self.bad(self.call("PUT", path("open", "office"), shown), 400,
                 "ReverseFqdnDoesNotBelongToSubscription")

    def test_ipv6_has_none(self):
        six = body({"domainNameLabel": "web", "reverseFqdn": "web." + SUFFIX},
                   publicIPAddressVersion="IPv6")
        self.bad(self.call("PUT", path(), six), 400, "ReverseFqdnNotSupportedForIPv6")


class StaticAddress(Arm):
    points_to = STATIC

    def test_a_name_with_a_static_address_of_ours_is_owned(self):
        self.owned("www.example.com")
        self.owned("alias--www-example-com.example.")


class ServiceAddress(Arm):
    points_to = SERVICE

    def test_a_name_with_a_services_address_is_owned(self):
        self.owned("www.example.com")


class DynamicAddress(Arm):
    points_to = DYNAMIC

    def test_a_name_with_a_dynamic_address_is_not(self):
        self.foreign("www.example.com.")

    def test_but_it_is_once_the_address_is_static(self):
        self.good("PUT", path(), body({"domainNameLabel": "web"}), 201)
        address = self.good("GET", path()).body["properties"]["ipAddress"]
        self.upstream.stop()
        self.upstream = harness.Upstream(self.host, "127.0.0.3", address)
        self.good("PUT", path(), body({"domainNameLabel": "web"}, "Dynamic"))
        self.bad(self.call("PUT", path(), body({"domainNameLabel": "web",
                                                "reverseFqdn": "www.example.com."}, "Dynamic")),
                 400, "ReverseFqdnDoesNotBelongToSubscription")
        self.owned("www.example.com.")


class ResolvedIn(Arm):
    settings = 'resolve_in = "hub"; ipv6 = true;'

    def test_the_network_that_is_named_counts(self):
        self.owned("www.claim.test.")
        self.foreign("www.example.com.")

    def test_ipv6_has_a_name_where_that_is_allowed(self):
        six = body({"domainNameLabel": "web", "reverseFqdn": "web." + SUFFIX},
                   publicIPAddressVersion="IPv6")
        made = self.good("PUT", path(), six, 201).body["properties"]
        self.assertIn("2001:db8:5:", made["ipAddress"])
        self.ptr_is(made["ipAddress"], "web.%s." % SUFFIX)


class PublicIps(Arm):
    def test_one_is_made_shown_updated_and_deleted(self):
        made = self.good("PUT", path(), dict(named("web." + SUFFIX), tags={"team": "a"}), 201)
        shown = self.good("GET", path())
        self.assertEqual(made.body, shown.body)
        self.assertEqual(shown.etag, shown.body["etag"])
        properties = shown.body["properties"]
        self.assertEqual(
            ("web", "westeurope", "Microsoft.Network/publicIPAddresses", {"team": "a"},
             path(query="")),
            tuple(shown.body[key] for key in ("name", "location", "type", "tags", "id")))
        self.assertEqual(("Succeeded", "IPv4", "Static", 4), tuple(properties[key] for key in (
            "provisioningState", "publicIPAddressVersion", "publicIPAllocationMethod",
            "idleTimeoutInMinutes")))
        self.assertEqual({"domainNameLabel": "web", "fqdn": "web." + SUFFIX,
                          "reverseFqdn": "web.%s." % SUFFIX}, properties["dnsSettings"])
        address = properties["ipAddress"]
        self.ptr_is(address, "web.%s." % SUFFIX)

        self.assertEqual(shown.body, self.good("PUT", path(), shown.body).body)  # as it was
        shown.body["properties"]["dnsSettings"]["reverseFqdn"] = ""
        del shown.body["tags"]
        updated = self.good("PUT", path(), shown.body).body
        self.assertEqual({"domainNameLabel": "web", "fqdn": "web." + SUFFIX},
                         updated["properties"]["dnsSettings"])
        self.assertEqual({}, updated["tags"])
        self.ptr_is(address)

        self.good("PUT", path(), named("web." + SUFFIX))
        self.ptr_is(address, "web.%s." % SUFFIX)
        bare = self.good("PUT", path(), body()).body["properties"]
        self.assertNotIn("dnsSettings", bare)
        self.assertEqual(address, bare["ipAddress"])
        self.ptr_is(address)
        self.good("DELETE", path())
        self.good("DELETE", path(), status=204)
        self.bad(self.call("GET", path()), 404, "ResourceNotFound", "'rg'")

    def test_it_outlives_a_restart(self):
        made = self.good("PUT", path(), named("web." + SUFFIX), 201)
        self.restart()
        self.assertEqual(made.body, self.good("GET", path()).body)

    def test_paths_are_matched_without_regard_to_case(self):
        self.good("PUT", path(), body(), 201)
        for each in (path("WEB", "RG"), path().lower().replace("2022", "1999"),
                     path().replace("/providers", "//providers")):
            self.good("GET", each)

    def test_lists(self):
        self.good("PUT", path(), body(), 201)
        every = self.good("GET", "/subscriptions/%s%s?api-version=x" % (S, NETWORK)).body["value"]
        self.assertEqual({"filed", "open", "moving", "web"}, {each["name"] for each in every})
        group = self.good("GET", path("", "OFFICE")).body["value"]
        self.assertEqual({"filed", "open"}, {each["name"] for each in group})
        self.bad(self.call("GET", path("", "none")), 404, "ResourceGroupNotFound")
        self.assertEqual(["moving"], [each["name"] for each in
                                      self.good("GET", path("", "-")).body["value"]])

    def test_tags_are_patched(self):
        self.good("PUT", path(), dict(named("web." + SUFFIX), tags={"a": "1"}), 201)
        answer = self.good("PATCH", path(), {"tags": {"b": "2"}})
        self.assertEqual({"b": "2"}, answer.body["tags"])
        self.assertEqual("web.%s." % SUFFIX, self.reverse_of())
        self.assertEqual({}, self.good("PATCH", path(), {"tags": {}}).body["tags"])
        for wrong in ({"tags": 5}, {"tags": {"a": 1}}, []):
            self.bad(self.call("PATCH", path(), wrong), 400, "InvalidRequestContent")
        self.bad(self.call("PATCH", path(), {"location": "x"}), 409, "InvalidResourceLocation")
        self.bad(self.call("PATCH", path("no"), {"tags": {}}), 404, "ResourceNotFound")

    def test_preconditions(self):
        self.bad(self.call("PUT", path(), body(), headers={"If-Match": "*"}), 412,
                 "PreconditionFailed")
        etag = self.good("PUT", path(), body(), 201, headers={"If-None-Match": "*"}).etag
        self.bad(self.call("PUT", path(), body(), headers={"If-None-Match": "*"}), 412,
                 "PreconditionFailed")
        changed = self.good("PATCH", path(), {"tags": {"a": "b"}}, headers={"If-Match": etag})
        for method, what in (("PUT", body()), ("PATCH", {"tags": {}}), ("DELETE", None)):
            self.bad(self.call(method, path(), what, headers={"If-Match": etag}), 412,
                     "PreconditionFailed")
        self.assertEqual(304, self.call("GET", path(),
                                        headers={"If-None-Match": changed.etag}).status)
        self.good("DELETE", path(), headers={"If-Match": changed.etag})

    def test_a_label_is_needed_and_taken_once(self):
        for settings in ({}, {"reverseFqdn": "contosoopen." + SUFFIX}, {"domainNameLabel": ""},
                         {"domainNameLabel": None, "reverseFqdn": ""}):
            self.bad(self.call("PUT", path(), body(settings)), 400, "DomainNameLabelMissing",
                     "The domain name label in the dnsSettings section of the public IP address web "
                     "is null or empty. If a dnsSettings section exists, its domain name label must "
                     "not be null or empty.")
        answer = self.call("PUT", path(), body({"domainNameLabel": "contosoapp1"}))
        self.bad(answer, 400, "DnsRecordInUse", "DNS record contosoapp1.%s is already used by another "
                 "public IP." % SUFFIX)
        self.assertRegex(answer.body["error"]["message"], r'"filed".*sluice\.conf:\d+')
        for label in ("1a", "a" * 64, "a_b", "-a"):
            self.bad(self.call("PUT", path(), body({"domainNameLabel": label})), 400,
                     "InvalidRequestContent", target="properties.dnsSettings.domainNameLabel")

    def test_a_ptr_without_a_label_may_be_kept_and_taken_away(self):
        self.good("PUT", path(), body(), 201)
        self.good("PATCH", test_reverse.fip(self.key_of("web", "rg")), {"ptrdname": "a.example."}, 202)
        shown = self.good("GET", path()).body
        self.assertEqual({"reverseFqdn": "a.example."}, shown["properties"]["dnsSettings"])
        self.good("PUT", path(), shown)
        self.assertEqual("a.example.", self.reverse_of())
        shown["properties"]["dnsSettings"]["reverseFqdn"] = ""
        self.good("PUT", path(), shown)
        self.assertIsNone(self.reverse_of())

    def test_bodies_that_do_not_fit(self):
        def wrong(what, target, code="InvalidRequestContent", status=400):
            self.bad(self.call("PUT", path(), what), status, code, target=target)
        wrong([], None)
        wrong({}, "location", "LocationRequired")
        wrong({"location": 5}, "location")
        wrong({"location": "westeurope", "properties": 5}, "properties")
        wrong({"location": "westeurope", "tags": []}, "tags")
        wrong({"location": "westeurope", "tags": {"a": 1}}, "tags")
        wrong(body(method="Often"), "properties.publicIPAllocationMethod")
        wrong(body(publicIPAddressVersion="IPv5"), "properties.publicIPAddressVersion")
        wrong(body(idleTimeoutInMinutes=3), "properties.idleTimeoutInMinutes")
        wrong(body(idleTimeoutInMinutes=31), "properties.idleTimeoutInMinutes")
        wrong(body(5), None)
        wrong(named(5), "properties.dnsSettings.reverseFqdn")
        for fqdn in ("*.example.", ".", "a" * 64 + ".example.", "a..b"):
            wrong(named(fqdn), "properties.dnsSettings.reverseFqdn")
        self.bad(self.call("PUT", path(), "{"), 400, "InvalidRequestContent", "line 1")
        self.bad(self.call("PUT", path(), b" " * (4 * 1024 * 1024 + 1)), 413, "RequestEntityTooLarge")
        self.bad(self.call("GET", path()), 404, "ResourceNotFound")
        self.good("PUT", path(), body(idleTimeoutInMinutes=30), 201)
        self.good("PUT", path("four"), {"location": "West Europe"}, 201)
        wrong(dict(body(), location="eastus"), "location", "InvalidResourceLocation", 409)
        wrong(body(publicIPAddressVersion="IPv6"), "properties.publicIPAddressVersion",
              "PropertyChangeNotAllowed", 409)

    def test_what_the_file_says_is_not_changed_but_an_open_ptr_is(self):
        filed, opened = path("filed", "office"), path("open", "office")
        shown = self.good("GET", filed).body
        self.good("PUT", filed, shown)
        for method, what in (("PUT", body()), ("PATCH", {"tags": {"a": "b"}}), ("DELETE", None)):
            self.bad(self.call(method, filed, what), 409, "ResourceReadOnly", "sluice.conf:")
        shown = self.good("GET", opened).body
        shown["properties"]["dnsSettings"]["reverseFqdn"] = "contosoopen." + SUFFIX
        self.good("PUT", opened, shown)
        self.ptr_is("198.51.100.11", "contosoopen.%s." % SUFFIX)

    def test_who_may(self):
        self.bad(self.call("GET", path("filed", "office"), tcp=True), 401, "AuthenticationFailed")
        self.bad(self.call("GET", path("filed", "office"), tcp=True,
                           headers={"Authorization": "Bearer wrong-secret-0123456789"}), 401,
                 "AuthenticationFailed")
        self.good("GET", path("filed", "office"), token=test_reverse.EYE)
        self.bad(self.call("PUT", path(), body(), token=test_reverse.EYE), 403,
                 "AuthorizationFailed")
        self.good("PUT", path(), body(), 201, tcp=True,
                  headers={"Authorization": "Bearer " + test_reverse.OPS})


class Groups(Arm):
    def test_subscriptions(self):
        listed = self.good("GET", "/subscriptions?api-version=2016-06-01").body["value"]
        self.assertEqual([("/subscriptions/" + S, S, "Enabled")], [
            (each["id"], each["subscriptionId"], each["state"]) for each in listed])
        self.assertEqual(listed[0], self.good(
            "GET", "/subscriptions/%s?api-version=1" % S).body)
        for each in (path(subscription=OTHER), "/subscriptions/%s?api-version=1" % OTHER,
                     "/subscriptions/%s/resourceGroups?api-version=1" % OTHER):
            self.bad(self.call("GET", each), 404, "SubscriptionNotFound", OTHER)

    def test_an_address_of_the_subscription_before_stays_as_it_is(self):
        self.good("PUT", path(), {**body({"domainNameLabel": "web"}), "tags": {"a": "b"}}, 201)
        before = self.good("GET", "/v1/addresses/rg/web").body
        head = test_reverse.CONFIG.split("addresses = (")[0] % (OTHER, self.state)
        self.sluice.reconfigure(head + TRAILER % self.settings)
        self.assertEqual(0, self.command("reload")[0])
        for how in ({}, {"headers": {"If-None-Match": "*"}}):
            self.bad(self.call("PUT", path(subscription=OTHER), body(), **how), 409, "Conflict", "another subscription", "name")
        self.assertEqual(before, self.good("GET", "/v1/addresses/rg/web").body)
        root, version = "/subscriptions/%s/resource" % OTHER, "?api-version=2022-01-01"
        for listed in ("s", "Groups/rg/resources", "Groups/rg/providers/Microsoft.Network/publicIPAddresses"):
            self.assertNotIn("web", json.dumps(self.good("GET", root + listed + version).body))
        exported = self.good("POST", root + "Groups/rg/exportTemplate" + version, {"resources": ["*"]}).body
        self.assertEqual([], exported["template"]["resources"])

    def test_the_version_must_be_said_and_may_be_any(self):
        for each in ("/subscriptions", "/subscriptions/" + S, GROUPS, GROUPS + "/office",
                     path("filed", "office", query=""), path("filed", "office",
                                                             query="?api-version=")):
            self.bad(self.call("GET", each), 400, "MissingApiVersionParameter")
        for method, what in (("PUT", body()), ("PATCH", {"tags": {}}), ("DELETE", None)):
            self.bad(self.call(method, path(query=""), what), 400, "MissingApiVersionParameter")

    def test_groups_are_listed_and_shown(self):
        self.good("PUT", path(), body(), 201)
        version = "?api-version=2021-04-01"
        listed = self.good("GET", GROUPS.lower() + version).body["value"]
        self.assertEqual(["-", "office", "rg"], [each["name"] for each in listed])
        group = self.good("GET", GROUPS.lower() + "/RG" + version).body
        self.assertEqual(("rg", "westeurope", GROUPS + "/rg", {}, {"provisioningState": "Succeeded"}),
                         tuple(group[key] for key in ("name", "location", "id", "tags",
                                                      "properties")))
        self.assertEqual(204, self.status("HEAD", GROUPS + "/rg" + version))
        self.assertEqual(404, self.status("HEAD", GROUPS + "/no" + version))
        self.bad(self.call("GET", GROUPS + "/no" + version), 404, "ResourceGroupNotFound", "'no'")

    def status(self, method, where):
        return self.call(method, where).status

    def group(self, name, query="?api-version=2021-04-01"):
        return GROUPS + "/" + name + query

    def test_a_group_is_deleted_with_other_resources_too(self):
        net = "/v1/virtual_networks/mixed/net"
        self.good("PUT", net, {"address_space": ["10.77.0.0/16"], "region": "northeurope"}, 201)
        self.assertEqual("northeurope", self.good("GET", self.group("mixed")).body["location"])
        self.assertIn("mixed", [each["name"] for each in self.good("GET", self.group("")).body["value"]])
        changes = {"edits": [{"path": "groups/-/mixed", "values": None}]}
        answer = self.call("POST", "/v1/changes", changes)
        self.assertEqual(400, answer.status)
        self.assertIn("has other resources (virtual_networks/mixed/net)", str(answer.body))
        self.good("PUT", path("vm", "mixed"), body(), 201)
        self.good("DELETE", self.group("mixed"), status=200)
        for gone in (self.group("mixed"), path("vm", "mixed"), net):
            self.assertEqual(404, self.status("GET", gone))

    def test_a_group_without_a_row_is_deleted_with_its_etag(self):
        for condition in (None, "*"):
            self.good("PUT", "/v1/virtual_networks/mixed/net", {"address_space": ["10.77.0.0/16"]}, 201)
            self.bad(self.call("DELETE", self.group("mixed"), headers={"If-Match": '"other"'}), 412, "PreconditionFailed")
            etag = self.good("GET", self.group("mixed")).etag
            self.good("DELETE", self.group("mixed"), headers={"If-Match": condition or etag}, status=200)
            self.assertEqual(404, self.status("GET", self.group("mixed")))

    def test_a_group_stays_where_something_elsewhere_needs_what_is_in_it(self):
        self.good("PUT", "/v1/virtual_networks/mixed/net", {"address_space": ["10.77.0.0/16"]}, 201)
        self.good("PUT", "/v1/private_zones/rg/z.test", {}, 201)
        self.good("PUT", "/v1/private_zones/rg/z.test/links/l", {"virtual_network": "mixed/net"}, 201)
        self.bad(self.call("DELETE", self.group("mixed")), 409, "ResourceGroupDeletionBlocked")
        self.good("GET", "/v1/virtual_networks/mixed/net")

    def test_an_empty_group_is_made_changed_and_kept(self):
        new = self.group("new")
        made = self.good("PUT", new, {"location": "West Europe", "tags": {"a": "b"}}, 201)
        self.assertEqual(("new", "westeurope", {"a": "b"}),
                         tuple(made.body[key] for key in ("name", "location", "tags")))
        self.restart()
        shown = self.good("GET", new)
        self.assertEqual((made.body, made.etag), (shown.body, shown.etag))
        self.assertEqual({"c": "d"}, self.good("PATCH", new, {"tags": {"c": "d"}},
                                               headers={"If-Match": made.etag}).body["tags"])
        self.bad(self.call("PATCH", new, {"tags": {}}, headers={"If-Match": made.etag}), 412,
                 "PreconditionFailed")
        self.bad(self.call("PUT", new, {"location": "westeurope"}, headers={"If-None-Match": "*"}),
                 412, "PreconditionFailed")
        self.assertEqual({}, self.good("PUT", new, {"location": "westeurope"}).body["tags"])
        self.bad(self.call("PUT", new, {"location": "eastus"}), 409, "InvalidResourceGroupLocation",
                 "Invalid resource group location 'eastus'. The Resource group already exists in "
                 "location 'westeurope'.", "location")
        self.good("DELETE", new)
        self.bad(self.call("DELETE", new), 404, "ResourceGroupNotFound")

    def test_a_group_stays_when_its_last_address_goes(self):
        self.good("PUT", path(), body(), 201)
        self.good("DELETE", path())
        self.assertEqual("westeurope", self.good("GET", self.group("rg")).body["location"])

    def test_what_the_file_says_of_groups_is_read_only(self):
        office = self.group("office")
        self.assertEqual("office", self.good("PUT", office, {"location": "westeurope"}).body["name"])
        for method, what in (("PUT", {"location": "westeurope", "tags": {"a": "b"}}),
                             ("PATCH", {"tags": {"a": "b"}}), ("DELETE", None)):
            self.bad(self.call(method, office, what), 409, "ResourceReadOnly", "sluice.conf:")
        self.bad(self.call("PUT", self.group("-"), {"location": "westeurope"}), 409,
                 "ResourceReadOnly", "'-'")

    def test_groups_that_do_not_fit(self):
        for name in ("a.", "a%2Fb", "a%20b", "a*"):
            self.bad(self.call("PUT", self.group(name), {"location": "westeurope"}), 400,
                     "InvalidResourceGroup")
            self.bad_v1(self.call("PUT", "/v1/addresses/%s/x" % name, {}), 400, "invalid",
                        "resource_group")
        self.bad(self.call("PUT", self.group("a" * 91), {"location": "westeurope"}), 400,
                 "InvalidRequestContent")
        self.good("PUT", self.group("a" * 90), {"location": "westeurope"}, 201)
        self.good("PUT", self.group("a_(1).-b"), {"location": "westeurope"}, 201)
        for what, target in (([], None), ({}, "location"), ({"location": 5}, "location"),
                             ({"location": "westeurope", "tags": []}, "tags"),
                             ({"location": "westeurope", "tags": {"a": 1}}, "tags")):
            code = "LocationRequired" if what == {} else "InvalidRequestContent"
            self.bad(self.call("PUT", self.group("new"), what), 400, code, target=target)
        for what in ([], {"tags": 5}, {"location": 5}):
            self.bad(self.call("PATCH", self.group("a" * 90), what), 400, "InvalidRequestContent")

    def test_a_group_is_deleted_with_its_addresses_all_or_nothing(self):
        for name in ("one", "two"):
            self.good("PUT", path(name), named("contosoopen." + SUFFIX, name), 201)
        self.good("PUT", path("other", "office"), body(), 201)
        self.bad(self.call("DELETE", GROUPS + "/office?api-version=1"), 409, "ResourceReadOnly",
                 "sluice.conf:")
        self.good("GET", path("other", "office"))
        self.good("DELETE", GROUPS + "/RG?api-version=1")
        self.bad(self.call("GET", path("")), 404, "ResourceGroupNotFound")
        self.good("GET", path("other", "office"))
        self.bad(self.call("DELETE", GROUPS + "/rg?api-version=1"), 404, "ResourceGroupNotFound")

    def test_groups_are_in_the_states_export(self):
        self.good("PUT", self.group("new"), {"location": "eastus", "tags": {"a": "b"}}, 201)
        state = self.good("GET", "/v1/state").body
        self.assertIn({"name": "new", "region": "eastus", "tags": {"a": "b"}}, state["groups"])
        self.good("DELETE", self.group("new"))
        self.good("PUT", "/v1/state", state, 204)
        self.assertEqual({"a": "b"}, self.good("GET", self.group("new")).body["tags"])

    def test_what_clients_ask_on_their_way(self):
        self.assertEqual(["adfs"], [each["tenantId"] for each in
                                    self.good("GET", "/tenants?api-version=1").body["value"]])
        self.assertEqual(["westeurope"], [each["name"] for each in self.good(
            "GET", "/subscriptions/%s/locations?api-version=1" % S).body["value"]])
        for where in ("/subscriptions/%s/providers" % S, "/providers"):
            every = self.good("GET", where + "?api-version=1").body["value"]
            self.assertEqual(["Microsoft.Network", "Microsoft.Resources"],
                             [each["namespace"] for each in every])
            one = self.good("GET", where + "/microsoft.network?api-version=1").body
            self.assertEqual((every[0], "Registered", where + "/Microsoft.Network"),
                             (one, one["registrationState"], one["id"]))
            self.assertIn(("publicIPAddresses", ["westeurope"], "2022-07-01"), [
                (each["resourceType"], each["locations"], each["apiVersions"][0])
                for each in one["resourceTypes"]])
            self.bad(self.call("GET", where + "/Microsoft.Frob?api-version=1"), 404,
                     "InvalidResourceNamespace", "Microsoft.Frob")
        self.good("POST", "/subscriptions/%s/providers/Microsoft.Network/register?api-version=1" % S)

    def test_what_is_not_there(self):
        self.bad(self.call("GET", "/subscriptions/%s/frobs?api-version=1" % S), 404,
                 "ResourceNotFound")
        self.bad(self.call("POST", path()), 404, "InvalidResourceType")


class Stateless(Arm):
    state = ""

    def test_nothing_can_be_changed_without_a_state(self):
        self.bad(self.call("PUT", path("new", "office"), body()), 409, "StateNotConfigured",
                 "management = { state")


if __name__ == "__main__":
    harness.main()
