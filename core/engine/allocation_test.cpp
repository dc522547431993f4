// Nothing is allocated per token: everything that asks for memory in this test program (operator new, C's functions, a
// device's mmap) is counted while the engine computes, on any thread.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include "core/engine/generate.h"
#include "core/engine/test_goldens.h"

// Sanitizers bring their own malloc, and other C libraries than glibc have no second name for theirs.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define INGLE_COUNTS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define INGLE_COUNTS 0
#endif
#endif
#ifndef INGLE_COUNTS
#define INGLE_COUNTS 1
#endif

namespace {

std::atomic<uint64_t> allocations{0};

}  // namespace

#if INGLE_COUNTS
// The program's own definitions come before the C library's, for the standard library's operator new, too.
// NOLINTBEGIN(bugprone-reserved-identifier, readability-identifier-naming)
extern "C" {
void* __libc_malloc(size_t bytes) noexcept;
void* __libc_calloc(size_t count, size_t bytes) noexcept;
void* __libc_realloc(void* memory, size_t bytes) noexcept;
void* __libc_memalign(size_t alignment, size_t bytes) noexcept;

void* malloc(size_t bytes) noexcept {
  ++allocations;
  return __libc_malloc(bytes);
}
void* calloc(size_t count, size_t bytes) noexcept {
  ++allocations;
  return __libc_calloc(count, bytes);
}
void* realloc(void* memory, size_t bytes) noexcept {
  ++allocations;
  return __libc_realloc(memory, bytes);
}
void* memalign(size_t alignment, size_t bytes) noexcept {
  ++allocations;
  return __libc_memalign(alignment, bytes);
}
void* aligned_alloc(size_t alignment, size_t bytes) noexcept {
  return memalign(alignment, bytes);
}
int posix_memalign(void** memory, size_t alignment, size_t bytes) noexcept {
  *memory = memalign(alignment, bytes);
  return *memory == nullptr ? ENOMEM : 0;
}
void* mmap(void* address, size_t bytes, int protection, int flags, int file, off_t offset) noexcept {
  ++allocations;
  return reinterpret_cast<void*>(::syscall(SYS_mmap, address, bytes, protection, flags, file, offset));
}
}
// NOLINTEND(bugprone-reserved-identifier, readability-identifier-naming)
#endif

namespace ingle::core {
namespace {

/// How often memory was asked for since this was made.
class Count {
 public:
  uint64_t value() const { return allocations - start_; }

 private:
  uint64_t start_ = allocations;
};

class AllocationTest : public testing::TestWithParam<Golden> {
 protected:
  void SetUp() override {
    if (!INGLE_COUNTS) GTEST_SKIP() << "this build's malloc is not ours";
  }

  static std::unique_ptr<Engine> load(EngineOptions options) {
    options.context_length = GetParam().context + 64;
    options.loras = GetParam().loras;
    options.cache_folder = testing::TempDir();
    auto engine = Engine::load(GetParam().file, options);
    EXPECT_TRUE(engine.ok()) << engine.error().message;
    return std::move(engine).value();
  }
};

TEST(Allocations, AreCounted) {
  if (!INGLE_COUNTS) GTEST_SKIP() << "this build's malloc is not ours";
  const Count nothing;
  EXPECT_EQ(nothing.value(), 0u);
  const Count some;
  void* volatile memory = ::operator new(8);
  ::operator delete(memory);
  memory = std::malloc(8);
  memory = std::realloc(memory, 16);
  std::free(memory);
  memory = std::calloc(1, 8);
  std::free(memory);
  memory = std::aligned_alloc(64, 64);
  std::free(memory);
  memory = ::mmap(nullptr, 64, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ::munmap(memory, 64);
  EXPECT_EQ(some.value(), 6u);
}

// Also of the first run: everything is placed when the model is loaded.
TEST_P(AllocationTest, NoneForAPromptNorForATokenAfterIt) {
  const Golden& golden = GetParam();
  for (const Precision precision : {Precision::normal, Precision::reference}) {
    const auto engine = load({.threads = 2, .batch = 16, .precision = precision});
    const auto sequence = engine->new_sequence().value();
    const std::span<const TokenId> tokens = golden.tokens;
    const Count prefill;
    const bool first = engine->forward(*sequence, tokens.first(tokens.size() - 2), LogitRows::last).ok();
    EXPECT_EQ(prefill.value(), 0u) << "a prompt in several batches";
    for (const size_t left : {2, 1}) {
      const Count decode;
      const bool ok = engine->forward(*sequence, tokens.last(left).first(1), LogitRows::last).ok();
      EXPECT_EQ(decode.value(), 0u) << "one token";
      EXPECT_TRUE(first && ok);
    }
  }
}

TEST_P(AllocationTest, NoneForTheBestTokens) {
  if (!GetParam().loras.empty()) GTEST_SKIP() << "with adapters of the output matrix, several rows are made whole";
  const auto engine = load({.threads = 2, .batch = 16});
  const auto sequence = engine->new_sequence().value();
  const std::span<const TokenId> tokens = GetParam().tokens;
  const Count all;
  const bool prompt = engine->forward_best(*sequence, tokens, LogitRows::last, 1).ok();
  const bool rows = engine->forward_best(*sequence, tokens.first(8), LogitRows::all, kMostBest).ok();
  EXPECT_EQ(all.value(), 0u);
  EXPECT_TRUE(prompt && rows);
}

TEST_P(AllocationTest, NoneForAllLogitsTheSecondTime) {
  const auto engine = load({.threads = 3});
  const auto sequence = engine->new_sequence().value();
  ASSERT_TRUE(engine->forward(*sequence, GetParam().tokens, LogitRows::all).ok());
  sequence->truncate(0);
  const Count again;
  const bool ok = engine->forward(*sequence, GetParam().tokens, LogitRows::all).ok();
  EXPECT_EQ(again.value(), 0u);
  EXPECT_TRUE(ok);
}

INSTANTIATE_TEST_SUITE_P(Models, AllocationTest, testing::ValuesIn(tiny_goldens()),
                         [](const auto& test) { return golden_test_name(test.param.name); });

// What a generated token takes beside its forward pass: sampling, its text, the lists of what was generated.
class GenerationAllocationTest : public testing::TestWithParam<SamplingParams> {};

TEST_P(GenerationAllocationTest, NonePerToken) {
  if (!INGLE_COUNTS) GTEST_SKIP() << "this build's malloc is not ours";
  const Golden golden = tiny_goldens().front();
  EngineOptions load;
  load.threads = 2;
  load.context_length = 128;
  load.cache_folder = testing::TempDir();
  const auto engine = Engine::load(golden.file, load).value();
  const auto sequence = engine->new_sequence().value();
  GenerateOptions options;
  options.sampling = GetParam();
  options.max_tokens = 48;
  options.ignore_stop_tokens = true;
  options.stop_strings = {"never to be seen"};
  uint64_t first = 0, last = 0;
  const auto on_text = [&](std::string_view) {
    last = allocations;
    if (first == 0) first = last;  // the first token sizes what the others use again
    return true;
  };
  const auto result = generate(*engine, *sequence, std::span(golden.tokens).first(4), options, on_text);
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->tokens.size(), 48u);
  EXPECT_GT(first, 0u);
  EXPECT_EQ(last - first, 0u);
}

INSTANTIATE_TEST_SUITE_P(
    Sampling, GenerationAllocationTest,
    testing::Values(SamplingParams{.temperature = 0}, SamplingParams{}, SamplingParams{.top_k = 3},
                    SamplingParams{
                        .top_k = 40, .top_p = 0.9f, .min_p = 0.05f, .typical_p = 0.9f, .xtc_probability = 0.5f},
                    SamplingParams{.mirostat = 2}, SamplingParams{.repeat_penalty = 1.1f},
                    SamplingParams{.dry_multiplier = 0.8f}));

}  // namespace
}  // namespace ingle::core
