#include "base/test_source_folder.h"

std::string ingle::source_folder() {
  return INGLE_SOURCE_DIR;
}
