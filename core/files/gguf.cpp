#include "core/files/gguf.h"

#include <algorithm>
#include <utility>

#include "base/checked.h"
#include "base/utf8.h"
#include "core/files/byte_reader.h"
#include "core/files/error_text.h"
#include "core/files/tensor_layout.h"

namespace ingle::core {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr uint64_t kDefaultAlignment = 32;
constexpr uint64_t kMaxDescriptionBytes = uint64_t{256}
                                          << 20;  // header, metadata and tensor infos; vocabularies take ~10 MiB
constexpr uint64_t kMaxNameBytes = 65535;         // the specification's bound for keys
constexpr uint64_t kMinKeyBytes = 8 + 1 + 4 + 1;  // length, one byte, type, the smallest value
constexpr uint64_t kMinTensorBytes = 8 + 1 + 4 + 8 + 4 + 8;  // length, one byte, dim_count, one dim, type, offset

enum class ValueType : uint32_t {
  uint8,
  int8,
  uint16,
  int16,
  uint32,
  int32,
  float32,
  boolean,
  string,
  array,
  uint64,
  int64,
  float64,
};

class GgufParser {
 public:
  GgufParser(std::span<const std::byte> bytes, std::string_view file)
      : bytes_(bytes), file_(file), reader_(bytes.first(std::min<uint64_t>(bytes.size(), kMaxDescriptionBytes))) {}

  Result<GgufPart> parse() {
    INGLE_CHECK(read_descriptions());
    INGLE_CHECK(locate_tensors(bytes_.size()));
    point_into(bytes_);
    return std::move(part_);
  }

  Result<GgufOutline> describe() {
    INGLE_CHECK(read_descriptions());
    INGLE_CHECK(locate_tensors(UINT64_MAX));
    INGLE_CHECK(check_vectors(part_.tensors, file_));
    GgufOutline description;
    INGLE_TRY(description.data, zeros_of(data_end_, file_));
    point_into(description.data.bytes());
    description.part = std::move(part_);
    return description;
  }

  bool too_short() const { return too_short_; }

 private:
  Error corrupt(std::string_view what) const {
    return Error{ErrorCode::corrupt, std::string(file_) + ": corrupt GGUF: " + std::string(what)};
  }
  Error unsupported(std::string_view what) const {
    return Error{ErrorCode::unsupported, std::string(file_) + ": " + std::string(what)};
  }
  /// The bytes ended: of the file, or of what we are willing to read.
  Error ended(std::string_view inside) {
    too_short_ = bytes_.size() <= kMaxDescriptionBytes;
    if (bytes_.size() > kMaxDescriptionBytes) {
      return Error{ErrorCode::limit_exceeded, std::string(file_) + ": its metadata is over the limit of " +
                                                  std::to_string(kMaxDescriptionBytes) + " bytes"};
    }
    return corrupt("the file ends inside " + std::string(inside) + " (at or after byte " +
                   std::to_string(reader_.offset()) + " of " + std::to_string(bytes_.size()) +
                   "); if it was downloaded, download it again");
  }

  Status read_descriptions() {
    INGLE_CHECK(read_header());
    INGLE_CHECK(read_metadata());
    return read_tensor_infos();
  }

  Status read_header() {
    const auto magic = reader_.read<uint32_t>();
    if (!magic || *magic != 0x46554747) return corrupt("it does not begin with the letters GGUF");
    const auto version = reader_.read<uint32_t>();
    if (!version) return ended("the header");
    if (*version != 0 && (*version & 0xffff) == 0) {
      return unsupported("a big-endian GGUF file; only little-endian files are supported");
    }
    if (*version == 0) return corrupt("its version is 0");
    if (*version < 2 || *version > 3) {
      return unsupported("GGUF version " + std::to_string(*version) + "; versions 2 and 3 are supported");
    }
    const auto tensor_count = reader_.read<uint64_t>();
    const auto key_count = reader_.read<uint64_t>();
    if (!tensor_count || !key_count) return ended("the header");
    tensor_count_ = *tensor_count;
    key_count_ = *key_count;
    // Both tables must fit the rest of the file, so a count never sizes memory that the file has no bytes for.
    if (key_count_ > reader_.remaining() / kMinKeyBytes) {
      return ended("its " + std::to_string(key_count_) + " metadata keys");
    }
    if (tensor_count_ > reader_.remaining() / kMinTensorBytes) {
      return ended("its " + std::to_string(tensor_count_) + " tensor descriptions");
    }
    return {};
  }

  Status read_metadata() {
    for (uint64_t i = 0; i < key_count_; ++i) {
      INGLE_TRY(const std::string_view key, read_name("metadata key", i));
      const auto type = reader_.read<uint32_t>();
      if (!type) return ended("metadata key " + quote(key));
      INGLE_TRY(MetadataValue value, read_value(key, *type));
      if (!part_.metadata.values.emplace(key, std::move(value)).second) {
        return corrupt("metadata key " + quote(key) + " occurs twice");
      }
    }
    return {};
  }

  /// A key or a tensor's name: a string that is UTF-8, not empty and not absurdly long.
  Result<std::string_view> read_name(std::string_view kind, uint64_t index) {
    const std::string which = std::string(kind) + " " + std::to_string(index);
    const auto name = reader_.read_string();
    if (!name) return ended(which);
    if (name->empty()) return corrupt(which + " has an empty name");
    if (name->size() > kMaxNameBytes)
      return corrupt(which + " has a name of " + std::to_string(name->size()) + " bytes");
    if (!base::is_valid_utf8(*name)) return corrupt(which + " has a name that is not UTF-8: " + quote(*name));
    return *name;
  }

  Result<MetadataValue> read_value(std::string_view key, uint32_t type) {
    switch (static_cast<ValueType>(type)) {
      case ValueType::uint8:
        return read_number<uint8_t, uint64_t>(key);
      case ValueType::int8:
        return read_number<int8_t, int64_t>(key);
      case ValueType::uint16:
        return read_number<uint16_t, uint64_t>(key);
      case ValueType::int16:
        return read_number<int16_t, int64_t>(key);
      case ValueType::uint32:
        return read_number<uint32_t, uint64_t>(key);
      case ValueType::int32:
        return read_number<int32_t, int64_t>(key);
      case ValueType::float32:
        return read_number<float, double>(key);
      case ValueType::uint64:
        return read_number<uint64_t, uint64_t>(key);
      case ValueType::int64:
        return read_number<int64_t, int64_t>(key);
      case ValueType::float64:
        return read_number<double, double>(key);
      case ValueType::boolean: {
        INGLE_TRY(const bool value, read_bool(key));
        return MetadataValue(value);
      }
      case ValueType::string: {
        const auto value = reader_.read_string();
        if (!value) return ended("the string of " + quote(key));
        return MetadataValue(std::string(*value));
      }
      case ValueType::array:
        return read_array(key);
    }
    return corrupt("metadata key " + quote(key) + " has value type " + std::to_string(type) + ", which does not exist");
  }

  template <typename Stored, typename Widened>
  Result<MetadataValue> read_number(std::string_view key) {
    const auto value = reader_.read<Stored>();
    if (!value) return ended("the value of " + quote(key));
    return MetadataValue(static_cast<Widened>(*value));
  }

  Result<bool> read_bool(std::string_view key) {
    const auto value = reader_.read<uint8_t>();
    if (!value) return ended("the value of " + quote(key));
    if (*value > 1) {
      return corrupt("metadata key " + quote(key) + " holds " + std::to_string(*value) + " as a truth value");
    }
    return *value == 1;
  }

  Result<MetadataValue> read_array(std::string_view key) {
    const auto type = reader_.read<uint32_t>();
    const auto count = reader_.read<uint64_t>();
    if (!type || !count) return ended("the array of " + quote(key));
    switch (static_cast<ValueType>(*type)) {
      case ValueType::uint8:
        return read_numbers<uint8_t, uint64_t>(key, *count);
      case ValueType::int8:
        return read_numbers<int8_t, int64_t>(key, *count);
      case ValueType::uint16:
        return read_numbers<uint16_t, uint64_t>(key, *count);
      case ValueType::int16:
        return read_numbers<int16_t, int64_t>(key, *count);
      case ValueType::uint32:
        return read_numbers<uint32_t, uint64_t>(key, *count);
      case ValueType::int32:
        return read_numbers<int32_t, int64_t>(key, *count);
      case ValueType::float32:
        return read_numbers<float, double>(key, *count);
      case ValueType::uint64:
        return read_numbers<uint64_t, uint64_t>(key, *count);
      case ValueType::int64:
        return read_numbers<int64_t, int64_t>(key, *count);
      case ValueType::float64:
        return read_numbers<double, double>(key, *count);
      case ValueType::boolean:
        return read_bools(key, *count);
      case ValueType::string:
        return read_strings(key, *count);
      case ValueType::array:
        return unsupported("metadata key " + quote(key) + " is an array of arrays, which is not supported");
    }
    return corrupt("metadata key " + quote(key) + " has items of type " + std::to_string(*type) +
                   ", which does not exist");
  }

  /// Whether `count` items of at least `item_bytes` can still follow.
  Status check_count(std::string_view key, uint64_t count, uint64_t item_bytes) {
    if (count <= reader_.remaining() / item_bytes) return {};
    return ended("the " + std::to_string(count) + " array items of " + quote(key));
  }

  template <typename Stored, typename Widened>
  Result<MetadataValue> read_numbers(std::string_view key, uint64_t count) {
    INGLE_CHECK(check_count(key, count, sizeof(Stored)));
    std::vector<Widened> items(count);
    for (Widened& item : items) item = static_cast<Widened>(*reader_.read<Stored>());
    return MetadataValue(std::move(items));
  }

  Result<MetadataValue> read_bools(std::string_view key, uint64_t count) {
    INGLE_CHECK(check_count(key, count, 1));
    std::vector<bool> items(count);
    for (uint64_t i = 0; i < count; ++i) {
      INGLE_TRY(items[i], read_bool(key));
    }
    return MetadataValue(std::move(items));
  }

  Result<MetadataValue> read_strings(std::string_view key, uint64_t count) {
    INGLE_CHECK(check_count(key, count, sizeof(uint64_t)));
    std::vector<std::string> items;
    items.reserve(count);
    for (uint64_t i = 0; i < count; ++i) {
      const auto item = reader_.read_string();
      if (!item) return ended("string " + std::to_string(i) + " of " + quote(key));
      items.emplace_back(*item);
    }
    return MetadataValue(std::move(items));
  }

  Status read_tensor_infos() {
    part_.tensors.reserve(tensor_count_);
    offsets_.reserve(tensor_count_);
    for (uint64_t i = 0; i < tensor_count_; ++i) {
      INGLE_TRY(const std::string_view name, read_name("tensor", i));
      INGLE_TRY(Tensor tensor, read_tensor_info(name));
      part_.tensors.push_back(std::move(tensor));
    }
    return {};
  }

  Result<Tensor> read_tensor_info(std::string_view name) {
    Tensor tensor;
    tensor.name = name;
    const auto dim_count = reader_.read<uint32_t>();
    if (!dim_count) return ended("tensor " + quote(name));
    if (*dim_count < 1 || *dim_count > tensor.dims.size()) {
      return corrupt("tensor " + quote(name) + " has " + std::to_string(*dim_count) +
                     " dimensions; 1 to 4 are possible");
    }
    tensor.dim_count = *dim_count;
    for (uint32_t d = 0; d < tensor.dim_count; ++d) {
      const auto dim = reader_.read<uint64_t>();
      if (!dim) return ended("tensor " + quote(name));
      tensor.dims[d] = *dim;
    }
    const auto type = reader_.read<uint32_t>();
    const auto offset = reader_.read<uint64_t>();
    if (!type || !offset) return ended("tensor " + quote(name));
    offsets_.push_back(*offset);
    tensor.format = find_quant(*type);
    if (tensor.format == nullptr) return unsupported_type(name, *type);
    return tensor;
  }

  Error unsupported_type(std::string_view tensor, uint32_t type) const {
    const std::string_view name = ggml_type_name(type);
    return unsupported("tensor " + quote(tensor) + " has type " +
                       (name.empty() ? std::to_string(type) + ", which is unknown" : std::string(name)) +
                       "; supported types: " + quant_names());
  }

  /// Finds the tensors' data in a file of that many bytes, now that the end of the descriptions, and so the start of
  /// the data, is known.
  Status locate_tensors(uint64_t file_bytes) {
    INGLE_TRY(const uint64_t alignment, read_alignment());
    const auto data_start = base::checked_align_up(reader_.offset(), alignment);
    if (!data_start) return corrupt("the data starts beyond any file");
    std::vector<TensorRange> ranges;
    ranges.reserve(part_.tensors.size());
    for (size_t i = 0; i < part_.tensors.size(); ++i) {
      Tensor& tensor = part_.tensors[i];
      if (offsets_[i] % alignment != 0) {
        return corrupt("the data of tensor " + quote(tensor.name) + " starts at offset " + std::to_string(offsets_[i]) +
                       ", not a multiple of " + std::to_string(alignment));
      }
      INGLE_TRY(const uint64_t size, data_bytes(tensor));
      const auto begin = base::checked_add(*data_start, offsets_[i]);
      if (!begin || !base::in_range(*begin, size, file_bytes)) {
        return corrupt("the data of tensor " + quote(tensor.name) + " (" + std::to_string(size) + " bytes at offset " +
                       std::to_string(offsets_[i]) +
                       " of the data) lies past the end of the file; if it was downloaded, download it again");
      }
      places_.push_back({*begin, size});
      data_end_ = std::max(data_end_, *begin + size);
      ranges.push_back({tensor.name, *begin, *begin + size});
    }
    return check_no_overlap(ranges, file_);
  }

  void point_into(std::span<const std::byte> file) {
    for (size_t i = 0; i < places_.size(); ++i)
      part_.tensors[i].data = file.subspan(places_[i].begin, places_[i].bytes);
  }

  Result<uint64_t> read_alignment() const {
    if (!part_.metadata.has("general.alignment")) return kDefaultAlignment;
    const auto alignment = part_.metadata.find_uint("general.alignment");
    // The specification: a multiple of 8. Not a power of two makes no sense to anyone, and ggml refuses it too.
    if (!alignment || *alignment < 8 || (*alignment & (*alignment - 1)) != 0) {
      return corrupt("general.alignment is " + (alignment ? std::to_string(*alignment) : "not a whole number") +
                     "; a power of two from 8 is possible");
    }
    return *alignment;
  }

  Result<uint64_t> data_bytes(const Tensor& tensor) const {
    const auto elements = checked_elements(std::span(tensor.dims).first(tensor.dim_count));
    if (!elements) return corrupt("the dimensions of tensor " + quote(tensor.name) + " are zero or overflow 64 bits");
    const QuantFormat& format = *tensor.format;
    if (tensor.columns() % format.block_elements != 0) {
      return corrupt("tensor " + quote(tensor.name) + " has rows of " + std::to_string(tensor.columns()) +
                     " elements, not a multiple of the " + std::to_string(format.block_elements) + " of " +
                     std::string(format.name));
    }
    const auto size = base::checked_mul<uint64_t>(*elements / format.block_elements, format.block_bytes);
    if (!size) return corrupt("the size of tensor " + quote(tensor.name) + " overflows 64 bits");
    return *size;
  }

  std::span<const std::byte> bytes_;
  std::string_view file_;
  ByteReader reader_;
  uint64_t tensor_count_ = 0;
  uint64_t key_count_ = 0;
  struct Place {
    uint64_t begin = 0, bytes = 0;
  };
  std::vector<uint64_t> offsets_;  // as in the file, parallel to part_.tensors
  std::vector<Place> places_;      // likewise, in the file
  uint64_t data_end_ = 0;
  bool too_short_ = false;
  GgufPart part_;
};

}  // namespace

Result<GgufPart> parse_gguf(std::span<const std::byte> bytes, std::string_view file) {
  return GgufParser(bytes, file).parse();
}

Result<GgufOutline> describe_gguf(std::span<const std::byte> start, std::string_view file, bool* too_short) {
  GgufParser parser(start, file);
  auto description = parser.describe();
  if (too_short != nullptr) *too_short = parser.too_short();
  return description;
}

std::string_view ggml_type_name(uint32_t id) {
  // enum ggml_type of ggml.h; 4, 5, 31 to 33 and 36 to 38 were given out once and withdrawn.
  static constexpr std::array<std::string_view, 42> names = {
      "F32",        "F16",        "Q4_0",       "Q4_1",  "Q4_2",     "Q4_3",     "Q5_0",     "Q5_1",    "Q8_0",
      "Q8_1",       "Q2_K",       "Q3_K",       "Q4_K",  "Q5_K",     "Q6_K",     "Q8_K",     "IQ2_XXS", "IQ2_XS",
      "IQ3_XXS",    "IQ1_S",      "IQ4_NL",     "IQ3_S", "IQ2_S",    "IQ4_XS",   "I8",       "I16",     "I32",
      "I64",        "F64",        "IQ1_M",      "BF16",  "Q4_0_4_4", "Q4_0_4_8", "Q4_0_8_8", "TQ1_0",   "TQ2_0",
      "IQ4_NL_4_4", "IQ4_NL_4_8", "IQ4_NL_8_8", "MXFP4", "NVFP4",    "Q1_0"};
  return id < names.size() ? names[id] : std::string_view();
}

}  // namespace ingle::core
