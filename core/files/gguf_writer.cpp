#include "core/files/gguf_writer.h"

#include <cassert>
#include <cstring>
#include <set>
#include <system_error>
#include <type_traits>

#include "base/checked.h"
#include "base/utf8.h"
#include "core/files/error_text.h"

namespace ingle::core {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

namespace {

constexpr uint64_t kAlignment = 32;    // the format's default, so that no general.alignment is needed
constexpr size_t kMaxTensorName = 63;  // ggml reads names into 64 bytes
constexpr uint64_t kMaxFileBytes = uint64_t{1} << 62;

/// GGUF's numbers for the types of values.
template <typename T>
constexpr uint32_t type_id() {
  if constexpr (std::is_same_v<T, bool>) return 7;
  if constexpr (std::is_same_v<T, uint32_t>) return 4;
  if constexpr (std::is_same_v<T, int32_t>) return 5;
  if constexpr (std::is_same_v<T, float>) return 6;
  if constexpr (std::is_same_v<T, std::string>) return 8;
  if constexpr (std::is_same_v<T, uint64_t>) return 10;
  if constexpr (std::is_same_v<T, int64_t>) return 11;
  if constexpr (std::is_same_v<T, double>) return 12;
}
constexpr uint32_t kArray = 9;

/// The file's first bytes. Every machine that we run on is little-endian, as the file is.
class HeaderBytes {
 public:
  template <typename T>
  void add(const T& value) {
    static_assert(std::is_arithmetic_v<T>);
    const size_t at = bytes_.size();
    bytes_.resize(at + sizeof value);
    std::memcpy(bytes_.data() + at, &value, sizeof value);
  }
  void add(bool value) { add(static_cast<uint8_t>(value)); }
  void add(const std::string& text) {
    add(uint64_t{text.size()});
    bytes_ += text;
  }
  void add_value(const GgufValue& value) {
    std::visit([this](const auto& v) { add_typed(v); }, value);
  }
  void pad() { bytes_.resize(*base::checked_align_up(bytes_.size(), kAlignment)); }
  const std::string& bytes() const { return bytes_; }

 private:
  template <typename T>
  void add_typed(const T& value) {
    add(type_id<T>());
    add(value);
  }
  template <typename T>
  void add_typed(const std::vector<T>& values) {
    add(kArray);
    add(type_id<T>());
    add(uint64_t{values.size()});
    for (const T& value : values) add(value);
  }

  std::string bytes_;
};

Error refuse(std::string what) {
  return {ErrorCode::invalid_argument, "cannot write this GGUF: " + std::move(what)};
}

Status check_tensor(const GgufTensor& tensor) {
  const std::string which = "tensor " + quote(tensor.name);
  if (tensor.name.empty() || tensor.name.size() > kMaxTensorName || !base::is_valid_utf8(tensor.name))
    return refuse(which + " needs a name of 1 to " + std::to_string(kMaxTensorName) + " bytes of UTF-8");
  if (tensor.format == nullptr) return refuse(which + " has no format");
  if (tensor.dims.empty() || tensor.dims.size() > 4)
    return refuse(which + " has " + std::to_string(tensor.dims.size()) + " dimensions; 1 to 4 are possible");
  uint64_t elements = 1;
  for (const uint64_t dim : tensor.dims) {
    const auto product = base::checked_mul(elements, dim);
    if (!product || *product == 0 || *product > kMaxFileBytes / 8) return refuse(which + " has impossible dimensions");
    elements = *product;
  }
  if (tensor.dims[0] % tensor.format->block_elements != 0)
    return refuse(which + " has rows of " + std::to_string(tensor.dims[0]) + " elements, no whole blocks of " +
                  std::string(tensor.format->name));
  return {};
}

Status check_description(const GgufDescription& description) {
  std::set<std::string_view> names;
  for (const auto& [key, value] : description.metadata) {
    if (key.empty() || !base::is_valid_utf8(key)) return refuse("the key " + quote(key) + " is no text");
    if (!names.insert(key).second) return refuse("the key " + quote(key) + " occurs twice");
  }
  names.clear();
  for (const GgufTensor& tensor : description.tensors) {
    INGLE_CHECK(check_tensor(tensor));
    if (!names.insert(tensor.name).second) return refuse("tensor " + quote(tensor.name) + " occurs twice");
  }
  return {};
}

/// Offsets from the start of the tensors' data, each aligned, and last where the data ends.
Result<std::vector<uint64_t>> place(std::span<const GgufTensor> tensors) {
  std::vector<uint64_t> offsets;
  uint64_t end = 0;
  for (const GgufTensor& tensor : tensors) {
    offsets.push_back(*base::checked_align_up(end, kAlignment));
    end = offsets.back() + tensor.bytes();
    if (end > kMaxFileBytes) return Error{ErrorCode::limit_exceeded, "a file of so many bytes cannot be written"};
  }
  // The data ends aligned as well, as the gguf package writes it.
  offsets.push_back(*base::checked_align_up(end, kAlignment));
  return offsets;
}

std::string make_header(const GgufDescription& description, std::span<const uint64_t> offsets) {
  HeaderBytes header;
  header.add(uint32_t{0x46554747});  // "GGUF"
  header.add(uint32_t{3});
  header.add(uint64_t{description.tensors.size()});
  header.add(uint64_t{description.metadata.size()});
  for (const auto& [key, value] : description.metadata) {
    header.add(key);
    header.add_value(value);
  }
  for (size_t i = 0; i < description.tensors.size(); ++i) {
    const GgufTensor& tensor = description.tensors[i];
    header.add(tensor.name);
    header.add(static_cast<uint32_t>(tensor.dims.size()));
    for (const uint64_t dim : tensor.dims) header.add(dim);
    header.add(tensor.format->gguf_id);
    header.add(offsets[i]);
  }
  header.pad();
  return header.bytes();
}

Status require_space(const std::filesystem::path& path, uint64_t bytes) {
  std::error_code error;
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  const auto space = std::filesystem::space(folder, error);
  // Some file systems do not tell; then the write that fails will.
  if (error || space.available == static_cast<uintmax_t>(-1) || space.available >= bytes) return {};
  return Error{ErrorCode::no_space, path.string() + " takes " + std::to_string(bytes) + " bytes, and " +
                                        std::to_string(space.available) + " are free there"};
}

}  // namespace

uint64_t GgufTensor::elements() const {
  uint64_t product = 1;
  for (const uint64_t dim : dims) product *= dim;
  return product;
}

Result<std::string> gguf_header(const GgufDescription& description) {
  INGLE_CHECK(check_description(description));
  INGLE_TRY(const std::vector<uint64_t> offsets, place(description.tensors));
  return make_header(description, offsets);
}

Result<GgufWriter> GgufWriter::create(const std::filesystem::path& path, GgufDescription description) {
  INGLE_CHECK(check_description(description));
  INGLE_TRY(const std::vector<uint64_t> offsets, place(description.tensors));
  const std::string header = make_header(description, offsets);
  GgufWriter writer;
  writer.file_bytes_ = header.size() + offsets.back();
  INGLE_CHECK(require_space(path, writer.file_bytes_));
  for (size_t i = 0; i < description.tensors.size(); ++i) {
    writer.offsets_.push_back(header.size() + offsets[i]);
    writer.missing_bytes_ += description.tensors[i].bytes();
  }
  writer.tensors_ = std::move(description.tensors);
  INGLE_TRY(writer.file_, base::NewFile::create(path));
  INGLE_CHECK(writer.file_.write_at(0, std::as_bytes(std::span(header))));
  // The last byte may be padding that no tensor writes.
  const std::byte zero{};
  if (writer.file_bytes_ > header.size()) INGLE_CHECK(writer.file_.write_at(writer.file_bytes_ - 1, {&zero, 1}));
  return writer;
}

Status GgufWriter::write(size_t tensor, uint64_t offset, std::span<const std::byte> bytes) {
  assert(tensor < tensors_.size() && base::in_range(offset, bytes.size(), tensors_[tensor].bytes()));
  if (bytes.size() > missing_bytes_) return Error{ErrorCode::internal, "a tensor was written twice"};
  missing_bytes_ -= bytes.size();
  return file_.write_at(offsets_[tensor] + offset, bytes);
}

Status GgufWriter::commit() {
  if (missing_bytes_ != 0)
    return Error{ErrorCode::internal, std::to_string(missing_bytes_) + " bytes of the tensors were not written"};
  return file_.commit(true);
}

}  // namespace ingle::core
