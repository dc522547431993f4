#include "core/tokenizer/hf_json.h"

#include "core/files/json_events.h"

namespace ingle::core {
namespace {

using nlohmann::json;

constexpr size_t kMaxDepth = 64;
constexpr size_t kMaxValues = size_t{1} << 20;

class Reader final : public JsonEvents {
 public:
  explicit Reader(HfTokenizerJson& out) : out_(out) {}

  bool null() override { return value(nullptr); }
  bool boolean(bool v) override { return value(v); }
  bool number_integer(int64_t v) override { return value(v); }
  bool number_float(double v, const std::string&) override { return value(v); }
  bool number_unsigned(uint64_t v) override {
    if (part_ != Part::vocabulary) return value(v);
    if (v > UINT32_MAX) return refuse("the id of token \"" + key_ + "\" is too large");
    out_.vocabulary.emplace_back(std::move(key_), static_cast<uint32_t>(v));
    return true;
  }
  bool string(std::string& v) override {
    if (part_ == Part::merges) {
      out_.merges.push_back(std::move(v));
      return true;
    }
    if (part_ == Part::merge_pair) {
      if (pair_size_ >= 2) return refuse("a merge of more than two tokens");
      pair_[pair_size_++] = std::move(v);
      return true;
    }
    return value(std::move(v));
  }
  bool key(std::string& v) override {
    key_ = std::move(v);
    return true;
  }
  bool start_object(size_t) override {
    if (in_model() && key_ == "vocab") {
      part_ = Part::vocabulary;
      return true;
    }
    return open(json::object());
  }
  bool end_object() override {
    if (part_ == Part::vocabulary) {
      part_ = Part::tree;
      return true;
    }
    return close();
  }
  bool start_array(size_t) override {
    if (part_ == Part::merges) {
      part_ = Part::merge_pair;
      pair_size_ = 0;
      return true;
    }
    if (in_model() && key_ == "merges") {
      part_ = Part::merges;
      return true;
    }
    return open(json::array());
  }
  bool end_array() override {
    if (part_ == Part::merge_pair) {
      if (pair_size_ != 2) return refuse("a merge of less than two tokens");
      out_.merge_pairs.push_back(pair_);
      part_ = Part::merges;
      return true;
    }
    if (part_ == Part::merges) {
      part_ = Part::tree;
      return true;
    }
    return close();
  }
  bool too_large() const { return too_large_; }

 private:
  enum class Part { tree, vocabulary, merges, merge_pair };

  bool in_model() const { return part_ == Part::tree && stack_.size() == 2 && stack_[1] == model_; }

  json* add(json v) {
    if (++values_ > kMaxValues || stack_.size() >= kMaxDepth) {
      too_large_ = true;
      refuse("more or deeper nested values than supported");
      return nullptr;
    }
    if (stack_.empty()) return &(out_.root = std::move(v));
    if (stack_.back()->is_array()) return &stack_.back()->emplace_back(std::move(v));
    json* place = &(*stack_.back())[key_];
    *place = std::move(v);
    return place;
  }
  bool value(json v) {
    if (part_ != Part::tree) return refuse("a vocabulary or merge list with other values than it may have");
    return add(std::move(v)) != nullptr;
  }
  bool open(json v) {
    if (part_ != Part::tree) return refuse("a vocabulary or merge list with other values than it may have");
    json* place = add(std::move(v));
    if (place == nullptr) return false;
    if (stack_.size() == 1 && key_ == "model" && place->is_object()) model_ = place;
    stack_.push_back(place);
    return true;
  }
  bool close() {
    stack_.pop_back();
    return true;
  }

  HfTokenizerJson& out_;
  Part part_ = Part::tree;
  std::vector<json*> stack_;  ///< open arrays and objects
  const json* model_ = nullptr;
  std::string key_;
  std::array<std::string, 2> pair_;
  size_t pair_size_ = 0;
  size_t values_ = 0;
  bool too_large_ = false;
};

}  // namespace

base::Result<HfTokenizerJson> read_hf_json(std::string_view text, std::string_view file) {
  HfTokenizerJson out;
  Reader reader(out);
  if (base::Status status = reader.run(text, file); !status) {
    base::Error error = std::move(status).error();
    if (reader.too_large()) error.code = base::ErrorCode::limit_exceeded;
    return error;
  }
  if (!out.root.is_object()) return base::Error{base::ErrorCode::corrupt, std::string(file) + ": not a JSON object"};
  return out;
}

}  // namespace ingle::core
