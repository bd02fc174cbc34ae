"""Azure's API where there is much: lists in pages, with a filter, and what is asked for while others
are at work."""

import threading
import urllib.parse

import harness
import test_arm
from test_arm import GROUPS, NETWORK, STATIC, S, named, path
from test_two_clients import Beginning

EVERY = "/subscriptions/%s%s?api-version=2022-07-01" % (S, NETWORK)
ALL_GROUPS = GROUPS + "?api-version=2021-04-01"


def many(count, group=lambda number: "many"):
    return [{"name": "a%d" % i, "resource_group": group(i), "address": "2001:db8:5::%x" % i,
             "allocation": "static"} for i in range(1, count + 1)]


class Pages(test_arm.Arm):
    def fill(self, addresses=(), groups=()):
        self.good("PUT", "/v1/state", {"version": 1, "addresses": list(addresses),
                                       "groups": list(groups)}, 204)

    def pages(self, link):
        """The names, page by page, as a client comes by them that knows nothing but the links."""
        while link:
            answer = self.good("GET", link).body
            yield [each["name"] for each in answer["value"]]
            link = answer.get("nextLink")
            if link:
                self.assertTrue(link.startswith("http://localhost/subscriptions/"), link)
                self.assertIn("api-version=20", link)
                link = link[len("http://localhost"):]

    def test_addresses_come_in_pages(self):
        self.fill(many(2100))
        pages = list(self.pages(EVERY))
        self.assertEqual([1000, 1000, 103], [len(page) for page in pages])
        self.assertEqual(["filed", "open", "moving"] + ["a%d" % i for i in range(1, 2101)],
                         sum(pages, []))
        pages = list(self.pages(path("", "MANY")))
        self.assertEqual([1000, 1000, 100], [len(page) for page in pages])
        self.assertEqual([["filed"], ["open"]], list(self.pages(path("", "office") + "&$top=1")))
        self.assertEqual([["filed", "open"]], list(self.pages(path("", "office") + "&$top=2")))

    def test_a_page_begins_behind_what_went_meanwhile(self):
        self.fill(many(4))
        first = self.good("GET", path("", "many") + "&$top=2").body
        self.good("DELETE", path("a2", "many"))
        rest = list(self.pages(first["nextLink"][len("http://localhost"):]))
        self.assertEqual([["a3", "a4"]], rest)

    def test_few_of_very_many_are_found(self):
        def group(number):
            return "few" if number in (7, 14999) else "apart" if not 2002 < number < 13000 else "many"
        addresses = many(15000, group)
        self.fill(addresses)
        for each in ("few", "apart", "many"):
            names = [row["name"] for row in addresses if row["resource_group"] == each]
            self.assertEqual(names, sum(self.pages(path("", each)), []))
        self.bad(self.call("GET", path("", "none")), 404, "ResourceGroupNotFound")

    def test_groups_come_in_pages(self):
        names = sorted("g_(%d).\u00e9" % i for i in range(1100))
        self.fill(groups=[{"name": name, "region": "westeurope"} for name in names])
        pages = list(self.pages(ALL_GROUPS))
        self.assertEqual([1000, 102], [len(page) for page in pages])
        self.assertEqual(["-"] + names + ["office"], sum(pages, []))
        self.assertEqual([["-"], [names[0]]], list(self.pages(ALL_GROUPS + "&$top=1"))[:2])

    def test_pages_have_all_zones_whatever_is_in_their_names(self):
        # In the order of pages, where a slash is before all other characters.
        names = ["0/25.2.0.192.in-addr.arpa", "0-1.2.0.192.in-addr.arpa"]
        for name in names:
            self.good("PUT", "/v1/private_zones/-/" + urllib.parse.quote(name, ""), {}, 201)
        for path_ in ("/providers/Microsoft.Network/privateDnsZones?api-version=2020-06-01",
                      "/resources?api-version=2021-04-01"):
            link = "/subscriptions/%s%s&$top=1" % (S, path_)
            found = [name for name in sum(self.pages(link), []) if name in names]
            self.assertEqual(names, found, path_)

    def test_groups_are_filtered_by_a_tag(self):
        tags = {"one": {"team": "a"}, "two": {"Team": "it's b"}, "three": {"other": "a"}}
        self.fill(groups=[{"name": name, "region": "westeurope", "tags": each}
                          for name, each in tags.items()])
        for text, names in (("tagName eq 'team'", ["one", "two"]),
                            ("tagname eq 'TEAM' and tagvalue eq 'a'", ["one"]),
                            ("tagName eq 'team' and tagValue eq 'it''s b'", ["two"]),
                            ("tagName eq 'none'", []), ("", ["-", "office", "one", "three", "two"])):
            link = ALL_GROUPS + "&$filter=" + urllib.parse.quote(text)
            self.assertEqual(names, sum(self.pages(link), []), text)
            self.assertEqual(names, sum(self.pages(link + "&$top=1"), []), text)

    def test_what_does_not_fit_is_refused(self):
        for text in ("name eq 'a'", "tagName eq a", "tagName eq 'a' or tagName eq 'b'", "tagName eq '",
                     "tagName", "tagName eq 'a' and tagValue", "tagNameeq 'a'",
                     "tagName eq '%s'" % ("a" * 2000)):
            self.bad(self.call("GET", ALL_GROUPS + "&$filter=" + urllib.parse.quote(text)), 400,
                     "InvalidFilterInQueryString", "tagName eq 'a'", "$filter")
        self.bad(self.call("GET", EVERY + "&$filter=tagName%20eq%20'a'"), 400,
                 "InvalidFilterInQueryString", target="$filter")
        for top in ("0", "-1", "x", "", "1x"):
            self.bad(self.call("GET", EVERY + "&$top=" + top), 400, "InvalidTopInQueryString",
                     target="$top")
        self.bad(self.call("GET", EVERY + "&$skiptoken=x"), 400, "InvalidSkipToken",
                 target="$skiptoken")


class Meanwhile(test_arm.Arm):
    points_to = STATIC

    def test_a_name_that_is_asked_for_waits_for_others_work(self):
        addresses = many(20000)
        self.good("PUT", "/v1/state", {"version": 1, "addresses": addresses, "groups": [{"name": "rg"}]}, 204)
        rows = "address,reverse_fqdn\n" + "".join("%s,n.example.\n" % row["address"]
                                                  for row in addresses)
        claim = Beginning(self, "PUT", path(), named("held.example."))
        work = threading.Thread(target=lambda: self.good("POST", "/v1/ptrs", rows,
                                                         headers={"Content-Type": "text/csv"}))
        work.start()
        for _ in range(20):  # so that it has begun, and not ended
            self.good("GET", "/healthz")
        claimed = claim.end(self)
        work.join()
        if claimed.status == 400:  # so late that the question had been given up
            self.bad(claimed, 400, "ReverseFqdnCouldNotBeResolved")
        else:
            self.assertEqual(201, claimed.status, claimed)
            self.assertEqual("held.example.", self.reverse_of())

    def test_an_import_is_whole_and_others_are_answered(self):
        done = threading.Event()

        def import_():
            self.good("PUT", "/v1/state", {"version": 1, "addresses": many(20000)}, 204)
            done.set()
        work = threading.Thread(target=import_)
        work.start()
        counts = set()
        while not done.is_set() and work.is_alive():
            counts.add(self.good("GET", "/v1/status").body["owned"][0]["addresses"])
        work.join()
        self.assertTrue(done.is_set())
        self.assertLessEqual(counts, {3, 20003})
        self.good("DELETE", GROUPS + "/many?api-version=1")
        self.assertEqual(3, self.good("GET", "/v1/status").body["owned"][0]["addresses"])
        self.restart()
        self.assertEqual(3, self.good("GET", "/v1/status").body["owned"][0]["addresses"])


if __name__ == "__main__":
    harness.main()
