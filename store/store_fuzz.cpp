// Every parser of outside bytes in this module; the first byte picks one, so that one corpus serves all.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "store/address.h"
#include "store/catalogue.h"
#include "store/download.h"
#include "store/fetch.h"
#include "store/layout.h"
#include "store/package_index.h"
#include "store/pip.h"
#include "store/url.h"

namespace {

using namespace ingle::store;  // NOLINT(google-build-using-namespace): a fuzz target is about one module

void require(bool condition) {
  if (!condition) std::abort();
}

void fuzz_address(std::string_view text) {
  const auto address = parse_address(text);
  if (!address.ok()) return;
  if (address->kind == SourceKind::huggingface) {
    // Whatever the path, the URL stays on the endpoint and inside the repository.
    const auto url = parse_url(repository_url(*address, "https://hub.example"));
    require(url && url->host == "hub.example" && url->path.starts_with("/" + address->repository + "/resolve/"));
  }
  if (address->kind == SourceKind::url) require(is_allowed_url(address->url));
  const std::string name = to_model_name(address_file_name(*address));
  require(name.empty() || is_valid_model_name(name));
}

void fuzz_index(std::string_view type, std::string_view text) {
  const auto files = parse_simple_index(type, text, "https://index.example/simple/pkg/");
  if (!files.ok()) return;
  for (const IndexFile& file : *files) require(file.file_name.find('/') == std::string::npos && !file.url.empty());
  (void)choose_wheel(*files, "pkg", "1.0");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 9) {
    case 0:
      if (auto catalogue = Catalogue::parse(text, "fuzz"); catalogue.ok()) (void)catalogue->suggest("qwen");
      break;
    case 1:
      fuzz_address(text);
      break;
    case 2:
      fuzz_index("text/html", text);
      break;
    case 3:
      fuzz_index("application/vnd.pypi.simple.v1+json", text);
      break;
    case 4:
      (void)parse_pip_config(text);
      break;
    case 5:
      (void)parse_pip_help(text);
      break;
    case 6:
      (void)parse_download_state(text);
      break;
    case 7:
      (void)parse_parts_state(text);
      break;
    default:
      (void)parse_manifest(text);
      break;
  }
  return 0;
}
