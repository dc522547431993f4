// Every case in every way it may be cut, and what must hold of every dialect.
#include "assistant/dialects/reply.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <random>

#include "assistant/dialects/test_cases.h"

namespace ingle::assistant {
namespace {

using Kind = Delta::Kind;

std::vector<ReplyCase> all_cases() {
  std::vector<ReplyCase> cases = json_cases();
  std::ranges::move(other_cases(), std::back_inserter(cases));
  return cases;
}

/// Deltas of a text pushed in pieces that end at `cuts`, joined where they continue one another.
std::vector<Delta> deltas_of(const ReplyCase& one, const std::vector<size_t>& cuts, bool stream = true) {
  ReplyParser parser(*find_dialect(one.dialect), test_tools(),
                     {.starts_in_reasoning = one.starts_in_reasoning, .stream_arguments = stream});
  std::vector<Delta> joined;
  const auto take = [&](std::vector<Delta> deltas) {
    for (Delta& delta : deltas) {
      const bool joins =
          delta.kind == Kind::reasoning || delta.kind == Kind::content || delta.kind == Kind::call_arguments;
      EXPECT_FALSE(joins && delta.text.empty()) << one.what;
      if (joins && !joined.empty() && joined.back().kind == delta.kind && joined.back().call == delta.call) {
        joined.back().text += delta.text;
      } else {
        joined.push_back(std::move(delta));
      }
    }
  };
  size_t from = 0;
  for (const size_t cut : cuts) {
    take(parser.push(one.text.substr(from, cut - from)));
    from = cut;
  }
  take(parser.push(one.text.substr(from)));
  take(parser.finish());
  EXPECT_TRUE(parser.finish().empty());
  EXPECT_TRUE(parser.push("more").empty());
  return joined;
}

void expect_reply(const ReplyCase& one, const Reply& got) {
  SCOPED_TRACE(std::string(one.dialect) + ": " + std::string(one.what));
  EXPECT_EQ(got.reasoning, one.want.reasoning);
  EXPECT_EQ(got.content, one.want.content);
  EXPECT_EQ(got.notes.size(), one.want.notes.size());
  ASSERT_EQ(got.calls.size(), one.want.calls.size());
  for (size_t i = 0; i < got.calls.size(); ++i) {
    Call call = got.calls[i], want = one.want.calls[i];
    if (want.whole) {
      const auto value = base::parse_json(call.arguments), wanted = base::parse_json(want.arguments);
      ASSERT_TRUE(wanted);
      ASSERT_TRUE(value) << call.arguments;
      EXPECT_EQ(*value, *wanted);
      call.arguments = want.arguments;
    }
    EXPECT_EQ(call, want);
  }
}

TEST(Reply, ComesApart) {
  for (const ReplyCase& one : all_cases()) expect_reply(one, collect(deltas_of(one, {})));
}

TEST(Reply, AnyCutGivesTheSame) {
  std::mt19937 random(7);
  for (const ReplyCase& one : all_cases()) {
    SCOPED_TRACE(std::string(one.dialect) + ": " + std::string(one.what));
    const std::vector<Delta> whole = deltas_of(one, {});
    std::vector<size_t> every;
    for (size_t cut = 1; cut < one.text.size(); ++cut) {
      every.push_back(cut);
      ASSERT_EQ(deltas_of(one, {cut}), whole) << "cut at " << cut;
    }
    ASSERT_EQ(deltas_of(one, every), whole);
    for (int round = 0; round < 30; ++round) {
      std::vector<size_t> some;
      std::ranges::copy_if(every, std::back_inserter(some), [&](size_t) { return random() % 4 == 0; });
      ASSERT_EQ(deltas_of(one, some), whole);
    }
  }
}

/// What came before the end of a text that is cut off is what comes of the whole text, too.
TEST(Reply, ACutOffReplyIsAPrefix) {
  for (ReplyCase one : all_cases()) {
    SCOPED_TRACE(std::string(one.dialect) + ": " + std::string(one.what));
    const std::vector<Delta> whole = deltas_of(one, {});
    const std::string_view text = one.text;
    for (size_t size = 0; size < text.size(); ++size) {
      ReplyParser parser(*find_dialect(one.dialect), test_tools(), {.starts_in_reasoning = one.starts_in_reasoning});
      const std::vector<Delta> got = parser.push(text.substr(0, size));
      for (size_t i = 0; i < got.size(); ++i) {
        ASSERT_LT(i, whole.size());
        ASSERT_EQ(got[i].kind, whole[i].kind) << text.substr(0, size);
        ASSERT_TRUE(whole[i].text.starts_with(got[i].text));
        ASSERT_TRUE(i + 1 == got.size() || whole[i].text == got[i].text);
      }
    }
  }
}

TEST(Reply, CallsThatDontStreamAreTheSame) {
  for (const ReplyCase& one : all_cases()) {
    SCOPED_TRACE(std::string(one.dialect) + ": " + std::string(one.what));
    const Reply streamed = collect(deltas_of(one, {}));
    const std::vector<Delta> deltas = deltas_of(one, {}, false);
    const Reply held = collect(deltas);
    for (const Delta& delta : deltas) {
      EXPECT_NE(delta.kind, Kind::call_invalid);
      EXPECT_NE(delta.kind, Kind::call_cut);
    }
    std::vector<Call> whole = streamed.calls;
    const bool cut = std::erase_if(whole, [](const Call& call) { return !call.whole; }) > 0;
    EXPECT_EQ(held.calls, whole);
    EXPECT_EQ(held.content, cut ? std::string(one.text) : streamed.content);
  }
}

/// A call's deltas are begin, arguments, end, and the numbers of calls count up.
TEST(Reply, DeltasOfCallsKeepTheirOrder) {
  for (const ReplyCase& one : all_cases()) {
    SCOPED_TRACE(std::string(one.dialect) + ": " + std::string(one.what));
    size_t next = 0;
    bool open = false;
    for (const Delta& delta : deltas_of(one, {})) {
      if (delta.kind == Kind::call_begin) {
        EXPECT_FALSE(open);
        EXPECT_EQ(delta.call, next);
        open = true;
      } else if (delta.kind == Kind::call_arguments) {
        EXPECT_TRUE(open);
        EXPECT_EQ(delta.call, next);
      } else if (delta.kind == Kind::call_end || delta.kind == Kind::call_cut || delta.kind == Kind::call_invalid) {
        EXPECT_TRUE(open);
        EXPECT_EQ(delta.call, next++);
        open = false;
      } else {
        EXPECT_FALSE(open && delta.kind == Kind::content);
      }
    }
    EXPECT_FALSE(open);
  }
}

TEST(Reply, ArgumentsStream) {
  ReplyParser parser(*find_dialect("hermes"), test_tools());
  const std::vector<Delta> first = parser.push(R"(<tool_call>{"name": "run", "arguments": {"code": "ab)");
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0], (Delta{Kind::call_begin, 0, "run"}));
  EXPECT_EQ(first[1], (Delta{Kind::call_arguments, 0, R"({"code": "ab)"}));
  EXPECT_EQ(parser.push("c"), (std::vector<Delta>{{Kind::call_arguments, 0, "c"}}));

  ReplyParser xml(*find_dialect("qwen_coder"), test_tools());
  (void)xml.push("<tool_call>\n<function=run>\n<parameter=code>\n");
  EXPECT_EQ(xml.push("a\"b\n"), (std::vector<Delta>{{Kind::call_arguments, 0, "a\\\"b"}}));
}

TEST(Reply, TextStreams) {
  for (const Dialect* dialect : all_dialects()) {
    ReplyParser parser(*dialect, test_tools());
    EXPECT_EQ(parser.push("Hello"), (std::vector<Delta>{{Kind::content, 0, "Hello"}})) << dialect->name;
    EXPECT_EQ(parser.push(" "), (std::vector<Delta>{})) << dialect->name;
    EXPECT_EQ(parser.push("you"), (std::vector<Delta>{{Kind::content, 0, " you"}})) << dialect->name;
  }
}

/// No dialect may lose or change a text without its marks.
TEST(Reply, PlainTextStaysAsItIs) {
  static constexpr std::string_view texts[] = {
      "A list:\n\n- one {a}\n- two [b](c)\n\n```python\nprint(\"{}\")\n```\nEnd. a < b > c, <b>bold</b> «é» 🦜",
      "x = [1, 2]",
      "Use `<|x|>` and <x>, </x>.",
      "<",
      "a <",
      "a [TOOL",
      "a<｜tool",
      "a </think> b"};
  for (const Dialect* dialect : all_dialects()) {
    for (const std::string_view text : texts) {
      EXPECT_EQ(parse_reply(*dialect, test_tools(), text), (Reply{.content = std::string(text)})) << dialect->name;
    }
  }
}

TEST(Reply, WithoutToolsNoCallIsLookedFor) {
  for (const ReplyCase& one : all_cases()) {
    const Reply got =
        parse_reply(*find_dialect(one.dialect), {}, one.text, {.starts_in_reasoning = one.starts_in_reasoning});
    EXPECT_TRUE(got.calls.empty());
    EXPECT_TRUE(got.notes.empty());
    EXPECT_EQ(got.reasoning, one.want.reasoning);
  }
}

/// Each dialect reads every other's replies, too: as calls or as text, but without loss of what is no mark.
TEST(Reply, ForeignRepliesAreNotLost) {
  for (const Dialect* dialect : all_dialects()) {
    for (const ReplyCase& one : all_cases()) {
      const Reply got = parse_reply(*dialect, test_tools(), one.text);
      if (!got.calls.empty() || !got.reasoning.empty()) continue;
      if (one.text.find("think") != one.text.npos || one.text.find("[]") != one.text.npos) continue;
      const auto trim = [](std::string_view text) {
        const size_t first = text.find_first_not_of(" \t\r\n");
        if (first == text.npos) return std::string_view();
        return text.substr(first, text.find_last_not_of(" \t\r\n") + 1 - first);
      };
      EXPECT_EQ(trim(got.content), trim(one.text)) << dialect->name << " " << one.what;
    }
  }
}

TEST(Reply, LongRepliesTakeTimeInProportion) {
  const auto start = std::chrono::steady_clock::now();
  for (const Dialect* dialect : all_dialects()) {
    for (const std::string_view part :
         {"<tool_call>", "<tool_call><function=run><parameter=code>", "[TOOL_CALLS]run[ARGS]{\"", "</parameter> ", "[",
          "{\"name\":", "<start_function_call>call:run{code:<escape>", "<think>", "<｜tool▁call▁begin｜>", "functools[",
          "   \n"}) {
      std::string text;
      while (text.size() < 400'000) text += part;
      (void)parse_reply(*dialect, test_tools(), text);
    }
  }
  // Half a second here; a step that looks at all of the text again would take minutes.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}

}  // namespace
}  // namespace ingle::assistant
