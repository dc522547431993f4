"""The pictures of the README, of the app beside the real server: `make screenshots` writes them to docs/images."""

import shutil
import subprocess

from test_web import FOLDER, WebTest

IMAGES = FOLDER.parents[1] / "docs" / "images"


class Screenshots(WebTest):
    model = "qwen2.5-coder-0.5b"
    tests = "screenshots.ts"
    variables = {"INGLE_PICTURES": str(IMAGES)}

    def setUp(self):
        IMAGES.mkdir(exist_ok=True)

    def tearDown(self):
        """As few bytes as keep every pixel; without the program they stay as they are."""
        if shutil.which("optipng"):
            subprocess.run(["optipng", "-quiet", "-o5", *IMAGES.glob("*.png")], check=True)
