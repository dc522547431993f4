"""Loaded by schemathesis: a model's name that is a text is that of the model that is served, so that requests get far."""

import os

import schemathesis


@schemathesis.hook
def map_body(_context, body):
    if isinstance(body, dict) and isinstance(body.get("model"), str):
        body["model"] = os.environ["INGLE_MODEL"]
    return body
