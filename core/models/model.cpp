#include "core/models/model.h"

#include <algorithm>

namespace ingle::core {
namespace {

std::string supported_names() {
  std::string names;
  for (const Architecture* architecture : all_architectures()) {
    if (!names.empty()) names += ", ";
    names += architecture->name;
  }
  return names;
}

}  // namespace

base::Result<const Architecture*> find_architecture(const ModelFile& file) {
  std::string wanted;
  if (file.container == ContainerFormat::gguf) {
    const std::string* name = file.metadata.find_string("general.architecture");
    if (name == nullptr)
      return base::Error{base::ErrorCode::corrupt, file.path.string() + " has no general.architecture"};
    wanted = *name;
    for (const Architecture* architecture : all_architectures())
      if (architecture->name == wanted) return architecture;
  } else {
    const auto* names = file.metadata.find_strings("architectures");
    if (names == nullptr || names->empty())
      return base::Error{base::ErrorCode::corrupt, file.path.string() + ": config.json has no \"architectures\""};
    wanted = names->front();
    for (const Architecture* architecture : all_architectures())
      if (std::find(architecture->class_names.begin(), architecture->class_names.end(), wanted) !=
          architecture->class_names.end())
        return architecture;
  }
  return base::Error{base::ErrorCode::unsupported,
                     "the architecture \"" + wanted + "\" is not supported; supported are " + supported_names()};
}

}  // namespace ingle::core
