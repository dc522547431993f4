#include "server/app/welcome.h"

#include "base/files.h"

namespace ingle::server {

Welcome::Welcome(const std::filesystem::path& state_folder)
    : path_(state_folder.empty() ? state_folder : state_folder / "welcome.json") {
  std::error_code failure;
  seen_ = !path_.empty() && std::filesystem::exists(path_, failure);
}

base::Status Welcome::set_seen() {
  if (seen_.exchange(true) || path_.empty()) return {};
  std::error_code failure;
  std::filesystem::create_directories(path_.parent_path(), failure);  // writing says what is wrong
  return base::write_file_atomic(path_, "{\"version\": 1, \"seen\": true}\n");
}

}  // namespace ingle::server
