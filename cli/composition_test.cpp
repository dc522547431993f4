// That the table of modules, the settings and the page about them name the same.
#include "cli/composition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/files.h"
#include "base/test_source_folder.h"
#include "cli/footprint.h"
#include "cli/settings.h"

namespace ingle::cli {
namespace {

using testing::HasSubstr;

TEST(CompositionTest, EachModuleAndProfileHasASettingAndAPlaceInTheDocumentation) {
  const std::string page = base::read_file(source_folder() + "/docs/modules.md", 1 << 20).value();
  size_t toggles = 0;
  for (const Option& option : all_settings()) toggles += option.name.starts_with("module-") ? 1 : 0;
  EXPECT_EQ(toggles, assistant::all_modules().size());
  for (const assistant::Module& module : assistant::all_modules()) {
    const std::string name = "module-" + std::string(module.name);
    const Option* option = find_setting(name);
    ASSERT_NE(option, nullptr) << name;
    EXPECT_EQ(option->type, ValueType::toggle);
    EXPECT_TRUE(option->fallback.empty()) << "the profile says";
    std::string states;
    for (const bool on : module.in_profile) states += on ? " | on" : " | off";
    const size_t start = page.find("| `" + name + "` | " + std::string(module.title));
    ASSERT_NE(start, std::string::npos) << name;
    EXPECT_THAT(page.substr(start, page.find('\n', start) - start), HasSubstr(states + " | "));
  }
  std::string choices = "auto";
  for (const assistant::Profile& profile : assistant::all_profiles()) choices += " " + std::string(profile.name);
  EXPECT_EQ(find_setting("profile")->choices, choices);
}

TEST(FootprintTest, AddsProcessesAndSaysWhereItCouldNotLook) {
  std::string name = testing::TempDir() + "footprint.XXXXXX";
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  const std::filesystem::path proc = name;
  const auto write = [&](const std::string& file, const std::string& text) {
    std::filesystem::create_directories((proc / file).parent_path());
    std::ofstream(proc / file) << text;
  };
  write("self/status", "VmRSS:\t 900 kB\nThreads:\t3\n");
  write("self/smaps_rollup", "00400000-7fff [rollup]\nRss: 900 kB\nPss: 100 kB\nPss_Dirty: 20 kB\n");
  write("7/status", "VmRSS:\t 50 kB\nThreads:\t2\n");
  const Footprint alone = footprint({}, proc);
  EXPECT_EQ(alone.bytes, 100u << 10);
  EXPECT_EQ(alone.threads, 3u);
  EXPECT_TRUE(alone.exact);
  const int others[] = {7, 8};
  const Footprint both = footprint(others, proc);
  EXPECT_EQ(both.bytes, 150u << 10);
  EXPECT_EQ(both.threads, 5u);
  EXPECT_EQ(both.processes, 2u) << "8 is gone";
  EXPECT_FALSE(both.exact);
  std::filesystem::remove_all(proc);
}

}  // namespace
}  // namespace ingle::cli
