// What model files consist of, for pages that show it: each question is answered by a confined process of its own
// (viewer_host.h), which is handed the files and nothing else, so that a hostile file harms nobody.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace ingle::assistant {

struct ViewerOptions {
  std::filesystem::path program;       ///< what calls run_viewer_host() …
  std::vector<std::string> arguments;  ///< … when it is started with these; the first is its name for itself
  bool sanitizers = false;             ///< tests only: security::Access::sanitizers
};

/// For any thread. What it answers comes from that process and is JSON of bounded size, no more. Every function asks
/// `stop` now and then, and fails with cancelled where that says so. Further errors: as core::ModelFile::open,
/// security::launch; unavailable (the process has ended).
class ModelViewer {
 public:
  using Stop = std::function<bool()>;

  explicit ModelViewer(ViewerOptions options) : options_(std::move(options)) {}

  /// As core::describe_anatomy.
  base::Result<base::Json> describe(const std::filesystem::path& model, const Stop& stop) const;
  /// As core::tensor_statistics. Error: not_found (the tensor).
  base::Result<base::Json> statistics(const std::filesystem::path& model, const std::string& tensor,
                                      const Stop& stop) const;
  /// As core::compare_models: tells each pair as it is known, with `done`; the answer has `pairs` (their number),
  /// `nmse` and `unpaired`.
  base::Result<base::Json> compare(const std::filesystem::path& model, const std::filesystem::path& reference,
                                   const std::function<void(const base::Json& pair)>& tell, const Stop& stop) const;

 private:
  base::Result<base::Json> ask(base::Json question, std::span<const std::filesystem::path> models,
                               const std::function<void(const base::Json& line)>& tell, const Stop& stop) const;

  const ViewerOptions options_;
};

}  // namespace ingle::assistant
