"""Two clients change the same thing: each is told about its own change, and a precondition fails where the
other was faster."""

import threading

import harness
import test_arm
import test_reverse
from test_arm import named, path


class Beginning(threading.Thread):
    """A call whose answer waits for the upstream, which has been asked when this returns."""

    def __init__(self, case, *call, **how):
        super().__init__()
        self.answer = None
        self.run = lambda: setattr(self, "answer", case.call(*call, **how))
        self.start()
        harness.wait_for(lambda: case.upstream.questions("held.example."), "the question")

    def end(self, case):
        case.upstream.release()
        self.join()
        return self.answer


class Ptrs(test_reverse.Reverse):
    def test_an_answer_that_waits_for_a_warning_shows_its_own_change(self):
        where = "/v1/ptrs/198.51.100.11"
        first = Beginning(self, "PUT", where, {"reverse_fqdn": "held.example."})
        second = self.call("PUT", where, {"reverse_fqdn": "contosoopen.westeurope.cloudapp.azure.com."})
        answer = first.end(self)
        self.assertEqual((201, "held.example."), (answer.status, answer.body["reverse_fqdn"]))
        self.assertEqual(200, second.status, second)
        self.assertNotEqual(second.etag, answer.etag)
        self.assertEqual(answer.body["etag"], answer.etag)
        self.bad_v1(self.call("DELETE", where, headers={"If-Match": answer.etag}), 412)
        self.assertEqual(second.body["reverse_fqdn"], self.good("GET", where).body["reverse_fqdn"])

    def test_an_answer_that_waits_for_a_warning_comes_although_the_address_is_gone(self):
        where = "/v1/addresses/-/new"
        first = Beginning(self, "PUT", where, {"address": "198.51.100.40",
                                               "reverse_fqdn": "held.example."})
        self.good("DELETE", where, status=204)
        answer = first.end(self)
        self.assertEqual((201, "198.51.100.40"), (answer.status, answer.body["address"]))
        self.assertTrue(answer.etag)


class Claims(test_arm.Arm):
    points_to = test_arm.STATIC

    def told(self, answer):
        """Skips the test where the machine was so slow that the question was given up."""
        if answer.status == 400:
            self.bad(answer, 400, "ReverseFqdnCouldNotBeResolved")
            self.skipTest("the machine was too busy for the question")
        return answer

    def test_what_was_made_meanwhile_is_there(self):
        first = Beginning(self, "PUT", path(), named("held.example."), headers={"If-None-Match": "*"})
        self.good("PUT", path(), test_arm.body(), 201, headers={"If-None-Match": "*"})
        self.bad(self.told(first.end(self)), 412, "PreconditionFailed")

    def test_what_was_changed_meanwhile_is_another(self):
        made = self.good("PUT", path(), test_arm.body(), 201)
        first = Beginning(self, "PUT", path(), named("held.example."), headers={"If-Match": made.etag})
        self.good("PATCH", path(), {"tags": {"a": "b"}}, headers={"If-Match": made.etag})
        self.bad(self.told(first.end(self)), 412, "PreconditionFailed")

    def test_a_group_that_went_meanwhile_is_not_made_again(self):
        self.good("PUT", path("other"), test_arm.body(), 201)
        first = Beginning(self, "PUT", path(), named("held.example."))
        self.good("DELETE", test_arm.GROUPS + "/rg?api-version=1")
        self.bad(self.told(first.end(self)), 404, "ResourceGroupNotFound", "'rg'")
        self.bad(self.call("GET", path()), 404, "ResourceGroupNotFound")


if __name__ == "__main__":
    harness.main()
