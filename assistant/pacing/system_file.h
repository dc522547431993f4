// Files in which Linux tells of itself, /proc and /sys: small, and of no size that could be asked for.
#pragma once

#include <filesystem>
#include <string>

namespace ingle::assistant {

/// The first megabyte of it; empty where it can't be read.
std::string read_text(const std::filesystem::path& path);

}  // namespace ingle::assistant
