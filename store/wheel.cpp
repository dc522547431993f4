#include "store/wheel.h"

#include <zip.h>

#include <memory>
#include <vector>

namespace ingle::store {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

struct ArchiveDeleter {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct MemberDeleter {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

std::string open_error(int code) {
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  std::string text = zip_error_strerror(&error);
  zip_error_fini(&error);
  return text;
}

}  // namespace

Result<uint64_t> extract_member(const std::filesystem::path& wheel, const std::string& member, uint64_t max_bytes,
                                const std::function<Status(std::span<const std::byte>)>& sink) {
  const std::string name = wheel.filename().string();
  int code = 0;
  const std::unique_ptr<zip_t, ArchiveDeleter> archive(zip_open(wheel.c_str(), ZIP_RDONLY, &code));
  if (!archive) return Error{ErrorCode::corrupt, name + " is not a readable wheel: " + open_error(code)};
  zip_stat_t info;
  zip_stat_init(&info);
  if (zip_stat(archive.get(), member.c_str(), 0, &info) != 0)
    return Error{ErrorCode::corrupt, name + " has no member " + member};
  if ((info.valid & ZIP_STAT_SIZE) != 0 && info.size > max_bytes)
    return Error{ErrorCode::limit_exceeded, name + ": " + member + " has " + std::to_string(info.size) +
                                                " bytes, more than the " + std::to_string(max_bytes) + " allowed"};
  if ((info.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && info.encryption_method != ZIP_EM_NONE)
    return Error{ErrorCode::unsupported, name + ": " + member + " is encrypted"};
  const std::unique_ptr<zip_file_t, MemberDeleter> file(zip_fopen_index(archive.get(), info.index, 0));
  if (!file) return Error{ErrorCode::unsupported, name + ": " + member + ": " + zip_strerror(archive.get())};
  std::vector<std::byte> buffer(size_t{1} << 20);
  uint64_t done = 0;
  while (true) {
    const zip_int64_t n = zip_fread(file.get(), buffer.data(), buffer.size());
    if (n < 0) return Error{ErrorCode::corrupt, name + ": " + member + ": " + zip_file_strerror(file.get())};
    if (n == 0) return done;
    done += static_cast<uint64_t>(n);
    // The size in the directory is a claim; this is the bound that holds.
    if (done > max_bytes)
      return Error{ErrorCode::limit_exceeded,
                   name + ": " + member + " unpacks to more than " + std::to_string(max_bytes) + " bytes"};
    INGLE_CHECK(sink(std::span<const std::byte>(buffer).first(static_cast<size_t>(n))));
  }
}

}  // namespace ingle::store
