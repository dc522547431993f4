// Models whose weights come from a packed copy on disk: the same bits, whatever happened to the copy or the model.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>
#include <utility>

#include "core/engine/test_goldens.h"

namespace ingle::core {
namespace {

namespace fs = std::filesystem;

class PackedWeights : public testing::TestWithParam<Golden> {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("weights-" + golden_test_name(GetParam().name));
    fs::remove_all(folder_);
    fs::remove_all(cache_ / "packed");
    fs::create_directories(folder_);
    model_ = folder_ / GetParam().file.filename();
    fs::copy(GetParam().file, model_, fs::copy_options::recursive);
  }
  void TearDown() override {
    fs::remove_all(folder_);
    fs::remove_all(cache_ / "packed");
  }

  struct Outcome {
    std::vector<float> logits;
    std::string loaded, used;  ///< EngineInfo::weights before and after the run
    bool operator==(const Outcome&) const = default;
  };

  Outcome run(uint64_t copy_bytes = 1 << 30, const LoadProgress& progress = {}) const {
    EngineOptions options;
    options.threads = 2;
    options.loras = GetParam().loras;
    options.context_length = GetParam().context;
    options.cache_folder = cache_;
    options.packed_copy_bytes = copy_bytes;
    auto engine = Engine::load(model_, options, progress);
    EXPECT_TRUE(engine.ok()) << engine.error().message;
    if (!engine.ok()) return {};
    Outcome outcome;
    outcome.loaded = (*engine)->info().weights;
    auto sequence = (*engine)->new_sequence();
    const auto logits = (*engine)->forward(**sequence, GetParam().tokens, LogitRows::all);
    EXPECT_TRUE(logits.ok());
    outcome.logits.assign(logits->begin(), logits->end());
    outcome.used = (*engine)->info().weights;
    return outcome;
  }

  fs::path copy() const {
    for (const auto& entry : fs::directory_iterator(cache_ / "packed")) return entry.path();
    return {};
  }
  // The model's largest file: weights.
  fs::path weights_file() const {
    if (fs::is_regular_file(model_)) return model_;
    fs::path largest;
    for (const auto& entry : fs::directory_iterator(model_))
      if (largest.empty() || entry.file_size() > fs::file_size(largest)) largest = entry.path();
    return largest;
  }
  // Files' times are those of the kernel's ticks.
  static void await_tick() { std::this_thread::sleep_for(std::chrono::milliseconds(20)); }
  static void flip(const fs::path& path, uintmax_t at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const char old = static_cast<char>(file.get());
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(old ^ 0x10));
  }

  // One for all tests: the instruction sets are proven once.
  const fs::path cache_ = fs::path(testing::TempDir()) / "packed-weights-cache";
  fs::path folder_, model_;
};

TEST_P(PackedWeights, AreKeptAndUsed) {
  const Outcome packed = run(0);
  EXPECT_EQ(packed.loaded, "packed");
  const Outcome first = run(), second = run(), third = run();
  EXPECT_EQ(first.used, "packed, copy kept");
  EXPECT_EQ(second.used, "copy");
  EXPECT_EQ(first.logits, packed.logits);
  EXPECT_EQ(second.logits, packed.logits);
  EXPECT_EQ(third, second);
}

// How many pages of the mapping of `file` this process has, by what the system says of each.
size_t mapped_pages(const fs::path& file) {
  std::ifstream maps("/proc/self/smaps");
  size_t kilobytes = 0;
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    if (line.find('-') < line.find(' ') && line.find(':') > line.find(' ')) inside = line.ends_with(file.string());
    if (inside && line.starts_with("Rss:")) kilobytes += std::stoul(line.substr(4));
  }
  return kilobytes / 4;
}

// What the system has taken of a mapped copy comes back, all of it and nothing else, and changes no bit.
TEST_P(PackedWeights, AreBroughtBackIntoMemory) {
  const Outcome packed = run();
  if (copy().empty()) GTEST_SKIP() << "this model has no packed weights";
  EngineOptions options;
  options.threads = 2;
  options.loras = GetParam().loras;
  options.context_length = GetParam().context;
  options.cache_folder = cache_;
  options.packed_copy_bytes = 1 << 30;
  const auto engine = Engine::load(model_, options).value();
  ASSERT_EQ(engine->info().weights, "copy");
  const size_t before = mapped_pages(copy());
  size_t steps = 0;
  uint64_t from = 0;
  do {
    const uint64_t next = engine->preload(from, 8192);
    EXPECT_EQ(next, next == 0 ? 0 : from + 8192);
    from = next;
    ASSERT_LT(++steps, 100'000u);
  } while (from != 0);
  EXPECT_GE(mapped_pages(copy()), before);
  EXPECT_GE(mapped_pages(copy()) + 1, 2 * (steps - 1));
  EXPECT_EQ(engine->preload(uint64_t{1} << 40, 8192), 0u);
  const auto sequence = engine->new_sequence().value();
  const auto logits = engine->forward(*sequence, GetParam().tokens, LogitRows::all).value();
  EXPECT_TRUE(std::ranges::equal(logits, packed.logits));
  // What is packed into memory is there anyway.
  options.packed_copy_bytes = 0;
  EXPECT_EQ(Engine::load(model_, options).value()->preload(0, 8192), 0u);
}

TEST_P(PackedWeights, DamagedBlocksAreMended) {
  const Outcome packed = run();
  const uintmax_t size = fs::file_size(copy()), data = uintmax_t{2} << 20;
  for (const uintmax_t at : {data, (data + size) / 2}) {
    flip(copy(), at);
    const Outcome mended = run();
    EXPECT_EQ(mended.loaded, "copy");
    EXPECT_EQ(mended.used, "copy, mended") << at;
    EXPECT_EQ(mended.logits, packed.logits);
    EXPECT_EQ(run().used, "packed, copy kept") << "the damaged one is gone";
  }
  EXPECT_EQ(run().used, "copy");
}

TEST_P(PackedWeights, ADamagedHeaderMeansPackingAgain) {
  const Outcome packed = run();
  flip(copy(), 20);
  const Outcome replaced = run();
  EXPECT_EQ(replaced.used, "packed, damaged copy replaced");
  EXPECT_EQ(replaced.logits, packed.logits);
  EXPECT_EQ(run().used, "copy");
}

TEST_P(PackedWeights, AreThoseOfTheModelAsItIs) {
  run();
  const auto touched = fs::last_write_time(weights_file()) + std::chrono::seconds(5);
  fs::last_write_time(weights_file(), touched);
  EXPECT_EQ(run().used, "copy") << "touched, but the same bytes";
  // The last tensors of all these models are matrices; the same length, another value.
  flip(weights_file(), fs::file_size(weights_file()) - 2);
  fs::last_write_time(weights_file(), touched + std::chrono::seconds(5));
  const Outcome changed = run();
  EXPECT_EQ(changed.logits, run(0).logits);
  EXPECT_EQ(run().logits, changed.logits);
}

TEST_P(PackedWeights, ComparingWithATouchedModelCanBeCancelled) {
  run();
  fs::last_write_time(weights_file(), fs::last_write_time(weights_file()) + std::chrono::seconds(5));
  EngineOptions options;
  options.cache_folder = folder_ / "cache";
  options.packed_copy_bytes = 1 << 30;
  options.context_length = GetParam().context;
  options.threads = 1;
  // 1 is said at the end of a load; before it, something was compared.
  const auto engine = Engine::load(model_, options, [](double fraction) { return fraction == 1.0; });
  ASSERT_FALSE(engine.ok());
  EXPECT_EQ(engine.error().code, base::ErrorCode::cancelled);
  EXPECT_EQ(run().used, "copy");
}

// As of a second file with the same header, where all files' times are set to the same one.
TEST_P(PackedWeights, AreThoseOfTheModelWhateverItsTimeSays) {
  run();
  await_tick();
  const auto time = fs::last_write_time(weights_file());
  flip(weights_file(), fs::file_size(weights_file()) - 2);
  fs::last_write_time(weights_file(), time);
  EXPECT_EQ(run().logits, run(0).logits);
}

// As when it is used before its download is complete. What is loaded meanwhile is of both contents; what comes later is
// not.
TEST_P(PackedWeights, AreNotKeptOfAFileThatChangesMeanwhile) {
  await_tick();
  bool changed = false;
  run(1 << 30, [&](double done) {
    if (done == 1.0 && !std::exchange(changed, true)) flip(weights_file(), fs::file_size(weights_file()) - 2);
    return true;
  });
  ASSERT_TRUE(changed);
  EXPECT_EQ(run().logits, run(0).logits);
}

// What is embedded comes from the file; reading it through the mapping would end the program.
TEST_P(PackedWeights, AModelCutShortWhileInUseIsAnError) {
  run();
  EngineOptions options;
  options.threads = 2;
  options.loras = GetParam().loras;
  options.cache_folder = cache_;
  options.packed_copy_bytes = 1 << 30;
  auto engine = Engine::load(model_, options);
  ASSERT_TRUE(engine.ok());
  auto sequence = (*engine)->new_sequence();
  ASSERT_TRUE((*engine)->forward(**sequence, GetParam().tokens, LogitRows::last).ok());
  const uint32_t length = (*sequence)->length();
  if (fs::is_regular_file(model_)) fs::resize_file(model_, 64);
  for (const auto& entry : fs::recursive_directory_iterator(folder_))
    if (entry.path().extension() == ".safetensors") fs::resize_file(entry.path(), 64);
  const auto logits = (*engine)->forward(**sequence, std::span(GetParam().tokens).first(1), LogitRows::last);
  ASSERT_FALSE(logits.ok());
  EXPECT_EQ(logits.error().code, base::ErrorCode::io_error);
  EXPECT_NE(logits.error().message.find("cut short"), std::string::npos) << logits.error().message;
  EXPECT_EQ((*sequence)->length(), length);
}

std::vector<Golden> goldens() {
  std::vector<Golden> chosen;
  for (const char* index : {"index.json", "index-formats.json"})
    for (Golden& golden : load_goldens(golden_folder(), golden_folder() / index)) chosen.push_back(std::move(golden));
  return chosen;
}

INSTANTIATE_TEST_SUITE_P(Models, PackedWeights, testing::ValuesIn(goldens()),
                         [](const auto& test) { return golden_test_name(test.param.name); });

}  // namespace
}  // namespace ingle::core
