"""Templates that would grow without end: each is refused, by a limit that it names, and nothing is left of it."""

import harness
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

    def test_who_asks_what_was_made_again_and_again_is_refused(self):
        """Each name is that of the one before, as it is shown: a draft for each."""
        names = template(resource("privateDnsZones", "z0.internal", location="global"), *[
            resource("privateDnsZones", "z%d.internal" % i, location="global", tags={
                "n": "[reference(resourceId('Microsoft.Network/privateDnsZones', 'z%d.internal'), "
                     "'2020-06-01', 'Full').name]" % (i - 1)}) for i in range(1, 300)])
        answer = self.post("", "asks", names, status=400)
        self.assertRegex(answer.body["error"]["message"], "wait for one another more than 100 times")
        self.assertEqual([], self.good("GET", "private_zones").body["private_zones"])


if __name__ == "__main__":
    harness.main()
