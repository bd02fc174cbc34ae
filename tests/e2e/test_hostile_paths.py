"""The hostile upstream of test_hostile, asked in other ways: by IPv6, and by TCP from the beginning."""

import harness
import hostile
import test_hostile


class ByIPv6(test_hostile.HostileTarget):
    source, evil, evil_other, second, next_door = (
        "fd00:10::20", "fd00:168::1", "fd00:168::9", "fd00:168::2", "fd00:168::3")
    attempts, attempts_waited = 2, 1


class ByTcp(test_hostile.HostileTarget):
    protocol = "tcp"
    # The rest takes another source, or two questions that share what a question has for itself here.
    # What is done to a connection is done to the question's own, and may cost another one.
    deeds = {deed: test_hostile.LEFT if due in (hostile.SILENT, hostile.CLOSED) else due
             for deed, due in test_hostile.HostileTarget.deeds.items()
             if deed not in ("wrong-address", "wrong-port", "swapped")}
    attempts, attempts_waited = 2, 1
    forged = {"silence": 0, "forged-first": 2, "guesses": 8}  # what comes by its own connection
    test_it_knows_no_port_or_id_by_the_last = None  # it has a connection
    test_guesses_are_in_the_log_and_the_question_goes_by_tcp_too = None


if __name__ == "__main__":
    harness.main()
