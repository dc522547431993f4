// Finds what was added to the assistant. There is no kind of extension yet: it finds none, and what will be loaded here
// has to ask Core::may_run_plugins() first.
#pragma once

#include <string>
#include <vector>

namespace ingle::assistant {

struct Extension {
  std::string name;
};

class ExtensionLoader {
 public:
  const std::vector<Extension>& found() const { return found_; }

 private:
  std::vector<Extension> found_;
};

}  // namespace ingle::assistant
