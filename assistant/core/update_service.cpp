#include "assistant/core/update_service.h"

#include "base/files.h"

namespace ingle::assistant {

base::Result<std::optional<Release>> UpdatesFromFile::newer() const {
  const auto text = base::read_file(file_, kMostUpdateFileBytes);
  if (!text && text.error().code == base::ErrorCode::not_found) return std::optional<Release>();
  if (!text) return text.error();
  auto release = parse_update_file(*text);
  if (!release) return base::Error{release.error().code, file_.string() + ": " + release.error().message};
  if (release->version <= own_) return std::optional<Release>();
  return std::optional<Release>(*std::move(release));
}

}  // namespace ingle::assistant
