#include "cli/memory_group.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace ingle::cli {
namespace {

namespace fs = std::filesystem;

class MemoryGroup : public testing::Test {
 protected:
  void SetUp() override { fs::remove_all(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& content) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << content << "\n";
  }
  void second(const std::string& group, const std::string& limit, int used, int active, int inactive) const {
    write("groups" + group + "/memory.max", limit);
    write("groups" + group + "/memory.current", std::to_string(used));
    write("groups" + group + "/memory.stat",
          "anon 5\nfile 7\nactive_file " + std::to_string(active) + "\ninactive_file " + std::to_string(inactive));
  }
  void first(const std::string& group, const std::string& limit, int used, int file) const {
    write("groups/memory" + group + "/memory.limit_in_bytes", limit);
    write("groups/memory" + group + "/memory.usage_in_bytes", std::to_string(used));
    write("groups/memory" + group + "/memory.stat",
          "active_file 1\ninactive_file 1\ntotal_active_file 10\ntotal_inactive_file " + std::to_string(file));
  }
  std::optional<GroupMemory> told() const { return group_memory(folder_ / "groups", folder_ / "self"); }

  const fs::path folder_ = fs::path(testing::TempDir()) / "memory-group";
};

TEST_F(MemoryGroup, OfVersion2) {
  write("self", "0::/user/app");
  second("/user/app", "5000", 3000, 400, 600);
  ASSERT_TRUE(told());
  EXPECT_EQ(told()->limit_bytes, 5000u);
  EXPECT_EQ(told()->free_bytes, 3000u) << "cached pages can be dropped, recently used or not";
  second("/user", "4000", 3500, 0, 0);
  EXPECT_EQ(told()->limit_bytes, 4000u);
  EXPECT_EQ(told()->free_bytes, 500u) << "the group around it has less left";
  second("/user", "max", 3500, 0, 0);
  EXPECT_EQ(told()->free_bytes, 3000u);
  second("/user/app", "5000", 6000, 0, 0);
  EXPECT_EQ(told()->free_bytes, 0u);
}

TEST_F(MemoryGroup, OfVersion1) {
  write("self", "9:name=systemd:/x\n4:cpu,memory:/a/b\n0::/");
  first("/a/b", "9223372036854771712", 3000, 100);
  EXPECT_FALSE(told()) << "that number is no limit";
  first("/a", "8000", 3000, 490);
  ASSERT_TRUE(told());
  EXPECT_EQ(told()->limit_bytes, 8000u);
  EXPECT_EQ(told()->free_bytes, 5500u);
}

// /proc names the group as the host sees it; in the container, its own files are at the mount.
TEST_F(MemoryGroup, OfAContainer) {
  write("self", "4:memory:/docker/0123");
  first("", "1000", 200, 0);
  ASSERT_TRUE(told());
  EXPECT_EQ(told()->free_bytes, 810u);
}

TEST_F(MemoryGroup, NoneWhereThereIsNone) {
  EXPECT_FALSE(told());
  write("self", "0::/\n3:cpuset:/memory\nnonsense");
  first("/memory", "1", 1, 0);
  EXPECT_FALSE(told());
}

}  // namespace
}  // namespace ingle::cli
