// The settings: every option that can also be given as an environment variable or in the configuration file.
// Precedence: flag > environment > configuration file > default.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/environment.h"
#include "cli/option.h"
#include "cli/values.h"

namespace ingle::cli {

/// In the order in which help shows them.
std::span<const Option> all_settings();
const Option* find_setting(std::string_view name);
/// "Sampling": the heading above the settings of a group.
std::string_view group_title(Group group);
/// The groups in the order of all_settings().
std::span<const Group> all_groups();

struct FileValue {
  std::vector<std::string> texts;
  size_t line = 0;
};

/// The settings that a configuration file names. A missing file is an empty one.
/// Errors: invalid_argument with file and line (syntax, unknown key, wrong type), permission_denied, io_error.
base::Result<std::map<std::string, FileValue>> read_config_file(const std::filesystem::path& path);

/// Applies the file and then the environment to those of `values` that are settings. Flags are set by the caller after.
/// Errors: as read_config_file; invalid_argument for a bad value. Settings that the command does not take are checked,
/// too: a broken file is reported by the first command that reads it.
base::Status apply_config_file(Values& values, const std::filesystem::path& path);
base::Status apply_environment(Values& values, const Environment& environment);

/// INGLE_* variables that name no setting, for doctor.
std::vector<std::string> unknown_variables(const Environment& environment);

}  // namespace ingle::cli
