#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "base/checked.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/result.h"
#include "base/utf8.h"

namespace ingle::base {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return Error{ErrorCode::invalid_argument, "odd"};
  return n / 2;
}

Result<int> quarter(int n) {
  INGLE_TRY(const int h, half(n));
  return half(h);
}

TEST(Result, CarriesValueOrError) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).error().message, "odd");
  EXPECT_EQ(quarter(7).error().code, ErrorCode::invalid_argument);
}

TEST(Checked, FindsOverflow) {
  EXPECT_FALSE(checked_mul<uint64_t>(uint64_t{1} << 40, uint64_t{1} << 24));
  EXPECT_EQ(checked_mul<uint64_t>(uint64_t{1} << 40, uint64_t{1} << 23), uint64_t{1} << 63);
  EXPECT_FALSE(checked_add<uint32_t>(0xFFFFFFFF, 1));
  EXPECT_FALSE((checked_cast<uint32_t, int64_t>(-1)));
  EXPECT_FALSE(in_range(8, UINT64_MAX, 16));
  EXPECT_TRUE(in_range(16, 0, 16));
  EXPECT_FALSE(checked_align_up(UINT64_MAX - 3, 32));
}

TEST(Utf8, RejectsWhatTheStandardRejects) {
  for (const char* bad : {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\x80", "\xFF"})
    EXPECT_EQ(find_invalid_utf8(bad), 0u) << bad;
  for (uint32_t cp : {0x41u, 0x7FFu, 0x800u, 0xD7FFu, 0xE000u, 0xFFFFu, 0x10000u, 0x10FFFFu}) {
    std::string text;
    append_utf8(text, cp);
    EXPECT_EQ(decode_utf8(text).value, cp);
    EXPECT_EQ(decode_utf8(text).length, text.size());
  }
}

TEST(Utf8, SpellsWhatATerminalWouldObey) {
  EXPECT_EQ(escape_controls("a\x1b[2J\x7f\r\n\t"), "a\\x1b[2J\\x7f\\x0d\\x0a\\x09");
  EXPECT_EQ(escape_controls("a\n\tb\r", "\n\t"), "a\n\tb\\x0d");
  EXPECT_EQ(escape_controls("\u009b2J \u202e \u2066", "\n\t"), "\\xc2\\x9b2J \\xe2\\x80\\xae \\xe2\\x81\\xa6");
  EXPECT_EQ(escape_controls("\x9b\xff"), "\\x9b\\xff");
  EXPECT_EQ(escape_controls(std::string_view("\0", 1)), "\\x00");
  // Joiners are part of words and pictures.
  for (const char* text : {"Grüße, 世界", "👩\u200d🚀", "می\u200cخواهم", "\u00a0"})
    EXPECT_EQ(escape_controls(text), text);
}

TEST(Utf8, CountsCodePoints) {
  EXPECT_EQ(count_code_points(""), 0u);
  EXPECT_EQ(count_code_points("a\u00e9\u20ac\U0001f600"), 4u);
}

TEST(Utf8, HoldsBackIncompleteTail) {
  const std::string euro = "\xE2\x82\xAC";
  EXPECT_EQ(complete_utf8_prefix("a" + euro), 4u);
  EXPECT_EQ(complete_utf8_prefix("a" + euro.substr(0, 2)), 1u);
  EXPECT_EQ(complete_utf8_prefix("a\xFF"), 2u);      // never becomes valid: not held back
  EXPECT_EQ(complete_utf8_prefix("a\xED\xA0"), 3u);  // a surrogate's first half
}

TEST(Json, IsBounded) {
  EXPECT_EQ(parse_json("[1, 2").error().code, ErrorCode::corrupt);
  EXPECT_EQ(parse_json(std::string_view("{}\0x", 4)).error().code, ErrorCode::corrupt);
  EXPECT_EQ(parse_json(std::string(100000, '[')).error().code, ErrorCode::limit_exceeded);
  std::string crowd = "{";
  for (int i = 0; i < 20000; ++i) crowd += "\"k" + std::to_string(i) + "\":[],";
  EXPECT_EQ(parse_json(crowd + "\"z\":1}").error().code, ErrorCode::limit_exceeded);
  const auto object = parse_json(R"({"b":1,"a":"]]]"})");
  ASSERT_TRUE(object.ok());
  EXPECT_EQ(object->begin().key(), "b");
}

TEST(Files, StampsTellFilesAndTheirStatesApart) {
  const auto folder = std::filesystem::temp_directory_path() / ("ingle_stamps_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  for (const char* name : {"x", "y"}) ASSERT_TRUE(write_file_atomic(folder / name, "hello").ok());
  // Within one tick, like a tool that sets the times of many files.
  const auto time = std::filesystem::file_time_type::clock::now();
  for (const char* name : {"x", "y"}) std::filesystem::last_write_time(folder / name, time);
  const auto x = MappedFile::open(folder / "x"), y = MappedFile::open(folder / "y");
  EXPECT_NE(x->stamp(), y->stamp());
  EXPECT_EQ(x->stamp(), MappedFile::open(folder / "x")->stamp());
  EXPECT_TRUE(x->untouched());
  std::filesystem::last_write_time(folder / "x", time + std::chrono::nanoseconds(1000));
  EXPECT_FALSE(x->untouched());
  std::filesystem::remove(folder / "y");
  EXPECT_FALSE(y->untouched());
  std::filesystem::remove_all(folder);
}

TEST(Files, AtomicWriteAndMap) {
  const auto folder = std::filesystem::temp_directory_path() / ("ingle_base_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  ASSERT_TRUE(write_file_atomic(folder / "x", "hello").ok());
  const auto mapped = MappedFile::open(folder / "x");
  ASSERT_TRUE(mapped.ok());
  EXPECT_EQ(mapped->bytes().size(), 5u);
  EXPECT_EQ(*read_file(folder / "x", 10), "hello");
  EXPECT_EQ(read_file(folder / "x", 4).error().code, ErrorCode::limit_exceeded);
  EXPECT_EQ(MappedFile::open(folder / "none").error().code, ErrorCode::not_found);
  EXPECT_EQ(MappedFile::open(folder).error().code, ErrorCode::corrupt);
  EXPECT_EQ(write_file_atomic(folder / "no" / "x", "").error().code, ErrorCode::not_found);
  std::filesystem::remove_all(folder);
}

/// KiB of a mapped file that are resident in this process, or -1 where the system does not say.
int64_t resident_kib(const std::filesystem::path& path) {
  std::ifstream file("/proc/self/smaps");
  bool here = false;
  for (std::string line; std::getline(file, line);) {
    if (line.ends_with(path.string())) here = true;
    if (here && line.starts_with("Rss:")) return std::stoll(line.substr(4));
  }
  return -1;
}

TEST(Files, ReleasedPagesTakeThoseAlongThatCameWithThemAndNoOthers) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "release-test";
  std::filesystem::create_directories(folder);
  constexpr size_t size = size_t{1} << 20;
  const std::string pattern(size, 'x');
  ASSERT_TRUE(write_file_atomic(folder / "file", pattern).ok());
  const auto map = [&] { return ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); };
  void* const before = map();
  const auto file = MappedFile::open(folder / "file");
  void* const after = map();
  for (void* const memory : {before, after}) {
    std::memset(memory, 1, size);
    file->release_pages({static_cast<const std::byte*>(memory), size});
    const auto* bytes = static_cast<const char*>(memory);
    EXPECT_EQ(std::count(bytes, bytes + size, 1), static_cast<std::ptrdiff_t>(size)) << "not the file's";
    ::munmap(memory, size);
  }
  const auto part = file->bytes().subspan(size / 2, 0x1000);
  EXPECT_EQ(part.front(), std::byte{'x'});
  if (resident_kib(folder / "file") < 0) GTEST_SKIP() << "this system does not tell";
  EXPECT_GT(resident_kib(folder / "file"), 0);
  file->release_pages(part);
  EXPECT_EQ(resident_kib(folder / "file"), 0);
  EXPECT_EQ(file->bytes().back(), std::byte{'x'});
  EXPECT_GT(resident_kib(folder / "file"), 0);
  file->release_pages(file->bytes().last(1));
  EXPECT_EQ(resident_kib(folder / "file"), 0);
  EXPECT_EQ(part.front(), std::byte{'x'});
  std::filesystem::remove_all(folder);
}

TEST(Files, ZerosTakeNoMemory) {
  const auto zeros = MappedFile::zeros(uint64_t{1} << 40);
  ASSERT_TRUE(zeros.ok());
  EXPECT_EQ(zeros->bytes().size(), uint64_t{1} << 40);
  EXPECT_EQ(zeros->bytes().back(), std::byte{0});
  EXPECT_EQ(MappedFile::zeros(0)->bytes().size(), 0u);
  EXPECT_EQ(MappedFile::zeros(uint64_t{1} << 62).error().code, ErrorCode::limit_exceeded);
}

TEST(Files, NewFilesAppearWholeOrNotAtAll) {
  const auto folder = std::filesystem::temp_directory_path() / ("ingle_new_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const auto write = [](const NewFile& file, uint64_t at, std::string_view text) {
    return file.write_at(at, std::as_bytes(std::span(text)));
  };
  {
    auto file = NewFile::create(folder / "x");
    ASSERT_TRUE(file.ok());
    EXPECT_TRUE(write(*file, 3, "def").ok());
    EXPECT_TRUE(write(*file, 0, "ab").ok());
    EXPECT_FALSE(std::filesystem::exists(folder / "x"));
    NewFile moved = std::move(*file);
    EXPECT_TRUE(moved.commit(false).ok());
    const auto dropped = NewFile::create(folder / "y");
    ASSERT_TRUE(dropped.ok());
    EXPECT_TRUE(write(*dropped, 0, "no").ok());
  }
  EXPECT_EQ(*read_file(folder / "x", 10), (std::string{'a', 'b', '\0', 'd', 'e', 'f'}));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
  EXPECT_EQ(NewFile::create(folder / "no" / "x").error().code, ErrorCode::not_found);
  std::filesystem::remove_all(folder);
}

// Values of the xxhash package's own program, xxhsum -H3 and -H2.
TEST(Hash, IsXxh3) {
  const auto bytes = [](std::string_view text) { return std::as_bytes(std::span(text)); };
  EXPECT_EQ(hash64(bytes("")), 0x2d06800538d394c2u);
  EXPECT_EQ(hash128_hex(bytes("")), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(hash64(bytes("abc")), 0x78af5f94892f3950u);
  EXPECT_EQ(hash128_hex(bytes("abc")), "06b05ab6733a618578af5f94892f3950");
}

/// A limit on the size of files while it lives; without the signal that would end the program.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  sighandler_t handler_;
  rlimit before_{};
};

TEST(Files, AFileSizeLimitIsNoSpaceAndLeavesWhatWasThere) {
  const auto folder = std::filesystem::temp_directory_path() / ("ingle_limit_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  ASSERT_TRUE(write_file_atomic(folder / "x", "before").ok());
  Status written;
  {
    const FileSizeLimit limit(4096);
    written = write_file_atomic(folder / "x", std::string(10000, 'y'));
  }
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, ErrorCode::no_space) << written.error().message;
  EXPECT_EQ(*read_file(folder / "x", 100), "before");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1) << "no temporary file stays";
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace ingle::base
