// JSON read as a stream of events, for headers too large to build a tree of. A handler overrides the events that its
// format has; every other one ends the parse with a message.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace ingle::core {

class JsonEvents : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return refuse("an unexpected null"); }
  bool boolean(bool) override { return refuse("an unexpected truth value"); }
  bool number_integer(int64_t) override { return refuse("an unexpected negative number"); }
  bool number_unsigned(uint64_t) override { return refuse("an unexpected number"); }
  bool number_float(double, const std::string&) override {
    return refuse("an unexpected fraction or too large number");
  }
  bool string(std::string&) override { return refuse("an unexpected string"); }
  bool binary(nlohmann::json::binary_t&) override { return refuse("binary data"); }
  bool start_object(size_t) override { return refuse("an unexpected object"); }
  bool key(std::string&) override { return refuse("an unexpected member"); }
  bool end_object() override { return true; }
  bool start_array(size_t) override { return refuse("an unexpected array"); }
  bool end_array() override { return true; }
  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception&) override {
    return refuse("invalid at byte " + std::to_string(position));
  }

  /// Runs the parser over `text`. Error (corrupt): `file`, then what the handler or the parser refused.
  base::Status run(std::string_view text, std::string_view file) {
    // The parser would take a NUL byte for the end and let anything follow.
    const size_t nul = text.find('\0');
    if (nul != std::string_view::npos) refuse("invalid at byte " + std::to_string(nul + 1));
    if (problem_.empty() && nlohmann::json::sax_parse(text.begin(), text.end(), this)) return {};
    return base::Error{base::ErrorCode::corrupt, std::string(file) + ": bad JSON: " + problem_};
  }

 protected:
  /// Ends the parse; the first reason counts.
  bool refuse(std::string why) {
    if (problem_.empty()) problem_ = std::move(why);
    return false;
  }

 private:
  std::string problem_;
};

}  // namespace ingle::core
