"""Whether `make chaos` would notice: its judge, told what clients saw, and its target, asked directly."""

import os
import select
import socket
import sys
import threading
import types
import unittest
import unittest.mock

import dns
import harness

sys.path.insert(0, os.path.join(harness.TOP, "tests", "chaos"))
import client
import judge
import place
import plan
import target

RULE = 1  # of the targets 1 and 0
NOW = 1000.0


class Verdicts(unittest.TestCase):
    def setUp(self):
        self.timeline = judge.Timeline()
        self.timeline.generations = [(0, 0.0, 0.0), (1, NOW, NOW + 1)]

    def found(self, outcome, at, kind="new", about=RULE, took=0.1, tries=(), why="", **line):
        judged = judge.Judge(self.timeline)
        judged.line(dict({"why": why, "kind": kind, "about": about, "outcome": outcome,
                          "tries": [*tries, [at, "udp", ""]], "done": at + took, "rcode": "NOERROR",
                          "texts": [], "name": "u5." + place.rule_domain(about)}, **line))
        return {what: n for what, n in judged.counts.items() if n}

    def test_a_rules_targets_are_as_the_tests_say(self):
        self.assertEqual([1, 0], place.targets_of(RULE))

    def test_a_servfail_is_excused_only_where_every_target_was_bad(self):
        self.assertEqual({"failed": 1}, self.found("servfail", NOW))
        self.timeline.bad[1].append([NOW - 50, NOW + 50])
        self.assertEqual({"failed": 1}, self.found("servfail", NOW))
        self.timeline.bad[0].append([NOW + 10, NOW + 20])
        self.assertEqual({"failed": 1}, self.found("servfail", NOW))
        self.assertEqual({"no target": 1}, self.found("servfail", NOW + 9, took=2))
        self.assertEqual({"no target": 1}, self.found("servfail", NOW + 19 + judge.MARGIN_S))
        self.assertEqual({"failed": 1}, self.found("servfail", NOW + 21 + judge.MARGIN_S))

    def test_a_failure_from_the_cache_is_that_of_a_question_before(self):
        self.timeline.bad[0].append([NOW - 50, NOW])
        self.timeline.bad[1].append([NOW - 50, NOW])
        at, cached = NOW + judge.MARGIN_S + 1, "(13, 'no usable answer')"
        self.assertEqual({"failed": 1}, self.found("servfail", at))
        self.assertEqual({"no target": 1}, self.found("servfail", at, why=cached))
        self.assertEqual({"failed": 1}, self.found("servfail", at + judge.CACHED_S, why=cached))

    def test_what_needs_no_target_is_never_excused(self):
        for k in self.timeline.bad:
            self.timeline.bad[k].append([0, None])
        self.assertEqual({"failed": 1}, self.found("servfail", NOW, kind="zone"))
        self.assertEqual({"no target": 1}, self.found("servfail", NOW, kind="default"))

    def test_an_outbound_endpoint_may_be_over_its_limit_in_a_flood_alone(self):
        why = "(22, 'ruleset corp, rule n1: no target could be asked: %s')" % judge.OVER_LIMIT
        self.assertEqual({"failed": 1}, self.found("servfail", NOW, why=why))
        self.timeline.floods.append([NOW - 1, NOW + 1])
        self.assertEqual({"over limit": 1}, self.found("servfail", NOW, why=why))
        self.assertEqual({"failed": 1}, self.found("servfail", NOW, why="(22, 'no answer')"))
        self.assertEqual({"failed": 1}, self.found("servfail", NOW, kind="zone", why=why))
        self.assertEqual({"failed": 1}, self.found("servfail", NOW + 3, why=why))

    def tried(self, left, transport="udp", met="silence"):
        """What is made of an attempt of then, when the next one is answered."""
        return self.found("right", left + client.SILENCE_S, tries=[[left, transport, met]])

    def test_an_attempt_is_excused_by_what_went_on_when_it_left(self):
        # As floods follow each other: none of the pauses is as long as a client waits.
        self.timeline.floods = [[NOW + t, NOW + t + 3] for t in range(0, 80, 8)]
        lost, again = {"lost": 1}, {"asked again": 1}
        for begin, end in self.timeline.floods:
            found = [self.tried(t) for t in (begin - judge.QUEUE_S - 0.1, begin - judge.QUEUE_S + 0.1,
                                             begin, end, end + judge.AFTER_S - 0.1,
                                             end + judge.AFTER_S + 0.1)]
            self.assertEqual([lost, again, again, again, again, lost], found)
        self.timeline.floods[-1][1] = None
        self.assertEqual(again, self.tried(NOW + 900))

    def test_a_question_without_any_answer_is_lost_even_in_a_flood(self):
        self.assertEqual({"lost": 1}, self.found("silence", NOW))
        self.timeline.floods.append([NOW - 9, NOW + 9])
        self.assertEqual({"lost": 1}, self.found("silence", NOW))

    def test_each_excuse_is_one_for_its_own_kind_alone(self):
        kinds = [("udp", "silence"), ("udp", "refused"), ("tcp", "silence"), ("tcp", "refused"),
                 ("tcp", "closed")]
        excused = {}
        for what in ("floods", "drops", "tcp", "sources"):
            self.setUp()
            getattr(self.timeline, what).append([NOW - 1, NOW + 1])
            excused[what] = [kind for kind in kinds if self.tried(NOW, *kind) == {"asked again": 1}]
        self.assertEqual({"floods": kinds[:4], "drops": kinds[:1], "tcp": [kinds[2], kinds[4]],
                          "sources": []}, excused)

    def test_a_cut_answer_is_no_loss_and_silence_before_it_is(self):
        cut = [NOW - 1, "udp", "cut"]
        self.assertEqual({}, self.found("right", NOW, tries=[cut]))
        self.assertEqual({"lost": 1}, self.found("right", NOW, tries=[[NOW - 7, "udp", "silence"], cut]))

    def test_a_generation_is_seen_from_its_change_on(self):
        def now(generation, at):
            return self.found("told", at, kind="now", texts=[place.address(place.BY_NOW, generation)])
        self.assertEqual({}, now(0, NOW - 10))
        self.assertEqual({"wrong": 1}, now(1, NOW - 10))
        self.assertEqual(({}, {}), (now(0, NOW + 0.5), now(1, NOW + 0.5)))
        self.assertEqual(({"wrong": 1}, {}), (now(0, NOW + 10), now(1, NOW + 10)))

    def test_a_ptr_holds_from_its_acknowledgement_on(self):
        def ptr(number, at):
            return self.found("told", at, kind="ptr", about=3, texts=[judge.ptr_name(3, number)])
        self.timeline.ptrs[3] = [[1, 1, 2], [2, NOW, NOW + 1], [3, NOW + 5, None]]
        self.assertEqual(({}, {"wrong": 1}), (ptr(1, NOW - 9), ptr(2, NOW - 9)))
        self.assertEqual(({}, {}), (ptr(1, NOW + 0.5), ptr(2, NOW + 0.5)))
        self.assertEqual(({"wrong": 1}, {}, {"wrong": 1}), tuple(ptr(n, NOW + 2) for n in (1, 2, 3)))
        self.assertEqual(({}, {}), (ptr(2, NOW + 9), ptr(3, NOW + 9)))

    def test_a_lie_is_wrong_whenever_it_is_told(self):
        self.timeline.bad[0].append([0, None])
        self.timeline.bad[1].append([0, None])
        self.assertEqual({"wrong": 1}, self.found("wrong", NOW))


class Proofs(unittest.TestCase):
    """Whether a run shows anything."""

    def judged(self, deeds=judge.PLAIN_DEEDS, **spans):
        """Of a run of 100 s in which the deeds were done at 10 s."""
        timeline = judge.Timeline()
        vars(timeline).update(spans)
        timeline.deeds = [(NOW + 10, what) for what in deeds]
        judged = judge.Judge(timeline)
        judged.asked_at.update({int((NOW + t) / judge.TICK_S): 3 for t in range(100)})
        return judged

    def test_plain_is_what_nothing_excuses(self):
        self.assertEqual(1, self.judged().plain_share())
        for what in ("floods", "tcp", "drops", "sources"):
            share = self.judged(**{what: [[NOW + 20, NOW + 39], [NOW + 60, NOW + 79]]}).plain_share()
            self.assertTrue(0.5 < share < 0.6, "%s: %f" % (what, share))

    def test_a_run_full_of_floods_is_not_well(self):
        self.assertTrue(self.judged().verdict())
        floods = [[NOW + t, NOW + t + 3] for t in range(14, 100, 5)]
        self.assertFalse(self.judged(floods=floods).verdict())

    def test_a_run_whose_deeds_were_all_in_a_flood_is_not_well(self):
        self.assertFalse(self.judged(floods=[[NOW + 9, NOW + 11]]).verdict())
        for what in judge.PLAIN_DEEDS:
            self.assertFalse(self.judged(deeds=set(judge.PLAIN_DEEDS) - {what}).verdict(), what)


class Connections(unittest.TestCase):
    """What a client says of a connection that ends under its question."""

    def met(self, was_open, is_read, crosses=False):
        with socket.create_server(("127.0.0.1", 0)) as listening:
            asking = types.SimpleNamespace(server=listening.getsockname(), source=None,
                                           packet=client.Client.packet,
                                           was_reset=client.Client.was_reset)

            def end():
                with listening.accept()[0] as sock:
                    if crosses:
                        return
                    if is_read:
                        dns.recv_framed(sock)
                    else:
                        select.select([sock], [], [])
            ending = threading.Thread(target=end)
            ending.start()
            sock = socket.create_connection(asking.server) if was_open else None
            question = client.Asker("office", 5).next()
            if crosses:
                ending.join()
            with unittest.mock.patch.object(client, "UNREAD_S", client.UNREAD_S if is_read else 20):  # on a busy machine, too
                _, packet, met, _ = client.Client.exchange(asking, sock, question)
            ending.join()
            self.assertIsNone(packet)
            return met

    def test_a_question_that_was_read_is_not_forgiven(self):
        self.assertEqual("closed", self.met(was_open=True, is_read=True))
        self.assertEqual("closed", self.met(was_open=False, is_read=True))

    def test_an_idle_connection_may_end_before_the_question_is_read(self):
        self.assertEqual("unread", self.met(was_open=True, is_read=False))
        self.assertEqual("closed", self.met(was_open=False, is_read=False))

    def test_an_end_may_cross_the_question(self):
        self.assertEqual("unread", self.met(was_open=True, is_read=False, crosses=True))


class Answers(unittest.TestCase):
    """What a client makes of a target's answers, with nobody between them."""

    def told(self, question, mode="good", first=place.BY_RULE, argument=0):
        server = target.Target("127.0.0.1", first)
        server.mode, server.argument = mode, argument
        packet = client.Client.packet(question, 7, b"8 bytes ")
        replies = (server.deed(dns.Message(packet), packet, True) if mode == "hostile"
                   else [server.answer(packet)])
        checked = []
        for reply in replies:
            try:
                checked.append(client.Client.check(None, question, b"", dns.Message(reply))[0])
            except Exception:  # no DNS message at all
                checked.append("wrong")
        return checked

    def questions(self):
        asker = client.Asker("office", 5)
        return [q for q in (asker.next() for _ in range(500))
                if q.kind in ("new", "popular", "missing")]

    def test_the_truth_is_right(self):
        for question in self.questions():
            self.assertEqual(["right"], self.told(question), question.name)

    def test_another_targets_word_is_wrong(self):
        for question in self.questions():
            if question.kind != "missing":
                self.assertEqual(["wrong"], self.told(question, first=place.BY_DEFAULT))

    def test_a_hostile_target_tells_lies(self):
        found = [outcome for seed in range(5) for question in self.questions()
                 if question.kind != "missing" for outcome in self.told(question, "hostile",
                                                                        argument=seed)]
        self.assertLessEqual({"right", "wrong", "servfail", "cut"}, set(found))


class Plans(unittest.TestCase):
    SHORT, LONG = 45, 180  # seconds

    def plain(self, seconds, seed):
        """The share of such a run that is plain if all happens when it is due, and what is done then."""
        judged = judge.Judge(judge.Timeline())
        kinds = {"flood": "floods", "tcp": "tcp", "source": "sources"}
        for begin, end, actor, deed, _ in plan.make(seed, seconds):
            if actor in kinds:
                getattr(judged.timeline, kinds[actor]).append([NOW + begin, NOW + end])
            else:
                judged.timeline.deeds.append((NOW + begin, deed))
        judged.asked_at.update({int(NOW / judge.TICK_S) + tick: 1
                                for tick in range(int(seconds / judge.TICK_S))})
        return judged

    def test_every_plan_has_room_for_a_proof(self):
        for seed in range(50):
            for seconds in (self.SHORT, self.LONG):
                judged = self.plain(seconds, seed)
                self.assertEqual("", judged.proves_nothing(), seed)
                self.assertLess(judge.PLAIN_LEAST + 0.05, judged.plain_share(), seed)

    def test_every_plan_is_also_disturbed(self):
        for seed in range(50):
            timeline = self.plain(self.LONG, seed).timeline
            self.assertLess(8, len(timeline.floods), seed)
            self.assertLess(8, len(timeline.tcp), seed)
            self.assertLess(4, len(timeline.sources), seed)

    def test_the_same_seed_gives_the_same_plan(self):
        self.assertEqual(plan.make(3, 90), plan.make(3, 90))
        self.assertNotEqual(plan.make(3, 90), plan.make(4, 90))

    def test_no_target_does_two_things_at_once_and_all_end_in_time(self):
        for seed in range(20):
            events = plan.make(seed, 90)
            self.assertLessEqual(max(event[1] for event in events), 90 - plan.CALM_S)
            last = {}
            for begin, end, actor, _, _ in events:
                self.assertLessEqual(last.get(actor, 0), begin)
                last[actor] = end


if __name__ == "__main__":
    harness.main()
