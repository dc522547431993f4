// Tells whether a newer version of this program is known. It fetches and installs nothing.
#pragma once

#include <filesystem>
#include <optional>

#include "assistant/core/update_file.h"
#include "base/result.h"

namespace ingle::assistant {

/// For any thread.
class UpdateService {
 public:
  virtual ~UpdateService() = default;
  /// Nothing: none is known. Errors: those of where it looks.
  virtual base::Result<std::optional<Release>> newer() const = 0;
};

/// Looks into a local file each time (update_file.h). Errors: as parse_update_file; permission_denied, io_error. A file
/// that is not there describes nothing.
class UpdatesFromFile final : public UpdateService {
 public:
  UpdatesFromFile(std::filesystem::path file, Version own) : file_(std::move(file)), own_(own) {}
  base::Result<std::optional<Release>> newer() const override;

 private:
  const std::filesystem::path file_;
  const Version own_;
};

}  // namespace ingle::assistant
