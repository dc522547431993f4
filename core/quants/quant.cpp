// Look-up in the table that the build generates from this folder's files.
#include "core/quants/quant.h"

namespace ingle::core {

const QuantFormat* find_quant(uint32_t gguf_id) {
  for (const QuantFormat* format : all_quants()) {
    if (format->gguf_id == gguf_id) return format;
  }
  return nullptr;
}

const QuantFormat* find_quant(std::string_view name) {
  for (const QuantFormat* format : all_quants()) {
    if (format->name == name) return format;
  }
  return nullptr;
}

std::string quant_names() {
  std::string names;
  for (const QuantFormat* format : all_quants()) {
    if (!names.empty()) names += ", ";
    names += format->name;
  }
  return names;
}

}  // namespace ingle::core
