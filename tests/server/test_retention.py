"""How long conversations are kept: the app's setting, that of whoever starts the server, and what is done by hand."""

import sqlite3
import time

from harness import TINY, ProgramTest
from test_app import AppTest

DAY = 86_400_000


def database(home):
    return home.folder / "data" / "ingle" / "conversations.db"


def age(home, days, *numbers):
    """Conversations as if nobody had touched them for so long."""
    with sqlite3.connect(database(home), timeout=30) as connection:
        for number in numbers:
            connection.execute(
                "UPDATE conversations SET updated = ?2 WHERE id = ?1", (number, int(time.time() * 1000) - days * DAY)
            )
    connection.close()


class RetentionTest(AppTest):
    model = None
    options = ("--ctx", "256")

    def numbers(self):
        return {each["id"] for each in self.app("GET", "conversations")["conversations"]}

    def test_the_app_decides(self):
        self.app("PATCH", "retention", {"days": 0})
        old, pinned, new = (self.conversation(title=title) for title in ("old", "pinned", "new"))
        self.app("PATCH", f"conversations/{pinned}", {"pinned": True})
        age(self.home, 40, old, pinned)
        self.assertEqual(self.app("GET", "retention"), {"days": 0, "fixed": False, "too_old": 0})
        self.assertEqual(self.app("GET", "retention?days=30"), {"days": 0, "fixed": False, "too_old": 1})
        self.assertEqual(self.app("PATCH", "retention", {"days": 60}), {"days": 60, "deleted": 0})
        events = self.events()
        self.assertEqual(self.app("PATCH", "retention", {"days": 30}), {"days": 30, "deleted": 1})
        self.until(lambda: {"type": "deleted", "id": old} in events)
        self.assertEqual(self.numbers() & {old, pinned, new}, {pinned, new})
        for bad in ({}, {"days": -1}, {"days": 36_501}, {"days": "30"}):
            self.app("PATCH", "retention", bad, status=400)
        self.app("GET", "retention?days=x", status=400)
        # What was decided holds for a server that is started later.
        type(self).stop()
        age(self.home, 31, new)
        type(self).start(self.model_path(), *self.options)
        self.token = self.sign_in()
        self.until(lambda: new not in self.numbers())
        self.assertIn(pinned, self.numbers())
        self.app("PATCH", "retention", {"days": 0})

    def test_whoever_starts_the_server_decides(self):
        self.app("PATCH", "retention", {"days": 0})
        old = self.conversation(title="old")
        age(self.home, 40, old)
        type(self).stop()
        type(self).start(self.model_path(), *self.options, "--keep-conversations", "1m")
        self.token = self.sign_in()
        self.until(lambda: old not in self.numbers())
        self.assertEqual(self.app("GET", "retention"), {"days": 30, "fixed": True, "too_old": 0})
        refused = self.app("PATCH", "retention", {"days": 0}, status=403)
        self.assertIn("keep-conversations", refused["error"]["message"])
        type(self).stop()
        type(self).start(self.model_path(), *self.options)

    def test_a_server_that_keeps_nothing_says_forever(self):
        type(self).stop()
        type(self).start(self.model_path(), *self.options, "--no-store")
        self.token = self.sign_in()
        self.assertEqual(self.app("GET", "retention")["days"], 0)
        type(self).stop()
        type(self).start(self.model_path(), *self.options)


class PruneTest(ProgramTest):
    def test_by_hand(self):
        for title in ("old", "older", "new"):
            self.ok("chat", TINY, "--temp", "0", "-n", "2", "-q", stdin=f"{title}\n")
        age(self, 40, 1)
        age(self, 80, 2)
        would = self.ok_json("history", "prune", "--older-than", "5w", "--dry-run")["would_delete"]
        self.assertEqual([each["title"] for each in would], ["old", "older"])
        shown = self.ok("history", "prune", "--older-than", "5w", "--dry-run").decode()
        self.assertIn("older", shown)
        self.assertNotIn("new", shown)
        self.assertEqual(len(self.ok_json("history")), 3)
        self.assertEqual(self.ok_json("history", "prune", "--older-than", "2m"), {"deleted": 1})
        self.assertEqual(self.ok("history", "prune", "--older-than", "30d"), b"deleted 1\n")
        self.assertEqual([each["title"] for each in self.ok_json("history")], ["new"])
        self.assertEqual(self.ok("history", "prune", "--older-than", "30d", "--dry-run"), b"no conversations\n")

    def test_what_is_wrong_is_said(self):
        self.fails(2, "needs --older-than AGE", "history", "prune")
        self.fails(2, "needs --older-than AGE", "history", "prune", "--older-than", "forever")
        self.fails(2, "as in 30d", "history", "prune", "--older-than", "30")
        self.write_config("keep-conversations = '1x'\n")
        self.fails(2, "is not 'forever' or an age", "serve", TINY)
