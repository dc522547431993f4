"""What the program is linked with: each library is memory of every process."""

import subprocess
import unittest

from harness import INGLE


class Libraries(unittest.TestCase):
    def test_what_only_the_network_needs_is_not_loaded_at_start(self):
        listed = subprocess.run(
            [INGLE], env={"LD_TRACE_LOADED_OBJECTS": "1"}, capture_output=True, text=True, check=True
        )
        names = listed.stdout
        self.assertIn("libstdc++", names)
        for name in ("libcurl", "libgnutls", "libssl", "libkrb5"):
            self.assertNotIn(name, names)


if __name__ == "__main__":
    unittest.main()
