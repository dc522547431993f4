// What GgufWriter writes, ModelFile::open reads. (That other programs read it too: tests/synth/check_gguf.py.)
#include "core/files/gguf_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "core/files/model_file.h"

namespace ingle::core {
namespace {

using base::ErrorCode;

class GgufWriterTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) / ("gguf_writer." + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path path() const { return folder_ / "model.gguf"; }
  size_t files() const { return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder_), {})); }
  ErrorCode refusal(GgufDescription description) const {
    const auto writer = GgufWriter::create(path(), std::move(description));
    EXPECT_FALSE(writer.ok());
    return writer.ok() ? ErrorCode::internal : writer.error().code;
  }

  std::filesystem::path folder_;
};

std::vector<std::byte> counted(size_t size) {
  std::vector<std::byte> out(size);
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<std::byte>(i * 7 + 1);
  return out;
}

GgufTensor tensor(std::string name, const char* format, std::vector<uint64_t> dims) {
  return {std::move(name), find_quant(format), std::move(dims)};
}

TEST_F(GgufWriterTest, EveryTypeOfValueComesBack) {
  GgufDescription description;
  description.metadata = {{"general.architecture", std::string("none")},
                          {"a.bool", true},
                          {"a.u32", uint32_t{4000000000}},
                          {"a.i32", int32_t{-5}},
                          {"a.u64", uint64_t{1} << 63},
                          {"a.i64", int64_t{-1} << 40},
                          {"a.f32", 0.5f},
                          {"a.f64", 0.1},
                          {"a.empty", std::string()},
                          {"a.text", std::string("zwei\0drei", 9)},
                          {"a.u32s", std::vector<uint32_t>{1, 2}},
                          {"a.i32s", std::vector<int32_t>{-1, 2}},
                          {"a.f32s", std::vector<float>{1.5f, -2.0f}},
                          {"a.none", std::vector<float>{}},
                          {"a.texts", std::vector<std::string>{"x", "", "Ġ"}}};
  auto writer = GgufWriter::create(path(), description);
  ASSERT_TRUE(writer.ok()) << writer.error().message;
  ASSERT_TRUE(writer->commit().ok());
  const auto file = ModelFile::open(path());
  ASSERT_TRUE(file.ok()) << file.error().message;
  const auto& values = file->metadata.values;
  EXPECT_EQ(values.size(), description.metadata.size());
  EXPECT_EQ(values.at("a.bool"), MetadataValue(true));
  EXPECT_EQ(values.at("a.u32"), MetadataValue(uint64_t{4000000000}));
  EXPECT_EQ(values.at("a.i32"), MetadataValue(int64_t{-5}));
  EXPECT_EQ(values.at("a.u64"), MetadataValue(uint64_t{1} << 63));
  EXPECT_EQ(values.at("a.i64"), MetadataValue(int64_t{-1} << 40));
  EXPECT_EQ(values.at("a.f32"), MetadataValue(0.5));
  EXPECT_EQ(values.at("a.f64"), MetadataValue(0.1));
  EXPECT_EQ(values.at("a.empty"), MetadataValue(std::string()));
  EXPECT_EQ(values.at("a.text"), MetadataValue(std::string("zwei\0drei", 9)));
  EXPECT_EQ(values.at("a.u32s"), MetadataValue(std::vector<uint64_t>{1, 2}));
  EXPECT_EQ(values.at("a.i32s"), MetadataValue(std::vector<int64_t>{-1, 2}));
  EXPECT_EQ(values.at("a.f32s"), MetadataValue(std::vector<double>{1.5, -2.0}));
  EXPECT_EQ(values.at("a.none"), MetadataValue(std::vector<double>{}));
  EXPECT_EQ(values.at("a.texts"), MetadataValue(std::vector<std::string>{"x", "", "Ġ"}));
}

TEST_F(GgufWriterTest, TensorsComeBackWhateverTheOrderOfTheirPieces) {
  GgufDescription description;
  description.metadata = {{"general.architecture", std::string("none")}};
  description.tensors = {tensor("odd", "F32", {3}), tensor("matrix", "Q4_0", {64, 5}),
                         tensor("cube", "F16", {2, 3, 4, 1})};
  auto writer = GgufWriter::create(path(), description);
  ASSERT_TRUE(writer.ok()) << writer.error().message;
  std::vector<std::vector<std::byte>> data;
  for (const GgufTensor& each : writer->tensors()) data.push_back(counted(each.bytes()));
  ASSERT_EQ(data[1].size(), 5u * 2 * 18);
  EXPECT_TRUE(writer->write(2, 0, data[2]).ok());
  EXPECT_TRUE(writer->write(1, 100, std::span(data[1]).subspan(100)).ok());
  EXPECT_TRUE(writer->write(0, 0, data[0]).ok());
  EXPECT_FALSE(std::filesystem::exists(path()));
  EXPECT_TRUE(writer->write(1, 0, std::span(data[1]).first(100)).ok());
  ASSERT_TRUE(writer->commit().ok());
  EXPECT_EQ(std::filesystem::file_size(path()), writer->file_bytes());
  EXPECT_EQ(files(), 1u);

  const auto file = ModelFile::open(path());
  ASSERT_TRUE(file.ok()) << file.error().message;
  ASSERT_EQ(file->tensors.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    const Tensor& read = file->tensors[i];
    EXPECT_EQ(read.name, description.tensors[i].name);
    EXPECT_EQ(read.format, description.tensors[i].format);
    EXPECT_EQ(read.dim_count, description.tensors[i].dims.size());
    EXPECT_TRUE(std::equal(read.data.begin(), read.data.end(), data[i].begin(), data[i].end())) << read.name;
    EXPECT_EQ(static_cast<size_t>(read.data.data() - file->mappings[0].bytes().data()) % 32, 0u);
  }
  EXPECT_EQ(file->tensors[2].dims, (std::array<uint64_t, 4>{2, 3, 4, 1}));
}

TEST_F(GgufWriterTest, AFileIsCompleteOrAbsent) {
  GgufDescription description;
  description.tensors = {tensor("a", "F32", {8})};
  std::ofstream(path()) << "old";
  {
    auto writer = GgufWriter::create(path(), description);
    ASSERT_TRUE(writer.ok());
    EXPECT_EQ(files(), 2u);
    EXPECT_TRUE(writer->write(0, 0, counted(16)).ok());
    const auto early = writer->commit();
    ASSERT_FALSE(early.ok());
    EXPECT_EQ(early.error().code, ErrorCode::internal);
    auto moved = std::move(*writer);
    EXPECT_TRUE(moved.write(0, 16, counted(16)).ok());
    EXPECT_FALSE(moved.write(0, 16, counted(16)).ok()) << "the same bytes again";
  }
  EXPECT_EQ(files(), 1u);
  EXPECT_EQ(std::filesystem::file_size(path()), 3u);
}

TEST_F(GgufWriterTest, WhatGgufCannotHoldIsRefusedAndNothingIsWritten) {
  const auto with = [](std::vector<GgufTensor> tensors) { return GgufDescription{{}, std::move(tensors)}; };
  EXPECT_EQ(refusal(with({tensor("a", "F32", {})})), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal(with({tensor("a", "F32", {1, 1, 1, 1, 1})})), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal(with({tensor("a", "F32", {0})})), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal(with({tensor("a", "F32", {uint64_t{1} << 40, uint64_t{1} << 40})})), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal(with({tensor("a", "Q4_K", {128})})), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal(with({tensor("", "F32", {1})})), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal(with({tensor(std::string(64, 'a'), "F32", {1})})), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal(with({tensor("\xff", "F32", {1})})), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal(with({tensor("a", "unknown", {1})})), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal(with({tensor("a", "F32", {1}), tensor("a", "F32", {1})})), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal({{{"k", true}, {"k", true}}, {}}), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal({{{"", true}}, {}}), ErrorCode::invalid_argument);
  EXPECT_EQ(files(), 0u);
}

TEST_F(GgufWriterTest, TooLittleSpaceIsToldBeforeAnythingIsWritten) {
  GgufDescription large;
  large.tensors = {tensor("a", "F32", {uint64_t{1} << 57})};
  EXPECT_EQ(refusal(large), ErrorCode::no_space);
  large.tensors = {tensor("a", "F32", {uint64_t{1} << 59}), tensor("b", "F32", {uint64_t{1} << 59}),
                   tensor("c", "F32", {uint64_t{1} << 59})};
  EXPECT_EQ(refusal(large), ErrorCode::limit_exceeded);
  EXPECT_EQ(files(), 0u);
}

TEST_F(GgufWriterTest, AMissingFolderIsNamed) {
  const auto writer = GgufWriter::create(folder_ / "none" / "model.gguf", {});
  ASSERT_FALSE(writer.ok());
  EXPECT_EQ(writer.error().code, ErrorCode::not_found);
  EXPECT_THAT(writer.error().message, testing::HasSubstr("none/model.gguf"));
}

}  // namespace
}  // namespace ingle::core
