"""Templates that would grow without end: each is refused, by a limit that it names, and nothing is left of it."""

import harness
import test_arm_types
import test_deployments
from test_deployments import deployment, network_of, resource, template

STEPS, DEEP, BYTES = "more than 1000000 steps", "deep", "more than 67108864 bytes"


def variables(**given):
    return template(network_of("[variables('x')]", "10.0.0.0/16"), variables=given)


def doubling(first, of, last):
    """Each variable is the one before it, twice."""
    made = {"v0": first, "x": last}
    made.update({"v%d" % i: of.replace("V", "variables('v%d')" % (i - 1)) for i in range(1, 60)})
    return variables(**made)


def copies_of_copies(depth):
    inner = {"name": "c0", "count": 100, "input": "[copyIndex('c0')]"}
    for i in range(1, depth):
        inner = {"name": "c%d" % i, "count": 10000, "input": {"copy": [inner]}}
    return template(variables={"copy": [inner]}, outputs={
        "all": {"type": "array", "value": "[variables('c%d')]" % (depth - 1)}})


def nested(depth):
    made = template()
    for i in range(depth):
        made = template(deployment("d%d" % i, made))
    return made


def zones(count, **more):
    return template(resource("privateDnsZones", "[concat('z', copyIndex(), '.internal')]", location="global",
                             copy={"name": "zones", "count": count}, **more))


A32 = "a" * 32
BOMBS = {
    "texts that double": (doubling(A32, "[concat(V, V)]", "[variables('v59')]"), STEPS),
    "arrays that double": (doubling([1], "[concat(V, V)]", "[string(length(variables('v59')))]"), STEPS),
    "objects that double": (doubling({}, "[createObject('a', V, 'b', V)]", "[string(variables('v40'))]"), STEPS),
    "a circle of variables": (variables(x="[variables('y')]", y="[variables('x')]"), "refers to itself"),
    "parentheses": (variables(x="[" + "concat(" * 20000 + "'a'" + ")" * 20000 + "]"), DEEP),
    "brackets of JSON": (variables(x="[json('%s')]" % ("[" * 30000 + "]" * 30000)), "depth"),
    "copies of copies": (copies_of_copies(4), STEPS),
    "copies": (zones(10001), "10001 times; 10000"),
    "copied resources": (zones(801), "more than 800 resources"),
    "resources": (template(*[resource("privateDnsZones", "z%d.internal" % i) for i in range(801)]),
                  "more than 800 resources"),
    "templates in templates": (nested(100), DEEP),
    "maps of maps": (variables(x="[string(length(map(range(0, 10000), lambda('a', map(range(0, 10000), lambda("
                                 "'b', mul(lambdaVariables('a'), lambdaVariables('b'))))))))]"), STEPS),
    "reduce": (variables(x="[reduce(range(0, 10000), 'a', lambda('a', 'b', concat(lambdaVariables('a'), "
                           "lambdaVariables('a'))))]"), STEPS),
    "padding": (variables(x="[padLeft('a', 1000000000)]"), BYTES),
    "replacing": (variables(x="[" + "replace(" * 4 + "'%s'" % A32 + (", 'a', '%s')" % A32) * 4 + "]"), STEPS),
    "a function of itself": (template(network_of("[f.g('a')]", "10.0.0.0/16"), functions=[
        {"namespace": "f", "members": {"g": {
            "parameters": [{"name": "p", "type": "string"}], "output": {
                "type": "string", "value": "[f.g(concat(parameters('p'), parameters('p')))]"}}}}]), STEPS),
    "parameters that lead on": (template(parameters={
        "p%d" % i: {"type": "string", "defaultValue": "[concat(parameters('p%d'), 'a')]" % (i + 1)}
        for i in range(20000)}), DEEP),
    "a circle of resources": (template(*[
        network_of("n%d" % i, "10.0.0.0/16", dependsOn=["n%d" % ((i + 1) % 700)]) for i in range(700)]),
        "Circular dependency"),
}


class Hostile(test_deployments.World):
    def test_each_bomb_is_refused_and_nothing_is_left(self):
        before = self.state()
        for name, (bomb, limit) in BOMBS.items():
            for how in ("validate", "whatIf", ""):
                with self.subTest(bomb=name, how=how or "create"):
                    answer = self.post(how, "bomb", bomb, status=400)
                    self.assertRegex(answer.body["error"]["message"], limit)
                    self.assertLess(len(answer.text), 5000)
        self.assertEqual(before, self.state())

    def test_a_long_way_from_one_to_the_next_is_no_bomb(self):
        """Eight hundred, each behind the one before it."""
        path = "z%d.internal"
        made = self.deploy("chain", template(*[
            resource("privateDnsZones", path % i, location="global", dependsOn=[path % (i - 1)] * (i > 0))
            for i in range(799)], resource("privateDnsZones/MX", "z0.internal/mx", {
                "ttl": 60, "mxRecords": [{"preference": 1, "exchange": "a.internal"}]}, dependsOn=["z0.internal"])))
        self.assertEqual(800, len(made.body["properties"]["outputResources"]))

    def chain(self, letter, count):
        """Each has the name of the one before, as it is shown: a draft for each."""
        name = letter + "%d.internal"
        tag = "[reference(resourceId('Microsoft.Network/privateDnsZones', '%s'), '2020-06-01', 'Full').name]"
        return template(*[resource("privateDnsZones", name % i, location="global",
                                   tags={"n": tag % name % (i - 1)} if i > 0 else {}) for i in range(count)])

    def test_who_asks_what_was_made_again_and_again_is_refused(self):
        answer = self.post("", "asks", self.chain("z", 300), status=400)
        self.assertRegex(answer.body["error"]["message"], "wait for one another more than 100 times")
        self.assertEqual([], self.good("GET", "private_zones").body["private_zones"])

    def reload_with_rulesets(self, rulesets):
        self.sluice.reconfigure(self.config % self.filed + "limits = { rules_per_ruleset = 15000; };\n"
                                "rulesets = ( %s );" % ", ".join(rulesets))
        self.assertEqual(0, self.sluice.command("reload")[0])

    def test_the_larger_the_configuration_the_fewer_drafts(self):
        """A ruleset that has not changed takes no draft's time, however many rules it has."""
        self.reload_with_rulesets(['{ name = "s"; rules = ( %s ); }' % ", ".join(
            '{ name = "r%d"; domain = "r%d.corp."; targets = ( { address = "127.0.0.5"; } ); }' % (i, i)
            for i in range(15000))])
        self.deploy("rules", self.chain("a", 14))
        self.reload_with_rulesets('{ name = "s%d"; }' % i for i in range(5000))
        self.deploy("few", self.chain("b", 20))
        answer = self.deploy("many", self.chain("c", 60), status=400)
        self.assertRegex(answer.body["error"]["message"], "come to [0-9]+ items; the limit is 250000: make several")
        self.arm("GET", test_arm_types.below("privateDnsZones/c0.internal"), status=404)


if __name__ == "__main__":
    harness.main()
