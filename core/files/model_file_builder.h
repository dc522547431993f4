// How the parsers of this folder finish a ModelFile.
#pragma once

#include <string_view>

#include "base/result.h"
#include "core/files/model_file.h"

namespace ingle::core {

struct ModelFileBuilder {
  /// Fills the index by name. Error (corrupt): two tensors, perhaps of different parts, share a name.
  static base::Status index_tensors(ModelFile& file, std::string_view label);
};

}  // namespace ingle::core
