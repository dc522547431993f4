#include "core/memory/packed_copy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <numeric>

#include "base/hash.h"

namespace ingle::core {
namespace {

constexpr uintmax_t kOffset = uintmax_t{2} << 20;  // of the data

class PackedCopies : public testing::Test {
 protected:
  void SetUp() override {
    folder_.path = std::filesystem::path(testing::TempDir()) /
                   (std::string("packed-") + testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_.path);
    folder_.limit_bytes = 1 << 30;
    data_.resize(10000);
    for (size_t i = 0; i < data_.size(); ++i) data_[i] = static_cast<std::byte>(i * 7);
  }
  void TearDown() override { std::filesystem::remove_all(folder_.path); }

  PackedCopyShape shape(const std::string& key = "a") const { return {key, {11, 22}, data_.size(), 2}; }
  std::vector<PackedBlock> blocks() const {
    const std::span<const std::byte> all(data_);
    return {{1, base::hash64(all.first(6000))}, {2, base::hash64(all.subspan(6000))}};
  }
  base::Status write(const PackedCopyShape& shape) {
    INGLE_TRY(const auto writer, PackedCopyWriter::create(folder_, shape));
    const std::span<const std::byte> all(data_);
    writer->write(6000, all.subspan(6000));
    writer->write(0, all.first(6000));
    return writer->commit(blocks());
  }
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path))
      found.push_back(entry.path().filename().string());
    return found;
  }

  PackedCopyFolder folder_;
  std::vector<std::byte> data_;
};

TEST_F(PackedCopies, AreReadBackAsWritten) {
  EXPECT_EQ(PackedCopy::open(folder_, shape()).error().code, base::ErrorCode::not_found);
  ASSERT_TRUE(write(shape()).ok());
  const auto copy = PackedCopy::open(folder_, shape());
  ASSERT_TRUE(copy.ok()) << copy.error().message;
  EXPECT_TRUE(std::ranges::equal(copy->data(), data_));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(copy->data().data()) % 4096, 0u);
  ASSERT_EQ(copy->blocks().size(), 2u);
  EXPECT_EQ(copy->blocks()[1].source_hash, 2u);
  EXPECT_EQ(copy->blocks()[1].packed_hash, blocks()[1].packed_hash);
  EXPECT_TRUE(copy->sources_untouched());
  EXPECT_THAT(names(), testing::ElementsAre("a.packed"));
}

TEST_F(PackedCopies, SayWhereThereIsNoMemoryToMendThem) {
  ASSERT_TRUE(write(shape()).ok());
  const auto copy = PackedCopy::open(folder_, shape());
  ASSERT_TRUE(copy.ok());
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_DATA, &before), 0);
  const rlimit none{1, before.rlim_max};  // to Linux, 0 is no limit here
  ASSERT_EQ(::setrlimit(RLIMIT_DATA, &none), 0);
  const bool refused = !copy->make_writable(copy->data());
  void* const other = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_EQ(::setrlimit(RLIMIT_DATA, &before), 0);
  if (other != MAP_FAILED) {
    ::munmap(other, 4096);
    GTEST_SKIP() << "limits on data have no effect here (an emulated processor's system)";
  }
  EXPECT_TRUE(refused);
  EXPECT_TRUE(copy->make_writable(copy->data()));
}

TEST_F(PackedCopies, AreTheirOwnersAlone) {
  ASSERT_TRUE(write(shape()).ok());
  EXPECT_EQ(std::filesystem::status(folder_.path).permissions(), std::filesystem::perms::owner_all);
}

TEST_F(PackedCopies, KnowThatASourceWasTouched) {
  ASSERT_TRUE(write(shape()).ok());
  PackedCopyShape later = shape();
  later.stamps = {11, 23};
  {
    const auto copy = PackedCopy::open(folder_, later);
    ASSERT_TRUE(copy.ok());
    EXPECT_FALSE(copy->sources_untouched());
    copy->keep_for(later);
  }
  EXPECT_TRUE(PackedCopy::open(folder_, later)->sources_untouched());
  EXPECT_FALSE(PackedCopy::open(folder_, shape())->sources_untouched());
}

// Any other length, and any bit of the header and the tables, is noticed when the file is opened.
TEST_F(PackedCopies, AreRefusedWhereDamaged) {
  ASSERT_TRUE(write(shape()).ok());
  const auto path = folder_.file(shape());
  const size_t tables = 64 + 2 * 8 + 2 * 16;
  for (size_t at = 0; at < tables; ++at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const char old = static_cast<char>(file.get());
    const auto put = [&](char value) {
      file.seekp(static_cast<std::streamoff>(at));
      file.put(value).flush();
    };
    put(static_cast<char>(old ^ 4));
    const auto copy = PackedCopy::open(folder_, shape());
    ASSERT_FALSE(copy.ok()) << at;
    EXPECT_EQ(copy.error().code, base::ErrorCode::corrupt);
    put(old);
  }
  EXPECT_TRUE(PackedCopy::open(folder_, shape()).ok());
  for (const uintmax_t size : {uintmax_t{0}, uintmax_t{63}, kOffset + 9999, kOffset + 10001}) {
    std::filesystem::resize_file(path, size);
    EXPECT_EQ(PackedCopy::open(folder_, shape()).error().code, base::ErrorCode::corrupt) << size;
  }
}

// What another build or another model wrote under the same name is not what is expected.
TEST_F(PackedCopies, AreRefusedWhereTheyAreOfAnotherShape) {
  ASSERT_TRUE(write(shape()).ok());
  PackedCopyShape other = shape();
  other.blocks = 3;
  EXPECT_EQ(PackedCopy::open(folder_, other).error().code, base::ErrorCode::corrupt);
  other = shape();
  other.stamps.push_back(0);
  EXPECT_EQ(PackedCopy::open(folder_, other).error().code, base::ErrorCode::corrupt);
}

TEST_F(PackedCopies, CanBeMendedInMemoryOnly) {
  ASSERT_TRUE(write(shape()).ok());
  {
    const auto copy = PackedCopy::open(folder_, shape());
    copy->make_writable(copy->data().subspan(5000, 100));
    std::memset(copy->data().data() + 5000, 0x55, 100);
  }
  EXPECT_TRUE(std::ranges::equal(PackedCopy::open(folder_, shape())->data(), data_));
}

TEST_F(PackedCopies, GiveWayWhenTheFolderIsFull) {
  folder_.limit_bytes = 3 * (kOffset + 10000);
  for (const char* key : {"a", "b", "c"}) ASSERT_TRUE(write(shape(key)).ok());
  const auto now = std::filesystem::file_time_type::clock::now();
  std::filesystem::last_write_time(folder_.file(shape("a")), now - std::chrono::hours(2));
  std::filesystem::last_write_time(folder_.file(shape("b")), now - std::chrono::hours(3));
  const auto mapped = PackedCopy::open(folder_, shape("b"));  // which makes it the latest
  ASSERT_TRUE(write(shape("d")).ok());
  EXPECT_THAT(names(), testing::UnorderedElementsAre("b.packed", "c.packed", "d.packed"));
  folder_.limit_bytes = kOffset + 10000;
  ASSERT_TRUE(write(shape("e")).ok());
  EXPECT_THAT(names(), testing::ElementsAre("e.packed"));
  EXPECT_TRUE(std::ranges::equal(mapped->data(), data_)) << "who has it mapped keeps it";
  folder_.limit_bytes -= 1;
  EXPECT_EQ(write(shape("f")).error().code, base::ErrorCode::no_space);
  EXPECT_THAT(names(), testing::ElementsAre("e.packed")) << "nothing is deleted for what does not fit anyway";
}

TEST_F(PackedCopies, LeaveNothingWhereTheyAreNotCommitted) {
  {
    const auto writer = PackedCopyWriter::create(folder_, shape());
  }
  EXPECT_THAT(names(), testing::IsEmpty());
}

// A process killed while it packs leaves a part; the next writer clears it away, but not one that is being written.
TEST_F(PackedCopies, ClearAwayWhatAKilledProcessLeft) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    auto writer = PackedCopyWriter::create(folder_, shape("killed"));
    (void)!::write(ready[1], writer.ok() ? "y" : "n", 1);
    pause();
    _exit(0);
  }
  char answer = 0;
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  ASSERT_EQ(answer, 'y');
  const auto living = PackedCopyWriter::create(folder_, shape("living"));
  ASSERT_TRUE(living.ok());
  EXPECT_EQ(names().size(), 2u);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  ASSERT_TRUE(write(shape("later")).ok());
  EXPECT_EQ(names().size(), 2u);
  EXPECT_FALSE(std::ranges::any_of(names(), [](const std::string& name) { return name.starts_with("killed"); }));
  const std::span<const std::byte> all(data_);
  (*living)->write(0, all);
  EXPECT_TRUE((*living)->commit(blocks()).ok());
  EXPECT_THAT(names(), testing::UnorderedElementsAre("living.packed", "later.packed"));
  close(ready[0]);
  close(ready[1]);
}

}  // namespace
}  // namespace ingle::core
