// ChatTemplate: the boundary where failures inside become results.
#include "core/template/template.h"

#include <algorithm>
#include <new>

#include "base/utf8.h"
#include "core/template/interpreter.h"
#include "core/template/parser.h"

namespace ingle::core {

struct ChatTemplate::Impl {
  jinja::Program program;
  TemplateLimits limits;
  std::string source;
};

namespace {

base::Error to_error(const jinja::Failure& failure) {
  std::string place =
      failure.line > 0 ? "chat template, line " + std::to_string(failure.line) + ": " : "chat template: ";
  return {failure.code, place + failure.message};
}

base::Error out_of_memory() {
  return {base::ErrorCode::out_of_memory, "chat template: out of memory"};
}

}  // namespace

ChatTemplate::ChatTemplate(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;
ChatTemplate::~ChatTemplate() = default;

base::Result<ChatTemplate> ChatTemplate::parse(std::string_view source, const TemplateLimits& limits) {
  if (source.size() > limits.max_source_bytes)
    return base::Error{base::ErrorCode::limit_exceeded, "chat template: " + std::to_string(source.size()) +
                                                            " bytes are over the limit of " +
                                                            std::to_string(limits.max_source_bytes)};
  if (const size_t at = base::find_invalid_utf8(source); at != source.size())
    return base::Error{base::ErrorCode::invalid_argument, "chat template: invalid UTF-8 at byte " + std::to_string(at)};
  try {
    return ChatTemplate(
        std::make_unique<Impl>(Impl{jinja::parse_program(source, limits.max_depth), limits, std::string(source)}));
  } catch (const jinja::Failure& failure) {
    return to_error(failure);
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  }
}

const std::string& ChatTemplate::source() const {
  return impl_->source;
}

bool ChatTemplate::mentions(std::string_view variable) const {
  const std::vector<std::string>& symbols = impl_->program.symbols;
  return std::find(symbols.begin(), symbols.end(), variable) != symbols.end();
}

base::Result<std::string> ChatTemplate::render(const base::Json& context, int64_t now) const {
  if (!context.is_object())
    return base::Error{base::ErrorCode::invalid_argument, "chat template: the context must be a JSON object"};
  try {
    return jinja::Interpreter(impl_->program, context, impl_->limits, now).run();
  } catch (const jinja::Failure& failure) {
    return to_error(failure);
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  }
}

}  // namespace ingle::core
