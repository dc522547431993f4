// Opens files that the gguf, safetensors and transformers packages wrote and compares every key and tensor with what
// those packages read from them (tests/data/files/valid.json, made by make_valid.py).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "base/test_source_folder.h"
#include "core/files/gguf.h"
#include "core/files/model_file.h"
#include "core/files/model_file_builder.h"
#include "core/files/safetensors.h"

namespace ingle::core {
namespace {

const std::filesystem::path kFolder = source_folder() + "/tests/data/files";

std::string hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += digits[static_cast<unsigned char>(c) >> 4];
    text += digits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

/// A value in the form of valid.json.
struct ToJson {
  using Json = base::Json;
  static Json make(const char* type, Json value) { return Json{{"type", type}, {"value", std::move(value)}}; }
  Json operator()(bool v) const { return make("bool", v); }
  Json operator()(int64_t v) const { return make("int", v); }
  Json operator()(uint64_t v) const { return make("uint", v); }
  Json operator()(double v) const { return make("float", v); }
  Json operator()(const std::string& v) const { return make("string", hex(v)); }
  Json operator()(const std::vector<bool>& v) const { return make("bools", v); }
  Json operator()(const std::vector<int64_t>& v) const { return make("ints", v); }
  Json operator()(const std::vector<uint64_t>& v) const { return make("uints", v); }
  Json operator()(const std::vector<double>& v) const { return make("floats", v); }
  Json operator()(const std::vector<std::string>& v) const {
    Json items = Json::array();
    for (const std::string& item : v) items.push_back(hex(item));
    return make("strings", items);
  }
};

base::Json read_expected() {
  const auto text = base::read_file(kFolder / "valid.json", 1 << 20);
  return base::parse_json(text.value()).value();
}

void expect_same_metadata(const Metadata& metadata, const base::Json& expected) {
  for (const auto& [key, value] : expected.items()) {
    const auto entry = metadata.values.find(key);
    ASSERT_NE(entry, metadata.values.end()) << key;
    EXPECT_EQ(std::visit(ToJson(), entry->second), value) << key;
  }
  EXPECT_EQ(metadata.values.size(), expected.size());
}

void expect_same_tensor(const Tensor& tensor, const base::Json& expected) {
  SCOPED_TRACE(tensor.name);
  EXPECT_EQ(tensor.name, expected["name"].get<std::string>());
  EXPECT_EQ(tensor.format->name, expected["format"].get<std::string>());
  const auto dims = expected["dims"].get<std::vector<uint64_t>>();
  ASSERT_EQ(tensor.dim_count, dims.size());
  for (size_t d = 0; d < 4; ++d) EXPECT_EQ(tensor.dims[d], d < dims.size() ? dims[d] : 1);
  const std::string_view data(reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size());
  EXPECT_EQ(hex(data), expected["data"].get<std::string>());
}

void expect_same_tensors(const ModelFile& file, const base::Json& expected) {
  ASSERT_EQ(file.tensors.size(), expected.size());
  uint64_t bytes = 0;
  for (const base::Json& entry : expected) {
    const Tensor* tensor = file.find_tensor(entry["name"].get<std::string>());
    ASSERT_NE(tensor, nullptr) << entry["name"];
    expect_same_tensor(*tensor, entry);
    bytes += tensor->data.size();
  }
  EXPECT_EQ(file.tensor_bytes(), bytes);
  EXPECT_EQ(file.find_tensor("no such tensor"), nullptr);
}

TEST(ValidFiles, HoldWhatOtherReadersFind) {
  const base::Json expected = read_expected();
  ASSERT_GE(expected.size(), 8u);
  for (const auto& [name, content] : expected.items()) {
    SCOPED_TRACE(name);
    const auto file = ModelFile::open(kFolder / name);
    ASSERT_TRUE(file.ok()) << file.error().message;
    const bool is_gguf = name.ends_with(".gguf");
    EXPECT_EQ(file->container, is_gguf ? ContainerFormat::gguf : ContainerFormat::safetensors);
    EXPECT_EQ(file->path, kFolder / name);
    EXPECT_EQ(file->folder, is_gguf ? std::filesystem::path() : kFolder / name);
    expect_same_metadata(file->metadata, content["metadata"]);
    expect_same_tensors(*file, content["tensors"]);
  }
}

/// Where the data of a file's first tensor begins.
uint64_t end_of_description(const std::filesystem::path& path) {
  const auto mapped = base::MappedFile::open(path).value();
  const auto bytes = mapped.bytes();
  const auto tensors = path.extension() == ".gguf" ? parse_gguf(bytes, "x")->tensors : *parse_safetensors(bytes, "x");
  uint64_t begin = bytes.size();
  for (const Tensor& tensor : tensors)
    begin = std::min(begin, static_cast<uint64_t>(tensor.data.data() - bytes.data()));
  return begin;
}

TEST(ValidFiles, AreDescribedWithoutTheirData) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "descriptions";
  std::filesystem::remove_all(folder);
  std::filesystem::copy(kFolder, folder, std::filesystem::copy_options::recursive);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const auto extension = entry.path().extension();
    if (extension == ".gguf" || extension == ".safetensors")
      std::filesystem::resize_file(entry.path(), end_of_description(entry.path()));
  }
  const base::Json expected = read_expected();
  for (const auto& [name, content] : expected.items()) {
    SCOPED_TRACE(name);
    const auto whole = ModelFile::open(kFolder / name).value();
    const auto file = ModelFile::open(folder / name, FileContents::description);
    ASSERT_TRUE(file.ok()) << file.error().message;
    EXPECT_EQ(file->metadata.values, whole.metadata.values);
    ASSERT_EQ(file->tensors.size(), whole.tensors.size());
    for (size_t i = 0; i < whole.tensors.size(); ++i) {
      const Tensor &a = file->tensors[i], &b = whole.tensors[i];
      EXPECT_EQ(std::tie(a.name, a.format, a.dims), std::tie(b.name, b.format, b.dims));
      EXPECT_EQ(a.data.size(), b.data.size());
      for (const std::byte byte : a.data) ASSERT_EQ(byte, std::byte{0});
    }
  }
}

TEST(ValidFiles, GgufKeepsTheOrderOfItsTensors) {
  const base::Json expected = read_expected();
  for (const std::string name : {"everything.gguf", "split-00002-of-00003.gguf"}) {
    const auto file = ModelFile::open(kFolder / name);
    ASSERT_TRUE(file.ok()) << file.error().message;
    const base::Json& tensors = expected[name]["tensors"];
    for (size_t i = 0; i < tensors.size(); ++i) EXPECT_EQ(file->tensors[i].name, tensors[i]["name"].get<std::string>());
  }
}

TEST(ValidFiles, SafetensorsOpenByOneOfTheirFiles) {
  const base::Json expected = read_expected();
  for (const std::string path : {"single/model.safetensors", "sharded/model-00002-of-00004.safetensors"}) {
    SCOPED_TRACE(path);
    const auto file = ModelFile::open(kFolder / path);
    ASSERT_TRUE(file.ok()) << file.error().message;
    const std::string folder = path.substr(0, path.find('/'));
    EXPECT_EQ(file->folder, kFolder / folder);
    expect_same_metadata(file->metadata, expected[folder]["metadata"]);
    expect_same_tensors(*file, expected[folder]["tensors"]);
  }
}

/// A file of an embedding and an output matrix of 40 x 64 numbers.
ModelFile two_matrices(const std::vector<float>& embedding, const std::vector<float>& output, const char* output_format,
                       std::vector<std::byte>& storage) {
  const auto encoded = [](const std::vector<float>& values, const QuantFormat& format) {
    std::vector<std::byte> bytes(format.bytes(values.size()));
    format.encode(values.data(), bytes.data(), values.size() / format.block_elements);
    return bytes;
  };
  const QuantFormat* formats[] = {find_quant("F32"), find_quant(output_format)};
  storage = encoded(embedding, *formats[0]);
  const size_t split = storage.size();
  const std::vector<std::byte> more = encoded(output, *formats[1]);
  storage.insert(storage.end(), more.begin(), more.end());
  ModelFile file;
  const std::span<const std::byte> all(storage);
  const std::array<uint64_t, 4> dims = {64, 40, 1, 1};
  file.tensors = {{"token_embd.weight", formats[0], dims, 2, all.first(split)},
                  {"output.weight", formats[1], dims, 2, all.subspan(split)}};
  EXPECT_TRUE(ModelFileBuilder::index_tensors(file, "test").ok());
  return file;
}

TEST(Parameters, AnEmbeddingThatIsRepeatedAsOutputCountsOnce) {
  std::vector<float> a(size_t{40} * 64), b(a.size());
  uint32_t state = 1;
  for (std::vector<float>* values : {&a, &b}) {
    for (float& value : *values) {
      state = state * 1664525 + 1013904223;
      value = static_cast<float>(state >> 16) / 65536.0f - 0.5f;
    }
  }
  std::vector<std::byte> storage;
  for (const char* format : {"F32", "Q8_0", "Q4_0"}) {
    EXPECT_EQ(two_matrices(a, a, format, storage).parameters(), a.size()) << format;
    EXPECT_EQ(two_matrices(a, b, format, storage).parameters(), 2 * a.size()) << format;
  }
  EXPECT_EQ(two_matrices(std::vector<float>(a.size(), std::nanf("")), a, "F32", storage).parameters(), 2 * a.size());
}

TEST(ValidFiles, SurviveAMove) {
  auto opened = ModelFile::open(kFolder / "split-00001-of-00003.gguf");
  ASSERT_TRUE(opened.ok());
  const ModelFile moved = std::move(opened).value();
  const Tensor* tensor = moved.find_tensor("blk.4.weight");
  ASSERT_NE(tensor, nullptr);
  EXPECT_EQ(moved.mappings.size(), 3u);
  const auto* values = reinterpret_cast<const float*>(tensor->data.data());
  EXPECT_THAT(std::vector<float>(values, values + 8), testing::Each(4.0f));
}

}  // namespace
}  // namespace ingle::core
