// The parsers on bytes in memory: cut and changed at every place, at the bounds, and the typed access to metadata.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/test_source_folder.h"
#include "core/files/error_text.h"
#include "core/files/gguf.h"
#include "core/files/json_config.h"
#include "core/files/safetensors.h"

namespace ingle::core {
namespace {

using base::ErrorCode;

std::string read_data(const std::string& name) {
  return base::read_file(source_folder() + "/tests/data/files/" + name, 1 << 20).value();
}

/// Exactly these bytes on the heap, so that AddressSanitizer sees a read past them.
std::vector<std::byte> bytes_of(std::string_view text) {
  const auto* data = reinterpret_cast<const std::byte*>(text.data());
  return {data, data + text.size()};
}

template <typename T>
std::string little_endian(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

std::string gguf_string(std::string_view text) {
  return little_endian<uint64_t>(text.size()) + std::string(text);
}

std::string gguf_header(uint64_t tensors, uint64_t keys) {
  return "GGUF" + little_endian<uint32_t>(3) + little_endian(tensors) + little_endian(keys);
}

TEST(Gguf, IsDescribedByItsStart) {
  const std::string whole = read_data("everything.gguf");
  const auto bytes = bytes_of(whole);
  const auto parsed = parse_gguf(bytes, "x").value();
  size_t data = whole.size();
  for (const Tensor& tensor : parsed.tensors)
    data = std::min(data, static_cast<size_t>(tensor.data.data() - bytes.data()));
  for (size_t size = 4; size < whole.size(); ++size) {
    const auto file = ModelFile::describe(bytes_of(std::string_view(whole).substr(0, size)), "x");
    ASSERT_TRUE(file.ok()) << "cut at " << size << ": " << file.error().message;
    // The description ends up to 63 bytes before the data.
    if (size + 63 < data) {
      ASSERT_FALSE(file->has_value()) << "cut at " << size;
    }
    if (size < data) continue;
    ASSERT_TRUE(file->has_value()) << "cut at " << size;
    ASSERT_EQ((*file)->tensors.size(), parsed.tensors.size());
  }
  EXPECT_EQ(ModelFile::describe(bytes_of("<html>"), "x").error().code, ErrorCode::unsupported);
  EXPECT_EQ(ModelFile::describe(bytes_of("GGUF" + little_endian<uint32_t>(0)), "x").error().code, ErrorCode::corrupt);
  const std::string part = read_data("split-00002-of-00003.gguf");
  EXPECT_EQ(ModelFile::describe(bytes_of(part), "x").error().code, ErrorCode::unsupported);
}

TEST(Gguf, DescriptionsMayPromiseMuchAndCostNothing) {
  const auto describe = [](const std::vector<uint64_t>& dims) {
    std::string info = gguf_string("t") + little_endian(static_cast<uint32_t>(dims.size()));
    for (const uint64_t dim : dims) info += little_endian(dim);
    info += little_endian<uint32_t>(0) + little_endian<uint64_t>(0);  // F32
    return ModelFile::describe(bytes_of(gguf_header(1, 0) + info + std::string(64, '\0')), "x");
  };
  // An emulated processor's system keeps a note of each page: no more than 64 GiB of them.
  const auto large = describe({uint64_t{1} << 17, uint64_t{1} << 17});
  ASSERT_TRUE(large.ok() && large->has_value());
  EXPECT_EQ((*large)->tensor_bytes(), uint64_t{1} << 36);
  EXPECT_EQ((*large)->tensors[0].data.back(), std::byte{0});
  EXPECT_EQ(describe({uint64_t{1} << 30, uint64_t{1} << 30}).error().code, ErrorCode::limit_exceeded);
  EXPECT_EQ(describe({uint64_t{1} << 40, uint64_t{1} << 40}).error().code, ErrorCode::corrupt);
  EXPECT_EQ(describe({(uint64_t{256} << 20) / 4 + 1}).error().code, ErrorCode::limit_exceeded);
  EXPECT_TRUE(describe({(uint64_t{256} << 20) / 4}).ok());
}

TEST(Gguf, EveryCutIsAnError) {
  const std::string whole = read_data("everything.gguf");
  const auto last = parse_gguf(bytes_of(whole), "x");
  ASSERT_TRUE(last.ok());
  const Tensor& tensor = last->tensors.back();
  // The writer pads after the last tensor; a cut inside that padding loses nothing.
  const size_t padding = (64 - tensor.data.size() % 64) % 64;
  for (size_t size = 0; size < whole.size(); ++size) {
    const auto result = parse_gguf(bytes_of(std::string_view(whole).substr(0, size)), "x");
    ASSERT_EQ(result.ok(), size >= whole.size() - padding) << "cut at " << size;
    if (!result.ok()) {
      ASSERT_EQ(result.error().code, ErrorCode::corrupt) << "cut at " << size;
    }
  }
}

TEST(Gguf, EveryChangedByteIsReadSafely) {
  const std::string whole = read_data("everything.gguf");
  const size_t description = whole.find("four.bf16") + 100;
  for (size_t i = 0; i < description; ++i) {
    for (const int change : {0x01, 0x80, 0xff}) {
      std::string changed = whole;
      changed[i] = static_cast<char>(changed[i] ^ change);
      const auto bytes = bytes_of(changed);
      const auto result = parse_gguf(bytes, "x");
      if (!result.ok()) continue;
      for (const Tensor& tensor : result->tensors) {
        ASSERT_GE(tensor.data.data(), bytes.data());
        ASSERT_LE(tensor.data.data() + tensor.data.size(), bytes.data() + bytes.size());
        ASSERT_EQ(tensor.data.size(), tensor.format->bytes(tensor.elements()));
      }
    }
  }
}

TEST(Gguf, NamesAreBoundedAndStringValuesAreNot) {
  const auto with_key = [](size_t length) {
    return bytes_of(gguf_header(0, 1) + gguf_string(std::string(length, 'k')) + little_endian<uint32_t>(8) +
                    gguf_string(std::string(100000, '\xff')));
  };
  EXPECT_TRUE(parse_gguf(with_key(65535), "x").ok());
  const auto result = parse_gguf(with_key(65536), "x");
  ASSERT_FALSE(result.ok());
  EXPECT_THAT(result.error().message, testing::HasSubstr("65536 bytes"));
}

// A sparse file: its size costs no disk, and the parser must not be led to take memory for it.
TEST(Gguf, MetadataIsBoundedInHugeFiles) {
  const uint64_t huge = uint64_t{1} << 33;
  const auto path = std::filesystem::temp_directory_path() / ("ingle_huge_" + std::to_string(getpid()) + ".gguf");
  const std::string array = gguf_string("k") + little_endian<uint32_t>(9) + little_endian<uint32_t>(0);
  std::ofstream(path, std::ios::binary) << gguf_header(0, 1) << array << little_endian<uint64_t>(huge / 2);
  std::filesystem::resize_file(path, huge);
  const auto result = ModelFile::open(path);
  std::filesystem::remove(path);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::limit_exceeded);
}

TEST(Gguf, KeepsFloatsExactly) {
  const std::string numbers = little_endian(0.1f) + little_endian(std::numeric_limits<float>::infinity()) +
                              little_endian(std::numeric_limits<float>::denorm_min()) + little_endian(-0.0f);
  const auto bytes = bytes_of(gguf_header(0, 1) + gguf_string("k") + little_endian<uint32_t>(9) +
                              little_endian<uint32_t>(6) + little_endian<uint64_t>(4) + numbers);
  const auto result = parse_gguf(bytes, "x");
  ASSERT_TRUE(result.ok());
  const auto* values = result->metadata.find_doubles("k");
  ASSERT_NE(values, nullptr);
  EXPECT_THAT(*values, testing::ElementsAre(double{0.1f}, std::numeric_limits<double>::infinity(),
                                            double{std::numeric_limits<float>::denorm_min()}, 0.0));
  EXPECT_TRUE(std::signbit((*values)[3]));
}

TEST(Gguf, WholeFilesNeedNoSplitKeys) {
  Metadata metadata;
  EXPECT_EQ(read_gguf_split(metadata, "x")->count, 1u);
  metadata.values["split.no"] = uint64_t{0};
  metadata.values["split.count"] = uint64_t{0};
  EXPECT_EQ(read_gguf_split(metadata, "x")->count, 1u);
  metadata.values["split.count"] = std::string("2");
  EXPECT_FALSE(read_gguf_split(metadata, "x").ok());
}

TEST(Gguf, NamesTheTypesOfGgml) {
  for (const QuantFormat* format : all_quants()) EXPECT_EQ(ggml_type_name(format->gguf_id), format->name);
  EXPECT_EQ(ggml_type_name(39), "MXFP4");
  EXPECT_EQ(ggml_type_name(42), "");
  EXPECT_EQ(ggml_type_name(0xffffffff), "");
}

TEST(Safetensors, EveryCutIsAnError) {
  const std::string whole = read_data("single/model.safetensors");
  ASSERT_TRUE(parse_safetensors(bytes_of(whole), "x").ok());
  for (size_t size = 0; size < whole.size(); ++size) {
    ASSERT_FALSE(parse_safetensors(bytes_of(std::string_view(whole).substr(0, size)), "x").ok()) << "cut at " << size;
  }
}

TEST(Safetensors, EveryChangedByteIsReadSafely) {
  const std::string whole = read_data("single/model.safetensors");
  const size_t header_end = whole.find_last_of('}');
  for (size_t i = 0; i < header_end; ++i) {
    for (const char change : {'\0', '"', '9', '{', '\xff'}) {
      std::string changed = whole;
      changed[i] = change;
      const auto bytes = bytes_of(changed);
      const auto result = parse_safetensors(bytes, "x");
      if (!result.ok()) continue;
      for (const Tensor& tensor : *result) {
        ASSERT_LE(tensor.data.data() + tensor.data.size(), bytes.data() + bytes.size());
        ASSERT_EQ(tensor.data.size(), tensor.format->bytes(tensor.elements()));
      }
    }
  }
}

TEST(Safetensors, EmptyAndPaddedHeadersAreFine) {
  EXPECT_TRUE(parse_safetensors(bytes_of(little_endian<uint64_t>(2) + "{}"), "x")->empty());
  EXPECT_TRUE(parse_safetensors(bytes_of(little_endian<uint64_t>(8) + "{}      "), "x")->empty());
}

// A handler of events needs no stack, and one member costs one look-up: both stay quick in the worst case.
TEST(Safetensors, DeepAndWideHeadersEndQuickly) {
  std::string deep = R"({"a":)" + std::string(5'000'000, '[');
  EXPECT_FALSE(parse_safetensors(bytes_of(little_endian<uint64_t>(deep.size()) + deep), "x").ok());
  std::string index = R"({"weight_map":{)";
  for (int i = 0; i < 200'000; ++i) index += "\"" + std::to_string(i) + R"(":"x.safetensors",)";
  index.back() = '}';
  const auto result = parse_safetensors_index(index + "}", "x");
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->shard_of.size(), 200'000u);
  EXPECT_EQ(result->shards.size(), 1u);
}

TEST(Safetensors, IndexMayCarryAnyMetadata) {
  const auto index = parse_safetensors_index(
      R"({"metadata": {"total_size": 1, "by": "x", "list": [null, true, -1, 0.5, {"a": "../b"}]}, "format": "pt",
          "weight_map": {"t": "x.safetensors"}, "more": "/etc/passwd"})",
      "x");
  ASSERT_TRUE(index.ok()) << index.error().message;
  EXPECT_THAT(index->shards, testing::ElementsAre("x.safetensors"));
  EXPECT_EQ(*index->shard_of.at("t"), "x.safetensors");
}

TEST(Safetensors, KnowsComputedBuffers) {
  EXPECT_TRUE(is_computed_buffer("model.layers.0.self_attn.rotary_emb.inv_freq"));
  EXPECT_TRUE(is_computed_buffer("embeddings.position_ids"));
  EXPECT_FALSE(is_computed_buffer("model.layers.0.self_attn.q_proj.weight"));
  EXPECT_FALSE(is_computed_buffer("model.layers.0.self_attn.q_proj.bias"));
}

TEST(JsonConfig, StaysInsideItsLimits) {
  const auto code = [](const std::string& text) {
    Metadata metadata;
    const auto status = flatten_json(text, "", "x", metadata);
    return status.ok() ? "ok" : std::string(base::error_code_name(status.error().code));
  };
  EXPECT_EQ(code("{}" + std::string((1 << 20) - 2, ' ')), "ok");
  EXPECT_EQ(code("{}" + std::string((1 << 20) - 1, ' ')), "limit_exceeded");
  EXPECT_EQ(code(std::string(1 << 20, '[')), "corrupt");
  std::string many = "{";
  for (int i = 0; i < 70'000; ++i) many += "\"" + std::to_string(i) + "\":1,";
  many.back() = '}';
  EXPECT_EQ(code(many), "limit_exceeded");
  EXPECT_EQ(code(R"({"a": {"b": 1}, "a": {"c": 2}})"), "ok");
}

TEST(JsonConfig, KeepsIntegersThatNoSignedTypeHolds) {
  Metadata metadata;
  ASSERT_TRUE(flatten_json(R"({"a": [-1, 18446744073709551615]})", "", "x", metadata).ok());
  EXPECT_THAT(*metadata.find_doubles("a"), testing::ElementsAre(-1.0, 18446744073709551615.0));
}

TEST(Metadata, GivesNumbersThatFit) {
  Metadata m;
  m.values["u"] = uint64_t{7};
  m.values["i"] = int64_t{-7};
  m.values["p"] = int64_t{7};
  m.values["f"] = 2.5;
  m.values["b"] = true;
  m.values["s"] = std::string("x");
  m.values["max"] = std::numeric_limits<uint64_t>::max();
  EXPECT_EQ(m.find_uint("u"), 7u);
  EXPECT_EQ(m.find_uint("p"), 7u);
  EXPECT_EQ(m.find_uint("max"), std::numeric_limits<uint64_t>::max());
  for (const char* key : {"i", "f", "b", "s", "none"}) EXPECT_EQ(m.find_uint(key), std::nullopt) << key;
  EXPECT_EQ(m.find_double("u"), 7.0);
  EXPECT_EQ(m.find_double("i"), -7.0);
  EXPECT_EQ(m.find_double("f"), 2.5);
  for (const char* key : {"b", "s", "none"}) EXPECT_EQ(m.find_double(key), std::nullopt) << key;
  EXPECT_EQ(m.find_bool("b"), true);
  EXPECT_EQ(m.find_bool("u"), std::nullopt);
  EXPECT_EQ(*m.find_string("s"), "x");
  EXPECT_EQ(m.find_string("u"), nullptr);
  EXPECT_TRUE(m.has("s"));
  EXPECT_FALSE(m.has("none"));
}

TEST(Metadata, GivesArraysThatFit) {
  Metadata m;
  m.values["u"] = std::vector<uint64_t>{1, 2};
  m.values["big"] = std::vector<uint64_t>{1, std::numeric_limits<uint64_t>::max()};
  m.values["i"] = std::vector<int64_t>{-1, 2};
  m.values["b"] = std::vector<bool>{true, false};
  m.values["f"] = std::vector<double>{1.5};
  m.values["s"] = std::vector<std::string>{"a", "b"};
  m.values["one"] = uint64_t{1};
  EXPECT_THAT(m.find_ints("u").value(), testing::ElementsAre(1, 2));
  EXPECT_THAT(m.find_ints("i").value(), testing::ElementsAre(-1, 2));
  EXPECT_THAT(m.find_ints("b").value(), testing::ElementsAre(1, 0));
  for (const char* key : {"big", "f", "s", "one", "none"}) EXPECT_EQ(m.find_ints(key), std::nullopt) << key;
  EXPECT_THAT(*m.find_doubles("f"), testing::ElementsAre(1.5));
  EXPECT_EQ(m.find_doubles("u"), nullptr);
  EXPECT_THAT(*m.find_strings("s"), testing::ElementsAre("a", "b"));
  EXPECT_EQ(m.find_strings("f"), nullptr);
}

TEST(Quote, KeepsHostileNamesOffTheTerminal) {
  EXPECT_EQ(quote("blk.0.größe"), "'blk.0.größe'");
  EXPECT_EQ(quote("a\x1b[2J\n\x7f"), R"('a\x1b[2J\x0a\x7f')");
  EXPECT_EQ(quote("\xc2\x9b"), R"('\xc2\x9b')");
  EXPECT_EQ(quote("\xff"), R"('\xff')");
  EXPECT_EQ(quote("a\u202eb"), R"('a\xe2\x80\xaeb')");
  EXPECT_TRUE(is_printable("größe 世界"));
  for (const char* text : {"a\x1b", "\u0085", "\u202e", "\xff"}) EXPECT_FALSE(is_printable(text)) << quote(text);
  EXPECT_LT(quote(std::string(100000, 'x')).size(), 120u);
}

}  // namespace
}  // namespace ingle::core
