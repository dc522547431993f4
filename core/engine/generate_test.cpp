// Generation over an engine that plays a script: what is shown, when it ends, and what the sequence then holds.
#include "core/engine/generate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "core/engine/text_stream.h"

namespace ingle::core {
namespace {

using base::Error;
using base::ErrorCode;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr TokenId kStop = 0, kEot = 1;

/// A vocabulary of byte strings. Tokens 0 and 1 stop; token 2 is special.
class FakeTokenizer final : public Tokenizer {
 public:
  explicit FakeTokenizer(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {}
  std::vector<TokenId> encode(std::string_view, const EncodeOptions&) const override { return {}; }
  std::string decode(std::span<const TokenId> ids, bool show_special) const override {
    std::string text;
    for (const TokenId id : ids) text += token_bytes(id, show_special);
    return text;
  }
  std::string token_bytes(TokenId id, bool show_special) const override {
    return id > 2 || show_special ? pieces_.at(static_cast<size_t>(id)) : "";
  }
  uint32_t vocabulary_size() const override { return static_cast<uint32_t>(pieces_.size()); }
  std::string_view token_text(TokenId id) const override { return pieces_.at(static_cast<size_t>(id)); }
  TokenKind token_kind(TokenId id) const override { return id <= 2 ? TokenKind::control : TokenKind::normal; }
  std::optional<TokenId> find_token(std::string_view) const override { return std::nullopt; }
  const SpecialIds& special() const override { return special_; }
  const std::vector<TokenId>& stop_ids() const override { return stops_; }
  uint64_t memory_bytes() const override { return 0; }

 private:
  std::vector<std::string> pieces_;
  SpecialIds special_;
  std::vector<TokenId> stops_ = {kStop, kEot};
};

class FakeSequence final : public Sequence {
 public:
  explicit FakeSequence(uint32_t capacity) : capacity_(capacity) {}
  uint32_t length() const override { return static_cast<uint32_t>(tokens.size()); }
  uint32_t capacity() const override { return capacity_; }
  uint32_t truncate(uint32_t length) override {
    tokens.resize(std::min<size_t>(length, tokens.size()));
    return this->length();
  }
  base::Result<std::unique_ptr<Sequence>> fork() const override { return Error{ErrorCode::internal, "not here"}; }
  std::vector<TokenId> tokens;

 private:
  uint32_t capacity_;
};

/// Its logits favour the script's tokens, one after the other from the prompt's end on.
class FakeEngine final : public Engine {
 public:
  FakeEngine(std::vector<std::string> pieces, std::vector<TokenId> script)
      : tokenizer_(std::move(pieces)), script_(std::move(script)) {
    info_.vocabulary_size = tokenizer_.vocabulary_size();
  }

  const EngineInfo& info() const override { return info_; }
  const ModelFile& file() const override { return file_; }
  const Tokenizer& tokenizer() const override { return tokenizer_; }
  const ChatTemplate* chat_template() const override { return nullptr; }
  const SamplingParams& default_sampling() const override { return sampling_; }
  void start_profile() override {}
  std::vector<OperationProfile> profile() const override { return {}; }
  base::Result<MachineLimits> measure_limits() override { return MachineLimits(); }
  base::Status start_trace() override { return {}; }
  base::Status write_trace(const std::filesystem::path&) const override { return {}; }
  Inspector* inspector() override { return nullptr; }
  uint64_t preload(uint64_t, uint64_t) override { return 0; }
  void use_threads(uint32_t) override {}
  base::Result<std::unique_ptr<Sequence>> new_sequence() override { return Error{ErrorCode::internal, "not here"}; }

  base::Result<std::span<float>> forward(Sequence& sequence, std::span<const TokenId> tokens, LogitRows rows,
                                         const std::function<bool()>& cancelled) override {
    auto& held = static_cast<FakeSequence&>(sequence);
    EXPECT_NE(rows, LogitRows::none);
    ++calls;
    if (held.length() + tokens.size() > held.capacity()) return Error{ErrorCode::limit_exceeded, "too long"};
    if (calls == fail_at_call) return Error{ErrorCode::io_error, "the disk is gone"};
    if (tokens.size() > 1 && rows == LogitRows::all && !memory_for_all)
      return Error{ErrorCode::out_of_memory, "too many rows"};
    if (prompt_size == 0) prompt_size = held.length() + tokens.size();
    held.tokens.insert(held.tokens.end(), tokens.begin(), tokens.end());
    if (cancelled && cancelled()) return Error{ErrorCode::cancelled, "cancelled"};
    const size_t count = rows == LogitRows::all ? tokens.size() : 1, vocabulary = tokenizer_.vocabulary_size();
    logits_.assign(count * vocabulary, 0.0f);
    for (size_t row = 0; row < count; ++row) {
      // Not what the text's tokens say, but where they are: a token taken for another would be noticed.
      const size_t at = held.length() - count + row + 1 - prompt_size;
      logits_[row * vocabulary + static_cast<size_t>(script_[std::min(at, script_.size() - 1)])] = 20;
    }
    return std::span<float>(logits_);
  }
  base::Result<std::span<const TokenLogit>> forward_best(Sequence& sequence, std::span<const TokenId> tokens,
                                                         LogitRows rows, uint32_t count,
                                                         const std::function<bool()>& cancelled) override {
    INGLE_TRY(const std::span<float> logits, forward(sequence, tokens, rows, cancelled));
    const size_t vocabulary = tokenizer_.vocabulary_size();
    best_.resize(logits.size() / vocabulary * count);
    for (size_t row = 0; row < logits.size() / vocabulary; ++row) {
      BestTokens best{std::span(best_).subspan(row * count, count)};
      best.offer(logits.subspan(row * vocabulary, vocabulary), 0);
      best.sort();
    }
    return std::span<const TokenLogit>(best_);
  }

  uint64_t sequence_bytes(uint32_t) const override { return 0; }
  uint64_t sequence_bytes_in_use() const override { return 0; }
  base::Status save_sequence(const Sequence&, std::span<const TokenId>, const std::filesystem::path&) override {
    return Error{ErrorCode::internal, "not here"};
  }
  base::Result<RestoredSequence> restore_sequence(const std::filesystem::path&) override {
    return Error{ErrorCode::internal, "not here"};
  }
  base::Status write_sequence(const Sequence&, std::span<const TokenId>, std::string_view,
                              const StateWriter&) override {
    return Error{ErrorCode::internal, "not here"};
  }
  base::Result<RestoredSequence> read_sequence(const StateReader&, uint64_t, std::string_view) override {
    return Error{ErrorCode::internal, "not here"};
  }
  base::Result<StateHead> read_sequence_head(const StateReader&, uint64_t) override {
    return Error{ErrorCode::internal, "not here"};
  }
  base::Result<std::span<float>> forward_batch(std::span<const SequenceTokens>) override {
    return Error{ErrorCode::internal, "not here"};
  }
  base::Result<std::span<const TokenLogit>> forward_batch_best(std::span<const SequenceTokens>, uint32_t) override {
    return Error{ErrorCode::internal, "not here"};
  }
  base::Status check_text(const EncoderText&) const override { return Error{ErrorCode::internal, "not here"}; }
  base::Result<std::span<const float>> embed(std::span<const EncoderText>, const std::function<bool()>&) override {
    return Error{ErrorCode::internal, "not here"};
  }

  size_t calls = 0, fail_at_call = 0, prompt_size = 0;
  bool memory_for_all = true;

 private:
  FakeTokenizer tokenizer_;
  std::vector<TokenId> script_;
  ModelFile file_;
  EngineInfo info_;
  SamplingParams sampling_;
  std::vector<float> logits_;
  std::vector<TokenLogit> best_;
};

const std::vector<std::string> kPieces = {"</s>", "<|eot|>", "<|x|>",    "Hello",    " wor", "ld",     "\n",
                                          "User", ":",       "\xF0\x9F", "\x98\x80", "\xE2", "a\xFFz", "END"};
enum Piece : TokenId { hello = 3, wor, ld, newline, user, colon, grin1, grin2, broken, invalid, end };

struct Outcome {
  GenerateResult result;
  std::vector<std::string> shown;
  std::vector<TokenId> held;
  size_t calls = 0;
};

class Generate : public testing::Test {
 protected:
  Generate() { options.sampling.temperature = 0; }

  /// Runs `script` after the prompt, of which the sequence holds the first `held` tokens.
  Outcome run(std::vector<TokenId> script) {
    FakeEngine engine(kPieces, std::move(script));
    engine.memory_for_all = memory_for_all;
    FakeSequence sequence(capacity);
    sequence.tokens.assign(prompt.begin(), prompt.begin() + held);
    Outcome outcome;
    auto result = generate(
        engine, sequence, prompt, options,
        [&](std::string_view text) {
          outcome.shown.emplace_back(text);
          return outcome.shown.size() < listen_to;
        },
        [&] { return engine.calls >= cancel_at_call; });
    EXPECT_TRUE(result.ok());
    if (result) outcome.result = *result;
    outcome.held = sequence.tokens;
    outcome.calls = engine.calls;
    std::string all;
    for (const std::string& text : outcome.shown) all += text;
    EXPECT_EQ(all, outcome.result.text);
    return outcome;
  }

  GenerateOptions options;
  std::vector<TokenId> prompt = {hello, wor};
  ptrdiff_t held = 0;
  uint32_t capacity = 100;
  size_t listen_to = 1000, cancel_at_call = 1000;
  bool memory_for_all = true;
};

TEST_F(Generate, EndsAtAStopTokenWithoutIt) {
  for (const TokenId stop : {kStop, kEot}) {
    const Outcome outcome = run({hello, wor, ld, stop, newline});
    EXPECT_EQ(outcome.result.reason, StopReason::stop_token);
    EXPECT_EQ(outcome.result.text, "Hello world");
    EXPECT_THAT(outcome.result.tokens, ElementsAre(hello, wor, ld));
    EXPECT_THAT(outcome.shown, ElementsAre("Hello", " wor", "ld"));
    EXPECT_THAT(outcome.held, ElementsAre(hello, wor, hello, wor, ld));
    EXPECT_EQ(outcome.result.prompt_tokens, 2u);
  }
}

TEST_F(Generate, GoesOnPastStopTokensWhenTold) {
  options.ignore_stop_tokens = true;
  options.max_tokens = 3;
  const Outcome outcome = run({hello, kStop, ld});
  EXPECT_EQ(outcome.result.reason, StopReason::length);
  EXPECT_THAT(outcome.result.tokens, ElementsAre(hello, kStop, ld));
  EXPECT_EQ(outcome.result.text, "Hellold");
}

TEST_F(Generate, ShowsSpecialTokensOnlyWhenTold) {
  EXPECT_EQ(run({hello, 2, ld, kStop}).result.text, "Hellold");
  options.show_special = true;
  EXPECT_EQ(run({hello, 2, ld, kStop}).result.text, "Hello<|x|>ld");
}

TEST_F(Generate, EndsAtTheGivenLength) {
  options.max_tokens = 2;
  const Outcome outcome = run({hello, wor, ld, kStop});
  EXPECT_EQ(outcome.result.reason, StopReason::length);
  EXPECT_THAT(outcome.result.tokens, ElementsAre(hello, wor));
  EXPECT_THAT(outcome.held, ElementsAre(hello, wor, hello)) << "no pass for a token that nothing follows";
}

TEST_F(Generate, EndsWhereTheContextIsFull) {
  capacity = 4;
  const Outcome outcome = run({hello, wor, ld, newline, kStop});
  EXPECT_EQ(outcome.result.reason, StopReason::context_full);
  EXPECT_THAT(outcome.result.tokens, ElementsAre(hello, wor, ld));
  EXPECT_EQ(outcome.held.size(), 4u);
}

TEST_F(Generate, HoldsBackWhatMayBecomeAStopString) {
  options.stop_strings = {"\nUser:"};
  const Outcome outcome = run({hello, newline, user, colon, ld});
  EXPECT_EQ(outcome.result.reason, StopReason::stop_string);
  EXPECT_EQ(outcome.result.text, "Hello");
  EXPECT_THAT(outcome.shown, ElementsAre("Hello"));
  const Outcome other = run({hello, newline, user, ld, kStop});
  EXPECT_EQ(other.result.reason, StopReason::stop_token);
  EXPECT_THAT(other.shown, ElementsAre("Hello", "\nUserld"));
}

TEST_F(Generate, FlushesWhatWasHeldAtTheEnd) {
  options.stop_strings = {"\nUser:"};
  const Outcome outcome = run({hello, newline, user, kStop});
  EXPECT_EQ(outcome.result.reason, StopReason::stop_token);
  EXPECT_THAT(outcome.shown, ElementsAre("Hello", "\nUser"));
}

TEST_F(Generate, NeverSplitsACodePoint) {
  const Outcome outcome = run({hello, grin1, grin2, ld, kStop});
  EXPECT_THAT(outcome.shown, ElementsAre("Hello", "\U0001F600", "ld"));
}

TEST_F(Generate, ShowsReplacementsForWhatIsNotUtf8) {
  EXPECT_THAT(run({invalid, kStop}).shown, ElementsAre("a\uFFFDz"));
  EXPECT_THAT(run({hello, grin1, kStop}).shown, ElementsAre("Hello", "\uFFFD"));
  EXPECT_THAT(run({broken, hello, kStop}).shown, ElementsAre("\uFFFDHello"));
  EXPECT_THAT(run({grin2, kStop}).shown, ElementsAre("\uFFFD\uFFFD")) << "two stray continuation bytes";
}

TEST_F(Generate, StopsWhenTheListenerDoes) {
  listen_to = 2;
  const Outcome outcome = run({hello, wor, ld, newline, kStop});
  EXPECT_EQ(outcome.result.reason, StopReason::cancelled);
  EXPECT_THAT(outcome.result.tokens, ElementsAre(hello, wor));
}

TEST_F(Generate, StopsWhenCancelledBetweenTokens) {
  cancel_at_call = 3;
  const Outcome outcome = run({hello, wor, ld, newline, kStop});
  EXPECT_EQ(outcome.result.reason, StopReason::cancelled);
  EXPECT_EQ(outcome.result.text, "Hello wor");
}

TEST_F(Generate, CancelledInThePromptLeavesTheSequenceAsItWas) {
  cancel_at_call = 1;
  const Outcome outcome = run({hello});
  EXPECT_EQ(outcome.result.reason, StopReason::cancelled);
  EXPECT_THAT(outcome.shown, IsEmpty());
  EXPECT_THAT(outcome.held, IsEmpty());
}

TEST_F(Generate, PenaltiesSeeThePrompt) {
  options.sampling.repeat_penalty = 100;
  options.max_tokens = 1;
  // The script wants "Hello" (20), which the prompt holds (20 / 100 = 0.2 > 0): still it; with a presence penalty not.
  EXPECT_THAT(run({hello}).result.tokens, ElementsAre(hello));
  options.sampling.presence_penalty = 1;
  EXPECT_THAT(run({hello}).result.tokens, IsEmpty()) << "token 0, which stops, is the first of the others";
}

TEST_F(Generate, ComputesOnlyWhatTheSequenceLacks) {
  prompt = {user, colon, hello, wor};
  held = 3;
  const Outcome outcome = run({ld, kStop});
  EXPECT_EQ(outcome.result.prompt_tokens, 1u);
  EXPECT_THAT(outcome.held, ElementsAre(user, colon, hello, wor, ld));
}

TEST_F(Generate, PenaltiesSeeWhatTheSequenceHolds) {
  options.sampling.presence_penalty = 30;
  options.max_tokens = 1;
  prompt = {ld, user, colon};
  held = 2;
  EXPECT_THAT(run({ld}).result.tokens, IsEmpty()) << "token 0, which stops, is the first of the others";
  options.sampling.penalty_last_n = 2;  // back to "User", no further
  EXPECT_THAT(run({ld}).result.tokens, ElementsAre(ld));
  EXPECT_THAT(run({user}).result.tokens, IsEmpty());
}

TEST_F(Generate, PenaltiesSeeWhatWasGenerated) {
  options.sampling.presence_penalty = 30;
  // "ld" is wanted twice (20, then 20 - 30); the second time token 0, which stops, is the first of the others.
  const Outcome outcome = run({ld, ld, ld});
  EXPECT_THAT(outcome.result.tokens, ElementsAre(ld));
}

TEST_F(Generate, AStopStringMayBeFoundInTheLastFlush) {
  options.stop_strings = {"\uFFFD"};
  const Outcome outcome = run({hello, grin1, kStop});
  EXPECT_EQ(outcome.result.reason, StopReason::stop_string);
  EXPECT_EQ(outcome.result.text, "Hello");
}

// Wherever the text ends, within what was computed ahead or not.
TEST_F(Generate, SpeculationChangesNothingButTheTime) {
  std::vector<TokenId> script;
  for (int i = 0; i < 5; ++i) script.insert(script.end(), {hello, wor, ld, newline, i % 2 == 0 ? user : colon, end});
  const size_t length = script.size();
  script.insert(script.end(), {kStop, hello, wor, ld});
  const auto compare = [&](const std::string& what) {
    options.speculation = {};
    const Outcome plain = run(script);
    options.speculation = {.lookup = true, .always = true};
    const Outcome fast = run(script);
    EXPECT_EQ(fast.result.tokens, plain.result.tokens) << what;
    EXPECT_EQ(fast.result.reason, plain.result.reason) << what;
    EXPECT_EQ(fast.shown, plain.shown) << what;
    EXPECT_EQ(fast.held, plain.held) << what;
    EXPECT_LE(fast.result.taken_tokens, fast.result.proposed_tokens) << what;
    EXPECT_EQ(fast.calls + fast.result.taken_tokens, plain.calls) << what;
    return fast.result.taken_tokens;
  };
  EXPECT_GT(compare("to the stop token"), length / 3);
  for (uint32_t most = 1; most < length; ++most) {
    options.max_tokens = most;
    compare("max_tokens " + std::to_string(most));
  }
  options.max_tokens = 0;
  for (capacity = 3; capacity < length + 4; ++capacity) compare("capacity " + std::to_string(capacity));
  capacity = 100;
  for (listen_to = 1; listen_to < length; ++listen_to) compare("listens to " + std::to_string(listen_to));
  listen_to = 1000;
  options.stop_strings = {"END\nEND", "ldEND", "\n:END"};
  EXPECT_GT(compare("stop strings"), 0u);
  options.stop_strings.clear();
  options.sampling.presence_penalty = 1;
  EXPECT_GT(compare("penalties"), 0u);
}

TEST_F(Generate, SpeculatesNoMoreWithoutMemoryForIt) {
  const std::vector<TokenId> script = {hello, wor, hello, wor, hello, wor, hello, wor, kStop};
  options.speculation = {.lookup = true, .always = true};
  memory_for_all = false;
  const Outcome outcome = run(script);
  EXPECT_EQ(outcome.result.tokens.size(), 8u);
  EXPECT_EQ(outcome.result.proposed_tokens, 0u);
  EXPECT_EQ(outcome.result.reason, StopReason::stop_token);
}

TEST_F(Generate, DraftsOnlyWithTheSameVocabulary) {
  FakeEngine engine(kPieces, {}), same(kPieces, {});
  EXPECT_EQ(DraftModel::create(engine, same).error().code, ErrorCode::internal) << "there are no sequences here";
  std::vector<std::string> more = kPieces, changed = kPieces;
  more.emplace_back("more");
  changed.back() = "end";
  for (const auto& pieces : {more, changed}) {
    FakeEngine other(pieces, {});
    EXPECT_EQ(DraftModel::create(engine, other).error().code, ErrorCode::invalid_argument);
  }
}

TEST_F(Generate, MeasuresTimes) {
  const GenerateResult result = run({hello, wor, kStop}).result;
  EXPECT_GT(result.prefill_ms, 0);
  EXPECT_GE(result.first_token_ms, result.prefill_ms);
  EXPECT_GT(result.decode_ms, 0);
}

TEST_F(Generate, PassesErrorsOn) {
  FakeEngine engine(kPieces, {hello});
  FakeSequence sequence(4);
  const auto code_of = [&](const std::vector<TokenId>& tokens) {
    const auto result = generate(engine, sequence, tokens, options, {});
    return result.ok() ? std::string("none") : std::string(base::error_code_name(result.error().code));
  };
  EXPECT_EQ(code_of({}), "invalid_argument");
  sequence.tokens = {hello, wor};
  EXPECT_EQ(code_of({hello, wor}), "invalid_argument") << "there would be no logits to start from";
  EXPECT_EQ(sequence.tokens.size(), 2u);
  sequence.tokens.clear();
  EXPECT_EQ(code_of({3, 3, 3, 3, 3}), "limit_exceeded");
  options.sampling.top_p = 7;
  EXPECT_EQ(code_of({3}), "invalid_argument");
  options.sampling.top_p = 1;
  engine.calls = engine.prompt_size = 0;
  engine.fail_at_call = 2;
  EXPECT_EQ(code_of({3}), "io_error") << "in the second pass";
}

TEST(TextStream, FindsTheFirstOfSeveralStops) {
  TextStream stream({"", "END", "EN", "xyz"});
  EXPECT_EQ(stream.push("abcE"), "abc");
  EXPECT_EQ(stream.push("xy"), "E");
  EXPECT_EQ(stream.push("E"), "xy");
  EXPECT_FALSE(stream.stopped());
  EXPECT_EQ(stream.push("ND"), "");
  EXPECT_TRUE(stream.stopped());
  EXPECT_EQ(stream.push("more"), "");
  EXPECT_EQ(stream.finish(), "");
}

TEST(TextStream, AStopStringMayBeginWithinAnotherMatch) {
  TextStream stream({"aab"});
  EXPECT_EQ(stream.push("aa"), "");
  EXPECT_EQ(stream.push("a"), "a");
  EXPECT_EQ(stream.push("b!"), "");
  EXPECT_TRUE(stream.stopped());
}

TEST(TextStream, EveryCutGivesTheSameText) {
  const std::string text = "naïve \U0001F469\u200D\U0001F680 STO STOPS";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    for (size_t cut2 = cut; cut2 <= text.size(); ++cut2) {
      TextStream stream({"STOP"});
      std::string shown = stream.push(text.substr(0, cut));
      shown += stream.push(text.substr(cut, cut2 - cut));
      shown += stream.push(text.substr(cut2));
      shown += stream.finish();
      ASSERT_EQ(shown, "naïve \U0001F469\u200D\U0001F680 STO ") << cut << " " << cut2;
      ASSERT_TRUE(stream.stopped());
    }
  }
}

TEST(ReplaceInvalidUtf8, FollowsTheStandardsExamples) {
  // Unicode 15, tables 3-8 to 3-11.
  const std::map<std::string, int> replacements = {{"\xC0\xAF\xE0\x80\xBF\xF0\x81\x82"
                                                    "A",
                                                    8},
                                                   {"\xED\xA0\x80\xED\xBF\xBF\xED\xAF"
                                                    "A",
                                                    8},
                                                   {"\xF4\x91\x92\x93\xFF"
                                                    "A\x80\xBF"
                                                    "B",
                                                    7},
                                                   {"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF"
                                                    "A",
                                                    4}};
  for (const auto& [bytes, count] : replacements) {
    const std::string text = replace_invalid_utf8(bytes);
    int found = 0;
    for (size_t at = text.find("\uFFFD"); at != std::string::npos; at = text.find("\uFFFD", at + 1)) ++found;
    EXPECT_EQ(found, count);
    EXPECT_NE(text.find('A'), std::string::npos);
  }
  EXPECT_EQ(replace_invalid_utf8("plain"), "plain");
}

}  // namespace
}  // namespace ingle::core
