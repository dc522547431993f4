#include "core/files/safetensors.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/checked.h"
#include "core/files/byte_reader.h"
#include "core/files/error_text.h"
#include "core/files/json_events.h"
#include "core/files/tensor_layout.h"

namespace ingle::core {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the reference implementation's bound
constexpr size_t kMaxNameBytes = 65535;
constexpr size_t kMaxShape = 8;
constexpr std::string_view kSupported = "F32, F16, BF16";

struct DataType {
  std::string_view name;
  uint32_t bits;
};
constexpr DataType kDataTypes[] = {
    {"F32", 32},        {"F16", 16},    {"BF16", 16},   {"F64", 64},    {"I64", 64},    {"U64", 64},
    {"C64", 64},        {"I32", 32},    {"U32", 32},    {"I16", 16},    {"U16", 16},    {"I8", 8},
    {"U8", 8},          {"BOOL", 8},    {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8},
    {"F8_E5M2FNUZ", 8}, {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"F4", 4},
};

const DataType* find_data_type(std::string_view name) {
  const auto* found =
      std::find_if(std::begin(kDataTypes), std::end(kDataTypes), [&](const DataType& t) { return t.name == name; });
  return found == std::end(kDataTypes) ? nullptr : found;
}

/// One member of the header as written, not yet checked.
struct HeaderEntry {
  std::string name;
  std::string data_type;
  std::vector<uint64_t> shape;
  std::vector<uint64_t> offsets;
  bool has_type = false, has_shape = false, has_offsets = false;
};

class HeaderEvents final : public JsonEvents {
 public:
  std::vector<HeaderEntry> entries;

  bool start_object(size_t) override {
    if (array_ != nullptr || depth_ == 2) return refuse("an object inside " + where());
    if (depth_ == 1 && !in_metadata_) entries.emplace_back().name = name_;
    ++depth_;
    return true;
  }

  bool end_object() override {
    --depth_;
    if (depth_ != 1) return true;
    if (std::exchange(in_metadata_, false)) return true;
    const HeaderEntry& entry = entries.back();
    if (!entry.has_type || !entry.has_shape || !entry.has_offsets) {
      return refuse(where() + " lacks one of dtype, shape and data_offsets");
    }
    if (entry.offsets.size() != 2) return refuse(where() + " has data_offsets that are not two numbers");
    return true;
  }

  bool key(std::string& key) override {
    if (depth_ == 2) {
      field_ = std::move(key);
      return true;
    }
    if (key.empty() || key.size() > kMaxNameBytes) return refuse("a tensor's name is empty or too long");
    name_ = std::move(key);
    in_metadata_ = name_ == "__metadata__";
    if (in_metadata_ && std::exchange(seen_metadata_, true)) return refuse("__metadata__ occurs twice");
    return true;
  }

  bool string(std::string& value) override {
    if (depth_ != 2 || array_ != nullptr) return refuse("an unexpected string in " + where());
    if (in_metadata_) return true;
    HeaderEntry& entry = entries.back();
    if (field_ != "dtype") return refuse("an unexpected string in " + where());
    if (std::exchange(entry.has_type, true)) return refuse(where() + " has two dtypes");
    entry.data_type = std::move(value);
    return true;
  }

  bool start_array(size_t) override {
    if (depth_ != 2 || in_metadata_ || array_ != nullptr) return refuse("an unexpected array in " + where());
    HeaderEntry& entry = entries.back();
    if (field_ == "shape" && !std::exchange(entry.has_shape, true)) {
      array_ = &entry.shape;
    } else if (field_ == "data_offsets" && !std::exchange(entry.has_offsets, true)) {
      array_ = &entry.offsets;
    } else {
      return refuse("an unexpected array in " + where());
    }
    return true;
  }

  bool end_array() override {
    array_ = nullptr;
    return true;
  }

  bool number_unsigned(uint64_t value) override {
    if (array_ == nullptr) return refuse("an unexpected number in " + where());
    if (array_->size() == kMaxShape) return refuse(where() + " has more than 8 dimensions or offsets");
    array_->push_back(value);
    return true;
  }

 private:
  std::string where() const { return depth_ == 0 || name_.empty() ? "the header" : quote(name_); }

  int depth_ = 0;
  bool in_metadata_ = false;
  bool seen_metadata_ = false;
  std::string name_;
  std::string field_;
  std::vector<uint64_t>* array_ = nullptr;  // into entries.back(), while inside it
};

class SafetensorsParser {
 public:
  SafetensorsParser(std::span<const std::byte> bytes, std::string_view file) : bytes_(bytes), file_(file) {}

  Result<std::vector<Tensor>> parse() {
    INGLE_TRY(const std::vector<HeaderEntry> entries, read_entries());
    return place(entries);
  }

  Result<SafetensorsDescription> describe() {
    INGLE_TRY(const std::vector<HeaderEntry> entries, read_entries());
    uint64_t end = 0;
    for (const HeaderEntry& entry : entries) end = std::max(end, entry.offsets[1]);
    SafetensorsDescription description;
    INGLE_TRY(description.data, zeros_of(end, file_));
    data_ = description.data.bytes();
    INGLE_TRY(description.tensors, place(entries));
    INGLE_CHECK(check_vectors(description.tensors, file_));
    return description;
  }

 private:
  Result<std::vector<HeaderEntry>> read_entries() {
    INGLE_TRY(const std::string_view header, read_header());
    HeaderEvents events;
    INGLE_CHECK(events.run(header, file_));
    return std::move(events.entries);
  }

  Result<std::vector<Tensor>> place(const std::vector<HeaderEntry>& entries) const {
    std::vector<Tensor> tensors;
    std::vector<TensorRange> ranges;
    for (const HeaderEntry& entry : entries) {
      INGLE_TRY(const TensorRange range, check_range(entry));
      ranges.push_back(range);
      if (is_computed_buffer(entry.name)) continue;
      INGLE_TRY(Tensor tensor, make_tensor(entry));
      tensors.push_back(std::move(tensor));
    }
    INGLE_CHECK(check_coverage(ranges));
    return tensors;
  }

  Error corrupt(std::string_view what) const {
    return Error{ErrorCode::corrupt, std::string(file_) + ": corrupt safetensors: " + std::string(what)};
  }

  /// The JSON; sets data_.
  Result<std::string_view> read_header() {
    ByteReader reader(bytes_);
    const auto size = reader.read<uint64_t>();
    if (!size) return corrupt("the file is shorter than 8 bytes");
    if (*size > kMaxHeaderBytes) {
      return Error{ErrorCode::limit_exceeded, std::string(file_) + ": its header claims " + std::to_string(*size) +
                                                  " bytes; the limit is " + std::to_string(kMaxHeaderBytes)};
    }
    if (*size > reader.remaining()) {
      return corrupt("the file ends inside its header of " + std::to_string(*size) +
                     " bytes; if it was downloaded, download it again");
    }
    const std::string_view header(reinterpret_cast<const char*>(bytes_.data()) + reader.offset(), *size);
    if (header.empty() || header[0] != '{') return corrupt("its header does not begin with {");
    data_ = bytes_.subspan(reader.offset() + *size);
    return header;
  }

  /// The tensor's bytes relative to data_, as long as its shape and type ask for.
  Result<TensorRange> check_range(const HeaderEntry& entry) const {
    const DataType* type = find_data_type(entry.data_type);
    if (type == nullptr) return unsupported_type(entry);
    const uint64_t begin = entry.offsets[0], end = entry.offsets[1];
    if (begin > end) return corrupt("tensor " + quote(entry.name) + " ends before it begins");
    if (end > data_.size()) {
      return corrupt("tensor " + quote(entry.name) + " ends at byte " + std::to_string(end) + " of " +
                     std::to_string(data_.size()) + " of data; if it was downloaded, download it again");
    }
    uint64_t bits = type->bits;
    for (const uint64_t dim : entry.shape) {
      const auto product = base::checked_mul(bits, dim);
      if (!product) return corrupt("the shape of tensor " + quote(entry.name) + " overflows 64 bits");
      bits = *product;
    }
    if (bits % 8 != 0 || bits / 8 != end - begin) {
      return corrupt("tensor " + quote(entry.name) + " has " + std::to_string(end - begin) +
                     " bytes, but its shape and dtype ask for " + std::to_string(bits / 8));
    }
    return TensorRange{entry.name, begin, end};
  }

  Error unsupported_type(const HeaderEntry& entry) const {
    return Error{ErrorCode::unsupported, std::string(file_) + ": tensor " + quote(entry.name) + " has dtype " +
                                             quote(entry.data_type) + "; supported: " + std::string(kSupported)};
  }

  Result<Tensor> make_tensor(const HeaderEntry& entry) const {
    Tensor tensor;
    tensor.format = find_quant(entry.data_type);  // both spell these three alike, and share no other name
    if (tensor.format == nullptr) return unsupported_type(entry);
    if (entry.shape.size() > tensor.dims.size()) {
      return Error{ErrorCode::unsupported, std::string(file_) + ": tensor " + quote(entry.name) + " has " +
                                               std::to_string(entry.shape.size()) +
                                               " dimensions; up to 4 are supported"};
    }
    if (!checked_elements(entry.shape)) {
      return Error{ErrorCode::unsupported, std::string(file_) + ": tensor " + quote(entry.name) + " has no elements"};
    }
    tensor.name = entry.name;
    tensor.dim_count = static_cast<uint32_t>(entry.shape.size());
    std::reverse_copy(entry.shape.begin(), entry.shape.end(), tensor.dims.begin());
    tensor.data = data_.subspan(entry.offsets[0], entry.offsets[1] - entry.offsets[0]);
    return tensor;
  }

  /// No two tensors share a byte and every byte of the data belongs to one.
  Status check_coverage(std::vector<TensorRange>& ranges) const {
    INGLE_CHECK(check_no_overlap(ranges, file_));
    uint64_t end = 0;
    for (const TensorRange& range : ranges) {
      if (range.begin != end) return corrupt("no tensor owns the data before " + quote(range.name));
      end = range.end;
    }
    if (end != data_.size())
      return corrupt(std::to_string(data_.size() - end) + " bytes after the last tensor belong to none");
    return {};
  }

  std::span<const std::byte> bytes_;
  std::span<const std::byte> data_;
  std::string_view file_;
};

}  // namespace

Result<std::vector<Tensor>> parse_safetensors(std::span<const std::byte> bytes, std::string_view file) {
  return SafetensorsParser(bytes, file).parse();
}

Result<SafetensorsDescription> describe_safetensors(std::span<const std::byte> bytes, std::string_view file) {
  return SafetensorsParser(bytes, file).describe();
}

bool is_computed_buffer(std::string_view tensor_name) {
  // What PyTorch's state_dict carries along: tables computed from the configuration.
  static constexpr std::string_view endings[] = {"rotary_emb.inv_freq", "rotary_emb.cos_cached",
                                                 "rotary_emb.sin_cached", "position_ids", "masked_bias"};
  return std::any_of(std::begin(endings), std::end(endings),
                     [&](std::string_view ending) { return tensor_name.ends_with(ending); });
}

}  // namespace ingle::core
