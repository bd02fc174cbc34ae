#!/usr/bin/env python3
"""Whether `make chaos` would notice: its judge, told what clients saw, and its target, asked directly."""

import os
import sys
import unittest

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

    def found(self, outcome, at, kind="new", about=RULE, took=0.1, sent=(), why="", **line):
        judged = judge.Judge(self.timeline)
        judged.line(dict({"why": why, "kind": kind, "about": about, "outcome": outcome, "sent": [*sent, at],
                          "done": at + took, "transport": "udp", "rcode": "NOERROR", "texts": [],
                          "name": "u5." + place.rule_domain(about)}, **line))
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

    def test_silence_is_lost_but_in_a_flood(self):
        self.assertEqual({"lost": 1}, self.found("right", NOW, sent=[NOW - 8]))
        self.timeline.floods.append([NOW - 9, NOW - 7])
        self.assertEqual({"asked again": 1}, self.found("right", NOW, sent=[NOW - 8]))
        self.assertEqual({"lost": 1}, self.found("right", NOW + 60, sent=[NOW + 52]))
        self.assertEqual({"lost": 1}, self.found("silence", NOW))

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
