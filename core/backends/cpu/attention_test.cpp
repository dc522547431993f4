// Attention's kernels against the formula in double precision, and what they promise of its order of additions: a row's
// bits depend on nothing but its position.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/backends/cpu/isa.h"
#include "core/kernels/kernels.h"

namespace ingle::core {
namespace {

struct Shape {
  KvFormat format;
  uint32_t heads, kv_heads, head_dim, window;
  float softcap;
};

/// Keys and values of one sequence and layer, and queries for its last tokens.
class Case {
 public:
  Case(const Kernels& kernels, bool tiled, const Shape& shape, uint32_t length)
      : kernels_(kernels), tiled_(tiled), shape_(shape) {
    const uint32_t pages = (length + kPagePositions - 1) / kPagePositions;
    const size_t page = kv_layer_bytes(shape.format, shape.kv_heads, shape.head_dim);
    memory_.resize(pages * page / sizeof(Line) + 1);
    for (uint32_t i = 0; i < pages; ++i) pages_.push_back(memory_.front().bytes + i * page);
    k_ = vector(size_t{length} * width(), 1.0f);
    // What keys have in common, as with a bias.
    const std::vector<float> common = vector(width(), 8.0f);
    for (size_t i = 0; i < k_.size(); ++i) k_[i] += common[i % width()];
    v_ = vector(size_t{length} * width(), 1.0f);
    q_ = vector(size_t{length} * shape.heads * shape.head_dim, 4.0f);
    for (uint32_t position = 0; position < length; ++position) store(position);
  }

  /// The results of tokens [first, first + count), in runs of at most `rows` query rows.
  std::vector<float> attend(uint32_t first, uint32_t count, size_t rows = kMaxQueryRows) {
    std::vector<float> out(size_t{count} * shape_.heads * shape_.head_dim);
    const AttentionArgs args = this->args(first, out);
    Aligned scratch(scratch_bytes());
    const size_t all = size_t{count} * (shape_.heads / shape_.kv_heads);
    for (uint32_t head = 0; head < shape_.kv_heads; ++head)
      for (size_t row = 0; row < all; row += rows) {
        const size_t end = std::min(all, row + rows);
        if (tiled_)
          kernels_.attention_tiles(kernels_, args, head, row, end, scratch.data());
        else
          kernels_.attention(args, head, row, end, scratch.data());
      }
    return out;
  }

  /// The same of one token, segment by segment from the last to the first.
  std::vector<float> attend_in_parts(uint32_t token) {
    std::vector<float> out(size_t{shape_.heads} * shape_.head_dim);
    const AttentionArgs args = this->args(token, out);
    const size_t group = shape_.heads / shape_.kv_heads, stride = group * attention_part_floats(shape_.head_dim);
    const uint32_t first = first_seen(token) / kSegmentPositions, last = token / kSegmentPositions;
    Aligned scratch(scratch_bytes()), parts((last - first + 1) * stride * sizeof(float));
    const auto attend_part = tiled_ ? kernels_.attention_tiles_part : kernels_.attention_part;
    auto* floats = reinterpret_cast<float*>(parts.data());
    for (uint32_t head = 0; head < shape_.kv_heads; ++head) {
      for (uint32_t segment = last + 1; segment-- > first;)
        attend_part(args, head, 0, group, segment, floats + (segment - first) * stride, scratch.data());
      kernels_.attention_merge(args, head, 0, group, first, last, floats, stride);
    }
    return out;
  }

  /// Of the same queries and of keys and values as they were before they were stored.
  std::vector<double> expected(uint32_t token) const {
    const size_t dim = shape_.head_dim;
    std::vector<double> out(shape_.heads * dim);
    for (size_t h = 0; h < shape_.heads; ++h) {
      const float* q = q_.data() + (token * shape_.heads + h) * dim;
      const size_t kv = h / (shape_.heads / shape_.kv_heads) * dim;
      double total = 0;
      std::vector<double> sums(dim);
      for (size_t p = first_seen(token); p <= token || p < prefix_; ++p) {
        double score = 0;
        for (size_t i = 0; i < dim; ++i) score += double{q[i]} * k_[p * width() + kv + i];
        score *= kScale;
        if (shape_.softcap != 0) score = shape_.softcap * std::tanh(score / shape_.softcap);
        const double weight = std::exp(score);
        total += weight;
        for (size_t i = 0; i < dim; ++i) sums[i] += weight * v_[p * width() + kv + i];
      }
      for (size_t i = 0; i < dim; ++i) out[h * dim + i] = sums[i] / total;
    }
    return out;
  }

  /// How far what read_key() reads is from what was stored, over the size of that.
  double key_error() const {
    double error = 0, size = 0;
    std::vector<float> read(shape_.head_dim);
    for (uint32_t position = 0; position < k_.size() / width(); ++position)
      for (uint32_t h = 0; h < shape_.kv_heads; ++h) {
        read_key(view(), h, position, read.data());
        const std::vector<float> stored = head(k_, position, h);
        for (size_t i = 0; i < read.size(); ++i) {
          error += (double{read[i]} - stored[i]) * (double{read[i]} - stored[i]);
          size += double{stored[i]} * stored[i];
        }
      }
    return error / size;
  }

  /// All queries see the positions before this one.
  void set_prefix(uint32_t prefix) { prefix_ = prefix; }

  /// Puts other keys and values at positions [from, to).
  void overwrite(uint32_t from, uint32_t to) {
    for (size_t i = from * width(); i < to * width(); ++i) {
      k_[i] = -3 * k_[i] + 1;
      v_[i] = 5 * v_[i];
    }
    for (uint32_t position = from; position < to; ++position) store(position);
  }

 private:
  static constexpr float kScale = 0.125f;
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  class Aligned {
   public:
    explicit Aligned(size_t bytes) : lines_(bytes / sizeof(Line) + 1) {}
    std::byte* data() { return lines_.front().bytes; }

   private:
    std::vector<Line> lines_;
  };

  size_t scratch_bytes() const {
    return tiled_ ? attention_tile_scratch_bytes(shape_.head_dim) : attention_scratch_bytes(shape_.head_dim);
  }
  size_t width() const { return size_t{shape_.kv_heads} * shape_.head_dim; }
  uint32_t first_seen(uint32_t token) const {
    return shape_.window != 0 && token + 1 > shape_.window ? token + 1 - shape_.window : 0;
  }
  std::vector<float> vector(size_t size, float spread) {
    std::normal_distribution<float> normal(0.0f, spread);
    std::vector<float> values(size);
    for (float& x : values) x = normal(random_);
    return values;
  }
  AttentionArgs args(uint32_t first, std::vector<float>& out) const {
    const size_t stride = size_t{shape_.heads} * shape_.head_dim;
    return {q_.data() + first * stride,
            stride,
            out.data(),
            stride,
            view(),
            shape_.heads,
            shape_.kv_heads,
            first,
            kScale,
            shape_.window,
            prefix_,
            shape_.softcap};
  }
  KvView view() const { return {shape_.format, shape_.head_dim, pages_.data(), 0}; }
  // As the device does it: heads are rotated before they become codes.
  std::vector<float> head(const std::vector<float>& of, uint32_t position, uint32_t head) const {
    const size_t at = position * width() + size_t{head} * shape_.head_dim;
    std::vector<float> x(of.begin() + static_cast<ptrdiff_t>(at),
                         of.begin() + static_cast<ptrdiff_t>(at + shape_.head_dim));
    if (has_codes(shape_.format)) kernels_.rotate(x.data(), x.size());
    return x;
  }
  void store(uint32_t position) {
    for (uint32_t h = 0; h < shape_.kv_heads; ++h) {
      const auto first = head(k_, position / kPagePositions * kPagePositions, h);
      kernels_.store_kv(view(), h, position, head(k_, position, h).data(), head(v_, position, h).data(),
                        position % 3 == 0 || position % kPagePositions == 0 ? first.data() : nullptr);
    }
  }

 public:
  /// What the device does to queries that meet codes.
  void rotate_queries() {
    if (!has_codes(shape_.format)) return;
    for (size_t i = 0; i < q_.size(); i += shape_.head_dim) kernels_.rotate(q_.data() + i, shape_.head_dim);
  }

 private:
  const Kernels& kernels_;
  const bool tiled_;
  const Shape shape_;
  uint32_t prefix_ = 0;
  std::mt19937 random_{7};
  std::vector<Line> memory_;
  std::vector<std::byte*> pages_;
  std::vector<float> k_, v_, q_;
};

constexpr Shape kShapes[] = {
    {KvFormat::f32, 6, 2, 64, 0, 0},     {KvFormat::f16, 6, 2, 64, 0, 0},    {KvFormat::q8_0, 6, 2, 64, 0, 0},
    {KvFormat::q4_0, 6, 2, 64, 0, 0},    {KvFormat::f32, 7, 1, 40, 100, 0},  {KvFormat::f16, 7, 1, 40, 100, 0},
    {KvFormat::q8_0, 7, 1, 40, 100, 0},  {KvFormat::q4_0, 7, 1, 40, 100, 0}, {KvFormat::q8_0, 4, 1, 256, 600, 20},
    {KvFormat::f32, 3, 3, 128, 600, 20},
};

double bound(KvFormat format) {
  switch (format) {
    case KvFormat::f32:
      return 1e-11;
    case KvFormat::f16:
      return 2e-5;
    case KvFormat::q8_0:
      return 5e-4;
    case KvFormat::q4_0:
      return 6e-2;
  }
  return 0;
}

/// A set's kernels, of which those for a tile unit where it is `tiled`.
struct Way {
  std::string set;
  bool tiled;
};

// Under a sanitizer, which looks at addresses and not at values, all shapes would take minutes.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define INGLE_SHAPE_STEP 3
#endif
#endif
#ifndef INGLE_SHAPE_STEP
#define INGLE_SHAPE_STEP 1
#endif

class AttentionTest : public testing::TestWithParam<Way> {
 protected:
  void SetUp() override {
    // Found out by each process for itself: the next one may run on another (emulated) processor.
    static std::map<std::string, const Kernels*> known{{"emulated", &emulated_tile_kernels()}};
    const auto [entry, is_new] = known.try_emplace(GetParam().set, nullptr);
    if (is_new) {
      const auto kernels = choose_kernels(GetParam().set, {});
      if (kernels.ok()) entry->second = *kernels;
    }
    kernels_ = entry->second;
    if (kernels_ == nullptr) GTEST_SKIP() << "does not work here";
  }
  // Tile units leave 32 bits alone.
  std::vector<Shape> shapes() const {
    std::vector<Shape> some;
    for (size_t i = 0; i < std::size(kShapes); i += INGLE_SHAPE_STEP)
      if (!GetParam().tiled || kShapes[i].format != KvFormat::f32) some.push_back(kShapes[i]);
    return some;
  }
  Case make(const Shape& shape, uint32_t length) const { return {*kernels_, GetParam().tiled, shape, length}; }
  const Kernels* kernels_ = nullptr;
};

TEST_P(AttentionTest, KeysAreReadAsTheyWereStored) {
  for (const Shape& shape : shapes()) {
    const Case of = make(shape, 150);
    const double error = of.key_error();
    switch (shape.format) {
      case KvFormat::f32:
        EXPECT_EQ(error, 0);
        break;
      case KvFormat::f16:
        EXPECT_LT(error, 1e-6);
        break;
      case KvFormat::q8_0:
        EXPECT_LT(error, 1e-5);
        break;
      case KvFormat::q4_0:
        EXPECT_LT(error, 3e-3);
        break;
    }
  }
}

TEST_P(AttentionTest, IsTheFormula) {
  constexpr uint32_t kLength = 1100;
  for (const uint32_t prefix : {0u, 50u, 700u, kLength})
    for (const Shape& shape : shapes()) {
      Case of = make(shape, kLength);
      of.set_prefix(prefix);
      double error = 0, size = 0;
      std::vector<std::vector<double>> expected;
      const std::vector<uint32_t> tokens{0, 1, 63, 64, 130, 511, 512, 1023, 1024, kLength - 1};
      for (const uint32_t token : tokens) expected.push_back(of.expected(token));
      of.rotate_queries();
      for (size_t t = 0; t < tokens.size(); ++t) {
        const auto got = of.attend(tokens[t], 1);
        for (size_t i = 0; i < got.size(); ++i) {
          error += (got[i] - expected[t][i]) * (got[i] - expected[t][i]);
          size += expected[t][i] * expected[t][i];
        }
      }
      // Sums over more keys are smaller, and their errors larger beside them.
      EXPECT_LT(error / size, bound(shape.format) * (prefix == 0 ? 1 : 4))
          << static_cast<int>(shape.format) << " " << shape.head_dim;
      EXPECT_GT(error, 0.0);
    }
}

TEST_P(AttentionTest, ARowsBitsDependOnItsPositionOnly) {
  constexpr uint32_t kLength = 1100, kFirst = 990;
  for (const Shape& shape : shapes()) {
    Case of = make(shape, kLength);
    const size_t width = size_t{shape.heads} * shape.head_dim;
    const std::vector<float> together =
        of.attend(kFirst, kLength - kFirst, GetParam().tiled ? kMostTiledQueryRows : kMaxQueryRows);
    for (const uint32_t token : {kFirst, 1000u, 1023u, 1024u, kLength - 1}) {
      const auto* row = together.data() + (token - kFirst) * width;
      const std::vector<float> of_row(row, row + width);
      for (const size_t rows : {size_t{1}, size_t{5}, size_t{19}}) EXPECT_EQ(of.attend(token, 1, rows), of_row);
      EXPECT_EQ(of.attend_in_parts(token), of_row) << token;
    }
  }
}

// What is in a page behind a token, or before its window, does not matter to it.
TEST_P(AttentionTest, NothingIsSeenOfWhatComesLater) {
  constexpr uint32_t kLength = 200, kToken = 140;
  for (const Shape& shape : shapes()) {
    Case of = make(shape, kLength);
    const std::vector<float> before = of.attend(kToken, 1);
    of.overwrite(kToken + 1, kLength);
    EXPECT_EQ(of.attend(kToken, 1), before);
    of.overwrite(kToken, kToken + 1);
    EXPECT_NE(of.attend(kToken, 1), before);
  }
}

// By name: a table may only be asked for where its set is offered.
std::vector<Way> ways() {
  std::vector<Way> all{{"emulated", true}};
  for (const KernelSet& set : kernel_sets()) {
    all.push_back({std::string(set.name), false});
    if (set.name == "amx") all.push_back({std::string(set.name), true});
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(Sets, AttentionTest, testing::ValuesIn(ways()),
                         [](const auto& test) { return test.param.set + (test.param.tiled ? "_tiles" : ""); });

// Its own inverse, and it leaves products of two heads alone.
TEST(Rotation, IsOrthogonal) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  for (const size_t dim : {4u, 24u, 64u, 80u, 96u, 128u}) {
    std::vector<float> a(dim), b(dim);
    for (float& x : a) x = normal(random);
    for (float& x : b) x = normal(random);
    const auto dot = [&] {
      double sum = 0;
      for (size_t i = 0; i < dim; ++i) sum += double{a[i]} * b[i];
      return sum;
    };
    const double before = dot();
    const std::vector<float> original = a;
    const Kernels& kernels = *find_kernels("scalar");
    kernels.rotate(a.data(), dim);
    kernels.rotate(b.data(), dim);
    EXPECT_NEAR(dot(), before, 1e-4);
    EXPECT_NE(a, original);
    kernels.rotate(a.data(), dim);
    for (size_t i = 0; i < dim; ++i) EXPECT_NEAR(a[i], original[i], 1e-5);
  }
}

}  // namespace
}  // namespace ingle::core
