"""The document of the API: a validator reads it, and schemathesis asks the server all that it says."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from harness import MODELS
from harness_server import ServerTest
from openapi_spec_validator import OpenAPIV31SpecValidator

SECONDS = 300  # half a minute, unless the machine does much else
# All that a response must be by the document, and what the server must refuse by it.
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "allow_header_conformance",
)


# Enough of one to be asked for every kind of answer.
TEMPLATE = """{% if tools %}{{ tools | tojson }}
{% endif %}{% for m in messages %}{{ m.role }}: {{ m.content }}
{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"""


class DocumentTest(ServerTest):
    """What the model writes is noise, and is written in no time."""

    model = "llama3"
    options = ("--ctx", "256")

    @classmethod
    def model_path(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        path = Path(folder.name) / cls.model
        shutil.copytree(MODELS / "llama3-hf", path)
        config = json.loads((path / "tokenizer_config.json").read_text())
        (path / "tokenizer_config.json").write_text(json.dumps({**config, "chat_template": TEMPLATE}))
        return str(path)

    def setUp(self):
        self.wait_for(lambda: self.ask("GET", "/health")[0] == 200)

    def test_it_is_openapi(self):
        status, _, document = self.ask("GET", "/openapi.json")
        self.assertEqual(status, 200)
        self.assertEqual(document["openapi"], "3.1.0")
        errors = [f"{list(error.path)}: {error.message}" for error in OpenAPIV31SpecValidator(document).iter_errors()]
        self.assertEqual(errors, [])

    def test_the_server_does_what_it_says(self):
        asked = subprocess.run(
            [
                Path(sys.executable).with_name("st"),
                *("run", f"{self.base}/openapi.json", "--checks", ",".join(CHECKS)),
                *("--phases", "coverage,fuzzing", "--max-examples", "10", "--seed", "1", "--generation-deterministic"),
                # With more, Python 3.11's own parser fails: its depth is counted across threads.
                *("--workers", "1", "--request-timeout", "30", "--continue-on-failure", "--no-color"),
            ],
            cwd=self.home.folder,
            env={
                **os.environ,
                "INGLE_MODEL": self.model,
                "PYTHONPATH": str(Path(__file__).parent),
                "SCHEMATHESIS_HOOKS": "schemathesis_hooks",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
        )
        self.assertEqual(asked.returncode, 0, asked.stdout)
        # Thousands of requests, of each route.
        self.assertGreater(int(re.search(r"(\d+) generated", asked.stdout)[1]), 1000, asked.stdout)
        self.assertEqual(self.ask("GET", "/health")[0], 200)
