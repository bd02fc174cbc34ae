"""Azure's API where a request is malformed on purpose or by mistake, or asks for more than anybody needs:
each is answered, at once and with what is wrong, and the server goes on."""

import json
import os

import harness
import test_arm_types
from test_arm_types import HUB, LOCATION, ROOT, below, interface, network, parent_of, properties, ref, targets


class Hostile(test_arm_types.Everything):
    filed = test_arm_types.FILED + "limits = { subnets_per_virtual_network = 8000; };\n"

    def test_a_slash_within_a_segment_parts_nothing(self):
        self.build_all()
        for path, body in (("privateDnsZones%2FA/corp.internal", properties(
                               ttl=60, aRecords=[{"ipv4Address": "10.0.0.1"}])),
                           ("virtualNetworks%2fsubnets/hub", properties(addressPrefix="10.10.9.0/24")),
                           ("virtualNetworks%2Fsubnets/hub/subnets/x", properties())):
            for method in ("GET", "PUT", "PATCH", "DELETE"):
                self.refused(404, "InvalidResourceType", "could not be found in the namespace", method,
                             below(path), None if method in ("GET", "DELETE") else body)

    def test_a_group_is_no_resource_of_its_own_namespace(self):
        self.build_all()
        for method in ("GET", "PUT", "PATCH", "DELETE"):
            self.refused(404, "InvalidResourceType", "'resourceGroups' could not be found in the namespace", method,
                         below("resourceGroups/hub-rg"), None if method in ("GET", "DELETE") else {**LOCATION})

    def test_a_reverse_name_is_refused_beside_something_else(self):
        self.build_all()
        address = below("publicIPAddresses/ip")
        self.arm("PUT", address, {**LOCATION, **properties(dnsSettings={"domainNameLabel": "label"})}, 201)
        for name in ("bad name!!", "x" * 300):
            body = properties(publicIPAddressVersion="IPv6", dnsSettings={"reverseFqdn": name})
            error = self.refused(409, "PropertyChangeNotAllowed", "IPv4, which cannot", "PATCH", address,
                                 body)
            self.assertIn("properties.dnsSettings.reverseFqdn", [each["target"] for each in error["details"]])

    def test_what_is_kept_in_another_form_than_azures_is_shown_as_it_is(self):
        self.build_all()
        path, name = below("privateEndpoints/pe"), "privateLinkServiceConnections"
        for kept in ([5], ["x"], [[]], [{"properties": 5}], {"a": 1}, "x", 5):
            self.good("PATCH", "private_endpoints/hub-rg/pe", {"azure": {name: json.dumps(kept)}})
            self.assertEqual(kept, self.arm("GET", path, status=200).body["properties"][name])
            self.arm("GET", parent_of(path), status=200)

    def test_of_very_many_errors_a_hundred_are_told_and_the_rest_are_counted(self):
        self.build_all()
        revision = self.revision()
        for path, body, code in (
                (below("privateDnsZones/corp.internal/A/x"), properties(ttl=60, aRecords=[{}] * 5000),
                 "InvalidRequestContent"),
                (below("virtualNetworks/v"), network("10.0.0.0/8", *(
                    ("s%d" % i, "bad%d" % i) for i in range(2000))), "BadRequest"),
                (below("dnsForwardingRulesets/rs/forwardingRules/r"), properties(
                    domainName="x.corp.", targetDnsServers=targets(*["127.0.0.5"] * 3000)), "BadRequest")):
            error = self.refused(400, code, r"\(and [1-9]\d{3} more\)$", "PUT", path, body)
            self.assertEqual(100, len(error["details"]))
        self.assertEqual(revision, self.revision())

    def test_of_a_list_an_item_of_any_name_is_named(self):
        self.build_all()
        path, subnet = below("networkInterfaces/vm"), ref("virtualNetworks/hub/subnets/pe")
        for name in (".", "a.b", "10.10.0.0/16", "x]", "[", "].", "a b", "\u00e4"):
            for wrong in ({"primary": 5}, {"privateIPAddress": "x", "privateIPAllocationMethod": "Static"}):
                error = self.arm("PUT", path, {**LOCATION, **properties(ipConfigurations=[
                    {"name": "one", "properties": {"subnet": subnet, "primary": True}},
                    {"name": name, "properties": {"subnet": subnet, **wrong}}])}, 400).body["error"]
                for each in error["details"] or [error]:
                    self.assertRegex(each["target"], r"^properties\.ipConfigurations\[1\]\.[a-z]")
        for wrong in ("x", {}, {"privateDnsZoneId": 5}):
            error = self.refused(400, "InvalidRequestContent", "privateDnsZoneId", "PUT",
                                 below("privateEndpoints/pe/privateDnsZoneGroups/default"), properties(
                                     privateDnsZoneConfigs=[{"name": "10.10.0.0/16", "properties": wrong}]))
            self.assertEqual({"properties.privateDnsZoneConfigs[0].name",
                              "properties.privateDnsZoneConfigs[0].properties.privateDnsZoneId"},
                             {each["target"] for each in error["details"]})

    def test_what_get_gave_of_a_large_network_can_be_put_back(self):
        self.build_all()
        path = below("virtualNetworks/v")
        made = self.arm("PUT", path, network("10.0.0.0/8", *(
            ("s%d" % i, "10.%d.%d.0/28" % divmod(i, 256)) for i in range(3000))), 201)
        self.assertGreater(len(made.text), 1 << 20)
        self.assertEqual(made.body, self.arm("PUT", path, made.body, 200).body)
        self.refused(413, "RequestEntityTooLarge", "at most 4194304", "PUT", path, "x" * (1 + (1 << 22)))

    def test_what_no_longer_fits_inside_is_named(self):
        self.build_all()
        subnets = [("s%d" % i, "10.30.%d.0/24" % i) for i in range(3)]
        path = below("virtualNetworks/v")
        self.arm("PUT", path, network("10.30.0.0/16", *subnets), 201)
        self.refused(400, "BadRequest", "10.30.2.0/24 is outside", "PUT", path,
                     network("10.30.0.0/23", *subnets), "properties.subnets[2].properties.addressPrefix")
        self.refused(400, "BadRequest", "virtualNetworks/v/subnets/s2: .*10.30.2.0/24 is outside", "PUT",
                     path, {
            **LOCATION, **properties(addressSpace={"addressPrefixes": ["10.30.0.0/23"]})},
            "properties.addressPrefix")

    def test_an_interface_has_at_most_as_many_configurations_as_azures(self):
        self.build_all()
        body = interface(*(("ip%d" % i, "10.10.4.%d" % (20 + i % 200)) for i in range(257)))
        self.refused(400, "InvalidRequestContent", "there are 257, and at most 256", "PUT",
                     below("networkInterfaces/vm"), body, "properties.ipConfigurations")

    def cpu(self, method, path, body, status):
        """Seconds of the server's processor that a request takes."""
        def spent():
            with open("/proc/%d/stat" % self.sluice.pid) as file:
                return sum(int(field) for field in file.read().rsplit(")", 1)[1].split()[11:13])
        before = spent()
        self.arm(method, path, body, status)
        return (spent() - before) / os.sysconf("SC_CLK_TCK")

    def test_a_network_takes_as_long_as_it_has_subnets(self):
        def taken(count):
            self.arm("DELETE", below("virtualNetworks/v"))
            return self.cpu("PUT", below("virtualNetworks/v"), body(count), 201)

        def body(count):
            return network("10.0.0.0/8", *(("s%d" % i, "10.%d.%d.0/28" % divmod(i, 256))
                                           for i in range(count)))
        self.build_all()
        self.assert_grows_with(taken, 500, 8000)
        error = self.refused(400, "BadRequest", "there are 8001, and at most 8000 are allowed; remove some",
                             "PUT", below("virtualNetworks/v"), body(8001))
        self.assertRegex(error["target"], r"^properties\.subnets\[\d+\]$")

    def assert_grows_with(self, taken, few, many):
        """`many` is at least 16 times `few`, and takes at most 40 times as long: it would take 256 times as long if the
        time grew with the square. A time below 0.06 seconds is too short to be measured, and counts as that."""
        few = taken(few)
        self.assertLess(taken(many), 40 * max(few, 0.06))

    def deploy(self, name, *resources, **outputs):
        """Seconds of the server's processor that a deployment takes."""
        return self.cpu("PUT", ROOT + HUB + "/providers/Microsoft.Resources/deployments/" + name, {
            "properties": {"mode": "Incremental", "template": {
                "$schema": "x", "contentVersion": "1.0.0.0", "resources": resources, "outputs": outputs}}}, 201)

    def refer_to_subnets(self, of, count):
        """The same for a template that refers to the network's subnets s0, s1 and so on."""
        value = ("[map(range(0, %d), lambda('i', reference(concat('%s/subnets/s', string(lambdaVariables('i'))), "
                 "'2022-07-01').addressPrefix))]" % (count, of))
        return self.deploy("d%d" % count, all={"type": "array", "value": value})

    def deploy_subnets(self, group, count):
        """The same for a template whose resources are the network's subnets s1, s2 and so on."""
        return self.deploy("s%d" % count, {
            "type": "Microsoft.Network/virtualNetworks/subnets", "apiVersion": "2022-07-01", "resourceGroup": group,
            "name": "[format('n/s{0}', add(copyIndex(), 1))]", "copy": {"name": "all", "count": count},
            "properties": {"addressPrefix": "[format('172.{0}.{1}.0/24', add(17, div(add(copyIndex(), 1), 256)), "
                                            "mod(add(copyIndex(), 1), 256))]"}})

    def test_the_users_of_subnets_are_looked_for_once(self):
        interfaces = ", ".join('{ name = "i%d"; ip_configurations = ( { name = "ip"; subnet = "n/s0"; '
                               'address = "172.16.%d.%d"; } ); }' % (i, *divmod(i + 16, 256))
                               for i in range(4000))
        subnets = ", ".join('{ name = "s%d"; prefix = "172.%d.%d.0/24"; }' % (i, 17 + i // 256, i % 256)
                            for i in range(1, 701))
        self.sluice.reconfigure(self.config % self.filed.replace(
            "virtual_networks = ( ", """network_interfaces = ( %s );
            virtual_networks = ( { name = "n"; address_space = [ "172.16.0.0/12" ];
                                   subnets = ( { name = "s0"; prefix = "172.16.0.0/16"; }, %s ); }, """
            % (interfaces, subnets)))
        self.assertEqual(0, self.sluice.command("reload")[0])
        path = below("virtualNetworks/n", "-")
        self.assert_grows_with(
            lambda count: self.cpu("GET", path + "/subnets?$top=%d" % count, None, 200), 2, 700)
        self.assert_grows_with(lambda count: self.refer_to_subnets(path, count), 2, 700)
        self.assert_grows_with(lambda count: self.deploy_subnets("-", count), 2, 700)

    def test_a_text_in_an_error_takes_as_long_as_it_is(self):
        self.build_all()
        path = below("virtualNetworks/v")
        for text in ("-", "-virtual_networks["):
            self.assert_grows_with(
                lambda count: self.cpu("PUT", path, network(text * (count // len(text))), 400), 1 << 16, 1 << 20)
        wrong = {"subnet": ref("virtualNetworks/hub/subnets/pe"),
                 "privateIPAddress": "x", "privateIPAllocationMethod": "Static"}
        self.assert_grows_with(
            lambda count: self.cpu("PUT", below("networkInterfaces/vm"), {**LOCATION, **properties(
                ipConfigurations=[{"name": "." * count, "properties": wrong}])}, 400), 1 << 16, 1 << 20)

    def test_references_take_as_long_as_there_are_subnets(self):
        self.build_all()

        def taken(count):
            self.arm("PUT", below("virtualNetworks/v"), network("10.128.0.0/9", *(
                ("s%d" % i, "10.%d.%d.0/28" % divmod(128 * 256 + i, 256)) for i in range(count))))
            return self.refer_to_subnets(below("virtualNetworks/v"), count)
        self.assert_grows_with(taken, 150, 2400)


if __name__ == "__main__":
    harness.main()
