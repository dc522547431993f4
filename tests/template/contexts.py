"""The contexts that every published template is rendered with."""

import json

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the current weather <now> for a location & unit",
        "parameters": {
            "type": "object",
            "properties": {
                "location": {"type": "string", "description": 'The city, e.g. "Zürich" or 東京'},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius"},
                "days": {"type": "array", "items": {"type": "integer", "minimum": 0}, "description": "days ahead"},
            },
            "required": ["location"],
        },
        "return": {"type": "object", "description": "weather"},
    },
}
NESTED = {
    "type": "function",
    "function": {
        "name": "create_event",
        "description": "Créer un évènement\nwith 'quotes' and \\ backslash",
        "parameters": {
            "type": "object",
            "properties": {
                "event": {
                    "type": "object",
                    "description": "the event",
                    "properties": {
                        "title": {"type": "string"},
                        "at": {"type": ["string", "null"], "nullable": True},
                        "guests": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "properties": {"mail": {"type": "string"}},
                                "required": ["mail"],
                            },
                        },
                    },
                    "required": ["title"],
                },
                "priority": {"anyOf": [{"type": "integer"}, {"type": "string"}], "maximum": 1.5e-7},
                "dry_run": {"type": "boolean", "default": False},
            },
            "required": ["event"],
            "additionalProperties": False,
        },
    },
}
NO_PARAMETERS = {
    "type": "function",
    "function": {"name": "ping", "description": "", "parameters": {"type": "object", "properties": {}}},
}

USER = {"role": "user", "content": "Hello, how are you?"}
SYSTEM = {"role": "system", "content": "You are a helpful assistant.\nBe brief. "}
REPLY = {"role": "assistant", "content": "I'm fine, thanks!"}
SECOND = {"role": "user", "content": '  Tell me a joke about <naïve> "quotes" & emoji 🦜\n\n'}
THOUGHT = {"role": "assistant", "content": "<think>\nThe user greets me.\n</think>\n\nHello there!"}
REASONED = {"role": "assistant", "content": "Four.", "reasoning_content": "2+2 is\n4", "thinking": "2+2 is\n4"}


def call(arguments, identifier="call00001", content="", name="get_weather"):
    function = {"name": name, "arguments": arguments}
    return {
        "role": "assistant",
        "content": content,
        "tool_calls": [{"id": identifier, "type": "function", "function": function}],
    }


ARGUMENTS = {"location": "Zürich", "unit": "celsius", "days": [1, 2], "precise": True, "limit": None, "scale": 0.5}
RESULT = {
    "role": "tool",
    "tool_call_id": "call00001",
    "name": "get_weather",
    "content": '{"temperature": 21.5, "sky": "☀️"}',
}
SECOND_RESULT = {"role": "tool", "tool_call_id": "call00002", "name": "ping", "content": "pong"}
TWO_CALLS = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {"id": "call00001", "type": "function", "function": {"name": "get_weather", "arguments": ARGUMENTS}},
        {"id": "call00002", "type": "function", "function": {"name": "ping", "arguments": {}}},
    ],
}
PARTS = {
    "role": "user",
    "content": [{"type": "text", "text": "What is this?"}, {"type": "image"}, {"type": "text", "text": " And that?"}],
}


def contexts():
    out = []

    def add(name, messages, tools=None, prompt=True, **more):
        context = {
            "messages": messages,
            "tools": tools,
            "add_generation_prompt": prompt,
            "bos_token": "<s>",
            "eos_token": "</s>",
        }
        context.update(more)
        out.append({"name": name, "context": context})

    tools = [WEATHER, NESTED, NO_PARAMETERS]
    conversation = [SYSTEM, USER, REPLY, SECOND]
    add("user", [USER])
    add("user-no-prompt", [USER], prompt=False)
    add("system-user", [SYSTEM, USER])
    add("turns", conversation)
    add("turns-no-prompt", [*conversation, REPLY], prompt=False)
    add("no-system-turns", [USER, REPLY, SECOND])
    add("thought", [SYSTEM, USER, THOUGHT, SECOND])
    add("reasoned", [USER, REASONED, SECOND, REASONED], prompt=False, enable_thinking=True)
    add("thinking-on", conversation, enable_thinking=True, thinking=True, reasoning_effort="high")
    add("thinking-off", conversation, enable_thinking=False, thinking=False, reasoning_effort="low")
    add("tools", [SYSTEM, USER], tools)
    add("tools-no-system", [USER], tools)
    add("tools-thinking-off", [USER], tools, enable_thinking=False, builtin_tools=["brave_search", "code_interpreter"])
    add(
        "tools-in-system",
        [SYSTEM, USER],
        tools,
        tools_in_user_message=False,
        date_string="26 Jul 2024",
        today="2024-07-26",
    )
    add("tool-call", [USER, call(ARGUMENTS)], tools, prompt=False)
    add("tool-result", [SYSTEM, USER, call(ARGUMENTS), RESULT], tools)
    add("tool-answered", [USER, call(ARGUMENTS, content="Let me look."), RESULT, REPLY, SECOND], tools)
    add("tool-two", [SYSTEM, USER, TWO_CALLS, RESULT, SECOND_RESULT], tools)
    add(
        "tool-reasoned",
        [USER, {**call(ARGUMENTS), "reasoning_content": "I need the weather."}, RESULT],
        tools,
        enable_thinking=True,
    )
    add("tool-string-arguments", [USER, call('{"location": "Paris"}'), RESULT], tools)
    add("tool-none-content", [USER, {**call(ARGUMENTS), "content": None}, RESULT], [WEATHER])
    add("parts", [SYSTEM, PARTS])
    add(
        "parts-all",
        [
            {"role": "system", "content": [{"type": "text", "text": "Sys"}]},
            PARTS,
            {"role": "assistant", "content": [{"type": "text", "text": "A cat."}]},
        ],
    )
    add("empty-content", [{"role": "system", "content": ""}, {"role": "user", "content": ""}])
    add("none-content", [{"role": "user", "content": None}, {"role": "assistant", "content": None}], prompt=False)
    add("no-messages", [])
    add("assistant-first", [REPLY, USER])
    add("two-users", [USER, SECOND])
    add("system-late", [USER, SYSTEM, SECOND])
    add("unknown-role", [USER, {"role": "narrator", "content": "Meanwhile…"}])
    add("developer", [{"role": "developer", "content": "Answer in verse."}, USER])
    add(
        "documents",
        [USER],
        documents=[{"title": "A", "text": "Text of A"}, {"title": "B", "text": "Ünïcode", "doc_id": 2}],
    )
    flat = [
        {
            "name": "search",
            "description": "Search\nthe web",
            "parameter_definitions": {
                "q": {"type": "str", "description": "query", "required": True},
                "n": {"type": "int", "description": "how many", "required": False},
            },
        }
    ]
    add("tools-command-r", [SYSTEM, USER, REPLY, SECOND], flat)
    add("functions", conversation, functions=json.dumps([WEATHER["function"]]), datetime="2024-07-26")
    add(
        "functions-call",
        [USER, call('{"location": "Paris"}'), RESULT],
        [WEATHER],
        functions=json.dumps([WEATHER["function"]]),
        datetime="2024-07-26",
    )
    add("no-tokens", conversation, bos_token="", eos_token="")
    return out
