// Prefixes on disk: a restart goes on from them, with the text that is computed without, and only for whose they are.
#include "core/scheduler/prefix_files.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <random>

#include "core/engine/generate.h"
#include "core/engine/test_goldens.h"
#include "core/scheduler/scheduler.h"

namespace ingle::core {
namespace {

namespace fs = std::filesystem;

class PrefixFilesTest : public testing::Test {
 protected:
  PrefixFilesTest() : folder_(fs::path(testing::TempDir()) / "prefix_files_test") {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    for (int i = 0; i < 3; ++i) {
      files_.push_back(folder_ / (std::to_string(i) + ".prefix"));
      std::ofstream(files_.back()).flush();
    }
  }
  ~PrefixFilesTest() override { fs::remove_all(folder_); }

  /// As after a start of the program.
  void start(const std::string& model = "llama.gguf", SchedulerOptions options = {}) {
    scheduler_.reset();
    engine_.reset();
    auto engine =
        Engine::load(golden_folder() / model,
                     {.context_length = 512, .threads = 2, .deterministic = true, .cache_folder = testing::TempDir()});
    ASSERT_TRUE(engine.ok()) << engine.error().message;
    engine_ = std::move(engine).value();
    options.prefix_files = files_;
    if (options.prefix_file_bytes == 0) options.prefix_file_bytes = 1 << 30;
    options.preload = false;
    scheduler_ = std::make_unique<Scheduler>(*engine_, options);
  }
  /// As at its end.
  void end() {
    scheduler_->close();
    EXPECT_FALSE(scheduler_->wait());
  }
  std::vector<TokenId> text(size_t tokens, unsigned seed) const {
    std::mt19937 random(seed);
    std::vector<TokenId> text(tokens);
    for (TokenId& token : text) token = static_cast<TokenId>(random() % engine_->info().vocabulary_size);
    return text;
  }
  struct Answer {
    std::string text;
    uint32_t cached = 0;
  };
  Answer ask(const std::vector<TokenId>& prompt, const std::string& principal = "me", bool keep = true,
             const std::function<void(GenerationRequest&)>& change = {}) {
    GenerationRequest request;
    request.prompt = prompt;
    request.sampling = {.temperature = 1, .seed = 7};
    request.reply.max_tokens = 12;
    request.reply.ignore_stop_tokens = true;
    request.principal = request.client = principal;
    request.keep_prefix = keep;
    if (change) change(request);
    Answer answer;
    EXPECT_TRUE(scheduler_
                    ->submit(request,
                             [&](GenerationEvent&& event) {
                               EXPECT_FALSE(event.error);
                               answer.text += event.text;
                               answer.cached = event.stats.cached_tokens;
                             })
                    .ok());
    while (scheduler_->step()) continue;
    return answer;
  }
  uint64_t bytes_on_disk() const {
    uint64_t bytes = 0;
    for (const fs::path& file : files_) bytes += fs::file_size(file);
    return bytes;
  }

  const fs::path folder_;
  std::vector<fs::path> files_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Scheduler> scheduler_;
};

TEST_F(PrefixFilesTest, ARestartGoesOnFromThem) {
  for (const char* model : {"llama.gguf", "gemma3.gguf"}) {
    SCOPED_TRACE(model);
    start(model);
    const std::vector<TokenId> prompt = text(200, 1);
    ask(prompt);
    EXPECT_EQ(bytes_on_disk(), 0u) << "not while there may be work";
    end();
    EXPECT_GT(bytes_on_disk(), 0u);

    std::vector<TokenId> longer = prompt;
    const std::vector<TokenId> more = text(50, 2);
    longer.insert(longer.end(), more.begin(), more.end());
    start(model);
    const Answer computed = ask(longer, "me", false);
    EXPECT_EQ(computed.cached, 0u);
    const Answer answer = ask(longer);
    EXPECT_EQ(answer.cached, 200u);
    EXPECT_EQ(answer.text, computed.text);
    for (const fs::path& file : files_) fs::resize_file(file, 0);
  }
}

// An answer may end while tokens behind it have been computed ahead.
TEST_F(PrefixFilesTest, HoldNothingThatWasOnlyProposed) {
  const auto three_tokens = [](GenerationRequest& request) {
    request.sampling = {.temperature = 0, .logit_bias = {{40, 100}, {41, 100}, {42, 100}}};
    request.reply.max_tokens = 60;
  };
  for (const char* model : {"llama.gguf", "gemma3.gguf"}) {
    start(model, {.lookup = false});
    std::vector<TokenId> prompt = text(40, 1);
    prompt.insert(prompt.end(), prompt.begin(), prompt.begin() + 30);
    const std::string answer = ask(prompt, "me", false, three_tokens).text;
    for (size_t at = answer.size() / 2; at < answer.size() / 2 + 8; ++at) {
      SCOPED_TRACE(model + (" " + std::to_string(at)));
      const auto stops = [&](GenerationRequest& request) {
        three_tokens(request);
        request.reply.stop_strings = {answer.substr(0, at)};
      };
      for (const fs::path& file : files_) fs::resize_file(file, 0);
      start(model, {.always_look_up = true});
      ask(prompt, "me", true, stops);
      EXPECT_EQ(ask(prompt, "me", true, stops).cached, prompt.size() - 1);
      const size_t entries = scheduler_->stats().kept_prefixes;
      end();
      EXPECT_EQ(std::ranges::count_if(files_, [](const fs::path& file) { return fs::file_size(file) > 0; }), entries);
    }
  }
}

TEST_F(PrefixFilesTest, NobodyElseHasThem) {
  start();
  const std::vector<TokenId> prompt = text(100, 1);
  ask(prompt, "me");
  end();
  start();
  EXPECT_EQ(ask(prompt, "you").cached, 0u);
  EXPECT_EQ(ask(prompt, "me").cached, 99u);
}

// The files say that they are of another state of the model's file, of other options, or nothing that makes sense.
TEST_F(PrefixFilesTest, WhatDoesNotFitIsComputed) {
  start();
  const std::vector<TokenId> prompt = text(100, 1);
  const Answer first = ask(prompt);
  end();
  start("qwen2.gguf");
  EXPECT_EQ(ask(text(100, 1)).cached, 0u);
  for (const size_t at : {70u, 2000u, 0u}) {  // in the tables, in a page, and all of it
    start();
    ask(prompt);
    end();
    for (const fs::path& file : files_) {
      if (fs::file_size(file) == 0) continue;
      if (at == 0) {
        std::ofstream(file) << "something else";
      } else {
        std::fstream damaged(file, std::ios::in | std::ios::out | std::ios::binary);
        damaged.seekp(static_cast<std::streamoff>(at)).put('\x55').put('\xaa');
      }
    }
    start();
    const Answer again = ask(prompt);
    EXPECT_EQ(again.cached, 0u) << at;
    EXPECT_EQ(again.text, first.text);
    end();
  }
}

// Two processes may have the same files: what the other one wrote meanwhile is not taken for what was there.
TEST_F(PrefixFilesTest, AnotherProcessMayOverwriteThem) {
  start();
  const std::vector<TokenId> mine = text(100, 1), other = text(120, 2);
  ask(other, "you");
  end();
  const auto full = std::ranges::find_if(files_, [](const fs::path& file) { return fs::file_size(file) > 0; });
  const fs::path aside = folder_ / "aside";
  fs::copy_file(*full, aside);
  fs::resize_file(*full, 0);
  start();
  const Answer answer = ask(mine);
  end();
  start();  // knows that `full` holds mine
  fs::copy_file(aside, *full, fs::copy_options::overwrite_existing);
  const Answer again = ask(mine);
  EXPECT_EQ(again.cached, 0u);
  EXPECT_EQ(again.text, answer.text);
}

// As one that ends only when this one has begun.
TEST_F(PrefixFilesTest, WhatAnotherProcessWroteIsFoundLater) {
  start();
  PrefixFiles before(*engine_, files_, 1 << 30);
  ask(text(100, 1));
  end();
  EXPECT_FALSE(before.find(prefix_owner("me"), text(100, 1)));
  before.refresh();
  const auto match = before.find(prefix_owner("me"), text(100, 1));
  ASSERT_TRUE(match);
  EXPECT_EQ(match->tokens, 100u);
  EXPECT_TRUE(before.read(match->file));
}

TEST_F(PrefixFilesTest, TheLatestAreKept) {
  start();
  for (unsigned i = 0; i < 5; ++i) ask(text(100, i));
  ask(text(PrefixFiles::kFewestTokens - 20, 9));  // too short for a file, with its answer
  end();
  start();
  for (unsigned i = 0; i < 5; ++i) EXPECT_EQ(ask(text(100, i)).cached, i < 2 ? 0u : 99u) << i;

  // A continuation takes its beginning's place; 1.5 times as many bytes as one takes are room for one.
  for (const fs::path& file : files_) fs::resize_file(file, 0);
  start();
  ask(text(300, 1));
  end();
  const uint64_t one = bytes_on_disk();
  start("llama.gguf", {.prefix_file_bytes = one * 3 / 2});
  ask(text(300, 1));
  std::vector<TokenId> longer = text(300, 1);
  longer.push_back(5);
  ask(longer);
  ask(text(300, 2));
  end();
  EXPECT_LE(bytes_on_disk(), one * 3 / 2);
  start();
  EXPECT_EQ(ask(text(300, 1)).cached, 0u);
  EXPECT_EQ(ask(text(300, 2)).cached, 299u);
}

TEST_F(PrefixFilesTest, AreReadAndWrittenWhileThereIsNothingToDo) {
  start();
  ask(text(100, 1));
  // As wait() would, were there a clock to wait for.
  PrefixFiles files(*engine_, files_, 1 << 30);
  EXPECT_FALSE(files.next_unread());
  end();
  PrefixFiles later(*engine_, files_, 1 << 30);
  const auto next = later.next_unread();
  ASSERT_TRUE(next);
  const auto restored = later.read(*next);
  ASSERT_TRUE(restored);
  EXPECT_EQ(restored->owner, prefix_owner("me"));
  EXPECT_GE(restored->state.tokens.size(), 100u);
  EXPECT_FALSE(later.next_unread());
}

TEST_F(PrefixFilesTest, AreForgotten) {
  for (const bool by_scheduler : {true, false}) {
    SCOPED_TRACE(by_scheduler);
    start();
    ask(text(100, 1), "me");
    ask(text(100, 2), "you");
    end();
    start();
    if (by_scheduler) {
      scheduler_->forget("me");
      scheduler_->step();
    } else {
      forget_prefixes(folder_, "me");
    }
    EXPECT_EQ(ask(text(100, 1), "me", true).cached, 0u);
    EXPECT_EQ(ask(text(100, 2), "you").cached, 99u);
    for (const fs::path& file : files_) fs::resize_file(file, 0);
  }
}

}  // namespace
}  // namespace ingle::core
