// Jinja, as far as chat templates use it, with output identical to Python's jinja2 under the settings of transformers
// (trim_blocks, lstrip_blocks, loopcontrols, tojson as json.dumps(ensure_ascii=False), raise_exception, strftime_now).
// No I/O and no host access; steps, depth and output are bounded.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace ingle::core {

struct TemplateLimits {
  uint64_t max_steps = 10'000'000;
  uint32_t max_depth = 128;
  uint64_t max_output_bytes = uint64_t{64} << 20;
  uint64_t max_source_bytes = uint64_t{4} << 20;
  uint64_t max_memory_bytes = uint64_t{256} << 20;  ///< of all values alive at once, the context included
};

class ChatTemplate {
 public:
  /// Errors: invalid_argument with line number and what was expected; limit_exceeded.
  static base::Result<ChatTemplate> parse(std::string_view source, const TemplateLimits& limits = {});

  /// Renders with `context` (an object) as the whole context. `now` is what strftime_now formats, seconds since the
  /// epoch in local time. Errors: invalid_argument (undefined, type errors, raise_exception's message), limit_exceeded.
  base::Result<std::string> render(const base::Json& context, int64_t now = 0) const;

  /// Whether the template reads (or sets) a variable of that name anywhere.
  bool mentions(std::string_view variable) const;

  /// What was parsed.
  const std::string& source() const;

  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;
  ~ChatTemplate();

 private:
  struct Impl;
  explicit ChatTemplate(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ingle::core
