// How special tokens are kept out of what others wrote. Splitting the text around it would change what the template
// sees (templates trim, split and dump contents) and how words join. Instead:
//   1. each place in a string of the request where a special token's spelling begins gets a marker (a private-use
//      character that occurs nowhere) behind its first character, and so does the end of a string that stops within a
//      spelling, so that two strings can't complete one; without any such place this is the plain rendering;
//   2. the template is rendered;
//   3. the markers in the result become the byte FF, which no UTF-8 text has, and the tokenizer encodes an invalid byte
//   as
//      a token of its own: it breaks the spelling and nothing else;
//   4. that byte's tokens are dropped.
// Roles are the exception: templates build special tokens from them ('<|' + role + '|>'), so their characters are
// checked.
#include "core/engine/prompt.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <unordered_set>

#include "base/utf8.h"

namespace ingle::core {
namespace {

using base::Error;
using base::ErrorCode;
using base::Json;

constexpr char kBreak = '\xFF';

/// How the vocabulary spells its special tokens.
class Spellings {
 public:
  explicit Spellings(const Tokenizer& tokenizer) {
    for (uint32_t id = 0; id < tokenizer.vocabulary_size(); ++id) {
      const auto token = static_cast<TokenId>(id);
      const TokenKind kind = tokenizer.token_kind(token);
      if (kind == TokenKind::control || kind == TokenKind::unknown) add(tokenizer.token_text(token));
    }
  }

  /// Whether one begins at the start of `text`.
  bool begins(std::string_view text) const {
    if (text.empty() || !first_[static_cast<uint8_t>(text[0])]) return false;
    return std::any_of(lengths_.begin(), lengths_.end(), [&](size_t length) {
      return length <= text.size() && whole_.count(text.substr(0, length)) != 0;
    });
  }

  /// Whether all of `text`, without white space at its end, is the beginning of one, but not a whole one.
  bool is_unfinished(std::string_view text) const { return !text.empty() && parts_.count(text) != 0; }

  size_t longest() const { return lengths_.empty() ? 0 : *lengths_.rbegin(); }

 private:
  void add(std::string_view spelling) {
    if (base::decode_utf8(spelling).length >= spelling.size()) return;  // of one character: nothing can be put inside
    first_[static_cast<uint8_t>(spelling[0])] = true;
    lengths_.insert(spelling.size());
    whole_.insert(spelling);
    for (size_t length = 1; length < spelling.size(); ++length) parts_.insert(spelling.substr(0, length));
  }

  std::array<bool, 256> first_{};
  std::set<size_t> lengths_;
  std::unordered_set<std::string_view> whole_, parts_;
};

/// Calls visit(string) for every string in `json`: keys, values, at any depth; stops at the first error.
template <class Visit>
base::Status for_each_string(const Json& json, const Visit& visit) {
  if (json.is_string()) return visit(json.get_ref<const std::string&>());
  if (!json.is_structured()) return {};
  for (const auto& [key, value] : json.items()) {
    if (json.is_object()) INGLE_CHECK(visit(key));
    INGLE_CHECK(for_each_string(value, visit));
  }
  return {};
}

/// A copy of `json` with `change` applied to every string.
template <class Change>
Json with_strings(const Json& json, const Change& change) {
  if (json.is_string()) return change(json.get_ref<const std::string&>());
  if (!json.is_structured()) return json;
  Json copy = json.is_array() ? Json::array() : Json::object();
  for (const auto& [key, value] : json.items()) {
    if (json.is_array()) {
      copy.push_back(with_strings(value, change));
    } else {
      copy[change(key)] = with_strings(value, change);
    }
  }
  return copy;
}

/// Offsets in `text` where a marker must stand.
std::vector<size_t> break_points(std::string_view text, const Spellings& spellings) {
  std::vector<size_t> points;
  for (size_t i = 0; i < text.size(); ++i) {
    if (spellings.begins(text.substr(i))) points.push_back(i + base::decode_utf8(text.substr(i)).length);
  }
  const size_t end = text.find_last_not_of(" \t\r\n\f\v") + 1;  // templates trim
  const size_t from = end > spellings.longest() ? end - spellings.longest() : 0;
  for (size_t i = from; i < end; ++i) {
    if (!spellings.is_unfinished(text.substr(i, end - i))) continue;
    points.push_back(end);
    break;
  }
  return points;
}

std::string with_marker(std::string_view text, const Spellings& spellings, std::string_view marker) {
  std::string out;
  size_t done = 0;
  for (const size_t point : break_points(text, spellings)) {
    out += text.substr(done, point - done);
    out += marker;
    done = point;
  }
  return out += text.substr(done);
}

/// A private-use character that no string of the request has.
base::Result<std::string> unused_character(const Json& content) {
  std::set<uint32_t> used;
  INGLE_CHECK(for_each_string(content, [&used](std::string_view text) -> base::Status {
    while (!text.empty()) {
      const base::CodePoint c = base::decode_utf8(text);
      if (c.value >= 0xE000) used.insert(c.value);
      text.remove_prefix(std::max<size_t>(c.length, 1));
    }
    return {};
  }));
  constexpr std::pair<uint32_t, uint32_t> kPrivateUse[] = {{0xE000, 0xF8FF}, {0xF0000, 0xFFFFD}};
  for (const auto& [first, last] : kPrivateUse) {
    for (uint32_t c = first; c <= last; ++c) {
      if (used.count(c) != 0) continue;
      std::string text;
      base::append_utf8(text, c);
      return text;
    }
  }
  return Error{ErrorCode::invalid_argument, "the messages use every private-use character of Unicode"};
}

base::Status check_roles(const Json& messages) {
  if (!messages.is_array()) return Error{ErrorCode::invalid_argument, "the messages must be a list"};
  for (const Json& message : messages) {
    const auto role = message.is_object() ? message.find("role") : message.end();
    if (role == message.end() || !role->is_string()) {
      return Error{ErrorCode::invalid_argument, "each message must be an object with the text \"role\""};
    }
    const auto& text = role->get_ref<const std::string&>();
    const bool plain = text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") ==
                       std::string::npos;
    if (!plain || text.empty()) {
      return Error{ErrorCode::invalid_argument, "a message's role must be letters, digits, '_', '-' or '.'"};
    }
  }
  return {};
}

Json template_context(const Tokenizer& tokenizer, const ChatRequest& request, const Json& content) {
  const Tokenizer::SpecialIds& ids = tokenizer.special();
  Json context = content["variables"].is_object() ? content["variables"] : Json::object();
  context["messages"] = content["messages"];
  context["tools"] = content["tools"].empty() ? Json() : content["tools"];  // none, not undefined, as transformers does
  context["documents"] = nullptr;
  context["add_generation_prompt"] = request.add_generation_prompt;
  if (request.enable_thinking) context["enable_thinking"] = *request.enable_thinking;
  const auto spell = [&](const char* name, const std::optional<TokenId>& id) {
    if (id) context[name] = std::string(tokenizer.token_text(*id));
  };
  spell("bos_token", ids.bos);
  spell("eos_token", ids.eos);
  spell("unk_token", ids.unknown);
  spell("pad_token", ids.padding);
  return context;
}

void replace_all(std::string& text, std::string_view from, char to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + 1)) {
    text.replace(at, from.size(), 1, to);
  }
}

}  // namespace

base::Result<std::vector<TokenId>> build_chat_prompt(const Tokenizer& tokenizer, const ChatTemplate& chat_template,
                                                     const ChatRequest& request) {
  INGLE_CHECK(check_roles(request.messages));
  Json content = {{"messages", request.messages}, {"tools", request.tools}, {"variables", request.variables}};
  const Spellings spellings(tokenizer);
  bool dangerous = false;
  INGLE_CHECK(for_each_string(content, [&](const std::string& text) -> base::Status {
    if (!base::is_valid_utf8(text)) return Error{ErrorCode::invalid_argument, "a message is not valid UTF-8"};
    dangerous = dangerous || !break_points(text, spellings).empty();
    return {};
  }));
  std::string marker;
  if (dangerous) {
    INGLE_TRY(marker, unused_character(content));
    content = with_strings(content, [&](const std::string& text) { return with_marker(text, spellings, marker); });
  }

  INGLE_TRY(std::string text, chat_template.render(template_context(tokenizer, request, content), request.now));
  if (dangerous) replace_all(text, marker, kBreak);
  std::vector<TokenId> tokens = tokenizer.encode(text, {.add_special = false, .parse_special = true});
  if (dangerous) {
    const std::string broken(1, kBreak);
    std::erase_if(tokens, [&](TokenId token) { return tokenizer.token_bytes(token) == broken; });
  }
  if (tokens.empty()) return Error{ErrorCode::invalid_argument, "the chat template renders nothing for these messages"};
  return tokens;
}

base::Result<std::vector<TokenId>> build_fim_prompt(const Tokenizer& tokenizer, std::string_view prefix,
                                                    std::string_view suffix) {
  const Tokenizer::SpecialIds& ids = tokenizer.special();
  if (!ids.fim_prefix || !ids.fim_suffix || !ids.fim_middle) {
    return Error{
        ErrorCode::unsupported,
        "this model can't fill a gap: it has no fill-in-the-middle tokens; use one trained for it (most coding "
        "models are), or leave the suffix out"};
  }
  std::vector<TokenId> tokens;
  const auto add_text = [&](std::string_view text) {
    const std::vector<TokenId> encoded = tokenizer.encode(text);
    tokens.insert(tokens.end(), encoded.begin(), encoded.end());
  };
  if (ids.add_bos && ids.bos) tokens.push_back(*ids.bos);
  tokens.push_back(*ids.fim_prefix);
  add_text(prefix);
  tokens.push_back(*ids.fim_suffix);
  add_text(suffix);
  tokens.push_back(*ids.fim_middle);
  return tokens;
}

}  // namespace ingle::core
